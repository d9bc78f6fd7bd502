//! Groups that a binding owns: made with their role and members, kept exactly so, removed with the binding (contract 2.2).

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    super::{
        Lenses, client, groups,
        ids::{self, Incarnation},
        map, read,
        whole::Whole,
        wire,
    },
    afterwards, explained, made, mark, role_names,
};
use crate::{Class, Error, http::Answer};
use rolewright_core::model::{Body, Group, Id, Named, Observed, SubjectKind};

/// What such a group says of itself to people: at most 250 characters (contract 2.2).
const DESCRIPTION: &str = "Belongs to a RoleBinding in Kubernetes. Its roles and members are kept as that says; what is changed by hand is put back.";

/// Makes a group.
pub async fn create(lenses: &Lenses, group: &Group) -> Result<Observed, Error> {
    ours(group)?;
    let mut body = json!({
        "name": group.name,
        "sso_name": ids::sso_name(&group.name),
        "description": DESCRIPTION,
        "roles": role_names(&group.roles)?,
        "metadata": mark(),
    });
    if let Some(members) = &group.members {
        body["members"] = json!(names(members)?);
        unambiguous(lenses, members.iter()).await?;
    }
    let _turn = lenses.turn(&group.name).await;
    let _writing = lenses.groups.writing(&group.name);
    lenses.named_groups.forget(&group.name);
    match made(body, &["metadata", "sso_name"], |body| lenses.client.create_group(body)).await {
        Ok(answer) => shown(lenses, &answer, &group.name, None).await,
        Err(error) if error.class == Class::Invalid => Err(taken(lenses, group, error).await),
        Err(error) => Err(with_hint(group, explained(error))),
    }
}

/// Tells a name that is taken from any other fault: which status stands for it is not documented (contract 1).
async fn taken(lenses: &Lenses, group: &Group, refused: Error) -> Error {
    match read::owned(lenses, &group.name, None).await {
        Ok(Some(_)) => {
            let message = format!("{}; the group {} is there already", refused.message, group.name);
            Error::new(Class::Conflict, message)
        }
        _ => with_hint(group, refused),
    }
}

/// Makes a group equal to what is wanted, unless it is not any more what the plan was made from. What does not change is not sent.
pub async fn update(lenses: &Lenses, id: &Id, before: &Group, after: &Group) -> Result<Observed, Error> {
    ours(before)?;
    let name = &before.name;
    if after.name != *name {
        return Err(Error::mistake("a group of Lenses cannot be given another name"));
    }
    let mut body = json!({});
    if before.roles != after.roles {
        body["roles"] = json!(role_names(&after.roles)?);
    }
    if let Some(members) = &after.members {
        let there = before.members.as_ref();
        let (outsiders, inside): (BTreeSet<_>, BTreeSet<_>) =
            there.into_iter().flatten().partition(|member| ids::is_outsiders(&member.id));
        if there.is_none() || inside != members.iter().collect() {
            body["set_members"] = json!(names(members)?);
            unambiguous(lenses, members.iter().filter(|member| !inside.contains(member))).await?;
        }
        if !outsiders.is_empty() {
            // Whoever it let in is one of the members, and goes with them.
            body["sso_name"] = json!(ids::sso_name(name));
        }
    }
    let _turn = lenses.turn(name).await;
    let asked = ids::of_thing(id).1;
    match read::owned(lenses, name, Some(&asked)).await.map_err(explained)? {
        None => return Err(Error::new(Class::Missing, format!("the group {name} is not there any more"))),
        Some(now) if now.body != Body::Group(before.clone()) => {
            return Err(Error::new(
                Class::Transient,
                format!("the group {name} has changed since it was last read"),
            ));
        }
        Some(_) => {}
    }
    let _writing = lenses.groups.writing(name);
    match lenses.client.change_group(name, body).await {
        Ok(answer) => shown(lenses, &answer, name, Some(&asked)).await,
        Err(error) => Err(with_hint(after, explained(error))),
    }
}

