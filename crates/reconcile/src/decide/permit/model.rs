//! The life of approvals, checked for every order of events: edits, decisions (also of old plans), changes by hand, and crashes between any
//! two writes. The plan and the permit are the real ones; the model has the order in which the controller writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use rolewright_api as api;
use rolewright_api::{ApprovalState, Guards, Mode};
use rolewright_core::{
    model::{
        Body, Builder, Change, Grant, Id, IdentityRules, Kind, Level, Named, Observed, Proof, RoleRef,
        Snapshot,
    },
    planner::{
        self, Adopt, Desired, Held, Policy, Removal,
        testing::{TestDialect, pending, present},
    },
};
use serde_json::json;
use stateright::{Checker, Model, Property};

use super::{Permit, Terms, permit};
use crate::{
    convert::held_to_status,
    decide::{plan::Decision, resolve::Resolved},
};

/// The rules of the back end.
pub const DIALECT: TestDialect = TestDialect::NoScopes;
const SUBJECTS: [&str; 2] = ["alice", "bob"];
const MAX_APPROVALS: usize = 3;

/// The whole world of one RoleBinding in mode Approve.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    /// The subjects of the spec.
    spec: BTreeSet<usize>,
    generation: i64,
    status: Status,
    /// The subjects that have the role.
    account: BTreeSet<usize>,
    approvals: Vec<Decided>,
    operator: Operator,
    /// How often each can still happen.
    edits: u8,
    drifts: u8,
    crashes: u8,
    /// Writes to the account that no status records yet, and the approvals that paid for them.
    unrecorded: Vec<(usize, Write)>,
    /// What must never be.
    violation: Option<&'static str>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Status {
    observed: i64,
    serial: i64,
    /// The managed grants, and whether each is known to exist.
    held: BTreeMap<usize, bool>,
    /// The approval that was accepted, and what it still covers.
    approval: Option<(usize, Vec<String>)>,
    /// The hash and the effects of the plan that waits.
    waiting: Option<(String, Vec<String>)>,
}

/// An Approval, and what its author saw.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Decided {
    hash: String,
    approves: bool,
    state: Option<ApprovalState>,
    /// The changes that were shown and that it has not paid for yet. Empty if another plan was shown.
    shown: Vec<String>,
}

