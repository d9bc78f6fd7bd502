//! Random cases for the properties of [`plan`](crate::planner::plan): few roles, subjects and places, so that they collide.

use std::collections::{BTreeSet, HashMap, HashSet};

use proptest::{collection::vec, prelude::*};

use super::support::{self, End, TestDialect, World, execute, pending, recorded};
use crate::model::{Absence, Body, Id, IdentityRules, Key, Kind, Proof, RoleRef};
use crate::planner::{
    Adopt, Desired, DesiredBody, Held, HeldState, Issue, OtherClaims, Plan, Problem, Removal, Standing, plan,
};

const ROLES: usize = 4;
const SUBJECTS: usize = 4;
const SCOPES: usize = 3;
const ACTIONS: [&str; 3] = ["read", "write", "delete"];

/// One entry of `held`: the thing that it was created for, and its state.
#[derive(Clone, Debug)]
pub struct ManagedThing {
    /// The name of the role, or the role of the grant.
    pub role: usize,
    pub subject: usize,
    pub scope: usize,
    /// The subject's name in the spec at that time.
    pub name: usize,
    /// As last applied: the actions of the role, or the role of the grant.
    pub applied: usize,
    pub state: State,
    pub other_claims: OtherClaims,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    /// Present, with the id of the thing that has the key now; with an unused id if no thing has it.
    Present,
    /// Present, with an unused id.
    Absent,
    Pending,
    Refused,
}

#[derive(Clone, Debug)]
pub struct Subject {
    pub subject: usize,
    /// The subject whose name the spec uses; `SUBJECTS` if the spec uses the id.
    pub name: usize,
    pub resolved: bool,
    pub standing: Standing,
}

#[derive(Clone, Debug)]
pub enum Spec {
    Role { name: usize, actions: usize, resolved: bool, standing: Standing },
    Binding { role: usize, planned: bool, scope: usize, subjects: Vec<Subject> },
    Restriction { resource: usize, resolved: bool, standing: Standing },
    Deleted(Kind),
}

#[derive(Clone, Debug)]
pub struct Case {
    pub dialect: TestDialect,
    /// Name and actions of each existing role.
    pub roles: Vec<(usize, usize)>,
    pub grants: Vec<(usize, usize, usize)>,
    pub restrictions: Vec<usize>,
    /// Whether the n-th thing is hidden, if its absence is not proven.
    pub hidden: Vec<bool>,
    /// Whether the n-th thing is read-only.
    pub read_only: Vec<bool>,
    /// Whether absence is proven everywhere, within the first places, or nowhere: for roles, and for other things.
    pub proof: (usize, usize),
    pub spec: Spec,
    pub managed: Vec<ManagedThing>,
    pub adopt: Adopt,
    pub removal: Removal,
}

/// A case as input of the planner, with the world to execute plans on.
pub struct Setting {
    pub world: World,
    pub desired: Vec<Desired>,
    pub held: Vec<Held>,
    pub dialect: TestDialect,
    pub adopt: Adopt,
    pub removal: Removal,
}

impl Setting {
    pub fn plan(&self) -> Plan {
        self.plan_on(&self.world, &self.held)
    }

    pub fn plan_on(&self, world: &World, held: &[Held]) -> Plan {
        plan(
            &self.desired,
            &world.snapshot(),
            held,
            &support::policy(&self.dialect, self.adopt, self.removal),
        )
    }

    /// The resolved items with their bodies.
    pub fn resolved(&self) -> impl Iterator<Item = (&Desired, &Body)> {
        self.desired.iter().filter_map(|item| match &item.body {
            DesiredBody::Resolved(body) => Some((item, body)),
            DesiredBody::Unresolved(_) | DesiredBody::AllUnresolved(..) => None,
        })
    }

    pub fn key(&self, body: &Body) -> (Kind, Key) {
        (body.kind(), self.dialect.key(body))
    }

    /// The managed things: by id, or for a pending entry by key and fingerprint.
    pub fn managed_things(&self) -> BTreeSet<Id> {
        let snapshot = self.world.snapshot();
        let recognized = |held: &Held| {
            let seen = snapshot.by_key(held.kind, &held.key)?;
            (!held.is_refused() && seen.body.fingerprint() == held.fingerprint).then(|| seen.id.clone())
        };
        self.held.iter().filter_map(|held| held.id().cloned().or_else(|| recognized(held))).collect()
    }

