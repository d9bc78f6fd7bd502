//! Roles: the policy always as a whole, never by the call that appends (contract 2.1, 5).

use serde_json::json;

use super::{
    super::{
        Lenses,
        ids::{self, Incarnation},
        map, policy, read,
        rights::{self, Sight},
        wire,
    },
    afterwards, explained, holders, made, mark, marked,
};
use crate::{Class, Error, http::Answer};
use rolewright_core::model::{Body, Id, Observed, Role};

/// Makes a role.
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
    let _writing = lenses.roles.writing(&role.name);
    lenses.named_roles.forget(&role.name);
    match made(body, &["metadata"], |body| lenses.client.create_role(body)).await {
        Ok(answer) => shown(lenses, &answer, &role.name, None).await,
        Err(error) if error.class == Class::Invalid => Err(taken(lenses, role, error).await),
        Err(error) => Err(explained(error)),
    }
}

/// Tells a name that is taken from any other fault of a role: which status stands for it is not documented (contract 1).
async fn taken(lenses: &Lenses, role: &Role, refused: Error) -> Error {
    match read::role(lenses, &role.name, None).await {
        Ok(Some(_)) => {
            let message = format!("{}; the role {} is there already", refused.message, role.name);
            Error::new(Class::Conflict, message)
        }
        _ => refused,
    }
}

/// Makes a role equal to what is wanted, unless it is not any more what the plan was made from. What does not change is not sent.
pub async fn update(lenses: &Lenses, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
    let name = &before.name;
    if after.name != *name {
        return Err(Error::mistake("a role of Lenses cannot be given another name"));
    }
    if before.rules != after.rules {
        lenses.catalogue.check(&lenses.client, &after.rules).await?;
    }
    let mut stored = lenses.client.role(name).await.map_err(explained)?;
    let statements = stored.policy.take().unwrap_or_default();
    let metadata = stored.metadata.take();
    let asked = ids::of_thing(id).1;
    let made = lenses.named_roles.see(name, stored.made.incarnation());
    let changed = || map::role(stored, &statements, &asked).body != Body::Role(before.clone());
    if made.differs(&asked) || changed() {
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
        // A field that is left out stays as it is (contract 2.1).
        body["description"] = json!(after.description.as_deref().unwrap_or_default());
    }
    if let Some(all) = marked(metadata.as_ref()) {
        body["metadata"] = json!(all);
    }
    let _writing = lenses.roles.writing(name);
    let answer = lenses.client.change_role(name, body).await.map_err(explained)?;
    shown(lenses, &answer, name, Some(&asked)).await
}

/// The role as the answer to a write shows it, or as it is read where the answer does not show its policy, or which role it is, under what
/// it was asked for by.
async fn shown(
    lenses: &Lenses,
    answer: &Answer,
    name: &str,
    asked: Option<&Incarnation>,
) -> Result<Observed, Error> {
    let role: Option<wire::Role> = answer.decode().ok();
    if let Some(mut role) = role.filter(|role| role.name == name && role.made != wire::Made::default())
        && let Some(policy) = role.policy.take()
    {
        let made = lenses.named_roles.see(name, role.made.incarnation());
        let made = read::answering(asked, made.clone()).unwrap_or(made);
        return Ok(map::role(role, &policy, &made));
    }
    match read::role(lenses, name, asked).await {
        Ok(Some(seen)) => Ok(seen),
        Ok(None) => Err(answer.undecodable("is not what the API describes, and the role is not to be seen")),
        Err(error) => Err(afterwards(error)),
    }
}

/// Removes a role that no group has. Whether HQ itself refuses to remove one that a group has, or takes it from the group, is not
/// documented (contract 3): so the token has to be one from which no group is hidden.
pub async fn delete(lenses: &Lenses, role: &Role) -> Result<(), Error> {
    let holders = holders::of(lenses, &role.name).await?;
    if !holders.is_empty() {
        let message = format!(
            "the role {} was not removed, because groups have it that would lose it: {}",
            role.name,
            holders.join(", ")
        );
        return Err(Error::new(Class::Conflict, message));
    }
    if rights::sight(&lenses.client, lenses.connection.account.as_deref()).await? == Sight::Narrowed {
        let message = format!(
            "the role {} was not removed: groups that the token may not see may have it, and would lose it; {}",
            role.name,
            rights::NEEDED
        );
        return Err(Error::new(Class::Denied, message));
    }
    let _writing = lenses.roles.writing(&role.name);
    match lenses.client.delete_role(&role.name).await {
        Err(error) if error.class.is_objection() => Err(Error::new(
            Class::Conflict,
            format!("{}; a group that the service account may not see may have the role", error.message),
        )),
        Err(error) => Err(explained(error)),
        Ok(()) => Ok(()),
    }
}
