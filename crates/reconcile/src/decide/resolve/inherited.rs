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

use super::{
    names::Surroundings,
    roles::{owner, role_name, role_without_rules},
};
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
        let id = existing_role(role, around)?;
        Some(Self { role: role.claimant(), object: role.name_any(), id, name: role_name(role) })
    }

    /// The role as grants name it.
    pub fn reference(&self, dialect: &dyn Dialect) -> RoleRef {
        RoleRef::Existing(Named::new(Level::ROLE, dialect.granted_as(&self.id), self.name.clone()))
    }

    /// Of the grants of the role, keeps those that exist exactly so and that an object manages: they can be shared without a write. If the
    /// Role is not the next owner of the role, that is none.
    pub fn keep_shared(
        self,
        desired: &mut Vec<Desired>,
        claims: &Claims,
        snapshot: &Snapshot,
        dialect: &dyn Dialect,
    ) {
        let is_next_owner = claims.is_next_owner(&self.role, Kind::Role, &self.id);
        desired.retain(|item| {
            let DesiredBody::Resolved(body) = &item.body else { return false };
            let seen = snapshot.by_key(body.kind(), &dialect.key(body));
            is_next_owner
                && seen
                    .is_some_and(|seen| seen.body.satisfies(body) && claims.is_managed(body.kind(), &seen.id))
        });
        desired.push(Desired::unresolved(None, self.problem(is_next_owner)));
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

/// The role that a Role means and does not manage, if exactly one exists.
pub fn existing_role(role: &api::Role, around: &Surroundings<'_>) -> Option<Id> {
    // Its rules do not decide which role it is.
    let desired = role_without_rules(role);
    let chosen = around.dialect.role_id(&desired, &owner(role, around));
    let mut item = Desired::new(None, Body::Role(desired));
    item.chosen = chosen;
    let DesiredBody::Resolved(body) = &item.body else { return None };
    let key = around.dialect.key(body);
    if around.snapshot.is_ambiguous(Kind::Role, &key) {
        return None;
    }
    planner::candidates(&item, &key, &[], around.snapshot).into_iter().next()
}

/// The problem of a RoleBinding whose Role manages no role yet.
pub fn waits_for_role(name: &str) -> Problem {
    Problem::new(Issue::Waiting, format!("waits for Role {name}, which is not in the back end yet"))
}

#[cfg(test)]
mod tests {
    use rolewright_backends::lenses::VENDOR;
    use rolewright_core::{
        model::{Builder, Grant, Observed},
        planner::{Claim, DesiredKeys, DesiredThing, testing},
    };

    use super::*;
    use crate::object::{ObjectKind, ObjectName, ObjectRef};

    fn claimant(uid: &str) -> Claimant {
        Claimant { created: 0, uid: uid.into() }
    }

    fn grant(subject: &str) -> Observed {
        let named = |level, id: &str| Named::new(level, Id::new(id), id);
        let role = RoleRef::Existing(named(Level::ROLE, "reader"));
        let body = Body::Grant(Grant { role, subject: named(Level::GROUP, subject), scope: None });
        Observed::new(Id::new(subject), VENDOR.dialect.key(&body), body)
    }

    /// The claim of an active object with a credential of its own.
    fn claim(namespace: &str, desired: &[&Observed], managed: &[&Observed]) -> Claim {
        let slot = |it: &Observed| (it.body.kind(), it.key.clone());
        let thing = |it: &Observed| DesiredThing {
            fingerprint: it.body.fingerprint(),
            seen: Some(it.id.clone()),
            refused: false,
        };
        Claim {
            object: ObjectRef { kind: ObjectKind::RoleBinding, name: ObjectName::new(namespace, "a") },
            backend: ObjectName::new(namespace, "backend"),
            credential: Some(namespace.into()),
            desired: desired.iter().map(|it| (slot(it), thing(it))).collect::<DesiredKeys>(),
            managed: managed.iter().map(|it| (it.body.kind(), it.key.clone(), Some(it.id.clone()))).collect(),
            taken: Box::default(),
            reach: Box::default(),
            active: true,
            is_being_deleted: false,
            is_requested: false,
            complete: None,
        }
    }

    #[test]
    fn only_managed_grants_of_a_role_to_inherit_are_kept() {
        let body = testing::role("reader", &["read"]);
        let role = Observed::new(Id::new("reader"), VENDOR.dialect.key(&body), body);
        let (managed, unmanaged, missing) = (grant("devs"), grant("ops"), grant("new"));
        let mut builder = Builder::new();
        [role.clone(), managed.clone(), unmanaged.clone()].into_iter().for_each(|seen| builder.add(seen));
        let snapshot = builder.complete();
        let mut claims = Claims::default();
        claims.set(claimant("old"), claim("team-a", &[&role], &[&role]));
        claims.set(claimant("old-binding"), claim("team-a", &[&managed], &[&managed]));
        let mut kept = |heir: Claim| {
            claims.set(claimant("new"), heir);
            let all = [&managed, &unmanaged, &missing].map(|it| Desired::new(None, it.body.clone()));
            let (object, name) = ("readers".to_owned(), "reader".to_owned());
            let inherited = InheritedRole { role: claimant("new"), object, id: role.id.clone(), name };
            let mut desired: Vec<Desired> = all.into_iter().collect();
            inherited.keep_shared(&mut desired, &claims, &snapshot, VENDOR.dialect);
            let text = |item: &Desired| match &item.body {
                DesiredBody::Resolved(body) => body.title(),
                DesiredBody::Unresolved(problem) | DesiredBody::AllUnresolved(problem, _) => {
                    problem.message.split(' ').take(2).collect::<Vec<_>>().join(" ")
                }
            };
            desired.iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(kept(claim("team-b", &[&role], &[])), ["devs as reader", "waits until"]);
        assert_eq!(kept(claim("team-b", &[], &[])), ["waits for"], "its Role takes nothing over");
    }
}
