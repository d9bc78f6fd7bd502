//! Assignments of roles: the stored ones, and those of mapped external groups (contract 3.5, 3.9).

use std::collections::BTreeSet;

use super::tenant::Tenant;
use crate::grafana::rows::role_assignments::{TeamRole, UserRole};

/// A role that a user or service account has directly or through an external group.
#[derive(Clone, Copy, Debug)]
pub struct DirectRole<'a> {
    /// The organization where it applies; 0 for all.
    pub org_id: i64,
    /// A user or a service account.
    pub user_id: i64,
    /// The role.
    pub role_uid: &'a str,
    /// Whether it comes from a group.
    pub mapped: bool,
}

impl Tenant {
    /// Every role of users and service accounts, without those of teams: first the stored ones, then those of
    /// mapped groups. A mapping applies to members of the group who belong to its organization. A role of
    /// several groups appears once.
    pub fn direct_roles(&self) -> impl Iterator<Item = DirectRole<'_>> {
        let stored = self.user_roles.iter().map(|row| DirectRole {
            org_id: row.org_id,
            user_id: row.user_id,
            role_uid: &row.role_uid,
            mapped: row.mapped,
        });
        let mut mapped = BTreeSet::new();
        for mapping in &self.group_mappings {
            let members = self.external_group_members.iter().filter(|row| row.group_id == mapping.group_id);
            for member in members.filter(|row| self.is_org_user(row.user_id, mapping.org_id)) {
                let rows = mapping.role_uids.iter().map(|uid| (mapping.org_id, member.user_id, uid.as_str()));
                mapped.extend(rows);
            }
        }
        let mapped = mapped.into_iter();
        stored.chain(mapped.map(|(org_id, user_id, role_uid)| DirectRole {
            org_id,
            user_id,
            role_uid,
            mapped: true,
        }))
    }

    /// Adds an assignment. Returns whether it is new.
    pub fn assign_to_user(&mut self, row: UserRole) -> bool {
        let is_new = !self.user_roles.contains(&row);
        if is_new {
            self.user_roles.push(row);
        }
        is_new
    }

    /// Adds an assignment, if it is new.
    pub fn assign_to_team(&mut self, row: TeamRole) {
        if !self.team_roles.contains(&row) {
            self.team_roles.push(row);
        }
    }
}
