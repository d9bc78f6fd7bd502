//! Groups that a RoleBinding owns: created with their role and members, and deleted with the RoleBinding (contract 2.2).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    super::{
        account::Lenses,
        groups,
        ids::{self, Incarnation},
        map, read,
        whole_group::WholeGroup,
        wire,
    },
    create_with_optional, locks, mark, members, role_names, unreadable_after_write, with_needed_rights,
};
use crate::{Class, Error, http::Answer};
use rolewright_core::model::{Body, Group, Id, Named, Observed};

/// The description of an owned group, for people who see it in HQ. At most 250 characters (contract 2.2).
const DESCRIPTION: &str = "Belongs to a RoleBinding in Kubernetes. Its roles and members are kept as that says; what is changed by hand is put back.";

/// Creates a group. If HQ refuses it with its members, it is created without: the next plan adds each that HQ accepts.
pub async fn create(lenses: &Lenses, group: &Group) -> Result<Observed, Error> {
    check_owned(group)?;
    let mut body = json!({
        "name": group.name,
        "sso_name": ids::sso_name(&group.name),
        "description": DESCRIPTION,
        "roles": role_names(&group.roles)?,
        "metadata": mark(),
    });
    let mut members = BTreeSet::new();
    if let Some(desired) = &group.members {
        let ambiguous = members::ambiguous(lenses, &desired.iter().collect::<Vec<_>>()).await?;
        members = ambiguous.without(desired);
        if let Some(error) = ambiguous.error().filter(|_| members.is_empty()) {
            return Err(error);
        }
        body["members"] = json!(members::names(members.iter().copied())?);
    }
    let _lock = locks::lock(lenses.connection.api().as_str(), &group.name).await;
    let _write = lenses.groups.write(&group.name);
    lenses.group_incarnations.forget(&group.name);
    let send = |body| lenses.client.create_group(body);
    let optional = ["metadata", "sso_name"];
    let refused = match create_with_optional(body.clone(), &optional, send).await {
        Ok(answer) => return shown(lenses, &answer, &group.name, None).await,
        Err(error) => error,
    };
    let can_be_about_one = members::can_be_about_one(&refused);
    let refused = match refused.class {
        Class::Invalid => taken_or_invalid(lenses, group, refused).await,
        _ => with_sso_hint(group, with_needed_rights(refused)),
    };
    if members.len() < 2 || !can_be_about_one || refused.class == Class::Conflict {
        return Err(refused);
    }
    body["members"] = json!([]);
    match create_with_optional(body, &optional, send).await {
        Ok(answer) => shown(lenses, &answer, &group.name, None).await,
        Err(_) => Err(refused),
    }
}

/// Distinguishes a name that is taken from an invalid group by a look: the status of a taken name is not documented (contract 1.3).
async fn taken_or_invalid(lenses: &Lenses, group: &Group, refused: Error) -> Error {
    match read::owned_group(lenses, &group.name, None).await {
        Ok(Some(_)) => {
            let message = format!("{}; the group {} already exists", refused.message, group.name);
            Error::new(Class::Conflict, message)
        }
        _ => with_sso_hint(group, refused),
    }
}

