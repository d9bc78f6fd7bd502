//! The groups of principals, and the roles that they have through them.

use std::collections::{BTreeMap, BTreeSet};

use super::tenant::{Tenant, now};
use crate::lenses::rows::{principals::Principal, roles::Role, switches::MembershipMode};

impl Tenant {
    /// The names of a principal's groups.
    pub fn groups_of(&self, principal: &Principal) -> BTreeSet<String> {
        let groups = self.groups.iter().filter(|group| group.members.contains(principal));
        groups.map(|group| group.name.clone()).collect()
    }

    /// The roles of a principal by name.
    pub fn roles_of(&self, principal: &Principal) -> BTreeMap<&str, &Role> {
        self.groups
            .iter()
            .filter(|group| group.members.contains(principal))
            .flat_map(|group| &group.roles)
            .filter_map(|name| self.roles.get(name))
            .map(|role| (role.name.as_str(), role))
            .collect()
    }

    /// Makes a principal a member of exactly these groups.
    pub fn set_groups_of(&mut self, principal: &Principal, groups: &BTreeSet<String>) {
        for group in self.groups.iter_mut() {
            match groups.contains(&group.name) {
                true => group.members.insert(principal.clone()),
                false => group.members.remove(principal),
            };
        }
    }

    /// Logs a user in. With [`MembershipMode::Sso`], this sets the user's groups (contract 3.8).
    ///
    /// # Errors
    /// The user does not exist.
    pub fn log_in(&mut self, name: &str) -> Result<(), String> {
        let principal = Principal::user(name);
        let user = self.users.get(name).ok_or_else(|| format!("the user {name} does not exist"))?;
        let is_users = |sso_name: &String| user.idp_groups.contains(sso_name);
        let groups: BTreeSet<String> = self
            .groups
            .iter()
            .filter(|group| is_users(&group.sso_name))
            .map(|group| group.name.clone())
            .collect();
        if self.switches.membership_mode == MembershipMode::Sso {
            self.set_groups_of(&principal, &groups);
        }
        self.record_call(&principal, now());
        Ok(())
    }
}
