//! The outcome of a run without what differs between two runs that end equal: ids of roles and grants, times and versions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Fields that a server assigns.
const ASSIGNED: &[&str] = &[
    "created",
    "createdAt",
    "createdBy",
    "created_at",
    "created_by",
    "deleted_at",
    "fingerprint",
    "id",
    "revision",
    "serial",
    "uid",
    "updated",
    "updatedAt",
    "updatedBy",
    "updated_at",
    "updated_by",
    "version",
];

/// The rows of an account's lists and what each object reports, sorted, with the names of roles in place of their ids.
pub fn shape(access: Value, objects: &[Value]) -> Vec<String> {
    let names = names(&access);
    let mut rows: Vec<Value> = access.as_array().expect("lists").iter().flat_map(rows_of).collect();
    rows.extend(objects.iter().map(reported));
    let shown = rows.into_iter().map(|mut row| {
        simplify(&mut row, &names);
        row.to_string()
    });
    let mut shown: Vec<String> = shown.collect();
    shown.sort();
    shown
}

/// A row without what a server assigns.
pub fn without_assigned(mut row: Value) -> Value {
    simplify(&mut row, &BTreeMap::new());
    row
}

fn rows_of(list: &Value) -> Vec<Value> {
    list.as_array().expect("rows").clone()
}

/// What an object manages and reports.
fn reported(object: &Value) -> Value {
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let reasons: BTreeMap<&str, &Value> =
        conditions.iter().map(|it| (it["type"].as_str().unwrap_or_default(), &it["reason"])).collect();
    let mut held = object["status"]["held"].as_array().cloned().unwrap_or_default();
    for entry in &mut held {
        entry.as_object_mut().expect("an entry").remove("name");
        // What an object took over was adopted or shared, depending on what the others had released by then.
        if entry["origin"] == "Shared" {
            entry["origin"] = json!("Adopted");
        }
    }
    json!({
        "kind": object["kind"],
        "namespace": object["metadata"]["namespace"],
        "name": object["metadata"]["name"],
        "reasons": reasons,
        "held": held,
    })
}

/// The rows that only one of two shapes has.
pub fn difference(expected: &[String], found: &[String]) -> Vec<String> {
    let mut difference = Vec::new();
    for (sign, one, other) in [('-', expected, found), ('+', found, expected)] {
        let mut rest: Vec<&String> = other.iter().collect();
        for row in one {
            match rest.iter().position(|it| *it == row) {
                Some(at) => drop(rest.swap_remove(at)),
                None => difference.push(format!("{sign} {row}")),
            }
        }
    }
    difference
}

/// The names of the rows of the first list, the roles, by their ids.
fn names(access: &Value) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for role in rows_of(&access[0]) {
        for id in ["id", "uid"] {
            if let (Some(id), Some(name)) = (role[id].as_str(), role["name"].as_str()) {
                names.insert(id.to_owned(), name.to_owned());
            }
        }
    }
    names
}

fn simplify(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| simplify(item, names)),
        Value::Object(fields) => {
            fields.retain(|field, _| !ASSIGNED.contains(&field.as_str()));
            fields.values_mut().for_each(|item| simplify(item, names));
        }
        Value::String(text) => {
            for (id, name) in names.iter().filter(|(id, _)| text.contains(*id)).collect::<Vec<_>>() {
                *text = text.replace(id, name);
            }
        }
        _ => {}
    }
}
