//! What the engine's tests share: back ends of three kinds as far as the engine can tell them apart, short ways to say things, and a
//! world that plans can be carried out on.

#![allow(missing_docs, reason = "the names say it, and only tests read them")]

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

use super::{Adopt, Held, Issue, Origin, Others, Plan, Policy, Removal, Want, plan};
use crate::model::{
    Body, Builder, Capabilities, Change, Effect, Grant, Grants, Id, IdentityRules, Key, Kind, Level, Named,
    Observed, Proof, Restriction, Restrictions, Role, RoleNames, RoleRef, Rule, Snapshot, Verb,
};

/// What identifies a grant beside its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestDialect {
    /// A subject has one role in a scope, and a grant's role can be changed.
    OneRoleAScope,
    /// A subject has a role or not; there are no scopes.
    NoScopes,
    /// A subject has any number of roles in any scope.
    ManyRolesAScope,
    /// As [`TestDialect::NoScopes`], and resources are restricted by taking defaults away.
    ClosesDefaults,
    /// As [`TestDialect::NoScopes`], and roles cannot be renamed.
    KeepsNames,
    /// As [`TestDialect::NoScopes`], and what is there already can be made once more.
    MakesTwice,
}

const fn capabilities(
    role_names: RoleNames,
    restrictions: Restrictions,
    duplicates: &'static [Kind],
) -> Capabilities {
    let grants = Grants::Direct { levels: &[], scope_optional: false };
    Capabilities { vendor: "test", subjects: &[], levels: &[], role_names, grants, restrictions, duplicates }
}

const OBJECTS: Restrictions = Restrictions::Objects { levels: &[] };
static USUAL: Capabilities = capabilities(RoleNames::Renamable, OBJECTS, &[]);
static CLOSES_DEFAULTS: Capabilities =
    capabilities(RoleNames::Renamable, Restrictions::ClosedDefaults { levels: &[] }, &[]);
static KEEPS_NAMES: Capabilities = capabilities(RoleNames::Fixed, OBJECTS, &[]);
static MAKES_TWICE: Capabilities =
    capabilities(RoleNames::Renamable, OBJECTS, &[Kind::Role, Kind::Grant, Kind::Restriction, Kind::Group]);

impl IdentityRules for TestDialect {
    fn capabilities(&self) -> &'static Capabilities {
        match self {
            TestDialect::OneRoleAScope | TestDialect::NoScopes | TestDialect::ManyRolesAScope => &USUAL,
            TestDialect::ClosesDefaults => &CLOSES_DEFAULTS,
            TestDialect::KeepsNames => &KEEPS_NAMES,
            TestDialect::MakesTwice => &MAKES_TWICE,
        }
    }

    fn key_of_grant(&self, grant: &Grant) -> Key {
        let role = ("role", grant.role.text());
        let subject = ("subject", grant.subject.id.as_str());
        let scope = ("scope", grant.scope.as_ref().map_or("", |scope| scope.id.as_str()));
        match self {
            TestDialect::OneRoleAScope => Key::new([subject, scope]),
            TestDialect::ManyRolesAScope => Key::new([subject, scope, role]),
            _ => Key::new([subject, role]),
        }
    }
}

/// A change that no plan made: for tests of back ends.
pub fn create(id: Option<Id>, after: Body) -> Change {
    Change::Create { id, after }
}

/// The same for an update.
pub fn update(id: Id, before: Body, after: Body) -> Change {
    Change::Update { id, before, after }
}

/// The same for a removal.
pub fn delete(id: Id, before: Body) -> Change {
    Change::Delete { id, before }
}

pub fn named(level: &'static str, id: &str) -> Named {
    Named::new(Level::new(level), Id::new(id), format!("the {id}"))
}

/// A role by name that allows these actions.
pub fn role(name: &str, actions: &[&str]) -> Body {
    let rule = |action: &&str| Rule { effect: Effect::Allow, action: (*action).to_owned(), resource: None };
    Body::Role(Role {
        name: name.to_owned(),
        display_name: None,
        description: None,
        rules: actions.iter().map(rule).collect(),
        settings: BTreeMap::new(),
        unreadable: false,
    })
}

/// A grant by ids.
pub fn grant(role: &str, subject: &str, scope: Option<&str>) -> Body {
    Body::Grant(Grant {
        role: RoleRef::Existing(named("role", role)),
        subject: named("user", subject),
        scope: scope.map(|scope| named("project", scope)),
    })
}

