//! The Arize block of a Backend.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block::{Block, SecretKeyRef};

/// The address of an Arize account and the credential for it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.region), has(self.url), has(self.baseDomain)].filter(x, x).size() <= 1")
    .message("write at most one of region, url and baseDomain; without them, calls go to https://api.arize.com"))]
#[x_kube(validation = Rule::new(
    "!has(self.url) || (isURL(self.url) && url(self.url).getHost() != '' && url(self.url).getEscapedPath() in ['', '/'] && url(self.url).getQuery().size() == 0 && !self.url.contains('@'))")
    .message("url can only have a scheme, a host and an optional port, such as https://arize.example.com")
    .field_path(".url"))]
#[x_kube(validation = Rule::new(
    "!has(self.url) || !isURL(self.url) || url(self.url).getScheme() == 'https' || (url(self.url).getScheme() == 'http' && has(self.allowInsecure) && self.allowInsecure)")
    .message("url must begin with https://; to send the API key unencrypted over http://, set allowInsecure: true")
    .field_path(".url"))]
pub struct ArizeConnection {
    /// The region of an account in Arize's cloud, such as us-central-1a, US, EU or CA. Calls go to https://api.<region>.arize.com. Without region, url and baseDomain, they go to https://api.arize.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"))]
    pub region: Option<String>,
    /// The address of a self-hosted Arize: scheme, host and optional port, such as https://arize.example.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^https?://[^@/?#\s]+/?$"))]
    pub url: Option<String>,
    /// The domain of a private connection to Arize, such as arize.example.com. Calls go to https://api.<baseDomain>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub base_domain: Option<String>,
    /// Whether url can begin with http://. Default: false. With true, Rolewright sends the API key unencrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
    /// The credential for all calls to this account.
    pub credentials: ArizeCredentials,
}

/// The credential for an Arize account.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArizeCredentials {
    /// The API key of a user, or a service key, in a Secret in the same namespace. The annotation rolewright.dev/hosts of the Secret must name the host that receives the API key, such as api.arize.com.
    pub api_key_secret_ref: SecretKeyRef,
}

impl ArizeConnection {
    pub(super) fn block(&self) -> Block {
        Block::new("arize", self, vec![("apiKeySecretRef", self.credentials.api_key_secret_ref.clone())])
    }
}
