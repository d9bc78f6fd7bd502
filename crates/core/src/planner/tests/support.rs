//! Shared parts of the planner's tests: short constructors, readers of plans, and a back end in memory that executes plans.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

pub use crate::planner::testing::*;

use crate::model::{
    Body, Builder, Change, Fingerprint, Grant, Group, Id, IdentityRules, Key, Kind, Level, Named, Observed,
    Proof, Restriction, RoleRef, Snapshot, Verb,
};
use crate::planner::{
    Adopt, Desired, Held, HeldState, Issue, OtherClaims, Plan, Policy, Problem, Removal, Standing, plan,
};

pub fn named(level: &'static str, id: &str) -> Named {
    Named::new(Level::new(level), Id::new(id), format!("the {id}"))
}

/// A grant by ids.
pub fn grant(role: &str, subject: &str, scope: Option<&str>) -> Body {
    Body::Grant(Grant {
        role: RoleRef::Existing(named("role", role)),
        subject: named("user", subject),
        scope: scope.map(|scope| named("project", scope)),
    })
}

/// A group by the ids of its roles and members.
pub fn group(roles: &[&str], members: Option<&[&str]>) -> Body {
    Body::Group(Group {
        name: "rw-readers".to_owned(),
        roles: roles.iter().map(|role| RoleRef::Existing(named("role", role))).collect(),
        members: members.map(|members| members.iter().map(|member| named("user", member)).collect()),
    })
}

pub fn restriction(resource: &str) -> Body {
    Body::Restriction(Restriction::new(named("project", resource)))
}

pub fn observed(dialect: TestDialect, id: &str, body: Body) -> Observed {
    Observed::new(Id::new(id), dialect.key(&body), body)
}

/// An entry whose create the back end refused.
pub fn refused(dialect: TestDialect, body: &Body, name: Option<&str>) -> Held {
    Held { state: HeldState::Refused { chosen: None }, ..pending(dialect, body, name) }
}

/// An entry whose create was not answered and can still be in progress.
pub fn unsettled(dialect: TestDialect, body: &Body, name: Option<&str>) -> Held {
    Held { state: HeldState::Pending { chosen: None, unsettled: true }, ..pending(dialect, body, name) }
}

/// The entry with a claim of the object `x`.
pub fn claimed(other_claims: impl FnOnce(String) -> OtherClaims, held: Held) -> Held {
    Held { other_claims: other_claims("x".to_owned()), ..held }
}

pub fn policy(dialect: &TestDialect, adopt: Adopt, removal: Removal) -> Policy<'_> {
    Policy { identity: dialect, adopt, removal }
}

/// A desired thing without a name, such as a role.
pub fn desired(body: Body) -> Desired {
    Desired::new(None, body)
}

/// A desired thing of a subject.
pub fn desired_for(name: &str, body: Body) -> Desired {
    Desired::new(Some(name.to_owned()), body)
}

pub fn unresolved(name: Option<&str>) -> Desired {
    Desired::unresolved(name.map(str::to_owned), Problem::new(Issue::NotFound, "no such name"))
}

pub fn all_unresolved(names: &[&str]) -> Desired {
    let names = names.iter().map(|name| (*name).to_owned());
    Desired::all_unresolved(names, Problem::new(Issue::NotFound, "no such name"))
}

pub fn with_standing(standing: Standing, desired: Desired) -> Desired {
    Desired { standing, ..desired }
}

/// The plan on a world, with deletion of what is no longer desired.
pub fn planned(world: &World, desired: &[Desired], held: &[Held], adopt: Adopt) -> Plan {
    plan(desired, &world.snapshot(), held, &policy(&world.dialect, adopt, Removal::Delete))
}

pub fn verbs(plan: &Plan) -> Vec<Verb> {
    plan.steps().iter().map(|step| step.change.verb()).collect()
}

pub fn issues(plan: &Plan) -> Vec<Issue> {
    plan.findings().iter().map(|finding| finding.issue).collect()
}

/// The message of the only finding.
pub fn message(plan: &Plan) -> &str {
    let [finding] = plan.findings() else { panic!("not one finding: {:?}", plan.findings()) };
    &finding.message
}

