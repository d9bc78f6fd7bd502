//! Which names are taken (contract 4.2). `except` is the row that is being renamed: its own name is free.

use super::tenant::Tenant;
use crate::arize::rows::{ids::Id, roles::Role};

impl Tenant {
    /// Whether another organization of the account has this name.
    pub fn organization_name_is_taken(&self, name: &str, except: Option<Id>) -> bool {
        self.organizations.iter().any(|row| row.name == name && Some(row.id) != except)
    }

    /// Whether another space of the organization has this name.
    pub fn space_name_is_taken(&self, organization: Id, name: &str, except: Option<Id>) -> bool {
        let mut spaces = self.spaces.iter();
        spaces.any(|row| row.organization_id == organization && row.name == name && Some(row.id) != except)
    }

    /// Whether another project of the space has this name.
    pub fn project_name_is_taken(&self, space: Id, name: &str, except: Option<Id>) -> bool {
        let mut projects = self.projects.iter();
        projects.any(|row| row.space_id == space && row.name == name && Some(row.id) != except)
    }

    /// Whether another role has this name. Switches decide which roles and which spellings count.
    pub fn role_name_is_taken(&self, name: &str, except: Option<Id>) -> bool {
        let switches = &self.switches;
        let counts = |role: &Role| {
            (switches.predefined_names_collide || !role.is_predefined)
                && (switches.deleted_role_names_stay_taken || role.deleted_at.is_none())
        };
        let is_same = |role: &Role| {
            if switches.role_names_case_sensitive {
                role.name == name
            } else {
                role.name.eq_ignore_ascii_case(name)
            }
        };
        self.roles.iter().any(|role| Some(role.id) != except && counts(role) && is_same(role))
    }
}
