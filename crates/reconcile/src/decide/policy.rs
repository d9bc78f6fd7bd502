//! What an object and its Backend say together: mode, deletion policy, needs.

use rolewright_api::{ClusterTerms, DeletionPolicy, Mode};
use rolewright_backends::Needs;
use rolewright_core::planner;

use super::resolve::Resolve;
use crate::{
    account::Link,
    convert,
    object::{ManagedObject, ObjectKind},
};

/// The mode of an object: the stricter of its own and its Backend's.
pub fn mode<K: ManagedObject>(object: &K, of_backend: Mode) -> Mode {
    object.mode().unwrap_or_default().max(of_backend)
}

/// The mode of an object and where it is set, for a message: `mode of Backend grafana is Plan`.
pub fn whose_mode<K: ManagedObject>(object: &K, of_backend: Mode) -> String {
    let mode = mode(object, of_backend);
    match of_backend == mode {
        true => format!("mode of {} is {mode:?}", object.backend_title()),
        false => format!("spec.mode is {mode:?}"),
    }
}

/// Whether the object only shows what it would do, so that adoptions belong to its plan too.
pub fn shows_adoptions<K: ManagedObject>(object: &K, link: &Link) -> bool {
    mode(object, link.mode) == Mode::Plan || object.is_paused() || link.paused
}

/// The deletion policy of an object: its own, else its Backend's.
pub fn deletion_policy<K: ManagedObject>(object: &K, link: &Link) -> DeletionPolicy {
    own_deletion_policy(object, link.terms.as_deref()).unwrap_or(link.deletion)
}

/// The deletion policy in the spec of an object. That of a RoleBinding does not count where grants must end: it would keep them for ever.
pub fn own_deletion_policy<K: ManagedObject>(
    object: &K,
    terms: Option<&ClusterTerms>,
) -> Option<DeletionPolicy> {
    let counts = K::KIND != ObjectKind::RoleBinding || !terms.is_some_and(ClusterTerms::limits_time);
    object.deletion_policy().filter(|_| counts)
}

/// Whether RoleBindings must end.
pub fn limits_time(link: &Link) -> bool {
    link.terms.as_deref().is_some_and(ClusterTerms::limits_time)
}

/// What an object does with existing things: what its spec says, if its ClusterBackend allows it.
pub fn adopt<K: ManagedObject>(object: &K, link: &Link) -> planner::Adopt {
    let allowed = |terms: &ClusterTerms| terms.allow.as_ref().and_then(|allow| allow.adopt) == Some(true);
    match link.terms.as_deref().is_none_or(allowed) {
        true => convert::adopt(object.adopt()),
        false => planner::Adopt::Forbidden,
    }
}

/// The parts of the back end that an object refers to, as far as the account has them.
pub fn needs<K: Resolve>(object: &K, link: &Link) -> Needs {
    let mut needs = object.needs(link.view.backend.dialect());
    // A ceiling of scopes is judged on what is around a scope and inside it.
    if link.terms.as_deref().and_then(|terms| terms.ceiling.as_ref()?.scopes.as_ref()).is_some() {
        needs.levels.extend(link.view.backend.dialect().capabilities().levels);
    }
    needs.kinds.retain(|kind| !link.lacks.contains_key(kind));
    needs
}
