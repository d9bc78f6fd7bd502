//! Finding rows by name or address, and rows that are not deleted.

use super::tenant::Tenant;
use crate::arize::rows::{
    ids::Id,
    roles::Role,
    users::{User, UserStatus},
};

impl Tenant {
    /// The user with this identifier, unless deleted.
    pub fn live_user(&self, id: Id) -> Option<&User> {
        self.users.get(id).filter(|user| user.status != UserStatus::Inactive)
    }

    /// The role with this identifier, unless deleted.
    pub fn live_role(&self, id: Id) -> Option<&Role> {
        self.roles.get(id).filter(|role| role.deleted_at.is_none())
    }

    /// The user with this address, deleted or not.
    pub fn user_by_email(&self, email: &str) -> Option<Id> {
        self.users.iter().find(|user| user.email == email).map(|user| user.id)
    }

    /// The oldest space with this name: names are unique only in an organization.
    pub fn space_by_name(&self, name: &str) -> Option<Id> {
        self.spaces.iter().find(|space| space.name == name).map(|space| space.id)
    }

    /// The project with this name in a space.
    pub fn project_by_name(&self, space: Id, name: &str) -> Option<Id> {
        let mut projects = self.projects.iter();
        projects.find(|project| project.space_id == space && project.name == name).map(|project| project.id)
    }

    /// The role with this name, unless deleted.
    pub fn role_by_name(&self, name: &str) -> Option<Id> {
        self.roles.iter().find(|role| role.name == name && role.deleted_at.is_none()).map(|role| role.id)
    }
}
