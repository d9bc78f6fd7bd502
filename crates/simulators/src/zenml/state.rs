//! One control plane as plain data. Knows its rows, no HTTP.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    assignments::Assignment,
    ids::Uuid,
    invitations::Invitation,
    organizations::Organization,
    projects::Project,
    roles::Role,
    service_accounts::ApiKey,
    switches::Switches,
    teams::{Team, TeamMember},
    users::User,
    workspaces::Workspace,
};
use crate::kit::table::{Row, Table};

/// The whole control plane: what `GET /_sim/state` shows and `PUT /_sim/state` replaces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// How the server behaves.
    pub switches: Switches,
    /// How many identifiers were issued.
    pub issued: u64,
    /// Organizations.
    pub organizations: Table<Organization>,
    /// Users, service accounts among them (contract 3).
    pub users: Table<User>,
    /// API keys and personal access tokens, without their secrets.
    pub api_keys: Table<ApiKey>,
    /// Teams.
    pub teams: Table<Team>,
    /// Who belongs to which team.
    pub team_members: Vec<TeamMember>,
    /// Invitations, accepted ones too.
    pub invitations: Table<Invitation>,
    /// Workspaces.
    pub workspaces: Table<Workspace>,
    /// Projects.
    pub projects: Table<Project>,
    /// Roles: predefined, custom and share roles.
    pub roles: Table<Role>,
    /// Who holds which role where.
    pub assignments: Vec<Assignment>,
}

/// Who can hold a role (contract 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// A user or service account.
    User(Uuid),
    /// A team.
    Team(Uuid),
    /// Somebody who was invited and has not accepted yet.
    Invitation(Uuid),
}

/// What lists are made of.
pub trait Listed: Row<Id = Uuid> {
    /// When it was made.
    fn created(&self) -> Timestamp;
}

impl Tenant {
    /// An identifier that was never used before.
    pub fn issue(&mut self) -> Uuid {
        self.issued += 1;
        Uuid::issue(self.issued)
    }

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

    /// Takes everything from a principal that is gone.
    pub fn forget(&mut self, principal: Principal) {
        self.assignments.retain(|row| row.principal != principal);
        self.team_members.retain(|row| {
            row.member != principal && !matches!(principal, Principal::Team(id) if id == row.team_id)
        });
    }

    /// Checks a tenant that comes from outside.
    ///
    /// # Errors
    /// Which row hangs in the air, or occurs twice.
    pub fn admit(&mut self) -> Result<(), String> {
        let is_there = |principal| match principal {
            Principal::User(id) => self.users.contains(id),
            Principal::Team(id) => self.teams.contains(id),
            Principal::Invitation(id) => self.invitations.contains(id),
        };
        let mut seen = BTreeSet::new();
        for row in &self.assignments {
            if !self.roles.contains(row.role_id) || !is_there(row.principal) {
                return Err(format!("an assignment of role {} hangs in the air", row.role_id));
            }
            if !seen.insert(row) {
                return Err(format!("an assignment of role {} occurs twice", row.role_id));
            }
        }
        let stray =
            self.team_members.iter().find(|row| !self.teams.contains(row.team_id) || !is_there(row.member));
        if let Some(row) = stray {
            return Err(format!("a member of team {} hangs in the air", row.team_id));
        }
        let organizations = self
            .roles
            .iter()
            .map(|role| role.organization_id)
            .chain(self.teams.iter().map(|team| team.organization_id))
            .chain(self.workspaces.iter().map(|workspace| workspace.organization_id));
        for id in organizations {
            if !self.organizations.contains(id) {
                return Err(format!("there is no organization {id}"));
            }
        }
        match self.projects.iter().find(|project| !self.workspaces.contains(project.workspace_id)) {
            Some(project) => Err(format!("project {} has no workspace", project.id)),
            None => Ok(()),
        }
    }
}
