//! Several objects on one account, each planned and executed under the standing from its claims, through edits, deletions, pauses,
//! crashes and changes by outsiders. They converge, do not change each other's things, and leave nothing behind.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use proptest::{collection::vec, prelude::*, sample::Index};

use super::support::{self, End, Refusal, TestDialect, World, execute, recorded};
use crate::model::{Body, Change, Grant, Id, IdentityRules, Key, Kind, Role};
use crate::planner::{
    Adopt, Claim, Claimant, Claims, Desired, DesiredBody, Held, Issue, ObjectName, OtherClaims, Plan,
    Problem, Removal, candidates, desired_keys, plan,
};

const OBJECTS: usize = 3;
const ROUNDS: usize = 30;

/// The spec of an object: the number of each thing and of its content.
type Spec = Vec<(usize, usize)>;

#[derive(Clone, Debug)]
enum Event {
    /// The object is created with this spec, or its spec changes to it.
    Apply(usize, Spec),
    Delete(usize),
    Pause(usize, bool),
    /// The names in the object's spec cannot be resolved, or can be resolved again.
    Unresolve(usize, bool),
    /// An outsider deletes a thing.
    OutsideDelete(Index),
    /// An outsider changes the content of a thing, and the name of a role if the flag is set.
    OutsideChange(Index, usize, bool),
    /// An outsider creates a thing.
    OutsideCreate(usize, usize),
}

#[derive(Clone, Debug)]
struct Story {
    dialect: TestDialect,
    kind: Kind,
    adopt: [Adopt; OBJECTS],
    /// Each object has a credential of its own.
    own_credentials: bool,
    events: Vec<(Event, Schedule)>,
}

/// The order in which objects act after an event.
#[derive(Clone, Debug)]
struct Schedule {
    turns: Vec<Index>,
    /// All objects plan before any of them executes.
    interleaved: bool,
    /// The first plan is executed, but its outcome is not recorded.
    crash: bool,
    /// One object plans, and the next event happens before it executes.
    rush: Option<Index>,
}

struct Object {
    claimant: Claimant,
    items: Vec<(Option<String>, Body)>,
    held: Vec<Held>,
    adopt: Adopt,
    is_being_deleted: bool,
    paused: bool,
    unresolved: bool,
    plan: Option<Plan>,
}

impl Object {
    fn active(&self) -> bool {
        !self.is_being_deleted && !self.paused
    }

    fn ids(&self) -> impl Iterator<Item = &Id> {
        self.held.iter().filter_map(Held::id)
    }

    /// The desired body of the thing with this key.
    fn desired(&self, dialect: TestDialect, key: &Key) -> Option<&Body> {
        let items = (!self.is_being_deleted).then_some(&self.items)?;
        items.iter().map(|(_, body)| body).find(|body| dialect.key(body) == *key)
    }
}

struct Account {
    story: Story,
    world: World,
    claims: Claims,
    objects: BTreeMap<usize, Object>,
    /// The number of things that outsiders created.
    outside: usize,
    /// Ids that some object has managed.
    ever_managed: HashSet<Id>,
    /// Changes since the last event.
    updated: HashMap<Id, Body>,
    created: HashMap<(Kind, Key), usize>,
    /// The objects did not converge before the last event: there can be plans that do not take it into account.
    rushed: bool,
}

impl Account {
    fn new(story: Story) -> Self {
        let mut world = World::new(story.dialect);
        if story.kind == Kind::Grant {
            for number in 0..3 {
                world.put(&format!("R{number}"), support::role(&format!("role-{number}"), &["read"]));
            }
        }
        Self {
            story,
            world,
            claims: Claims::default(),
            objects: BTreeMap::new(),
            outside: 0,
            ever_managed: HashSet::new(),
            updated: HashMap::new(),
            created: HashMap::new(),
            rushed: false,
        }
    }

    /// The name and body of the thing with this number and content.
    fn body(&self, thing: usize, content: usize) -> (Option<String>, Body) {
        match self.story.kind {
            Kind::Role => {
                let actions = [&["read"][..], &["write"], &["read", "write"]][content % 3];
                (None, support::role(&format!("role-{}", thing % 3), actions))
            }
            Kind::Grant => {
                let subject = format!("subject-{}", thing % 2);
                let scope =
                    (self.story.dialect != TestDialect::NoScopes).then_some(["p", "q"][thing / 2 % 2]);
                (Some(subject.clone()), support::grant(&format!("R{}", content % 3), &subject, scope))
            }
            Kind::Restriction => (None, support::restriction(&format!("place-{}", thing % 2))),
            Kind::Group => unreachable!("no story has groups"),
        }
    }

