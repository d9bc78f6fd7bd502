//! The permissions of the basic roles of admins, from the table of actions.

use crate::grafana::rows::{actions::ACTIONS, permissions::Permissions};

/// Resources that belong to the whole server: admins of an organization do not have their actions.
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

/// The permissions of an organization's admin: every action of the organization on everything, and
/// delegation. Actions of plugins are not included.
pub fn of_admins() -> Permissions {
    all_scopes_of(|resource, action| {
        !SERVER.contains(&resource)
            && !matches!(action, "orgs:create" | "orgs:delete" | "users.permissions:write")
    })
}

/// The permissions of a server admin: the actions of the server, and roles and users of all organizations.
pub fn of_grafana_admins() -> Permissions {
    all_scopes_of(|resource, _| {
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

fn all_scopes_of(is_included: impl Fn(&str, &str) -> bool) -> Permissions {
    let mut permissions = Permissions::default();
    for (action, prefixes) in ACTIONS.iter() {
        let resource = action.rsplit_once(':').map_or(action.as_str(), |(resource, _)| resource);
        if !is_included(resource, action) {
            continue;
        }
        if prefixes.is_empty() {
            permissions.add(action, "");
        }
        for prefix in prefixes {
            match prefix.as_str() {
                "permissions:type:" => permissions.add(action, "permissions:type:delegate"),
                "services:" => permissions.add(action, "services:accesscontrol"),
                prefix => {
                    permissions.add(action, &format!("{}:*", prefix.split(':').next().unwrap_or(prefix)));
                }
            }
        }
    }
    permissions
}

#[cfg(test)]
mod tests {
    use super::{of_admins, of_grafana_admins};

    #[test]
    fn admins_have_their_organization_and_server_admins_the_server() {
        let (admins, server) = (of_admins(), of_grafana_admins());
        assert!(admins.cover("roles:write", "permissions:type:delegate"));
        assert!(!admins.cover("roles:write", "permissions:type:escalate"));
        assert!(admins.cover("folders:read", "folders:uid:sre") && !server.has_action("folders:read"));
        assert!(!admins.has_action("users:read") && server.cover("users:read", "global.users:id:7"));
        assert!(!admins.has_action("orgs:create") && server.cover("orgs:create", ""));
    }
}
