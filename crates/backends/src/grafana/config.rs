//! The `spec.grafana` block: the address of the API, the organization and the credential (contract 1.1 to 1.3).

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::{address, budget::Limits, http::Credential};
use rolewright_core::model::Fault;

/// The name of the vendor's block in a Backend.
pub const NAME: &str = "grafana";

/// The contract has no limit of this API; users report 429s of Grafana Cloud and slow reads of permissions (contract 5). Few calls at the
/// same time, because concurrent writes of permissions fail on some servers (contract 5).
pub const LIMITS: Limits = Limits { initial_per_second: 10, max_per_second: 50, burst: 20, concurrency: 4 };

/// The field that refers to the Secret with a service account's token.
pub const TOKEN_FIELD: &str = "tokenSecretRef";
/// The field that refers to the Secret with a user's password.
pub const PASSWORD_FIELD: &str = "passwordSecretRef";
/// The field of the URL.
pub const URL_FIELD: &str = "spec.grafana.url";
const EXPECTED: &str = "write https://<host>, with :<port> if it is not 443 and the path if Grafana is served below one, and nothing \
             after it";
const EXPECTED_SCHEME: &str = "write https://<host>, with the path if Grafana is served below one";

/// The organization of a user if the block names none (contract 1.2).
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

/// The content of a block.
#[derive(Debug)]
pub struct Connection {
    /// The address, with the path below which Grafana is served, without a slash at its end.
    url: Url,
    org_id: Option<i64>,
    /// The user of the password. None if the credential is a token.
    pub username: Option<String>,
}

impl Connection {
    /// The base of all paths of the API (contract 1.3).
    pub fn api(&self) -> Url {
        address::below(&self.url, "/api")
    }

    /// The path below which Grafana is served: empty, or with a slash at the start and none at the end.
    pub fn path(&self) -> &str {
        address::path(&self.url)
    }

    /// The organization that every call names. None for that of the token (contract 1.2).
    pub fn organization(&self) -> Option<i64> {
        self.org_id.or(self.username.as_ref().map(|_| FIRST_ORGANIZATION))
    }
}

/// The scheme, host and port that calls go to.
///
/// # Errors
/// A fault of the field that is not a valid URL.
pub fn origin(block: &Value) -> Result<Url, Fault> {
    Ok(address::origin(connection(block)?.url))
}

/// Decodes a block.
///
/// # Errors
/// A fault of the invalid field.
pub fn connection(block: &Value) -> Result<Connection, Fault> {
    let block: Block = serde_json::from_value(block.clone()).map_err(|_| {
        Fault::new(
            "spec.grafana",
            "url and username are strings, orgId is a number, allowInsecure is true or false",
        )
    })?;
    if block.org_id.is_some_and(|id| id < 1) {
        return Err(Fault::new("spec.grafana.orgId", "organizations are numbered from 1"));
    }
    let url = address::bare(URL_FIELD, &block.url, EXPECTED)?;
    address::encrypted(URL_FIELD, &url, block.allow_insecure, "credential", EXPECTED_SCHEME)?;
    Ok(Connection { url, org_id: block.org_id, username: block.username })
}

/// The credential in these Secrets: the kind that the block needs.
///
/// # Errors
/// A fault if it is missing or invalid.
pub fn credential(
    connection: &Connection,
    secrets: &BTreeMap<String, SecretString>,
) -> Result<Credential, Fault> {
    let field = if connection.username.is_some() { PASSWORD_FIELD } else { TOKEN_FIELD };
    let (path, secret) = address::secret(NAME, secrets, field)?;
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
    fn a_path_can_end_in_a_slash() {
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
    fn the_default_organization_of_a_user_is_the_first() {
        let organization = |block| read(block).organization();
        assert_eq!(organization(json!({"url": "https://a"})), None);
        assert_eq!(organization(json!({"url": "https://a", "orgId": 7})), Some(7));
        assert_eq!(organization(json!({"url": "https://a", "username": "admin"})), Some(1));
        assert_eq!(organization(json!({"url": "https://a", "username": "admin", "orgId": 7})), Some(7));
    }

    #[test]
    fn an_insecure_or_invalid_block_is_a_fault() {
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
    fn a_token_and_a_password_do_not_replace_each_other() {
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