/// What the operator does next. A crash loses it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Operator {
    Plans,
    /// Writes to the account, then the report. The second field is what was written.
    Writes(Vec<Write>, Vec<Write>),
    /// Writes the states of approvals.
    Decides(Vec<(usize, ApprovalState)>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Write {
    subject: usize,
    grants: bool,
    effect: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Event {
    Edit(usize),
    /// Decides about the plan that is shown.
    Decide(bool),
    /// Approves a plan that was decided about before.
    ApproveAgain(usize),
    RevokeByHand(usize),
    Work,
    Crash,
}

fn body(subject: usize) -> Body {
    let named = |level, id: &str| Named::new(level, Id::new(id), id);
    Body::Grant(Grant {
        role: RoleRef::Existing(named(Level::ROLE, "reader")),
        subject: named(Level::USER, SUBJECTS[subject]),
        scope: None,
    })
}

fn subject_of(change: &Change) -> usize {
    (0..SUBJECTS.len()).find(|subject| *change.body() == body(*subject)).expect("a grant of the model")
}

/// The decision for an object that manages `recorded` and desires `desired`.
pub fn decision_of(desired: Vec<Desired>, snapshot: &Snapshot, recorded: Vec<Held>) -> Decision {
    let policy = Policy { identity: &DIALECT, adopt: Adopt::IfIdentical, removal: Removal::Delete };
    Decision {
        plan: planner::plan(&desired, snapshot, &recorded, &policy),
        resolved: Resolved { desired, ..Resolved::default() },
        touched: Vec::new(),
        recorded,
        unsettled: None,
        still_shared: Vec::new(),
        requested: None,
        still_open: None,
    }
}

impl World {
    fn held(&self) -> Vec<Held> {
        let entry = |(subject, exists): (&usize, &bool)| {
            let (body, name) = (body(*subject), SUBJECTS[*subject]);
            match exists {
                true => present(DIALECT, &format!("G-{name}"), &body, Some(name)),
                false => pending(DIALECT, &body, Some(name)),
            }
        };
        self.status.held.iter().map(entry).collect()
    }

    fn decision(&self) -> Decision {
        let mut snapshot = Builder::new();
        snapshot.prove(Kind::Grant, Proof::Everywhere);
        for subject in &self.account {
            let body = body(*subject);
            let id = Id::new(format!("G-{}", SUBJECTS[*subject]));
            snapshot.add(Observed::new(id, DIALECT.key(&body), body));
        }
        let desired: Vec<Desired> = self
            .spec
            .iter()
            .map(|subject| Desired::new(Some(SUBJECTS[*subject].to_owned()), body(*subject)))
            .collect();
        decision_of(desired, &snapshot.complete(), self.held())
    }

    fn object(&self) -> api::RoleBinding {
        let subjects: Vec<_> =
            self.spec.iter().map(|subject| json!({"kind": "User", "name": SUBJECTS[*subject]})).collect();
        let held: Vec<_> = self.held().iter().map(held_to_status).collect();
        let approval = self.status.approval.as_ref().map(|(approval, remaining)| {
            json!({
                "name": format!("a-{approval}"), "uid": format!("a-{approval}"), "plan": "", "approvedBy": "carol",
                "remaining": remaining,
            })
        });
        serde_json::from_value(json!({
            "apiVersion": "rolewright.dev/v1alpha1", "kind": "RoleBinding",
            "metadata": {"name": "readers", "namespace": "ns", "uid": "uid", "generation": self.generation},
            "spec": {"backendRef": {"name": "b"}, "roleRef": {"name": "reader"}, "subjects": subjects},
            "status": {
                "observedGeneration": self.status.observed, "serial": self.status.serial, "held": held,
                "approval": approval,
            },
        }))
        .expect("a RoleBinding")
    }

    /// The approvals that can still have an effect.
    fn open_approvals(&self) -> Vec<Arc<api::Approval>> {
        let open = |it: &&(usize, &Decided)| it.1.state.is_none_or(|state| !state.is_final());
        let all = self.approvals.iter().enumerate();
        let approvals = all.filter(|it| open(&it)).map(|(number, decided)| {
            let decision = if decided.approves { "Approve" } else { "Reject" };
            serde_json::from_value(json!({
                "apiVersion": "rolewright.dev/v1alpha1", "kind": "Approval",
                "metadata": {"name": format!("a-{number}"), "namespace": "ns", "uid": format!("a-{number}")},
                "spec": {
                    "target": {"kind": "RoleBinding", "name": "readers"}, "plan": decided.hash, "decision": decision,
                    "approvedBy": "carol",
                },
                "status": decided.state.map(|state| json!({"state": state})),
            }))
            .expect("an Approval")
        });
        approvals.map(Arc::new).collect()
    }

    fn permit(&self, decision: &Decision, serial: i64) -> Permit {
        let guards = Guards::default();
        let terms = Terms { account: "account", mode: Mode::Approve, guards: &guards, own: &[] };
        permit(&self.object(), terms, decision, serial, |_| 0, &self.open_approvals(), Timestamp::UNIX_EPOCH)
    }

    /// One write of the operator.
    fn work(&mut self) {
        match self.operator.clone() {
            Operator::Plans => self.plan(),
            Operator::Writes(mut left, mut done) => match left.pop() {
                Some(write) => {
                    self.write(&write);
                    done.push(write);
                    self.operator = Operator::Writes(left, done);
                }
                None => {
                    for write in &done {
                        match write.grants {
                            true => self.status.held.insert(write.subject, true),
                            false => self.status.held.remove(&write.subject),
                        };
                    }
                    self.report(true);
                }
            },
            Operator::Decides(mut left) => {
                let (approval, state) = left.pop().expect("a decision");
                self.approvals[approval].state = Some(state);
                self.operator = if left.is_empty() { Operator::Plans } else { Operator::Decides(left) };
            }
        }
    }

    /// Records what is about to be done, or reports what waits.
    fn plan(&mut self) {
        let decision = self.decision();
        let permit = self.permit(&decision, self.status.serial);
        if permit.plan.is_empty() {
            return self.report(false);
        }
        let hash = decision.plan.hash("account", "uid", self.status.serial);
        // One that was outdated when it was looked at has no effect later.
        let rejects =
            |it: &Decided| !it.approves && it.hash == hash && it.state.is_none_or(|state| !state.is_final());
        if self.approvals.iter().any(rejects) {
            self.violation = Some("a rejected plan is executed");
        }
        self.record_held(permit.plan.held());
        self.status.approval = permit.approval.as_ref().map(record);
        let writes = permit.plan.steps().iter().map(|step| Write {
            subject: subject_of(&step.change),
            grants: matches!(step.change, Change::Create { .. }),
            effect: step.effect(),
        });
        self.operator = Operator::Writes(writes.rev().collect(), Vec::new());
    }

    fn record_held(&mut self, held: &[Held]) {
        let subject = |held: &Held| SUBJECTS.iter().position(|name| held.name.as_deref() == Some(name));
        self.status.held = held.iter().filter_map(|held| Some((subject(held)?, held.is_present()))).collect();
    }

    /// Each write is one that somebody saw and approved, and nobody used up.
    fn write(&mut self, write: &Write) {
        let payer = self.approvals.iter().position(|it| it.approves && it.shown.contains(&write.effect));
        match payer {
            Some(payer) => {
                self.approvals[payer].shown.retain(|effect| *effect != write.effect);
                self.unrecorded.push((payer, write.clone()));
            }
            None => self.violation = Some("a change is made that no approved plan shows"),
        }
        match write.grants {
            true => self.account.insert(write.subject),
            false => self.account.remove(&write.subject),
        };
    }

    /// A grant that is revoked by hand before it was recorded looks as if it had never been made: it is made again.
    fn revoke_by_hand(&mut self, subject: usize) {
        self.account.remove(&subject);
        for (payer, write) in &self.unrecorded {
            if write.grants && write.subject == subject {
                self.approvals[*payer].shown.push(write.effect.clone());
            }
        }
    }

    /// `executed`: after writes, which count as one more executed plan.
    fn report(&mut self, executed: bool) {
        self.unrecorded.clear();
        let decision = self.decision();
        let mut permit = self.permit(&decision, self.status.serial + i64::from(executed));
        let is_used = |world: &Self, permit: &Permit| {
            let now = world.approval_record(permit);
            world.status.approval.as_ref().zip(now).is_some_and(|(known, now)| now.1.len() < known.1.len())
        };
        if !executed && is_used(self, &permit) {
            permit = self.permit(&decision, permit.serial + 1);
        }
        self.status.serial = permit.serial;
        self.record_held(permit.plan.held());
        self.status.approval = self.approval_record(&permit);
        self.status.observed = self.generation;
        let plan = &decision.plan;
        self.status.waiting = permit.withheld.as_ref().map(|_| {
            let effects = plan.steps().iter().map(planner::Step::effect).collect();
            (plan.hash("account", "uid", self.status.serial), effects)
        });
        let number = |approval: &api::Approval| {
            approval.metadata.name.as_deref().and_then(|name| name.strip_prefix("a-")?.parse().ok())
        };
        let decided: Vec<(usize, ApprovalState)> = permit
            .decided
            .iter()
            .map(|(approval, state, _)| (number(approval).expect("a number"), *state))
            .collect();
        self.operator = if decided.is_empty() { Operator::Plans } else { Operator::Decides(decided) };
    }

    fn approval_record(&self, permit: &Permit) -> Option<(usize, Vec<String>)> {
        let (number, _) = self.status.approval.clone()?;
        match permit.approval.as_ref().map(record) {
            Some((same, remaining)) if same == number => Some((same, remaining)),
            _ => Some((number, Vec::new())),
        }
    }

    fn decide(&mut self, hash: String, approves: bool) {
        // What the author can know is what the status shows now.
        let shown = self.status.waiting.as_ref().filter(|(shown, _)| *shown == hash && approves);
        let shown = shown.map(|(_, effects)| effects.clone()).unwrap_or_default();
        self.approvals.push(Decided { hash, approves, state: None, shown });
    }
}

fn record(record: &api::ApprovalRecord) -> (usize, Vec<String>) {
    let number = record.uid.strip_prefix("a-").and_then(|number| number.parse().ok());
    (number.expect("a number"), record.remaining.clone())
}

struct Lives;

impl Model for Lives {
    type State = World;
    type Action = Event;

    fn init_states(&self) -> Vec<World> {
        // Alice has the role. The spec wants Bob instead.
        vec![World {
            spec: BTreeSet::from([1]),
            generation: 2,
            status: Status { observed: 1, serial: 1, held: BTreeMap::from([(0, true)]), ..Status::default() },
            account: BTreeSet::from([0]),
            approvals: Vec::new(),
            operator: Operator::Plans,
            edits: 1,
            drifts: 1,
            crashes: 2,
            unrecorded: Vec::new(),
            violation: None,
        }]
    }

    fn actions(&self, world: &World, events: &mut Vec<Event>) {
        events.push(Event::Work);
        if world.crashes > 0 && world.operator != Operator::Plans {
            events.push(Event::Crash);
        }
        if world.edits > 0 {
            events.extend((0..SUBJECTS.len()).map(Event::Edit));
        }
        if world.drifts > 0 {
            events.extend(world.account.iter().map(|subject| Event::RevokeByHand(*subject)));
        }
        if world.approvals.len() < MAX_APPROVALS {
            if world.status.waiting.is_some() {
                events.extend([true, false].map(Event::Decide));
            }
            events.extend((0..world.approvals.len()).map(Event::ApproveAgain));
        }
    }

    fn next_state(&self, world: &World, event: Event) -> Option<World> {
        let mut next = world.clone();
        match event {
            Event::Work => next.work(),
            Event::Crash => {
                next.crashes -= 1;
                next.operator = Operator::Plans;
            }
            Event::Edit(subject) => {
                next.edits -= 1;
                next.generation += 1;
                if !next.spec.remove(&subject) {
                    next.spec.insert(subject);
                }
            }
            Event::RevokeByHand(subject) => {
                next.drifts -= 1;
                next.revoke_by_hand(subject);
            }
            Event::Decide(approves) => {
                let (hash, _) = next.status.waiting.clone()?;
                next.decide(hash, approves);
            }
            Event::ApproveAgain(number) => {
                let hash = next.approvals[number].hash.clone();
                next.decide(hash, true);
            }
        }
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("only what was shown and approved is written, once", |_, world: &World| {
                world.violation.is_none()
            }),
            Property::sometimes("an approved plan is executed", |_, world: &World| {
                world.account == world.spec
                    && world.approvals.iter().any(|it| it.state == Some(ApprovalState::Executed))
            }),
            Property::sometimes("it is executed after two crashes", |_, world: &World| {
                world.crashes == 0 && world.account == world.spec
            }),
            Property::sometimes("a plan is rejected", |_, world: &World| {
                world.approvals.iter().any(|it| it.state == Some(ApprovalState::Rejected))
            }),
        ]
    }
}

#[test]
fn approvals_cover_what_was_shown_in_every_order_of_events() {
    let checker = Lives.checker().threads(2).spawn_bfs().join();
    checker.assert_properties();
    println!("{} states", checker.unique_state_count());
    assert!(checker.is_done());
}
