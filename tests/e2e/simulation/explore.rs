//! Random schedules: users change objects in two namespaces, hands change the account, calls fail, the operator is killed, time passes.
//! A seed replays a schedule exactly.
//!
//! Every other schedule has two operator processes that elect a leader and can be cut off from the API server.
//!
//! At each write: its process holds the Lease, and its object changes nothing that only objects of another namespace manage. After each
//! step: nothing unmanaged changed, and nothing is there twice. In the end, when nothing fails any more: no call writes anything,
//! also after a restart; the account and the objects are as in a run in which nothing ever failed; and deleting all objects leaves the
//! account as it was.

use std::{collections::BTreeSet, ops::Range, time::Duration};

use rolewright_simulators::{
    arize::Arize,
    grafana::Grafana,
    kit::{
        ADMIN,
        faults::{Action, Fault},
    },
    lenses::Lenses,
    zenml::ZenMl,
};
use serde_json::{Value, json};

use super::{
    cluster::{NAMESPACE, condition},
    path::plural_of,
    process::{Cut, Moment, Process, Trouble},
    scene::{Scene, Simulated, backend, remove_grant, schedules, simulated, within},
    shape::{difference, shape},
};
use crate::support::kind_and_name;

const NAMESPACES: [&str; 2] = [NAMESPACE, "team-b"];
/// The default of a Backend.
const SWEEP: &str = "5m";
/// Long enough for every back-off, and to forget corrections of drift.
const CALM: Duration = Duration::from_secs(5400);
const ROLES: usize = 3;
const BINDINGS: usize = 3;

/// One schedule.
struct Explorer<V: Simulated> {
    scene: Scene<V>,
    random: fastrand::Rng,
    /// The account at the start.
    seeded: Value,
    /// The access of the credential at the start.
    access: V::Grant,
    steps: Vec<String>,
}

