//! Writes: one change, one call, and in the message what Arize's answer may mean beside what it says (contract 2, 4, 6).

use serde_json::{Map, Value, json};

use super::{
    client::Client,
    dialect::{DASHBOARD, PROJECT, PROMPT},
    map,
    wire::{self, Listed, Restricted},
};
use crate::{Class, Error, error::existing, http::Answer};
use rolewright_core::model::{Body, Change, Grant, Id, Kind, Named, Observed, Restriction, Role, Verb};

/// Makes one change.
pub async fn write(client: &Client, change: &Change) -> Result<Option<Observed>, Error> {
    let result = match change {
        Change::Create { after: Body::Role(role), .. } => create_role(client, role).await.map(Some),
        Change::Create { after: after @ Body::Grant(grant), .. } => {
            create_grant(client, grant, after).await.map(Some)
        }
        Change::Create { after: after @ Body::Restriction(restriction), .. } => {
            restrict(client, restriction, after).await.map(Some)
        }
        Change::Create { after: Body::Group(_), .. } => Err(Error::mistake("Arize has no groups")),
        Change::Update { id, before: Body::Role(before), after: Body::Role(after), .. } => {
            update_role(client, id, before, after).await.map(Some)
        }
        Change::Update { id, before: Body::Grant(before), after: after @ Body::Grant(grant), .. } => {
            update_grant(client, id, before, grant, after).await.map(Some)
        }
        Change::Update { .. } => Err(Error::mistake("a thing of this kind cannot be updated into this one")),
        Change::Delete { id, before, .. } => delete(client, id, before.kind()).await.map(|()| None),
    };
    result.map_err(|error| explained(error, change))
}

async fn create_role(client: &Client, role: &Role) -> Result<Observed, Error> {
    let mut body = Map::new();
    body.insert("name".to_owned(), json!(role.name));
    body.insert("permissions".to_owned(), permissions(role));
    if let Some(description) = &role.description {
        body.insert("description".to_owned(), json!(description));
    }
    made_role(client.post(wire::Role::PATH, Value::Object(body)).await?)
}

/// Only what differs: what is not sent stays as it is (contract 2.1).
async fn update_role(client: &Client, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
    let mut body = Map::new();
    if before.name != after.name {
        body.insert("name".to_owned(), json!(after.name));
    }
    if before.description != after.description {
        // Null clears; an empty text may be refused (contract 4).
        body.insert("description".to_owned(), json!(after.description));
    }
    if before.rules != after.rules {
        body.insert("permissions".to_owned(), permissions(after));
    }
    if body.is_empty() {
        return Err(Error::mistake("an update of a role that changes nothing"));
    }
    made_role(client.patch(wire::Role::PATH, id, Value::Object(body)).await?)
}

fn permissions(role: &Role) -> Value {
    role.rules.iter().map(|rule| json!(rule.action)).collect()
}

fn made_role(answer: Answer) -> Result<Observed, Error> {
    map::role(answer.decode()?).ok_or_else(|| answer.undecodable("does not show the role's permissions"))
}

async fn create_grant(client: &Client, grant: &Grant, after: &Body) -> Result<Observed, Error> {
    let scope = grant.scope.as_ref().ok_or_else(|| Error::mistake("a grant without a scope"))?;
    let resource_type = map::binding_type(scope)
        .ok_or_else(|| Error::mistake("a grant on what is neither a space nor a project"))?;
    let body = json!({
        "role_id": existing(&grant.role)?.id,
        "user_id": grant.subject.id,
        "resource_type": resource_type,
        "resource_id": scope.id,
    });
    let answer = client.post(wire::Binding::PATH, body).await?;
    Ok(map::grant(answer.decode()?, after))
}

/// The role is the one thing of a binding that can change, and changes without a moment of no access (contract 2.2).
async fn update_grant(
    client: &Client,
    id: &Id,
    before: &Grant,
    grant: &Grant,
    after: &Body,
) -> Result<Observed, Error> {
    if before.subject != grant.subject || before.scope != grant.scope {
        return Err(Error::mistake("an update of a grant's subject or scope"));
    }
    let body = json!({"role_id": existing(&grant.role)?.id});
    let answer = client.patch(wire::Binding::PATH, id, body).await?;
    Ok(map::grant(answer.decode()?, after))
}

