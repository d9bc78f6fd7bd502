//! From the spec and the Secrets of a Backend to a connection, as far as anything changed since the last one.

use std::{sync::Arc, time::Duration};

use rolewright_api::{AnyBackend, Reason};
use rolewright_reconcile::{
    account::BackendState,
    decide,
    object::{ObjectName, ObjectRef},
    readiness::Readiness,
};
use tokio::time::Instant;

use super::{
    attempt::{Attempt, invalid},
    credential::read_secrets,
    probe::{Probe, probe},
};
use crate::context::{Context, is_made_from, spec_version};

/// The first wait before a Secret that cannot be used is read again.
const FIRST_SECRET_RETRY: Duration = Duration::from_secs(2);

/// Connects a Backend unless nothing changed. Returns the versions that the result was made from, too.
///
/// `known`: the versions of the present connection. `requested`: a user requests a reconcile.
pub async fn connect(
    ctx: &Arc<Context>,
    name: &ObjectName,
    backend: &AnyBackend,
    known: &str,
    requested: bool,
) -> (Attempt, String) {
    let mut made_from = spec_version(backend);
    let failed = |ready: Readiness| Attempt::Failed {
        ready,
        no_credential: false,
        retry_after: ctx.options.secret_interval,
    };
    let Some(block) = backend.spec.block() else {
        return (failed(Readiness::new(Reason::Invalid, "the spec has no back-end block")), made_from);
    };
    if let Err(fault) = backend.terms.as_ref().map_or(Ok(()), decide::check_terms) {
        return (failed(invalid(&fault)), made_from);
    }
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
            // A Secret that could not be read says nothing about the present connection. But the terms of a ClusterBackend count only for
            // the connection that its spec describes.
            let is_connected = ctx.backends.link(name).is_some()
                && (!name.is_of_cluster() || is_made_from(known, &made_from));
            if missing.ready.reason == Reason::BackendError && is_connected {
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
