//! The removals of an account on the status of its Backends, written before the removals are made: a restart forgets none.

use kube::ResourceExt;
use rolewright_api::AnyBackend;
use rolewright_reconcile::{account::Account, object::ObjectName};
use serde_json::json;

use crate::{
    context::Context,
    kube::{
        WriteError,
        writes::{self, RolewrightResource},
    },
};

/// Writes the removals of a Backend's objects into its status. One write serves all that were reserved before it.
///
/// # Errors
/// When the API server refuses or does not answer: nothing must be removed then.
pub async fn record(ctx: &Context, account: &Account, backend: &ObjectName) -> Result<(), WriteError> {
    const TRIES: usize = 4;
    // Only removals of this account wait here, and each call has a timeout.
    let _one_at_a_time = account.recording.lock().await;
    let cache = &ctx.caches.backends;
    for _ in 0..TRIES {
        // Objects that are deleted after their Backend have no place for a record.
        let Some(object) = cache.get(backend) else { return Ok(()) };
        let removals = account.ledger.lock().records(backend);
        if object.status.as_ref().is_some_and(|status| status.removals == removals) {
            return Ok(());
        }
        let status = json!({ "removals": &removals });
        match writes::status(&ctx.client, cache, &*object, &["removals"], status).await {
            Err(WriteError::Stale) => {}
            Err(WriteError::Gone) => return Ok(()),
            written => return written.map(|_| ()),
        }
        if let Some(live) = object.api(&ctx.client).get_opt(&object.name_any()).await? {
            load(account, backend, &live);
            cache.put(live);
            if account.ledger.lock().records(backend) != removals {
                // Another process made removals: the limits are to be checked again.
                return Err(WriteError::Stale);
            }
        }
    }
    Err(WriteError::Stale)
}

/// Counts what the status of a Backend records.
pub fn load(account: &Account, name: &ObjectName, backend: &AnyBackend) {
    let recorded = backend.status.iter().flat_map(|status| &status.removals);
    account.ledger.lock().load(name, recorded);
}
