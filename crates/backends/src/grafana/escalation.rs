//! The actions of Grafana that give no more than they name (contract 3.6).

/// Resources of content, and the operations on them that change nobody's access.
const CONTENT: &[&str] = &[
    "alert.instances",
    "alert.instances.external",
    "alert.notifications",
    "alert.rules",
    "alert.silences",
    "annotations",
    "dashboards",
    "folders",
    "library.panels",
    "playlists",
    "reports",
    "snapshots",
];
const CONTENT_OPERATIONS: &[&str] = &["create", "delete", "read", "send", "write"];

/// What shows data or who has access, and changes nothing.
const READABLE: &[&str] = &[
    "annotations:read",
    "dashboards.insights:read",
    "dashboards.permissions:read",
    "datasources:explore",
    "datasources:query",
    "datasources:read",
    "datasources.id:read",
    "datasources.insights:read",
    "datasources.permissions:read",
    "folders.permissions:read",
    "org.users:read",
    "orgs:read",
    "roles:list",
    "roles:read",
    "server.stats:read",
    "serviceaccounts:read",
    "serviceaccounts.permissions:read",
    "teams:read",
    "teams.permissions:read",
    "teams.roles:read",
    "users:read",
    "users.permissions:read",
    "users.roles:read",
];

/// Whether an action can give more than it names. Unknown ones count, those of plugins too.
pub fn is_escalating(action: &str) -> bool {
    let Some((resource, operation)) = action.split_once(':') else { return true };
    let is_content = CONTENT.contains(&resource) && CONTENT_OPERATIONS.contains(&operation);
    !(is_content || READABLE.contains(&action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_access_and_unknown_actions_escalate() {
        for action in [
            "roles:write",
            "users.roles:add",
            "dashboards.permissions:write",
            "folders.permissions:write",
            "dashboards.public:write",
            "serviceaccounts:create",
            "datasources:write",
            "permissions:type:escalate",
            "dashboards:*",
            "*",
            "some-plugin.things:read",
        ] {
            assert!(is_escalating(action), "{action}");
        }
        for action in
            ["dashboards:read", "folders:create", "reports:write", "datasources:query", "teams:read"]
        {
            assert!(!is_escalating(action), "{action}");
        }
    }
}
