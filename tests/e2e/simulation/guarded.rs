//! Random schedules under guards and approvals: users edit, prune and delete objects, people approve and reject plans, also old ones, hands
//! change the account, calls fail, and the operator is killed.
//!
//! At each write to the account: no more is gone than the guards allow within their window and the approved plans together remove. The
//! window lasts an hour of real time, so it does not move during a schedule. In mode Approve nothing is written that no approved plan
//! shows. In the end, when all that waits is approved, every object is in sync.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{extract::Request, response::Response};
use futures::future::BoxFuture;
use rolewright_simulators::{
    arize::Arize,
    grafana::Grafana,
    kit::{
        InMemory,
        faults::{Action, Fault},
    },
    lenses::Lenses,
    zenml::ZenMl,
};
use serde_json::{Value, json};

use super::{
    cluster::{Cluster, NAMESPACE, condition},
    network::Host,
    path::plural_of,
    process::{Cut, Moment, Trouble},
    scene::{Simulated, backend_with, connect_with, host, remove_grant, schedules, simulated, within},
    shape::without_assigned,
};
use crate::support::{approval, kind_and_name};

const NAMESPACES: [&str; 2] = [NAMESPACE, "team-b"];
const MAX_REMOVALS: i64 = 2;
const CALM: Duration = Duration::from_secs(5400);

/// The account, and what was taken away by writes of the operator.
struct Measured<V: Simulated> {
    sim: Arc<InMemory<V>>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    access: BTreeMap<String, i64>,
    removed: i64,
    written: i64,
}

impl<V: Simulated> Measured<V> {
    /// Counts what is gone since the last look. `by_hand`: not by the operator.
    fn look(&self, by_hand: bool) {
        let now = access(&V::external(&self.sim.world().tenant()));
        let mut seen = self.seen.lock().unwrap();
        let gone = |(row, count): (&String, &i64)| (count - now.get(row).copied().unwrap_or(0)).max(0);
        let removed: i64 = seen.access.iter().map(gone).sum();
        if !by_hand {
            seen.removed += removed;
            seen.written += i64::from(now != seen.access);
        }
        seen.access = now;
    }

    fn seen(&self) -> (i64, i64) {
        let seen = self.seen.lock().unwrap();
        (seen.removed, seen.written)
    }
}

impl<V: Simulated> Host for Measured<V> {
    fn changes(&self, target: &str, held: &Value) -> bool {
        V::changes(target, held)
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Option<Response>> {
        Box::pin(async move {
            let answer = self.sim.answer(request).await;
            self.look(false);
            answer
        })
    }
}

/// Roles by name, grants, and members of groups by role.
fn access(external: &Value) -> BTreeMap<String, i64> {
    let mut rows = BTreeMap::new();
    let mut add = |row: String| *rows.entry(row).or_default() += 1;
    for (number, list) in external.as_array().expect("lists").iter().enumerate() {
        for row in list.as_array().expect("rows") {
            let members = ["users", "service_accounts"].iter().filter_map(|field| row[*field].as_array());
            let members: Vec<&Value> = members.flatten().collect();
            match (number, row["roles"].as_array()) {
                (0, _) => add(format!("role {}", row["name"])),
                (_, Some(roles)) => roles
                    .iter()
                    .flat_map(|role| members.iter().map(move |member| (role, member)))
                    .for_each(|(role, member)| add(format!("{} {role} {member}", row["name"]))),
                _ => add(without_assigned(row.clone()).to_string()),
            }
        }
    }
    rows
}

/// One schedule.
struct Schedule<V: Simulated> {
    cluster: Cluster,
    account: Arc<Measured<V>>,
    random: fastrand::Rng,
    /// The account at the start.
    seeded: Value,
    /// The Approvals, with the removals and the changes that they show.
    approvals: Vec<(String, String, i64, i64)>,
    /// Hashes of plans that were looked at.
    hashes: BTreeSet<(String, String, String, String)>,
    /// Nobody approves anything before the end.
    without_approvals: bool,
    /// Both Backends have been in mode Approve since the start, and no call fails: each write is one change.
    only_approved: bool,
    steps: Vec<String>,
}

impl<V: Simulated> Schedule<V> {
    fn new(seed: u64) -> Self {
        let (only_approved, without_approvals) = (seed.is_multiple_of(3), seed % 3 == 1);
        let sim = Arc::new(InMemory::new(V::servers().pop().unwrap()).unwrap());
        let seeded = V::external(&sim.world().tenant());
        let account = Arc::new(Measured { sim, seen: Mutex::default() });
        account.look(true);
        let hosts: BTreeMap<String, Arc<dyn Host>> = [(host(), account.clone() as _)].into();
        let mut cluster = Cluster::new(Arc::new(hosts));
        let mode = if only_approved { "Approve" } else { "Enforce" };
        for namespace in NAMESPACES {
            connect_with::<V>(&cluster, namespace, spec(mode));
        }
        cluster.start();
        Self {
            cluster,
            account,
            random: fastrand::Rng::with_seed(seed),
            seeded,
            approvals: Vec::new(),
            hashes: BTreeSet::new(),
            without_approvals,
            only_approved,
            steps: Vec::new(),
        }
    }

    fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.random.usize(..all.len())].clone()
    }

    fn step(&mut self) -> String {
        match self.random.u8(..100) {
            0..12 => self.apply_role(),
            12..40 => self.apply_binding(),
            40..52 => self.delete(),
            52..68 if !self.without_approvals => self.decide(),
            68..74 if !self.without_approvals => self.approve_all(),
            74..78 => self.decide_again(),
            78..80 => self.prune(),
            80..84 => self.meddle(),
            84..91 => self.kill(),
            91..97 if !self.only_approved => self.fail_calls(),
            97..100 if !self.only_approved => self.change_mode(),
            _ => "wait".to_owned(),
        }
    }

    fn apply_role(&mut self) -> String {
        let (namespace, number) = (self.pick(&NAMESPACES), self.random.u8(..3));
        let mut role = sample::<V>("Role");
        role["metadata"]["name"] = json!(format!("guarded-{number}"));
        role["spec"]["description"] = json!(self.pick(&["One", "Another"]));
        self.cluster.apply(within(role, namespace));
        format!("apply Role {namespace}/guarded-{number}")
    }

    fn apply_binding(&mut self) -> String {
        let (namespace, number) = (self.pick(&NAMESPACES), self.random.u8(..3));
        let mut binding = sample::<V>("RoleBinding");
        binding["metadata"]["name"] = json!(format!("binding-{number}"));
        let role = self.random.u8(..3);
        binding["spec"]["roleRef"] = json!({ "name": format!("guarded-{role}") });
        let subjects = binding["spec"]["subjects"].as_array_mut().unwrap();
        while subjects.len() > 1 && self.random.bool() {
            subjects.swap_remove(self.random.usize(..subjects.len()));
        }
        self.cluster.apply(within(binding, namespace));
        format!("apply RoleBinding {namespace}/binding-{number} of guarded-{role}")
    }

    fn delete(&mut self) -> String {
        let mut objects = self.cluster.objects();
        objects.retain(|object| object["kind"] == "Role" || object["kind"] == "RoleBinding");
        // Sometimes all of a namespace.
        if self.random.u8(..6) == 0 {
            let namespace = self.pick(&NAMESPACES);
            objects.retain(|object| object["metadata"]["namespace"] == namespace);
            objects.iter().for_each(|object| delete(&self.cluster, object));
            return format!("delete all of {namespace}");
        }
        if objects.is_empty() {
            return "wait".to_owned();
        }
        let object = self.pick(&objects);
        delete(&self.cluster, &object);
        format!("delete {} {}", object["kind"], object["metadata"]["name"])
    }

    /// Removes what no object manages, or stops to.
    fn prune(&mut self) -> String {
        let namespace = self.pick(&NAMESPACES);
        if self.cluster.api.get("prunes", namespace, "rest").is_some() {
            self.cluster.api.delete("prunes", namespace, "rest");
            return format!("delete Prune {namespace}/rest");
        }
        let spec = json!({ "backendRef": { "name": V::NAME }, "kinds": ["Grant"] });
        let prune = json!({
            "apiVersion": "rolewright.dev/v1alpha1", "kind": "Prune", "metadata": { "name": "rest" }, "spec": spec,
        });
        self.cluster.apply(within(prune, namespace));
        format!("apply Prune {namespace}/rest")
    }

    /// Approves or rejects the plan that an object shows.
    fn decide(&mut self) -> String {
        let mut waiting = self.cluster.objects();
        waiting.retain(|object| object["status"]["plan"]["waiting"].is_object());
        if waiting.is_empty() {
            return "wait".to_owned();
        }
        let object = self.pick(&waiting);
        let plan = object["status"]["plan"].clone();
        let (kind, name) = kind_and_name(&object);
        let namespace = object["metadata"]["namespace"].as_str().unwrap();
        let hash = plan["hash"].as_str().unwrap();
        let decision = if self.random.u8(..5) == 0 { "Reject" } else { "Approve" };
        let shown = match decision {
            "Approve" => (plan["waiting"]["removals"].as_i64().unwrap(), plan["total"].as_i64().unwrap()),
            _ => (0, 0),
        };
        self.approval(namespace, (kind, name), hash, decision, shown)
    }

    fn approval(
        &mut self,
        namespace: &str,
        (kind, name): (&str, &str),
        hash: &str,
        decision: &str,
        (removals, changes): (i64, i64),
    ) -> String {
        let approval_name = format!("approval-{}", self.approvals.len());
        self.approvals.push((namespace.to_owned(), approval_name.clone(), removals, changes));
        self.cluster.apply(within(approval(&approval_name, kind, name, hash, decision), namespace));
        self.hashes.insert((namespace.to_owned(), kind.to_owned(), name.to_owned(), hash.to_owned()));
        format!("{decision} {kind} {namespace}/{name} {hash}")
    }

    /// Approves all that a Backend shows.
    fn approve_all(&mut self) -> String {
        let namespace = self.pick(&NAMESPACES);
        let backends = self.cluster.api.list("backends");
        let backend = backends.iter().find(|it| it["metadata"]["namespace"] == namespace).unwrap();
        let waiting = &backend["status"]["waiting"];
        let Some(hash) = waiting["plan"].as_str() else { return "wait".to_owned() };
        let removals = waiting["removals"].as_i64().unwrap();
        let objects = self.cluster.objects();
        let here = objects.iter().filter(|object| object["metadata"]["namespace"] == namespace);
        let changes = here.filter_map(|object| object["status"]["plan"]["total"].as_i64()).sum::<i64>();
        self.approval(namespace, ("Backend", V::NAME), hash, "Approve", (removals, changes))
    }

    /// A decision about a plan that was decided about before does nothing.
    fn decide_again(&mut self) -> String {
        let known: Vec<_> = self.hashes.iter().cloned().collect();
        if known.is_empty() {
            return "wait".to_owned();
        }
        let (namespace, kind, name, hash) = self.pick(&known);
        // Unless the object still shows it.
        let shown = self.cluster.objects().into_iter().find(|object| {
            let plan = &object["status"]["plan"];
            plan["hash"] == hash || object["status"]["waiting"]["plan"] == hash
        });
        if shown.is_some() {
            return "wait".to_owned();
        }
        format!("again: {}", self.approval(&namespace, (&kind, &name), &hash, "Approve", (0, 0)))
    }

    /// Removes by hand what an object manages.
    fn meddle(&mut self) -> String {
        self.account.look(false);
        let removed = remove_grant::<V>(&self.account.sim, &self.seeded, &mut self.random);
        self.account.look(true);
        removed.map_or_else(|| "wait".to_owned(), |row| format!("by hand: remove {row}"))
    }

    fn kill(&mut self) -> String {
        let call = self.random.usize(..40);
        let moment = self.pick(&[Moment::Before, Moment::After]);
        for process in self.cluster.processes() {
            process.arm(Some(Cut { call, moment }));
        }
        format!("kill at call {call}, {moment:?}")
    }

    fn fail_calls(&mut self) -> String {
        let status = |status, after_work| Action::Status {
            status,
            headers: Default::default(),
            body: None,
            after_work,
        };
        let actions =
            [status(500, false), status(500, true), status(403, false), Action::AnswerLost, Action::Reset];
        let action = self.pick(&actions);
        let methods = self.pick(&[&["POST"][..], &["PUT", "PATCH"], &["DELETE"], &["GET"]]);
        if self.random.bool() {
            let trouble = self.pick(&[Trouble::Refused, Trouble::Stale, Trouble::AnswerLost]);
            self.cluster.processes().for_each(|process| process.fail(trouble, 2));
            return format!("writes of objects: {trouble:?}");
        }
        let text = format!("calls {methods:?}: {action:?}");
        let fault = Fault::on(methods, "/**", action).times(2).skip(self.random.u64(..4));
        let _ = self.account.sim.world().faults.add(fault);
        text
    }

    fn change_mode(&mut self) -> String {
        let (namespace, mode) =
            (self.pick(&NAMESPACES), self.pick(&["Enforce", "Enforce", "Approve", "Plan"]));
        self.cluster.apply(within(backend_with::<V>(spec(mode)), namespace));
        format!("Backend of {namespace}: mode {mode}")
    }

    /// The removals and the changes that Approvals show which had an effect, or still can have one.
    fn approved(&self) -> (i64, i64) {
        let has_effect = |(namespace, name, ..): &&(String, String, i64, i64)| {
            let approval = self.cluster.api.get("approvals", namespace, name);
            let state = approval.map(|approval| approval["status"]["state"].clone()).unwrap_or_default();
            state != "Outdated" && state != "Ignored"
        };
        let effective = self.approvals.iter().filter(has_effect);
        effective.fold((0, 0), |sum, (_, _, removals, changes)| (sum.0 + removals, sum.1 + changes))
    }

    fn check(&self) {
        let (removed, written) = self.account.seen();
        let approved = self.approved();
        let limit = if self.only_approved { 0 } else { MAX_REMOVALS };
        assert!(
            removed <= limit + approved.0,
            "{removed} removals, {limit} allowed and {} approved\n{:#?}\n{}",
            approved.0,
            self.steps,
            self.cluster.describe()
        );
        if self.only_approved {
            assert!(
                written <= approved.1,
                "{written} changes, and the approved plans show {}\n{:#?}",
                approved.1,
                self.steps
            );
        }
    }

    async fn run(mut self, steps: usize) {
        self.cluster.pass(Duration::from_secs(30)).await;
        for _ in 0..steps {
            let step = self.step();
            self.steps.push(step);
            let wait = self.pick(&[0, 1, 20, 400, 5_000, 30_000, 400_000]);
            self.cluster.pass(Duration::from_millis(wait)).await;
            self.check();
        }
        self.account.sim.world().faults.clear();
        for process in self.cluster.processes() {
            process.arm(None);
            process.fail(Trouble::Stale, 0);
        }
        for namespace in NAMESPACES.iter().filter(|_| !self.only_approved) {
            self.cluster.apply(within(backend_with::<V>(spec("Enforce")), namespace));
        }
        for rejection in self.cluster.api.list("approvals") {
            if rejection["spec"]["decision"] == "Reject" {
                delete(&self.cluster, &rejection);
            }
        }
        for _ in 0..8 {
            self.cluster.pass(CALM).await;
            for _ in 0..4 {
                let step = self.approve_all();
                self.steps.push(step);
            }
            self.delete_what_blocks();
        }
        self.cluster.pass(CALM).await;
        self.check();
        let unlike: Vec<String> = self
            .cluster
            .objects()
            .iter()
            .filter(|object| object["status"]["plan"]["waiting"].is_object() || is_stuck(object))
            .map(|object| serde_json::to_string(object).unwrap())
            .collect();
        assert!(unlike.is_empty(), "{unlike:#?}\n{:#?}", self.steps);
        self.cluster.kill().await;
    }

    /// A Role waits for the RoleBindings that grant it.
    fn delete_what_blocks(&self) {
        let objects = self.cluster.objects();
        for role in
            objects.iter().filter(|it| it["kind"] == "Role" && !it["metadata"]["deletionTimestamp"].is_null())
        {
            for binding in
                objects.iter().filter(|it| it["metadata"]["namespace"] == role["metadata"]["namespace"])
            {
                if binding["spec"]["roleRef"]["name"] == role["metadata"]["name"] {
                    delete(&self.cluster, binding);
                }
            }
        }
    }
}

