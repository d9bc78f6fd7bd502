//! The registry of actions: which exist, and on which scopes (contract 3.7).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use axum::http::StatusCode;
use serde_json::json;

use super::{
    permissions::{Permission, Permissions},
    problem::Problem,
    state::Tenant,
    switches::{Generation, Switches},
};

/// What an action and a scope may have in characters (contract 3.2).
const LONGEST: usize = 190;

/// The most specific prefixes of each kind of scope.
const PREFIXES: &[&str] = &[
    "annotations:id:",
    "annotations:type:",
    "apikeys:id:",
    "dashboards:uid:",
    "datasources:uid:",
    "folders:uid:",
    "global.users:id:",
    "library.panels:uid:",
    "orgs:id:",
    "permissions:type:",
    "plugins:id:",
    "provisioners:",
    "receivers:uid:",
    "reports:id:",
    "roles:uid:",
    "serviceaccounts:id:",
    "services:",
    "settings:",
    "teams:id:",
    "users:id:",
];

/// Actions with the kinds of their scopes: resource, then action = kinds. No kind: an action without scope.
const TABLE: &[(&str, &str)] = &[
    ("alert.instances", "create read write"),
    ("alert.instances.external", "read=datasources write=datasources"),
    ("alert.notifications", "read write"),
    ("alert.notifications.external", "read=datasources write=datasources"),
    ("alert.notifications.receivers", "create read=receivers write=receivers delete=receivers"),
    ("alert.provisioning", "read write"),
    ("alert.provisioning.secrets", "read"),
    ("alert.rules", "create=folders read=folders write=folders delete=folders"),
    ("alert.rules.external", "read=datasources write=datasources"),
    ("alert.silences", "create=folders read=folders write=folders"),
    (
        "annotations",
        "create=annotations+dashboards+folders delete=annotations+dashboards+folders \
         read=annotations+dashboards+folders write=annotations+dashboards+folders",
    ),
    ("apikeys", "create read=apikeys delete=apikeys"),
    (
        "dashboards",
        "create=folders delete=dashboards+folders read=dashboards+folders write=dashboards+folders",
    ),
    ("dashboards.insights", "read"),
    ("dashboards.permissions", "read=dashboards+folders write=dashboards+folders"),
    ("dashboards.public", "write=dashboards+folders"),
    ("datasources", "create explore delete=datasources query=datasources read=datasources write=datasources"),
    ("datasources.caching", "read=datasources write=datasources"),
    ("datasources.id", "read=datasources"),
    ("datasources.insights", "read"),
    ("datasources.permissions", "read=datasources write=datasources"),
    ("folders", "create=folders delete=folders read=folders write=folders"),
    ("folders.permissions", "read=folders write=folders"),
    ("groupsync.mappings", "read write"),
    (
        "library.panels",
        "create=folders delete=library.panels+folders read=library.panels+folders write=library.panels+folders",
    ),
    ("licensing", "delete read write"),
    ("licensing.reports", "read"),
    ("org.users", "add=users read=users remove=users write=users"),
    ("orgs", "create delete read write"),
    ("orgs.preferences", "read write"),
    ("orgs.quotas", "read write"),
    ("plugins", "install write=plugins"),
    ("plugins.app", "access=plugins"),
    ("provisioning", "reload=provisioners"),
    ("receivers.permissions", "read=receivers write=receivers"),
    ("reports", "create delete=reports read=reports send=reports write=reports"),
    ("reports.settings", "read write"),
    ("roles", "delete=permissions read=roles write=permissions"),
    ("server.stats", "read"),
    ("serviceaccounts", "create delete=serviceaccounts read=serviceaccounts write=serviceaccounts"),
    ("serviceaccounts.permissions", "read=serviceaccounts write=serviceaccounts"),
    ("settings", "read=settings write=settings"),
    ("snapshots", "create delete read"),
    ("status", "accesscontrol=services"),
    ("support.bundles", "create delete read"),
    ("teams", "create delete=teams read=teams write=teams"),
    ("teams.permissions", "read=teams write=teams"),
    ("teams.roles", "add=permissions read=teams remove=permissions"),
    (
        "users",
        "create delete=global.users disable=global.users enable=global.users logout=global.users \
         read=global.users write=global.users",
    ),
    ("users.authtoken", "read=global.users write=global.users"),
    ("users.password", "write=global.users"),
    ("users.permissions", "read=users write=global.users"),
    ("users.quotas", "read=global.users write=global.users"),
    ("users.roles", "add=permissions read=users remove=permissions"),
];

