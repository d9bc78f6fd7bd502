//! Who is in the organization, and who is only invited to it.
//!
//! Nobody can be made here: people appear when they first sign in, and until then their invitation holds their roles; accepting it hands them
//! over to the account (contract 2.3). Only the address ties the two together, and somebody else may have it later: so as soon as the account
//! is seen, what was held for the invitation is held for the account, by its own id.

use futures::try_join;

use super::{
    client::Client,
    ids::Principal,
    map,
    wire::{Invitation, User},
};
use crate::{
    access::Entry,
    backends::{Error, reading::Part},
};

/// What is told of a name that nobody has.
pub const INVITE: &str =
    "people are known once they have signed in; invite who has not, and the invitation is given the role";

/// Who somebody's invitation stands for.
#[derive(Debug, PartialEq, Eq)]
pub enum Stands<'a> {
    /// Nobody has accepted it.
    Itself,
    /// It was accepted by this user.
    For(&'a str),
    /// Neither it nor anybody of its address is there.
    Nobody,
}

/// The people of an organization.
#[derive(Default)]
pub struct People {
    users: Vec<User>,
    invitations: Vec<Invitation>,
    /// Both lists were read to their ends: who is in neither is not there.
    pub whole: bool,
    /// Why the members could not be listed.
    pub refused: Option<String>,
}

impl People {
    /// All of them.
    ///
    /// # Errors
    /// Whatever kept a list from being read to its end, but for a refusal of it. Older servers have no invitations.
    pub async fn all(client: &Client) -> Result<Self, Error> {
        let (members, invitations) =
            try_join!(Part::of(true, client.members()), Part::of(true, client.invitations(None)))?;
        let mut people = Self { whole: true, ..Self::default() };
        match members {
            Part::Read(members) => {
                people.whole &= members.whole;
                people.users = members.items.into_iter().filter_map(|member| member.user).collect();
            }
            Part::Withheld(refusal) => (people.whole, people.refused) = (false, Some(refusal)),
            Part::Unwanted => {}
        }
        match invitations {
            Part::Read(invitations) => {
                people.whole &= invitations.whole;
                people.invitations = invitations.items;
            }
            Part::Withheld(_) | Part::Unwanted => people.whole = false,
        }
        Ok(people)
    }

    /// Whom an invitation stands for. An account comes first: a server may show invitations that were accepted.
    pub fn behind(&self, uuid: &str, email: &str) -> Stands<'_> {
        let mut of_it = self.users.iter().filter(|user| has_address(user, email));
        match (of_it.next(), of_it.next()) {
            (Some(user), None) => Stands::For(&user.id),
            _ if self.invitations.iter().any(|invitation| invitation.id == uuid) => Stands::Itself,
            _ => Stands::Nobody,
        }
    }

    /// The account that accepted an invitation. None for one that nobody has accepted, and for who was not invited.
    pub fn accepted(&self, principal: &Principal) -> Option<Principal> {
        match principal {
            Principal::Invitation { uuid, email } => match self.behind(uuid, email) {
                Stands::For(user) => Some(Principal::User(user.to_owned())),
                Stands::Itself | Stands::Nobody => None,
            },
            Principal::User(_) | Principal::Team(_) => None,
        }
    }

    /// Everybody as entries, nobody by the invitation that they accepted.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.users.iter().cloned().map(map::user_entry).chain(self.invited())
    }

    /// Those who have no account yet.
    fn invited(&self) -> impl Iterator<Item = Entry> {
        let has_none = |invitation: &&Invitation| {
            let email = invitation.email.as_deref().unwrap_or_default();
            !self.users.iter().any(|user| has_address(user, email))
        };
        self.invitations.iter().filter(has_none).cloned().filter_map(map::invited)
    }
}

/// The principal of a call: an invitation that was accepted is none any more.
///
/// # Errors
/// Whatever kept the members from being read.
pub async fn now(client: &Client, principal: &Principal) -> Result<Principal, Error> {
    if !matches!(principal, Principal::Invitation { .. }) {
        return Ok(principal.clone());
    }
    let people = People::all(client).await?;
    Ok(people.accepted(principal).unwrap_or_else(|| principal.clone()))
}

/// Whether a user has this address; case does not count.
pub fn has_address(user: &User, email: &str) -> bool {
    !email.is_empty()
        && user.email.as_deref().is_some_and(|known| known.to_lowercase() == email.to_lowercase())
}
