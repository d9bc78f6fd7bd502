//! The `spec.lenses` block: the address of HQ, the credential, and who decides on the members of groups (contract 1.1, 1.2, 3.8).

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::ids;
use crate::{address, budget::Limits, http::Credential};
use rolewright_core::model::Fault;

/// The name of the vendor's block in a Backend.
pub const NAME: &str = "lenses";

/// No rate limits are documented (contract 1.4), and HQ is a server of the user's own.
pub const LIMITS: Limits = Limits { initial_per_second: 10, max_per_second: 50, burst: 20, concurrency: 4 };

/// The field that refers to the Secret with a service account's token.
pub const TOKEN_FIELD: &str = "tokenSecretRef";
/// The field of the URL.
pub const URL_FIELD: &str = "spec.lenses.url";
const EXPECTED: &str = "write https://<host>, with :<port> if it is not 443 and the path if HQ is served below one, and nothing after it: \
             no /api";
const EXPECTED_SCHEME: &str = "write https://<host>, with the path if HQ is served below one";
/// The field of the account's name.
pub const ACCOUNT_FIELD: &str = "spec.lenses.serviceAccount";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    url: String,
    service_account: Option<String>,
    #[serde(default)]
    membership: Membership,
    #[serde(default)]
    allow_insecure: bool,
}

/// Who decides on the members of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Membership {
    /// The callers of the API.
    #[default]
    Manual,
    /// The identity provider, at each login (contract 3.8).
    Sso,
}

/// The content of a block.
#[derive(Debug)]
pub struct Connection {
    /// The address, with the path below which HQ is served, without a slash at its end.
    url: Url,
    /// The account of the token: no call shows it (contract 1.2).
    pub account: String,
    pub membership: Membership,
}

impl Connection {
    /// The base of all paths of the API (contract 1.1).
    pub fn api(&self) -> Url {
        address::below(&self.url, "/api/v1")
    }

    /// The path below which HQ is served: empty, or with a slash at the start and none at the end.
    pub fn path(&self) -> &str {
        address::path(&self.url)
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
            "spec.lenses",
            "url and serviceAccount are strings, membership is Manual or Sso, allowInsecure is true or false",
        )
    })?;
    let account = block.service_account.filter(|name| ids::is_name(name)).ok_or_else(|| {
        let message = "must be the name of the token's service account: small letters, digits and hyphens, no hyphen first or last";
        Fault::new(ACCOUNT_FIELD, message)
    })?;
    let url = address(&block.url)?;
    address::encrypted(URL_FIELD, &url, block.allow_insecure, "credential", EXPECTED_SCHEME)?;
    Ok(Connection { url, account, membership: block.membership })
}

/// The credential in these Secrets.
///
/// # Errors
/// A fault if it is missing or invalid.
pub fn credential(secrets: &BTreeMap<String, SecretString>) -> Result<Credential, Fault> {
    let (path, secret) = address::secret(NAME, secrets, TOKEN_FIELD)?;
    Credential::bearer(&path, secret)
}

fn address(text: &str) -> Result<Url, Fault> {
    let url = address::bare(URL_FIELD, text, EXPECTED)?;
    let path = url.path().trim_end_matches('/');
    if path.ends_with("/api") || path.ends_with("/api/v1") {
        Err(Fault::new(URL_FIELD, EXPECTED))
    } else {
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with_account(mut block: Value) -> Value {
        if let Some(fields) = block.as_object_mut() {
            fields.entry("serviceAccount").or_insert_with(|| json!("rolewright"));
        }
        block
    }

    fn read(block: Value) -> Connection {
        connection(&with_account(block)).expect("a connection")
    }

    #[test]
    fn a_path_can_end_in_a_slash() {
        for (url, api, path) in [
            ("https://hq.example.com", "https://hq.example.com/api/v1", ""),
            ("https://hq.example.com/", "https://hq.example.com/api/v1", ""),
            ("https://example.com:9991/lenses", "https://example.com:9991/lenses/api/v1", "/lenses"),
            ("https://example.com/a/b//", "https://example.com/a/b/api/v1", "/a/b"),
        ] {
            let connection = read(json!({"url": url}));
            assert_eq!((connection.api().as_str(), connection.path()), (api, path));
        }
        let block = json!({"url": "https://Example.com:9991/lenses/"});
        assert_eq!(origin(&with_account(block)).expect("a URL").as_str(), "https://example.com:9991/");
    }

    #[test]
    fn membership_is_manual_by_default() {
        let membership = |block| read(block).membership;
        assert_eq!(membership(json!({"url": "https://a"})), Membership::Manual);
        assert_eq!(membership(json!({"url": "https://a", "membership": "Manual"})), Membership::Manual);
        assert_eq!(membership(json!({"url": "https://a", "membership": "Sso"})), Membership::Sso);
    }

    #[test]
    fn an_insecure_or_invalid_block_is_a_fault() {
        for (block, field) in [
            (json!({"url": "http://hq.example.com"}), URL_FIELD),
            (json!({"url": "ftp://hq.example.com", "allowInsecure": true}), URL_FIELD),
            (json!({"url": "hq.example.com:9991"}), URL_FIELD),
            (json!({"url": "https://user:pw@hq.example.com"}), URL_FIELD),
            (json!({"url": "https://hq.example.com?x=1"}), URL_FIELD),
            (json!({"url": "https://hq.example.com#x"}), URL_FIELD),
            (json!({"url": "https://hq.example.com/api/v1/"}), URL_FIELD),
            (json!({"url": ""}), URL_FIELD),
            (json!({"url": "https://a", "serviceAccount": "Not one"}), ACCOUNT_FIELD),
            (json!({"url": "https://a", "serviceAccount": null}), ACCOUNT_FIELD),
            (json!({"url": "https://a", "membership": "Scim"}), "spec.lenses"),
            (json!({}), "spec.lenses"),
        ] {
            assert_eq!(
                connection(&with_account(block.clone())).expect_err("a fault").field,
                field,
                "{block}"
            );
        }
        let plain = read(json!({"url": "http://10.0.0.1:9991", "allowInsecure": true}));
        assert_eq!(plain.api().as_str(), "http://10.0.0.1:9991/api/v1");
    }

    #[test]
    fn a_token_is_required() {
        let secrets = |field: &str| BTreeMap::from([(field.to_owned(), SecretString::from("sa_1\n"))]);
        assert_eq!(credential(&secrets(TOKEN_FIELD)).expect("a token").header(), "Bearer sa_1");
        let fault = credential(&secrets("other")).expect_err("a fault");
        assert_eq!(fault.field, "spec.lenses.credentials.tokenSecretRef");
    }
}
