//! The Grafana blocks of a Backend and of a Role.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{
    block::{Block, SecretKeyRef},
    common::BLANKS,
};

/// The address of a Grafana, one of its organizations, and the credential for it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "isURL(self.url) && url(self.url).getHost() != '' && url(self.url).getQuery().size() == 0 && !self.url.contains('@') && !self.url.contains('#')")
    .message("url can only have a scheme, a host with an optional port, and the path of Grafana, such as https://grafana.example.com/grafana")
    .field_path(".url"))]
#[x_kube(validation = Rule::new(
    "!isURL(self.url) || url(self.url).getScheme() == 'https' || (url(self.url).getScheme() == 'http' && has(self.allowInsecure) && self.allowInsecure)")
    .message("url must begin with https://; to send the credential unencrypted over http://, set allowInsecure: true")
    .field_path(".url"))]
pub struct GrafanaConnection {
    /// The address of Grafana, such as https://grafana.example.com. If Grafana is served below a path, include the path: https://example.com/grafana.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^https?://[^@?#\s]+$"))]
    pub url: String,
    /// The number of the organization. Default: with a token, the organization of its service account; with username and password, 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub org_id: Option<i64>,
    /// Whether url can begin with http://. Default: false. With true, Rolewright sends the credential unencrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
    /// The credential for all calls to this Grafana: the token of a service account, or the name and password of a user.
    pub credentials: GrafanaCredentials,
}

/// The token of a service account, or the name and password of a user.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "has(self.tokenSecretRef) ? !has(self.username) && !has(self.passwordSecretRef) : has(self.username) && has(self.passwordSecretRef)")
    .message("write either tokenSecretRef, or username and passwordSecretRef"))]
pub struct GrafanaCredentials {
    /// The token of a service account, in a Secret in the same namespace. The annotation rolewright.dev/hosts of the Secret must name the host that receives the token, such as grafana.example.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret_ref: Option<SecretKeyRef>,
    /// The login name of a user. It requires passwordSecretRef. Grafana Cloud does not accept it: use a token there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190), regex(pattern = r"^[^:]+$"))]
    pub username: Option<String>,
    /// The password of the user, in a Secret in the same namespace. The annotation rolewright.dev/hosts of the Secret must name the host that receives the password, such as grafana.example.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret_ref: Option<SecretKeyRef>,
}

impl GrafanaConnection {
    pub(super) fn block(&self) -> Block {
        let GrafanaCredentials { token_secret_ref, username, password_secret_ref } = &self.credentials;
        let token = token_secret_ref.iter().map(|token| ("tokenSecretRef", token.clone()));
        let password = password_secret_ref.iter().map(|password| ("passwordSecretRef", password.clone()));
        let mut block = Block::new("grafana", self, token.chain(password).collect());
        // The name is not secret, and its presence shows which kind of credential this is.
        if let Some(username) = username {
            block.settings["username"] = username.clone().into();
        }
        block
    }
}

/// The fields of a Role that only Grafana has.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrafanaRole {
    /// The uid of the role. It cannot be changed. Default: an adopted role keeps its uid; for a new role, Rolewright derives the uid from the account and from the namespace and name of this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40), regex(pattern = r"^[a-zA-Z0-9_-]+$"))]
    pub uid: Option<String>,
    /// The group under which Grafana lists the role. If absent, Rolewright does not change the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 190))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub group: Option<String>,
    /// Whether Grafana hides the role in its role pickers. If absent, Rolewright does not change the setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
    /// Whether the role exists in all organizations. With false (the default), it exists only in the organization of the Backend. It cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub global: Option<bool>,
}

impl GrafanaRole {
    /// The fields that are set, by name.
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
