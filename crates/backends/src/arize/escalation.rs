//! The permissions of Arize that give no more than they name (contract 3.2).

/// Resources of content: to create, change, delete, read or run them changes nobody's access.
const CONTENT: &[&str] = &[
    "ANNOTATION_CONFIG",
    "COST_CONFIG",
    "CUSTOM_METRIC",
    "DASHBOARD",
    "DASHBOARD_TEMPLATE",
    "DATASET",
    "DATASET_EXAMPLE",
    "DATASET_VIEW",
    "EVALUATOR",
    "EXPERIMENT",
    "EXPERIMENT_EVAL_TASK",
    "EXPERIMENT_RUN",
    "FILE_IMPORT",
    "ML_MODEL",
    "MONITOR",
    "PLAYGROUND",
    "PLAYGROUND_VIEW",
    "PROJECT",
    "PROJECT_EVAL_TASK",
    "PROJECT_SPAN",
    "PROJECT_SPAN_EVAL_FEEDBACK",
    "PROMPT",
    "PROMPT_OPTIMIZE_TASK",
    "QUEUE",
    "QUEUE_RECORD",
    "TAG",
    "TRACE_VIEW",
];
const CONTENT_ACTIONS: &[&str] = &["CREATE", "DELETE", "READ", "UPDATE", "ANNOTATE", "TRIGGER", "RUN"];

/// Resources that decide about access, or hold credentials. To read them changes nothing.
const READABLE: &[&str] = &[
    "AGENT_ROLE",
    "AI_PROVIDER",
    "DATA_FABRIC_CONNECTOR",
    "MANAGED_AGENT",
    "ORGANIZATION",
    "REMOTE_ENDPOINT_INTEGRATION",
    "ROLE",
    "ROLE_BINDING",
    "SERVICE_KEY",
    "SPACE",
    "USER",
];

/// Whether a permission can give more than it names. Unknown ones count.
pub fn is_escalating(permission: &str) -> bool {
    let Some((resource, action)) = permission.rsplit_once('_') else { return true };
    let is_content = CONTENT.contains(&resource) && CONTENT_ACTIONS.contains(&action);
    !(is_content || READABLE.contains(&resource) && action == "READ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_access_and_unknown_permissions_escalate() {
        for permission in [
            "ROLE_UPDATE",
            "ROLE_BINDING_CREATE",
            "USER_PERMISSION_UPDATE",
            "SERVICE_KEY_CREATE",
            "PROJECT_RESTRICT",
            "SPACE_CREATE",
            "MANAGED_AGENT_UPDATE",
            "WORMHOLE_READ",
            "PROJECT_OPEN",
        ] {
            assert!(is_escalating(permission), "{permission}");
        }
        for permission in
            ["PROJECT_READ", "PROJECT_SPAN_ANNOTATE", "DATASET_DELETE", "ROLE_READ", "USER_READ"]
        {
            assert!(!is_escalating(permission), "{permission}");
        }
    }
}
