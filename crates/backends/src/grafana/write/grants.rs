//! Grants: one role assigned to one principal, or taken from it. Neither call changes other assignments (contract 2.3, 2.4, 3.9).

use super::{
    super::{
        client::Client,
        dialect::GrafanaDialect,
        ids::{self, Endpoints, Principal},
        read,
    },
    denied,
};
use crate::{Class, Error, error::existing_role};
use rolewright_core::model::{Body, Grant, IdentityRules, Named, Observed, SubjectKind};

/// Assigns a role.
pub async fn create(client: &Client, grant: &Grant) -> Result<Observed, Error> {
    let (principal, role) = parts(grant)?;
    if *grant.subject.name == *grant.subject.id.as_str() {
        require_kind(client, principal).await?;
    }
    let Err(error) = client.assign(principal, &role.id).await else { return Ok(observed(grant, role)) };
    // Some servers refuse an existing assignment (contract 3.9).
    if error.class.is_objection() {
        return match read::find_grant(client, grant).await {
            Ok(Some(_)) => Ok(observed(grant, role)),
            _ => Err(error),
        };
    }
    let mut error = denied::explained_by_role(client, client.confirmed(error).await, &role.id).await;
    if error.class == Class::Missing {
        error.message.push_str("; the role or the principal is not in this organization");
    }
    Err(error)
}

/// Takes a role away. An assignment that does not exist is a success.
pub async fn delete(client: &Client, grant: &Grant) -> Result<(), Error> {
    let (principal, role) = parts(grant)?;
    let Err(error) = client.unassign(principal, &role.id).await else { return Ok(()) };
    match error.class {
        Class::Missing => client.confirm_missing(&error).await?,
        // It is not documented which status means that the assignment does not exist (contract 3.9).
        class if class.is_objection() => {}
        _ => return Err(denied::explained_by_role(client, error, &role.id).await),
    }
    match read::find_grant(client, grant).await? {
        None => Ok(()),
        Some(_) if error.class != Class::Missing => Err(error),
        Some(_) => Err(Error::new(
            Class::Missing,
            format!(
                "{}, but the assignment is visible, so it is one for all organizations: remove it in Grafana, because \
                 Rolewright does not",
                error.message
            ),
        )),
    }
}

/// Checks the kind of a principal that only its number names. Users and service accounts share their numbers: with the wrong kind, one
/// assignment would be two grants.
async fn require_kind(client: &Client, principal: Principal) -> Result<(), Error> {
    let Principal { kind, number } = principal;
    if principal.endpoints() == Endpoints::Teams {
        return Ok(());
    }
    let is_account = client.is_service_account(number).await.map_err(|error| {
        let why = &error.message;
        let message = format!("it is unknown whether id:{number} is a user or a service account: {why}");
        Error { message, ..error }
    })?;
    let message = match (kind, is_account) {
        (SubjectKind::ServiceAccount, true) | (SubjectKind::User, false) => return Ok(()),
        (_, true) => format!("id:{number} is a service account: write it with kind: ServiceAccount"),
        (_, false) => format!("no service account has the id:{number}; write a user with kind: User"),
    };
    Err(Error::new(Class::Invalid, message))
}

fn parts(grant: &Grant) -> Result<(Principal, &Named), Error> {
    if grant.scope.is_some() {
        return Err(Error::mistake("a grant with a scope"));
    }
    let principal = Principal::of(&grant.subject.id)
        .ok_or_else(|| Error::mistake("a grant whose subject is not a principal"))?;
    Ok((principal, existing_role(&grant.role)?))
}

fn observed(grant: &Grant, role: &Named) -> Observed {
    let body = Body::Grant(grant.clone());
    Observed::new(ids::grant(&grant.subject.id, &role.id), GrafanaDialect.key(&body), body)
}
