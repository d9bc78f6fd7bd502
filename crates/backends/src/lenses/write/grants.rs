//! Grants: one role put into the set of a group that no binding owns, or taken out of it. A set can only be written whole (contract 2.2):
//! it is read right before, one writer at a time, and everything else in it is sent along.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    super::{Lenses, groups, ids, map, read, wire},
    afterwards, explained,
};
use crate::{Class, Error, error::existing};
use rolewright_core::model::{Grant, Named, Observed};

/// Puts a role into a group's set.
pub async fn create(lenses: &Lenses, grant: &Grant) -> Result<Observed, Error> {
    let role = role(grant)?;
    set(lenses, &grant.subject, role, true).await?;
    Ok(map::grant(grant.subject.clone(), role.id.as_str()))
}

/// Takes a role out of a group's set. What is not in it any more is done.
pub async fn delete(lenses: &Lenses, grant: &Grant) -> Result<(), Error> {
    set(lenses, &grant.subject, role(grant)?, false).await
}

async fn set(lenses: &Lenses, subject: &Named, role: &Named, wanted: bool) -> Result<(), Error> {
    let (group, made) =
        ids::of_group(&subject.id).ok_or_else(|| Error::mistake("a grant for what is no group"))?;
    if ids::is_owned(group) {
        return Err(Error::mistake("a grant for a group that a binding owns"));
    }
    let role = role.id.as_str();
    let _turn = lenses.turn(group).await;
    let found = groups::read(lenses, group).await.map_err(explained)?;
    let Some(now) = found.filter(|now| !now.made.differs(&made)) else {
        let message = format!(
            "the group {group} is not there, or not to be seen, or it was removed and another one was made under its name"
        );
        return Err(Error::new(Class::Missing, message));
    };
    match (now.roles.contains(role), wanted) {
        // Whose that is depends on who tried before, and not on what is there.
        (true, true) => {
            let message = format!("the group {group} has the role {role} already");
            return Err(Error::new(Class::Conflict, message));
        }
        (false, false) => return Ok(()),
        _ => {}
    }
    let mut roles: BTreeSet<&str> = now.roles.iter().map(String::as_str).collect();
    if wanted {
        roles.insert(role)
    } else {
        roles.remove(role)
    };
    let _writing = lenses.groups.writing(group);
    let answer = lenses.client.change_group(group, json!({"roles": roles})).await.map_err(explained)?;
    let answered: Option<wire::Group> = answer.decode().ok();
    let there = match answered.and_then(|group| group.roles) {
        Some(roles) => roles.iter().any(|held| held.name() == role),
        None => read::grant(lenses, &subject.id, role).await.map_err(afterwards)?.is_some(),
    };
    if there == wanted {
        return Ok(());
    }
    Err(answer.undecodable("does not show what was asked for"))
}

fn role(grant: &Grant) -> Result<&Named, Error> {
    if grant.scope.is_some() {
        return Err(Error::mistake("a grant with a scope"));
    }
    existing(&grant.role)
}
