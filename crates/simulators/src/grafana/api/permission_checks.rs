//! Answers to permissions that a role cannot contain (contract 3.7).

use axum::http::StatusCode;
use serde_json::json;

use super::problem::Problem;
use crate::grafana::{
    rows::{permissions::Permission, switches::Switches},
    state::{
        Tenant,
        registry::{self, Invalid, MAX_LENGTH},
    },
};

/// Ends the call unless roles can contain this permission.
///
/// # Errors
/// 400.
pub fn require_valid(tenant: &Tenant, permission: &Permission) -> Result<(), Problem> {
    registry::check(tenant, permission).map_err(|invalid| problem(&tenant.switches, invalid))
}

/// Ends the call unless global roles can contain this permission (contract 3.4).
///
/// # Errors
/// 400.
pub fn require_allowed_globally(switches: &Switches, permission: &Permission) -> Result<(), Problem> {
    if registry::is_allowed_globally(switches, permission) {
        Ok(())
    } else {
        Err(Problem::bad_request(format!("a global role cannot have the scope {}", permission.scope)))
    }
}

fn problem(switches: &Switches, invalid: Invalid) -> Problem {
    let (ids, message, detail) = match invalid {
        Invalid::NoAction => return Problem::bad_request("a permission needs an action"),
        Invalid::TooLong => {
            let message = format!("action and scope have at most {MAX_LENGTH} characters");
            return Problem::bad_request(message);
        }
        Invalid::UnknownAction(action) => (
            ["accesscontrol.permission-invalid-action", "permreg.unknown-action"],
            "Permission contains an invalid action",
            format!("unknown action: {action}, was not found in the list of valid actions"),
        ),
        Invalid::Scope { action, scope, expected, is_known_kind } => {
            let of_registry = if is_known_kind { "permreg.invalid-scope" } else { "permreg.unknown-kind" };
            let expected = expected.join(" ");
            (
                ["accesscontrol.permission-invalid-scope", of_registry],
                "Permission contains an invalid scope",
                format!("invalid scope: {scope}, for action: {action}, expected prefixes are [{expected}]"),
            )
        }
    };
    if switches.opaque_validation_errors {
        return Problem::bad_request("bad request data");
    }
    let id = ids[usize::from(switches.registry_message_ids)];
    Problem::typed(StatusCode::BAD_REQUEST, id, message).with_extra(json!({ "validationError": detail }))
}
