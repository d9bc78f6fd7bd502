//! From a spec to the desired state: names become ids by the directory of a snapshot. Pure: a name that the directory lacks becomes a
//! look-up, which the caller makes before it resolves again.

mod binding;
mod inherited;
mod names;
mod own_role;
mod places;
mod prune;
mod recorded;
mod roles;

use std::collections::BTreeSet;

pub use self::names::{Lookup, MAX_SUGGESTIONS, Surroundings, suggestion};
use self::{
    inherited::InheritedRole,
    names::find,
    places::{Place, locate, place_levels},
    recorded::RecordedNames,
    roles::{desired_role, owner},
};
use crate::{
    account::Link,
    decide::{
        unmanaged::{Managers, Pruning},
        validity::Validity,
    },
    object::ManagedObject,
    rule_fields::{RULES, named_in},
};
use jiff::Timestamp;
use rolewright_api as api;
use rolewright_backends::Needs;
use rolewright_core::model::{Body, Dialect, Fault, Id, Kind, Reach, Restriction, Role, Snapshot};
use rolewright_core::planner::{self, Claimant, Claims, Desired, DesiredBody, Finding, Held, Issue, Problem};

/// The desired state of a spec.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The things, in the order of the spec.
    pub desired: Vec<Desired>,
    /// Names to look up. If any is found, the spec must be resolved again.
    pub lookups: BTreeSet<Lookup>,
    /// The names that the status records with their ids.
    pub names: Vec<api::ResolvedName>,
    /// The role that the grants refer to, if the Role of the RoleBinding does not manage it yet and can take it over.
    pub inherited_role: Option<InheritedRole>,
    /// The Role of the RoleBinding manages no role yet, so grants can be shown and not made.
    pub role_is_planned: bool,
    /// The role that the Role of the RoleBinding manages, if the snapshot lacks it: it must be read before grants of it are made.
    pub unseen_role: Option<Id>,
    /// A role whose rules must be read before a grant of it can be made: a ClusterBackend limits them.
    pub unjudged_role: Option<Id>,
    /// Hints about the spec, for an object in sync.
    pub remarks: Vec<String>,
    /// The role and the scope whose grants the object decides about alone.
    pub authority: Option<Authority>,
    /// What the object removes that no object manages.
    pub pruning: Option<Pruning>,
    /// What it removes now: entries of a plan.
    pub unmanaged: Vec<Held>,
    /// The subjects that do not exist yet and that the object waits for.
    pub awaited: BTreeSet<String>,
    /// Whether the spec applies now. It desires nothing otherwise.
    pub validity: Validity,
    /// The ClusterBackend does not allow the end that the spec says: the one that was recorded before counts.
    pub refuses_end: bool,
    /// It is the RoleBinding of an AccessRequest.
    pub is_requested: bool,
    /// The ClusterBackend or an AccessRequest ends grants whatever the object says: neither its pause nor its mode keeps them.
    pub is_forced: bool,
}

/// A role and a scope whose grants belong to the subjects of one RoleBinding and to nobody else.
#[derive(Clone, Debug)]
pub struct Authority {
    /// The role, as grants name it.
    pub role: Id,
    /// The scope.
    pub scope: Option<Id>,
}

impl Resolved {
    /// Keeps of the grants of an inherited role only those that can be shared without a write.
    pub fn keep_inherited(&mut self, claims: &Claims, snapshot: &Snapshot, dialect: &dyn Dialect) {
        if let Some(inherited) = self.inherited_role.take() {
            inherited.keep_shared(&mut self.desired, claims, snapshot, dialect);
        }
    }

    /// Whether a finding is only that a subject does not exist yet, and the object waits for that subject.
    pub fn awaits(&self, finding: &Finding) -> bool {
        finding.issue == Issue::NotFound
            && finding.name.as_ref().is_some_and(|name| self.awaited.contains(name))
    }