    fn items_of(&self, spec: &Spec) -> Vec<(Option<String>, Body)> {
        let most = if self.story.kind == Kind::Grant { spec.len() } else { 1 };
        let mut keys = HashSet::new();
        let bodies = spec.iter().take(most).map(|&(thing, content)| self.body(thing, content));
        bodies.filter(|(_, body)| keys.insert(self.story.dialect.key(body))).collect()
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Apply(number, spec) => {
                let items = self.items_of(spec);
                let new = || Object {
                    claimant: Claimant {
                        created: i64::try_from((number * 7) % OBJECTS).unwrap(),
                        uid: number.to_string().into(),
                    },
                    items: Vec::new(),
                    held: Vec::new(),
                    adopt: self.story.adopt[*number],
                    is_being_deleted: false,
                    paused: false,
                    unresolved: false,
                    plan: None,
                };
                let object = self.objects.entry(*number).or_insert_with(new);
                // The resource of a restriction is immutable.
                let fixed = self.story.kind == Kind::Restriction && !object.items.is_empty();
                if !object.is_being_deleted && !fixed {
                    object.items = items;
                }
            }
            Event::Delete(number) => {
                if let Some(object) = self.objects.get_mut(number) {
                    object.is_being_deleted = true;
                    object.paused = false;
                }
            }
            Event::Pause(number, paused) => {
                if let Some(object) = self.objects.get_mut(number) {
                    object.paused = *paused && !object.is_being_deleted;
                }
            }
            Event::Unresolve(number, unresolved) => {
                if let Some(object) = self.objects.get_mut(number) {
                    object.unresolved = *unresolved;
                }
            }
            Event::OutsideDelete(which) => {
                if let Some(id) = self.pick(which) {
                    self.world.things.remove(&id);
                }
            }
            Event::OutsideChange(which, content, rename) => {
                if let Some(id) = self.pick(which) {
                    let body = match (&self.world.things[&id].body, self.body(0, *content).1) {
                        (Body::Role(now), Body::Role(then)) => {
                            let name = if *rename { "renamed".to_owned() } else { now.name.clone() };
                            Body::Role(Role { name, ..then })
                        }
                        (Body::Grant(now), Body::Grant(then)) => {
                            if self.story.dialect != TestDialect::OneRoleAScope {
                                return;
                            }
                            Body::Grant(Grant { role: then.role, ..now.clone() })
                        }
                        _ => return,
                    };
                    let key = self.story.dialect.key(&body);
                    if self.world.with_key(self.story.kind, &key).iter().all(|other| other.id == id) {
                        self.world.put(id.as_str(), body);
                    }
                }
            }
            Event::OutsideCreate(thing, content) => {
                let (_, body) = self.body(*thing, *content);
                if self.world.with_key(body.kind(), &self.story.dialect.key(&body)).is_empty() {
                    self.outside += 1;
                    self.world.put(&format!("outside-{}", self.outside), body);
                }
            }
        }
    }

    fn pick(&self, which: &Index) -> Option<Id> {
        let things = self.world.things.values().filter(|thing| thing.body.kind() == self.story.kind);
        let ids: Vec<Id> = things.map(|thing| thing.id.clone()).collect();
        (!ids.is_empty()).then(|| which.get(&ids).clone())
    }

    /// Sets an object's claim.
    fn claim(&mut self, number: usize) {
        let object = &self.objects[&number];
        let desired: Vec<Desired> = desired_by(object);
        let claim = Claim {
            object: super::claims::binding("team-a", &number.to_string()),
            backend: ObjectName::new("team-a", "backend"),
            credential: Some(if self.story.own_credentials { number } else { 0 }.to_string().into()),
            desired: desired_keys(&desired, &object.held, &self.story.dialect, &self.world.snapshot()),
            managed: object
                .held
                .iter()
                .map(|held| (held.kind, held.key.clone(), held.id().cloned()))
                .collect(),
            taken: Box::default(),
            reach: Box::default(),
            active: object.active(),
            is_being_deleted: object.is_being_deleted,
            is_requested: false,
            complete: None,
        };
        self.claims.set(object.claimant.clone(), claim);
    }

    /// Makes an object's plan under its standing and records the intents. Returns whether anything is to be done.
    fn plan(&mut self, number: usize) -> bool {
        if self.objects[&number].plan.is_some() {
            return true;
        }
        self.claim(number);
        let object = &self.objects[&number];
        let snapshot = self.world.snapshot();
        let mut items = desired_by(object);
        for item in &mut items {
            let DesiredBody::Resolved(body) = &item.body else { continue };
            let key = self.story.dialect.key(body);
            let existing = candidates(item, &key, &object.held, &snapshot);
            item.standing =
                self.claims.standing(&object.claimant, body.kind(), &key, &existing, &body.fingerprint());
        }
        let mut held = object.held.clone();
        for held in &mut held {
            held.other_claims = self.claims.other_claims(&object.claimant, held.kind, &held.key, held.id());
        }
        let plan = plan(
            &items,
            &snapshot,
            &held,
            &support::policy(&self.story.dialect, object.adopt, Removal::Delete),
        );
        let object = self.objects.get_mut(&number).expect("the object exists");
        if object.paused {
            return false;
        }
        let active = !plan.is_empty() || without_claims(plan.held()) != without_claims(&object.held);
        object.held = plan.held().to_vec();
        object.plan = Some(plan);
        self.ever_managed.extend(object.ids().cloned());
        self.claim(number);
        active
    }

    /// Executes an object's plan, and records the outcome unless it is lost.
    fn execute(&mut self, number: usize, lost: bool, interleaved: bool) -> Result<(), TestCaseError> {
        let object = self.objects.get_mut(&number).expect("the object exists");
        let Some(plan) = object.plan.take() else { return Ok(()) };
        for step in plan.steps() {
            self.check(number, &step.change)?;
        }
        let ends = execute(&mut self.world, &plan);
        for (step, end) in plan.steps().iter().zip(&ends) {
            let body = step.change.body();
            let things = self.world.with_key(body.kind(), &self.story.dialect.key(body));
            // A claim does not cover the new name of a rename in progress. The back end then refuses one of two, and nothing is lost.
            let rename = self.rushed && self.story.kind == Kind::Role;
            let outside = rename || things.iter().all(|thing| thing.id.as_str().starts_with("outside"));
            prop_assert!(
                *end != End::Refused(Refusal::Taken) || outside,
                "two created one thing: {:?}",
                plan
            );
        }
        prop_assert!(
            self.rushed || interleaved || ends.iter().all(|end| matches!(end, End::Done(_))),
            "{:?} ended in {:?}",
            plan,
            ends
        );
        let object = self.objects.get_mut(&number).expect("the object exists");
        if !lost {
            object.held = recorded(&plan, &ends);
        }
        self.ever_managed.extend(object.ids().cloned());
        self.claim(number);
        let object = &self.objects[&number];
        if object.is_being_deleted && object.held.is_empty() {
            self.claims.remove(&object.claimant.clone());
            self.objects.remove(&number);
        }
        Ok(())
    }

    /// Checks that no other object forbids a change of this one.
    fn check(&mut self, number: usize, change: &Change) -> Result<(), TestCaseError> {
        let key = self.story.dialect.key(change.body());
        match change {
            Change::Create { .. } => {
                let count = self.created.entry((change.body().kind(), key)).or_default();
                *count += 1;
                prop_assert!(self.rushed || *count < 2, "{} is created twice", change.body().title());
            }
            Change::Update { id, after, .. } => {
                // Two sharers can correct a thing at the same time, to the same content.
                let first = self.updated.entry(id.clone()).or_insert_with(|| after.clone());
                prop_assert!(self.rushed || first == after, "{} is changed back and forth", id);
                for (other, object) in self.objects.iter().filter(|(other, _)| **other != number) {
                    let desired = object.desired(self.story.dialect, &key);
                    let against = object.active()
                        && object.ids().any(|managed| managed == id)
                        && desired.is_some_and(|desired| desired != after);
                    prop_assert!(
                        self.rushed || !against,
                        "{id} is changed against the spec of object {other}"
                    );
                }
            }
            Change::Delete { id, .. } => {
                for (other, object) in self.objects.iter().filter(|(other, _)| **other != number) {
                    let manages = object.ids().any(|managed| managed == id);
                    prop_assert!(self.rushed || !manages, "{id} is deleted, but object {other} manages it");
                }
            }
        }
        Ok(())
    }

    /// Runs the objects until nothing changes.
    fn converge(&mut self, schedule: &Schedule) -> Result<(), TestCaseError> {
        self.updated.clear();
        self.created.clear();
        // After a rush, an outsider can change a thing before its creator records it. No record identifies such a thing.
        let mut lose = schedule.crash && !self.rushed;
        for round in 0..ROUNDS {
            let mut numbers: Vec<usize> = self.objects.keys().copied().collect();
            for (place, turn) in schedule.turns.iter().enumerate().take(numbers.len()) {
                let other = (turn.index(numbers.len()) + round) % numbers.len();
                numbers.swap(place, other);
            }
            let mut active = false;
            let before = self.objects.len();
            for &number in &numbers {
                active |= self.plan(number);
                if !schedule.interleaved {
                    self.execute(number, std::mem::take(&mut lose), false)?;
                }
            }
            if schedule.interleaved {
                for &number in numbers.iter().rev() {
                    self.execute(number, std::mem::take(&mut lose), true)?;
                }
            }
            if !active && before == self.objects.len() && round > 1 {
                return Ok(());
            }
        }
        Err(TestCaseError::fail(format!("the objects do not converge: {}", self.description())))
    }

    fn description(&self) -> String {
        let each = self.objects.iter().map(|(number, object)| {
            format!(
                "{number} is_being_deleted={} desires {:?} manages {:?}",
                object.is_being_deleted,
                object.items.iter().map(|(_, body)| body.title()).collect::<Vec<_>>(),
                object.held.iter().map(|held| (held.key.to_string(), held.id())).collect::<Vec<_>>(),
            )
        });
        format!("{:?}; {}", self.world, each.collect::<Vec<_>>().join("; "))
    }

    /// The things of active objects that equal the spec: number of the object and id.
    fn in_sync(&self) -> BTreeSet<(usize, Id)> {
        let mut found = BTreeSet::new();
        for (number, object) in self.objects.iter().filter(|(_, object)| object.active()) {
            for id in object.ids() {
                let Some(thing) = self.world.things.get(id) else { continue };
                if object.desired(self.story.dialect, &thing.key) == Some(&thing.body) {
                    found.insert((*number, id.clone()));
                }
            }
        }
        found
    }

    /// The ids of things that their manager is about to release while another object can take them over.
    fn to_be_handed_over(&self, before: &[(usize, Held)]) -> BTreeSet<Id> {
        let mut found = BTreeSet::new();
        for (number, held) in before {
            let Some(id) = held.id() else { continue };
            let as_recorded = self.world.things.get(id).is_some_and(|thing| thing.key == held.key);
            let releases = self.objects.get(number).is_none_or(|object| {
                object.is_being_deleted
                    || object.active()
                        && !object.unresolved
                        && object.desired(self.story.dialect, &held.key).is_none()
            });
            let waits = self.objects.iter().any(|(other, object)| {
                let free = if held.kind == Kind::Role {
                    object.held.is_empty()
                } else {
                    object.held.iter().all(|own| own.key != held.key)
                };
                other != number
                    && object.active()
                    && !object.unresolved
                    && free
                    && object.desired(self.story.dialect, &held.key).is_some()
            });
            if as_recorded && releases && waits {
                found.insert(id.clone());
            }
        }
        found
    }

    /// Checks that an object has its desired things unless another object or an outsider is in the way.
    fn check_served(&self) -> Result<(), TestCaseError> {
        let sync = self.in_sync();
        let renames = |object: &Object| {
            self.story.kind == Kind::Role
                && object.held.iter().any(|held| object.desired(self.story.dialect, &held.key).is_none())
        };
        if self.objects.values().any(renames) {
            return Ok(());
        }
        for object in self.objects.values().filter(|object| object.active() && !object.unresolved) {
            for (_, body) in &object.items {
                let key = self.story.dialect.key(body);
                let things = self.world.with_key(body.kind(), &key);
                let of_key = |object: &&Object| object.held.iter().any(|held| held.key == key);
                let managers: Vec<&Object> = self.objects.values().filter(of_key).collect();
                let outside = things
                    .iter()
                    .any(|thing| !managers.iter().any(|object| object.ids().any(|id| *id == thing.id)));
                let inactive = managers.iter().any(|object| object.paused || object.unresolved);
                let contested = managers.len() > 1;
                let served = things.iter().any(|thing| sync.iter().any(|(_, id)| *id == thing.id));
                prop_assert!(
                    outside || inactive || contested || served,
                    "no object gets {key}: {}",
                    self.description()
                );
            }
        }
        Ok(())
    }
}

