//! Grants: one role added to the set of a group that no RoleBinding owns, or removed from it. The set can only be written as a whole
//! (contract 2.2): it is read right before, by one writer at a time, and everything else in it is sent along.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    super::{account::Lenses, groups, ids, map, read, wire},
    locks, unreadable_after_write, with_needed_rights,
};
use crate::{Class, Error, error::existing_role};
use rolewright_core::model::{Grant, Named, Observed};

/// Adds a role to the set of a group.
pub async fn create(lenses: &Lenses, grant: &Grant) -> Result<Observed, Error> {
    let role = role(grant)?;
    set(lenses, &grant.subject, role, true).await?;
    Ok(map::grant(grant.subject.clone(), role.id.as_str()))
}

/// Removes a role from the set of a group. A role that is not in it is a success.
pub async fn delete(lenses: &Lenses, grant: &Grant) -> Result<(), Error> {
    set(lenses, &grant.subject, role(grant)?, false).await
}

async fn set(lenses: &Lenses, subject: &Named, role: &Named, desired: bool) -> Result<(), Error> {
    let (group, expected) =
        ids::of_group(&subject.id).ok_or_else(|| Error::mistake("a grant whose subject is not a group"))?;
    if ids::is_owned(group) {
        return Err(Error::mistake("a grant to a group that a RoleBinding owns"));
    }
    let role = role.id.as_str();
    let _lock = locks::lock(lenses.connection.api().as_str(), group).await;
    let found = groups::read(lenses, group).await.map_err(with_needed_rights)?;
    let Some(now) = found.filter(|now| !now.incarnation.differs(&expected)) else {
        let message = format!(
            "the group {group} is deleted or not visible, or it was deleted and another group now has its name"
        );
        return Err(Error::new(Class::Missing, message));
    };
    match (now.roles.contains(role), desired) {
        // The caller knows whether an earlier try of this grant added it.
        (true, true) => {
            let message = format!("the group {group} already has the role {role}");
            return Err(Error::new(Class::Conflict, message));
        }
        (false, false) => return Ok(()),
        _ => {}
    }
    let mut roles: BTreeSet<&str> = now.roles.iter().map(String::as_str).collect();
    if desired {
        roles.insert(role)
    } else {
        roles.remove(role)
    };
    let _write = lenses.groups.write(group);
    let answer =
        lenses.client.change_group(group, json!({"roles": roles})).await.map_err(with_needed_rights)?;
    let answered: Option<wire::Group> = answer.decode().ok();
    let has = match answered.and_then(|group| group.roles) {
        Some(roles) => roles.iter().any(|of| of.name() == role),
        None => read::grant(lenses, &subject.id, role).await.map_err(unreadable_after_write)?.is_some(),
    };
    if has == desired {
        return Ok(());
    }
    Err(answer.undecodable("does not show the requested change"))
}

fn role(grant: &Grant) -> Result<&Named, Error> {
    if grant.scope.is_some() {
        return Err(Error::mistake("a grant with a scope"));
    }
    existing_role(&grant.role)
}