    /// Executes plan after plan until no step succeeds. Returns the last plan.
    pub fn settle(&self, world: &mut World, mut held: Vec<Held>) -> Plan {
        for _ in 0..4 {
            let plan = self.plan_on(world, &held);
            let ends = execute(world, &plan);
            held = recorded(&plan, &ends);
            if !ends.iter().any(|end| matches!(end, End::Done(_))) {
                return plan;
            }
        }
        panic!("plans do not converge");
    }
}

fn role_name(name: usize) -> String {
    format!("role-{name}")
}

fn actions(bits: usize) -> Vec<&'static str> {
    (0..ACTIONS.len()).filter(|bit| bits & 1 << bit != 0).map(|bit| ACTIONS[bit]).collect()
}

fn scope_of(dialect: TestDialect, scope: usize) -> Option<String> {
    (dialect != TestDialect::NoScopes && scope > 0).then(|| format!("place-{scope}"))
}

fn grant_body(dialect: TestDialect, role: usize, subject: usize, scope: usize) -> Body {
    let scope = scope_of(dialect, scope);
    support::grant(&format!("R{role}"), &format!("subject-{subject}"), scope.as_deref())
}

fn resource(resource: usize) -> Body {
    support::restriction(&format!("place-{resource}"))
}

fn world(case: &Case) -> World {
    let mut world = World::new(case.dialect);
    for (index, (name, bits)) in case.roles.iter().enumerate() {
        // Two roles have one name only in a back end that accepts this.
        let body = support::role(&role_name(*name), &actions(*bits));
        let taken = !world.with_key(Kind::Role, &case.dialect.key(&body)).is_empty();
        if !taken || case.dialect == TestDialect::ManyRolesAScope {
            world.put(&format!("R{index}"), body);
        }
    }
    let grants =
        case.grants.iter().map(|&(role, subject, scope)| grant_body(case.dialect, role, subject, scope));
    let others = grants.chain(case.restrictions.iter().map(|&place| resource(place)));
    for (index, body) in others.enumerate() {
        if world.with_key(body.kind(), &case.dialect.key(&body)).is_empty() {
            world.put(&format!("G{index}"), body);
        }
    }
    for (index, thing) in world.things.values_mut().enumerate() {
        thing.read_only = case.read_only[index % case.read_only.len()].then(|| "predefined".to_owned());
    }
    let within =
        |count: usize| Proof::Within((0..count).map(|place| Id::new(format!("place-{place}"))).collect());
    let proof = |level: usize| match level {
        0 => Proof::Everywhere,
        1 => within(SCOPES - 1),
        _ => Proof::Nowhere,
    };
    world.proofs = [
        (Kind::Role, proof(case.proof.0)),
        (Kind::Grant, proof(case.proof.1)),
        (Kind::Restriction, proof(case.proof.1)),
    ]
    .into();
    let snapshot = world.snapshot();
    let unproven = |body: &Body| {
        snapshot.absence(body.kind(), case.dialect.key(body).place().as_ref()) == Absence::Unproven
    };
    let hidden = world
        .things
        .values()
        .enumerate()
        .filter(|(index, thing)| case.hidden[index % case.hidden.len()] && unproven(&thing.body));
    world.hidden = hidden.map(|(_, thing)| thing.id.clone()).collect();
    world
}

/// The desired items. Items for one thing have the same standing.
fn desired(case: &Case) -> Vec<Desired> {
    let mut items = listed(case);
    let mut standings: HashMap<(Kind, Key), Standing> = HashMap::new();
    for item in &mut items {
        if let DesiredBody::Resolved(body) = &item.body {
            let standing =
                standings.entry((body.kind(), case.dialect.key(body))).or_insert(item.standing.clone());
            item.standing = standing.clone();
        }
    }
    items
}

