//! The Roles that a RoleBinding depends on.

use std::collections::BTreeSet;

use rolewright_api as api;

use crate::object::ManagedObject;

/// The field of a RoleBinding that names a Role, as `status.names` records it.
pub const ROLE: &str = "spec.roleRef.name";

/// The Roles that a RoleBinding can manage grants of: the one that its spec names, and the one that it named when it made its grants.
pub fn named_roles(binding: &api::RoleBinding) -> BTreeSet<&str> {
    let recorded = binding.names().iter().filter(|name| name.field == ROLE).map(|name| name.name.as_str());
    recorded.chain(binding.spec.role_ref.name.as_deref()).collect()
}
