//! Deleting a user, and the bot users of service keys.

use super::{
    memberships::{join_organization, join_space},
    tenant::{Tenant, now},
};
use crate::arize::rows::{
    api_keys::KeyStatus,
    ids::{Id, Kind},
    memberships::AssignedRole,
    users::{AccountRole, User, UserStatus},
};

impl Tenant {
    /// Blocks a user and removes the user's memberships, bindings and keys (contract 4.8). Returns whether
    /// the user exists.
    pub fn block_user(&mut self, id: Id) -> bool {
        let Some(user) = self.users.get_mut(id) else { return false };
        user.status = UserStatus::Inactive;
        self.organization_members.retain(|member| member.user_id != id);
        self.space_members.retain(|member| member.user_id != id);
        self.role_bindings.retain(|binding| binding.user_id != id);
        for key in self.api_keys.iter_mut() {
            if key.owner() == id {
                key.status = KeyStatus::Revoked;
            }
        }
        true
    }

    /// Adds the bot user of a service key, and makes it a member of organizations and spaces.
    pub fn add_bot(
        &mut self,
        name: &str,
        role: AccountRole,
        organizations: &[(Id, AssignedRole)],
        spaces: &[(Id, AssignedRole)],
    ) -> Id {
        let id = self.issue(Kind::User);
        self.users.insert(User {
            id,
            name: name.to_owned(),
            email: format!("bot-{}@bots.invalid", id.serial),
            created_at: now(),
            status: UserStatus::Active,
            role,
            is_developer: true,
            is_bot: true,
        });
        for (organization, role) in organizations {
            join_organization(self, id, *organization, role.clone());
        }
        for (space, role) in spaces {
            join_space(self, id, *space, role.clone());
        }
        id
    }
}
