//! The Lenses block of a Backend.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block::{Block, SecretKeyRef};

/// The address of a Lenses HQ and the credential for it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "isURL(self.url) && url(self.url).getHost() != '' && url(self.url).getQuery().size() == 0 && !self.url.contains('@') && !self.url.contains('#') && !self.url.matches('/api(/v1)?/*$')")
    .message("url can only have a scheme, a host with an optional port, and the path of HQ without /api, such as https://hq.example.com:9991")
    .field_path(".url"))]
#[x_kube(validation = Rule::new(
    "!isURL(self.url) || url(self.url).getScheme() == 'https' || (url(self.url).getScheme() == 'http' && has(self.allowInsecure) && self.allowInsecure)")
    .message("url must begin with https://; to send the credential unencrypted over http://, set allowInsecure: true")
    .field_path(".url"))]
pub struct LensesConnection {
    /// The address of HQ, such as https://hq.example.com:9991. If HQ is served below a path, include the path, without /api: https://example.com/lenses.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^https?://[^@?#\s]+$"))]
    pub url: String,
    /// The name of the service account that the token belongs to, because HQ does not show it to a client. Rolewright warns before its token expires, and uses its policy to distinguish deleted things from hidden ones.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub service_account: String,
    /// Who manages the members of groups. Manual (the default): Rolewright manages the members of the groups that it creates. Sso: the identity provider manages them, and Rolewright never changes members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership: Option<LensesMembership>,
    /// Whether url can begin with http://. Default: false. With true, Rolewright sends the credential unencrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
    /// The credential for all calls to HQ.
    pub credentials: LensesCredentials,
}

/// Who manages the members of groups.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum LensesMembership {
    /// Rolewright, for the groups that it creates.
    Manual,
    /// The identity provider. Rolewright never changes members.
    Sso,
}

/// The credential for a Lenses HQ.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LensesCredentials {
    /// The token of a service account, in a Secret in the same namespace. The annotation rolewright.dev/hosts of the Secret must name the host that receives the token, such as hq.example.com:9991.
    pub token_secret_ref: SecretKeyRef,
}

impl LensesConnection {
    pub(super) fn block(&self) -> Block {
        Block::new("lenses", self, vec![("tokenSecretRef", self.credentials.token_secret_ref.clone())])
    }
}
