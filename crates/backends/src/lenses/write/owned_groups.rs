//! Groups that a RoleBinding owns: created with their role and members, and deleted with the RoleBinding (contract 2.2).

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    super::{account::Lenses, client::with_needed_rights, ids, map, read, wire},
    mark, members, read_after_write, refused,
};
use crate::{Class, Error, error::existing_role, http::Answer};
use rolewright_core::model::{Group, Named, Observed, RoleRef};

/// The description of an owned group, for people who see it in HQ. At most 250 characters (contract 2.2).
const DESCRIPTION: &str = "Belongs to a RoleBinding in Kubernetes. Its roles and members are kept as that says; what is changed by hand is put back.";

/// Creates a group. If HQ refuses it with its members, it is created without: the next plan adds each that HQ accepts.
pub async fn create(lenses: &Lenses, group: &Group) -> Result<Observed, Error> {
    check_owned(group)?;
    let desired: BTreeSet<&Named> = group.members.iter().flatten().collect();
    let mut body = json!({
        "name": group.name,
        "description": DESCRIPTION,
        "roles": role_names(&group.roles)?,
        "metadata": mark(),
    });
    if group.members.is_some() {
        body["members"] = json!(members::names(desired.iter().copied())?);
    }
    let mut made = lenses.client.create_group(body.clone()).await;
    if let Err(error) = &made
        && desired.len() > 1
        && members::can_be_about_one(error)
    {
        body["members"] = json!([]);
        made = lenses.client.create_group(body).await;
    }
    match made {
        Ok(answer) => without_strangers(lenses, &answer, group, &desired).await,
        Err(error) => {
            let error = refused(error, read::owned_group(lenses, &group.name, None)).await;
            Err(with_sso_hint(group, error))
        }
    }
}

/// The new group. HQ takes its members by name: if a user and a service account share one, it can have added the wrong one, which is removed.
/// The next plan adds the right one.
async fn without_strangers(
    lenses: &Lenses,
    answer: &Answer,
    group: &Group,
    desired: &BTreeSet<&Named>,
) -> Result<Observed, Error> {
    let answered = answer.decode::<wire::Group>().ok().filter(|_| group.members.is_some());
    let members: Vec<Named> = answered.iter().flat_map(wire::Group::members).collect();
    let strangers: Vec<&Named> = members.iter().filter(|member| !desired.contains(member)).collect();
    for stranger in &strangers {
        members::set(lenses, &group.name, stranger, false).await?;
    }
    match strangers.is_empty() {
        true => shown(lenses, Some(answer), &group.name).await,
        false => shown(lenses, None, &group.name).await,
    }
}

/// Changes a group. Only what differs is sent. Members that HQ refuses are an error, after all else was changed.
pub async fn update(lenses: &Lenses, before: &Group, after: &Group) -> Result<Observed, Error> {
    check_owned(before)?;
    let name = &before.name;
    if after.name != *name {
        return Err(Error::mistake("a group of Lenses cannot get another name"));
    }
    let mut body = json!({});
    if before.roles != after.roles {
        body["roles"] = json!(role_names(&after.roles)?);
    }
    let none = BTreeSet::new();
    let old = before.members.as_ref().unwrap_or(&none);
    let new = after.members.as_ref().unwrap_or(old);
    let (added, removed) = (new.difference(old).collect(), old.difference(new).collect());
    let answer = members::change(lenses, name, body, added, removed).await;
    lenses.groups.forget(name);
    let answer = answer.map_err(|error| with_sso_hint(after, with_needed_rights(error)))?;
    shown(lenses, answer.as_ref(), name).await
}

/// The group in the answer to a write. If the answer does not match the API description, the group is read.
async fn shown(lenses: &Lenses, answer: Option<&Answer>, name: &str) -> Result<Observed, Error> {
    match answer.and_then(|answer| answer.decode::<wire::Group>().ok()) {
        Some(group) if group.name == name => Ok(map::owned_group(&group, lenses.connection.membership)),
        _ => read_after_write(read::owned_group(lenses, name, None)).await,
    }
}

/// Deletes a group.
pub async fn delete(lenses: &Lenses, group: &Group) -> Result<(), Error> {
    check_owned(group)?;
    match lenses.client.delete_group(&group.name).await {
        Err(error) if error.class.is_objection() => Err(Error::new(
            Class::Conflict,
            format!("{}; the group {} was not deleted", error.message, group.name),
        )),
        answer => answer.map_err(with_needed_rights),
    }
}

/// Adds a hint to the refusal of a write with members: the identity provider can be the one who decides on them (contract 3.8).
fn with_sso_hint(group: &Group, mut error: Error) -> Error {
    if group.members.is_some() && (error.class == Class::Invalid || error.class == Class::Denied) {
        error.message.push_str(
            "; if single sign-on decides who is in a group, set spec.lenses.membership of the Backend to Sso",
        );
    }
    error
}

/// The names of existing roles.
fn role_names<'a>(roles: impl IntoIterator<Item = &'a RoleRef>) -> Result<Vec<&'a str>, Error> {
    roles.into_iter().map(|role| existing_role(role).map(|role| role.id.as_str())).collect()
}

/// Refuses a group that no RoleBinding owns. The planner leaves those alone; this keeps a mistake there from reaching one.
fn check_owned(group: &Group) -> Result<(), Error> {
    if ids::is_owned(&group.name) {
        Ok(())
    } else {
        Err(Error::mistake(format!("{} is not a group that a RoleBinding owns", group.name)))
    }
}
