//! `/v2/audit-logs` (contract 2.7): the writes that succeeded, newest first.

use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::{call::Scene, paging::Window, problem::Problem};
use crate::{
    arize::rows::{audit_logs::AuditLog, ids::Kind},
    kit::{answer::Answer, call::Call},
};

/// GET `/v2/audit-logs`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    if !tenant.switches.audit_logs {
        return Err(Problem::forbidden("audit logs are not enabled for this account"));
    }
    if !scene.caller.is_account_admin() || scene.caller.grant.permissions.is_some() {
        return Err(Problem::forbidden("only account admins can read audit logs"));
    }
    let window = Window::of("logs", scene.call, &tenant.switches)?;
    let end = time(scene.call, "end_time")?;
    let start = match time(scene.call, "start_time")? {
        Some(start) => start,
        None => {
            end.unwrap_or_else(Timestamp::now).saturating_sub((30 * 24).hours()).unwrap_or(Timestamp::MIN)
        }
    };
    let user = scene.query_id("user_id", Kind::User)?;
    let names: Vec<&str> = scene.call.parameters("operation_name").collect();
    let types = match scene.call.parameter("operation_type") {
        None | Some("MUTATION") => true,
        // The log has only writes.
        Some("QUERY" | "SUBSCRIPTION") => false,
        Some(_) => return Err(Problem::invalid("unknown operation_type")),
    };
    let rows = tenant.audit_logs.before(window.after);
    let rows = rows
        .filter(|row| types && row.created_at >= start && end.is_none_or(|end| row.created_at <= end))
        .filter(|row| user.is_none() || row.user_id == user)
        .filter(|row| names.is_empty() || names.contains(&row.operation_name.as_str()));
    Ok(window.page(rows.map(|row| (row.id, Some(to_json(row))))))
}

fn time(call: &Call, name: &str) -> Result<Option<Timestamp>, Problem> {
    let parse = |text: &str| text.parse().map_err(|_| Problem::invalid(format!("{name} is not a time")));
    call.parameter(name).map(parse).transpose()
}

fn to_json(row: &AuditLog) -> Value {
    json!({
        "id": row.id,
        "user_id": row.user_id,
        "ip": "127.0.0.1",
        "operation_type": "MUTATION",
        "operation_name": row.operation_name,
        "operation_text": row.operation_text,
        "variables": "{}",
        "created_at": row.created_at,
    })
}
