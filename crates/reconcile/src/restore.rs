//! What a restored object needs beside its spec: a backup has no status, and the back end does not show all of what the status recorded.
//! The operator keeps it in an annotation of the object.
//!
//! Users can edit annotations. So this one never makes an object change or delete anything: it counts while the status records nothing,
//! for the thing that it names, in the account that it names, and only to adopt what already equals the spec.

use std::collections::BTreeMap;

use rolewright_api::annotations;
use rolewright_core::{
    model::{Body, Dialect, Id, Kind, Snapshot},
    planner::{Desired, DesiredBody, Plan},
};
use serde::{Deserialize, Serialize};

use crate::object::ManagedObject;

/// A longer annotation is neither written nor read.
const MAX_BYTES: usize = 4096;

/// The content of the annotation.
#[derive(Deserialize, Serialize)]
struct Kept {
    /// The account, so that a copy for another account does not count.
    account: String,
    /// The id of the external thing.
    id: String,
    /// The default permissions that were taken from it.
    taken: BTreeMap<String, String>,
}

/// The annotation to write on an object in sync. None if it has this annotation, or needs none.
pub fn to_keep<K: ManagedObject>(object: &K, plan: &Plan, account: &str) -> Option<String> {
    if object.is_being_deleted() || !plan.is_empty() || !plan.findings().is_empty() {
        return None;
    }
    let kept = plan.held().iter().find_map(|held| {
        let taken = held.taken.clone().filter(|taken| held.kind == Kind::Restriction && !taken.is_empty())?;
        Some(Kept { account: account.to_owned(), id: held.id()?.to_string(), taken })
    })?;
    let text = serde_json::to_string(&kept).expect("it has string keys only");
    (text.len() <= MAX_BYTES && annotation(object) != Some(&text)).then_some(text)
}

/// Completes a desired thing by what the annotation keeps of it, for an object whose status records nothing.
pub fn recall<K: ManagedObject>(
    object: &K,
    item: &mut Desired,
    account: &str,
    snapshot: &Snapshot,
    dialect: &dyn Dialect,
) {
    let Some(kept) = annotation(object).filter(|text| text.len() <= MAX_BYTES) else { return };
    let Ok(kept) = serde_json::from_str::<Kept>(kept) else { return };
    let DesiredBody::Resolved(Body::Restriction(restriction)) = &item.body else { return };
    let id = Id::new(&kept.id);
    let seen = snapshot.by_id(Kind::Restriction, &id).filter(|_| kept.account == account);
    if restriction.resource.id == id && seen.is_some_and(|seen| !seen.body.is_open()) {
        let is_restorable =
            |(whose, permission): &(String, String)| dialect.is_initial_default(&id, whose, permission);
        item.inherited = Some(kept.taken.into_iter().filter(is_restorable).collect());
    }
}

fn annotation<K: ManagedObject>(object: &K) -> Option<&String> {
    object.meta().annotations.as_ref()?.get(annotations::RESTORE)
}