/// What belongs to the whole server, so that no organization's admin has it.
const SERVER: &[&str] = &[
    "licensing",
    "licensing.reports",
    "plugins",
    "provisioning",
    "server.stats",
    "settings",
    "support.bundles",
    "users",
    "users.authtoken",
    "users.password",
    "users.quotas",
];

/// Every action with the prefixes of its scopes; none for an action without scope.
static ACTIONS: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let actions = TABLE.iter().flat_map(|(resource, actions)| {
        actions.split_whitespace().map(move |action| {
            let (action, kinds) = action.split_once('=').unwrap_or((action, ""));
            let prefixes = kinds.split('+').flat_map(prefixes_of).map(str::to_owned).collect();
            (format!("{resource}:{action}"), prefixes)
        })
    });
    actions.collect()
});

fn prefixes_of(kind: &str) -> impl Iterator<Item = &'static str> {
    PREFIXES.iter().copied().filter(move |prefix| prefix.split(':').next() == Some(kind))
}

/// What an organization's admin holds: every action of the organization on everything, delegation, and no
/// plugin's action.
pub fn of_admins() -> Permissions {
    everything(|resource, action| {
        !SERVER.contains(&resource)
            && !matches!(action, "orgs:create" | "orgs:delete" | "users.permissions:write")
    })
}

/// What a server admin holds: what belongs to the server, and roles and users of any organization.
pub fn of_grafana_admins() -> Permissions {
    everything(|resource, _| {
        SERVER.contains(&resource)
            || matches!(
                resource,
                "orgs"
                    | "orgs.preferences"
                    | "orgs.quotas"
                    | "org.users"
                    | "roles"
                    | "status"
                    | "teams.roles"
                    | "users.permissions"
                    | "users.roles"
            )
    })
}

fn everything(holds: impl Fn(&str, &str) -> bool) -> Permissions {
    let mut held = Permissions::default();
    for (action, prefixes) in ACTIONS.iter() {
        let resource = action.rsplit_once(':').map_or(action.as_str(), |(resource, _)| resource);
        if !holds(resource, action) {
            continue;
        }
        if prefixes.is_empty() {
            held.add(action, "");
        }
        for prefix in prefixes {
            match prefix.as_str() {
                "permissions:type:" => held.add(action, "permissions:type:delegate"),
                "services:" => held.add(action, "services:accesscontrol"),
                prefix => held.add(action, &format!("{}:*", prefix.split(':').next().unwrap_or(prefix))),
            }
        }
    }
    held
}

/// Checks one permission of a role.
///
/// # Errors
/// 400 for a missing action, what is too long, an unknown action, and a scope that the action does not take.
pub fn check(tenant: &Tenant, permission: &Permission) -> Result<(), Problem> {
    let Permission { action, scope } = permission;
    if action.is_empty() {
        return Err(Problem::bad_request("a permission needs an action"));
    }
    if action.chars().count() > LONGEST || scope.chars().count() > LONGEST {
        return Err(Problem::bad_request(format!("action and scope have at most {LONGEST} characters")));
    }
    let switches = &tenant.switches;
    if !switches.permission_validation {
        return Ok(());
    }
    let Some(prefixes) = prefixes(tenant, action) else {
        let detail = format!("unknown action: {action}, was not found in the list of valid actions");
        let message = "Permission contains an invalid action";
        let ids = ["accesscontrol.permission-invalid-action", "permreg.unknown-action"];
        return Err(invalid(switches, ids, message, &detail));
    };
    if fits(scope, &prefixes) {
        return Ok(());
    }
    let detail = format!(
        "invalid scope: {scope}, for action: {action}, expected prefixes are [{}]",
        expected(&prefixes).join(" ")
    );
    let message = "Permission contains an invalid scope";
    let kind = scope.split(':').next().unwrap_or_default();
    let is_known = kind.is_empty() || kind == "*" || prefixes_of(kind).next().is_some();
    let of_registry = if is_known { "permreg.invalid-scope" } else { "permreg.unknown-kind" };
    Err(invalid(switches, ["accesscontrol.permission-invalid-scope", of_registry], message, &detail))
}