async fn restrict(client: &Client, restriction: &Restriction, after: &Body) -> Result<Observed, Error> {
    let body = json!({"resource_id": restriction.resource.id});
    let answer = client.post(wire::Restriction::PATH, body).await?;
    let (Restricted::Bare(made) | Restricted::Wrapped { resource_restriction: made }) = answer.decode()?;
    Ok(map::restriction(made, after))
}

async fn delete(client: &Client, id: &Id, kind: Kind) -> Result<(), Error> {
    let path = match kind {
        Kind::Role => wire::Role::PATH,
        Kind::Grant => wire::Binding::PATH,
        Kind::Restriction => wire::Restriction::PATH,
        Kind::Group => return Err(Error::mistake("Arize has no groups")),
    };
    client.delete(path, id).await
}

fn explained(mut error: Error, change: &Change) -> Error {
    if let Some(hint) = hint(error.class, change.verb(), change.body()) {
        error.message = format!("{}; {hint}", error.message);
    }
    error
}

/// What an answer may mean, where its own text does not say.
fn hint(class: Class, verb: Verb, body: &Body) -> Option<String> {
    let hint = match (body, verb, class) {
        (Body::Role(_), Verb::Create, Class::Denied) => {
            "the key needs ROLE_CREATE, as account admins have it"
        }
        (Body::Role(_), Verb::Update, Class::Denied) => {
            "the key needs ROLE_UPDATE, as account admins have it"
        }
        (Body::Role(_), Verb::Delete, Class::Denied) => {
            "the key needs ROLE_DELETE, as account admins have it"
        }
        (Body::Role(_), Verb::Create | Verb::Update, Class::Conflict) => {
            "another role of this account has the name"
        }
        (Body::Role(_), Verb::Delete, Class::Conflict) => {
            "role bindings still refer to the role, perhaps in spaces where the key may not read them (ROLE_BINDING_READ)"
        }
        (Body::Role(_), Verb::Update | Verb::Delete, Class::Missing) => {
            "it is gone, or hidden from the key (ROLE_READ)"
        }
        (Body::Grant(_), Verb::Create, Class::Denied) => {
            "the key needs ROLE_BINDING_CREATE on this space or project; Arize answers the same when that does not exist \
             or belongs to another account"
        }
        (Body::Grant(_), Verb::Create, Class::Missing) => "the user or the role is not in this account",
        (Body::Grant(_), Verb::Create, Class::Conflict) => {
            "the user has a binding on this space or project already, with whatever role; where none is seen, the key \
             may not read it (ROLE_BINDING_READ)"
        }
        (Body::Grant(_), Verb::Update, Class::Denied | Class::Missing) => {
            "the binding or the role is gone, or the key lacks ROLE_BINDING_CREATE or ROLE_BINDING_DELETE there"
        }
        (Body::Grant(_), Verb::Delete, Class::Denied | Class::Missing) => {
            "the binding is gone, or the key lacks ROLE_BINDING_DELETE there"
        }
        (Body::Restriction(it), Verb::Create, Class::Denied | Class::Missing) => {
            let needed = restrict_permission(&it.resource);
            return Some(format!("it is gone, or the key needs {needed} there, as space admins have it"));
        }
        (Body::Restriction(it), Verb::Create, Class::Invalid) if it.resource.level == PROJECT => {
            "only generative (LLM) projects can be restricted"
        }
        (Body::Restriction(it), Verb::Create, Class::Invalid) => {
            return Some(format!("this server may not know restrictions of a {}", it.resource.level));
        }
        (Body::Restriction(it), Verb::Delete, Class::Denied | Class::Missing) => {
            let needed = restrict_permission(&it.resource);
            return Some(format!(
                "it is not restricted, or the key needs {needed} there, as space admins have it"
            ));
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn restrict_permission(resource: &Named) -> &'static str {
    match resource.level.as_str() {
        DASHBOARD => "DASHBOARD_RESTRICT",
        PROMPT => "PROMPT_RESTRICT",
        _ => "PROJECT_RESTRICT",
    }
}
