//! What only Lenses has: its block of a Backend.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block::{Block, SecretKeyRef};

/// Where a Lenses HQ is, and the credential for it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "isURL(self.url) && url(self.url).getHost() != '' && url(self.url).getQuery().size() == 0 && !self.url.contains('@') && !self.url.contains('#') && !self.url.matches('/api(/v1)?/*$')")
    .message("url must be scheme, host and, where HQ is served below a path, that path, without /api, such as https://hq.example.com:9991")
    .field_path(".url"))]
#[x_kube(validation = Rule::new(
    "!isURL(self.url) || url(self.url).getScheme() == 'https' || (url(self.url).getScheme() == 'http' && has(self.allowInsecure) && self.allowInsecure)")
    .message("url must begin with https://; to send the credential in clear text over http://, set allowInsecure: true")
    .field_path(".url"))]
pub struct LensesConnection {
    /// The address of HQ, such as https://hq.example.com:9991, with the path where it is served below one.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^https?://[^@?#\s]+$"))]
    pub url: String,
    /// The name of the service account that the token is of: HQ tells nobody whose token they use. With it people are warned before the token ends, and what the account's own policy lets it see tells what is gone from what is hidden. Without it nothing is taken to be gone, and no role is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub service_account: Option<String>,
    /// Who says who is in a group: Manual (the default), this operator for the groups that it makes; or Sso, the identity provider, and members are not touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership: Option<LensesMembership>,
    /// Permits a url that begins with http://, over which the credential travels in clear text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
    /// What calls are made with.
    pub credentials: LensesCredentials,
}

/// Who says who is in a group.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum LensesMembership {
    /// This operator, for the groups that it makes.
    Manual,
    /// The identity provider.
    Sso,
}

/// A service account's token.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LensesCredentials {
    /// A service account's token, in a Secret of the same namespace. The Secret must name the host that may be sent it in the annotation rolewright.dev/hosts, such as hq.example.com:9991.
    pub token_secret_ref: SecretKeyRef,
}

impl LensesConnection {
    pub(super) fn block(&self) -> Block {
        Block::new("lenses", self, vec![("tokenSecretRef", self.credentials.token_secret_ref.clone())])
    }
}
