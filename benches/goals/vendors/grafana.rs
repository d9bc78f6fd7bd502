//! Grafana: its lists show assignments, and roles without their permissions.

use rolewright_simulators::grafana::{BasicRole, Tenant};
use serde_json::{Value, json};

use super::{PAIRS, Vendor};
use crate::support::Outcome;

/// The number of users, of service accounts and of teams.
const EACH: usize = 50;

/// Grafana with a thousand Roles and a thousand RoleBindings.
///
/// # Errors
/// If the seed has no user.
pub fn vendor() -> Outcome<Vendor> {
    Ok(Vendor {
        name: "grafana",
        namespace: "grafana",
        title: "Grafana",
        tenant: Some(serde_json::to_value(tenant()?)?),
        roles: PAIRS,
        bindings: PAIRS,
        block: json!({}),
        credential: "tokenSecretRef",
        role: |_| json!({ "rules": [{ "actions": ["reports:read", "reports:write"], "resources": ["reports:*"] }] }),
        binding,
        sweep_seconds: 1,
        max_requests: 9,
        reason: "each sweep reads one managed role in turn, because no list shows the permissions of roles",
        // Searches for assignments.
        is_read: |path| path.ends_with("/search"),
    })
}

fn binding(number: usize) -> Value {
    // If a role has several bindings, each has another subject.
    let of_kind = (number + number / PAIRS) % EACH;
    let (kind, name) = match number % 3 {
        0 => ("User", format!("user-{of_kind:02}@example.com")),
        1 => ("ServiceAccount", format!("account-{of_kind:02}")),
        _ => ("Team", format!("team-{of_kind:02}")),
    };
    json!({ "subjects": [{ "kind": kind, "name": name }] })
}

/// The account of this measurement: fifty users, service accounts and teams.
///
/// # Errors
/// If the seed has no user.
pub fn tenant() -> Outcome<Tenant> {
    let mut tenant = Tenant::seeded();
    let created = tenant.users.iter().next().ok_or("the seed has no user")?.created;
    for number in 0..EACH {
        let login = format!("user-{number:02}");
        let email = format!("{login}@example.com");
        tenant.add_user(&login, &email, &login, 1, BasicRole::Viewer, created);
        tenant.add_service_account(1, &format!("account-{number:02}"), BasicRole::Viewer, created);
        tenant.add_team(1, &format!("team-{number:02}"), "");
    }
    Ok(tenant)
}
