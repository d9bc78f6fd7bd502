//! Invitations, and the transfer of their roles and teams on acceptance (contract 2.3).

use jiff::Timestamp;

use super::tenant::Tenant;
use crate::zenml::rows::{
    assignments::Assignment, ids::Uuid, invitations::Invitation, principals::Principal,
};

impl Tenant {
    /// Adds an invitation with a role of the level organization.
    pub fn add_invitation(
        &mut self,
        organization_id: Uuid,
        email: &str,
        role_id: Uuid,
        created: Timestamp,
    ) -> Uuid {
        let id = self.issue();
        let (email, is_accepted) = (email.to_owned(), false);
        self.invitations.insert(Invitation {
            id,
            organization_id,
            email,
            is_accepted,
            created,
            updated: created,
        });
        let principal = Principal::Invitation(id);
        self.assignments.push(Assignment { role_id, principal, workspace_id: None, project_id: None });
        id
    }

    /// Accepts an invitation: its roles and teams pass to the user.
    pub fn accept(&mut self, invitation: Invitation, user: Principal) -> Invitation {
        let accepted = Invitation { is_accepted: true, updated: Timestamp::now(), ..invitation };
        self.transfer(Principal::Invitation(accepted.id), user);
        self.invitations.insert(accepted.clone());
        accepted
    }

    /// Accepts the open invitation of a user's address, if there is one.
    pub fn accept_open_invitation(&mut self, organization: Uuid, member: Principal) {
        let Principal::User(id) = member else { return };
        let email = self.users.get(id).and_then(|user| user.email.clone());
        let is_open = |row: &&Invitation| {
            row.organization_id == organization && !row.is_accepted && Some(&row.email) == email.as_ref()
        };
        let open = self.invitations.iter().find(is_open).cloned();
        if let Some(open) = open {
            self.accept(open, member);
        }
    }

    fn transfer(&mut self, from: Principal, to: Principal) {
        for row in self.assignments.iter_mut().filter(|row| row.principal == from) {
            row.principal = to;
        }
        for row in self.team_members.iter_mut().filter(|row| row.member == from) {
            row.member = to;
        }
        // The user can have had the same roles and teams before: keep each once.
        let mut seen = Vec::new();
        self.assignments.retain(|row| {
            let is_first = row.principal != to || !seen.contains(row);
            seen.push(*row);
            is_first
        });
        let mut teams = Vec::new();
        self.team_members.retain(|row| {
            let is_first = row.member != to || !teams.contains(&row.team_id);
            if row.member == to {
                teams.push(row.team_id);
            }
            is_first
        });
    }
}
