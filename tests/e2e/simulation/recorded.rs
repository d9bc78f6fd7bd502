//! Statuses that the operator writes, as files: the test data of the health checks for GitOps tools in `examples/argocd`.
//!
//! `ROLEWRIGHT_RECORD=1 cargo test --test e2e simulation::recorded` writes them. Without the variable, the test compares them.

mod normal;
mod scenes;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    cluster::{Cluster, NAMESPACE, condition, is_reported},
    path::plural_of,
};
use normal::normalized;

const FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/examples/argocd/resource_customizations/rolewright.dev");
const PAUSE: &str = "rolewright.dev/pause";
const RECONCILE_AT: &str = "rolewright.dev/reconcile-at";
/// The value that the tests of actions put in place of the present time.
const NOW: &str = "2027-01-01T00:00:00Z";

/// The health of an object in Argo CD.
#[derive(Clone, Copy, Debug)]
enum Health {
    Healthy,
    Progressing,
    Suspended,
    Degraded,
}

/// The files of a recording, by their path in [`FOLDER`].
#[derive(Default)]
struct Recording {
    files: BTreeMap<PathBuf, String>,
    /// The cases of each kind.
    cases: BTreeMap<String, Vec<Value>>,
}

impl Recording {
    /// Records an object as it is now, and the health that Argo CD must show.
    fn add(&mut self, object: &Value, file: &str, health: Health) {
        let object = normalized(object);
        let kind = object["kind"].as_str().unwrap().to_owned();
        let input = format!("testdata/{file}.yaml");
        let cases = self.cases.entry(kind.clone()).or_default();
        cases.push(json!({
            "healthStatus": { "status": format!("{health:?}"), "message": shown(&object) },
            "inputPath": input,
        }));
        let path = Path::new(&kind).join(input);
        assert!(self.files.insert(path, yaml(&object)).is_none(), "{kind} {file} is recorded twice");
        if file == "healthy" && condition(&object, "Ready").is_object() {
            self.add_actions(&kind, object);
        }
    }

    /// The tests of the actions of a kind, which begin with this object.
    fn add_actions(&mut self, kind: &str, mut object: Value) {
        object["metadata"].as_object_mut().unwrap().remove("annotations");
        let with = |name: &str, value: &str| {
            let mut object = object.clone();
            object["metadata"]["annotations"] = json!({ name: value });
            object
        };
        let action = |name: &str, enabled: bool, icon: &str| json!({ "name": name, "disabled": !enabled, "iconClass": format!("fa fa-fw fa-{icon}") });
        let actions = |is_paused: bool| {
            [
                action("reconcile", true, "sync"),
                action("pause", !is_paused, "pause"),
                action("resume", is_paused, "play"),
            ]
        };
        let path = |file: &str| format!("testdata/{file}.yaml");
        let discovery = |file, is_paused| json!({ "inputPath": path(file), "result": actions(is_paused) });
        let run = |action: &str, from: &str, to: &str| json!({ "action": action, "inputPath": path(from), "expectedOutputPath": path(to) });
        let tests = json!({
            "discoveryTests": [discovery("healthy", false), discovery("paused", true), discovery("unpaused", false)],
            "actionTests": [
                run("reconcile", "healthy", "requested"),
                run("pause", "healthy", "paused"),
                run("resume", "paused", "healthy"),
            ],
        });
        let folder = Path::new(kind).join("actions");
        let states = [
            ("healthy", object.clone()),
            ("paused", with(PAUSE, "true")),
            ("unpaused", with(PAUSE, "false")),
            ("requested", with(RECONCILE_AT, NOW)),
        ];
        for (file, object) in states {
            self.files.insert(folder.join(path(file)), yaml(&object));
        }
        self.files.insert(folder.join("action_test.yaml"), yaml(&tests));
    }

    /// All files, with those that name the cases.
    fn into_files(mut self) -> BTreeMap<PathBuf, String> {
        for (kind, cases) in self.cases {
            let path = Path::new(&kind).join("health_test.yaml");
            self.files.insert(path, yaml(&json!({ "tests": cases })));
        }
        self.files
    }
}

/// What Argo CD shows beside the health: the reason or the state, and the message.
fn shown(object: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let is_present = object["status"]["state"].is_string() || is_reported(object);
    let (word, message) = match (object["kind"].as_str(), &object["status"]["state"]) {
        (Some("AccessOffer"), _) => return "AccessRequests can name this offer".to_owned(),
        _ if !is_present || object["status"].is_null() => {
            return "Rolewright has not reconciled this version of the object yet".to_owned();
        }
        (_, Value::String(state)) => (Some(state.clone()), text(&object["status"]["message"])),
        _ => {
            let ready = condition(object, "Ready");
            (text(&ready["reason"]), text(&ready["message"]))
        }
    };
    [word, message].into_iter().flatten().collect::<Vec<_>>().join(": ")
}

fn yaml(value: &Value) -> String {
    serde_yaml::to_string(value).unwrap()
}

fn get(cluster: &Cluster, kind: &str, name: &str) -> Value {
    let namespace = if kind == "ClusterBackend" { "" } else { NAMESPACE };
    cluster.api.get(plural_of(kind), namespace, name).unwrap_or_default()
}

/// Waits until an object has this reason, and returns it.
async fn reports(cluster: &Cluster, kind: &str, name: &str, reason: &str) -> Value {
    let is_so = |object: &Value| is_reported(object) && condition(object, "Ready")["reason"] == reason;
    let what = format!("{kind} {name} reports {reason}");
    cluster.until(&what, |cluster| is_so(&get(cluster, kind, name))).await.unwrap();
    get(cluster, kind, name)
}

/// Waits until an Approval or an AccessRequest has this state, and returns it.
async fn has_state(cluster: &Cluster, kind: &str, name: &str, state: &str) -> Value {
    let what = format!("{kind} {name} is {state}");
    cluster.until(&what, |cluster| get(cluster, kind, name)["status"]["state"] == state).await.unwrap();
    get(cluster, kind, name)
}

/// The recorded files below a folder, without the scripts.
fn written(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            written(&path, found);
        } else if path.extension().is_some_and(|end| end == "yaml") {
            found.insert(path.strip_prefix(FOLDER).unwrap().to_owned());
        }
    }
}

#[test]
fn recorded_statuses_are_those_that_the_operator_writes() {
    let mut recording = Recording::default();
    scenes::record(&mut recording);
    let files = recording.into_files();
    let mut known = BTreeSet::new();
    written(Path::new(FOLDER), &mut known);
    let is_recording = std::env::var_os("ROLEWRIGHT_RECORD").is_some();
    if is_recording {
        for stale in known.iter().filter(|path| !files.contains_key(*path)) {
            fs::remove_file(Path::new(FOLDER).join(stale)).unwrap();
        }
        for (path, text) in &files {
            let path = Path::new(FOLDER).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        return;
    }
    let again =
        "run ROLEWRIGHT_RECORD=1 cargo test --test e2e simulation::recorded, and look at the differences";
    assert_eq!(known, files.keys().cloned().collect(), "{again}");
    for (path, text) in &files {
        let known = fs::read_to_string(Path::new(FOLDER).join(path)).unwrap();
        assert_eq!(known, *text, "{}: {again}", path.display());
    }
}
