//! The operation on the catalogue of permissions (contract 2.7).

use serde_json::{Value, json};

use super::{
    call::{Answer, Scene},
    problem::Problem,
};
use crate::lenses::{
    access::catalogue::{self, Definition},
    rows::switches::Switches,
};

/// GET `/permissions/definitions`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let switches = &scene.tenant.switches;
    let definitions: Vec<Value> =
        catalogue::definitions(switches).iter().map(|one| to_json(one, switches)).collect();
    Ok(Answer::ok(json!({ "resource_definitions": definitions })))
}

fn to_json(definition: &Definition, switches: &Switches) -> Value {
    let full_name = definition.full_name();
    let action = |operation: &String| match switches.bare_actions_in_catalogue {
        true => operation.clone(),
        false => format!("{}:{operation}", definition.service),
    };
    json!({
        "service": definition.service,
        "short_name": definition.short_name,
        "resource_format": format!("{full_name}:{}", definition.id_format),
        "full_name": full_name,
        "actions": definition.operations.iter().map(action).collect::<Vec<_>>(),
    })
}
