//! Several objects on one tenant, each planned and carried out under the standing that its claims give it, through edits, deletions,
//! pauses, crashes and strangers' hands: they come to rest, nobody pulls at another's thing, and nothing is left behind.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    testing::{self, End, Refusal, TestDialect, World, carry_out, recorded},
    *,
};
use crate::model::{Body, Change, Id, IdentityRules, Key, Kind};

const OBJECTS: usize = 3;
const ROUNDS: usize = 30;

/// What one object is to ask for: which things by number, and what they are to say.
type Ask = Vec<(usize, usize)>;

#[derive(Clone, Debug)]
enum Event {
    /// The object comes, or its spec becomes this.
    Write(usize, Ask),
    Delete(usize),
    Pause(usize, bool),
    /// What the object asks for cannot be resolved, or can be again.
    Blind(usize, bool),
    /// A stranger removes a thing.
    Remove(Index),
    /// A stranger changes what a thing says, a role's name with it.
    Change(Index, usize, bool),
    /// A stranger makes a thing.
    Make(usize, usize),
}

#[derive(Clone, Debug)]
struct Story {
    dialect: TestDialect,
    kind: Kind,
    adopt: [Adopt; OBJECTS],
    events: Vec<(Event, Schedule)>,
}

/// How objects take turns after an event.
#[derive(Clone, Debug)]
struct Schedule {
    turns: Vec<Index>,
    /// Plans are made and carried out in turns of their own, so that others come between.
    interleaved: bool,
    /// The first plan is carried out, and its outcome lost.
    crash: bool,
    /// No time to rest: one object's plan is made, and the next event comes before it is carried out.
    rush: Option<Index>,
}

struct Object {
    claimant: Claimant,
    wants: Vec<(Option<String>, Body)>,
    held: Vec<Held>,
    adopt: Adopt,
    going: bool,
    paused: bool,
    blind: bool,
    under_way: Option<Plan>,
}

impl Object {
    fn active(&self) -> bool {
        !self.going && !self.paused
    }

    fn ids(&self) -> impl Iterator<Item = &Id> {
        self.held.iter().filter_map(|held| held.id.as_ref())
    }

    fn wish(&self, dialect: TestDialect, key: &Key) -> Option<&Body> {
        let asked = (!self.going).then_some(&self.wants)?;
        asked.iter().map(|(_, body)| body).find(|body| dialect.key(body) == *key)
    }
}

struct Town {
    story: Story,
    world: World,
    claims: Claims,
    objects: BTreeMap<usize, Object>,
    strangers: usize,
    /// Ids that some object has held.
    ever_held: HashSet<Id>,
    /// Changes since the last event.
    updated: HashMap<Id, Body>,
    created: HashMap<(Kind, Key), usize>,
    /// Not all came to rest before the last event: plans may be under way that know nothing of it.
    rushed: bool,
}

impl Town {
    fn new(story: Story) -> Self {
        let mut world = World::new(story.dialect);
        if story.kind == Kind::Grant {
            for number in 0..3 {
                world.put(&format!("R{number}"), testing::role(&format!("role-{number}"), &["read"]));
            }
        }
        Self {
            story,
            world,
            claims: Claims::default(),
            objects: BTreeMap::new(),
            strangers: 0,
            ever_held: HashSet::new(),
            updated: HashMap::new(),
            created: HashMap::new(),
            rushed: false,
        }
    }

    /// The body of the thing of a number that says so and so, and what a spec calls it.
    fn body(&self, thing: usize, says: usize) -> (Option<String>, Body) {
        match self.story.kind {
            Kind::Role => {
                let actions = [&["read"][..], &["write"], &["read", "write"]][says % 3];
                (None, testing::role(&format!("role-{}", thing % 3), actions))
            }
            Kind::Grant => {
                let subject = format!("subject-{}", thing % 2);
                let scope =
                    (self.story.dialect != TestDialect::NoScopes).then_some(["p", "q"][thing / 2 % 2]);
                (Some(subject.clone()), testing::grant(&format!("R{}", says % 3), &subject, scope))
            }
            Kind::Restriction => (None, testing::restriction(&format!("place-{}", thing % 2))),
            Kind::Group => unreachable!("no story is about a group"),
        }
    }

