//! What only ZenML Pro has: its blocks of a Backend and of a Role.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block::{Block, SecretKeyRef};

/// Where a ZenML control plane is, which organization of it, and the credential for it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "isURL(self.url) && url(self.url).getHost() != '' && url(self.url).getQuery().size() == 0 && !self.url.contains('@') && !self.url.contains('#')")
    .message("url must be scheme, host and, where the API lies below a path, that path, such as https://zenml.example.com/api/v1")
    .field_path(".url"))]
#[x_kube(validation = Rule::new(
    "!isURL(self.url) || url(self.url).getScheme() == 'https' || (url(self.url).getScheme() == 'http' && has(self.allowInsecure) && self.allowInsecure)")
    .message("url must begin with https://; to send the credential in clear text over http://, set allowInsecure: true")
    .field_path(".url"))]
pub struct ZenmlConnection {
    /// The address of the control plane's API: https://cloudapi.zenml.io for ZenML's own; of one that you host, with the path below which the API lies, such as https://zenml.example.com/api/v1. Not that of a workspace.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^https?://[^@?#\s]+$"))]
    pub url: String,
    /// The organization's name or id.
    #[schemars(length(min = 1, max = 255))]
    pub organization: String,
    /// Permits a url that begins with http://, over which the credential travels in clear text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
    /// What sessions are got with.
    pub credentials: ZenmlCredentials,
}

/// An API key or a personal access token, or a client's id and secret.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "has(self.apiKeySecretRef) ? !has(self.clientId) && !has(self.clientSecretRef) && !has(self.audience) : has(self.clientId) && has(self.clientSecretRef)")
    .message("write either apiKeySecretRef, or clientId and clientSecretRef (with audience where the control plane asks for one)"))]
pub struct ZenmlCredentials {
    /// The API key of a service account of the organization, or a personal access token, in a Secret of the same namespace. The Secret must name the host that may be sent it in the annotation rolewright.dev/hosts, such as cloudapi.zenml.io.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_secret_ref: Option<SecretKeyRef>,
    /// The id of an OAuth client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub client_id: Option<String>,
    /// The client's secret, in a Secret as for a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_ref: Option<SecretKeyRef>,
    /// The audience that the client asks a token for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub audience: Option<String>,
}

impl ZenmlConnection {
    pub(super) fn block(&self) -> Block {
        let ZenmlCredentials { api_key_secret_ref, client_id, client_secret_ref, audience } =
            &self.credentials;
        let key = api_key_secret_ref.iter().map(|key| ("apiKeySecretRef", key.clone()));
        let secret = client_secret_ref.iter().map(|secret| ("clientSecretRef", secret.clone()));
        let mut block = Block::new("zenml", self, key.chain(secret).collect());
        // Neither is a secret, and the first says which of the two it is.
        for (field, value) in [("clientId", client_id), ("audience", audience)] {
            if let Some(value) = value {
                block.settings[field] = value.clone().into();
            }
        }
        block
    }
}

/// What only a ZenML role has.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ZenmlRole {
    /// Where the role can be given: Workspace, on workspaces; or Project, on projects of a workspace. Cannot be changed.
    pub level: ZenmlLevel,
}

/// The levels that custom roles can be of.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum ZenmlLevel {
    /// It is given on a workspace.
    Workspace,
    /// It is given on a project of a workspace.
    Project,
}

impl ZenmlRole {
    /// Its fields by name.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let level = match self.level {
            ZenmlLevel::Workspace => "workspace",
            ZenmlLevel::Project => "project",
        };
        BTreeMap::from([("level".to_owned(), level.to_owned())])
    }
}
