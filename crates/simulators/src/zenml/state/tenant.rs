//! The control plane as a whole.

use serde::{Deserialize, Serialize};

use crate::{
    kit::table::Table,
    zenml::rows::{
        api_keys::ApiKey,
        assignments::Assignment,
        ids::Uuid,
        invitations::Invitation,
        organizations::Organization,
        projects::Project,
        roles::Role,
        switches::Switches,
        teams::{Team, TeamMember},
        users::User,
        workspaces::Workspace,
    },
};

/// The control plane. `GET /_sim/state` returns it, and `PUT /_sim/state` replaces it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// The server's behaviour where it is not known or differs.
    pub switches: Switches,
    /// The number of issued identifiers.
    pub issued: u64,
    /// All organizations.
    pub organizations: Table<Organization>,
    /// People and service accounts (contract 3.1).
    pub users: Table<User>,
    /// API keys and personal access tokens, without their secrets.
    pub api_keys: Table<ApiKey>,
    /// The teams of all organizations.
    pub teams: Table<Team>,
    /// Memberships in teams.
    pub team_members: Vec<TeamMember>,
    /// Open and accepted invitations.
    pub invitations: Table<Invitation>,
    /// The workspaces of all organizations.
    pub workspaces: Table<Workspace>,
    /// The projects of all workspaces.
    pub projects: Table<Project>,
    /// Predefined, custom and share roles.
    pub roles: Table<Role>,
    /// Role assignments.
    pub assignments: Vec<Assignment>,
}

impl Tenant {
    /// A new identifier.
    pub fn issue(&mut self) -> Uuid {
        self.issued += 1;
        Uuid::issue(self.issued)
    }
}