/// The group as the answer to a write shows it, or as it is read where the answer does not show all of it, under what it was asked for by.
async fn shown(
    lenses: &Lenses,
    answer: &Answer,
    name: &str,
    asked: Option<&Incarnation>,
) -> Result<Observed, Error> {
    let membership = lenses.connection.membership;
    let answered = || answer.decode::<wire::Group>().ok().filter(|group| group.name == name);
    let known = |whole: Whole| {
        let made = read::answering(asked, whole.made.clone()).unwrap_or_else(|| whole.made.clone());
        map::owned(&Whole { made, ..whole }, membership)
    };
    let tells = answered().filter(|group| group.made != wire::Made::default());
    if let Some(whole) = tells.and_then(|group| groups::answered(lenses, group)) {
        return Ok(known(whole));
    }
    match read::owned(lenses, name, asked).await {
        Ok(Some(seen)) => Ok(seen),
        Ok(None) => Err(answer.undecodable("is not what the API describes, and the group is not to be seen")),
        Err(error) => match answered().filter(|_| error.class == Class::Denied) {
            // It is there, and what is in it is hidden from the token: nobody is to look for whether it was made.
            Some(group) => Ok(known(groups::outline(lenses, group))),
            None => Err(afterwards(error)),
        },
    }
}

/// Removes a group.
pub async fn delete(lenses: &Lenses, group: &Group) -> Result<(), Error> {
    ours(group)?;
    let _turn = lenses.turn(&group.name).await;
    let _writing = lenses.groups.writing(&group.name);
    match lenses.client.delete_group(&group.name).await {
        Err(error) if error.class.is_objection() => Err(Error::new(
            Class::Conflict,
            format!("{}; the group {} was not removed", error.message, group.name),
        )),
        other => other.map_err(explained),
    }
}

/// A write that names members may be refused because an identity provider says who they are (contract 3, "SSO mode").
fn with_hint(group: &Group, mut error: Error) -> Error {
    if group.members.is_some() && (error.class.is_objection() || error.class == Class::Denied) {
        error.message.push_str(
            "; where single sign-on says who is in a group, set spec.lenses.membership of the Backend to Sso",
        );
    }
    error
}

/// Refuses to touch a group that no binding owns. The plan leaves those alone; this keeps a mistake there from reaching one.
fn ours(group: &Group) -> Result<(), Error> {
    if ids::is_owned(&group.name) {
        Ok(())
    } else {
        Err(Error::mistake(format!("{} is nobody's own group", group.name)))
    }
}

/// Members are named without a word on what they are (contract 2.2): one name must not stand for a user and a service account. Names of
/// service accounts are narrower than those of users, so most users need no question.
async fn unambiguous(lenses: &Lenses, added: impl Iterator<Item = &Named>) -> Result<(), Error> {
    for member in added.filter(|member| ids::is_name(&member.name)) {
        let other = match member.level == SubjectKind::User.level() {
            true => lenses.client.service_account(&member.name).await,
            false => lenses.client.user(&member.name).await,
        };
        match client::seen(other) {
            Ok(None) => {}
            Ok(Some(_)) => {
                let message = format!(
                    "spec.subjects: {} is both a user and a service account, and a group of Lenses does not tell which of the two is in it: \
                     give one of them another name",
                    member.name
                );
                return Err(Error::new(Class::Invalid, message));
            }
            Err(error) if error.class.is_withheld() => {
                let message = format!(
                    "whether {} is both a user and a service account, of which a group of Lenses does not tell which is in it, cannot be told: {}",
                    member.name, error.message
                );
                return Err(explained(Error::new(Class::Denied, message)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn names(members: &BTreeSet<Named>) -> Result<Vec<&str>, Error> {
    let nobody = || Error::mistake("a member that is neither a user nor a service account");
    members.iter().map(|member| ids::of_principal(&member.id).ok_or_else(nobody)).collect()
}