/// Whether an object is not done although nothing keeps it from that: a Role can wait for a RoleBinding whose new role does not exist.
fn is_stuck(object: &Value) -> bool {
    let reason = condition(object, "Ready")["reason"].clone();
    let is_deleted = !object["metadata"]["deletionTimestamp"].is_null();
    is_deleted && object["kind"] != "Approval" && reason != "DeletionBlocked" && reason != "Deleting"
}

fn delete(cluster: &Cluster, object: &Value) {
    let (kind, name) = kind_and_name(object);
    cluster.api.delete(plural_of(kind), object["metadata"]["namespace"].as_str().unwrap(), name);
}

fn spec(mode: &str) -> Value {
    let guards = json!({ "maxRemovals": MAX_REMOVALS, "maxRemovalPercent": 0 });
    json!({ "mode": mode, "sweepInterval": "5m", "guards": guards, "exclusive": true })
}

fn sample<V: Simulated>(kind: &str) -> Value {
    V::objects().into_iter().find(|object| object["kind"] == kind).expect("an object of each kind")
}

fn explore<V: Simulated>() {
    schedules(&format!("{} with guards", V::NAME), 40, 15, |seed, steps| {
        simulated(seed, async move { Schedule::<V>::new(seed).run(steps).await });
    });
}

#[test]
fn arize_removes_no_more_than_allowed_or_approved() {
    explore::<Arize>();
}

#[test]
fn grafana_removes_no_more_than_allowed_or_approved() {
    explore::<Grafana>();
}

#[test]
fn lenses_removes_no_more_than_allowed_or_approved() {
    explore::<Lenses>();
}

#[test]
fn zenml_removes_no_more_than_allowed_or_approved() {
    explore::<ZenMl>();
}
