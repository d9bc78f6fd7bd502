//! Which principals are in which groups, and which roles they have through them.

use std::collections::{BTreeMap, BTreeSet};

use super::tenant::{Tenant, now};
use crate::lenses::rows::{principals::Principal, roles::Role, switches::MembershipMode};

impl Tenant {
    /// The names of a principal's groups.
    pub fn groups_of(&self, principal: &Principal) -> BTreeSet<String> {
        let groups = self.groups.iter().filter(|group| group.members.contains(principal));
        groups.map(|group| group.name.clone()).collect()
    }

    /// The roles of a principal by name, each once.
    pub fn roles_of(&self, principal: &Principal) -> BTreeMap<&str, &Role> {
        self.groups
            .iter()
            .filter(|group| group.members.contains(principal))
            .flat_map(|group| &group.roles)
            .filter_map(|name| self.roles.get(name))
            .map(|role| (role.name.as_str(), role))
            .collect()
    }

    /// Puts a principal into these groups and out of all others.
    pub fn put_into_groups(&mut self, principal: &Principal, groups: &BTreeSet<String>) {
        for group in self.groups.iter_mut() {
            match groups.contains(&group.name) {
                true => group.members.insert(principal.clone()),
                false => group.members.remove(principal),
            };
        }
    }

    /// A user logs in. Where the identity provider decides on groups, it does so now.
    ///
    /// # Errors
    /// There is no such user.
    pub fn log_in(&mut self, name: &str) -> Result<(), String> {
        let principal = Principal::user(name);
        let user = self.users.get(name).ok_or_else(|| format!("there is no user {name}"))?;
        let given = |sso_name: &String| user.idp_groups.contains(sso_name);
        let groups: BTreeSet<String> = self
            .groups
            .iter()
            .filter(|group| given(&group.sso_name))
            .map(|group| group.name.clone())
            .collect();
        if self.switches.membership_mode == MembershipMode::Sso {
            self.put_into_groups(&principal, &groups);
        }
        self.see(&principal, now());
        Ok(())
    }
}
