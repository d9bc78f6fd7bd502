//! Writes: one change, and in the message what Lenses' answer may mean beside what it says. Nothing has a version (contract 1), so what is
//! written as a whole is read right before.

mod grants;
mod groups;
mod holders;
mod roles;
mod turns;

use serde_json::{Value, json};

pub use self::turns::Turns;
use super::{Lenses, wire::Metadata};
use crate::{Class, Error, error::existing, http::Answer};
use rolewright_core::model::{Body, Change, Observed, RoleRef};

/// The key of our mark in what anybody may write on a thing: for people who look at it in HQ. At most 40 bytes (contract 2, "metadata").
const MARK: &str = "rolewright.dev/kept";
/// At most 500 bytes.
const MARKED: &str = "Kept as an object in Kubernetes says. What is changed by hand is put back.";
/// So many entries a thing can have.
const MOST_ENTRIES: usize = 50;

/// Makes one change.
pub async fn write(lenses: &Lenses, change: &Change) -> Result<Option<Observed>, Error> {
    match change {
        Change::Create { after: Body::Role(role), .. } => roles::create(lenses, role).await.map(Some),
        Change::Create { after: Body::Group(group), .. } => groups::create(lenses, group).await.map(Some),
        Change::Create { after: Body::Grant(grant), .. } => grants::create(lenses, grant).await.map(Some),
        Change::Update { id, before: Body::Role(before), after: Body::Role(after), .. } => {
            roles::update(lenses, id, before, after).await.map(Some)
        }
        Change::Update { id, before: Body::Group(before), after: Body::Group(after), .. } => {
            groups::update(lenses, id, before, after).await.map(Some)
        }
        Change::Update { .. } => Err(Error::mistake("a thing of this kind cannot be updated into this one")),
        Change::Delete { before: Body::Role(role), .. } => roles::delete(lenses, role).await.map(|()| None),
        Change::Delete { before: Body::Group(group), .. } => {
            groups::delete(lenses, group).await.map(|()| None)
        }
        Change::Delete { before: Body::Grant(grant), .. } => {
            grants::delete(lenses, grant).await.map(|()| None)
        }
        Change::Create { after: Body::Restriction(_), .. }
        | Change::Delete { before: Body::Restriction(_), .. } => {
            Err(Error::mistake("Lenses has no restrictions"))
        }
    }
}

/// The mark alone: what a new thing is made with.
fn mark() -> Value {
    json!({MARK: MARKED})
}

/// All that is written on a thing with our mark beside it: whether a server merges or replaces is not documented, so what others wrote is
/// sent along (contract 2, "metadata"). None where nothing is to be changed, or what others wrote is not to be seen.
fn marked(there: Option<&Metadata>) -> Option<Metadata> {
    let there = there?;
    if there.get(MARK).map(String::as_str) == Some(MARKED)
        || !there.contains_key(MARK) && there.len() >= MOST_ENTRIES
    {
        return None;
    }
    let mut all = there.clone();
    all.insert(MARK.to_owned(), MARKED.to_owned());
    Some(all)
}

/// Sends what a thing is made of, and once more without what this server says that it does not know: early ones have no `metadata` and no
/// `sso_name` (contract 2.2).
async fn made<'a, F: Future<Output = Result<Answer, Error>> + 'a>(
    mut body: Value,
    dispensable: &[&str],
    send: impl Fn(Value) -> F,
) -> Result<Answer, Error> {
    loop {
        let refused = match send(body.clone()).await {
            Err(error) if error.class == Class::Invalid => error,
            answer => return answer,
        };
        let named = |field: &&&str| body.get(**field).is_some() && refused.message.contains(**field);
        let Some(field) = dispensable.iter().find(named) else { return Err(refused) };
        body.as_object_mut().map(|fields| fields.remove(*field));
    }
}

/// A refusal for want of rights, with the rights.
fn explained(mut error: Error) -> Error {
    if error.class == Class::Denied {
        error.message.push_str(
            "; the service account needs a role that allows iam:* on iam:*, by a group that it is in",
        );
    }
    error
}

/// The failure of a look after a write that was answered with success.
fn afterwards(error: Error) -> Error {
    Error::new(
        Class::Lost,
        format!("it was answered with success, and then could not be read: {}", error.message),
    )
}

/// The names of roles that are there.
fn role_names<'a>(roles: impl IntoIterator<Item = &'a RoleRef>) -> Result<Vec<&'a str>, Error> {
    roles.into_iter().map(|role| existing(role).map(|role| role.id.as_str())).collect()
}