/// The items as the spec lists them.
fn listed(case: &Case) -> Vec<Desired> {
    let item = |name: Option<String>, body: Body, resolved: bool, standing: &Standing| {
        let body = match resolved {
            true => DesiredBody::Resolved(body),
            false => DesiredBody::Unresolved(Problem::new(Issue::NotFound, "no such name")),
        };
        Desired { standing: standing.clone(), ..Desired::with_body(name, body) }
    };
    match &case.spec {
        Spec::Deleted(_) => Vec::new(),
        Spec::Role { name, actions: bits, resolved, standing } => {
            vec![item(None, support::role(&role_name(*name), &actions(*bits)), *resolved, standing)]
        }
        Spec::Restriction { resource: place, resolved, standing } => {
            vec![item(None, resource(*place), *resolved, standing)]
        }
        Spec::Binding { role, planned, scope, subjects } => {
            let each = |listed: &Subject| {
                let mut body = grant_body(case.dialect, *role, listed.subject, *scope);
                if let (true, Body::Grant(grant)) = (planned, &mut body) {
                    grant.role = RoleRef::Planned("planned".to_owned());
                }
                item(Some(subject_name(listed.name, listed.subject)), body, listed.resolved, &listed.standing)
            };
            subjects.iter().map(each).collect()
        }
    }
}

fn subject_name(name: usize, subject: usize) -> String {
    if name < SUBJECTS { format!("name-{name}") } else { format!("subject-{subject}") }
}

fn held(case: &Case, world: &World) -> Vec<Held> {
    let kind = match &case.spec {
        Spec::Role { .. } | Spec::Deleted(Kind::Role) => Kind::Role,
        Spec::Binding { .. } | Spec::Deleted(Kind::Grant) => Kind::Grant,
        Spec::Restriction { .. } | Spec::Deleted(Kind::Restriction) => Kind::Restriction,
        Spec::Deleted(Kind::Group) => unreachable!("no case has groups"),
    };
    let most = if kind == Kind::Grant { case.managed.len() } else { 1 };
    let mut seen: HashSet<Id> = HashSet::new();
    let mut held: Vec<Held> = Vec::new();
    for (index, managed) in case.managed.iter().take(most).enumerate() {
        let (body, applied) = match kind {
            Kind::Role => {
                let name = role_name(managed.role);
                (
                    support::role(&name, &actions(managed.applied)),
                    support::role(&name, &actions(managed.applied)),
                )
            }
            Kind::Grant => (
                grant_body(case.dialect, managed.role, managed.subject, managed.scope),
                grant_body(case.dialect, managed.applied % ROLES, managed.subject, managed.scope),
            ),
            Kind::Restriction => {
                // The resource of a restriction is immutable.
                let place = match &case.spec {
                    Spec::Restriction { resource, .. } => *resource,
                    _ => managed.scope,
                };
                (resource(place), resource(place))
            }
            Kind::Group => unreachable!("no case has groups"),
        };
        let key = case.dialect.key(&body);
        let existing = world.with_key(kind, &key).first().map(|thing| thing.id.clone());
        let id = match managed.state {
            State::Present => Some(existing.unwrap_or_else(|| Id::new(format!("unused-{index}")))),
            State::Absent => Some(Id::new(format!("unused-{index}"))),
            State::Pending | State::Refused => None,
        };
        if id.as_ref().is_some_and(|id| !seen.insert(id.clone())) {
            continue;
        }
        if held.iter().any(|held| held.key == key && held.is_present() == id.is_some()) {
            continue;
        }
        // Within one object, a name refers to one account at a time.
        let name = (kind == Kind::Grant).then(|| subject_name(managed.name, managed.subject));
        if held.iter().any(|held| held.name == name && held.subject() != key.get("subject")) {
            continue;
        }
        let state = match (id, managed.state) {
            (Some(id), _) => HeldState::Present { id, revision: None },
            (None, State::Refused) => HeldState::Refused { chosen: None },
            (None, _) => HeldState::Pending { chosen: None, unsettled: false },
        };
        let (fingerprint, other_claims) = (applied.fingerprint(), managed.other_claims.clone());
        held.push(Held { state, fingerprint, other_claims, name, ..pending(case.dialect, &body, None) });
    }
    held
}

pub fn setting(case: &Case) -> Setting {
    let world = world(case);
    let held = held(case, &world);
    Setting {
        desired: desired(case),
        held,
        dialect: case.dialect,
        adopt: case.adopt,
        removal: case.removal,
        world,
    }
}

