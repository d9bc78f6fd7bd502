//! A RoleBinding whose Role waits to take over an existing role from another object, as when both move to another namespace.
//!
//! Until then such a RoleBinding creates and removes nothing. But it starts to share the grants that another object manages already, so
//! that no subject loses the role, in whatever order the old objects are deleted.

use kube::ResourceExt;
use rolewright_api as api;
use rolewright_core::{
    model::{Body, Dialect, Id, Kind, Level, Named, RoleRef, Snapshot},
    planner::{self, Claimant, Claims, Desired, DesiredBody, Issue, Problem},
};

use super::{Resolved, Surroundings, desired_role, owner, role_name};
use crate::object::ManagedObject;

/// A role that a Role can take over.
#[derive(Debug)]
pub struct InheritedRole {
    /// The Role.
    role: Claimant,
    /// The Role's name.
    object: String,
    /// The id of the role in the back end.
    id: Id,
    /// The name of the role in the back end.
    name: String,
}

impl InheritedRole {
    /// The existing role that a Role means and does not manage. None if there is none.
    pub fn of(role: &api::Role, around: &Surroundings<'_>) -> Option<Self> {
        let has_plan = role.status().is_some_and(|status| status.plan.is_some());
        let manages = role.held().iter().any(|entry| entry.state == api::HeldState::Present);
        if role.is_being_deleted() || manages || has_plan || around.plans_only {
            return None;
        }
        let desired = desired_role(role);
        let chosen = around.dialect.role_id(&desired, &owner(role, around));
        let mut item = Desired::new(None, Body::Role(desired));
        item.chosen = chosen;
        let DesiredBody::Resolved(body) = &item.body else { return None };
        let key = around.dialect.key(body);
        if around.snapshot.is_ambiguous(Kind::Role, &key) {
            return None;
        }
        let id = planner::candidates(&item, &key, &[], around.snapshot).into_iter().next()?;
        Some(Self { role: role.claimant(), object: role.name_any(), id, name: role_name(role) })
    }

    /// The role as grants name it.
    pub fn reference(&self, dialect: &dyn Dialect) -> RoleRef {
        RoleRef::Existing(Named::new(Level::ROLE, dialect.granted_as(&self.id), self.name.clone()))
    }

    fn problem(&self, is_next_owner: bool) -> Problem {
        match is_next_owner {
            true => Problem::new(
                Issue::Waiting,
                format!(
                    "waits until Role {} takes over the role {}, which another object manages. Until then grants that exist are kept, and \
                     none are made",
                    self.object, self.name
                ),
            ),
            false => waits_for_role(&self.object),
        }
    }
}

/// The problem of a RoleBinding whose Role manages no role yet.
pub fn waits_for_role(name: &str) -> Problem {
    Problem::new(Issue::Waiting, format!("waits for Role {name}, which is not in the back end yet"))
}

impl Resolved {
    /// Of the grants of an inherited role, keeps those that exist exactly so and that an object manages: they can be shared without a
    /// write. If the Role is not the next owner of the role, that is none.
    pub fn keep_inherited(&mut self, claims: &Claims, snapshot: &Snapshot, dialect: &dyn Dialect) {
        let Some(inherited) = self.inherited_role.take() else { return };
        let is_next_owner = claims.is_next_owner(&inherited.role, Kind::Role, &inherited.id);
        self.desired.retain(|item| {
            let DesiredBody::Resolved(body) = &item.body else { return false };
            let seen = snapshot.by_key(body.kind(), &dialect.key(body));
            is_next_owner
                && seen
                    .is_some_and(|seen| seen.body.satisfies(body) && claims.is_managed(body.kind(), &seen.id))
        });
        self.desired.push(Desired::unresolved(None, inherited.problem(is_next_owner)));
    }
}
