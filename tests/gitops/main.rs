//! Argo CD and Flux show the documented health of every object. Both are checked with the statuses that the operator writes, recorded by
//! `tests/e2e/simulation/recorded.rs`, and with each reason.

mod actions;
mod argo_cd;
mod flux;

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use rolewright_api::{Reason, condition};
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder in the form of Argo CD's repository.
fn customizations() -> PathBuf {
    root().join("examples/argocd/resource_customizations/rolewright.dev")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(path: &Path) -> Value {
    serde_yaml::from_str(&read(path)).unwrap()
}

/// All kinds.
fn kinds() -> Vec<String> {
    let crds = rolewright_api::crds();
    crds.into_iter().map(|crd| crd.spec.names.kind).collect()
}

/// One case of a `health_test.yaml`.
struct Case {
    name: String,
    object: Value,
    status: String,
    message: String,
}

/// The recorded cases of a kind.
fn recorded(kind: &str) -> Vec<Case> {
    let folder = customizations().join(kind);
    let file = yaml(&folder.join("health_test.yaml"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let case = |test: &Value| Case {
        name: format!("{kind} {}", text(&test["inputPath"])),
        object: yaml(&folder.join(test["inputPath"].as_str().unwrap())),
        status: text(&test["healthStatus"]["status"]),
        message: text(&test["healthStatus"]["message"]),
    };
    file["tests"].as_array().unwrap().iter().map(case).collect()
}

/// An object with the status that the operator writes for this reason.
fn object(reason: Reason) -> Value {
    let conditions = condition(reason, "because of x", Some(2), false, &[], Timestamp::UNIX_EPOCH);
    json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "Role", "metadata": {"name": "reader", "generation": 2},
        "status": {"observedGeneration": 2, "conditions": conditions},
    })
}

/// The health that the docs promise for a reason.
fn documented(reason: Reason) -> &'static str {
    match reason {
        _ if reason.ready() => "Healthy",
        _ if reason.withheld() || reason == Reason::Scheduled => "Suspended",
        _ if reason.stalled() => "Degraded",
        _ => "Progressing",
    }
}

#[test]
fn every_kind_has_recorded_cases() {
    for kind in kinds() {
        let cases = recorded(&kind);
        let has = |status: &str| cases.iter().any(|case| case.status == status);
        assert!(has("Healthy"), "{kind}");
        assert!(has("Degraded") || kind == "AccessOffer", "{kind}");
    }
}
