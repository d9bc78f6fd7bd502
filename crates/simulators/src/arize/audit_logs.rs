//! `/v2/audit-logs` (contract 2.7): the writes that succeeded, newest first.

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    call::{Answer, Scene},
    ids::{Id, Kind},
    paging::Window,
    problem::Problem,
    state::{Tenant, now},
};
use crate::kit::{
    call::Call,
    table::{Row, identified},
};

/// Entries kept; the oldest go first.
const CAPACITY: usize = 10_000;

/// Bytes kept of a request body.
const TEXT_LIMIT: usize = 4_096;

/// A write that succeeded.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLog {
    /// Its identifier.
    pub id: Id,
    /// Who did it.
    #[serde(default)]
    pub user_id: Option<Id>,
    /// Method and path, with `{...}` for identifiers.
    pub operation_name: String,
    /// The request body.
    #[serde(default)]
    pub operation_text: String,
    /// When.
    pub created_at: Timestamp,
}

identified!(AuditLog, Id);

/// Notes a write that has succeeded.
pub fn note(tenant: &mut Tenant, user_id: Option<Id>, call: &Call) {
    let text = String::from_utf8_lossy(&call.body);
    let entry = AuditLog {
        id: tenant.issue(Kind::AuditLog),
        user_id,
        operation_name: format!("{} {}", call.method, call.template),
        operation_text: text[..text.floor_char_boundary(TEXT_LIMIT)].to_owned(),
        created_at: now(),
    };
    tenant.audit_logs.insert(entry);
    if tenant.audit_logs.len() > CAPACITY {
        let oldest = tenant.audit_logs.iter().next().map(Row::id);
        oldest.map(|id| tenant.audit_logs.remove(id));
    }
}

/// GET `/v2/audit-logs`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    if !tenant.switches.audit_logs {
        return Err(Problem::forbidden("audit logs are not enabled for this account"));
    }
    if !scene.caller.is_account_admin() || scene.caller.grant.permissions.is_some() {
        return Err(Problem::forbidden("only account admins read audit logs"));
    }
    let window = Window::of("logs", scene.call, &tenant.switches)?;
    let end = time(scene.call, "end_time")?;
    let start = match time(scene.call, "start_time")? {
        Some(start) => start,
        None => {
            end.unwrap_or_else(Timestamp::now).saturating_sub((30 * 24).hours()).unwrap_or(Timestamp::MIN)
        }
    };
    let user = scene.call.parameter("user_id").map(|text| scene.id(text, Kind::User)).transpose()?;
    let names: Vec<&str> = scene.call.parameters("operation_name").collect();
    let types = match scene.call.parameter("operation_type") {
        None | Some("MUTATION") => true,
        // Only writes are logged here.
        Some("QUERY" | "SUBSCRIPTION") => false,
        Some(_) => return Err(Problem::invalid("unknown operation_type")),
    };
    let rows = tenant.audit_logs.before(window.after);
    let rows = rows
        .filter(|row| types && row.created_at >= start && end.is_none_or(|end| row.created_at <= end))
        .filter(|row| user.is_none() || row.user_id == user)
        .filter(|row| names.is_empty() || names.contains(&row.operation_name.as_str()));
    Ok(window.page(rows.map(|row| (row.id, Some(wire(row))))))
}

fn time(call: &Call, name: &str) -> Result<Option<Timestamp>, Problem> {
    let parse = |text: &str| text.parse().map_err(|_| Problem::invalid(format!("{name} is not a time")));
    call.parameter(name).map(parse).transpose()
}

fn wire(row: &AuditLog) -> Value {
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
