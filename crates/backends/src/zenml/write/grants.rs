//! Grants: one call each, all of it in the query; success is a 200 (contract 2.2).

use super::super::{
    client::Client,
    ids::{GrantId, Principal},
    map, people, read,
};
use crate::{Class, Error, error::existing};
use rolewright_core::model::{Grant, Observed};

/// Gives a role.
pub async fn create(client: &Client, grant: &Grant) -> Result<Observed, Error> {
    let id = parts(grant)?;
    let principal = people::now(client, &id).await?;
    match client.assign(&id.role, &id.scope, &principal).await {
        Ok(()) => Ok(made(&id, grant)),
        // Older servers know invitations and give them no roles (contract 2.2).
        Err(error) if matches!(principal, Principal::Invitation { .. }) && is_refusal(error.class) => {
            let message = format!(
                "{}; the role is given to an invitation that nobody has accepted, which this control plane may not know how to do: \
                 {} has to sign in first",
                error.message, grant.subject.name
            );
            Err(Error::new(Class::Missing, message))
        }
        Err(mut error) => {
            if error.class == Class::Missing {
                error.message.push_str(
                    "; the role, the one it is to be given to, or the scope is not in this organization, or the credential may not see it",
                );
            }
            Err(error)
        }
    }
}

/// Takes a role. What is not held any more is done.
pub async fn delete(client: &Client, grant: &Grant) -> Result<(), Error> {
    let id = parts(grant)?;
    let principal = people::now(client, &id).await?;
    client.learn_by(&id).await;
    let error = match client.unassign(&id.role, &id.scope, &principal).await {
        Err(error) if error.class == Class::Missing => error,
        done => return done,
    };
    // Gone or hidden: who holds the role says which, as long as that is told.
    match client.assignments(&id.role, &id.scope).await? {
        Some(_) if read::grant_of(client, grant).await?.is_none() => Ok(()),
        _ => Err(error),
    }
}

fn is_refusal(class: Class) -> bool {
    matches!(class, Class::Invalid | Class::Missing | Class::Unsupported)
}

fn parts(grant: &Grant) -> Result<GrantId, Error> {
    existing(&grant.role)?;
    GrantId::of_grant(grant).ok_or_else(|| Error::mistake("a grant of or for what is no id of ZenML"))
}

/// As a sweep shows it. The answer says no more.
fn made(id: &GrantId, grant: &Grant) -> Observed {
    let role = grant.role.existing().cloned().unwrap_or_else(|| map::unnamed(id).0);
    map::grant(role, &id.scope, grant.scope.clone(), grant.subject.clone())
}
