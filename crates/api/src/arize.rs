//! What only Arize has: its block of a Backend.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block::{Block, SecretKeyRef};

/// Where an Arize account is, and the key to it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("[has(self.region), has(self.url), has(self.baseDomain)].filter(x, x).size() <= 1")
    .message("write at most one of region, url and baseDomain; none of them means https://api.arize.com"))]
#[x_kube(validation = Rule::new(
    "!has(self.url) || (isURL(self.url) && url(self.url).getHost() != '' && url(self.url).getEscapedPath() in ['', '/'] && url(self.url).getQuery().size() == 0 && !self.url.contains('@'))")
    .message("url must be scheme, host and port only, such as https://arize.example.com")
    .field_path(".url"))]
#[x_kube(validation = Rule::new(
    "!has(self.url) || !isURL(self.url) || url(self.url).getScheme() == 'https' || (url(self.url).getScheme() == 'http' && has(self.allowInsecure) && self.allowInsecure)")
    .message("url must begin with https://; to send the key in clear text over http://, set allowInsecure: true")
    .field_path(".url"))]
pub struct ArizeConnection {
    /// The region of an account on Arize's own cloud, such as us-central-1a, US, EU or CA. Calls go to https://api.<region>.arize.com; without region, url and baseDomain to https://api.arize.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$"))]
    pub region: Option<String>,
    /// The address of a self-hosted Arize, such as https://arize.example.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^https?://[^@/?#\s]+/?$"))]
    pub url: Option<String>,
    /// The domain of a private connection, such as arize.example.com: calls go to https://api.<baseDomain>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub base_domain: Option<String>,
    /// Permits a url that begins with http://, over which the key travels in clear text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
    /// The key that calls are made with.
    pub credentials: ArizeCredentials,
}

/// The key to an Arize account.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArizeCredentials {
    /// A user's API key or a service key, in a Secret of the same namespace. The Secret must name the host that may be sent it in the annotation rolewright.dev/hosts, such as api.arize.com.
    pub api_key_secret_ref: SecretKeyRef,
}

impl ArizeConnection {
    pub(super) fn block(&self) -> Block {
        Block::new("arize", self, vec![("apiKeySecretRef", self.credentials.api_key_secret_ref.clone())])
    }
}
