//! Roles: created in the organization, changed where they differ, deleted if nobody has them (contract 2.1, 3.1).

use reqwest::Method;
use serde_json::json;

use super::{
    super::{client::Client, dialect::LEVEL, map, mark, permissions},
    in_use,
};
use crate::{Class, Error};
use rolewright_core::model::{Body, Id, Observed, Role};

/// Creates a role. The caller has just checked that no role has this name: the server may create a second one. If the server understood the
/// permissions in another way, the caller sees a difference and updates the role.
pub async fn create(client: &Client, role: &Role) -> Result<Observed, Error> {
    let mut body = json!({
        "name": role.name,
        "organization_id": client.id().await?,
        "level": level(role)?,
        "system_managed": false,
        "type": "normal",
        permissions::FIELD: permissions::write(&role.rules, client.form),
    });
    if let Some(description) = description(client, role) {
        body["description"] = json!(description);
    }
    client.write_role(Method::POST, &["roles"], &body).await.map(map::role)
}

/// Changes a role. The permissions are always sent, because the server refuses a role that appears to have none (contract 2.1).
pub async fn update(client: &Client, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
    if level(before)? != level(after)? {
        return Err(Error::mistake("an update of a role's level"));
    }
    let mut body = json!({ permissions::FIELD: permissions::write(&after.rules, client.form) });
    if before.name != after.name {
        body["name"] = json!(after.name);
    }
    if before.description != after.description || client.hides_permissions() {
        // The server refuses an empty text and accepts null (contract 3.1).
        body["description"] = json!(description(client, after));
    }
    let now = client.write_role(Method::PATCH, &["roles", id.as_str()], &body).await.map(map::role)?;
    let desired = Body::Role(after.clone());
    if now.body.readable_part_satisfies(&desired) {
        return Ok(now);
    }
    let message = match &now.body {
        Body::Role(role) if after.description.is_none() && role.description.is_some() => {
            "spec.description: the role has a description, and this control plane does not delete it: write one"
                .to_owned()
        }
        _ => format!(
            "the control plane stored something else ({}): check spec.zenml.permissionForm of the Backend, and the spelling in spec.rules",
            now.body.difference(&desired).join(", ")
        ),
    };
    Err(Error::new(Class::Invalid, message))
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

/// The description as it is sent: with a mark if the server hides permissions.
fn description(client: &Client, role: &Role) -> Option<String> {
    if client.hides_permissions() {
        return Some(mark::write(role.description.as_deref(), &Body::Role(role.clone()).fingerprint()));
    }
    role.description.clone()
}

fn level(role: &Role) -> Result<&str, Error> {
    let level = role.settings.get(LEVEL).map(String::as_str);
    level.ok_or_else(|| Error::mistake("a change of a role without a level"))
}
