//! The vendor's permission strings (contract 3, SDK 8.61.0), and the sets of the predefined roles.
//!
//! The vendor does not publish what its predefined roles hold; the sets here are plausible, no more.

use std::{collections::BTreeSet, sync::LazyLock};

/// Actions by resource: `C`reate, `D`elete, `R`ead, `U`pdate; others spelt out.
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

/// Resources that servers before 11.40 do not know (contract 3: absent from the older enumeration).
const NEWER_RESOURCES: &[&str] =
    &["AGENT_ROLE", "COST_CONFIG", "DASHBOARD_TEMPLATE", "PROJECT_SPAN_EVAL_FEEDBACK", "ROLE"];

/// Single permissions that servers before 11.40 do not know.
const NEWER_PERMISSIONS: &[&str] = &["DASHBOARD_RESTRICT", "PROMPT_RESTRICT"];

/// What is granted at account or organization level only, so that no role of a space holds it.
const ABOVE_SPACES: &[&str] = &["ORGANIZATION", "ROLE", "USER", "USER_PERMISSION", "COST_CONFIG"];

/// All permissions of a current server.
pub static ALL: LazyLock<BTreeSet<String>> =
    LazyLock::new(|| table().map(|(resource, action)| format!("{resource}_{action}")).collect());

/// All permissions of a server before 11.40.
pub static BEFORE_1140: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    table()
        .filter(|(resource, _)| !NEWER_RESOURCES.contains(resource))
        .map(|(resource, action)| format!("{resource}_{action}"))
        .filter(|permission| !NEWER_PERMISSIONS.contains(&permission.as_str()))
        .collect()
});

/// What a predefined role of this name holds.
pub fn of_predefined_role(name: &str) -> Vec<String> {
    let holds = |resource: &str, action: &str| -> bool {
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
        .filter(|(resource, action)| holds(resource, action))
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
                spelt_out => spelt_out,
            };
            (*resource, action)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{ALL, BEFORE_1140, of_predefined_role};

    #[test]
    fn there_are_as_many_permissions_as_the_contract_counts() {
        assert_eq!(ALL.len(), 151);
        assert_eq!(BEFORE_1140.len(), 132);
    }

    #[test]
    fn every_predefined_role_holds_something_that_exists() {
        for name in super::super::seed::PREDEFINED_ROLES {
            let permissions = of_predefined_role(name);
            assert!(!permissions.is_empty(), "{name}");
            assert!(permissions.iter().all(|permission| ALL.contains(permission)), "{name}");
        }
    }
}
