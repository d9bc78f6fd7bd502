//! Roles: created in the organization, changed where they differ, deleted if nobody has them (contract 2.1, 3.1).

use serde_json::{Value, json};

use super::{
    super::{
        client::Client,
        dialect::{LEVEL, PROJECT_ROLE, WORKSPACE_ROLE},
        map, wire,
    },
    in_use,
};
use crate::{Class, Error, http::Answer};
use rolewright_core::model::{Body, Id, Observed, Role};

/// Creates a role. The caller has just checked that no role has this name: the server may create a second one.
pub async fn create(client: &Client, role: &Role) -> Result<Observed, Error> {
    let level = level(role)?;
    let mut body = json!({
        "name": role.name,
        "organization_id": client.id().await?,
        "level": level,
        "system_managed": false,
        "type": "normal",
    });
    if let Some(description) = &role.description {
        body["description"] = json!(description);
    }
    answered_role(&client.create_role(body, &role.rules).await?)
}

/// Changes a role. The permissions are always sent, because the server refuses a role that appears to have none (contract 2.1).
pub async fn update(client: &Client, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
    if level(before)? != level(after)? {
        return Err(Error::mistake("an update of a role's level"));
    }
    let mut body = json!({});
    if before.name != after.name {
        body["name"] = json!(after.name);
    }
    if before.description != after.description {
        // The server refuses an empty text and accepts null (contract 3.1).
        body["description"] = after.description.as_ref().map_or(Value::Null, |text| json!(text));
    }
    let now = answered_role(&client.update_role(id.as_str(), body, &after.rules).await?)?;
    match &now.body {
        Body::Role(role) if after.description.is_none() && role.description.is_some() => Err(Error::new(
            Class::Invalid,
            "spec.description: the role has a description, and this control plane does not delete it: write one",
        )),
        _ => Ok(now),
    }
}

/// Deletes a role that nobody has.
pub async fn delete(client: &Client, id: &Id, role: &Role) -> Result<(), Error> {
    let subjects = in_use::subjects(client, id.as_str(), level(role)?).await?;
    if !subjects.is_empty() {
        let message = format!("the role {} is not deleted while subjects have it: {subjects}", role.name);
        return Err(Error::new(Class::Conflict, message));
    }
    client.delete_role(id.as_str()).await
}

fn answered_role(answer: &Answer) -> Result<Observed, Error> {
    answer.decode::<wire::Role>().map(map::role)
}

/// The level, if roles of it can be written.
fn level(role: &Role) -> Result<&str, Error> {
    match role.settings.get(LEVEL).map(String::as_str) {
        Some(level @ (WORKSPACE_ROLE | PROJECT_ROLE)) => Ok(level),
        _ => Err(Error::mistake("a change of a role that is neither of workspaces nor of projects")),
    }
}
