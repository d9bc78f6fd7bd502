//! Role assignments in requests and answers: `{"type": "PREDEFINED", "name": ...}` or
//! `{"type": "CUSTOM", "id": ...}` (contract 2.4, 2.6).

use serde_json::{Value, json};

use super::{body::Fields, call::Scene, problem::Problem};
use crate::arize::{
    rows::{
        ids::Kind,
        memberships::{AssignedRole, PREDEFINED},
        switches::Switches,
        users::AccountRole,
    },
    state::Tenant,
};

/// Reads a role of the account level.
///
/// # Errors
/// 400 for a wrong form, 422 for a custom role (not supported at this level) and an unknown name.
pub fn read_account_role(value: Value, switches: &Switches) -> Result<AccountRole, Problem> {
    let mut fields = Fields::of_value(value, "role", switches)?;
    if fields.required_text("type")? != switches.spell("PREDEFINED") {
        return Err(Problem::unprocessable("only predefined roles are supported at account level"));
    }
    let name = fields.required_text("name")?;
    fields.end()?;
    let known = AccountRole::ALL.into_iter().find(|role| switches.spell(role.name()) == name);
    known.ok_or_else(|| Problem::unprocessable("unknown account role"))
}

/// A role of the account level, for an answer.
pub fn account_role_json(role: AccountRole, switches: &Switches) -> Value {
    json!({ "type": switches.spell("PREDEFINED"), "name": switches.spell(role.name()) })
}

/// Reads a role of an organization or space. The custom role need not exist.
///
/// # Errors
/// 400 for a wrong form, 422 for an unknown predefined role.
pub fn read_role(value: Value, scene: &Scene<'_>) -> Result<AssignedRole, Problem> {
    let switches = &scene.tenant.switches;
    let mut fields = Fields::of_value(value, "role", switches)?;
    let kind = fields.required_text("type")?;
    if kind == switches.spell("CUSTOM") {
        let id = fields.required_text("id")?;
        fields.end()?;
        return Ok(AssignedRole::Custom { id: scene.id(&id, Kind::Role)? });
    }
    if kind != switches.spell("PREDEFINED") {
        return Err(Problem::unprocessable("unknown type of role assignment"));
    }
    let name = fields.required_text("name")?;
    fields.end()?;
    let known = PREDEFINED.iter().find(|(known, _)| switches.spell(known) == name);
    let (known, _) = known.ok_or_else(|| Problem::unprocessable("unknown predefined role"))?;
    Ok(AssignedRole::predefined(known))
}

/// A role of an organization or space, for an answer.
pub fn role_json(role: &AssignedRole, tenant: &Tenant) -> Value {
    let switches = &tenant.switches;
    match role {
        AssignedRole::Predefined { name } => {
            json!({ "type": switches.spell("PREDEFINED"), "name": switches.spell(name) })
        }
        AssignedRole::Custom { id } => {
            let name = tenant.roles.get(*id).map(|role| role.name.as_str());
            json!({ "type": switches.spell("CUSTOM"), "id": id, "name": name })
        }
    }
}
