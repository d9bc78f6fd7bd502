//! Assignments: one call each, with everything in the query. A success is a 200 (contract 2.2).

use reqwest::Method;
use serde_json::Value;

use super::super::{
    client::Client,
    ids::{GrantId, Principal},
    map, people,
    read::is_assignment_of,
};
use crate::{Class, Error, error::existing_role, http::Answer};
use rolewright_core::model::{Grant, Observed};

/// Creates an assignment.
pub async fn create(client: &Client, grant: &Grant) -> Result<Observed, Error> {
    let id = grant_id(grant)?;
    let principal = people::current(client, &id).await?;
    let made = client.assign(Method::POST, &id.role, &id.scope, &principal).await;
    let Err(mut error) =
        made.and_then(|answer| confirm(&answer, &GrantId { principal: principal.clone(), ..id.clone() }))
    else {
        let role = existing_role(&grant.role)?.clone();
        return Ok(map::grant(role, &id.scope, grant.scope.clone(), grant.subject.clone()));
    };
    match (&principal, error.class) {
        // Older servers have invitations, but cannot assign roles to them (contract 2.2).
        (Principal::Invitation { .. }, Class::Invalid | Class::Missing | Class::Unsupported) => {
            error.class = Class::Missing;
            error.message.push_str(&format!(
                "; nobody has accepted the invitation yet, and this control plane may not assign roles to invitations: {} has to \
                 sign in first",
                grant.subject.name
            ));
        }
        (_, Class::Missing) => error.message.push_str(
            "; the role, the subject or the scope is not in this organization, or not visible to the credential",
        ),
        _ => {}
    }
    Err(error)
}

/// Deletes an assignment. One that does not exist any more is [`Class::Missing`]: it can also be hidden, and only a snapshot shows which.
pub async fn delete(client: &Client, grant: &Grant) -> Result<(), Error> {
    let id = grant_id(grant)?;
    let principal = people::current(client, &id).await?;
    // The answer is JSON of any content: anything else is not the control plane's (contract 2.1).
    let answer = client.assign(Method::DELETE, &id.role, &id.scope, &principal).await?;
    answer.decode::<Value>().map(drop)
}

/// Checks that the answer shows the assignment that was requested: a proxy can answer as well, and a server can ignore a scope.
fn confirm(answer: &Answer, id: &GrantId) -> Result<(), Error> {
    if is_assignment_of(&answer.decode()?, id) {
        return Ok(());
    }
    Err(answer.undecodable("shows another assignment than the requested one"))
}

fn grant_id(grant: &Grant) -> Result<GrantId, Error> {
    existing_role(&grant.role)?;
    GrantId::of_grant(grant).ok_or_else(|| Error::mistake("a grant with an id that is not ZenML's"))
}