    /// Whether all that the spec desires is known. What the back end does not have, and what a ClusterBackend denies, cannot be desired.
    pub fn is_complete(&self) -> bool {
        let is_known = |item: &Desired| match &item.body {
            DesiredBody::Resolved(_) => true,
            DesiredBody::Unresolved(problem) | DesiredBody::AllUnresolved(problem, _) => {
                matches!(problem.issue, Issue::Denied | Issue::Unsupported)
            }
        };
        self.lookups.is_empty() && !self.role_is_planned && self.desired.iter().all(is_known)
    }

    /// Finds what a Prune removes now, or why that is nothing.
    pub fn find_unmanaged(
        &mut self,
        link: &Link,
        managers: Managers,
        claims: &Claims,
        claimant: &Claimant,
        snapshot: &Snapshot,
    ) {
        match self.pruning.as_ref().map(|pruning| pruning.take(link, managers, claims, claimant, snapshot)) {
            Some(Ok(unmanaged)) => self.unmanaged = unmanaged,
            Some(Err(problem)) => self.desired.push(Desired::unresolved(None, problem)),
            None => {}
        }
    }
}

/// A kind whose spec can be resolved.
pub trait Resolve: ManagedObject {
    /// Which parts of the back end the spec refers to.
    fn needs(&self, dialect: &dyn Dialect) -> Needs;

    /// The external things that the spec desires.
    fn resolve(&self, around: &Surroundings<'_>) -> Resolved;

    /// Whether the spec applies now.
    fn validity(&self, _now: Timestamp) -> Validity {
        Validity::default()
    }

    /// Whether it decides alone who has its role.
    fn is_authoritative(&self) -> bool {
        false
    }

    /// When the spec stops to apply.
    fn ends(&self) -> Option<Timestamp> {
        None
    }

    /// When time alone changes the validity.
    fn next_change(&self, _now: Timestamp) -> Option<Timestamp> {
        None
    }
}

/// What the ClusterBackend says about an object, whatever its names mean.
fn check_object<K: Resolve>(object: &K, around: &Surroundings<'_>) -> Result<(), Problem> {
    around.bounds.as_ref().map_or(Ok(()), |bounds| bounds.check_object(object))
}

fn unsupported(around: &Surroundings<'_>, kind: Kind) -> Option<Problem> {
    let all: Vec<Kind> = around.dialect.capabilities().kinds().collect();
    let why = match around.lacks.get(&kind) {
        Some(why) => why.clone(),
        None if all.contains(&kind) => return None,
        None => match around.dialect.capabilities().instead_of(kind) {
            Some(instead) => format!("{} has no {kind}s: {instead}", around.dialect.vendor()),
            None => format!("{} has no {kind}s", around.dialect.vendor()),
        },
    };
    let offered = all.iter().filter(|kind| !around.lacks.contains_key(kind));
    let offered: Vec<String> = offered.map(ToString::to_string).collect();
    Some(Problem::new(Issue::Unsupported, format!("{why}; available: {}", offered.join(", "))))
}

/// Roles, and everything that grants them.
fn of_roles(dialect: &dyn Dialect) -> BTreeSet<Kind> {
    let kinds = dialect.capabilities().kinds();
    kinds.filter(|kind| matches!(kind, Kind::Role | Kind::Grant | Kind::Group)).collect()
}

impl Resolve for api::Role {
    fn needs(&self, dialect: &dyn Dialect) -> Needs {
        // Grants are read too, because deleting a role must not delete a grant that no object manages; names, so that the message can say whose.
        let mut levels = BTreeSet::new();
        if self.is_being_deleted() {
            let capabilities = dialect.capabilities();
            let subjects = capabilities.subjects.iter().map(|kind| kind.level());
            levels.extend(subjects.chain(capabilities.grant_levels().iter().copied()));
        }
        Needs { kinds: of_roles(dialect), levels, ..Needs::default() }
    }

