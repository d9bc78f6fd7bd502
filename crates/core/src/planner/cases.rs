//! Random worlds, holdings and wants for the laws of [`plan`]: few roles, subjects and places, so that they meet.

use std::collections::{BTreeSet, HashMap, HashSet};

use proptest::{collection::vec, prelude::*};

use super::{
    testing::{self, End, TestDialect, World, carry_out, recorded},
    *,
};
use crate::model::{Absence, Body, Id, IdentityRules, Key, Kind, Proof, RoleRef};

const ROLES: usize = 4;
const SUBJECTS: usize = 4;
const SCOPES: usize = 3;
const ACTIONS: [&str; 3] = ["read", "write", "delete"];

/// What an entry of `held` was made for, and what became of it.
#[derive(Clone, Debug)]
pub struct Holding {
    /// The role's name, or the grant's role.
    pub role: usize,
    pub subject: usize,
    pub scope: usize,
    /// The name that the spec had for the subject.
    pub name: usize,
    /// As last applied: the actions of the role, or another role of the grant.
    pub applied: usize,
    pub state: State,
    pub others: Others,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    /// Held by the id of what has the key now; by an id that nothing has, where nothing has the key.
    Recorded,
    /// Held by an id that nothing has.
    Gone,
    Pending,
    Refused,
}

#[derive(Clone, Debug)]
pub struct Subject {
    pub subject: usize,
    /// Whose name the spec gives it; `SUBJECTS` for the id.
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
    /// Name and actions of each role that is there.
    pub roles: Vec<(usize, usize)>,
    pub grants: Vec<(usize, usize, usize)>,
    pub restrictions: Vec<usize>,
    /// Whether the n-th thing is hidden, where nothing proves that it would be seen.
    pub hidden: Vec<bool>,
    /// Whether the n-th thing is the vendor's.
    pub read_only: Vec<bool>,
    /// Whether absence is proven everywhere, within the first places, or nowhere.
    pub proof: (usize, usize),
    pub spec: Spec,
    pub holdings: Vec<Holding>,
    pub adopt: Adopt,
    pub removal: Removal,
}

/// A case as the engine gets it.
pub struct Setting {
    pub world: World,
    pub wants: Vec<Want>,
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
        plan(&self.wants, &world.snapshot(), held, &testing::policy(&self.dialect, self.adopt, self.removal))
    }

    pub fn bodies(&self) -> impl Iterator<Item = (&Want, &Body)> {
        self.wants.iter().filter_map(|want| match &want.wish {
            Wish::Body(body) => Some((want, body)),
            Wish::Unresolved(..) => None,
        })
    }

    pub fn key(&self, body: &Body) -> (Kind, Key) {
        (body.kind(), self.dialect.key(body))
    }

    /// The things that entries stand for: by their id, or for an intent by key and fingerprint.
    pub fn things_held(&self) -> BTreeSet<Id> {
        let snapshot = self.world.snapshot();
        let intended = |held: &Held| {
            let seen = snapshot.by_key(held.kind, &held.key)?;
            (!held.refused && seen.body.fingerprint() == held.fingerprint).then(|| seen.id.clone())
        };
        self.held.iter().filter_map(|held| held.id.clone().or_else(|| intended(held))).collect()
    }

    /// Carries out plan after plan until there is nothing to do that could be done.
    pub fn settle(&self, world: &mut World, mut held: Vec<Held>) -> Plan {
        for _ in 0..4 {
            let plan = self.plan_on(world, &held);
            let ends = carry_out(world, &plan, |_, _| true);
            held = recorded(&plan, &ends);
            if !ends.iter().any(|end| matches!(end, End::Done(_))) {
                return plan;
            }
        }
        panic!("it does not come to rest");
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
    testing::grant(&format!("R{role}"), &format!("subject-{subject}"), scope.as_deref())
}

fn resource(resource: usize) -> Body {
    testing::restriction(&format!("place-{resource}"))
}

