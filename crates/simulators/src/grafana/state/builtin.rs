//! Roles that come with the server: basic and fixed ones (contract 3.3).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use sha1::{Digest, Sha1};

use super::{
    admins,
    tenant::{Kind, Tenant},
};
use crate::grafana::rows::{permissions::Permission, roles::Role};

/// Basic roles: uid, name, display name.
const BASIC: [(&str, &str, &str); 5] = [
    ("basic_none", "basic:none", "None"),
    ("basic_viewer", "basic:viewer", "Viewer"),
    ("basic_editor", "basic:editor", "Editor"),
    ("basic_admin", "basic:admin", "Admin"),
    ("basic_grafana_admin", "basic:grafana_admin", "Grafana Admin"),
];

/// Fixed roles: name, display name, group, permissions. An empty display name can have a fallback
/// (contract 3.7).
const FIXED: &[(&str, &str, &str, &str)] = &[
    ("fixed:annotations:reader", "Annotation reader", "Annotations", "annotations:read@annotations:type:*"),
    (
        "fixed:dashboards:creator",
        "Dashboard creator",
        "Dashboards",
        "dashboards:create@folders:* folders:read@folders:*",
    ),
    ("fixed:dashboards:reader", "Dashboard reader", "Dashboards", "dashboards:read@dashboards:*"),
    (
        "fixed:dashboards:writer",
        "Dashboard writer",
        "Dashboards",
        "dashboards:read@dashboards:* dashboards:write@dashboards:* dashboards:delete@dashboards:* \
         dashboards:create@folders:*",
    ),
    ("fixed:datasources:explorer", "Explorer", "Data sources", "datasources:explore"),
    (
        "fixed:datasources:reader",
        "Data source reader",
        "Data sources",
        "datasources:read@datasources:* datasources:query@datasources:*",
    ),
    (
        "fixed:datasources:writer",
        "Data source writer",
        "Data sources",
        "datasources:read@datasources:* datasources:query@datasources:* datasources:create \
         datasources:write@datasources:* datasources:delete@datasources:*",
    ),
    (
        "fixed:datasources.permissions:writer",
        "",
        "Data sources",
        "datasources.permissions:read@datasources:* datasources.permissions:write@datasources:*",
    ),
    ("fixed:folders:creator", "Folder creator", "Folders", "folders:create@folders:*"),
    ("fixed:folders:reader", "Folder reader", "Folders", "folders:read@folders:* dashboards:read@folders:*"),
    (
        "fixed:org.users:writer",
        "Organization user writer",
        "Organizations",
        "org.users:read@users:* org.users:add@users:* org.users:remove@users:* org.users:write@users:*",
    ),
    (
        "fixed:organization:maintainer",
        "Maintainer",
        "Organizations",
        "orgs:create orgs:delete orgs:read orgs:write orgs.quotas:read orgs.quotas:write",
    ),
    (
        "fixed:reports:reader",
        "Report reader",
        "Reports",
        "reports:read@reports:* reports:send@reports:* reports.settings:read",
    ),
    (
        "fixed:reports:writer",
        "Report writer",
        "Reports",
        "reports:read@reports:* reports:send@reports:* reports:create reports:write@reports:* \
         reports:delete@reports:* reports.settings:read reports.settings:write",
    ),
    (
        "fixed:roles:reader",
        "Role reader",
        "Access control",
        "roles:read@roles:* teams.roles:read@teams:* users.roles:read@users:* users.permissions:read@users:*",
    ),
    (
        "fixed:roles:writer",
        "Role writer",
        "Access control",
        "roles:read@roles:* roles:write@permissions:type:delegate roles:delete@permissions:type:delegate \
         teams.roles:read@teams:* teams.roles:add@permissions:type:delegate \
         teams.roles:remove@permissions:type:delegate users.roles:read@users:* \
         users.roles:add@permissions:type:delegate users.roles:remove@permissions:type:delegate \
         users.permissions:read@users:*",
    ),
    ("fixed:teams:read", "Team reader", "Teams", "teams:read@teams:*"),
    (
        "fixed:users:reader",
        "User reader",
        "User management",
        "users:read@global.users:* users.quotas:read@global.users:*",
    ),
];

/// The permissions of viewers in an organization, without those on single resources.
const VIEWERS: &str = "annotations:read@annotations:type:* datasources.id:read@datasources:* orgs:read \
                       plugins.app:access@plugins:*";