    fn resolve(&self, around: &Surroundings<'_>) -> Resolved {
        let problem = unsupported(around, Kind::Role)
            .or_else(|| of_another_vendor(self, around))
            .or_else(|| too_many_rules(self))
            .or_else(|| check_object(self, around).err());
        let mut remarks = Vec::new();
        let item = match problem {
            Some(problem) => Desired::unresolved(None, problem),
            None => {
                let role = desired_role(self);
                let chosen = around.dialect.role_id(&role, &owner(self, around));
                match around.dialect.check_role(role) {
                    Ok(role) => {
                        remarks.extend(unseen_resources(&role, around));
                        let mut item = Desired::new(None, Body::Role(role));
                        item.chosen = chosen;
                        match check_own_role(self, &item, around) {
                            Ok(()) => item,
                            Err(problem) => Desired::unresolved(None, problem),
                        }
                    }
                    Err(faults) => Desired::unresolved(None, Problem::of_faults(&located(faults, self))),
                }
            }
        };
        Resolved { desired: vec![item], remarks, ..Resolved::default() }
    }
}

/// What the ClusterBackend says about the role of a Role, and about an existing one that it would take over.
fn check_own_role(object: &api::Role, item: &Desired, around: &Surroundings<'_>) -> Result<(), Problem> {
    let (Some(bounds), DesiredBody::Resolved(Body::Role(role))) = (&around.bounds, &item.body) else {
        return Ok(());
    };
    let (snapshot, key) = (around.snapshot, around.dialect.key_of_role(role));
    let is_managed = |id: &Id| object.held().iter().any(|entry| entry.id.as_deref() == Some(id.as_str()));
    let existing = planner::candidates(item, &key, &[], snapshot).into_iter().filter(|id| !is_managed(id));
    let existing: Vec<Id> = existing.collect();
    bounds.check_role(role, existing.iter().filter_map(|id| snapshot.by_id(Kind::Role, id)))
}

/// A hint about single resources that the rules name and no list shows, where the snapshot has the list because another object needs it.
/// Only a hint: the credential can be too narrow to see them.
fn unseen_resources(role: &Role, around: &Surroundings<'_>) -> Option<String> {
    const MAX_LISTED: usize = 3;
    let (dialect, directory) = (around.dialect, around.snapshot.directory());
    let is_unseen = |reach: &Reach| match reach {
        Reach::One(id) => {
            dialect.level_of(id).is_some_and(|level| directory.is_listed(level))
                && directory.get(id).is_none()
        }
        Reach::All(_) => false,
    };
    let unseen = role.rules.iter().filter(|rule| dialect.reach(rule).iter().any(is_unseen));
    let scopes: BTreeSet<&str> = unseen.filter_map(|rule| rule.resource.as_deref()).collect();
    let listed: Vec<&str> = scopes.iter().take(MAX_LISTED).copied().collect();
    let more = match scopes.len() - listed.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!scopes.is_empty()).then(|| {
        format!(
            "check spec.rules: nothing visible has the scope {}{more}; it does not exist, or the credential cannot read it",
            listed.join(", ")
        )
    })
}

/// Faults of rules, with the field of the action or resource that each names.
fn located(mut faults: Vec<Fault>, object: &api::Role) -> Vec<Fault> {
    // Each rule can have a fault, and messages have only the first ones.
    const MAX_LOCATED: usize = 16;
    for fault in faults.iter_mut().filter(|fault| fault.field == RULES).take(MAX_LOCATED) {
        if let Some(named) = named_in(&object.spec.rules, &fault.message) {
            fault.field = named.field;
        }
    }
    faults
}

fn of_another_vendor(object: &api::Role, around: &Surroundings<'_>) -> Option<Problem> {
    let (vendor, _) = object.spec.settings()?;
    let here = around.dialect.vendor();
    (vendor != here).then(|| {
        Problem::new(
            Issue::Invalid,
            format!("spec.{vendor}: {} is {here}: leave it out", object.backend_title()),
        )
    })
}

/// Rules multiply when they are expanded. The schema refuses too many, but an older schema could have accepted the object.
fn too_many_rules(object: &api::Role) -> Option<Problem> {
    let is_bounded = object.spec.count_rules() <= api::MAX_EXPANDED_RULES;
    (!is_bounded).then(|| Problem::new(Issue::Invalid, format!("spec.rules: {}", api::TOO_MANY_RULES)))
}

