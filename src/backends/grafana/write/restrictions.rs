//! Defaults of resources, taken away and given back. The call is a patch: whoever it does not name keeps what they have (contract 2.5).

use super::super::{client::Client, ids::Resource, resources};
use crate::{
    access::{Body, Observed, Restriction},
    backends::{Class, Error},
};

/// Brings the defaults of a resource from what they were to what they are to be.
pub async fn update(client: &Client, before: &Restriction, after: &Restriction) -> Result<Observed, Error> {
    let named = &after.resource;
    let Some(resource) = Resource::of(&named.id) else {
        return Err(Error::mistake("a restriction of what is no resource"));
    };
    let gone = before.open.keys().filter(|role| !after.open.contains_key(*role));
    let given = after.open.iter().filter(|(role, permission)| before.open.get(*role) != Some(permission));
    let permissions: Vec<(&str, &str)> = gone
        .map(|role| (role.as_str(), ""))
        .chain(given.map(|(role, permission)| (role.as_str(), permission.as_str())))
        .collect();
    client.permit(&resource, &permissions).await?;
    // The answer says only that it was done.
    let seen = match resources::restriction(client, named.clone()).await {
        Ok(Some(seen)) => seen,
        Ok(None) => return Err(Error::new(Class::Lost, "what was written cannot be read back")),
        Err(error) => return Err(Error::new(Class::Lost, error.message)),
    };
    match &seen.body {
        Body::Restriction(now) if now.open == after.open => Ok(seen),
        _ => Err(Error::new(
            Class::Conflict,
            format!(
                "Grafana answered that the permissions of {} {} were changed, and shows others: {}",
                named.level,
                named.name,
                seen.body.difference(&Body::Restriction(after.clone())).join(", ")
            ),
        )),
    }
}
