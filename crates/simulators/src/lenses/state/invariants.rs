//! The rules that a tenant must satisfy before it replaces the current one.

use super::tenant::Tenant;

impl Tenant {
    /// Checks the tenant, and raises its counter to the highest number of the rows.
    ///
    /// # Errors
    /// The group with an unknown role or member, or the name that two principals have.
    pub fn admit(&mut self) -> Result<(), String> {
        let tokens = self.service_accounts.iter().map(|account| account.token);
        self.last_number = tokens.chain([self.last_number]).max().unwrap_or_default();
        for group in self.groups.iter() {
            if let Some(role) = group.roles.iter().find(|role| !self.roles.contains(role)) {
                return Err(format!("the group {} has the unknown role {role}", group.name));
            }
            if let Some(member) = group.members.iter().find(|member| !self.has_principal(member)) {
                return Err(format!("the group {} has the unknown member {member:?}", group.name));
            }
        }
        let shared = self.users.iter().find(|user| self.service_accounts.contains(&user.name));
        match shared {
            Some(user) if self.switches.principals_share_names => {
                Err(format!("a user and a service account have the same name: {}", user.name))
            }
            _ => Ok(()),
        }
    }
}
