//! Role bindings: a user has at most one on each resource (contract 4.2).

use super::tenant::{Tenant, now};
use crate::arize::rows::{
    ids::{Id, Kind},
    role_bindings::RoleBinding,
};

/// The binding of a user on a resource.
pub fn held(tenant: &Tenant, user: Id, resource: Id) -> Option<&RoleBinding> {
    tenant.role_bindings.iter().find(|binding| binding.user_id == user && binding.resource_id == resource)
}

/// Binds a user to a role on a resource. Replaces the role of an existing binding.
pub fn set(tenant: &mut Tenant, user: Id, resource: Id, role: Id) {
    match held(tenant, user, resource).map(|binding| binding.id) {
        Some(id) => {
            if let Some(binding) = tenant.role_bindings.get_mut(id) {
                binding.role_id = role;
            }
        }
        None => {
            add(tenant, user, resource, role);
        }
    }
}

/// Adds a binding. The user must not have one on the resource yet.
pub fn add(tenant: &mut Tenant, user_id: Id, resource_id: Id, role_id: Id) -> RoleBinding {
    let created_at = now();
    let id = tenant.issue(Kind::RoleBinding);
    let binding = RoleBinding { id, role_id, user_id, resource_id, created_at, updated_at: created_at };
    tenant.role_bindings.insert(binding.clone());
    binding
}
