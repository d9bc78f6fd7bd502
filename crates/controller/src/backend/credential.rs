//! The Secrets that a Backend refers to.

use std::collections::BTreeMap;

use rolewright_api::{AnyBackend, Block};
use rolewright_core::model::sha256_hex;
use rolewright_reconcile::object::ObjectName;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    context::Context,
    kube::{Destination, secrets},
};

/// Their values.
pub struct Secrets {
    /// The values by the field that refers to them.
    pub values: BTreeMap<String, SecretString>,
    /// Certificates (PEM) to trust beside the public ones.
    pub ca: Option<Vec<u8>>,
    /// The resource versions of the Secrets.
    pub versions: String,
    /// A hash of the block and of all values.
    pub digest: String,
}

/// Reads all Secrets. The host of `origin` must be allowed to receive each credential.
pub async fn read_secrets(
    ctx: &Context,
    name: &ObjectName,
    backend: &AnyBackend,
    block: &Block,
    origin: &Url,
) -> Result<Secrets, secrets::Missing> {
    let destination = Destination::of(origin);
    let (namespace, destination) = match &backend.terms {
        None => (&*name.namespace, Some(destination)),
        // Its owner can read all Secrets, and names the hosts here.
        Some(terms) if terms.hosts.iter().any(|entry| destination.is_named_by(entry)) => {
            (terms.secret_namespace.as_str(), None)
        }
        Some(_) => return Err(secrets::Missing::not_a_host(&destination)),
    };
    let mut read =
        Secrets { values: BTreeMap::new(), ca: None, versions: String::new(), digest: String::new() };
    // The other fields of the block decide what a view shows too, such as the name of the account.
    let mut all = block.settings.to_string();
    for (field, reference) in &block.secrets {
        let value = secrets::read(&ctx.client, namespace, reference, destination.as_ref()).await?;
        read.versions.push_str(&format!(" {field}={}", value.version));
        all.push_str(&format!("\n{field}={}", value.secret.expose_secret()));
        read.values.insert((*field).to_owned(), value.secret);
    }
    if let Some(reference) = backend.spec.tls.as_ref().and_then(|tls| tls.ca_secret_ref.as_ref()) {
        let value = secrets::read(&ctx.client, namespace, reference, None).await?;
        read.versions.push_str(&format!(" ca={}", value.version));
        all.push_str(&format!("\nca={}", value.secret.expose_secret()));
        read.ca = Some(value.secret.expose_secret().as_bytes().to_vec());
    }
    read.digest = sha256_hex(all.as_bytes());
    Ok(read)
}
