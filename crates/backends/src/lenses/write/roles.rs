//! Roles. The policy is always written as a whole, never with the call that appends (contract 2.1, 5).

use serde_json::json;

use super::{
    super::{account::Lenses, client::with_needed_rights, map, policy, read, visibility, wire},
    in_use, mark, read_after_write, refused,
};
use crate::{Class, Error, http::Answer};
use rolewright_core::model::{Observed, Role};

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
    match lenses.client.create_role(body).await {
        Ok(answer) => shown(lenses, &answer, &role.name).await,
        Err(error) => Err(refused(error, read::role(lenses, &role.name, None)).await),
    }
}

/// Changes a role. Only what differs is sent, and only new rules are checked: HQ can have renamed an action of the others (contract 5).
pub async fn update(lenses: &Lenses, before: &Role, after: &Role) -> Result<Observed, Error> {
    let name = &before.name;
    if after.name != *name {
        return Err(Error::mistake("a role of Lenses cannot get another name"));
    }
    let added = after.rules.difference(&before.rules).cloned().collect();
    lenses.catalogue.check(&lenses.client, &added).await?;
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
    let answer = lenses.client.change_role(name, body).await;
    lenses.roles.forget(name);
    shown(lenses, &answer.map_err(with_needed_rights)?, name).await
}

/// The role in the answer to a write. If the answer does not match the API description, the role is read.
async fn shown(lenses: &Lenses, answer: &Answer, name: &str) -> Result<Observed, Error> {
    match answer.decode::<wire::Role>() {
        Ok(role) if role.name == name => Ok(map::role(role)),
        _ => read_after_write(read::role(lenses, name, None)).await,
    }
}

/// Deletes a role that no group has. It is not documented whether HQ refuses to delete a role that a group has, or removes it from the
/// group (contract 3.7). So the credential must see all groups.
pub async fn delete(lenses: &Lenses, role: &Role) -> Result<(), Error> {
    let name = &role.name;
    let groups = in_use::groups_with(lenses, name).await?;
    if !groups.is_empty() {
        let message = format!(
            "the role {name} was not deleted, because these groups have it and would lose it: {}",
            groups.join(", ")
        );
        return Err(Error::new(Class::Conflict, message));
    }
    if !visibility::is_complete(&lenses.client, &lenses.connection.account).await? {
        let message = format!(
            "the role {name} was not deleted: groups that the token may not see can have it, and would lose it; {}",
            visibility::NEEDED
        );
        return Err(Error::new(Class::Denied, message));
    }
    match lenses.client.delete_role(name).await {
        Err(error) if error.class.is_objection() => Err(Error::new(
            Class::Conflict,
            format!("{}; a group that the service account may not see can have the role", error.message),
        )),
        answer => answer.map_err(with_needed_rights),
    }
}
