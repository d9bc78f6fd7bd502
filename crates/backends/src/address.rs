//! URLs and credentials in the blocks of Backends: where calls go, and what they carry.

use std::collections::BTreeMap;

use secrecy::SecretString;
use url::Url;

use rolewright_core::model::Fault;

/// Parses a URL with a scheme, a host, optionally a port and a path, and nothing else.
///
/// # Errors
/// A fault of the field with the message `expected`.
pub fn bare(field: &str, text: &str, expected: &str) -> Result<Url, Fault> {
    let url = Url::parse(text).map_err(|_| Fault::new(field, expected))?;
    let bare = url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if bare { Ok(url) } else { Err(Fault::new(field, expected)) }
}

/// The scheme, host and port of a URL.
pub fn origin(mut url: Url) -> Url {
    url.set_path("");
    url
}

/// The path of a URL: empty, or with a slash at the start and none at the end.
pub fn path(url: &Url) -> &str {
    url.path().trim_end_matches('/')
}

/// The URL of a path below another URL.
pub fn below(url: &Url, path: &str) -> Url {
    let mut below = url.clone();
    below.set_path(&format!("{}{path}", self::path(url)));
    below
}

/// The Secret that `credentials.<field>` of a block refers to, and the full path of that field.
///
/// # Errors
/// A fault of the field if it refers to none.
pub fn secret<'a>(
    vendor: &str,
    secrets: &'a BTreeMap<String, SecretString>,
    field: &str,
) -> Result<(String, &'a SecretString), Fault> {
    let path = format!("spec.{vendor}.credentials.{field}");
    match secrets.get(field) {
        Some(secret) => Ok((path, secret)),
        None => Err(Fault::new(path, "refers to no Secret")),
    }
}

/// Checks that the credential is not sent in clear text unless the block allows it. `secret` is the word for it in the message.
///
/// # Errors
/// A fault of the field; for a scheme that is not HTTP, with the message `expected`.
pub fn encrypted(
    field: &str,
    url: &Url,
    allow_insecure: bool,
    secret: &str,
    expected: &str,
) -> Result<(), Fault> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if allow_insecure => Ok(()),
        "http" => {
            let message =
                format!("the {secret} would travel unencrypted: write https, or set allowInsecure: true");
            Err(Fault::new(field, message))
        }
        _ => Err(Fault::new(field, expected)),
    }
}