    fn wanted(&self, ask: &Ask) -> Vec<(Option<String>, Body)> {
        let most = if self.story.kind == Kind::Grant { ask.len() } else { 1 };
        let mut keys = HashSet::new();
        let bodies = ask.iter().take(most).map(|&(thing, says)| self.body(thing, says));
        bodies.filter(|(_, body)| keys.insert(self.story.dialect.key(body))).collect()
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Write(number, ask) => {
                let wants = self.wanted(ask);
                let fresh = || Object {
                    claimant: Claimant {
                        created: format!("2026-01-0{}", (number * 7) % OBJECTS),
                        uid: number.to_string(),
                    },
                    wants: Vec::new(),
                    held: Vec::new(),
                    adopt: self.story.adopt[*number],
                    going: false,
                    paused: false,
                    blind: false,
                    under_way: None,
                };
                let object = self.objects.entry(*number).or_insert_with(fresh);
                // The resource of a restriction cannot be changed.
                let fixed = self.story.kind == Kind::Restriction && !object.wants.is_empty();
                if !object.going && !fixed {
                    object.wants = wants;
                }
            }
            Event::Delete(number) => {
                if let Some(object) = self.objects.get_mut(number) {
                    object.going = true;
                    object.paused = false;
                }
            }
            Event::Pause(number, paused) => {
                if let Some(object) = self.objects.get_mut(number) {
                    object.paused = *paused && !object.going;
                }
            }
            Event::Blind(number, blind) => {
                if let Some(object) = self.objects.get_mut(number) {
                    object.blind = *blind;
                }
            }
            Event::Remove(which) => {
                if let Some(id) = self.pick(which) {
                    self.world.things.remove(&id);
                }
            }
            Event::Change(which, says, rename) => {
                if let Some(id) = self.pick(which) {
                    let body = match (&self.world.things[&id].body, self.body(0, *says).1) {
                        (Body::Role(now), Body::Role(then)) => {
                            let name = if *rename { "renamed".to_owned() } else { now.name.clone() };
                            Body::Role(crate::model::Role { name, ..then })
                        }
                        (Body::Grant(now), Body::Grant(then)) => {
                            if self.story.dialect != TestDialect::OneRoleAScope {
                                return;
                            }
                            Body::Grant(crate::model::Grant { role: then.role, ..now.clone() })
                        }
                        _ => return,
                    };
                    let key = self.story.dialect.key(&body);
                    if self.world.of_key(self.story.kind, &key).iter().all(|other| other.id == id) {
                        self.world.put(id.as_str(), body);
                    }
                }
            }
            Event::Make(thing, says) => {
                let (_, body) = self.body(*thing, *says);
                if self.world.of_key(body.kind(), &self.story.dialect.key(&body)).is_empty() {
                    self.strangers += 1;
                    self.world.put(&format!("strange-{}", self.strangers), body);
                }
            }
        }
    }

    fn pick(&self, which: &Index) -> Option<Id> {
        let things = self.world.things.values().filter(|thing| thing.body.kind() == self.story.kind);
        let ids: Vec<Id> = things.map(|thing| thing.id.clone()).collect();
        (!ids.is_empty()).then(|| which.get(&ids).clone())
    }

    /// Puts an object's claim down.
    fn claim(&mut self, number: usize) {
        let object = &self.objects[&number];
        let wants: Vec<Want> = wants_of(object);
        let claim = Claim {
            title: format!("object {number}"),
            namespace: "team-a".to_owned(),
            wants: asks(&wants, &object.held, &self.story.dialect),
            holds: object.held.iter().map(|held| (held.kind, held.key.clone(), held.id.clone())).collect(),
            taken: Box::default(),
            active: object.active(),
            going: object.going,
        };
        self.claims.set(object.claimant.clone(), claim);
    }

    /// Makes an object's plan under its standing, and records what it intends.
    fn assess(&mut self, number: usize) -> bool {
        if self.objects[&number].under_way.is_some() {
            return true;
        }
        self.claim(number);
        let object = &self.objects[&number];
        let snapshot = self.world.snapshot();
        let mut wants = wants_of(object);
        for want in &mut wants {
            let Wish::Body(body) = &want.wish else { continue };
            let key = self.story.dialect.key(body);
            let there = snapshot.by_key(body.kind(), &key).map(|seen| &seen.id);
            want.standing =
                self.claims.standing(&object.claimant, body.kind(), &key, there, &body.fingerprint());
        }
        let mut held = object.held.clone();
        for held in &mut held {
            held.others = self.claims.others(&object.claimant, held.kind, &held.key, held.id.as_ref());
        }
        let plan = plan(
            &wants,
            &snapshot,
            &held,
            &testing::policy(&self.story.dialect, object.adopt, Removal::Delete),
        );
        let object = self.objects.get_mut(&number).expect("it is being looked at");
        if object.paused {
            return false;
        }
        let moved = !plan.is_empty() || forget_others(plan.held()) != forget_others(&object.held);
        object.held = plan.held().to_vec();
        object.under_way = Some(plan);
        self.ever_held.extend(object.ids().cloned());
        self.claim(number);
        moved
    }

    /// Carries an object's plan out, and records the outcome unless it is lost.
    fn write(&mut self, number: usize, lost: bool, interleaved: bool) -> Result<(), TestCaseError> {
        let object = self.objects.get_mut(&number).expect("it is being looked at");
        let Some(plan) = object.under_way.take() else { return Ok(()) };
        for step in plan.steps() {
            self.judge(number, &step.change)?;
        }
        let ends = carry_out(&mut self.world, &plan, |_, _| true);
        for (step, end) in plan.steps().iter().zip(&ends) {
            let body = step.change.body();
            let there = self.world.of_key(body.kind(), &self.story.dialect.key(body));
            // A rename under way keeps nobody from the new name: one of the two is refused then, and nothing is lost.
            let rename = self.rushed && self.story.kind == Kind::Role;
            let strange = rename || there.iter().all(|thing| thing.id.as_str().starts_with("strange"));
            prop_assert!(*end != End::Refused(Refusal::Taken) || strange, "two made one thing: {:?}", plan);
        }
        prop_assert!(
            self.rushed || interleaved || ends.iter().all(|end| matches!(end, End::Done(_))),
            "{:?} ended in {:?}",
            plan,
            ends
        );
        let object = self.objects.get_mut(&number).expect("it is being looked at");
        if !lost {
            object.held = recorded(&plan, &ends);
        }
        self.ever_held.extend(object.ids().cloned());
        self.claim(number);
        let object = &self.objects[&number];
        if object.going && object.held.is_empty() {
            self.claims.remove(&object.claimant.clone());
            self.objects.remove(&number);
        }
        Ok(())
    }

    /// Whether a change is an object's to make.
    fn judge(&mut self, number: usize, change: &Change) -> Result<(), TestCaseError> {
        let key = self.story.dialect.key(change.body());
        match change {
            Change::Create { .. } => {
                let count = self.created.entry((change.body().kind(), key)).or_default();
                *count += 1;
                prop_assert!(self.rushed || *count < 2, "{} is made twice", change.body().title());
            }
            Change::Update { id, after, .. } => {
                // Two sharers may put the same thing right at one time, to the same.
                let first = self.updated.entry(id.clone()).or_insert_with(|| after.clone());
                prop_assert!(self.rushed || first == after, "{} is pulled to and fro", id);
                for (other, object) in self.objects.iter().filter(|(other, _)| **other != number) {
                    let wish = object.wish(self.story.dialect, &key);
                    let against = object.active()
                        && object.ids().any(|held| held == id)
                        && wish.is_some_and(|wish| wish != after);
                    prop_assert!(
                        self.rushed || !against,
                        "{id} is changed against the wish of object {other}"
                    );
                }
            }
            Change::Delete { id, .. } => {
                for (other, object) in self.objects.iter().filter(|(other, _)| **other != number) {
                    let holds = object.ids().any(|held| held == id);
                    prop_assert!(self.rushed || !holds, "{id} is removed although object {other} holds it");
                }
            }
        }
        Ok(())
    }

    /// Lets objects take turns until nothing moves.
    fn settle(&mut self, schedule: &Schedule) -> Result<(), TestCaseError> {
        self.updated.clear();
        self.created.clear();
        // What is lost and changed by a stranger before anyone looks is nobody's: no intent can tell.
        let mut lose = schedule.crash && !self.rushed;
        for round in 0..ROUNDS {
            let mut numbers: Vec<usize> = self.objects.keys().copied().collect();
            for (place, turn) in schedule.turns.iter().enumerate().take(numbers.len()) {
                let other = (turn.index(numbers.len()) + round) % numbers.len();
                numbers.swap(place, other);
            }
            let mut moved = false;
            let before = self.objects.len();
            for &number in &numbers {
                moved |= self.assess(number);
                if !schedule.interleaved {
                    self.write(number, std::mem::take(&mut lose), false)?;
                }
            }
            if schedule.interleaved {
                for &number in numbers.iter().rev() {
                    self.write(number, std::mem::take(&mut lose), true)?;
                }
            }
            if !moved && before == self.objects.len() && round > 1 {
                return Ok(());
            }
        }
        Err(TestCaseError::fail(format!("it does not come to rest: {}", self.picture())))
    }

    fn picture(&self) -> String {
        let each = self.objects.iter().map(|(number, object)| {
            format!(
                "{number} going={} wants {:?} holds {:?}",
                object.going,
                object.wants.iter().map(|(_, body)| body.title()).collect::<Vec<_>>(),
                object.held.iter().map(|held| (held.key.to_string(), held.id.clone())).collect::<Vec<_>>(),
            )
        });
        format!("{:?}; {}", self.world, each.collect::<Vec<_>>().join("; "))
    }

    /// The active objects' things that are there as wanted: which object's, and the id.
    fn in_sync(&self) -> BTreeSet<(usize, Id)> {
        let mut found = BTreeSet::new();
        for (number, object) in self.objects.iter().filter(|(_, object)| object.active()) {
            for id in object.ids() {
                let Some(thing) = self.world.things.get(id) else { continue };
                if object.wish(self.story.dialect, &thing.key) == Some(&thing.body) {
                    found.insert((*number, id.clone()));
                }
            }
        }
        found
    }

    /// What objects that go or change are about to give up while another, that could be given it, waits: by id.
    fn to_be_handed_over(&self, before: &[(usize, Held)]) -> BTreeSet<Id> {
        let mut found = BTreeSet::new();
        for (number, held) in before {
            let Some(id) = &held.id else { continue };
            let as_recorded = self.world.things.get(id).is_some_and(|thing| thing.key == held.key);
            let gives_up = self.objects.get(number).is_none_or(|object| {
                object.going
                    || object.active()
                        && !object.blind
                        && object.wish(self.story.dialect, &held.key).is_none()
            });
            let waits = self.objects.iter().any(|(other, object)| {
                let free = if held.kind == Kind::Role {
                    object.held.is_empty()
                } else {
                    object.held.iter().all(|own| own.key != held.key)
                };
                other != number
                    && object.active()
                    && !object.blind
                    && free
                    && object.wish(self.story.dialect, &held.key).is_some()
            });
            if as_recorded && gives_up && waits {
                found.insert(id.clone());
            }
        }
        found
    }

    /// Whoever is in nobody's way has what it asks for.
    fn is_served(&self) -> Result<(), TestCaseError> {
        let sync = self.in_sync();
        let renames = |object: &Object| {
            self.story.kind == Kind::Role
                && object.held.iter().any(|held| object.wish(self.story.dialect, &held.key).is_none())
        };
        if self.objects.values().any(renames) {
            return Ok(());
        }
        for object in self.objects.values().filter(|object| object.active() && !object.blind) {
            for (_, body) in &object.wants {
                let key = self.story.dialect.key(body);
                let there = self.world.of_key(body.kind(), &key);
                let of_key = |object: &&Object| object.held.iter().any(|held| held.key == key);
                let holders: Vec<&Object> = self.objects.values().filter(of_key).collect();
                let stranger = there
                    .iter()
                    .any(|thing| !holders.iter().any(|object| object.ids().any(|id| *id == thing.id)));
                let resting = holders.iter().any(|object| object.paused || object.blind);
                let at_odds = holders.len() > 1;
                let served = there.iter().any(|thing| sync.iter().any(|(_, id)| *id == thing.id));
                prop_assert!(
                    stranger || resting || at_odds || served,
                    "nobody gets {key}: {}",
                    self.picture()
                );
            }
        }
        Ok(())
    }
}

