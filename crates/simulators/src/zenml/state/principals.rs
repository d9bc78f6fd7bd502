//! Principals: their teams, roles and memberships.

use std::collections::BTreeSet;

use super::tenant::Tenant;
use crate::zenml::rows::{
    assignments::Assignment,
    ids::Uuid,
    principals::Principal,
    roles::{Level, Role},
};

impl Tenant {
    /// The identifiers of a user's teams.
    pub fn teams_of(&self, user: Uuid) -> impl Iterator<Item = Uuid> {
        let rows = self.team_members.iter().filter(move |row| row.member == Principal::User(user));
        rows.map(|row| row.team_id)
    }

    /// The roles of a user, direct or through teams, each with its assignment.
    pub fn roles_of(&self, user: Uuid) -> impl Iterator<Item = (&Assignment, &Role)> {
        let teams: BTreeSet<Uuid> = self.teams_of(user).collect();
        let is_users = move |principal| match principal {
            Principal::User(id) => id == user,
            Principal::Team(id) => teams.contains(&id),
            Principal::Invitation(_) => false,
        };
        let rows = self.assignments.iter().filter(move |row| is_users(row.principal));
        rows.filter_map(|row| Some((row, self.roles.get(row.role_id)?)))
    }

    /// Whether a user is a member of an organization: has a role of the level organization, direct or through a team
    /// (contract 3.1).
    pub fn is_member(&self, user: Uuid, organization: Uuid) -> bool {
        self.roles_of(user)
            .any(|(_, role)| role.organization_id == organization && role.level == Level::Organization)
    }

    /// Removes the assignments and memberships of a deleted principal.
    pub fn remove_principal(&mut self, principal: Principal) {
        self.assignments.retain(|row| row.principal != principal);
        self.team_members.retain(|row| {
            row.member != principal && !matches!(principal, Principal::Team(id) if id == row.team_id)
        });
    }
}
