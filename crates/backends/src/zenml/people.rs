//! The people in the organization, and those who are only invited.
//!
//! No call creates a user: people appear when they first sign in. Until then their invitation has their roles, and it passes them to the
//! account when they accept it (contract 2.3). Only the address connects the two, and another person can have that address later. So as soon
//! as an acceptance is visible, the grants of the invitation become grants of the account, by its own id. An account alone does not prove an
//! acceptance: a person can sign in another way, and the invitation keeps its roles. So the invitation must not be pending any more, in a
//! list of all that are.

use futures::try_join;

use super::{
    client::Client,
    ids::{GrantId, Principal},
    map,
    wire::{Invitation, Member, User},
};
use crate::{Error, reading::List};
use rolewright_core::model::Entry;

/// What a user reads about an unknown person.
pub const INVITE: &str = "people are visible after their first sign-in; before that, invite them, and the invitation gets the role";

/// The people of an organization.
pub struct People {
    users: Vec<User>,
    invitations: Vec<Invitation>,
    /// The list of invitations was read: one that is not in it is not pending.
    all_pending: bool,
    /// Both lists were read: a person in neither of them does not exist.
    pub complete: bool,
    /// Why the members could not be listed.
    pub refused: Option<String>,
}

impl People {
    /// Reads all of them. Older servers have no invitations.
    ///
    /// # Errors
    /// Any failure to read a list to its end but a refusal of the list.
    pub async fn all(client: &Client) -> Result<Self, Error> {
        let (members, invitations) =
            try_join!(List::read_if(true, client.members()), List::read_if(true, client.invitations()))?;
        Ok(Self::of(members, invitations))
    }

    /// The people in these lists.
    pub fn of(members: List<Vec<Member>>, invitations: List<Vec<Invitation>>) -> Self {
        let all_pending = invitations.list().is_some();
        Self {
            all_pending,
            complete: all_pending && members.list().is_some(),
            refused: if let List::Withheld(why) = &members { Some(why.clone()) } else { None },
            users: members.into_items().into_iter().filter_map(|member| member.user).collect(),
            invitations: invitations.into_items(),
        }
    }

    /// Whether this invitation is pending.
    pub fn shows(&self, uuid: &str) -> bool {
        self.invitations.iter().any(|invitation| invitation.id == uuid)
    }

    /// The grant of the account that accepted the invitation of a grant. None if the invitation still has it, if that is unknown, or if it
    /// is not a grant of an invitation.
    pub fn accepted(&self, grant: &GrantId) -> Option<GrantId> {
        let Principal::Invitation { uuid, email } = &grant.principal else { return None };
        let mut same_address = self.users.iter().filter(|user| has_address(user, email));
        match (same_address.next(), same_address.next()) {
            (Some(user), None) if self.all_pending && !self.shows(uuid) => {
                Some(GrantId { principal: Principal::User(user.id.clone()), ..grant.clone() })
            }
            _ => None,
        }
    }

    /// All people as entries. A person with an account is not also there as an invitation: new grants are for the account.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let invited = self.invitations.iter().filter(|invitation| {
            let email = invitation.email.as_deref().unwrap_or_default();
            !self.users.iter().any(|user| has_address(user, email))
        });
        let users = self.users.iter().cloned().map(map::user_entry);
        users.chain(invited.cloned().filter_map(map::invitation_entry))
    }
}

/// The principal of a grant as it is now: the account if the invitation was accepted.
///
/// # Errors
/// Any failure to read the people.
pub async fn current(client: &Client, grant: &GrantId) -> Result<Principal, Error> {
    let accepted = match &grant.principal {
        Principal::Invitation { .. } => People::all(client).await?.accepted(grant),
        _ => None,
    };
    Ok(accepted.unwrap_or_else(|| grant.clone()).principal)
}

/// Whether a user has this address, in any case.
pub fn has_address(user: &User, email: &str) -> bool {
    !email.is_empty() && user.email.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(email))
}