fn standing() -> impl Strategy<Value = Standing> {
    let other = || "RoleBinding team-a/other".to_owned();
    prop_oneof![
        12 => Just(Standing::Free),
        1 => Just(Standing::Shared(other())),
        1 => Just(Standing::NextOwner),
        1 => Just(Standing::Blocked(other())),
        1 => Just(Standing::Waiting(other())),
    ]
}

fn other_claims() -> impl Strategy<Value = OtherClaims> {
    let other = || "RoleBinding team-a/other".to_owned();
    prop_oneof![8 => Just(OtherClaims::None), 1 => Just(OtherClaims::Shared(other())), 1 => Just(OtherClaims::Waiting(other()))]
}

fn subject() -> impl Strategy<Value = Subject> {
    let whose = 0..SUBJECTS;
    // Mostly the subject's own name; sometimes its id, or another subject's name.
    let name = prop_oneof![6 => Just(None), 1 => (0..=SUBJECTS).prop_map(Some)];
    (whose, name, prop::bool::weighted(0.85), standing()).prop_map(|(subject, name, resolved, standing)| {
        Subject { subject, name: name.unwrap_or(subject), resolved, standing }
    })
}

fn spec() -> impl Strategy<Value = Spec> {
    let resolved = || prop::bool::weighted(0.9);
    prop_oneof![
        3 => (0..ROLES, 0..8_usize, resolved(), standing())
            .prop_map(|(name, actions, resolved, standing)| Spec::Role { name, actions, resolved, standing }),
        6 => (0..ROLES, prop::bool::weighted(0.1), 0..SCOPES, vec(subject(), 0..5))
            .prop_map(|(role, planned, scope, subjects)| Spec::Binding { role, planned, scope, subjects }),
        1 => (0..SCOPES, resolved(), standing())
            .prop_map(|(resource, resolved, standing)| Spec::Restriction { resource, resolved, standing }),
        1 => prop_oneof![Just(Kind::Role), Just(Kind::Grant), Just(Kind::Restriction)].prop_map(Spec::Deleted),
    ]
}

fn managed() -> impl Strategy<Value = ManagedThing> {
    let state = prop_oneof![
        6 => Just(State::Present),
        2 => Just(State::Absent),
        3 => Just(State::Pending),
        1 => Just(State::Refused),
    ];
    let name = prop_oneof![6 => Just(None), 1 => (0..=SUBJECTS).prop_map(Some)];
    let applied = prop_oneof![3 => Just(None), 1 => (0..8_usize).prop_map(Some)];
    ((0..ROLES, 0..SUBJECTS, 0..SCOPES), name, applied, state, other_claims()).prop_map(
        |((role, subject, scope), name, applied, state, other_claims)| ManagedThing {
            role,
            subject,
            scope,
            name: name.unwrap_or(subject),
            applied: applied.unwrap_or(role),
            state,
            other_claims,
        },
    )
}

pub fn case() -> impl Strategy<Value = Case> {
    let dialect = prop_oneof![
        Just(TestDialect::OneRoleAScope),
        Just(TestDialect::NoScopes),
        Just(TestDialect::ManyRolesAScope)
    ];
    let things = (
        vec((0..ROLES, 0..8_usize), 0..=ROLES),
        vec((0..ROLES, 0..SUBJECTS, 0..SCOPES), 0..8),
        vec(0..SCOPES, 0..3),
    );
    let visibility =
        (vec(prop::bool::weighted(0.3), 11), vec(prop::bool::weighted(0.15), 7), (0..3_usize, 0..3_usize));
    let adopt = prop_oneof![Just(Adopt::Never), Just(Adopt::IfIdentical), Just(Adopt::Always)];
    let removal = prop_oneof![4 => Just(Removal::Delete), 1 => Just(Removal::Retain)];
    (dialect, things, visibility, spec(), vec(managed(), 0..6), adopt, removal).prop_map(
        |(
            dialect,
            (roles, grants, restrictions),
            (hidden, read_only, proof),
            spec,
            managed,
            adopt,
            removal,
        )| Case {
            dialect,
            roles,
            grants,
            restrictions,
            hidden,
            read_only,
            proof,
            spec,
            managed,
            adopt,
            removal,
        },
    )
}
