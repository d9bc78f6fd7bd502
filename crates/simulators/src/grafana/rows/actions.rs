//! The actions that every server knows, and the scopes of each (contract 3.7).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// The prefixes of scopes. A scope of a kind is one of its prefixes with a value, or a wildcard.
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

/// Per resource: its actions, each with the kinds of its scopes (`action=kind+kind`). An action without a
/// kind has no scope.
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

/// Every action with the prefixes of its scopes: an empty set for an action without a scope.
pub static ACTIONS: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let actions = TABLE.iter().flat_map(|(resource, actions)| {
        actions.split_whitespace().map(move |action| {
            let (action, kinds) = action.split_once('=').unwrap_or((action, ""));
            let prefixes = kinds.split('+').flat_map(prefixes_of).map(str::to_owned).collect();
            (format!("{resource}:{action}"), prefixes)
        })
    });
    actions.collect()
});

/// The prefixes of a kind of scope.
pub fn prefixes_of(kind: &str) -> impl Iterator<Item = &'static str> {
    PREFIXES.iter().copied().filter(move |prefix| prefix.split(':').next() == Some(kind))
}

/// Whether an action with these prefixes can have this scope.
pub fn fits(scope: &str, prefixes: &BTreeSet<String>) -> bool {
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

/// The forms of scopes that these prefixes allow, for an error message.
pub fn expected_scopes(prefixes: &BTreeSet<String>) -> Vec<String> {
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
    use super::{ACTIONS, TABLE, fits, prefixes_of};

    #[test]
    fn every_scope_kind_of_the_table_has_a_prefix() {
        for kinds in TABLE.iter().flat_map(|(_, actions)| actions.split_whitespace()) {
            let kinds = kinds.split_once('=').map_or("", |(_, kinds)| kinds);
            for kind in kinds.split('+').filter(|kind| !kind.is_empty()) {
                assert!(prefixes_of(kind).next().is_some(), "{kind}");
            }
        }
    }

    #[test]
    fn a_scope_is_a_whole_wildcard_or_a_prefix_with_a_value() {
        let prefixes = &ACTIONS["dashboards:read"];
        for scope in ["*", "dashboards:*", "dashboards:uid:*", "folders:uid:sre", "dashboards:uid:x"] {
            assert!(fits(scope, prefixes), "{scope}");
        }
        for scope in ["", "dashboards:uid:", "dashboards:x", "dash*", "users:*", "folders:id:1"] {
            assert!(!fits(scope, prefixes), "{scope}");
        }
        assert!(fits("", &ACTIONS["teams:create"]) && !fits("*", &ACTIONS["teams:create"]));
    }
}
