//! The page on GitOps tools: Argo CD computes the health that it documents.

use std::{fs, path::Path};

use jiff::Timestamp;
use mlua::{Lua, LuaOptions, StdLib, Table, Value as LuaValue};
use rolewright_api::{Reason, condition};
use serde_json::{Value, json};

/// The Lua health check of the page.
fn health_check() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gitops.md");
    let page = fs::read_to_string(path).unwrap();
    let block = page.split("```yaml\n").find(|block| block.contains("health.lua: |")).unwrap();
    let map: Value = serde_yaml::from_str(block.split("```").next().unwrap()).unwrap();
    // The entry of the ConfigMap is a text that is YAML itself.
    let customizations = map["data"]["resource.customizations"].as_str().unwrap();
    let customizations: Value = serde_yaml::from_str(customizations).unwrap();
    customizations["rolewright.dev/*"]["health.lua"].as_str().unwrap().to_owned()
}

fn to_lua(lua: &Lua, value: &Value) -> mlua::Result<LuaValue> {
    Ok(match value {
        Value::Null => LuaValue::Nil,
        Value::Bool(flag) => LuaValue::Boolean(*flag),
        Value::Number(number) => LuaValue::Number(number.as_f64().unwrap()),
        Value::String(text) => LuaValue::String(lua.create_string(text)?),
        Value::Array(items) => {
            let table = lua.create_table()?;
            items.iter().try_for_each(|item| table.push(to_lua(lua, item)?))?;
            LuaValue::Table(table)
        }
        Value::Object(fields) => {
            let table = lua.create_table()?;
            fields.iter().try_for_each(|(name, field)| table.set(name.as_str(), to_lua(lua, field)?))?;
            LuaValue::Table(table)
        }
    })
}

/// Status and message of the health of an object, as Argo CD computes them: in Lua 5.1, without libraries.
fn health(object: &Value) -> (String, String) {
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::default()).unwrap();
    lua.globals().set("obj", to_lua(&lua, object).unwrap()).unwrap();
    let health: Table = lua.load(health_check()).eval().unwrap();
    (health.get("status").unwrap(), health.get("message").unwrap())
}

/// An object with the status that the operator writes for this reason.
fn object(reason: Reason) -> Value {
    let conditions = condition(reason, "because of x", Some(2), false, &[], Timestamp::UNIX_EPOCH);
    json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "Role", "metadata": {"name": "reader", "generation": 2},
        "status": {"observedGeneration": 2, "conditions": conditions},
    })
}

#[test]
fn argo_cd_shows_the_documented_health_of_each_reason() {
    for reason in Reason::ALL {
        let expected = match reason {
            _ if reason.ready() => "Healthy",
            _ if reason.withheld() => "Suspended",
            _ if reason.stalled() => "Degraded",
            _ => "Progressing",
        };
        let mut object = object(reason);
        let shown = (expected.to_owned(), format!("{}: because of x", reason.as_str()));
        assert_eq!(health(&object), shown);
        object["status"]["conditions"].as_array_mut().unwrap().reverse();
        assert_eq!(health(&object), shown, "the order of conditions matters");
    }
}

#[test]
fn argo_cd_waits_for_objects_without_a_present_status() {
    let mut outdated = object(Reason::InSync);
    outdated["metadata"]["generation"] = json!(3);
    let mut without_conditions = object(Reason::InSync);
    without_conditions["status"]["conditions"] = Value::Null;
    let mut without_status = object(Reason::InSync);
    without_status["status"] = Value::Null;
    for object in [outdated, without_conditions, without_status] {
        let (status, message) = health(&object);
        assert_eq!(status, "Progressing", "{object}");
        assert!(message.contains("has not reconciled"), "{message}");
    }
}

#[test]
fn argo_cd_shows_why_a_deletion_waits() {
    for (reason, expected) in [(Reason::Deleting, "Progressing"), (Reason::DeletionBlocked, "Degraded")] {
        let mut object = object(reason);
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T12:00:00Z");
        assert_eq!(health(&object).0, expected);
    }
}
