//! Writes: one call each. The message of a refusal adds what it can mean on Arize (contract 1.7, 2, 6).

use serde_json::{Map, Value, json};

use super::{
    client::Client,
    ids::{self, DASHBOARD, PROJECT, PROMPT},
    map,
    wire::{self, Listed, Restricted},
};
use crate::{Class, Error, error::existing_role, http::Answer};
use rolewright_core::model::{Grant, Id, Named, Observed, Restriction, Role};

/// Creates a role.
pub async fn create_role(client: &Client, role: &Role) -> Result<Observed, Error> {
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(role.name));
    body.insert("permissions".to_owned(), permissions(role));
    if let Some(description) = &role.description {
        body.insert("description".to_owned(), json!(description));
    }
    let answer = client.post(wire::Role::PATH, Value::Object(body)).await;
    answered_role(answer.map_err(|error| match error.class {
        Class::Denied => with_hint(error, "the API key needs ROLE_CREATE, as account admins have it"),
        Class::Conflict => with_hint(error, NAME_TAKEN),
        _ => error,
    })?)
}

/// Changes a role. What is not sent stays as it is (contract 2.1), so only what differs is sent.
pub async fn update_role(client: &Client, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
    let mut body = Map::new();
    if before.name != after.name {
        body.insert("name".to_owned(), json!(after.name));
    }
    if before.description != after.description {
        // Null clears it; the server may refuse an empty text (contract 4.7).
        body.insert("description".to_owned(), json!(after.description));
    }
    if before.rules != after.rules {
        body.insert("permissions".to_owned(), permissions(after));
    }
    if body.is_empty() {
        return Err(Error::mistake("an update of a role that changes nothing"));
    }
    let answer = client.patch(wire::Role::PATH, id, Value::Object(body)).await;
    answered_role(answer.map_err(|error| match error.class {
        Class::Denied => with_hint(error, "the API key needs ROLE_UPDATE, as account admins have it"),
        Class::Conflict => with_hint(error, NAME_TAKEN),
        Class::Missing => with_hint(error, ROLE_NOT_VISIBLE),
        _ => error,
    })?)
}

/// Deletes a role that no binding refers to.
pub async fn delete_role(client: &Client, id: &Id) -> Result<(), Error> {
    client.delete(wire::Role::PATH, id).await.map_err(|error| match error.class {
        Class::Denied => with_hint(error, "the API key needs ROLE_DELETE, as account admins have it"),
        Class::Conflict => with_hint(
            error,
            "role bindings still refer to the role, perhaps in spaces where the API key may not read them \
             (ROLE_BINDING_READ)",
        ),
        Class::Missing => with_hint(error, ROLE_NOT_VISIBLE),
        _ => error,
    })
}

const NAME_TAKEN: &str = "another role of this account has the name";
const ROLE_NOT_VISIBLE: &str = "the role is deleted, or hidden from the API key (ROLE_READ)";

fn permissions(role: &Role) -> Value {
    role.rules.iter().map(|rule| json!(rule.action)).collect()
}

fn answered_role(answer: Answer) -> Result<Observed, Error> {
    map::role(answer.decode()?).ok_or_else(|| answer.undecodable("does not show the role's permissions"))
}

/// Creates a role binding.
pub async fn create_grant(client: &Client, grant: &Grant) -> Result<Observed, Error> {
    let scope = grant.scope.as_ref().ok_or_else(|| Error::mistake("a grant without a scope"))?;
    let resource_type = ids::binding_type(scope)
        .ok_or_else(|| Error::mistake("a grant on something that is neither a space nor a project"))?;
    let body = json!({
        "role_id": existing_role(&grant.role)?.id,
        "user_id": grant.subject.id,
        "resource_type": resource_type,
        "resource_id": scope.id,
    });
    let answer = client.post(wire::Binding::PATH, body).await.map_err(|error| match error.class {
        Class::Denied => with_hint(
            error,
            "the API key needs ROLE_BINDING_CREATE on this space or project; Arize answers the same when that does not \
             exist or belongs to another account",
        ),
        Class::Missing => with_hint(error, "the user or the role is not in this account"),
        Class::Conflict => with_hint(
            error,
            "the user already has a binding on this space or project, with any role; if none is visible, the API key may \
             not read it (ROLE_BINDING_READ)",
        ),
        _ => error,
    })?;
    Ok(map::grant(answer.decode()?, grant))
}

/// Changes the role of a binding, which is the one field that can change. The user has access the whole time (contract 2.2, 4.3).
pub async fn update_grant(
    client: &Client,
    id: &Id,
    before: &Grant,
    after: &Grant,
) -> Result<Observed, Error> {
    if before.subject != after.subject || before.scope != after.scope {
        return Err(Error::mistake("an update of a grant's subject or scope"));
    }
    let body = json!({"role_id": existing_role(&after.role)?.id});
    let answer = client.patch(wire::Binding::PATH, id, body).await.map_err(|error| match error.class {
        Class::Denied | Class::Missing => with_hint(
            error,
            "the binding or the role is deleted, or the API key lacks ROLE_BINDING_CREATE or ROLE_BINDING_DELETE there",
        ),
        _ => error,
    })?;
    Ok(map::grant(answer.decode()?, after))
}

/// Deletes a role binding.
pub async fn delete_grant(client: &Client, id: &Id) -> Result<(), Error> {
    client.delete(wire::Binding::PATH, id).await.map_err(|error| match error.class {
        Class::Denied | Class::Missing => {
            with_hint(error, "the binding is deleted, or the API key lacks ROLE_BINDING_DELETE there")
        }
        _ => error,
    })
}

/// Restricts a resource.
pub async fn create_restriction(client: &Client, restriction: &Restriction) -> Result<Observed, Error> {
    let resource = &restriction.resource;
    let answer = client.post(wire::Restriction::PATH, json!({"resource_id": resource.id})).await;
    let answer = answer.map_err(|error| match error.class {
        Class::Denied | Class::Missing => {
            let needed = restrict_permission(resource);
            with_hint(
                error,
                &format!("it is deleted, or the API key needs {needed} there, as space admins have it"),
            )
        }
        Class::Invalid if resource.level == PROJECT => {
            with_hint(error, "only generative (LLM) projects can be restricted")
        }
        Class::Invalid => {
            with_hint(error, &format!("this server may not support restrictions of a {}", resource.level))
        }
        _ => error,
    })?;
    let (Restricted::Bare(made) | Restricted::Wrapped { resource_restriction: made }) = answer.decode()?;
    Ok(map::restriction(made, restriction))
}

/// Opens a resource again.
pub async fn delete_restriction(client: &Client, id: &Id, before: &Restriction) -> Result<(), Error> {
    client.delete(wire::Restriction::PATH, id).await.map_err(|error| match error.class {
        Class::Denied | Class::Missing => {
            let needed = restrict_permission(&before.resource);
            let hint =
                format!("it is not restricted, or the API key needs {needed} there, as space admins have it");
            with_hint(error, &hint)
        }
        _ => error,
    })
}

fn restrict_permission(resource: &Named) -> &'static str {
    match resource.level {
        DASHBOARD => "DASHBOARD_RESTRICT",
        PROMPT => "PROMPT_RESTRICT",
        _ => "PROJECT_RESTRICT",
    }
}

fn with_hint(error: Error, hint: &str) -> Error {
    Error { message: format!("{}; {hint}", error.message), ..error }
}
