//! Finding and deleting roles.

use std::collections::BTreeMap;

use super::tenant::Tenant;
use crate::grafana::rows::roles::Role;

impl Tenant {
    /// The role with this uid, if it exists in the organization.
    pub fn role(&self, org: i64, uid: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.uid == uid && role.is_in(org))
    }

    /// All roles by uid, for finding many of them.
    pub fn roles_by_uid(&self) -> BTreeMap<&str, &Role> {
        self.roles.iter().map(|role| (role.uid.as_str(), role)).collect()
    }

    /// Whether a user, a team or a mapped group has a role.
    pub fn is_assigned(&self, role_uid: &str) -> bool {
        let users = self.user_roles.iter().map(|row| &row.role_uid);
        let teams = self.team_roles.iter().map(|row| &row.role_uid);
        let groups = self.group_mappings.iter().flat_map(|row| &row.role_uids);
        users.chain(teams).chain(groups).any(|uid| *uid == role_uid)
    }

    /// Deletes a role with its assignments.
    pub fn drop_role(&mut self, role: &Role) {
        self.user_roles.retain(|row| row.role_uid != role.uid);
        self.team_roles.retain(|row| row.role_uid != role.uid);
        self.group_mappings.iter_mut().for_each(|row| row.role_uids.retain(|uid| *uid != role.uid));
        self.roles.remove(role.id);
    }
}
