//! The health checks for Flux, as it evaluates them: `observedGeneration`, then `inProgress`, `failed` and `current`.

use cel::{Context, Program, Value as CelValue};
use rolewright_api::Reason;
use serde_json::{Value, json};

use super::{documented, kinds, object, recorded, root, yaml};

/// The checks of a kind.
fn checks(kind: &str) -> Value {
    let kustomization = yaml(&root().join("examples/flux/access.yaml"));
    let checks = kustomization["spec"]["healthCheckExprs"].as_array().unwrap();
    let of_kind = |check: &&Value| check["kind"] == kind && check["apiVersion"] == "rolewright.dev/v1alpha1";
    checks.iter().find(of_kind).unwrap_or_else(|| panic!("no check of {kind}")).clone()
}

/// The result of an expression. None: it fails, and Flux waits.
fn is_true(expression: &str, object: &Value) -> Option<bool> {
    let program = Program::compile(expression).unwrap();
    let mut context = Context::default();
    for (name, field) in object.as_object().unwrap().iter().filter(|(_, field)| !field.is_null()) {
        context.add_variable(name.clone(), field).unwrap();
    }
    match program.execute(&context) {
        Ok(CelValue::Bool(result)) => Some(result),
        Ok(other) => panic!("{expression} is {other:?}"),
        Err(_) => None,
    }
}

/// The health of an object in Flux.
fn health(object: &Value) -> &'static str {
    let observed = &object["status"]["observedGeneration"];
    if !observed.is_null() && *observed != object["metadata"]["generation"] {
        return "InProgress";
    }
    let checks = checks(object["kind"].as_str().unwrap());
    for (field, health) in [("inProgress", "InProgress"), ("failed", "Failed"), ("current", "Current")] {
        match checks[field].as_str().map(|expression| is_true(expression, object)) {
            Some(None) => return "InProgress",
            Some(Some(true)) => return health,
            Some(Some(false)) | None => {}
        }
    }
    "InProgress"
}

/// The health in Flux of what Argo CD shows so. Flux has no word for Suspended.
fn of_argo_cd(status: &str) -> &'static str {
    match status {
        "Healthy" | "Suspended" => "Current",
        "Degraded" => "Failed",
        _ => "InProgress",
    }
}

#[test]
fn flux_shows_the_health_of_recorded_objects() {
    for kind in kinds() {
        for case in recorded(&kind) {
            assert_eq!(health(&case.object), of_argo_cd(&case.status), "{}", case.name);
        }
    }
}

#[test]
fn flux_shows_the_documented_health_of_each_reason() {
    for reason in Reason::ALL {
        assert_eq!(health(&object(reason)), of_argo_cd(documented(reason)), "{reason:?}");
    }
}

#[test]
fn flux_waits_for_objects_without_a_present_status() {
    let mut outdated = object(Reason::Invalid);
    outdated["metadata"]["generation"] = json!(3);
    let mut without_conditions = object(Reason::InSync);
    without_conditions["status"]["conditions"] = Value::Null;
    let mut without_status = object(Reason::InSync);
    without_status.as_object_mut().unwrap().remove("status");
    for object in [outdated, without_conditions, without_status] {
        assert_eq!(health(&object), "InProgress", "{object}");
    }
}