/// The permissions that editors have in addition to those of viewers.
const EDITORS: &str = "annotations:create@annotations:type:* annotations:delete@annotations:type:* \
                       annotations:write@annotations:type:* datasources:explore \
                       dashboards:create@folders:uid:general folders:create@folders:uid:general";

/// The uid of a role that is not custom: the prefix of its name, and a hash of the name.
pub fn uid(name: &str) -> String {
    let prefix = name.split(':').next().unwrap_or_default();
    format!("{prefix}_{}", BASE64_URL_SAFE_NO_PAD.encode(Sha1::digest(name)))
}

/// The permissions of a basic role at the start and after a reset.
pub fn of_basic_role(uid: &str) -> Vec<Permission> {
    let permissions = match uid {
        "basic_viewer" => return parse(VIEWERS),
        "basic_editor" => return parse(EDITORS),
        "basic_admin" => admins::of_admins(),
        "basic_grafana_admin" => admins::of_grafana_admins(),
        _ => return Vec::new(),
    };
    permissions.iter().map(|(action, scope)| Permission::new(action, scope)).collect()
}

impl Tenant {
    /// Adds the basic and the fixed roles.
    pub fn add_builtin_roles(&mut self, created: Timestamp) {
        for (uid, name, display_name) in BASIC {
            let role = self.new_role(uid, name, created);
            self.roles.insert(Role {
                display_name: display_name.to_owned(),
                group: "Basic".to_owned(),
                hidden: true,
                permissions: of_basic_role(uid),
                ..role
            });
        }
        for (name, display_name, group, permissions) in FIXED {
            let role = self.new_role(&uid(name), name, created);
            self.roles.insert(Role {
                display_name: (*display_name).to_owned(),
                group: (*group).to_owned(),
                permissions: parse(permissions),
                ..role
            });
        }
    }

    /// Changes the uids of fixed roles to random ones, as on an old server (contract 3.3).
    pub fn randomize_fixed_uids(&mut self, seed: u64) {
        let mut dice = fastrand::Rng::with_seed(seed);
        for role in self.roles.iter_mut().filter(|role| role.name.starts_with("fixed:")) {
            let new: String = std::iter::repeat_with(|| dice.alphanumeric()).take(9).collect();
            for row in self.user_roles.iter_mut().filter(|row| row.role_uid == role.uid) {
                row.role_uid.clone_from(&new);
            }
            for row in self.team_roles.iter_mut().filter(|row| row.role_uid == role.uid) {
                row.role_uid.clone_from(&new);
            }
            let mapped = self.group_mappings.iter_mut().flat_map(|row| &mut row.role_uids);
            mapped.filter(|uid| **uid == role.uid).for_each(|uid| uid.clone_from(&new));
            role.uid = new;
        }
    }

    /// A global role with a uid and a name. It is not added to the tenant.
    pub fn new_role(&mut self, uid: &str, name: &str, created: Timestamp) -> Role {
        Role {
            id: self.issue(Kind::Role),
            uid: uid.to_owned(),
            org_id: 0,
            version: 1,
            name: name.to_owned(),
            display_name: String::new(),
            description: String::new(),
            group: String::new(),
            hidden: false,
            permissions: Vec::new(),
            created,
            updated: created,
        }
    }
}

/// Permissions written as `action@scope`, or `action` without one.
pub fn parse(text: &str) -> Vec<Permission> {
    let one = |word: &str| {
        let (action, scope) = word.split_once('@').unwrap_or((word, ""));
        Permission::new(action, scope)
    };
    text.split_whitespace().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::registry, BASIC, FIXED, Tenant, of_basic_role, parse, uid};

    #[test]
    fn a_uid_has_the_hash_of_the_contracts_test_vector() {
        assert_eq!(uid("fixed:datasources:reader"), "fixed_C2x8IxkiBc1KZVjyYH775T9jNMQ");
    }

    #[test]
    fn permissions_of_basic_and_fixed_roles_are_valid() {
        let tenant = Tenant::default();
        let fixed = FIXED.iter().flat_map(|(_, _, _, permissions)| parse(permissions));
        let basic = BASIC.iter().flat_map(|(uid, _, _)| of_basic_role(uid));
        for permission in fixed.chain(basic) {
            assert_eq!(registry::check(&tenant, &permission), Ok(()), "{permission:?}");
        }
    }
}