pub fn restriction(resource: &str) -> Body {
    Body::Restriction(Restriction::new(named("project", resource)))
}

pub fn observed(dialect: TestDialect, id: &str, body: Body) -> Observed {
    Observed::new(Id::new(id), dialect.key(&body), body)
}

/// An entry for a thing that this object made as `body`; pending where there is no id.
pub fn held(dialect: TestDialect, id: Option<&str>, body: &Body, name: Option<&str>) -> Held {
    Held {
        kind: body.kind(),
        id: id.map(Id::new),
        key: dialect.key(body),
        name: name.map(str::to_owned),
        origin: Origin::Created,
        chosen: None,
        fingerprint: body.fingerprint(),
        revision: None,
        refused: false,
        unsettled: false,
        taken: None,
        others: Others::None,
    }
}

pub fn policy(dialect: &TestDialect, adopt: Adopt, removal: Removal) -> Policy<'_> {
    Policy { identity: dialect, adopt, removal }
}

/// A want of a subject that nobody else claims.
pub fn want(name: &str, body: Body) -> Want {
    Want::new(Some(name.to_owned()), body)
}

/// The plan on a world, where what is not wanted is removed.
pub fn planned(world: &World, wants: &[Want], held: &[Held], adopt: Adopt) -> Plan {
    plan(wants, &world.snapshot(), held, &policy(&world.dialect, adopt, Removal::Delete))
}

pub fn verbs(plan: &Plan) -> Vec<Verb> {
    plan.steps().iter().map(|step| step.change.verb()).collect()
}

pub fn issues(plan: &Plan) -> Vec<Issue> {
    plan.findings().iter().map(|finding| finding.issue).collect()
}

pub fn message(plan: &Plan) -> &str {
    let [finding] = plan.findings() else { panic!("not one finding: {:?}", plan.findings()) };
    &finding.message
}

/// Why a world did not make a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is one already.
    Taken,
    /// There is none of that id.
    Missing,
    /// Grants of it are left, or it is of a role that is not there.
    Dependent,
    /// It was told to.
    Whim,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    Done(Option<Box<Observed>>),
    Refused(Refusal),
    Skipped,
}

/// A back end in memory. It stops the test where a write does what no back end could, or what the plan may never ask for.
#[derive(Clone)]
pub struct World {
    pub dialect: TestDialect,
    pub things: BTreeMap<Id, Observed>,
    /// What the credential cannot see.
    pub hidden: BTreeSet<Id>,
    pub proofs: HashMap<Kind, Proof>,
    made: u32,
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
    pub fn new(dialect: TestDialect) -> Self {
        let all = [Kind::Role, Kind::Grant, Kind::Restriction].map(|kind| (kind, Proof::Everywhere));
        Self {
            dialect,
            things: BTreeMap::new(),
            hidden: BTreeSet::new(),
            proofs: HashMap::from(all),
            made: 0,
        }
    }

    pub fn with(mut self, id: &str, body: Body) -> Self {
        self.put(id, body);
        self
    }

    pub fn put(&mut self, id: &str, body: Body) {
        self.things.insert(Id::new(id), observed(self.dialect, id, body));
    }

    pub fn prove(mut self, kind: Kind, proof: Proof) -> Self {
        self.proofs.insert(kind, proof);
        self
    }

    pub fn snapshot(&self) -> Snapshot {
        self.snapshot_in(self.things.values())
    }

    /// The same view, read in another order.
    pub fn snapshot_backwards(&self) -> Snapshot {
        self.snapshot_in(self.things.values().rev())
    }

