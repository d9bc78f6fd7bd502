//! The Lua scripts for Argo CD, as it runs them: gopher-lua is Lua 5.1, with the basic functions and a part of `os`.

use mlua::{Lua, LuaOptions, StdLib, Value as LuaValue};
use rolewright_api::Reason;
use serde_json::{Map, Value, json};

use super::{customizations, documented, kinds, object, read, recorded, root, yaml};

/// The time that `os.date` shows, by the flags of its format that gopher-lua knows.
const NOW: [(&str, &str); 6] =
    [("%Y", "2027"), ("%m", "01"), ("%d", "01"), ("%H", "00"), ("%M", "00"), ("%S", "00")];

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

/// As Argo CD converts results: an empty table becomes an array.
fn from_lua(value: &LuaValue) -> Value {
    match value {
        LuaValue::Nil => Value::Null,
        LuaValue::Boolean(flag) => json!(flag),
        LuaValue::Integer(number) => json!(number),
        LuaValue::Number(number) if number.fract() == 0.0 => json!(*number as i64),
        LuaValue::Number(number) => json!(number),
        LuaValue::String(text) => json!(text.to_string_lossy()),
        LuaValue::Table(table) => {
            let entries = table.pairs::<LuaValue, LuaValue>().map(Result::unwrap).collect::<Vec<_>>();
            if entries.iter().all(|(key, _)| !key.is_string()) {
                return entries.iter().map(|(_, item)| from_lua(item)).collect();
            }
            let name = |key: &LuaValue| key.as_string().unwrap().to_string_lossy();
            Value::Object(
                entries.iter().map(|(key, field)| (name(key), from_lua(field))).collect::<Map<_, _>>(),
            )
        }
        other => panic!("Argo CD cannot convert {other:?}"),
    }
}

/// Runs a script with an object, and returns its result.
pub fn run(script: &str, object: &Value) -> Value {
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::default()).unwrap();
    let date = |_: &Lua, format: String| {
        let format = format.strip_prefix('!').expect("UTC").to_owned();
        let text = NOW.iter().fold(format, |text, (flag, value)| text.replace(flag, value));
        assert!(!text.contains('%'), "gopher-lua does not know all flags: {text}");
        Ok(text)
    };
    let require = move |lua: &Lua, name: String| {
        assert_eq!(name, "os", "Argo CD has no other library");
        let os = lua.create_table()?;
        os.set("date", lua.create_function(date)?)?;
        Ok(os)
    };
    lua.globals().set("require", lua.create_function(require).unwrap()).unwrap();
    lua.globals().set("obj", to_lua(&lua, object).unwrap()).unwrap();
    from_lua(&lua.load(script).eval().unwrap())
}

/// Status and message of the health of an object.
fn health(object: &Value) -> (String, String) {
    let kind = object["kind"].as_str().unwrap();
    let health = run(&read(&customizations().join(kind).join("health.lua")), object);
    assert_eq!(health.as_object().unwrap().len(), 2, "{health}");
    let text = |field: &str| health[field].as_str().unwrap().to_owned();
    (text("status"), text("message"))
}

#[test]
fn argo_cd_shows_the_health_of_recorded_objects() {
    for kind in kinds() {
        for case in recorded(&kind) {
            assert_eq!(health(&case.object), (case.status, case.message), "{}", case.name);
        }
    }
}

#[test]
fn argo_cd_shows_the_documented_health_of_each_reason() {
    for reason in Reason::ALL {
        let mut object = object(reason);
        let shown = (documented(reason).to_owned(), format!("{}: because of x", reason.as_str()));
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
    let mut without_ready = object(Reason::InSync);
    without_ready["status"]["conditions"] = json!([]);
    let mut without_status = object(Reason::InSync);
    without_status["status"] = Value::Null;
    for object in [outdated, without_conditions, without_ready, without_status] {
        let (status, message) = health(&object);
        assert_eq!(status, "Progressing", "{object}");
        assert!(message.contains("has not reconciled"), "{message}");
    }
}

#[test]
fn argo_cd_shows_why_a_deletion_waits() {
    let expected = [
        (Reason::InSync, "Progressing"),
        (Reason::Deleting, "Progressing"),
        (Reason::DeletionBlocked, "Degraded"),
        (Reason::ApprovalRequired, "Suspended"),
    ];
    for (reason, expected) in expected {
        let mut object = object(reason);
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T12:00:00Z");
        assert_eq!(health(&object).0, expected);
    }
}

#[test]
fn helm_values_have_the_scripts_of_every_kind() {
    let values = yaml(&root().join("examples/argocd/values.yaml"));
    let entries = values["configs"]["cm"].as_object().unwrap();
    let mut found = 0;
    for kind in kinds() {
        let folder = customizations().join(&kind);
        let health = entries[&format!("resource.customizations.health.rolewright.dev_{kind}")].as_str();
        assert_eq!(health, Some(read(&folder.join("health.lua")).as_str()), "{kind}");
        found += 1;
        let Some(actions) = entries.get(&format!("resource.customizations.actions.rolewright.dev_{kind}"))
        else {
            assert!(!folder.join("actions").exists(), "{kind}");
            continue;
        };
        found += 1;
        // The entry is a text that is YAML itself.
        let actions: Value = serde_yaml::from_str(actions.as_str().unwrap()).unwrap();
        assert_eq!(actions["discovery.lua"], read(&folder.join("actions/discovery.lua")), "{kind}");
        for definition in actions["definitions"].as_array().unwrap() {
            let name = definition["name"].as_str().unwrap();
            let script = read(&folder.join("actions").join(name).join("action.lua"));
            assert_eq!(definition["action.lua"], script, "{kind} {name}");
        }
    }
    assert_eq!(found, entries.len(), "an entry of a kind that does not exist");
}
