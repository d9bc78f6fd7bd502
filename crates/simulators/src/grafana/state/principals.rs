//! Users, service accounts and teams: adding and deleting them, and where they belong.

use jiff::Timestamp;

use super::tenant::{Kind, Tenant};
use crate::grafana::rows::{
    basic_role::BasicRole,
    managed::{ResourceKind, Subject},
    service_accounts::ServiceAccount,
    teams::Team,
    users::{OrgUser, User},
};

impl Tenant {
    /// Adds a user to the server and to an organization. Returns the user's number.
    pub fn add_user(
        &mut self,
        login: &str,
        email: &str,
        name: &str,
        org_id: i64,
        role: BasicRole,
        created: Timestamp,
    ) -> i64 {
        let id = self.issue(Kind::Principal);
        let uid = self.issue_uid();
        self.users.insert(User {
            id,
            uid,
            login: login.to_owned(),
            email: email.to_owned(),
            name: name.to_owned(),
            org_id,
            is_grafana_admin: false,
            is_disabled: false,
            created,
        });
        self.org_users.push(OrgUser { org_id, user_id: id, role });
        id
    }

    /// Adds a service account. Returns its number.
    pub fn add_service_account(
        &mut self,
        org_id: i64,
        name: &str,
        role: BasicRole,
        created: Timestamp,
    ) -> i64 {
        let (id, uid) = (self.issue(Kind::Principal), self.issue_uid());
        let login = format!("sa-{org_id}-{}", name.to_lowercase().replace(' ', "-"));
        let name = name.to_owned();
        self.service_accounts.insert(ServiceAccount {
            id,
            uid,
            org_id,
            name,
            login,
            role,
            is_disabled: false,
            created,
        });
        id
    }

    /// Deletes a service account with its tokens.
    pub fn drop_service_account(&mut self, account: &ServiceAccount) {
        self.service_accounts.remove(account.id);
        self.tokens.retain(|token| token.service_account_id != account.id);
        self.forget_principal(account.id);
        self.forget_resource(account.org_id, ResourceKind::ServiceAccounts, &account.id.to_string());
    }

    /// Adds a team. Returns its number.
    pub fn add_team(&mut self, org_id: i64, name: &str, email: &str) -> i64 {
        let (id, uid) = (self.issue(Kind::Team), self.issue_uid());
        let (name, email) = (name.to_owned(), email.to_owned());
        self.teams.insert(Team { id, uid, org_id, name, email, is_provisioned: false });
        id
    }

    /// Deletes a team with its roles and permissions.
    pub fn drop_team(&mut self, team: &Team) {
        self.teams.remove(team.id);
        self.team_members.retain(|row| row.team_id != team.id);
        self.team_groups.retain(|row| row.team_id != team.id);
        self.team_roles.retain(|row| row.team_id != team.id);
        self.forget_subject(Subject::Team(team.id));
        self.forget_resource(team.org_id, ResourceKind::Teams, &team.id.to_string());
    }

    /// Removes the memberships, permissions and roles of a deleted user or service account. A switch can keep
    /// the roles.
    pub fn forget_principal(&mut self, id: i64) {
        self.org_users.retain(|row| row.user_id != id);
        self.team_members.retain(|row| row.user_id != id);
        self.forget_subject(Subject::User(id));
        if !self.switches.deleted_users_stay_assigned {
            self.user_roles.retain(|row| row.user_id != id);
        }
    }

    /// Whether a user is a member of an organization.
    pub fn is_org_user(&self, user: i64, org: i64) -> bool {
        self.org_users.iter().any(|row| row.user_id == user && row.org_id == org)
    }

    /// The basic role of a user or service account in an organization. None if it does not belong to it.
    pub fn basic_role(&self, principal: i64, org: i64) -> Option<BasicRole> {
        let account = self.service_accounts.get(principal).filter(|account| account.org_id == org);
        let member = || self.org_users.iter().find(|row| row.user_id == principal && row.org_id == org);
        account.map(|account| account.role).or_else(|| member().map(|row| row.role))
    }

    /// The team with this number, if it is in the organization.
    pub fn team_in(&self, org: i64, id: i64) -> Option<&Team> {
        self.teams.get(id).filter(|team| team.org_id == org)
    }

    /// The teams of a user or service account in an organization.
    pub fn teams_of(&self, principal: i64, org: i64) -> Vec<i64> {
        let teams = self.team_members.iter().filter(|row| row.user_id == principal).map(|row| row.team_id);
        teams.filter(|id| self.team_in(org, *id).is_some()).collect()
    }
}
