//! The roles and teams of principals.

use std::collections::BTreeSet;

use super::tenant::Tenant;
use crate::zenml::rows::{
    assignments::Assignment,
    ids::Uuid,
    principals::Principal,
    roles::{Level, Role},
};

impl Tenant {
    /// The teams of a user.
    pub fn teams_of(&self, user: Uuid) -> impl Iterator<Item = Uuid> {
        let rows = self.team_members.iter().filter(move |row| row.member == Principal::User(user));
        rows.map(|row| row.team_id)
    }

    /// What a user holds, be it through teams.
    pub fn held_by(&self, user: Uuid) -> impl Iterator<Item = (&Assignment, &Role)> {
        let teams: BTreeSet<Uuid> = self.teams_of(user).collect();
        let is_theirs = move |principal| match principal {
            Principal::User(id) => id == user,
            Principal::Team(id) => teams.contains(&id),
            Principal::Invitation(_) => false,
        };
        let rows = self.assignments.iter().filter(move |row| is_theirs(row.principal));
        rows.filter_map(|row| Some((row, self.roles.get(row.role_id)?)))
    }

    /// Whether somebody is a member: who holds a role of the organization's level, be it through a team.
    pub fn is_member(&self, user: Uuid, organization: Uuid) -> bool {
        self.held_by(user)
            .any(|(_, role)| role.organization_id == organization && role.level == Level::Organization)
    }

    /// Takes everything from a principal that is gone.
    pub fn forget(&mut self, principal: Principal) {
        self.assignments.retain(|row| row.principal != principal);
        self.team_members.retain(|row| {
            row.member != principal && !matches!(principal, Principal::Team(id) if id == row.team_id)
        });
    }
}
