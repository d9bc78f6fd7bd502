//! Roles: made in the organization, changed by what differs, removed where nobody holds them (contract 2.1, 3).

use serde_json::{Value, json};

use super::{
    super::{
        client::Client,
        dialect::LEVEL,
        ids::{PROJECT, WORKSPACE},
        map, wire,
    },
    holders,
};
use crate::{Class, Error, http::Answer};
use rolewright_core::model::{Body, Observed, Role};

/// Makes a role. Whoever asks has looked right before that there is none of this name: the server may make a second one.
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
    seen(&client.create_role(body, &role.rules).await?)
}

/// Changes a role. What it permits is always sent: a role is refused that seems to permit nothing (contract 2.1).
pub async fn update(client: &Client, id: &str, before: &Role, after: &Role) -> Result<Observed, Error> {
    if level(before)? != level(after)? {
        return Err(Error::mistake("a role that is to change its level"));
    }
    let mut body = json!({});
    if before.name != after.name {
        body["name"] = json!(after.name);
    }
    if before.description != after.description {
        // An empty text is refused, none is not.
        body["description"] = after.description.as_ref().map_or(Value::Null, |text| json!(text));
    }
    let now = seen(&client.change_role(id, body, &after.rules).await?)?;
    match &now.body {
        Body::Role(role) if after.description.is_none() && role.description.is_some() => Err(Error::new(
            Class::Invalid,
            "spec.description: the role has one, and this control plane does not take it away: write what it is to say",
        )),
        _ => Ok(now),
    }
}

/// Removes a role that nobody holds.
pub async fn delete(client: &Client, id: &str, role: &Role) -> Result<(), Error> {
    let holders = holders::of(client, id, level(role)?).await?;
    if !holders.is_empty() {
        let message =
            format!("the role {} is not removed while somebody holds it: {}", role.name, holders.join(", "));
        return Err(Error::new(Class::Conflict, message));
    }
    client.delete_role(id).await
}

/// The role as the answer to a write shows it.
fn seen(answer: &Answer) -> Result<Observed, Error> {
    answer.decode::<wire::Role>().map(map::role)
}

/// The level, if it is one at which roles can be written. The plan leaves the others alone; this keeps a mistake there from reaching them.
fn level(role: &Role) -> Result<&str, Error> {
    match role.settings.get(LEVEL).map(String::as_str) {
        Some(level @ (WORKSPACE | PROJECT)) => Ok(level),
        _ => Err(Error::new(
            Class::Invalid,
            format!("{} is a role of the organization, which the API does not let anybody write", role.name),
        )),
    }
}