/// Changes a group unless it changed since the plan was made. Only what differs is sent. Members that HQ refuses are an error, after all
/// else was changed.
pub async fn update(lenses: &Lenses, id: &Id, before: &Group, after: &Group) -> Result<Observed, Error> {
    check_owned(before)?;
    let name = &before.name;
    if after.name != *name {
        return Err(Error::mistake("a group of Lenses cannot get another name"));
    }
    let mut body = json!({});
    if before.roles != after.roles {
        body["roles"] = json!(role_names(&after.roles)?);
    }
    let known = before.members.as_ref();
    let (outsiders, inside): (BTreeSet<_>, BTreeSet<_>) =
        known.into_iter().flatten().partition(|member| ids::is_outsiders(&member.id));
    let desired = after.members.as_ref();
    if desired.is_some() && !outsiders.is_empty() {
        // Those who joined by the identity provider are members, and `set_members` removes them.
        body["sso_name"] = json!(ids::sso_name(name));
    }
    let added: Vec<&Named> =
        desired.into_iter().flatten().filter(|member| !inside.contains(member)).collect();
    let refused = members::ambiguous(lenses, &added).await?;
    let _lock = locks::lock(lenses.connection.api().as_str(), name).await;
    let expected = ids::of_thing(id).1;
    match read::owned_group(lenses, name, Some(&expected)).await.map_err(with_needed_rights)? {
        None => return Err(Error::new(Class::Missing, format!("the group {name} does not exist any more"))),
        Some(now) if now.body != Body::Group(before.clone()) => {
            return Err(Error::new(
                Class::Transient,
                format!("the group {name} has changed since it was last read"),
            ));
        }
        Some(_) => {}
    }
    let mut others = body.clone();
    let accepted = desired.map(|members| refused.without(members));
    if let Some(accepted) = accepted.filter(|accepted| known.is_none() || inside != *accepted) {
        body["set_members"] = json!(members::names(accepted.iter().copied())?);
        let dropped = inside.iter().filter(|member| !accepted.contains(*member)).copied();
        let dropped = members::names(dropped)?;
        if !dropped.is_empty() {
            others["remove_members"] = json!(dropped);
        }
    }
    let _write = lenses.groups.write(name);
    let is_divisible = known.is_some() && added.len() + usize::from(others != json!({})) > 1;
    let result = match send(lenses, name, &body).await {
        Err(error) if is_divisible && members::can_be_about_one(&error) => {
            let added: Vec<&Named> = added.into_iter().filter(|member| !refused.contains(member)).collect();
            members::add_one_by_one(lenses, name, others, &added, refused)
                .await
                .map(|refused| (None, refused))
        }
        sent => sent.map(|answer| (answer, refused)),
    };
    let (answer, refused) = result.map_err(|error| with_sso_hint(after, with_needed_rights(error)))?;
    match (refused.error(), answer) {
        (Some(error), _) => Err(with_sso_hint(after, error)),
        (None, Some(answer)) => shown(lenses, &answer, name, Some(&expected)).await,
        (None, None) => match read::owned_group(lenses, name, Some(&expected)).await {
            Ok(Some(seen)) => Ok(seen),
            Ok(None) => Err(Error::new(Class::Missing, format!("the group {name} does not exist any more"))),
            Err(error) => Err(unreadable_after_write(error)),
        },
    }
}

/// Sends a change, unless there is none.
async fn send(lenses: &Lenses, group: &str, body: &Value) -> Result<Option<Answer>, Error> {
    match body.as_object() {
        Some(fields) if fields.is_empty() => Ok(None),
        _ => lenses.client.change_group(group, body.clone()).await.map(Some),
    }
}

/// The group in the answer to a write. If the answer does not show everything, the group is read.
async fn shown(
    lenses: &Lenses,
    answer: &Answer,
    name: &str,
    expected: Option<&Incarnation>,
) -> Result<Observed, Error> {
    let membership = lenses.connection.membership;
    let answered = || answer.decode::<wire::Group>().ok().filter(|group| group.name == name);
    let observed = |whole: WholeGroup| {
        let shown = whole.incarnation.clone();
        let incarnation = read::matching(expected, shown.clone()).unwrap_or(shown);
        map::owned_group(&WholeGroup { incarnation, ..whole }, membership)
    };
    let with_incarnation = answered().filter(|group| group.created != wire::Created::default());
    if let Some(whole) = with_incarnation.and_then(|group| groups::answered(lenses, group)) {
        return Ok(observed(whole));
    }
    match read::owned_group(lenses, name, expected).await {
        Ok(Some(seen)) => Ok(seen),
        Ok(None) => {
            Err(answer.undecodable("does not match the API description, and the group is not visible"))
        }
        Err(error) => match answered().filter(|_| error.class == Class::Denied) {
            // It exists, and its content is hidden from the token: the create is not lost.
            Some(group) => Ok(observed(groups::outline(lenses, group))),
            None => Err(unreadable_after_write(error)),
        },
    }
}

/// Deletes a group.
pub async fn delete(lenses: &Lenses, group: &Group) -> Result<(), Error> {
    check_owned(group)?;
    let _lock = locks::lock(lenses.connection.api().as_str(), &group.name).await;
    let _write = lenses.groups.write(&group.name);
    match lenses.client.delete_group(&group.name).await {
        Err(error) if error.class.is_objection() => Err(Error::new(
            Class::Conflict,
            format!("{}; the group {} was not deleted", error.message, group.name),
        )),
        other => other.map_err(with_needed_rights),
    }
}

/// Adds a hint to the refusal of a write with members: the identity provider can be the one who decides on them (contract 3.8).
fn with_sso_hint(group: &Group, mut error: Error) -> Error {
    if group.members.is_some() && (error.class.is_objection() || error.class == Class::Denied) {
        error.message.push_str(
            "; if single sign-on decides who is in a group, set spec.lenses.membership of the Backend to Sso",
        );
    }
    error
}

/// Refuses a group that no RoleBinding owns. The planner leaves those alone; this keeps a mistake there from reaching one.
fn check_owned(group: &Group) -> Result<(), Error> {
    if ids::is_owned(&group.name) {
        Ok(())
    } else {
        Err(Error::mistake(format!("{} is not a group that a RoleBinding owns", group.name)))
    }
}
