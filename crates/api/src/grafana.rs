//! What only Grafana has: its blocks of a Backend and of a Role.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block::{Block, SecretKeyRef};

/// Where a Grafana is, which organization of it, and the credential for it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "isURL(self.url) && url(self.url).getHost() != '' && url(self.url).getQuery().size() == 0 && !self.url.contains('@') && !self.url.contains('#')")
    .message("url must be scheme, host and, where Grafana is served below a path, that path, such as https://grafana.example.com/grafana")
    .field_path(".url"))]
#[x_kube(validation = Rule::new(
    "!isURL(self.url) || url(self.url).getScheme() == 'https' || (url(self.url).getScheme() == 'http' && has(self.allowInsecure) && self.allowInsecure)")
    .message("url must begin with https://; to send the credential in clear text over http://, set allowInsecure: true")
    .field_path(".url"))]
pub struct GrafanaConnection {
    /// The address of Grafana, such as https://grafana.example.com, with the path where it is served below one.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^https?://[^@?#\s]+$"))]
    pub url: String,
    /// The number of the organization. With a token that of its service account when absent; with a user and password 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub org_id: Option<i64>,
    /// Permits a url that begins with http://, over which the credential travels in clear text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
    /// What calls are made with.
    pub credentials: GrafanaCredentials,
}

/// A service account's token, or a user and password.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "has(self.tokenSecretRef) ? !has(self.username) && !has(self.passwordSecretRef) : has(self.username) && has(self.passwordSecretRef)")
    .message("write either tokenSecretRef, or username and passwordSecretRef"))]
pub struct GrafanaCredentials {
    /// A service account's token, in a Secret of the same namespace. The Secret must name the host that may be sent it in the annotation rolewright.dev/hosts, such as grafana.example.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret_ref: Option<SecretKeyRef>,
    /// A user's login name; not on Grafana Cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190), regex(pattern = r"^[^:]+$"))]
    pub username: Option<String>,
    /// The user's password, in a Secret as for a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<SecretKeyRef>,
}

impl GrafanaConnection {
    pub(super) fn block(&self) -> Block {
        let GrafanaCredentials { token_secret_ref, username, password_secret_ref } = &self.credentials;
        let token = token_secret_ref.iter().map(|token| ("tokenSecretRef", token.clone()));
        let password = password_secret_ref.iter().map(|password| ("passwordSecretRef", password.clone()));
        let mut block = Block::new("grafana", self, token.chain(password).collect());
        // A name is not a secret, and says which of the two it is.
        if let Some(username) = username {
            block.settings["username"] = username.clone().into();
        }
        block
    }
}

/// What only a Grafana role has.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrafanaRole {
    /// The role's uid; derived from this object when absent. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40), regex(pattern = r"^[a-zA-Z0-9_-]+$"))]
    pub uid: Option<String>,
    /// The group under which Grafana lists the role; left as it is when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 190))]
    pub group: Option<String>,
    /// Whether Grafana leaves the role out of its pickers; left as it is when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
    /// Whether the role is there in all organizations. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub global: Option<bool>,
}

impl GrafanaRole {
    /// Its fields by name.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
        let fields = [
            ("uid", self.uid.clone()),
            ("group", self.group.clone()),
            ("hidden", flag(self.hidden)),
            ("global", flag(self.global)),
        ];
        fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?))).collect()
    }
}
