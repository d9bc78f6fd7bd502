//! Writes. HQ has no versions (contract 1.4), so a set that is written as a whole is read right before. The message of a refusal adds what it
//! can mean on Lenses.

pub mod grants;
mod in_use;
mod locks;
mod members;
pub mod owned_groups;
pub mod roles;

use serde_json::{Value, json};

use super::{client::NEEDED_RIGHTS, wire::Metadata};
use crate::{Class, Error, error::existing_role, http::Answer};
use rolewright_core::model::RoleRef;

/// The key of Rolewright's mark in the metadata of a thing, for people who see it in HQ. At most 40 bytes (contract 2.8).
const MARK: &str = "rolewright.dev/kept";
/// The value of the mark. At most 500 bytes.
const MARKED: &str = "Kept as an object in Kubernetes says. What is changed by hand is put back.";
/// How many entries the metadata of a thing can have (contract 2.8).
const MAX_ENTRIES: usize = 50;

/// The metadata of a new thing.
fn mark() -> Value {
    json!({MARK: MARKED})
}

/// The metadata of an existing thing with the mark added. It is not documented whether a PATCH merges or replaces it, so it includes what
/// others wrote (contract 2.8). None if nothing changes, or if the existing metadata is not visible.
fn with_mark(existing: Option<&Metadata>) -> Option<Metadata> {
    let existing = existing?;
    if existing.get(MARK).map(String::as_str) == Some(MARKED)
        || !existing.contains_key(MARK) && existing.len() >= MAX_ENTRIES
    {
        return None;
    }
    let mut all = existing.clone();
    all.insert(MARK.to_owned(), MARKED.to_owned());
    Some(all)
}

/// Sends a create, and sends it again without an optional field that the server rejects: early servers do not know `metadata` and
/// `sso_name` (contract 2.2).
async fn create_with_optional<'a, F: Future<Output = Result<Answer, Error>> + 'a>(
    mut body: Value,
    optional: &[&str],
    send: impl Fn(Value) -> F,
) -> Result<Answer, Error> {
    loop {
        let refused = match send(body.clone()).await {
            Err(error) if error.class == Class::Invalid => error,
            answer => return answer,
        };
        let rejected = |field: &&&str| body.get(**field).is_some() && refused.message.contains(**field);
        let Some(field) = optional.iter().find(rejected) else { return Err(refused) };
        body.as_object_mut().map(|fields| fields.remove(*field));
    }
}

/// Adds the needed rights to a refusal.
fn with_needed_rights(mut error: Error) -> Error {
    if error.class == Class::Denied {
        error.message.push_str(NEEDED_RIGHTS);
    }
    error
}

/// The failure to read a thing after a successful write.
fn unreadable_after_write(error: Error) -> Error {
    Error::new(
        Class::Lost,
        format!("the write succeeded, but then the result could not be read: {}", error.message),
    )
}

/// The names of existing roles.
fn role_names<'a>(roles: impl IntoIterator<Item = &'a RoleRef>) -> Result<Vec<&'a str>, Error> {
    roles.into_iter().map(|role| existing_role(role).map(|role| role.id.as_str())).collect()
}
