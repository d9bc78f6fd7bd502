//! Defaults of resources, taken away and given back, one built-in role a call: whoever else has permissions there keeps them. The call that
//! takes several at once is a patch on most servers and replaces everything on newer ones (contract 2.5).

use super::super::{client::Client, ids::Resource, resources};
use crate::{Class, Error};
use rolewright_core::model::{Body, Observed, Restriction};

/// Brings the defaults of a resource from what they were to what they are to be.
///
/// # Errors
/// [`Class::Lost`] once anything was changed: what is there then has to be looked at.
pub async fn update(client: &Client, before: &Restriction, after: &Restriction) -> Result<Observed, Error> {
    let named = &after.resource;
    let Some(resource) = Resource::of(&named.id) else {
        return Err(Error::mistake("a restriction of what is no resource"));
    };
    let gone = before.open.keys().filter(|role| !after.open.contains_key(*role)).map(|role| (role, ""));
    let given = after.open.iter().filter(|(role, permission)| before.open.get(*role) != Some(permission));
    let given = given.map(|(role, permission)| (role, permission.as_str()));
    for (index, (role, permission)) in gone.chain(given).enumerate() {
        match client.permit(&resource, role, permission).await {
            Err(error) if index > 0 => return Err(Error::new(Class::Lost, error.message)),
            done => done?,
        }
    }
    // The answers say only that it was done.
    let seen = match resources::restriction(client, named.clone()).await {
        Ok(Some(seen)) => seen,
        Ok(None) => return Err(Error::new(Class::Lost, "what was written cannot be read back")),
        Err(error) => return Err(Error::new(Class::Lost, error.message)),
    };
    match &seen.body {
        Body::Restriction(now) if now.open == after.open => Ok(seen),
        _ => Err(Error::new(
            Class::Lost,
            format!(
                "Grafana answered that the permissions of {} {} were changed, and shows others: {}",
                named.level,
                named.name,
                seen.body.difference(&Body::Restriction(after.clone())).join(", ")
            ),
        )),
    }
}
