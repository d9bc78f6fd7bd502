//! The actions of Lenses that give no more than they name (contract 3.5).

/// Services of content: no operation of theirs changes anybody's access in Lenses.
const CONTENT: &[&str] = &[
    "alerts",
    "applications",
    "audit",
    "k2k",
    "kafka",
    "kafka-connect",
    "kubernetes",
    "schemas",
    "sql-streaming",
];

/// Services that decide about access, or hold credentials. To read them changes nothing, and neither does the access to an environment.
const READABLE: &[&str] = &["administration", "data-policies", "environments", "iam"];

/// Whether an action, or a pattern of actions, can give more than it names. Unknown ones count.
pub fn is_escalating(action: &str) -> bool {
    let Some((service, operation)) = action.split_once(':') else { return true };
    let reads = ["List", "Get"].iter().any(|read| operation.starts_with(read));
    let is_readable = READABLE.contains(&service) && (reads || action == "environments:AccessEnvironment");
    !(CONTENT.contains(&service) || is_readable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_access_and_unknown_services_escalate() {
        for action in ["*", "iam:*", "iam:CreateGroup", "administration:UpdateLicense", "wormholes:Open"] {
            assert!(is_escalating(action), "{action}");
        }
        for action in [
            "kafka:*",
            "kafka:ListTopics",
            "iam:List*",
            "environments:Get*",
            "environments:AccessEnvironment",
        ] {
            assert!(!is_escalating(action), "{action}");
        }
    }
}