fn desired_by(object: &Object) -> Vec<Desired> {
    let items = if object.is_being_deleted { &[][..] } else { &object.items };
    let item = |(name, body): &(Option<String>, Body)| match object.unresolved {
        false => Desired::new(name.clone(), body.clone()),
        true => Desired::unresolved(name.clone(), Problem::new(Issue::NotFound, "no such name")),
    };
    items.iter().map(item).collect()
}

fn without_claims(held: &[Held]) -> Vec<Held> {
    held.iter().map(|held| Held { other_claims: OtherClaims::None, ..held.clone() }).collect()
}

fn event() -> impl Strategy<Value = Event> {
    let number = || 0..OBJECTS;
    prop_oneof![
        8 => (number(), vec((0..4_usize, 0..3_usize), 0..3)).prop_map(|(number, spec)| Event::Apply(number, spec)),
        2 => number().prop_map(Event::Delete),
        1 => (number(), any::<bool>()).prop_map(|(number, paused)| Event::Pause(number, paused)),
        1 => (number(), any::<bool>()).prop_map(|(number, unresolved)| Event::Unresolve(number, unresolved)),
        1 => any::<Index>().prop_map(Event::OutsideDelete),
        1 => (any::<Index>(), 0..3_usize, any::<bool>()).prop_map(|(which, content, rename)| Event::OutsideChange(which, content, rename)),
        1 => (0..4_usize, 0..3_usize).prop_map(|(thing, content)| Event::OutsideCreate(thing, content)),
    ]
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let turns = vec(any::<Index>(), OBJECTS);
    let rush = prop::option::weighted(0.15, any::<Index>());
    (turns, prop::bool::weighted(0.3), prop::bool::weighted(0.2), rush)
        .prop_map(|(turns, interleaved, crash, rush)| Schedule { turns, interleaved, crash, rush })
}