fn wants_of(object: &Object) -> Vec<Want> {
    let wants = if object.going { &[][..] } else { &object.wants };
    let want = |(name, body): &(Option<String>, Body)| match object.blind {
        false => Want::new(name.clone(), body.clone()),
        true => Want::unresolved(name.clone(), Issue::NotFound, "who?"),
    };
    wants.iter().map(want).collect()
}

fn forget_others(held: &[Held]) -> Vec<Held> {
    held.iter().map(|held| Held { others: Others::None, ..held.clone() }).collect()
}

fn event() -> impl Strategy<Value = Event> {
    let number = || 0..OBJECTS;
    prop_oneof![
        8 => (number(), vec((0..4_usize, 0..3_usize), 0..3)).prop_map(|(number, ask)| Event::Write(number, ask)),
        2 => number().prop_map(Event::Delete),
        1 => (number(), any::<bool>()).prop_map(|(number, paused)| Event::Pause(number, paused)),
        1 => (number(), any::<bool>()).prop_map(|(number, blind)| Event::Blind(number, blind)),
        1 => any::<Index>().prop_map(Event::Remove),
        1 => (any::<Index>(), 0..3_usize, any::<bool>()).prop_map(|(which, says, rename)| Event::Change(which, says, rename)),
        1 => (0..4_usize, 0..3_usize).prop_map(|(thing, says)| Event::Make(thing, says)),
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
    (dialect, kind, [adopt(), adopt(), adopt()], vec((event(), schedule()), 1..12))
        .prop_map(|(dialect, kind, adopt, events)| Story { dialect, kind, adopt, events })
}

/// The objects that an event is about, and the thing that a stranger laid hands on.
fn concerned(event: &Event, town: &Town) -> (Option<usize>, Option<Id>) {
    match event {
        Event::Write(number, _)
        | Event::Delete(number)
        | Event::Pause(number, _)
        | Event::Blind(number, _) => (Some(*number), None),
        Event::Remove(which) | Event::Change(which, ..) => (None, town.pick(which)),
        Event::Make(..) => (None, None),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn objects_come_to_rest_keep_what_they_hold_hand_over_and_leave_nothing_behind(story in story()) {
        let mut town = Town::new(story.clone());
        for (event, schedule) in &story.events {
            let sync = town.in_sync();
            let held: Vec<(usize, Held)> = town.objects.iter()
                .flat_map(|(number, object)| object.held.iter().map(|held| (*number, held.clone())))
                .collect();
            let (touched, handled) = concerned(event, &town);
            town.happen(event);
            let inherited = town.to_be_handed_over(&held);
            if let (Some(rush), false) = (schedule.rush, town.objects.is_empty()) {
                let numbers: Vec<usize> = town.objects.keys().copied().collect();
                town.assess(*rush.get(&numbers));
                town.rushed = true;
                continue;
            }
            town.settle(schedule)?;
            if std::mem::take(&mut town.rushed) {
                town.settle(schedule)?;
                town.is_served()?;
                continue;
            }
            for (number, id) in sync {
                if Some(number) != touched && Some(&id) != handled.as_ref() {
                    let keeps = town.in_sync().contains(&(number, id.clone()));
                    prop_assert!(keeps, "{:?} took {id} from object {number}: {}", event, town.picture());
                }
            }
            for id in inherited {
                prop_assert!(town.world.things.contains_key(&id), "{id} was not handed over: {}", town.picture());
            }
            town.is_served()?;
        }
        let strange: BTreeSet<Id> = town.world.things.keys().filter(|id| !town.ever_held.contains(id) && !id.as_str().starts_with("made")).cloned().collect();
        for object in town.objects.values_mut() {
            object.going = true;
            object.paused = false;
        }
        let last = &story.events[0].1;
        town.settle(last)?;
        prop_assert!(town.objects.is_empty(), "these stay for ever: {}", town.picture());
        let left: BTreeSet<Id> = town.world.things.keys().cloned().collect();
        prop_assert_eq!(left, strange);
    }
}
