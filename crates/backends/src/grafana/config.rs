//! The `spec.grafana` block: where the API is, which organization is meant, and what it is called with (contract 1).

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::{address, http::Credential};
use rolewright_core::model::Fault;

/// The field that refers to the Secret with a service account's token.
pub const TOKEN_FIELD: &str = "tokenSecretRef";
/// The field that refers to the Secret with a user's password.
pub const PASSWORD_FIELD: &str = "passwordSecretRef";
/// The field of the URL, for faults.
pub const URL_FIELD: &str = "spec.grafana.url";
const WANTED: &str = "write https://<host>, with :<port> where it is not 443 and the path where Grafana is served below one, and \
             nothing after it";
const OTHER_SCHEME: &str = "write https://<host>, with the path where Grafana is served below one";

/// The organization of a user who names none (contract 1.2).
const FIRST_ORGANIZATION: i64 = 1;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    url: String,
    org_id: Option<i64>,
    #[serde(default)]
    allow_insecure: bool,
    username: Option<String>,
}

/// What a block says.
#[derive(Debug)]
pub struct Connection {
    /// The address, with the path below which Grafana is served and without a slash at its end.
    url: Url,
    org_id: Option<i64>,
    /// Who the password belongs to. None: the credential is a token.
    pub username: Option<String>,
}

impl Connection {
    /// Below which all paths of the API lie (contract 1.3).
    pub fn api(&self) -> Url {
        address::below(&self.url, "/api")
    }

    /// The path below which Grafana is served: empty, or with a slash at its beginning and none at its end.
    pub fn path(&self) -> &str {
        address::path(&self.url)
    }

    /// The organization that every call names. None: the token's own (contract 1.2).
    pub fn organization(&self) -> Option<i64> {
        self.org_id.or(self.username.as_ref().map(|_| FIRST_ORGANIZATION))
    }
}

/// Scheme, host and port that calls go to.
///
/// # Errors
/// A fault of the field that does not make a URL.
pub fn origin(block: &Value) -> Result<Url, Fault> {
    Ok(address::origin(connection(block)?.url))
}

/// Reads a block.
///
/// # Errors
/// A fault of the field that makes no sense.
pub fn connection(block: &Value) -> Result<Connection, Fault> {
    let block: Block = serde_json::from_value(block.clone()).map_err(|_| {
        Fault::new(
            "spec.grafana",
            "url and username are texts, orgId is a number, allowInsecure is true or false",
        )
    })?;
    if block.org_id.is_some_and(|id| id < 1) {
        return Err(Fault::new("spec.grafana.orgId", "organizations are numbered from 1"));
    }
    let url = address::bare(URL_FIELD, &block.url, WANTED)?;
    address::encrypted(URL_FIELD, &url, block.allow_insecure, "credential", OTHER_SCHEME)?;
    Ok(Connection { url, org_id: block.org_id, username: block.username })
}

/// The credential of these Secrets: the one that the block asks for.
///
/// # Errors
/// A fault when it is not there, or its value cannot be one.
pub fn credential(
    connection: &Connection,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Credential, Fault> {
    let field = if connection.username.is_some() { PASSWORD_FIELD } else { TOKEN_FIELD };
    let (path, secret) = address::secret(&super::VENDOR, secrets, field)?;
    match &connection.username {
        Some(username) => Credential::basic(&path, username, secret),
        None => Credential::bearer(&path, secret),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(block: Value) -> Connection {
        connection(&block).expect("a connection")
    }

    fn faulty(block: Value) -> String {
        connection(&block).expect_err("a fault").field
    }

    #[test]
    fn a_path_is_kept_with_and_without_a_slash_at_its_end() {
        for (url, api, path) in [
            ("https://grafana.example.com", "https://grafana.example.com/api", ""),
            ("https://grafana.example.com/", "https://grafana.example.com/api", ""),
            ("https://example.com:3000/grafana", "https://example.com:3000/grafana/api", "/grafana"),
            ("https://example.com:3000/grafana/", "https://example.com:3000/grafana/api", "/grafana"),
            ("https://example.com/a/b//", "https://example.com/a/b/api", "/a/b"),
        ] {
            let connection = read(json!({"url": url}));
            assert_eq!((connection.api().as_str(), connection.path()), (api, path));
        }
    }

    #[test]
    fn the_origin_is_the_host_alone() {
        let block = json!({"url": "https://Example.com:3000/grafana/", "orgId": 4});
        assert_eq!(origin(&block).expect("a URL").as_str(), "https://example.com:3000/");
    }

    #[test]
    fn an_organization_is_named_by_the_block_or_for_a_user_the_first() {
        let organization = |block| read(block).organization();
        assert_eq!(organization(json!({"url": "https://a"})), None);
        assert_eq!(organization(json!({"url": "https://a", "orgId": 7})), Some(7));
        assert_eq!(organization(json!({"url": "https://a", "username": "admin"})), Some(1));
        assert_eq!(organization(json!({"url": "https://a", "username": "admin", "orgId": 7})), Some(7));
    }

    #[test]
    fn a_block_that_could_show_the_credential_or_makes_no_sense_is_a_fault() {
        for (block, field) in [
            (json!({"url": "http://grafana.example.com"}), URL_FIELD),
            (json!({"url": "ftp://grafana.example.com", "allowInsecure": true}), URL_FIELD),
            (json!({"url": "grafana.example.com:3000"}), URL_FIELD),
            (json!({"url": "https://user:pw@grafana.example.com"}), URL_FIELD),
            (json!({"url": "https://grafana.example.com?orgId=1"}), URL_FIELD),
            (json!({"url": "https://grafana.example.com#x"}), URL_FIELD),
            (json!({"url": ""}), URL_FIELD),
            (json!({"url": "https://a", "orgId": 0}), "spec.grafana.orgId"),
            (json!({"url": "https://a", "orgId": "1"}), "spec.grafana"),
            (json!({}), "spec.grafana"),
        ] {
            assert_eq!(faulty(block.clone()), field, "{block}");
        }
        assert_eq!(
            read(json!({"url": "http://10.0.0.1:3000", "allowInsecure": true})).api().as_str(),
            "http://10.0.0.1:3000/api"
        );
    }

    #[test]
    fn a_token_or_a_users_password_is_needed_and_never_the_other() {
        let token = read(json!({"url": "https://a"}));
        let user = read(json!({"url": "https://a", "username": "admin"}));
        let with = |field: &str| BTreeMap::from([(field.to_owned(), SecretString::from("glsa_1\n"))]);
        let header = |connection: &Connection, field: &str| {
            credential(connection, &with(field)).map(|it| it.header()).map_err(|fault| fault.field)
        };
        assert_eq!(header(&token, TOKEN_FIELD).expect("a token"), "Bearer glsa_1");
        assert_eq!(header(&user, PASSWORD_FIELD).expect("a password"), "Basic YWRtaW46Z2xzYV8x");
        let field = |name: &str| Err(format!("spec.grafana.credentials.{name}"));
        assert_eq!(header(&token, PASSWORD_FIELD), field(TOKEN_FIELD));
        assert_eq!(header(&user, TOKEN_FIELD), field(PASSWORD_FIELD));
    }
}
