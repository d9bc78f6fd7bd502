//! The permissions of ZenML that give no more than they name (contract 2.1).

/// Types of content: to create, change or delete them changes nobody's access.
const CONTENT: &[&str] = &[
    "artifact",
    "artifact_version",
    "code_repository",
    "deployment",
    "flavor",
    "model",
    "model_version",
    "pipeline",
    "pipeline_build",
    "pipeline_deployment",
    "pipeline_run",
    "run_metadata",
    "run_template",
    "schedule",
    "stack",
    "stack_component",
    "tag",
    "trigger",
    "webhook",
];
const CONTENT_ACTIONS: &[&str] = &["create", "delete", "promote", "prune", "read", "update"];

/// Types that hold credentials or decide about access. To read them changes nothing.
const READABLE: &[&str] = &["project", "secret", "service", "service_account", "service_connector"];

/// Whether an action on a type of resources can give more than it names. Unknown ones count.
pub fn is_escalating(action: &str, resource: Option<&str>) -> bool {
    let Some(resource) = resource else { return true };
    let is_content = CONTENT.contains(&resource) && CONTENT_ACTIONS.contains(&action);
    !(is_content || READABLE.contains(&resource) && action == "read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sharing_credentials_and_unknown_types_escalate() {
        for (action, resource) in [
            ("share", "pipeline"),
            ("create", "service_account"),
            ("read_secret_value", "secret"),
            ("client", "service_connector"),
            ("read", "wormhole"),
            ("open", "pipeline"),
        ] {
            assert!(is_escalating(action, Some(resource)), "{action} {resource}");
        }
        assert!(is_escalating("read", None));
        for (action, resource) in [("read", "pipeline"), ("delete", "model"), ("read", "service_account")] {
            assert!(!is_escalating(action, Some(resource)), "{action} {resource}");
        }
    }
}
