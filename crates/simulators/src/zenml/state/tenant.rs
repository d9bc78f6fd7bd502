//! One control plane as plain data.

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

impl Tenant {
    /// An identifier that was never used before.
    pub fn issue(&mut self) -> Uuid {
        self.issued += 1;
        Uuid::issue(self.issued)
    }
}