impl Resolve for api::ResourceRestriction {
    fn needs(&self, dialect: &dyn Dialect) -> Needs {
        let levels = place_levels(&Place::of_resource(&self.spec.resource), dialect);
        let levels = levels.into_iter().collect();
        Needs { kinds: [Kind::Restriction].into(), levels, ..Needs::default() }
    }

    fn resolve(&self, around: &Surroundings<'_>) -> Resolved {
        let mut lookups = BTreeSet::new();
        let problem = unsupported(around, Kind::Restriction).or_else(|| check_object(self, around).err());
        let item = match problem {
            Some(problem) => Desired::unresolved(None, problem),
            None => {
                let admitted = around.dialect.capabilities().restriction_levels();
                let place = Place::of_resource(&self.spec.resource);
                // The resource of a spec cannot change, so `status.held` records what its names mean.
                let mut names = RecordedNames::new(&[]);
                let resource = locate(&place, "spec.resource", admitted, around, &mut lookups, &mut names);
                let allowed = resource.and_then(|resource| match &around.bounds {
                    Some(bounds) => bounds.check_scope(Some(&resource)).map(|()| resource),
                    None => Ok(resource),
                });
                match allowed {
                    Ok(resource) => Desired::new(None, Body::Restriction(Restriction::new(resource))),
                    Err(problem) => Desired::unresolved(None, problem),
                }
            }
        };
        Resolved { desired: vec![item], lookups, ..Resolved::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, collections::BTreeMap};

    use rolewright_backends::lenses::VENDOR;
    use rolewright_core::model::{Level, Snapshot};
    use serde_json::json;

    use super::*;

    #[test]
    fn spec_is_complete_when_all_that_it_can_mean_is_known() {
        let with = |issue| {
            let desired = vec![Desired::unresolved(None, Problem::new(issue, "why"))];
            Resolved { desired, ..Resolved::default() }
        };
        assert!(Resolved::default().is_complete());
        for (issue, is_complete) in [
            (Issue::Denied, true),
            (Issue::Unsupported, true),
            (Issue::NotFound, false),
            (Issue::Invalid, false),
            (Issue::Waiting, false),
        ] {
            assert_eq!(with(issue).is_complete(), is_complete, "{issue:?}");
        }
        let lookup = Lookup { level: Level::USER, name: "alice".to_owned(), parent: None };
        let not_looked_up = Resolved { lookups: [lookup].into(), ..Resolved::default() };
        assert!(!not_looked_up.is_complete());
        assert!(!Resolved { role_is_planned: true, ..Resolved::default() }.is_complete());
    }

    #[test]
    fn rules_of_an_older_schema_are_not_expanded() {
        let rule =
            json!({ "actions": vec!["kafka:ListTopics"; 512], "resources": vec!["kafka:topic:*"; 64] });
        let role: api::Role = serde_json::from_value(json!({
            "apiVersion": "rolewright.dev/v1alpha1", "kind": "Role", "metadata": {"name": "reader", "namespace": "team-a"},
            "spec": {"backendRef": {"name": "lenses"}, "rules": vec![rule; 32]},
        }))
        .expect("a Role");
        assert_eq!(role.spec.count_rules(), 1_048_576);
        let resolved = role.resolve(&Surroundings {
            dialect: VENDOR.dialect,
            snapshot: &Snapshot::default(),
            role: &|_| None,
            nearest_role: &|_| None,
            suggestions: Cell::new(MAX_SUGGESTIONS),
            account: "hq",
            lacks: &BTreeMap::new(),
            plans_only: false,
            bounds: None,
            is_exclusive: false,
            now: Timestamp::UNIX_EPOCH,
        });
        let DesiredBody::Unresolved(problem) = &resolved.desired[0].body else { panic!("expanded") };
        assert_eq!(problem.issue, Issue::Invalid);
        assert!(
            problem.message.contains("spec.rules: the rules expand to more than 10000"),
            "{}",
            problem.message
        );
    }
}
