//! Grants: one role added to the set of a group that no RoleBinding owns, or removed from it. The set can only be written as a whole
//! (contract 2.2): it is read right before, by one writer at a time, and everything else in it is sent along.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    super::{account::Lenses, client, client::with_needed_rights, ids, map, wire},
    locks,
};
use crate::{Class, Error, error::existing_role};
use rolewright_core::model::{Grant, Id, Named, Observed};

/// Adds a role to the set of a group.
pub async fn create(lenses: &Lenses, grant: &Grant) -> Result<Observed, Error> {
    let role = role(grant)?;
    set(lenses, &grant.subject.id, role.id.as_str(), true).await?;
    Ok(map::grant(grant.subject.clone(), role.id.as_str()))
}

/// Removes a role from the set of a group. A role that is not in it is a success.
pub async fn delete(lenses: &Lenses, grant: &Grant) -> Result<(), Error> {
    set(lenses, &grant.subject.id, role(grant)?.id.as_str(), false).await
}

async fn set(lenses: &Lenses, subject: &Id, role: &str, desired: bool) -> Result<(), Error> {
    let group = ids::name_of(subject);
    if !ids::is_group(subject) || ids::is_owned(group) {
        return Err(Error::mistake("a grant whose subject is not a group, or one that a RoleBinding owns"));
    }
    let _lock = locks::lock(lenses.connection.api().as_str(), group).await;
    let now = whole(lenses, subject).await.map_err(with_needed_rights)?;
    match (now.has_role(role), desired) {
        // The caller knows whether an earlier try of this grant added it.
        (true, true) => {
            let message = format!("the group {group} already has the role {role}");
            return Err(Error::new(Class::Conflict, message));
        }
        (false, false) => return Ok(()),
        _ => {}
    }
    let mut roles: BTreeSet<&str> = now.roles.iter().map(|of| of.name.as_str()).collect();
    if desired {
        roles.insert(role)
    } else {
        roles.remove(role)
    };
    let answer = lenses.client.change_group(group, json!({"roles": roles})).await;
    lenses.groups.forget(group);
    let answer = answer.map_err(with_needed_rights)?;
    let answered = answer.decode::<wire::Group>()?;
    match answered.has_role(role) == desired {
        true => Ok(()),
        false => Err(answer.undecodable("does not show the requested change")),
    }
}

/// The group with this id and all its roles.
///
/// # Errors
/// [`Class::Denied`] if it shows less than the list counts, or if the list does not show it: what is hidden would be removed.
async fn whole(lenses: &Lenses, subject: &Id) -> Result<wire::Group, Error> {
    let name = ids::name_of(subject);
    let listed = lenses.client.groups().await?;
    let Some(item) = listed.into_iter().find(|item| item.name == name) else {
        // A group that exists nevertheless is hidden in the list, which counts its roles.
        let class = match client::found(lenses.client.group(name).await)? {
            Some(_) => Class::Denied,
            None => Class::Missing,
        };
        return Err(Error::new(class, format!("the list of groups does not show the group {name}")));
    };
    if ids::group(name, &item.id) != *subject {
        let message = format!("the group {name} was deleted, and another group now has its name");
        return Err(Error::new(Class::Missing, message));
    }
    lenses.client.whole_group(&item).await
}

fn role(grant: &Grant) -> Result<&Named, Error> {
    if grant.scope.is_some() {
        return Err(Error::mistake("a grant with a scope"));
    }
    existing_role(&grant.role)
}
