//! The members of a group that a RoleBinding owns. Only the difference is sent. A call with several members fails as a whole, so it is divided:
//! a member that HQ refuses keeps nobody else out of the group, and nobody in it.
//!
//! A call about a group takes members by name only (contract 2.2). A name that a service account can have is therefore changed by the call about
//! the user or the service account, which says which of the two it means.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{account::Lenses, client, ids};
use crate::{Class, Error, http::Answer};
use rolewright_core::model::Named;

/// Adds and removes members, and changes the other fields in `body`. Returns the answer if one call did it all.
///
/// # Errors
/// A failure that concerns more than one member, or the members that HQ refused, after all else was changed.
pub async fn change(
    lenses: &Lenses,
    group: &str,
    body: Value,
    added: BTreeSet<&Named>,
    removed: BTreeSet<&Named>,
) -> Result<Option<Answer>, Error> {
    let is_ambiguous = |member: &&Named| ids::is_name(&member.name);
    let (mut one_by_one, added): (Vec<&Named>, Vec<&Named>) = added.into_iter().partition(is_ambiguous);
    let (leaving, removed): (Vec<&Named>, Vec<&Named>) = removed.into_iter().partition(is_ambiguous);
    let rest = with(body, "remove_members", &removed)?;
    let whole = with(rest.clone(), "add_members", &added)?;
    let is_divisible = added.len() > 1 || !is_empty(&rest) || !one_by_one.is_empty() || !leaving.is_empty();
    let mut answer = match send(lenses, group, whole).await {
        Err(error) if is_divisible && !added.is_empty() && can_be_about_one(&error) => {
            send(lenses, group, rest).await?;
            one_by_one.extend(added);
            None
        }
        sent => sent?,
    };
    for member in leaving {
        set(lenses, group, member, false).await?;
        answer = None;
    }
    let mut refused = Vec::new();
    for member in one_by_one {
        answer = None;
        match set(lenses, group, member, true).await {
            Err(error) if can_be_about_one(&error) => refused.push((member, error)),
            set => set?,
        }
    }
    if refused.is_empty() { Ok(answer) } else { Err(error(&refused)) }
}

/// Makes a user or a service account a member, or removes it. One that does not exist is no member.
pub async fn set(lenses: &Lenses, group: &str, member: &Named, is_member: bool) -> Result<(), Error> {
    let (kind, name) = principal(member)?;
    match client::found(lenses.client.change_membership(kind, name, group, is_member).await)? {
        None if is_member => Err(Error::new(Class::Invalid, format!("{name} does not exist any more"))),
        _ => Ok(()),
    }
}

/// The names of members as HQ's calls take them.
///
/// # Errors
/// A mistake if a member is neither a user nor a service account.
pub fn names<'a>(members: impl IntoIterator<Item = &'a Named>) -> Result<Vec<&'a str>, Error> {
    members.into_iter().map(|member| principal(member).map(|(_, name)| name)).collect()
}

fn principal(member: &Named) -> Result<(rolewright_core::model::SubjectKind, &str), Error> {
    let other = || Error::mistake("a member that is neither a user nor a service account");
    ids::of_principal(&member.id).ok_or_else(other)
}

/// Whether the refusal of a call with several members can be about one of them.
pub fn can_be_about_one(error: &Error) -> bool {
    error.class.is_objection() || error.class == Class::Missing
}

fn with(mut body: Value, field: &str, members: &[&Named]) -> Result<Value, Error> {
    if !members.is_empty() {
        body[field] = json!(names(members.iter().copied())?);
    }
    Ok(body)
}

fn is_empty(body: &Value) -> bool {
    body.as_object().is_none_or(serde_json::Map::is_empty)
}

async fn send(lenses: &Lenses, group: &str, body: Value) -> Result<Option<Answer>, Error> {
    if is_empty(&body) { Ok(None) } else { lenses.client.change_group(group, body).await.map(Some) }
}

/// The error of a change: the class of the first refusal, and what was refused.
fn error(refused: &[(&Named, Error)]) -> Error {
    const MAX_NAMED: usize = 5;
    let lines = refused.iter().take(MAX_NAMED).map(|(member, error)| match &error.message {
        message if message.contains(&*member.name) => message.clone(),
        message => format!("{}: {message}", member.name),
    });
    let mut message = lines.collect::<Vec<_>>().join("; ");
    if refused.len() > MAX_NAMED {
        message.push_str(&format!("; and {} more", refused.len() - MAX_NAMED));
    }
    Error::new(refused[0].1.class, message)
}
