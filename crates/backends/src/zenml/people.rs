//! The people in the organization, and those who are only invited.
//!
//! No call creates a user: people appear when they first sign in. Until then their invitation has their roles, and it passes them to the
//! account when they accept it (contract 2.3). Only the address connects the two, and another person can have that address later. So as soon
//! as an acceptance is visible, the grants of the invitation become grants of the account, by its own id. An account alone does not prove an
//! acceptance: a person can sign in another way, and the invitation keeps its roles. An acceptance is visible in one of two ways: the
//! invitation is not pending any more, or the assignments show the account in its place.

use futures::try_join;

use super::{
    client::Client,
    ids::{GrantId, Principal},
    map,
    pages::Listing,
    wire::{Assignment, Invitation, Member, User},
};
use crate::{Error, reading::List};
use rolewright_core::model::Entry;

/// What a user reads about an unknown person.
pub const INVITE: &str = "people are visible after their first sign-in; before that, invite them, and the invitation gets the role";

/// What became of an invitation.
enum Outcome<'a> {
    /// Nobody has accepted it.
    Pending,
    /// This user accepted it.
    Accepted(&'a str),
    /// This user has its address, and it may still be pending.
    Unclear(&'a str),
    /// Neither it nor a user with its address is visible.
    Unknown,
}

/// The people of an organization.
#[derive(Default)]
pub struct People {
    users: Vec<User>,
    invitations: Vec<Invitation>,
    /// The list of invitations is complete: one that is not in it is not pending.
    all_pending: bool,
    /// Both lists are complete: a person in neither of them does not exist.
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
            try_join!(List::read_if(true, client.members()), List::read_if(true, client.invitations(None)))?;
        Ok(Self::of(members, invitations))
    }

    /// The people in these lists.
    pub fn of(members: List<Listing<Member>>, invitations: List<Listing<Invitation>>) -> Self {
        let mut people = Self { complete: true, ..Self::default() };
        match members {
            List::Read(members) => {
                people.complete &= members.complete;
                people.users = members.items.into_iter().filter_map(|member| member.user).collect();
            }
            List::Withheld(refusal) => (people.complete, people.refused) = (false, Some(refusal)),
            List::Failed => people.complete = false,
            List::NotNeeded => {}
        }
        match invitations {
            List::Read(invitations) => {
                people.complete &= invitations.complete;
                people.all_pending = invitations.complete;
                people.invitations = invitations.items;
            }
            List::Withheld(_) | List::Failed | List::NotNeeded => people.complete = false,
        }
        people
    }

    /// What became of an invitation. One that is visible beside an account can be accepted, because a server may list those too.
    fn outcome(&self, uuid: &str, email: &str) -> Outcome<'_> {
        let mut same_address = self.users.iter().filter(|user| has_address(user, email));
        match (same_address.next(), same_address.next()) {
            (Some(user), None) if self.all_pending && !self.shows(uuid) => Outcome::Accepted(&user.id),
            (Some(user), None) => Outcome::Unclear(&user.id),
            _ if self.shows(uuid) => Outcome::Pending,
            _ => Outcome::Unknown,
        }
    }

    /// Whether this invitation is visible.
    pub fn shows(&self, uuid: &str) -> bool {
        self.invitations.iter().any(|invitation| invitation.id == uuid)
    }

    /// The account that has the grant of an invitation now, as far as these assignments show. None if the invitation still has it, or if it
    /// is not a grant of an invitation.
    pub fn accepted(&self, grant: &GrantId, assignments: &[Assignment]) -> Option<Principal> {
        let Principal::Invitation { uuid, email } = &grant.principal else { return None };
        let user = match self.outcome(uuid, email) {
            Outcome::Accepted(user) => user,
            Outcome::Unclear(user) => {
                let here = || assignments.iter().filter(|it| map::scope(it).as_ref() == Some(&grant.scope));
                let of_invitation = |it: &Assignment| it.invitation.as_ref().is_some_and(|of| of.id == *uuid);
                let of_user = |it: &Assignment| it.user.as_ref().is_some_and(|of| of.id == user);
                (here().any(of_user) && !here().any(of_invitation)).then_some(user)?
            }
            Outcome::Pending | Outcome::Unknown => return None,
        };
        Some(Principal::User(user.to_owned()))
    }

    /// All people as entries. A person with an account is not also there as an invitation: new grants are for the account.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.users.iter().cloned().map(map::user_entry).chain(self.invited())
    }

    /// Those without an account.
    fn invited(&self) -> impl Iterator<Item = Entry> {
        let without_account = |invitation: &&Invitation| {
            let email = invitation.email.as_deref().unwrap_or_default();
            !self.users.iter().any(|user| has_address(user, email))
        };
        self.invitations.iter().filter(without_account).cloned().filter_map(map::invitation_entry)
    }
}

/// The principal of a grant as it is now: the account if the invitation was accepted.
///
/// # Errors
/// Any failure to read the people or the assignments.
pub async fn current(client: &Client, grant: &GrantId) -> Result<Principal, Error> {
    let Principal::Invitation { uuid, email } = &grant.principal else {
        return Ok(grant.principal.clone());
    };
    let people = People::all(client).await?;
    let assignments = match people.outcome(uuid, email) {
        Outcome::Unclear(_) => client.assignments(&grant.role, &grant.scope).await?.unwrap_or_default(),
        _ => Vec::new(),
    };
    Ok(people.accepted(grant, &assignments).unwrap_or_else(|| grant.principal.clone()))
}

/// Whether a user has this address, in any case.
pub fn has_address(user: &User, email: &str) -> bool {
    !email.is_empty()
        && user.email.as_deref().is_some_and(|known| known.to_lowercase() == email.to_lowercase())
}
