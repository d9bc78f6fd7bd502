//! Addresses and credentials as blocks of Backends write them: what is sent, and where to.

use std::collections::BTreeMap;

use secrecy::SecretString;
use url::Url;

use super::Vendor;
use rolewright_core::model::Fault;

/// Reads a URL that has a scheme, a host and maybe a port and a path, and nothing more.
///
/// # Errors
/// A fault of the field, which says what is `wanted`.
pub fn bare(field: &str, text: &str, wanted: &str) -> Result<Url, Fault> {
    let url = Url::parse(text).map_err(|_| Fault::new(field, wanted))?;
    let bare = url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if bare { Ok(url) } else { Err(Fault::new(field, wanted)) }
}

/// The scheme, host and port of a URL.
pub fn origin(mut url: Url) -> Url {
    url.set_path("");
    url
}

/// The path below which a server is served: empty, or with a slash at its beginning and none at its end.
pub fn path(url: &Url) -> &str {
    url.path().trim_end_matches('/')
}

/// The address of what lies below it.
pub fn below(url: &Url, path: &str) -> Url {
    let mut below = url.clone();
    below.set_path(&format!("{}{path}", self::path(url)));
    below
}

/// The Secret that a block's `credentials.<field>` refers to, and the whole name of that field.
///
/// # Errors
/// A fault of the field, when it refers to none.
pub fn secret<'a>(
    vendor: &Vendor,
    secrets: &'a BTreeMap<String, SecretString>,
    field: &str,
) -> Result<(String, &'a SecretString), Fault> {
    let path = format!("spec.{}.credentials.{field}", vendor.name);
    match secrets.get(field) {
        Some(secret) => Ok((path, secret)),
        None => Err(Fault::new(path, "refers to no Secret")),
    }
}

/// Checks that what opens the account, a `key` or a `credential`, does not travel in clear text unless somebody has said so.
///
/// # Errors
/// A fault of the field, which says what is `wanted` in the place of another scheme.
pub fn encrypted(
    field: &str,
    url: &Url,
    allow_insecure: bool,
    secret: &str,
    wanted: &str,
) -> Result<(), Fault> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if allow_insecure => Ok(()),
        "http" => {
            let message =
                format!("the {secret} would travel unencrypted: write https, or set allowInsecure: true");
            Err(Fault::new(field, message))
        }
        _ => Err(Fault::new(field, wanted)),
    }
}