/// The id of the first entry.
pub fn first_id(plan: &Plan) -> Option<&str> {
    plan.held()[0].id().map(Id::as_str)
}

/// Why a world did not execute a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The natural key is in use.
    Taken,
    /// No thing has this id.
    Missing,
    /// Grants of the role remain, or the role of the grant does not exist.
    Dependent,
    /// The test refused the step.
    Injected,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    Done(Option<Box<Observed>>),
    Refused(Refusal),
    Skipped,
}

/// A back end in memory. It panics on a write that no plan can contain, such as the update of a read-only thing.
#[derive(Clone)]
pub struct World {
    pub dialect: TestDialect,
    pub things: BTreeMap<Id, Observed>,
    /// Things that the credential cannot read.
    pub hidden: BTreeSet<Id>,
    pub proofs: HashMap<Kind, Proof>,
    created: u32,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |(id, thing): (&Id, &Observed)| {
            let hidden = if self.hidden.contains(id) { " hidden" } else { "" };
            format!("{id}: {} {:?}{hidden}", thing.body.title(), thing.read_only)
        };
        f.debug_list().entries(self.things.iter().map(line)).finish()
    }
}

impl World {
    /// A back end without things. Absence is proven everywhere.
    pub fn new(dialect: TestDialect) -> Self {
        let all = [Kind::Role, Kind::Grant, Kind::Restriction].map(|kind| (kind, Proof::Everywhere));
        Self {
            dialect,
            things: BTreeMap::new(),
            hidden: BTreeSet::new(),
            proofs: HashMap::from(all),
            created: 0,
        }
    }

    pub fn with(mut self, id: &str, body: Body) -> Self {
        self.put(id, body);
        self
    }

    pub fn put(&mut self, id: &str, body: Body) {
        self.things.insert(Id::new(id), observed(self.dialect, id, body));
    }

    /// Marks a thing as last applied with this fingerprint.
    pub fn mark(&mut self, id: &str, applied: Fingerprint) {
        self.things.get_mut(&Id::new(id)).expect("the thing").applied = Some(applied);
    }

    pub fn prove(mut self, kind: Kind, proof: Proof) -> Self {
        self.proofs.insert(kind, proof);
        self
    }

    pub fn snapshot(&self) -> Snapshot {
        self.snapshot_of(self.things.values())
    }

    /// The same snapshot, read in another order.
    pub fn snapshot_backwards(&self) -> Snapshot {
        self.snapshot_of(self.things.values().rev())
    }

