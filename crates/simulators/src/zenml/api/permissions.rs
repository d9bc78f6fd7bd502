//! Permissions in requests and answers (contract 2.1).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::problem::Problem;
use crate::zenml::rows::{
    permissions::{ACTIONS, Permissions, RESOURCES},
    switches::{PermissionForm, Switches},
};

/// Parses the `permissions` of a body.
///
/// # Errors
/// 422 for another form than the server's, and for unknown resource types and actions.
pub fn parse(value: Value, switches: &Switches) -> Result<Permissions, Problem> {
    let Value::Array(entries) = value else { return Err(invalid("Input should be a valid list")) };
    let mut permissions = Permissions::new();
    for mut entry in entries {
        let resource = entry.get_mut("resource").map(Value::take);
        let Some(Value::String(resource)) = resource else { return Err(required("resource")) };
        let actions = match switches.permission_form {
            PermissionForm::Grouped => entry.get_mut("actions").map(Value::take),
            PermissionForm::Pairs => entry.get_mut("action").map(|action| json!([action.take()])),
        };
        let Some(Value::Array(actions)) = actions else { return Err(required("actions")) };
        check_known(&resource, &RESOURCES, &switches.extra_resources, switches)?;
        for action in actions {
            let Value::String(action) = action else { return Err(invalid("Input should be a valid string")) };
            check_known(&action, &ACTIONS, &switches.extra_actions, switches)?;
            permissions.entry(resource.clone()).or_default().insert(action);
        }
    }
    Ok(permissions)
}

fn check_known(
    word: &str,
    known: &[&str],
    extra: &BTreeSet<String>,
    switches: &Switches,
) -> Result<(), Problem> {
    let is_known = !switches.permission_validation || known.contains(&word) || extra.contains(word);
    if is_known { Ok(()) } else { Err(Problem::invalid("body", "permissions", "Unknown permission", "enum")) }
}

fn invalid(message: &str) -> Problem {
    Problem::invalid("body", "permissions", message, "type_error")
}

fn required(field: &str) -> Problem {
    Problem::invalid("body", "permissions", &format!("{field} is required"), "missing")
}

/// The JSON of permissions, in the form that a switch sets.
pub fn to_json(permissions: &Permissions, form: PermissionForm) -> Value {
    match form {
        PermissionForm::Grouped => permissions
            .iter()
            .map(|(resource, actions)| json!({ "resource": resource, "actions": actions }))
            .collect(),
        PermissionForm::Pairs => permissions
            .iter()
            .flat_map(|(resource, actions)| {
                actions.iter().map(move |action| json!({ "resource": resource, "action": action }))
            })
            .collect(),
    }
}
