//! The resource actions of Argo CD, with the cases of each `action_test.yaml`.

use serde_json::{Value, json};

use super::{argo_cd::run, customizations, kinds, read, yaml};

/// The kinds that have actions.
fn with_actions() -> Vec<String> {
    let has_actions = |kind: &String| customizations().join(kind).join("actions").exists();
    kinds().into_iter().filter(has_actions).collect()
}

/// What Argo CD restores in the result of an action: a map that became empty.
fn restored(mut after: Value, before: &Value) -> Value {
    match (&mut after, before) {
        (Value::Array(items), Value::Object(_)) if items.is_empty() => return before.clone(),
        (Value::Array(items), Value::Array(known)) => {
            for (item, known) in items.iter_mut().zip(known) {
                *item = restored(item.take(), known);
            }
        }
        (Value::Object(fields), Value::Object(known)) => {
            for (name, field) in fields {
                if let Some(known) = known.get(name) {
                    *field = restored(field.take(), known);
                }
            }
        }
        _ => {}
    }
    after
}

/// The result of an action of this kind.
fn after(kind: &str, action: &str, object: &Value) -> Value {
    let script = customizations().join(kind).join("actions").join(action).join("action.lua");
    restored(run(&read(&script), object), object)
}

#[test]
fn kinds_with_conditions_have_actions() {
    let without = ["Approval", "AccessOffer", "AccessRequest"];
    let expected: Vec<String> =
        kinds().into_iter().filter(|kind| !without.contains(&kind.as_str())).collect();
    assert_eq!(with_actions(), expected);
}

#[test]
fn actions_are_offered_when_they_have_an_effect() {
    for kind in with_actions() {
        let folder = customizations().join(&kind).join("actions");
        let tests = yaml(&folder.join("action_test.yaml"));
        for test in tests["discoveryTests"].as_array().unwrap() {
            let object = yaml(&folder.join(test["inputPath"].as_str().unwrap()));
            let offered = run(&read(&folder.join("discovery.lua")), &object);
            let offered = offered.as_object().unwrap();
            let expected = test["result"].as_array().unwrap();
            assert_eq!(offered.len(), expected.len(), "{kind}");
            for action in expected {
                let mut shown = offered[action["name"].as_str().unwrap()].clone();
                shown["name"] = action["name"].clone();
                assert_eq!(shown, *action, "{kind} {test}");
            }
        }
    }
}

#[test]
fn actions_change_only_their_annotation() {
    for kind in with_actions() {
        let folder = customizations().join(&kind).join("actions");
        let tests = yaml(&folder.join("action_test.yaml"));
        for test in tests["actionTests"].as_array().unwrap() {
            let object = |path: &str| yaml(&folder.join(test[path].as_str().unwrap()));
            let result = after(&kind, test["action"].as_str().unwrap(), &object("inputPath"));
            assert_eq!(result, object("expectedOutputPath"), "{kind} {test}");
        }
    }
}

#[test]
fn other_annotations_stay() {
    let role = |annotations: Value| json!({ "kind": "Role", "metadata": { "name": "reader", "annotations": annotations } });
    let (plain, pause) = (json!({ "team": "sre" }), json!({ "team": "sre", "rolewright.dev/pause": "true" }));
    assert_eq!(after("Role", "pause", &role(plain.clone())), role(pause.clone()));
    assert_eq!(after("Role", "resume", &role(pause.clone())), role(plain));
    let requested = after("Role", "reconcile", &role(pause));
    assert_eq!(requested["metadata"]["annotations"].as_object().unwrap().len(), 3);
}
