//! Permissions: actions on resource types (contract 2.1).

use std::collections::{BTreeMap, BTreeSet};

/// Actions by resource type.
pub type Permissions = BTreeMap<String, BTreeSet<String>>;

/// The actions of the contract.
pub const ACTIONS: [&str; 10] = [
    "create",
    "read",
    "update",
    "delete",
    "read_secret_value",
    "prune",
    "client",
    "promote",
    "backup_restore",
    "share",
];

/// The resource types of the contract.
pub const RESOURCES: [&str; 24] = [
    "artifact",
    "artifact_version",
    "code_repository",
    "flavor",
    "model",
    "model_version",
    "pipeline",
    "pipeline_run",
    "pipeline_deployment",
    "pipeline_build",
    "deployment",
    "schedule",
    "run_template",
    "service",
    "run_metadata",
    "secret",
    "service_account",
    "service_connector",
    "stack",
    "stack_component",
    "tag",
    "project",
    "trigger",
    "webhook",
];

/// Permissions for these actions on each of these resource types.
pub fn on(resources: &[&str], actions: &[&str]) -> Permissions {
    let actions: BTreeSet<String> = actions.iter().map(|action| (*action).to_owned()).collect();
    resources.iter().map(|resource| ((*resource).to_owned(), actions.clone())).collect()
}
