//! The registry of actions: whether a role can contain a permission (contract 3.7).

use std::collections::BTreeSet;

use super::tenant::Tenant;
use crate::grafana::rows::{
    actions::{ACTIONS, expected_scopes, fits, prefixes_of},
    permissions::Permission,
    switches::{Generation, Switches},
};

/// The maximum number of characters of an action and of a scope (contract 3.2).
pub const MAX_LENGTH: usize = 190;

/// Why a role cannot contain a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// It has no action.
    NoAction,
    /// The action or the scope is longer than [`MAX_LENGTH`].
    TooLong,
    /// The server does not know the action.
    UnknownAction(String),
    /// The action does not have such scopes.
    Scope {
        /// The action.
        action: String,
        /// The scope.
        scope: String,
        /// The forms of scopes that the action has.
        expected: Vec<String>,
        /// Whether the server knows the kind of the scope.
        is_known_kind: bool,
    },
}

/// Checks one permission of a role.
///
/// # Errors
/// The first reason why it is invalid.
pub fn check(tenant: &Tenant, permission: &Permission) -> Result<(), Invalid> {
    let Permission { action, scope } = permission;
    if action.is_empty() {
        return Err(Invalid::NoAction);
    }
    if action.chars().count() > MAX_LENGTH || scope.chars().count() > MAX_LENGTH {
        return Err(Invalid::TooLong);
    }
    if !tenant.switches.permission_validation {
        return Ok(());
    }
    let Some(prefixes) = prefixes(tenant, action) else {
        return Err(Invalid::UnknownAction(action.clone()));
    };
    if fits(scope, &prefixes) {
        return Ok(());
    }
    let kind = scope.split(':').next().unwrap_or_default();
    Err(Invalid::Scope {
        action: action.clone(),
        scope: scope.clone(),
        expected: expected_scopes(&prefixes),
        is_known_kind: kind.is_empty() || kind == "*" || prefixes_of(kind).next().is_some(),
    })
}

/// Whether a global role can contain a permission. Since 13 it cannot name a single data source, or the
/// annotations of dashboards (contract 3.4).
pub fn is_allowed_globally(switches: &Switches, permission: &Permission) -> bool {
    let scope = permission.scope.as_str();
    let is_one_data_source = scope.strip_prefix("datasources:uid:").is_some_and(|uid| uid != "*");
    switches.generation < Generation::V13 || !(is_one_data_source || scope == "annotations:type:dashboard")
}

/// The prefixes of an action's scopes; none if the server does not know the action.
fn prefixes(tenant: &Tenant, action: &str) -> Option<BTreeSet<String>> {
    let switches = &tenant.switches;
    if let Some(prefixes) = switches.extra_actions.get(action) {
        return Some(prefixes.clone());
    }
    if switches.missing_actions.contains(action) {
        return None;
    }
    let is_of_plugin = || tenant.plugins.iter().any(|plugin| plugin.actions.contains(action));
    ACTIONS.get(action).cloned().or_else(|| is_of_plugin().then(BTreeSet::new))
}
