//! Assignments: one call each, with everything in the query. A success is a 200 (contract 2.2).

use super::super::{
    client::Client,
    ids::{GrantId, Principal},
    map, people, read,
};
use crate::{Class, Error, error::existing_role};
use rolewright_core::model::{Grant, Observed};

/// Creates an assignment.
pub async fn create(client: &Client, grant: &Grant) -> Result<Observed, Error> {
    let id = grant_id(grant)?;
    let principal = people::current(client, &id).await?;
    match client.assign(&id.role, &id.scope, &principal).await {
        Ok(()) => Ok(created(&id, grant)),
        // Older servers have invitations, but cannot assign roles to them (contract 2.2).
        Err(error) if matches!(principal, Principal::Invitation { .. }) && is_refusal(error.class) => {
            let message = format!(
                "{}; nobody has accepted the invitation yet, and this control plane may not assign roles to invitations: {} has to \
                 sign in first",
                error.message, grant.subject.name
            );
            Err(Error::new(Class::Missing, message))
        }
        Err(mut error) => {
            if error.class == Class::Missing {
                error.message.push_str(
                    "; the role, the subject or the scope is not in this organization, or not visible to the credential",
                );
            }
            Err(error)
        }
    }
}

/// Deletes an assignment. One that does not exist any more is a success.
pub async fn delete(client: &Client, grant: &Grant) -> Result<(), Error> {
    let id = grant_id(grant)?;
    let principal = people::current(client, &id).await?;
    client.learn_from(&id).await;
    let error = match client.unassign(&id.role, &id.scope, &principal).await {
        Err(error) if error.class == Class::Missing => error,
        done => return done,
    };
    // Deleted or hidden: the list of assignments shows which, if it is visible.
    match client.assignments(&id.role, &id.scope).await? {
        Some(_) if read::find_grant(client, grant).await?.is_none() => Ok(()),
        _ => Err(error),
    }
}

fn is_refusal(class: Class) -> bool {
    matches!(class, Class::Invalid | Class::Missing | Class::Unsupported)
}

fn grant_id(grant: &Grant) -> Result<GrantId, Error> {
    existing_role(&grant.role)?;
    GrantId::of_grant(grant).ok_or_else(|| Error::mistake("a grant with an id that is not ZenML's"))
}

/// The grant as a sweep shows it. The answer says no more.
fn created(id: &GrantId, grant: &Grant) -> Observed {
    let role = grant.role.existing().cloned().unwrap_or_else(|| map::unnamed(id).0);
    map::grant(role, &id.scope, grant.scope.clone(), grant.subject.clone())
}