impl<V: Simulated> Explorer<V> {
    fn new(seed: u64, replicas: usize) -> Self {
        let scene =
            Scene::<V>::with(V::servers().pop().unwrap(), json!({ "sweepInterval": SWEEP }), replicas);
        for namespace in NAMESPACES {
            scene.connect(namespace);
            scene.cluster.apply(within(backend::<V>(SWEEP), namespace));
        }
        let seeded = scene.external();
        let access = scene.sim.world().credentials.list().swap_remove(0).grant;
        Self { scene, random: fastrand::Rng::with_seed(seed), seeded, access, steps: Vec::new() }
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.random.usize(..all.len())]
    }

    fn number(&mut self, range: Range<usize>) -> usize {
        self.random.usize(range)
    }

    /// One step. Returns its description.
    fn step(&mut self) -> String {
        match self.number(0..100) {
            0..16 => self.apply_role(),
            16..36 => self.apply_binding(),
            36..40 => self.apply_restriction(),
            40..54 => self.delete(),
            54..66 => self.fail_calls(),
            66..71 => self.fail_writes_of_objects(),
            71..74 => self.partition(),
            74..82 => self.kill(),
            82..88 => self.meddle(),
            88..92 => self.change_credential(),
            92..96 => self.change_backend(),
            _ => "wait".to_owned(),
        }
    }

    fn apply_role(&mut self) -> String {
        let (namespace, number) = (self.pick(&NAMESPACES), self.number(0..ROLES));
        let mut role = sample::<V>("Role", self.random.bool());
        role["metadata"]["name"] = json!(format!("explored-{number}"));
        // Not every vendor can remove one.
        role["spec"]["description"] = json!(if self.random.bool() { "One" } else { "Another" });
        self.apply(role, namespace)
    }

    fn apply_binding(&mut self) -> String {
        let (namespace, number) = (self.pick(&NAMESPACES), self.number(0..BINDINGS));
        let mut binding = sample::<V>("RoleBinding", false);
        binding["metadata"]["name"] = json!(format!("binding-{number}"));
        let role = self.number(0..ROLES);
        binding["spec"]["roleRef"] = json!({ "name": format!("explored-{role}") });
        let subjects = binding["spec"]["subjects"].as_array_mut().unwrap();
        while subjects.len() > 1 && self.random.u8(..3) == 0 {
            subjects.swap_remove(self.random.usize(..subjects.len()));
        }
        self.apply(binding, namespace)
    }

    fn apply_restriction(&mut self) -> String {
        let restriction = V::restriction()
            .or_else(|| V::objects().into_iter().find(|object| object["kind"] == "ResourceRestriction"));
        let namespace = self.pick(&NAMESPACES);
        restriction.map_or_else(|| "wait".to_owned(), |restriction| self.apply(restriction, namespace))
    }

    fn apply(&mut self, mut object: Value, namespace: &str) -> String {
        if self.random.u8(..12) == 0 {
            object["metadata"]["annotations"] = json!({ "rolewright.dev/pause": "true" });
        }
        let text = format!(
            "apply {} {namespace}/{} {}",
            object["kind"], object["metadata"]["name"], object["spec"]["roleRef"]["name"]
        );
        self.scene.cluster.apply(within(object, namespace));
        text
    }

    fn delete(&mut self) -> String {
        let objects: Vec<Value> =
            self.scene.cluster.objects().into_iter().filter(|it| it["kind"] != "Backend").collect();
        if objects.is_empty() {
            return "wait".to_owned();
        }
        let object = &objects[self.number(0..objects.len())];
        let (kind, name) = kind_and_name(object);
        let namespace = object["metadata"]["namespace"].as_str().unwrap();
        self.scene.cluster.api.delete(plural_of(kind), namespace, name);
        format!("delete {kind} {namespace}/{name}")
    }

    fn fail_calls(&mut self) -> String {
        let status = |status, after_work| Action::Status {
            status,
            headers: Default::default(),
            body: None,
            after_work,
        };
        let actions = [
            status(500, false),
            status(500, true),
            status(502, false),
            status(503, false),
            status(403, false),
            status(404, false),
            status(409, false),
            status(429, false),
            Action::Reset,
            Action::AnswerLost,
            Action::CutBody { keep_bytes: 10 },
            Action::Garbage,
            Action::Delay { millis: 40_000, after_work: true },
            Action::ShortPage { keep: 1, last: false },
            Action::ShortPage { keep: 1, last: true },
        ];
        let action = actions[self.number(0..actions.len())].clone();
        let methods: &[&str] = self.pick(&[&["GET"][..], &["POST"], &["PUT", "PATCH"], &["DELETE"], &[]]);
        let (times, skip) = (self.random.u64(1..6), self.random.u64(0..8));
        let text = format!("calls {methods:?} fail {times} times after {skip}: {action:?}");
        let fault = Fault::on(methods, "/**", action).times(times).skip(skip);
        // The simulator has a limit of faults.
        let _ = self.scene.sim.world().faults.add(fault);
        text
    }

    fn fail_writes_of_objects(&mut self) -> String {
        let trouble = self.pick(&[Trouble::Refused, Trouble::Stale, Trouble::AnswerLost]);
        let times = self.number(1..5);
        self.one_process().fail(trouble, times);
        format!("{times} writes to the API server: {trouble:?}")
    }

    fn one_process(&mut self) -> Process {
        let processes: Vec<Process> = self.scene.cluster.processes().cloned().collect();
        processes[self.number(0..processes.len())].clone()
    }

    /// Long enough to lose the Lease, or not.
    fn partition(&mut self) -> String {
        let seconds = self.pick(&[3, 12, 40]);
        self.one_process().partition(Duration::from_secs(seconds));
        format!("a process does not reach the API server for {seconds} s")
    }

    fn kill(&mut self) -> String {
        let call = self.number(0..60);
        let moment = self.pick(&[Moment::Before, Moment::After]);
        self.one_process().arm(Some(Cut { call, moment }));
        format!("kill at call {call}, {moment:?}")
    }

    /// Removes a grant by hand that no seed has.
    fn meddle(&mut self) -> String {
        match remove_grant::<V>(&self.scene.sim, &self.seeded, &mut self.random) {
            Some(row) => format!("by hand: remove {row}"),
            None => "wait".to_owned(),
        }
    }

    fn change_credential(&mut self) -> String {
        let choice = self.number(0..4);
        let credentials = &self.scene.sim.world().credentials;
        match choice {
            0 => credentials.expire(ADMIN).unwrap(),
            1 => credentials.narrow(ADMIN, V::narrowed(self.access.clone())).unwrap(),
            2 => credentials.narrow(ADMIN, self.access.clone()).unwrap(),
            _ => credentials.revive(ADMIN).unwrap(),
        }
        let what = ["it expires", "it sees less", "it sees all", "it is valid"][choice];
        format!("the credential: {what}")
    }

    fn change_backend(&mut self) -> String {
        let namespace = self.pick(&NAMESPACES);
        let mode = self.pick(&["Enforce", "Enforce", "Plan"]);
        let mut changed = within(backend::<V>(SWEEP), namespace);
        changed["spec"]["mode"] = json!(mode);
        if self.random.u8(..4) == 0 {
            changed["metadata"]["annotations"] = json!({ "rolewright.dev/pause": "true" });
        }
        self.scene.cluster.apply(changed);
        format!("Backend of {namespace}: mode {mode}")
    }

    /// Nothing unmanaged changed, and no role is there twice.
    fn check(&self) {
        let now = self.scene.external();
        for list in V::KINDS.iter().flat_map(|(_, lists)| *lists) {
            let rows = now[*list].as_array().unwrap();
            for row in self.seeded[*list].as_array().unwrap() {
                assert!(rows.contains(row), "an unmanaged row changed: {row}\n{:#?}", self.steps);
            }
        }
        let mut names: Vec<&Value> = now[0].as_array().unwrap().iter().map(|role| &role["name"]).collect();
        names.retain(|name| name.as_str().is_some_and(|name| name.starts_with("explored")));
        names.sort_by_key(|name| name.to_string());
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}\n{:#?}", self.steps);
        let violations = self.scene.cluster.witness.violations();
        assert!(violations.is_empty(), "{violations:#?}\n{:#?}", self.steps);
    }

    /// Ends all faults and pauses.
    fn calm(&self) {
        let world = self.scene.sim.world();
        world.faults.clear();
        world.credentials.revive(ADMIN).unwrap();
        world.credentials.narrow(ADMIN, self.access.clone()).unwrap();
        for process in self.scene.cluster.processes() {
            process.arm(None);
            process.fail(Trouble::Stale, 0);
        }
        for object in self.scene.cluster.objects() {
            let namespace = object["metadata"]["namespace"].as_str().unwrap();
            let mut object = match object["kind"] == "Backend" {
                true => backend::<V>(SWEEP),
                false => object.clone(),
            };
            object["metadata"]["annotations"] = json!({});
            self.scene.cluster.apply(within(object, namespace));
        }
        self.delete_what_blocks();
    }

    /// Acknowledges what hands removed, as the Backend suggests.
    fn acknowledge(&self) {
        const WORD: &str = "rolewright.dev/acknowledge";
        for backend in self.scene.cluster.api.list("backends") {
            let message = condition(&backend, "Ready")["message"].as_str().unwrap_or_default().to_owned();
            if let Some((_, token)) = message.split_once(&format!("{WORD}=")) {
                let namespace = backend["metadata"]["namespace"].as_str().unwrap();
                let mut acknowledged = within(self::backend::<V>(SWEEP), namespace);
                acknowledged["metadata"]["annotations"] = json!({ WORD: token });
                self.scene.cluster.apply(acknowledged);
            }
        }
    }

    /// A Role waits for the RoleBindings that grant it.
    fn delete_what_blocks(&self) {
        let objects = self.scene.cluster.objects();
        let is_deleted = |object: &&Value| !object["metadata"]["deletionTimestamp"].is_null();
        for role in objects.iter().filter(|object| object["kind"] == "Role").filter(is_deleted) {
            let namespace = role["metadata"]["namespace"].as_str().unwrap();
            for binding in objects.iter().filter(|object| object["metadata"]["namespace"] == *namespace) {
                if binding["spec"]["roleRef"]["name"] == role["metadata"]["name"] {
                    let (_, name) = kind_and_name(binding);
                    self.scene.cluster.api.delete("rolebindings", namespace, name);
                }
            }
        }
    }

    /// No call writes anything for a while.
    async fn assert_steady(&mut self, when: &str) {
        let since = self.scene.sim.world().log.since(0).last;
        let version = self.scene.cluster.api.version();
        let before = self.scene.cluster.objects();
        self.scene.cluster.pass(Duration::from_secs(1800)).await;
        let log = self.scene.sim.world().log.since(since);
        let writes: Vec<String> = log
            .requests
            .iter()
            .filter(|entry| V::is_change(entry))
            .map(|entry| format!("{} {}", entry.method, entry.path))
            .collect();
        assert!(
            writes.is_empty(),
            "{when}: {writes:#?}\n{:#?}\n{}",
            self.steps,
            self.scene.cluster.describe()
        );
        let mut changed = self.scene.cluster.api.changed_objects(version);
        // Who the credential is can be known better after a restart.
        changed.retain(|object| {
            let same = |known: &&Value| known["metadata"]["uid"] == object["metadata"]["uid"];
            let known = before.iter().find(same).map(without_identity);
            object["kind"] != "Backend" || known != Some(without_identity(object))
        });
        let statuses = |objects: &[Value]| -> Vec<String> {
            objects.iter().map(|object| format!("{} {}", kind_and_name(object).1, object["status"])).collect()
        };
        let (was, is) = (statuses(&before), statuses(&changed));
        assert!(changed.is_empty(), "{when}, was: {was:#?}\nis: {is:#?}\n{}", self.report());
    }

    /// Each new row of the account is recorded by an object, each record is a row, and no object is still at work.
    fn assert_recorded(&self) {
        const AT_WORK: [&str; 7] = [
            "Reconciling",
            "BackendError",
            "Throttled",
            "BackendNotReady",
            "Deleting",
            "Planned",
            "Vanished",
        ];
        let objects = self.scene.cluster.objects();
        let now = self.scene.external();
        let rows = |account: &Value, lists: &[usize]| -> usize {
            lists.iter().map(|list| account[*list].as_array().unwrap().len()).sum()
        };
        for (kind, lists) in V::KINDS {
            let entries =
                objects.iter().flat_map(|object| object["status"]["held"].as_array().into_iter().flatten());
            let present = entries.filter(|entry| entry["kind"] == *kind && entry["state"] == "Present");
            let managed: BTreeSet<&str> = present.filter_map(|entry| entry["id"].as_str()).collect();
            let new = rows(&now, lists) - rows(&self.seeded, lists);
            // A binding that waits for its Role does not look after its grants.
            let is_right = if self.are_all_in_sync() { new == managed.len() } else { new <= managed.len() };
            assert!(is_right, "{new} new {kind}s, and recorded ones: {managed:#?}\n{}", self.report());
        }
        let at_work = |object: &&Value| {
            let reason = &condition(object, "Ready")["reason"];
            reason.as_str().is_none_or(|reason| AT_WORK.contains(&reason))
        };
        assert!(!objects.iter().any(|object| at_work(&object)), "an object is at work\n{}", self.report());
    }

    /// The steps and the objects, for a failure.
    fn report(&self) -> String {
        format!("{:#?}\n{}", self.steps, self.scene.cluster.describe())
    }

    fn are_all_in_sync(&self) -> bool {
        let objects = self.scene.cluster.objects();
        let mut reasons = objects.iter().map(|object| &condition(object, "Ready")["reason"]);
        reasons.all(|reason| *reason == "InSync" || *reason == "Connected")
    }

    /// What a run without faults makes of the present objects.
    async fn expected(&self) -> Vec<String> {
        let mut reference = Self::new(0, 1);
        let mut objects = self.scene.cluster.objects();
        objects.retain(|object| object["kind"] != "Backend");
        // What manages something keeps it, so it comes first.
        let is_first = |object: &Value| condition(object, "Ready")["reason"] == "InSync";
        objects.sort_by_key(|object| (!is_first(object), uid(object)));
        for object in objects {
            let namespace = object["metadata"]["namespace"].as_str().unwrap().to_owned();
            reference.scene.cluster.apply(within(object, &namespace));
            reference.scene.cluster.pass(Duration::from_secs(20)).await;
        }
        reference.scene.cluster.pass(CALM).await;
        let shape = reference.outcome();
        reference.scene.cluster.kill().await;
        shape
    }

    /// The account, and the reason of each object.
    fn outcome(&self) -> Vec<String> {
        let objects = self.scene.cluster.objects();
        let mut outcome = shape(self.scene.external(), &[]);
        outcome.extend(objects.iter().map(|object| {
            let (kind, name) = kind_and_name(object);
            format!(
                "{kind} {}/{name} {}",
                object["metadata"]["namespace"],
                condition(object, "Ready")["reason"]
            )
        }));
        outcome
    }

    async fn run(mut self, steps: usize) {
        self.scene.cluster.pass(Duration::from_secs(30)).await;
        for _ in 0..steps {
            let step = self.step();
            self.steps.push(step);
            let wait = self.pick(&[0, 1, 20, 400, 5_000, 30_000, 200_000]);
            self.scene.cluster.pass(Duration::from_millis(wait)).await;
            self.check();
        }
        self.calm();
        self.scene.cluster.pass(CALM).await;
        self.acknowledge();
        self.scene.cluster.pass(CALM).await;
        self.check();
        self.assert_steady("in the end").await;
        let outcome = self.outcome();
        self.scene.cluster.kill().await;
        self.scene.cluster.start();
        self.assert_steady("after a restart").await;
        self.assert_recorded();
        // Of two objects in conflict, the one that came first has the thing: the outcome depends on the schedule.
        if self.are_all_in_sync() {
            let unlike = difference(&self.expected().await, &outcome);
            assert!(unlike.is_empty(), "unlike a run without faults: {unlike:#?}\n{}", self.report());
        }
        for object in self.scene.cluster.objects().iter().filter(|object| object["kind"] != "Backend") {
            let (kind, name) = kind_and_name(object);
            let namespace = object["metadata"]["namespace"].as_str().unwrap();
            self.scene.cluster.api.delete(plural_of(kind), namespace, name);
        }
        self.scene.cluster.pass(CALM).await;
        let left = difference(&shape(self.seeded.clone(), &[]), &shape(self.scene.external(), &[]));
        assert!(left.is_empty(), "left after all objects were deleted: {left:#?}\n{}", self.report());
        self.scene.cluster.kill().await;
    }
}

