//! Grants: one role given to one principal, or taken from it. Neither touches what others assigned (contract 2.3, 2.4, 3.9).

use super::{
    super::{
        client::Client,
        dialect::{GrafanaDialect, reserved_name, reserved_uid},
        ids::{self, Principal},
        read,
    },
    denied, untouchable,
};
use crate::{Class, Error, error::existing};
use rolewright_core::model::{Body, Dialect, Grant, Named, Observed};

/// Gives a role.
pub async fn create(client: &Client, grant: &Grant, after: &Body) -> Result<Observed, Error> {
    let (principal, role) = parts(grant)?;
    let Err(error) = client.assign(principal, &role.id).await else { return Ok(made(grant, role, after)) };
    // Some servers refuse what is given already (contract 3.9).
    if error.class.is_objection() {
        return match read::grant_of(client, grant).await {
            Ok(Some(_)) => Ok(made(grant, role, after)),
            _ => Err(error),
        };
    }
    let mut error = denied::explained_by_role(client, client.sure(error).await, &role.id).await;
    if error.class == Class::Missing {
        error.message.push_str("; the role, or the one it is to be given to, is not in this organization");
    }
    Err(error)
}

/// Takes a role. What is not held any more is done.
pub async fn delete(client: &Client, grant: &Grant) -> Result<(), Error> {
    let (principal, role) = parts(grant)?;
    let Err(error) = client.unassign(principal, &role.id).await else { return Ok(()) };
    match error.class {
        Class::Missing => client.is_missing(&error).await?,
        // Which status says that it is not held is not documented (contract 3.9).
        class if class.is_objection() => {}
        _ => return Err(denied::explained_by_role(client, error, &role.id).await),
    }
    match read::grant_of(client, grant).await? {
        None => Ok(()),
        Some(_) if error.class != Class::Missing => Err(error),
        Some(_) => Err(Error::new(
            Class::Missing,
            format!(
                "{}, and yet it is held: it may have been given for all organizations at once",
                error.message
            ),
        )),
    }
}

fn parts(grant: &Grant) -> Result<(Principal, &Named), Error> {
    if grant.scope.is_some() {
        return Err(Error::mistake("a grant with a scope"));
    }
    let principal = Principal::of(&grant.subject.id)
        .ok_or_else(|| Error::mistake("a grant for an id that is nobody's"))?;
    let role = existing(&grant.role)?;
    // The call would be answered as if it were done (contract 3.9).
    let kind = reserved_name(&role.name).or_else(|| reserved_uid(role.id.as_str()));
    untouchable(&role.name, kind.filter(|kind| !kind.grantable()))?;
    Ok((principal, role))
}

fn made(grant: &Grant, role: &Named, after: &Body) -> Observed {
    Observed::new(ids::grant(&grant.subject.id, &role.id), GrafanaDialect.key(after), after.clone())
}
