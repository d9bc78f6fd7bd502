//! Roles: created under a chosen uid, replaced only if they did not change since they were read, and deleted only without assignments
//! (contract 2.2, 3.1, 3.8).

use serde_json::{Value, json};

use super::{
    super::{
        client::Client,
        dialect::{GLOBAL, GROUP, HIDDEN},
        map, read, wire,
    },
    denied,
};
use crate::{Class, Error};
use rolewright_core::model::{Body, Id, Observed, Role, Rule};

/// Creates a role.
pub async fn create(client: &Client, id: Option<&Id>, role: &Role) -> Result<Observed, Error> {
    let mut body = json!({
        "name": role.name,
        "hidden": flag(role, HIDDEN)?.unwrap_or_default(),
        "global": flag(role, GLOBAL)?.unwrap_or_default(),
        "permissions": permissions(role),
    });
    let texts = [
        ("uid", id.map(Id::as_str)),
        ("displayName", role.display_name.as_deref()),
        ("description", role.description.as_deref()),
        ("group", role.settings.get(GROUP).map(String::as_str)),
    ];
    for (field, text) in texts {
        if let Some(text) = text {
            body[field] = json!(text);
        }
    }
    match client.create_role(body).await {
        Ok(answer) => Ok(map::role(answer.decode()?)),
        Err(error) if error.class.is_objection() => Err(taken_or_invalid(client, id, role, error).await),
        Err(error) => Err(denied::explained(client, client.confirmed(error).await, &role.rules).await),
    }
}

/// Distinguishes a name or uid that is taken from an invalid role by a look: Grafana answers both with the same status (contract 3.2).
async fn taken_or_invalid(client: &Client, id: Option<&Id>, role: &Role, refused: Error) -> Error {
    match existing(client, id, role).await {
        Ok(None) => refused,
        Ok(Some(existing)) => {
            let (title, uid) = (existing.body.title(), existing.id);
            let message = format!("{}; the role {title} with the uid {uid} already exists", refused.message);
            Error::new(Class::Conflict, message)
        }
        // It can be this role, created by a call whose answer was lost.
        Err(error) => Error::new(
            Class::Lost,
            format!("{}; cannot tell whether it already exists: {}", refused.message, error.message),
        ),
    }
}

async fn existing(client: &Client, id: Option<&Id>, role: &Role) -> Result<Option<Observed>, Error> {
    if let Some(id) = id
        && let Some(seen) = client.role(id).await?
    {
        return Ok(Some(map::role(seen)));
    }
    read::find_role(client, role).await
}

/// Replaces a role unless it changed since the plan was made. The version sent is the stored one plus one: every server accepts it, and
/// refuses it from the second of two writers who read the same version (contract 3.1).
pub async fn update(client: &Client, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
    let Some(stored) = client.role(id).await? else { return Err(deleted(id)) };
    let (version, global) = (stored.version.unwrap_or_default(), stored.global.unwrap_or_default());
    let mark = mark(&stored);
    let now = map::role(stored);
    match &now.body {
        Body::Role(role) if role == before => {}
        _ => {
            return Err(Error::new(
                Class::Transient,
                format!("role {id} has changed since it was last read"),
            ));
        }
    }
    if flag(after, GLOBAL)?.is_some_and(|desired| desired != global) {
        let message = format!(
            "spec.grafana.global: the role exists as one of {}, and Grafana cannot change that: leave it as it is, or create \
             another role",
            if global { "all organizations" } else { "this organization alone" }
        );
        return Err(Error::new(Class::Invalid, message));
    }
    // Servers differ in whether they keep or clear an omitted field (contract 2.1), so nothing is omitted.
    let body = json!({
        "name": after.name,
        "displayName": after.display_name.as_deref().unwrap_or_default(),
        "description": after.description.as_deref().unwrap_or_default(),
        "group": after.settings.get(GROUP).map(String::as_str).unwrap_or_default(),
        "hidden": flag(after, HIDDEN)?.unwrap_or_default(),
        "global": global,
        "permissions": permissions(after),
        "version": version.saturating_add(1),
    });
    match client.replace_role(id, body).await {
        Ok(answer) => Ok(map::role(answer.decode()?)),
        Err(error) if error.class.is_objection() => Err(changed_or_invalid(client, id, &mark, error).await),
        Err(error) => {
            let rules = before.rules.union(&after.rules).cloned().collect();
            Err(denied::explained(client, client.confirmed(error).await, &rules).await)
        }
    }
}

/// Distinguishes a stale version from an invalid role by a look: the status and message of a stale version are not documented
/// (contract 3.1).
async fn changed_or_invalid(client: &Client, id: &Id, mark: &Mark, refused: Error) -> Error {
    let now = match client.role(id).await {
        Ok(Some(now)) => now,
        Ok(None) => return deleted(id),
        Err(_) => return Error::new(Class::Transient, refused.message),
    };
    if self::mark(&now) == *mark {
        return refused;
    }
    let message = format!("another writer changed role {id} at the same time: {}", refused.message);
    Error::new(Class::Transient, message)
}

type Mark = (Option<i64>, Option<String>);

fn mark(role: &wire::Role) -> Mark {
    (role.version, role.updated.clone())
}

fn deleted(id: &Id) -> Error {
    Error::new(Class::Missing, format!("role {id} does not exist any more"))
}

/// Deletes a role without assignments. Never uses `force`, which would delete the assignments too (contract 3.8).
pub async fn delete(client: &Client, id: &Id, role: &Role) -> Result<(), Error> {
    match client.delete_role(id, flag(role, GLOBAL)?.unwrap_or_default()).await {
        Err(error) if error.class.is_objection() => Err(Error::new(
            Class::Conflict,
            format!(
                "{}; Grafana refuses to delete a role that a principal still has, perhaps in another organization, by the mapping \
                 of external groups, or where the credential may not see it (users.roles:read, teams.roles:read)",
                error.message
            ),
        )),
        Err(error) => Err(denied::explained(client, client.confirmed(error).await, &role.rules).await),
        Ok(()) => Ok(()),
    }
}

/// A set, because the server may refuse duplicates (contract 3.7).
fn permissions(role: &Role) -> Value {
    let permission =
        |rule: &Rule| json!({"action": rule.action, "scope": rule.resource.as_deref().unwrap_or_default()});
    role.rules.iter().map(permission).collect()
}

fn flag(role: &Role, field: &str) -> Result<Option<bool>, Error> {
    match role.settings.get(field).map(String::as_str) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Error::mistake("a flag that is neither true nor false")),
    }
}