/// An object of the vendor's trial, or its changed form.
fn sample<V: Simulated>(kind: &str, is_changed: bool) -> Value {
    let find = |objects: Vec<Value>| objects.into_iter().find(|object| object["kind"] == kind);
    let changed = if is_changed { find(V::changed_objects()) } else { None };
    changed.or_else(|| find(V::objects())).expect("an object of each kind")
}

/// The status of a Backend without what it says of its credential, and without what is unmanaged: that depends on what was read.
fn without_identity(backend: &Value) -> Value {
    let reasons = ["Ready", "Synced"].map(|type_| condition(backend, type_)["reason"].clone());
    let counts = ["held", "objects", "ready"].map(|field| backend["status"]["counts"][field].clone());
    json!([reasons, counts])
}

/// The number of an object's uid.
fn uid(object: &Value) -> u64 {
    object["metadata"]["uid"]
        .as_str()
        .and_then(|uid| uid.strip_prefix("uid-")?.parse().ok())
        .unwrap_or_default()
}

fn explore<V: Simulated>() {
    schedules(V::NAME, 30, 25, |seed, steps| {
        let replicas = if seed.is_multiple_of(2) { 2 } else { 1 };
        simulated(seed, async move { Explorer::<V>::new(seed, replicas).run(steps).await });
    });
}

#[test]
fn arize_survives_random_schedules() {
    explore::<Arize>();
}

#[test]
fn grafana_survives_random_schedules() {
    explore::<Grafana>();
}

#[test]
fn lenses_survives_random_schedules() {
    explore::<Lenses>();
}

#[test]
fn zenml_survives_random_schedules() {
    explore::<ZenMl>();
}
