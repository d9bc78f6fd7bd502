//! The check of a tenant that a client puts.

use super::tenant::Tenant;

impl Tenant {
    /// Checks a tenant that comes from outside, and completes its counter.
    ///
    /// # Errors
    /// Which group has a role or a member that is not there, or which name two principals have.
    pub fn admit(&mut self) -> Result<(), String> {
        let tokens = self.service_accounts.iter().map(|account| account.token);
        self.last_number = tokens.chain([self.last_number]).max().unwrap_or_default();
        for group in self.groups.iter() {
            if let Some(role) = group.roles.iter().find(|role| !self.roles.contains(role)) {
                return Err(format!("the group {} has the role {role}, which is not there", group.name));
            }
            if let Some(member) = group.members.iter().find(|member| !self.has_principal(member)) {
                return Err(format!("the group {} has {member:?}, who is not there", group.name));
            }
        }
        let shared = self.users.iter().find(|user| self.service_accounts.contains(&user.name));
        match shared {
            Some(user) if self.switches.principals_share_names => {
                Err(format!("{} is both a user and a service account", user.name))
            }
            _ => Ok(()),
        }
    }
}
