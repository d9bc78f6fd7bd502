//! Roles: made under a uid of our choice, replaced under the version that was read, removed where nobody holds them (contract 2.2, 3.1,
//! 3.8).

use serde_json::{Value, json};

use super::{
    super::{
        client::Client,
        dialect::{GLOBAL, GROUP, HIDDEN, reserved_name, reserved_uid},
        map, read, wire,
    },
    denied, untouchable,
};
use crate::{Class, Error};
use rolewright_core::model::{Body, Id, Observed, Role, Rule};

/// Makes a role.
pub async fn create(client: &Client, id: Option<&Id>, role: &Role) -> Result<Observed, Error> {
    untouchable(&role.name, reserved_name(&role.name).or_else(|| reserved_uid(id.map_or("", Id::as_str))))?;
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
        Err(error) if error.class.is_objection() => Err(taken(client, id, role, error).await),
        Err(error) => Err(denied::explained(client, client.sure(error).await, &role.rules).await),
    }
}

/// Tells a name or uid that is taken from any other fault of a role: Grafana answers both alike (contract 3.2), so it is looked for.
async fn taken(client: &Client, id: Option<&Id>, role: &Role, refused: Error) -> Error {
    match there(client, id, role).await {
        Ok(None) => refused,
        Ok(Some(there)) => {
            let (title, uid) = (there.body.title(), there.id);
            let message =
                format!("{}; the role {title} with the uid {uid} is there already", refused.message);
            Error::new(Class::Conflict, message)
        }
        // It may be this very role, made by a call whose answer was lost.
        Err(error) => Error::new(
            Class::Lost,
            format!("{}; whether it is there already cannot be told: {}", refused.message, error.message),
        ),
    }
}

async fn there(client: &Client, id: Option<&Id>, role: &Role) -> Result<Option<Observed>, Error> {
    if let Some(id) = id
        && let Some(seen) = client.role(id).await?
    {
        return Ok(Some(map::role(seen)));
    }
    // A name is taken by a role of the same sort alone: one of all organizations keeps none in this one (contract 3.2).
    let global = flag(role, GLOBAL)?.unwrap_or_default().to_string();
    let same_sort = |seen: &Observed| match &seen.body {
        Body::Role(role) => role.settings.get(GLOBAL) == Some(&global),
        _ => false,
    };
    Ok(read::role_of_name(client, role).await?.filter(same_sort))
}

/// Replaces a role, unless it is not any more what the plan was made from. One more than the stored version satisfies every server,
/// and keeps a writer who read the same version from being overwritten (contract 3.1).
pub async fn update(client: &Client, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
    untouchable(
        &before.name,
        reserved_name(&before.name)
            .or_else(|| reserved_name(&after.name))
            .or_else(|| reserved_uid(id.as_str())),
    )?;
    let Some(stored) = client.role(id).await? else { return Err(gone(id)) };
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
    if flag(after, GLOBAL)?.is_some_and(|wanted| wanted != global) {
        let message = format!(
            "spec.grafana.global: the role exists as one of {}, and Grafana cannot change that: leave it as it is, or make \
             another role",
            if global { "all organizations" } else { "this organization alone" }
        );
        return Err(Error::new(Class::Invalid, message));
    }
    // What is left out may be kept or cleared, depending on the server (contract 2.1): nothing is left out.
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
        Err(error) if error.class.is_objection() => Err(overtaken(client, id, &mark, error).await),
        Err(error) => {
            let rules = before.rules.union(&after.rules).cloned().collect();
            Err(denied::explained(client, client.sure(error).await, &rules).await)
        }
    }
}

/// Tells a version that was overtaken from any other fault of a role: which status and words stand for it is not documented.
async fn overtaken(client: &Client, id: &Id, mark: &Mark, refused: Error) -> Error {
    let now = match client.role(id).await {
        Ok(Some(now)) => now,
        Ok(None) => return gone(id),
        Err(_) => return Error::new(Class::Transient, refused.message),
    };
    if self::mark(&now) == *mark {
        return refused;
    }
    let message = format!("role {id} was changed by somebody else at the same time: {}", refused.message);
    Error::new(Class::Transient, message)
}

type Mark = (Option<i64>, Option<String>);

fn mark(role: &wire::Role) -> Mark {
    (role.version, role.updated.clone())
}

fn gone(id: &Id) -> Error {
    Error::new(Class::Missing, format!("role {id} is not there any more"))
}

/// Removes a role that nobody holds.
pub async fn delete(client: &Client, id: &Id, role: &Role) -> Result<(), Error> {
    untouchable(&role.name, reserved_name(&role.name).or_else(|| reserved_uid(id.as_str())))?;
    match client.delete_role(id, flag(role, GLOBAL)?.unwrap_or_default()).await {
        Err(error) if error.class.is_objection() => Err(Error::new(
            Class::Conflict,
            format!(
                "{}; Grafana refuses to delete a role that somebody still has, perhaps in another organization, by the mapping of \
                 external groups, or where the credential may not see it (users.roles:read, teams.roles:read)",
                error.message
            ),
        )),
        Err(error) => Err(denied::explained(client, client.sure(error).await, &role.rules).await),
        Ok(()) => Ok(()),
    }
}

/// As a set: duplicates may be refused (contract 3.7).
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
