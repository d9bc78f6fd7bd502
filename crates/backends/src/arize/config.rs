//! The `spec.arize` block: the address of the API and its credential (contract 1.1).

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::{address, budget::Limits, http::Credential};
use rolewright_core::model::Fault;

/// The name of the vendor's block in a Backend.
pub const NAME: &str = "arize";

/// The contract has no numbers (contract 1.3). It recommends the limits of another API of the same server, 300 writes per minute, as the
/// start. Every endpoint can answer 429 with `Retry-After`, so a higher rate can be tried.
pub const LIMITS: Limits = Limits { initial_per_second: 5, max_per_second: 25, burst: 10, concurrency: 8 };

/// The field that refers to the Secret with the API key.
pub const KEY_FIELD: &str = "apiKeySecretRef";
/// The field of the URL.
pub const URL_FIELD: &str = "spec.arize.url";

const PUBLIC: &str = "https://api.arize.com";
/// The short names of regions in the SDKs (contract 1.1).
const ALIASES: [(&str, &str); 3] = [("US", "us-east-1b"), ("EU", "eu-west-1a"), ("CA", "ca-central-1a")];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Block {
    region: Option<String>,
    url: Option<String>,
    base_domain: Option<String>,
    #[serde(default)]
    allow_insecure: bool,
}

/// The scheme, host and port that calls go to.
///
/// # Errors
/// A fault of the field that is not a valid URL.
pub fn origin(block: &Value) -> Result<Url, Fault> {
    let block: Block = serde_json::from_value(block.clone()).map_err(|_| {
        Fault::new("spec.arize", "region, url and baseDomain are strings, allowInsecure is true or false")
    })?;
    match (&block.region, &block.url, &block.base_domain) {
        (None, None, None) => below("spec.arize", PUBLIC),
        (Some(region), None, None) => of_region(region),
        (None, Some(url), None) => of_url(url, block.allow_insecure),
        (None, None, Some(domain)) => of_domain(domain),
        _ => Err(Fault::new(
            "spec.arize",
            "set one of region, url and baseDomain, or none for https://api.arize.com",
        )),
    }
}

/// The API key in these Secrets.
///
/// # Errors
/// A fault if there is none, or if its value cannot be an API key.
pub fn credential(secrets: &BTreeMap<String, SecretString>) -> Result<Credential, Fault> {
    let (field, secret) = address::secret(NAME, secrets, KEY_FIELD)?;
    Credential::bearer(&field, secret)
}

fn of_region(region: &str) -> Result<Url, Fault> {
    let field = "spec.arize.region";
    let alias = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(region));
    let region = alias.map_or(region, |(_, region)| region);
    if !is_label(region) {
        return Err(Fault::new(
            field,
            "write a region as Arize spells it, such as eu-west-1a, or one of US, EU, CA",
        ));
    }
    below(field, &format!("https://api.{region}.arize.com"))
}

fn of_domain(domain: &str) -> Result<Url, Fault> {
    let field = "spec.arize.baseDomain";
    if !domain.split('.').all(is_label) {
        return Err(Fault::new(
            field,
            "write the domain of which the API is api.<domain>, in lower case, such as arize.example.com",
        ));
    }
    below(field, &format!("https://api.{domain}"))
}

fn of_url(text: &str, allow_insecure: bool) -> Result<Url, Fault> {
    let url = below(URL_FIELD, text)?;
    let expected = "write https://<host>, with :<port> if it is not 443";
    address::encrypted(URL_FIELD, &url, allow_insecure, "API key", expected).map(|()| url)
}

/// A URL with a scheme, a host and a port and nothing else: all paths start with `/v2` (contract 1.1).
fn below(field: &str, text: &str) -> Result<Url, Fault> {
    let expected = "write https://<host>, with :<port> if it is not 443, and nothing after it";
    let url = address::bare(field, text, expected)?;
    if url.path() == "/" { Ok(url) } else { Err(Fault::new(field, expected)) }
}

/// One label of a host name (RFC 1123 2.1).
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn origin_of(block: Value) -> Result<String, String> {
        origin(&block).map(|url| url.to_string()).map_err(|fault| fault.field)
    }

    #[test]
    fn a_block_has_one_origin() {
        for (block, url) in [
            (json!({}), "https://api.arize.com/"),
            (json!({"region": "EU"}), "https://api.eu-west-1a.arize.com/"),
            (json!({"region": "us"}), "https://api.us-east-1b.arize.com/"),
            (json!({"region": "CA"}), "https://api.ca-central-1a.arize.com/"),
            (json!({"region": "ap-south-2c"}), "https://api.ap-south-2c.arize.com/"),
            (json!({"baseDomain": "arize.example.com"}), "https://api.arize.example.com/"),
            (json!({"url": "https://arize.example.com:8443"}), "https://arize.example.com:8443/"),
            (json!({"url": "https://ARIZE.example.com/"}), "https://arize.example.com/"),
            (json!({"url": "http://10.0.0.1:8080", "allowInsecure": true}), "http://10.0.0.1:8080/"),
            (json!({"credentials": {KEY_FIELD: {"name": "arize"}}}), "https://api.arize.com/"),
        ] {
            assert_eq!(origin_of(block.clone()).as_deref(), Ok(url), "{block}");
        }
    }

    #[test]
    fn a_block_that_could_leak_the_api_key_is_a_fault() {
        for (block, field) in [
            (json!({"region": "evil.example.com/"}), "spec.arize.region"),
            (json!({"region": "Us-East-1b"}), "spec.arize.region"),
            (json!({"region": ""}), "spec.arize.region"),
            (json!({"baseDomain": "a@b"}), "spec.arize.baseDomain"),
            (json!({"baseDomain": "example.com/x"}), "spec.arize.baseDomain"),
            (json!({"baseDomain": "example..com"}), "spec.arize.baseDomain"),
            (json!({"url": "http://arize.example.com"}), URL_FIELD),
            (json!({"url": "ftp://arize.example.com"}), URL_FIELD),
            (json!({"url": "arize.example.com:8443"}), URL_FIELD),
            (json!({"url": "https://user:pw@arize.example.com"}), URL_FIELD),
            (json!({"url": "https://arize.example.com/v2"}), URL_FIELD),
            (json!({"url": "https://arize.example.com?x=1"}), URL_FIELD),
            (json!({"url": ""}), URL_FIELD),
            (json!({"region": "EU", "url": "https://arize.example.com"}), "spec.arize"),
            (json!({"region": 4}), "spec.arize"),
        ] {
            assert_eq!(origin_of(block.clone()), Err(field.to_owned()), "{block}");
        }
    }

    #[test]
    fn an_api_key_is_required() {
        let fault = credential(&BTreeMap::new()).expect_err("a fault");
        assert_eq!(fault.field, "spec.arize.credentials.apiKeySecretRef");
        let secrets = BTreeMap::from([(KEY_FIELD.to_owned(), "ak-1\n".into())]);
        assert!(credential(&secrets).is_ok());
    }
}