/// Checks what a global role may carry (contract 3.4, since 13).
///
/// # Errors
/// 400 for a scope that names a single data source, and for one of dashboard annotations.
pub fn check_global(switches: &Switches, permission: &Permission) -> Result<(), Problem> {
    if switches.generation < Generation::V13 {
        return Ok(());
    }
    let scope = permission.scope.as_str();
    let one_data_source = scope.strip_prefix("datasources:uid:").is_some_and(|uid| uid != "*");
    if one_data_source || scope == "annotations:type:dashboard" {
        return Err(Problem::bad_request(format!("a global role cannot have the scope {scope}")));
    }
    Ok(())
}

/// A refused permission; of the two message identifiers the switch takes one.
fn invalid(switches: &Switches, ids: [&'static str; 2], message: &str, detail: &str) -> Problem {
    if switches.opaque_validation_errors {
        return Problem::bad_request("bad request data");
    }
    let id = ids[usize::from(switches.registry_message_ids)];
    Problem::typed(StatusCode::BAD_REQUEST, id, message).with_extra(json!({ "validationError": detail }))
}

fn prefixes(tenant: &Tenant, action: &str) -> Option<BTreeSet<String>> {
    let switches = &tenant.switches;
    if let Some(prefixes) = switches.extra_actions.get(action) {
        return Some(prefixes.clone());
    }
    if switches.missing_actions.contains(action) {
        return None;
    }
    let of_a_plugin = || tenant.plugins.iter().any(|plugin| plugin.actions.contains(action));
    ACTIONS.get(action).cloned().or_else(|| of_a_plugin().then(BTreeSet::new))
}

fn fits(scope: &str, prefixes: &BTreeSet<String>) -> bool {
    if prefixes.is_empty() || scope.is_empty() {
        return prefixes.is_empty() && scope.is_empty();
    }
    scope == "*"
        || prefixes.iter().any(|prefix| {
            let is_wildcard = scope
                .strip_suffix('*')
                .is_some_and(|start| start.ends_with(':') && prefix.starts_with(start));
            is_wildcard || (scope.starts_with(prefix) && scope.len() > prefix.len())
        })
}

fn expected(prefixes: &BTreeSet<String>) -> Vec<String> {
    if prefixes.is_empty() {
        return vec!["none".to_owned()];
    }
    let mut formats = vec!["*".to_owned()];
    for prefix in prefixes {
        let of_the_kind = format!("{}:*", prefix.split(':').next().unwrap_or(prefix));
        if prefix.matches(':').count() > 1 && !formats.contains(&of_the_kind) {
            formats.push(of_the_kind);
        }
        formats.push(format!("{prefix}*"));
    }
    formats
}

#[cfg(test)]
mod tests {
    use super::{ACTIONS, TABLE, fits, of_admins, of_grafana_admins, prefixes_of};

    #[test]
    fn every_kind_of_the_table_has_a_prefix() {
        for kinds in TABLE.iter().flat_map(|(_, actions)| actions.split_whitespace()) {
            let kinds = kinds.split_once('=').map_or("", |(_, kinds)| kinds);
            for kind in kinds.split('+').filter(|kind| !kind.is_empty()) {
                assert!(prefixes_of(kind).next().is_some(), "{kind}");
            }
        }
    }

    #[test]
    fn a_scope_fits_whole_wildcards_and_what_follows_a_prefix() {
        let prefixes = &ACTIONS["dashboards:read"];
        for scope in ["*", "dashboards:*", "dashboards:uid:*", "folders:uid:sre", "dashboards:uid:x"] {
            assert!(fits(scope, prefixes), "{scope}");
        }
        for scope in ["", "dashboards:uid:", "dashboards:x", "dash*", "users:*", "folders:id:1"] {
            assert!(!fits(scope, prefixes), "{scope}");
        }
        assert!(fits("", &ACTIONS["teams:create"]) && !fits("*", &ACTIONS["teams:create"]));
    }

    #[test]
    fn admins_hold_their_organization_and_server_admins_the_server() {
        let (admins, server) = (of_admins(), of_grafana_admins());
        assert!(admins.cover("roles:write", "permissions:type:delegate"));
        assert!(!admins.cover("roles:write", "permissions:type:escalate"));
        assert!(admins.cover("folders:read", "folders:uid:sre") && !server.has_action("folders:read"));
        assert!(!admins.has_action("users:read") && server.cover("users:read", "global.users:id:7"));
        assert!(!admins.has_action("orgs:create") && server.cover("orgs:create", ""));
    }
}