fn story() -> impl Strategy<Value = Story> {
    let dialect = prop_oneof![
        Just(TestDialect::OneRoleAScope),
        Just(TestDialect::NoScopes),
        Just(TestDialect::ManyRolesAScope)
    ];
    let kind = prop_oneof![3 => Just(Kind::Grant), 3 => Just(Kind::Role), 1 => Just(Kind::Restriction)];
    let adopt = || prop_oneof![Just(Adopt::Never), Just(Adopt::IfIdentical), Just(Adopt::Always)];
    (dialect, kind, [adopt(), adopt(), adopt()], any::<bool>(), vec((event(), schedule()), 1..12)).prop_map(
        |(dialect, kind, adopt, own_credentials, events)| Story {
            dialect,
            kind,
            adopt,
            own_credentials,
            events,
        },
    )
}

/// The object that an event concerns, and the thing that an outsider changed.
fn concerned(event: &Event, account: &Account) -> (Option<usize>, Option<Id>) {
    match event {
        Event::Apply(number, _)
        | Event::Delete(number)
        | Event::Pause(number, _)
        | Event::Unresolve(number, _) => (Some(*number), None),
        Event::OutsideDelete(which) | Event::OutsideChange(which, ..) => (None, account.pick(which)),
        Event::OutsideCreate(..) => (None, None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn objects_converge_keep_things_hand_over_and_clean_up(story in story()) {
        let mut account = Account::new(story.clone());
        for (event, schedule) in &story.events {
            let sync = account.in_sync();
            let held: Vec<(usize, Held)> = account.objects.iter()
                .flat_map(|(number, object)| object.held.iter().map(|held| (*number, held.clone())))
                .collect();
            let (touched, changed) = concerned(event, &account);
            account.apply(event);
            let handed_over = account.to_be_handed_over(&held);
            if let (Some(rush), false) = (schedule.rush, account.objects.is_empty()) {
                let numbers: Vec<usize> = account.objects.keys().copied().collect();
                account.plan(*rush.get(&numbers));
                account.rushed = true;
                continue;
            }
            account.converge(schedule)?;
            if std::mem::take(&mut account.rushed) {
                account.converge(schedule)?;
                account.check_served()?;
                continue;
            }
            for (number, id) in sync {
                if Some(number) != touched && Some(&id) != changed.as_ref() {
                    let keeps = account.in_sync().contains(&(number, id.clone()));
                    prop_assert!(keeps, "{:?} took {id} from object {number}: {}", event, account.description());
                }
            }
            for id in handed_over {
                prop_assert!(account.world.things.contains_key(&id), "{id} was not handed over: {}", account.description());
            }
            account.check_served()?;
        }
        let outside: BTreeSet<Id> = account.world.things.keys().filter(|id| !account.ever_managed.contains(id) && !id.as_str().starts_with("made")).cloned().collect();
        for object in account.objects.values_mut() {
            object.is_being_deleted = true;
            object.paused = false;
        }
        let last = &story.events[0].1;
        account.converge(last)?;
        prop_assert!(account.objects.is_empty(), "these are never deleted: {}", account.description());
        let left: BTreeSet<Id> = account.world.things.keys().cloned().collect();
        prop_assert_eq!(left, outside);
    }
}