    fn snapshot_in<'a>(&self, things: impl Iterator<Item = &'a Observed>) -> Snapshot {
        let mut builder = Builder::new();
        for (kind, proof) in &self.proofs {
            builder.prove(*kind, proof.clone());
        }
        for thing in things.filter(|thing| !self.hidden.contains(&thing.id)) {
            builder.add(thing.clone());
        }
        builder.complete()
    }

    /// The things that say something of a natural key, seen or not.
    pub fn of_key(&self, kind: Kind, key: &Key) -> Vec<&Observed> {
        self.things.values().filter(|thing| thing.body.kind() == kind && thing.key == *key).collect()
    }

    /// What all things say, in an order that does not hang on their ids.
    pub fn bodies(&self) -> Vec<String> {
        let mut bodies: Vec<String> = self.things.values().map(|thing| format!("{:?}", thing.body)).collect();
        bodies.sort();
        bodies
    }

    pub fn write(&mut self, change: &Change) -> Result<Option<Observed>, Refusal> {
        match change {
            Change::Create { after, .. } => self.create(after).map(Some),
            Change::Update { id, after, .. } => self.update(id, after).map(Some),
            Change::Delete { id, .. } => self.delete(id).map(|()| None),
        }
    }

    fn create(&mut self, after: &Body) -> Result<Observed, Refusal> {
        self.depends(after)?;
        if !self.of_key(after.kind(), &self.dialect.key(after)).is_empty() {
            return Err(Refusal::Taken);
        }
        self.made += 1;
        let id = format!("made-{}", self.made);
        self.put(&id, after.clone());
        Ok(self.things[&Id::new(id)].clone())
    }

    fn update(&mut self, id: &Id, after: &Body) -> Result<Observed, Refusal> {
        self.depends(after)?;
        let Some(thing) = self.things.get(id) else { return Err(Refusal::Missing) };
        assert_eq!(thing.read_only, None, "{} is read-only and was to be updated", thing.body.title());
        if let (Body::Grant(before), Body::Grant(after)) = (&thing.body, after) {
            assert_eq!(self.dialect, TestDialect::OneRoleAScope, "only there can a grant be updated");
            assert_eq!(
                (&before.subject, &before.scope),
                (&after.subject, &after.scope),
                "only its role can change"
            );
        }
        let key = self.dialect.key(after);
        if self.of_key(after.kind(), &key).iter().any(|other| other.id != *id) {
            return Err(Refusal::Taken);
        }
        self.put(id.as_str(), after.clone());
        Ok(self.things[id].clone())
    }

    fn delete(&mut self, id: &Id) -> Result<(), Refusal> {
        let Some(thing) = self.things.get(id) else { return Err(Refusal::Missing) };
        assert_eq!(thing.read_only, None, "{} is read-only and was to be removed", thing.body.title());
        if thing.body.kind() == Kind::Role && self.grants_of(id).next().is_some() {
            return Err(Refusal::Dependent);
        }
        self.things.remove(id);
        self.hidden.remove(id);
        Ok(())
    }

    fn depends(&self, body: &Body) -> Result<(), Refusal> {
        match body {
            Body::Grant(Grant { role: RoleRef::Planned(_), .. }) => Err(Refusal::Dependent),
            _ => Ok(()),
        }
    }

    fn grants_of(&self, role: &Id) -> impl Iterator<Item = &Observed> {
        self.things.values().filter(
            move |thing| matches!(&thing.body, Body::Grant(Grant { role: RoleRef::Existing(of), .. }) if of.id == *role),
        )
    }
}

/// Carries out a plan: each step if what it depends on was done, and if `may` says so.
pub fn carry_out(world: &mut World, plan: &Plan, mut may: impl FnMut(usize, &World) -> bool) -> Vec<End> {
    let mut ends: Vec<End> = Vec::new();
    for (index, step) in plan.steps().iter().enumerate() {
        let ready = step.after.is_none_or(|after| matches!(ends[after], End::Done(_)));
        ends.push(match (ready, ready && may(index, world)) {
            (false, _) => End::Skipped,
            (true, false) => End::Refused(Refusal::Whim),
            (true, true) => {
                world.write(&step.change).map_or_else(End::Refused, |now| End::Done(now.map(Box::new)))
            }
        });
    }
    ends
}

/// What an object holds when these steps ended so and that is recorded.
pub fn recorded(plan: &Plan, ends: &[End]) -> Vec<Held> {
    let mut held: Vec<Option<Held>> = plan.held().iter().cloned().map(Some).collect();
    for (step, end) in plan.steps().iter().zip(ends) {
        match (&step.change, end) {
            (Change::Delete { .. }, End::Done(_)) => held[step.entry] = None,
            (_, End::Done(_)) if step.releases => held[step.entry] = None,
            (Change::Create { after, .. } | Change::Update { after, .. }, End::Done(Some(now))) => {
                let entry = held[step.entry].as_mut().expect("an entry has one step");
                entry.id = Some(now.id.clone());
                entry.key = now.key.clone();
                entry.fingerprint = after.fingerprint();
            }
            (Change::Create { .. }, End::Refused(_)) => {
                held[step.entry].as_mut().expect("an entry has one step").refused = true;
            }
            _ => {}
        }
    }
    held.into_iter().flatten().collect()
}
