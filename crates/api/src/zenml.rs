//! The ZenML Pro blocks of a Backend and of a Role.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::block::{Block, SecretKeyRef};

/// The address of a ZenML Pro control plane, one of its organizations, and the credential for it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "isURL(self.url) && url(self.url).getHost() != '' && url(self.url).getQuery().size() == 0 && !self.url.contains('@') && !self.url.contains('#')")
    .message("url can only have a scheme, a host with an optional port, and the path of the API, such as https://zenml.example.com/api/v1")
    .field_path(".url"))]
#[x_kube(validation = Rule::new(
    "!isURL(self.url) || url(self.url).getScheme() == 'https' || (url(self.url).getScheme() == 'http' && has(self.allowInsecure) && self.allowInsecure)")
    .message("url must begin with https://; to send the credential unencrypted over http://, set allowInsecure: true")
    .field_path(".url"))]
pub struct ZenmlConnection {
    /// The address of the API of the control plane, not of a workspace. For ZenML's own control plane: https://cloudapi.zenml.io. For one that you host, include the path of the API: https://zenml.example.com/api/v1.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^https?://[^@?#\s]+$"))]
    pub url: String,
    /// The name or id of the organization whose access control this Backend manages.
    #[schemars(length(min = 1, max = 255))]
    pub organization: String,
    /// Whether url can begin with http://. Default: false. With true, Rolewright sends the credential unencrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_insecure: Option<bool>,
    /// The form in which Rolewright sends the permissions of roles, because ZenML does not publish it. Grouped (the default): a type of resource with a list of actions. Pairs: a type of resource with one action. Change it if the control plane refuses every Role with 422, or if a Role is Invalid because other permissions were stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_form: Option<ZenmlPermissionForm>,
    /// The credential, which Rolewright exchanges for short sessions: an API key, a personal access token, or an OAuth client.
    pub credentials: ZenmlCredentials,
}

/// A form of permissions in a request.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum ZenmlPermissionForm {
    /// A type of resource with a list of actions: {"resource": "pipeline", "actions": ["create", "read"]}.
    Grouped,
    /// A type of resource with one action: {"resource": "pipeline", "action": "read"}.
    Pairs,
}

/// An API key or a personal access token, or the id and secret of an OAuth client.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "has(self.apiKeySecretRef) ? !has(self.clientId) && !has(self.clientSecretRef) && !has(self.audience) : has(self.clientId) && has(self.clientSecretRef)")
    .message("write either apiKeySecretRef, or clientId and clientSecretRef (and audience, if the control plane requires it)"))]
pub struct ZenmlCredentials {
    /// The API key of a service account of the organization, or a personal access token, in a Secret in the same namespace. The annotation rolewright.dev/hosts of the Secret must name the host that receives the credential, such as cloudapi.zenml.io.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key_secret_ref: Option<SecretKeyRef>,
    /// The id of an OAuth client. It requires clientSecretRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub client_id: Option<String>,
    /// The secret of the OAuth client, in a Secret in the same namespace. The annotation rolewright.dev/hosts of the Secret must name the host that receives the secret, such as cloudapi.zenml.io.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_ref: Option<SecretKeyRef>,
    /// The audience of the tokens that the OAuth client requests. Set it only if the control plane requires it.
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
        // Neither is secret, and the presence of clientId shows which kind of credential this is.
        for (field, value) in [("clientId", client_id), ("audience", audience)] {
            if let Some(value) = value {
                block.settings[field] = value.clone().into();
            }
        }
        block
    }
}

/// The fields of a Role that only ZenML Pro has.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ZenmlRole {
    /// The level where the role can be granted. Organization: in the whole organization, without a scope. Workspace: on a workspace. Project: on a project of a workspace. It cannot be changed.
    pub level: ZenmlLevel,
}

/// The levels where custom roles can be granted.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum ZenmlLevel {
    /// In the whole organization. Some control planes refuse custom roles of this level.
    Organization,
    /// On a workspace.
    Workspace,
    /// On a project of a workspace.
    Project,
}

impl ZenmlRole {
    /// The fields by name, with the back end's spelling of the values.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let level = match self.level {
            ZenmlLevel::Organization => "organization",
            ZenmlLevel::Workspace => "workspace",
            ZenmlLevel::Project => "project",
        };
        BTreeMap::from([("level".to_owned(), level.to_owned())])
    }
}
