//! Roles. The policy is always written as a whole, never with the call that appends (contract 2.1, 5).

use serde_json::json;

use super::{
    super::{
        account::Lenses,
        ids::{self, Incarnation},
        map, policy, read,
        visibility::{self, Visibility},
        wire,
    },
    create_with_optional, in_use, mark, unreadable_after_write, with_mark, with_needed_rights,
};
use crate::{Class, Error, http::Answer};
use rolewright_core::model::{Body, Id, Observed, Role};

/// Creates a role.
pub async fn create(lenses: &Lenses, role: &Role) -> Result<Observed, Error> {
    lenses.catalogue.check(&lenses.client, &role.rules).await?;
    let mut body = json!({
        "name": role.name,
        "policy": policy::statements(&role.rules),
        "metadata": mark(),
    });
    let texts = [("display_name", &role.display_name), ("description", &role.description)];
    for (field, text) in texts {
        if let Some(text) = text {
            body[field] = json!(text);
        }
    }
    let _write = lenses.roles.write(&role.name);
    lenses.role_incarnations.forget(&role.name);
    match create_with_optional(body, &["metadata"], |body| lenses.client.create_role(body)).await {
        Ok(answer) => shown(lenses, &answer, &role.name, None).await,
        Err(error) if error.class == Class::Invalid => Err(taken_or_invalid(lenses, role, error).await),
        Err(error) => Err(with_needed_rights(error)),
    }
}

/// Distinguishes a name that is taken from an invalid role by a look: the status of a taken name is not documented (contract 1.3).
async fn taken_or_invalid(lenses: &Lenses, role: &Role, refused: Error) -> Error {
    match read::role(lenses, &role.name, None).await {
        Ok(Some(_)) => {
            let message = format!("{}; the role {} already exists", refused.message, role.name);
            Error::new(Class::Conflict, message)
        }
        _ => refused,
    }
}

/// Changes a role unless it changed since the plan was made. Only what differs is sent.
pub async fn update(lenses: &Lenses, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
    let name = &before.name;
    if after.name != *name {
        return Err(Error::mistake("a role of Lenses cannot get another name"));
    }
    if before.rules != after.rules {
        lenses.catalogue.check(&lenses.client, &after.rules).await?;
    }
    let mut stored = lenses.client.role(name).await.map_err(with_needed_rights)?;
    let statements = stored.policy.take().unwrap_or_default();
    let metadata = stored.metadata.take();
    let expected = ids::of_thing(id).1;
    let shown_incarnation = lenses.role_incarnations.observe(name, stored.created.incarnation());
    let changed = || map::role(stored, &statements, &expected).body != Body::Role(before.clone());
    if shown_incarnation.differs(&expected) || changed() {
        return Err(Error::new(Class::Transient, format!("role {name} has changed since it was last read")));
    }
    let mut body = json!({});
    if before.rules != after.rules {
        body["policy"] = policy::statements(&after.rules);
    }
    if before.display_name != after.display_name {
        body["display_name"] = json!(after.display_name);
    }
    if before.description != after.description {
        // An omitted field stays as it is (contract 2.1).
        body["description"] = json!(after.description.as_deref().unwrap_or_default());
    }
    if let Some(all) = with_mark(metadata.as_ref()) {
        body["metadata"] = json!(all);
    }
    let _write = lenses.roles.write(name);
    let answer = lenses.client.change_role(name, body).await.map_err(with_needed_rights)?;
    shown(lenses, &answer, name, Some(&expected)).await
}

/// The role in the answer to a write. If the answer omits the policy or the incarnation, the role is read.
async fn shown(
    lenses: &Lenses,
    answer: &Answer,
    name: &str,
    expected: Option<&Incarnation>,
) -> Result<Observed, Error> {
    let role: Option<wire::Role> = answer.decode().ok();
    if let Some(mut role) = role.filter(|role| role.name == name && role.created != wire::Created::default())
        && let Some(policy) = role.policy.take()
    {
        let shown = lenses.role_incarnations.observe(name, role.created.incarnation());
        let incarnation = read::matching(expected, shown.clone()).unwrap_or(shown);
        return Ok(map::role(role, &policy, &incarnation));
    }
    match read::role(lenses, name, expected).await {
        Ok(Some(seen)) => Ok(seen),
        Ok(None) => {
            Err(answer.undecodable("does not match the API description, and the role is not visible"))
        }
        Err(error) => Err(unreadable_after_write(error)),
    }
}

/// Deletes a role that no group has. It is not documented whether HQ refuses to delete a role that a group has, or removes it from the
/// group (contract 3.7). So the credential must see all groups.
pub async fn delete(lenses: &Lenses, role: &Role) -> Result<(), Error> {
    let groups = in_use::groups_with(lenses, &role.name).await?;
    if !groups.is_empty() {
        let message = format!(
            "the role {} was not deleted, because these groups have it and would lose it: {}",
            role.name,
            groups.join(", ")
        );
        return Err(Error::new(Class::Conflict, message));
    }
    let account = lenses.connection.account.as_deref();
    if visibility::of_account(&lenses.client, account).await? == Visibility::Limited {
        let message = format!(
            "the role {} was not deleted: groups that the token may not see can have it, and would lose it; {}",
            role.name,
            visibility::NEEDED
        );
        return Err(Error::new(Class::Denied, message));
    }
    let _write = lenses.roles.write(&role.name);
    match lenses.client.delete_role(&role.name).await {
        Err(error) if error.class.is_objection() => Err(Error::new(
            Class::Conflict,
            format!("{}; a group that the service account may not see can have the role", error.message),
        )),
        Err(error) => Err(with_needed_rights(error)),
        Ok(()) => Ok(()),
    }
}
