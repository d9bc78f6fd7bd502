//! From the spec and the Secrets of a Backend to a connection, as far as anything changed since the last one.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use kube::Resource;
use rolewright_api::{Backend, Block, Reason};
use rolewright_core::model::{Fault, sha256_hex};
use rolewright_reconcile::{
    account::{BackendState, Link},
    act::Readiness,
    object::{ObjectName, ObjectRef},
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::probe::{Probe, probe};
use crate::{context::Context, kube::secrets};

/// The first wait before a Secret that cannot be used is read again.
const FIRST_SECRET_RETRY: Duration = Duration::from_secs(2);

/// The result of connecting a Backend.
pub enum Attempt {
    /// The spec and the Secrets have not changed, and nothing speaks against the connection.
    Unchanged,
    /// The connection works.
    Connected(Link),
    /// The connection does not work.
    Failed { ready: Readiness, no_credential: bool, retry_after: Duration },
}

/// Connects a Backend unless nothing changed. Returns the versions that the result was made from, too.
///
/// `known`: the versions of the present connection. `requested`: a user requests a reconcile.
pub async fn connect(
    ctx: &Arc<Context>,
    name: &ObjectName,
    backend: &Backend,
    known: &str,
    requested: bool,
) -> (Attempt, String) {
    let mut made_from = format!("{}", backend.meta().generation.unwrap_or_default());
    let failed = |ready: Readiness| Attempt::Failed {
        ready,
        no_credential: false,
        retry_after: ctx.options.secret_interval,
    };
    let Some(block) = backend.spec.block() else {
        return (failed(Readiness::new(Reason::Invalid, "the spec has no back-end block")), made_from);
    };
    let Some(vendor) = ctx.options.vendors.iter().find(|vendor| vendor.name == block.vendor) else {
        let message = format!("this operator does not know {}", block.vendor);
        return (failed(Readiness::new(Reason::Unsupported, message)), made_from);
    };
    let origin = match (vendor.origin)(&block.settings) {
        Ok(origin) => origin,
        Err(fault) => return (failed(invalid(&fault)), made_from),
    };
    let secrets = match read_secrets(ctx, name, backend, &block, &origin).await {
        Ok(secrets) => secrets,
        Err(missing) => {
            // A Secret that could not be read says nothing about the present connection.
            if missing.ready.reason == Reason::BackendError && ctx.backends.link(name).is_some() {
                return (Attempt::Unchanged, known.to_owned());
            }
            // A user who applies a Backend and its Secret together, in any order, must not wait for the next interval.
            let retry_after =
                ctx.back_off.next(&ObjectRef::backend(name), FIRST_SECRET_RETRY, ctx.options.secret_interval);
            let failed = Attempt::Failed { ready: missing.ready, no_credential: missing.gone, retry_after };
            return (failed, made_from);
        }
    };
    made_from.push_str(&secrets.versions);
    let doubted = ctx.backends.is_doubted(name);
    if made_from == known && !doubted {
        // On request an account that lacks something is probed again: it can have it now.
        if ctx.backends.link(name).is_some_and(|link| link.lacks.is_empty() || !requested) {
            return (Attempt::Unchanged, made_from);
        }
        if !requested && let Some(failed) = too_early(ctx, name) {
            return (failed, made_from);
        }
    }
    let request = Probe { ctx, name, backend, block: &block, vendor, origin: &origin, secrets };
    (probe(request).await, made_from)
}

/// The last failure again, if the next probe is not due yet.
fn too_early(ctx: &Context, name: &ObjectName) -> Option<Attempt> {
    let at = ctx.backends.next_probe(name).filter(|at| Instant::now() < *at)?;
    match ctx.backends.get(name)? {
        BackendState::NotReady { reason, message, no_credential, .. } => Some(Attempt::Failed {
            ready: Readiness { reason, message },
            no_credential,
            retry_after: at.saturating_duration_since(Instant::now()),
        }),
        BackendState::Ready(_) => None,
    }
}

/// The condition for a field that the vendor does not accept.
pub fn invalid(fault: &Fault) -> Readiness {
    let field = fault.field.trim_start_matches("spec.");
    Readiness::new(Reason::Invalid, format!("spec.{field}: {}", fault.message))
}

/// The Secrets that a Backend refers to.
pub struct Secrets {
    /// The values by the field that refers to them.
    pub values: BTreeMap<String, SecretString>,
    /// Certificates (PEM) to trust beside the public ones.
    pub ca: Option<Vec<u8>>,
    /// The resource versions of the Secrets.
    versions: String,
    /// A hash of the block and of all values.
    pub digest: String,
}

async fn read_secrets(
    ctx: &Context,
    name: &ObjectName,
    backend: &Backend,
    block: &Block,
    origin: &Url,
) -> Result<Secrets, secrets::Missing> {
    let host = host_and_port(origin);
    let mut read =
        Secrets { values: BTreeMap::new(), ca: None, versions: String::new(), digest: String::new() };
    // The other fields of the block decide what a view shows too, such as the name of the account.
    let mut all = block.settings.to_string();
    for (field, reference) in &block.secrets {
        let value = secrets::read(&ctx.client, &name.namespace, reference, Some(&host)).await?;
        read.versions.push_str(&format!(" {field}={}", value.version));
        all.push_str(&format!("\n{field}={}", value.secret.expose_secret()));
        read.values.insert((*field).to_owned(), value.secret);
    }
    if let Some(reference) = backend.spec.tls.as_ref().and_then(|tls| tls.ca_secret_ref.as_ref()) {
        let value = secrets::read(&ctx.client, &name.namespace, reference, None).await?;
        read.versions.push_str(&format!(" ca={}", value.version));
        all.push_str(&format!("\nca={}", value.secret.expose_secret()));
        read.ca = Some(value.secret.expose_secret().as_bytes().to_vec());
    }
    read.digest = sha256_hex(all.as_bytes());
    Ok(read)
}

/// The host as the Secret must name it: with the port where it is not the default of the scheme.
fn host_and_port(origin: &Url) -> String {
    let host = origin.host_str().unwrap_or_default();
    origin.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
