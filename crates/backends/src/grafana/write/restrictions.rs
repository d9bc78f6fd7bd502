//! Default permissions of resources, taken away or given back with one call for each built-in role, so that all other permissions stay. The
//! call that changes several at once is a patch on most servers and a replacement on newer ones (contract 2.5).

use super::super::{
    client::Client,
    ids::Resource,
    resources::{self, State},
};
use crate::{Class, Error};
use rolewright_core::model::{Body, Observed, Restriction};

/// Changes the default permissions of a resource from `before` to `after`.
///
/// # Errors
/// [`Class::Lost`] after the first successful call: the caller has to look at the result.
pub async fn update(client: &Client, before: &Restriction, after: &Restriction) -> Result<Observed, Error> {
    let named = &after.resource;
    let Some(resource) = Resource::of(&named.id) else {
        return Err(Error::mistake("a restriction of something that is not a resource"));
    };
    let removed = before.open.keys().filter(|role| !after.open.contains_key(*role)).map(|role| (role, ""));
    let given = after.open.iter().filter(|(role, permission)| before.open.get(*role) != Some(permission));
    let given = given.map(|(role, permission)| (role, permission.as_str()));
    for (index, (role, permission)) in removed.chain(given).enumerate() {
        match client.permit(&resource, role, permission).await {
            Err(error) if index > 0 => return Err(Error::new(Class::Lost, error.message)),
            done => done?,
        }
    }
    // The answers do not show the permissions. The caller has just read them, so the resource exists.
    let seen = match resources::state(client, named.clone(), true).await {
        Ok(State::Read(seen)) => *seen,
        Ok(State::WithoutPermissions | State::Missing) => {
            return Err(Error::new(Class::Lost, "the written permissions cannot be read back"));
        }
        Err(error) => return Err(Error::new(Class::Lost, error.message)),
    };
    match &seen.body {
        Body::Restriction(now) if now.open == after.open => Ok(seen),
        _ => Err(Error::new(
            Class::Lost,
            format!(
                "Grafana reported success for the permissions of {} {}, but shows others: {}",
                named.level,
                named.name,
                seen.body.difference(&Body::Restriction(after.clone())).join(", ")
            ),
        )),
    }
}
