//! The vendor's permissions (contract 3.2, SDK 8.61.0), and those of the predefined roles.
//!
//! The vendor does not publish the permissions of its predefined roles. The sets here are only plausible.

use std::{collections::BTreeSet, sync::LazyLock};

/// The names of the predefined roles that the vendor's documentation mentions (contract 4.4).
pub const PREDEFINED_ROLES: [&str; 7] =
    ["Admin", "Member", "Read-only", "Annotator", "Project Viewer", "Project Editor", "Project Admin"];

/// Resources with their actions: `C`reate, `D`elete, `R`ead, `U`pdate, or the action's full name.
const TABLE: &[(&str, &str)] = &[
    ("AGENT_ROLE", "C D R U"),
    ("AI_PROVIDER", "R"),
    ("ALYX", "RUN"),
    ("ANNOTATION_CONFIG", "C D R U"),
    ("COST_CONFIG", "C D R U"),
    ("CUSTOM_METRIC", "C D R U"),
    ("DASHBOARD", "C D R U RESTRICT"),
    ("DASHBOARD_TEMPLATE", "C D R U"),
    ("DATASET", "C D R U"),
    ("DATASET_EXAMPLE", "C D R U ANNOTATE"),
    ("DATASET_VIEW", "C D R U"),
    ("DATA_FABRIC_CONNECTOR", "C D R U"),
    ("EVALUATOR", "C D R U"),
    ("EXPERIMENT", "C D R U"),
    ("EXPERIMENT_EVAL_TASK", "C D R U"),
    ("EXPERIMENT_RUN", "R ANNOTATE"),
    ("FILE_IMPORT", "C D R U"),
    ("LLM_INTEGRATION", "C D U"),
    ("MANAGED_AGENT", "C D R U"),
    ("ML_MODEL", "C D R U"),
    ("MONITOR", "C D R U TRIGGER"),
    ("ORGANIZATION", "C D R U"),
    ("PLAYGROUND", "RUN"),
    ("PLAYGROUND_VIEW", "C D R U"),
    ("PROJECT", "C D R U RESTRICT"),
    ("PROJECT_EVAL_TASK", "C D R U"),
    ("PROJECT_SPAN", "C D R U ANNOTATE"),
    ("PROJECT_SPAN_EVAL_FEEDBACK", "U"),
    ("PROMPT", "C D R U RESTRICT"),
    ("PROMPT_OPTIMIZE_TASK", "C D R U"),
    ("QUEUE", "C D R U"),
    ("QUEUE_RECORD", "C D R U ANNOTATE"),
    ("REMOTE_ENDPOINT_INTEGRATION", "C D R U"),
    ("ROLE", "C D R U"),
    ("ROLE_BINDING", "C D R"),
    ("SERVICE_KEY", "C R REVOKE"),
    ("SPACE", "C D R U"),
    ("TAG", "C D R U"),
    ("TRACE_VIEW", "C D R U"),
    ("USER", "C D R U"),
    ("USER_PERMISSION", "U"),
];

/// Resources that servers before 11.40 do not know (contract 3.2: not in the older enumeration).
const NEWER_RESOURCES: &[&str] =
    &["AGENT_ROLE", "COST_CONFIG", "DASHBOARD_TEMPLATE", "PROJECT_SPAN_EVAL_FEEDBACK", "ROLE"];

/// Single permissions that servers before 11.40 do not know.
const NEWER_PERMISSIONS: &[&str] = &["DASHBOARD_RESTRICT", "PROMPT_RESTRICT"];

/// Resources whose permissions exist only on the level of the account or of an organization. The predefined
/// roles are for spaces and projects, so they contain none of these.
const ABOVE_SPACES: &[&str] = &["ORGANIZATION", "ROLE", "USER", "USER_PERMISSION", "COST_CONFIG"];

/// Every permission that a current server knows.
pub static ALL: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| table().map(|(resource, action)| format!("{resource}_{action}")).collect());

/// Every permission that a server before 11.40 knows.
pub static BEFORE_1140: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    table()
        .filter(|(resource, _)| !NEWER_RESOURCES.contains(resource))
        .map(|(resource, action)| format!("{resource}_{action}"))
        .filter(|permission| !NEWER_PERMISSIONS.contains(&permission.as_str()))
        .collect()
});

/// The permissions of a predefined role; none for any other name.
pub fn of_predefined_role(name: &str) -> Vec<String> {
    let contains = |resource: &str, action: &str| -> bool {
        let project = resource.starts_with("PROJECT") || matches!(resource, "TRACE_VIEW" | "EXPERIMENT_RUN");
        match name {
            "Admin" => !ABOVE_SPACES.contains(&resource),
            "Member" => {
                let withheld = matches!(resource, "ROLE_BINDING" | "SERVICE_KEY")
                    || (resource == "SPACE" && action != "READ")
                    || action == "RESTRICT";
                !ABOVE_SPACES.contains(&resource) && !withheld
            }
            "Read-only" => !ABOVE_SPACES.contains(&resource) && action == "READ",
            "Annotator" => action == "ANNOTATE" || (action == "READ" && resource.starts_with("QUEUE")),
            "Project Viewer" => project && action == "READ",
            "Project Editor" => project && !matches!((resource, action), ("PROJECT", "DELETE" | "RESTRICT")),
            "Project Admin" => project || resource == "ROLE_BINDING",
            _ => false,
        }
    };
    table()
        .filter(|(resource, action)| contains(resource, action))
        .map(|(resource, action)| format!("{resource}_{action}"))
        .collect()
}

fn table() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.iter().flat_map(|(resource, actions)| {
        actions.split(' ').map(|action| {
            let action = match action {
                "C" => "CREATE",
                "D" => "DELETE",
                "R" => "READ",
                "U" => "UPDATE",
                full_name => full_name,
            };
            (*resource, action)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{ALL, BEFORE_1140, PREDEFINED_ROLES, of_predefined_role};

    #[test]
    fn the_number_of_permissions_matches_the_contract() {
        assert_eq!(ALL.len(), 151);
        assert_eq!(BEFORE_1140.len(), 132);
    }

    #[test]
    fn every_predefined_role_has_known_permissions() {
        for name in PREDEFINED_ROLES {
            let permissions = of_predefined_role(name);
            assert!(!permissions.is_empty(), "{name}");
            assert!(permissions.iter().all(|permission| ALL.contains(permission)), "{name}");
        }
    }
}
