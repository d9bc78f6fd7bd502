//! Finding rows by name, login or address.

use super::tenant::Tenant;

impl Tenant {
    /// The user with this login.
    pub fn user_by_login(&self, login: &str) -> Option<i64> {
        self.users.iter().find(|user| user.login == login).map(|user| user.id)
    }

    /// The user with this address.
    pub fn user_by_email(&self, email: &str) -> Option<i64> {
        self.users.iter().find(|user| user.email == email).map(|user| user.id)
    }

    /// The oldest team with this name: names are unique only in an organization.
    pub fn team_by_name(&self, name: &str) -> Option<i64> {
        self.teams.iter().find(|team| team.name == name).map(|team| team.id)
    }

    /// The oldest service account with this name: names are unique only in an organization.
    pub fn service_account_by_name(&self, name: &str) -> Option<i64> {
        self.service_accounts.iter().find(|account| account.name == name).map(|account| account.id)
    }

    /// The uid of the oldest role with this name: names are unique only in an organization.
    pub fn role_by_name(&self, name: &str) -> Option<String> {
        self.roles.iter().find(|role| role.name == name).map(|role| role.uid.clone())
    }
}
