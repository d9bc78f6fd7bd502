//! Teams.

use jiff::Timestamp;

use super::tenant::Tenant;
use crate::zenml::rows::{ids::Uuid, teams::Team};

impl Tenant {
    /// Adds a team without members.
    pub fn add_team(
        &mut self,
        organization_id: Uuid,
        name: &str,
        description: Option<String>,
        created: Timestamp,
    ) -> Uuid {
        let id = self.issue();
        let name = name.to_owned();
        self.teams.insert(Team { id, organization_id, name, description, created, updated: created });
        id
    }

    /// The team with this name.
    pub fn team_by_name(&self, organization: Uuid, name: &str) -> Option<Uuid> {
        let mut rows = self.teams.iter().filter(|row| row.organization_id == organization);
        rows.find(|row| row.name == name).map(|row| row.id)
    }
}