fn world(case: &Case) -> World {
    let mut world = World::new(case.dialect);
    for (index, (name, bits)) in case.roles.iter().enumerate() {
        // Two roles of one name are only where the back end does not refuse that.
        let body = testing::role(&role_name(*name), &actions(*bits));
        let taken = !world.of_key(Kind::Role, &case.dialect.key(&body)).is_empty();
        if !taken || case.dialect == TestDialect::ManyRolesAScope {
            world.put(&format!("R{index}"), body);
        }
    }
    let grants =
        case.grants.iter().map(|&(role, subject, scope)| grant_body(case.dialect, role, subject, scope));
    let others = grants.chain(case.restrictions.iter().map(|&place| resource(place)));
    for (index, body) in others.enumerate() {
        if world.of_key(body.kind(), &case.dialect.key(&body)).is_empty() {
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

/// Wants for one and the same thing stand to other objects alike.
fn wants(case: &Case) -> Vec<Want> {
    let mut wants = as_listed(case);
    let mut standings: HashMap<(Kind, Key), Standing> = HashMap::new();
    for want in &mut wants {
        if let Wish::Body(body) = &want.wish {
            let standing =
                standings.entry((body.kind(), case.dialect.key(body))).or_insert(want.standing.clone());
            want.standing = standing.clone();
        }
    }
    wants
}

fn as_listed(case: &Case) -> Vec<Want> {
    let want = |name: Option<String>, body: Body, resolved: bool, standing: &Standing| {
        let wish =
            if resolved { Wish::Body(body) } else { Wish::Unresolved(Issue::NotFound, "who?".to_owned()) };
        Want { standing: standing.clone(), ..Want::of(name, wish) }
    };
    match &case.spec {
        Spec::Deleted(_) => Vec::new(),
        Spec::Role { name, actions: bits, resolved, standing } => {
            vec![want(None, testing::role(&role_name(*name), &actions(*bits)), *resolved, standing)]
        }
        Spec::Restriction { resource: place, resolved, standing } => {
            vec![want(None, resource(*place), *resolved, standing)]
        }
        Spec::Binding { role, planned, scope, subjects } => {
            let each = |listed: &Subject| {
                let mut body = grant_body(case.dialect, *role, listed.subject, *scope);
                if let (true, Body::Grant(grant)) = (planned, &mut body) {
                    grant.role = RoleRef::Planned("planned".to_owned());
                }
                want(Some(subject_name(listed.name, listed.subject)), body, listed.resolved, &listed.standing)
            };
            subjects.iter().map(each).collect()
        }
    }
}

fn subject_name(name: usize, subject: usize) -> String {
    if name < SUBJECTS { format!("name-{name}") } else { format!("subject-{subject}") }
}

fn holds(case: &Case, world: &World) -> Vec<Held> {
    let kind = match &case.spec {
        Spec::Role { .. } | Spec::Deleted(Kind::Role) => Kind::Role,
        Spec::Binding { .. } | Spec::Deleted(Kind::Grant) => Kind::Grant,
        Spec::Restriction { .. } | Spec::Deleted(Kind::Restriction) => Kind::Restriction,
        Spec::Deleted(Kind::Group) => unreachable!("no case is about a group"),
    };
    let most = if kind == Kind::Grant { case.holdings.len() } else { 1 };
    let mut seen: HashSet<Id> = HashSet::new();
    let mut held: Vec<Held> = Vec::new();
    for (index, holding) in case.holdings.iter().take(most).enumerate() {
        let (body, applied) = match kind {
            Kind::Role => {
                let name = role_name(holding.role);
                (
                    testing::role(&name, &actions(holding.applied)),
                    testing::role(&name, &actions(holding.applied)),
                )
            }
            Kind::Grant => (
                grant_body(case.dialect, holding.role, holding.subject, holding.scope),
                grant_body(case.dialect, holding.applied % ROLES, holding.subject, holding.scope),
            ),
            Kind::Restriction => {
                // The resource of a restriction cannot be changed.
                let place = match &case.spec {
                    Spec::Restriction { resource, .. } => *resource,
                    _ => holding.scope,
                };
                (resource(place), resource(place))
            }
            Kind::Group => unreachable!("no case is about a group"),
        };
        let key = case.dialect.key(&body);
        let there = world.of_key(kind, &key).first().map(|thing| thing.id.clone());
        let id = match holding.state {
            State::Recorded => Some(there.unwrap_or_else(|| Id::new(format!("gone-{index}")))),
            State::Gone => Some(Id::new(format!("gone-{index}"))),
            State::Pending | State::Refused => None,
        };
        if id.as_ref().is_some_and(|id| !seen.insert(id.clone())) {
            continue;
        }
        if held.iter().any(|held| held.key == key && held.pending() == id.is_none()) {
            continue;
        }
        // One name is one account's, within an object and at one time.
        let name = (kind == Kind::Grant).then(|| subject_name(holding.name, holding.subject));
        if held.iter().any(|held| held.name == name && held.subject() != key.get("subject")) {
            continue;
        }
        held.push(Held {
            kind,
            id,
            key,
            name,
            origin: Origin::Created,
            chosen: None,
            fingerprint: applied.fingerprint(),
            revision: None,
            refused: holding.state == State::Refused,
            unsettled: false,
            taken: None,
            others: holding.others.clone(),
        });
    }
    held
}

/// A case as the engine gets it.
pub fn setting(case: &Case) -> Setting {
    let world = world(case);
    let held = holds(case, &world);
    Setting {
        wants: wants(case),
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
        1 => Just(Standing::Heir),
        1 => Just(Standing::Blocked(other())),
        1 => Just(Standing::Behind(other())),
    ]
}

fn others() -> impl Strategy<Value = Others> {
    let other = || "RoleBinding team-a/other".to_owned();
    prop_oneof![8 => Just(Others::None), 1 => Just(Others::Hold(other())), 1 => Just(Others::Wait(other()))]
}

fn subject() -> impl Strategy<Value = Subject> {
    let whose = 0..SUBJECTS;
    // Mostly a subject goes by its own name; now and then by its id, or by a name that was another's.
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

fn holding() -> impl Strategy<Value = Holding> {
    let state = prop_oneof![
        6 => Just(State::Recorded),
        2 => Just(State::Gone),
        3 => Just(State::Pending),
        1 => Just(State::Refused),
    ];
    let name = prop_oneof![6 => Just(None), 1 => (0..=SUBJECTS).prop_map(Some)];
    let applied = prop_oneof![3 => Just(None), 1 => (0..8_usize).prop_map(Some)];
    ((0..ROLES, 0..SUBJECTS, 0..SCOPES), name, applied, state, others()).prop_map(
        |((role, subject, scope), name, applied, state, others)| Holding {
            role,
            subject,
            scope,
            name: name.unwrap_or(subject),
            applied: applied.unwrap_or(role),
            state,
            others,
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
    let sight =
        (vec(prop::bool::weighted(0.3), 11), vec(prop::bool::weighted(0.15), 7), (0..3_usize, 0..3_usize));
    let adopt = prop_oneof![Just(Adopt::Never), Just(Adopt::IfIdentical), Just(Adopt::Always)];
    let removal = prop_oneof![4 => Just(Removal::Delete), 1 => Just(Removal::Retain)];
    (dialect, things, sight, spec(), vec(holding(), 0..6), adopt, removal).prop_map(
        |(
            dialect,
            (roles, grants, restrictions),
            (hidden, read_only, proof),
            spec,
            holdings,
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
            holdings,
            adopt,
            removal,
        },
    )
}
