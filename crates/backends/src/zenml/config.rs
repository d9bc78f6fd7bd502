//! The `spec.zenml` block: the URL of the control plane, the organization and the credential (contract 1.1, 1.2).

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{permissions::Form, session::Login};
use crate::{address, budget::Limits};
use rolewright_core::model::Fault;

/// The name of the vendor's block in a Backend.
pub const NAME: &str = "zenml";

/// 429 is documented without numbers (contract 1.5), and many customers share the control plane.
pub const LIMITS: Limits = Limits { initial_per_second: 5, max_per_second: 25, burst: 10, concurrency: 8 };

/// The field that refers to the Secret with an API key or personal access token.
pub const KEY_FIELD: &str = "apiKeySecretRef";
/// The field that refers to the Secret with a client's secret.
pub const CLIENT_FIELD: &str = "clientSecretRef";
/// The field of the URL, for faults.
pub const URL_FIELD: &str = "spec.zenml.url";
const URL_ADVICE: &str = "write https://<host>, with :<port> if it is not 443 and with the path of the API, such as /api/v1, and nothing \
                          after it";
const HTTPS_ADVICE: &str = "write https://<host>, with the path of the API";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    url: String,
    organization: String,
    #[serde(default)]
    allow_insecure: bool,
    client_id: Option<String>,
    audience: Option<String>,
    #[serde(default)]
    permission_form: Form,
}

/// The content of a block.
#[derive(Debug)]
pub struct Connection {
    /// The base of all paths of the API, with the prefix that the control plane has (contract 1.1).
    pub url: Url,
    /// The organization's name or id.
    pub organization: String,
    /// The OAuth2 client. None if the credential is an API key or a personal access token.
    client_id: Option<String>,
    audience: Option<String>,
    /// The form in which permissions are sent.
    pub form: Form,
}

/// The scheme, host and port that calls go to.
///
/// # Errors
/// A fault of the field that is not a valid URL.
pub fn origin(block: &Value) -> Result<Url, Fault> {
    Ok(address::origin(connection(block)?.url))
}

/// Reads a block.
///
/// # Errors
/// A fault of the invalid field.
pub fn connection(block: &Value) -> Result<Connection, Fault> {
    let block: Block = serde_json::from_value(block.clone()).map_err(|_| {
        Fault::new(
            "spec.zenml",
            "url, organization, clientId and audience are texts, allowInsecure is true or false, and permissionForm is Grouped or Pairs",
        )
    })?;
    if matches!(block.organization.trim(), "" | "." | "..") {
        return Err(Fault::new("spec.zenml.organization", "write the organization's name or id"));
    }
    let url = address::bare(URL_FIELD, &block.url, URL_ADVICE)?;
    address::encrypted(URL_FIELD, &url, block.allow_insecure, "credential", HTTPS_ADVICE)?;
    let Block { organization, client_id, audience, permission_form: form, .. } = block;
    Ok(Connection { url, organization, client_id, audience, form })
}

/// The login with the credential that the block refers to.
///
/// # Errors
/// A fault if it is missing, or if its value cannot be a credential.
pub fn login(connection: &Connection, secrets: &BTreeMap<String, SecretString>) -> Result<Login, Fault> {
    let field = if connection.client_id.is_some() { CLIENT_FIELD } else { KEY_FIELD };
    let (path, secret) = address::secret(NAME, secrets, field)?;
    match &connection.client_id {
        Some(client) => Login::client(&path, client, connection.audience.as_deref(), secret),
        None => Login::key(&path, secret),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn block(more: &Value) -> Value {
        let mut block = json!({"url": "https://cloudapi.zenml.io", "organization": "acme"});
        for (field, value) in more.as_object().expect("an object") {
            block[field] = value.clone();
        }
        block
    }

    #[test]
    fn the_prefix_is_kept_and_the_origin_is_only_the_host() {
        let block = block(&json!({"url": "https://Zenml.example.com:8443/pro/api/v1/"}));
        assert_eq!(connection(&block).expect("a connection").url.path(), "/pro/api/v1/");
        assert_eq!(origin(&block).expect("a URL").as_str(), "https://zenml.example.com:8443/");
    }

    #[test]
    fn an_insecure_or_invalid_block_is_a_fault() {
        for (more, field) in [
            (json!({"url": "http://zenml.example.com"}), URL_FIELD),
            (json!({"url": "ftp://zenml.example.com", "allowInsecure": true}), URL_FIELD),
            (json!({"url": "zenml.example.com"}), URL_FIELD),
            (json!({"url": "https://user:pw@zenml.example.com"}), URL_FIELD),
            (json!({"url": "https://zenml.example.com?x=1"}), URL_FIELD),
            (json!({"url": "https://zenml.example.com#x"}), URL_FIELD),
            (json!({"organization": " "}), "spec.zenml.organization"),
            (json!({"organization": ".."}), "spec.zenml.organization"),
            (json!({"organization": 4}), "spec.zenml"),
            (json!({"clientId": 4}), "spec.zenml"),
        ] {
            assert_eq!(connection(&block(&more)).expect_err("a fault").field, field, "{more}");
        }
        assert!(connection(&block(&json!({"url": "http://10.0.0.1:8080", "allowInsecure": true}))).is_ok());
    }

    #[test]
    fn the_block_decides_which_credential_is_needed() {
        let with = |field: &str| BTreeMap::from([(field.to_owned(), SecretString::from("ZENPROKEY_1\n"))]);
        let logs_in = |more: Value, field: &str| {
            let connection = connection(&block(&more)).expect("a connection");
            login(&connection, &with(field)).map(drop).map_err(|fault| fault.field)
        };
        let missing = |field: &str| Err(format!("spec.zenml.credentials.{field}"));
        assert_eq!(logs_in(json!({}), KEY_FIELD), Ok(()));
        assert_eq!(logs_in(json!({"clientId": "w"}), CLIENT_FIELD), Ok(()));
        assert_eq!(logs_in(json!({}), CLIENT_FIELD), missing(KEY_FIELD));
        assert_eq!(logs_in(json!({"clientId": "w"}), KEY_FIELD), missing(CLIENT_FIELD));
    }
}
