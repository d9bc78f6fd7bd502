//! Who is in the organization, and who is only invited to it.
//!
//! Nobody can be made here: people appear when they first sign in, and until then their invitation holds their roles; accepting it hands them
//! over to the account (contract 2.3). Only the address ties the two together, and somebody else may have it later: so as soon as that is
//! seen, what was held for the invitation is held for the account, by its own id. An account alone does not show it: who comes in another way
//! than by the invitation has not accepted it, and it may go on to hold what it was given. So either it is not pending any more, or who holds
//! the role says which of the two does.

use futures::try_join;

use super::{
    client::Client,
    ids::{GrantId, Principal},
    map,
    wire::{Assignment, Invitation, User},
};
use crate::{Error, reading::Part};
use rolewright_core::model::Entry;

/// What is told of a name that nobody has.
pub const INVITE: &str =
    "people are known once they have signed in; invite who has not, and the invitation is given the role";

/// Who somebody's invitation stands for.
enum Stands<'a> {
    /// Nobody has accepted it.
    Itself,
    /// It was accepted by this user.
    For(&'a str),
    /// This user has its address, and it is not known to be pending no more.
    Either(&'a str),
    /// Neither it nor anybody of its address is there.
    Nobody,
}

/// The people of an organization.
#[derive(Default)]
pub struct People {
    users: Vec<User>,
    invitations: Vec<Invitation>,
    /// Invitations were read to their end: what is not among them is not pending.
    all_pending: bool,
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
                people.all_pending = invitations.whole;
                people.invitations = invitations.items;
            }
            Part::Withheld(_) | Part::Unwanted => people.whole = false,
        }
        Ok(people)
    }

    /// Whom an invitation stands for. One that is shown beside an account may have been accepted: a server may show those too.
    fn behind(&self, uuid: &str, email: &str) -> Stands<'_> {
        let mut of_it = self.users.iter().filter(|user| has_address(user, email));
        match (of_it.next(), of_it.next()) {
            (Some(user), None) if self.all_pending && !self.shows(uuid) => Stands::For(&user.id),
            (Some(user), None) => Stands::Either(&user.id),
            _ if self.shows(uuid) => Stands::Itself,
            _ => Stands::Nobody,
        }
    }

    /// Whether this invitation is shown.
    pub fn shows(&self, uuid: &str) -> bool {
        self.invitations.iter().any(|invitation| invitation.id == uuid)
    }

    /// The account that a grant is held by now, where it was given to an invitation and handed over: told by who holds what, as far as it was
    /// asked. None for one that is still the invitation's, or was never one's.
    pub fn accepted(&self, grant: &GrantId, holders: &[Assignment]) -> Option<Principal> {
        let Principal::Invitation { uuid, email } = &grant.principal else { return None };
        let user = match self.behind(uuid, email) {
            Stands::For(user) => user,
            Stands::Either(user) => {
                let here = || holders.iter().filter(|it| map::scope(it).as_ref() == Some(&grant.scope));
                let is_its = |it: &Assignment| it.invitation.as_ref().is_some_and(|of| of.id == *uuid);
                let is_users = |it: &Assignment| it.user.as_ref().is_some_and(|of| of.id == user);
                (here().any(is_users) && !here().any(is_its)).then_some(user)?
            }
            Stands::Itself | Stands::Nobody => return None,
        };
        Some(Principal::User(user.to_owned()))
    }

    /// Everybody as entries, nobody by an invitation who has an account: what is given from now on is given to that.
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

/// The principal to give or take a grant by: an invitation that was accepted is none any more.
///
/// # Errors
/// Whatever kept the people, or who holds the role there, from being read.
pub async fn now(client: &Client, grant: &GrantId) -> Result<Principal, Error> {
    let Principal::Invitation { uuid, email } = &grant.principal else {
        return Ok(grant.principal.clone());
    };
    let people = People::all(client).await?;
    let holders = match people.behind(uuid, email) {
        Stands::Either(_) => client.assignments(&grant.role, &grant.scope).await?.unwrap_or_default(),
        _ => Vec::new(),
    };
    Ok(people.accepted(grant, &holders).unwrap_or_else(|| grant.principal.clone()))
}

/// Whether a user has this address; case does not count.
pub fn has_address(user: &User, email: &str) -> bool {
    !email.is_empty()
        && user.email.as_deref().is_some_and(|known| known.to_lowercase() == email.to_lowercase())
}