    fn snapshot_of<'a>(&self, things: impl Iterator<Item = &'a Observed>) -> Snapshot {
        let mut builder = Builder::new();
        for (kind, proof) in &self.proofs {
            builder.prove(*kind, proof.clone());
        }
        for thing in things.filter(|thing| !self.hidden.contains(&thing.id)) {
            builder.add(thing.clone());
        }
        builder.complete()
    }

    /// All things with a natural key, including hidden ones.
    pub fn with_key(&self, kind: Kind, key: &Key) -> Vec<&Observed> {
        self.things.values().filter(|thing| thing.body.kind() == kind && thing.key == *key).collect()
    }

    /// The bodies of all things, in an order that does not depend on ids.
    pub fn bodies(&self) -> Vec<String> {
        let mut bodies: Vec<String> = self.things.values().map(|thing| format!("{:?}", thing.body)).collect();
        bodies.sort();
        bodies
    }

    fn write(&mut self, change: &Change) -> Result<Option<Observed>, Refusal> {
        match change {
            Change::Create { after, .. } => self.create(after).map(Some),
            Change::Update { id, after, .. } => self.update(id, after).map(Some),
            Change::Delete { id, .. } => self.delete(id).map(|()| None),
        }
    }

    fn create(&mut self, after: &Body) -> Result<Observed, Refusal> {
        check_role_exists(after)?;
        if !self.with_key(after.kind(), &self.dialect.key(after)).is_empty() {
            return Err(Refusal::Taken);
        }
        self.created += 1;
        let id = format!("made-{}", self.created);
        self.put(&id, after.clone());
        Ok(self.things[&Id::new(id)].clone())
    }

    fn update(&mut self, id: &Id, after: &Body) -> Result<Observed, Refusal> {
        check_role_exists(after)?;
        let Some(thing) = self.things.get(id) else { return Err(Refusal::Missing) };
        assert_eq!(thing.read_only, None, "update of the read-only {}", thing.body.title());
        if let (Body::Grant(before), Body::Grant(after)) = (&thing.body, after) {
            assert_eq!(self.dialect, TestDialect::OneRoleAScope, "grants cannot be updated in this dialect");
            assert_eq!(
                (&before.subject, &before.scope),
                (&after.subject, &after.scope),
                "only the role of a grant can change"
            );
        }
        let key = self.dialect.key(after);
        if self.with_key(after.kind(), &key).iter().any(|other| other.id != *id) {
            return Err(Refusal::Taken);
        }
        self.put(id.as_str(), after.clone());
        Ok(self.things[id].clone())
    }

    fn delete(&mut self, id: &Id) -> Result<(), Refusal> {
        let Some(thing) = self.things.get(id) else { return Err(Refusal::Missing) };
        assert_eq!(thing.read_only, None, "deletion of the read-only {}", thing.body.title());
        if thing.body.kind() == Kind::Role && self.grants_of(id).next().is_some() {
            return Err(Refusal::Dependent);
        }
        self.things.remove(id);
        self.hidden.remove(id);
        Ok(())
    }

    fn grants_of(&self, role: &Id) -> impl Iterator<Item = &Observed> {
        self.things.values().filter(
            move |thing| matches!(&thing.body, Body::Grant(Grant { role: RoleRef::Existing(of), .. }) if of.id == *role),
        )
    }
}

fn check_role_exists(body: &Body) -> Result<(), Refusal> {
    match body {
        Body::Grant(Grant { role: RoleRef::Planned(_), .. }) => Err(Refusal::Dependent),
        _ => Ok(()),
    }
}

/// Executes each step of a plan if the step that it waits for succeeded, and if `may` permits it.
pub fn execute_if(world: &mut World, plan: &Plan, mut may: impl FnMut(usize, &World) -> bool) -> Vec<End> {
    let mut ends: Vec<End> = Vec::new();
    for (index, step) in plan.steps().iter().enumerate() {
        let ready = step.after.is_none_or(|after| matches!(ends[after], End::Done(_)));
        ends.push(match (ready, ready && may(index, world)) {
            (false, _) => End::Skipped,
            (true, false) => End::Refused(Refusal::Injected),
            (true, true) => {
                world.write(&step.change).map_or_else(End::Refused, |now| End::Done(now.map(Box::new)))
            }
        });
    }
    ends
}

/// Executes each step of a plan if the step that it waits for succeeded.
pub fn execute(world: &mut World, plan: &Plan) -> Vec<End> {
    execute_if(world, plan, |_, _| true)
}

/// What an object manages after these ends of its plan's steps.
pub fn recorded(plan: &Plan, ends: &[End]) -> Vec<Held> {
    plan.held_after(|index, step, held| match (&step.change, &ends[index]) {
        (Change::Delete { .. }, End::Done(_)) => None,
        (_, End::Done(_)) if step.releases => None,
        (Change::Create { after, .. } | Change::Update { after, .. }, End::Done(Some(now))) => {
            let state = HeldState::Present { id: now.id.clone(), revision: None };
            Some(Held { state, key: now.key.clone(), fingerprint: after.fingerprint(), ..held })
        }
        (Change::Create { .. }, End::Refused(_)) => {
            let chosen = held.recorded_id().cloned();
            Some(Held { state: HeldState::Refused { chosen }, ..held })
        }
        _ => Some(held),
    })
}

/// Executes a plan and returns what the object manages then.
pub fn execute_and_record(world: &mut World, plan: &Plan) -> Vec<Held> {
    let ends = execute(world, plan);
    recorded(plan, &ends)
}
