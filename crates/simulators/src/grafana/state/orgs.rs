//! Deleting an organization, and removing a user from one.

use super::tenant::Tenant;
use crate::grafana::rows::managed::Subject;

impl Tenant {
    /// Deletes an organization with everything in it. Returns whether it exists.
    pub fn drop_org(&mut self, id: i64) -> bool {
        if self.orgs.remove(id).is_none() {
            return false;
        }
        self.org_users.retain(|row| row.org_id != id);
        self.service_accounts.retain(|row| row.org_id != id);
        let teams: Vec<i64> =
            self.teams.iter().filter(|team| team.org_id == id).map(|team| team.id).collect();
        self.team_members.retain(|row| !teams.contains(&row.team_id));
        self.team_groups.retain(|row| !teams.contains(&row.team_id));
        self.teams.retain(|row| row.org_id != id);
        self.folders.retain(|row| row.org_id != id);
        self.dashboards.retain(|row| row.org_id != id);
        self.data_sources.retain(|row| row.org_id != id);
        self.receivers.retain(|row| row.org_id != id);
        self.roles.retain(|row| row.org_id != id);
        self.user_roles.retain(|row| row.org_id != id);
        self.team_roles.retain(|row| row.org_id != id);
        self.group_mappings.retain(|row| row.org_id != id);
        self.managed_permissions.retain(|row| row.org_id != id);
        true
    }

    /// Removes a user from an organization, with the user's teams, roles and permissions there. Returns
    /// whether the user was a member.
    pub fn remove_org_user(&mut self, user: i64, org: i64) -> bool {
        if !self.is_org_user(user, org) {
            return false;
        }
        self.org_users.retain(|row| !(row.org_id == org && row.user_id == user));
        let teams = &self.teams;
        let in_org = |team: i64| teams.get(team).is_some_and(|team| team.org_id == org);
        self.team_members.retain(|row| !(row.user_id == user && in_org(row.team_id)));
        self.user_roles.retain(|row| !(row.user_id == user && row.org_id == org));
        self.managed_permissions.retain(|row| !(row.subject == Subject::User(user) && row.org_id == org));
        true
    }
}
