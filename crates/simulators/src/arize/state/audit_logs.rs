//! The audit log, bounded.

use super::tenant::{Tenant, now};
use crate::{
    arize::rows::{
        audit_logs::AuditLog,
        ids::{Id, Kind},
    },
    kit::table::Row,
};

/// The maximum number of entries. Above it, the oldest one is dropped.
const CAPACITY: usize = 10_000;

/// The maximum number of bytes that an entry keeps of a request body.
const TEXT_LIMIT: usize = 4_096;

/// Records a write that succeeded.
pub fn record(tenant: &mut Tenant, user_id: Option<Id>, operation_name: String, body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    let entry = AuditLog {
        id: tenant.issue(Kind::AuditLog),
        user_id,
        operation_name,
        operation_text: text[..text.floor_char_boundary(TEXT_LIMIT)].to_owned(),
        created_at: now(),
    };
    tenant.audit_logs.insert(entry);
    if tenant.audit_logs.len() > CAPACITY {
        let oldest = tenant.audit_logs.iter().next().map(Row::id);
        oldest.map(|id| tenant.audit_logs.remove(id));
    }
}
