//! The Role object that a RoleBinding names.

use std::sync::Arc;

use rolewright_api as api;
use rolewright_core::{
    model::{Absence, Id, Key, Kind, Level, Named, RoleRef},
    planner::{Issue, Problem},
};

use super::{
    inherited::{InheritedRole, existing_role, waits_for_role},
    names::Surroundings,
    recorded::RecordedNames,
    roles::role_name,
};
use crate::{
    convert::key_from_status,
    decide::named_roles::ROLE,
    object::{ManagedObject, ObjectName},
};

/// The role that the Role of a binding can take over. None if the Role manages a role, or if none exists.
pub fn inherited_role(binding: &api::RoleBinding, around: &Surroundings<'_>) -> Option<InheritedRole> {
    let role = role_object(binding, binding.spec.role_ref.name.as_deref()?, around)?;
    if role.backend() != binding.backend() { None } else { InheritedRole::of(&role, around) }
}

/// Whether the Role of a binding manages no role yet, and its plan or that of the binding is shown.
pub fn is_planned(binding: &api::RoleBinding, around: &Surroundings<'_>) -> bool {
    let role = binding.spec.role_ref.name.as_deref().and_then(|name| role_object(binding, name, around));
    let manages = |role: Arc<api::Role>| {
        role.held().iter().any(|entry| entry.kind == "Role" && entry.state == api::HeldState::Present)
    };
    role.is_some_and(|role| has_shown_plan(&role, around) && !manages(role))
}

/// The Role object that a binding names, in the namespace of the binding.
pub fn role_object(
    binding: &api::RoleBinding,
    name: &str,
    around: &Surroundings<'_>,
) -> Option<Arc<api::Role>> {
    let namespace = binding.metadata.namespace.as_deref().unwrap_or_default();
    (around.role)(&ObjectName::new(namespace, name))
}

/// The role that the Role object of a binding manages, or would create or adopt.
///
/// # Errors
/// What the binding waits for, or what is wrong with its reference.
pub fn own_role(
    binding: &api::RoleBinding,
    name: &str,
    around: &Surroundings<'_>,
    names: &mut RecordedNames<'_>,
) -> Result<RoleRef, Problem> {
    let Some(role) = role_object(binding, name, around) else {
        let namespace = binding.metadata.namespace.as_deref().unwrap_or_default();
        let near = around.suggest(|| (around.nearest_role)(&ObjectName::new(namespace, name)));
        let message = format!("{ROLE}: waits for Role {name}, which does not exist{near}");
        return Err(Problem::new(Issue::Waiting, message));
    };
    if role.backend() != binding.backend() {
        return Err(Problem::new(
            Issue::Invalid,
            format!(
                "spec.roleRef.name: Role {name} belongs to {}, this object to {}: both must name the same",
                role.backend_title(),
                binding.backend_title()
            ),
        ));
    }
    if role.is_being_deleted() && !binding.is_being_deleted() {
        return Err(Problem::new(Issue::Waiting, format!("Role {name} is being deleted: name another role")));
    }
    let external = role_name(&role);
    let managed = managed_role(&role);
    if managed.as_ref().is_some_and(|(id, key)| is_another(around, id, key)) {
        let message = format!(
            "the role that Role {name} manages was deleted, and another role has its name: see Role {name}"
        );
        return Err(Problem::new(Issue::Waiting, message));
    }
    // A role that was deleted by hand cannot be granted before its Role has created it again.
    match managed.filter(|(id, _)| !around.snapshot.is_missing(Kind::Role, id)) {
        Some((id, _)) => {
            // A Role object that was deleted and created again manages another role.
            names.set(ROLE.to_owned(), name, &id);
            let id = around.dialect.granted_as(&id);
            Ok(RoleRef::Existing(Named::new(Level::ROLE, id, external)))
        }
        None if has_shown_plan(&role, around) => {
            // What exists of its grants already would be adopted.
            Ok(match existing_role(&role, around) {
                Some(id) => {
                    RoleRef::Existing(Named::new(Level::ROLE, around.dialect.granted_as(&id), external))
                }
                None => RoleRef::Planned(external),
            })
        }
        None => Err(waits_for_role(name)),
    }
}

fn has_shown_plan(role: &api::Role, around: &Surroundings<'_>) -> bool {
    around.plans_only || role.status().is_some_and(|status| status.plan.is_some())
}

/// The id and the key of the role that a Role manages.
fn managed_role(role: &api::Role) -> Option<(Id, Key)> {
    let made = |entry: &&api::HeldEntry| entry.kind == "Role" && entry.state == api::HeldState::Present;
    let entry = role.held().iter().find(made)?;
    Some((Id::new(entry.id.clone()?), key_from_status(&entry.key)))
}

/// The role of a binding's Role, if the snapshot proves that it does not exist. Lists can be wrong, so a read must confirm it before
/// grants depend on it.
pub fn unseen_role(binding: &api::RoleBinding, around: &Surroundings<'_>) -> Option<Id> {
    let role = role_object(binding, binding.spec.role_ref.name.as_deref()?, around)?;
    let (id, key) = managed_role(&role)?;
    let (snapshot, place) = (around.snapshot, key.place());
    let is_unseen = snapshot.by_id(Kind::Role, &id).is_none()
        && !snapshot.is_missing(Kind::Role, &id)
        && snapshot.unread(Kind::Role, Some(&id), place.as_ref(), None).is_none()
        && snapshot.absence(Kind::Role, place.as_ref()) == Absence::Proven;
    is_unseen.then_some(id)
}

/// Whether another role has the place of the one with this id, which is not visible.
pub fn is_another(around: &Surroundings<'_>, id: &Id, key: &Key) -> bool {
    let seen = |id: &Id| around.snapshot.by_id(Kind::Role, id).is_some();
    let granted = around.dialect.granted_as(id);
    !seen(id) && (around.snapshot.by_key(Kind::Role, key).is_some() || granted != *id && seen(&granted))
}
