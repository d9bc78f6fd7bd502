//! Single questions: who the key is, what a name means, what one thing says now.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    client::Client,
    dialect::{ArizeDialect, ORGANIZATION, PROJECT, SERVICE_ACCOUNT, SPACE, USER},
    map::{self, Names, NoNames},
    wire::{ApiKey, Binding, Organization, Project, Restriction, Role, Space, User},
};
use crate::{Class, Error, Identity, reading::found};
use rolewright_core::model::{Body, Dialect, Entry, Grant, Id, Kind, Observed, ROLE};

/// Enough to tell accounts apart, few enough for a probe.
const PROBE_PAGES: usize = 10;

/// What the key sees: Arize has no call that says who it is. An organization belongs to one account only, so its id is an
/// anchor. A key that may list only one of the two is still a key.
pub async fn probe(client: &Client) -> Result<Identity, Error> {
    let organizations = client.list::<Organization>(&[]).first(PROBE_PAGES).await;
    // A dead key is tried for as long as it stays: that costs one call each time, not two.
    if let Err(error) = &organizations
        && error.class == Class::Unauthenticated
    {
        return Err(error.clone());
    }
    let spaces = client.list::<Space>(&[]).first(PROBE_PAGES).await;
    let ((organizations, all_organizations), (spaces, all_spaces)) = match (organizations, spaces) {
        (Ok(organizations), Ok(spaces)) => (organizations, spaces),
        (Ok(organizations), Err(error)) if error.class.is_withheld() => (organizations, (Vec::new(), true)),
        (Err(error), Ok(spaces)) if error.class.is_withheld() => ((Vec::new(), true), spaces),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => return Err(error),
        (Err(first), Err(second)) => {
            return Err(if second.class == Class::Unauthenticated { second } else { first });
        }
    };
    let mut anchors: BTreeSet<String> =
        spaces.iter().filter_map(|space| space.organization_id.clone()).filter(|id| !id.is_empty()).collect();
    anchors.extend(organizations.iter().map(|organization| organization.id.clone()));
    let description = format!(
        "a key that sees {} and {}",
        count(anchors.len(), "organization", all_organizations),
        count(spaces.len(), "space", all_spaces)
    );
    Ok(Identity { description, anchors, lacks: BTreeMap::new(), expires: None })
}

fn count(number: usize, noun: &str, all: bool) -> String {
    let more = if all { "" } else { "more than " };
    let plural = if number == 1 { "" } else { "s" };
    format!("{more}{number} {noun}{plural}")
}

/// What a name or an id means at a level, inside a parent where one is given. Filters of Arize find parts of names, so what
/// they find is compared (contract 6.8).
pub async fn look_up(
    client: &Client,
    level: &str,
    name: &str,
    parent: Option<&Id>,
) -> Result<Vec<Entry>, Error> {
    let entries = match (level, ArizeDialect.id_of(level, name).is_some()) {
        (ROLE | USER | ORGANIZATION | SPACE | PROJECT, true) => by_id(client, level, &Id::new(name)).await?,
        _ => match by_name(client, level, name, parent).await {
            // A parent that is missing or hidden makes the list missing (contract 2.5).
            Err(error) if error.class == Class::Missing && parent.is_some() => Vec::new(),
            entries => entries?,
        },
    };
    let inside = |entry: &Entry| parent.is_none_or(|parent| entry.parent.as_ref() == Some(parent));
    let is_it = |entry: &Entry| match level {
        USER => entry.named.name.to_lowercase() == name.to_lowercase(),
        _ => entry.named.name == name,
    };
    Ok(entries
        .into_iter()
        .filter(|entry| entry.named.id.as_str() == name || is_it(entry))
        .filter(inside)
        .collect())
}

async fn by_id(client: &Client, level: &str, id: &Id) -> Result<Vec<Entry>, Error> {
    let entry = match level {
        ROLE => client.get::<Role>(id).await?.map(|it| map::entry(level, it.id, Some(it.name), None)),
        USER => client.get::<User>(id).await?.map(|it| map::entry(level, it.id, it.email, None)),
        ORGANIZATION => {
            client.get::<Organization>(id).await?.map(|it| map::entry(level, it.id, it.name, None))
        }
        SPACE => {
            client.get::<Space>(id).await?.map(|it| map::entry(level, it.id, it.name, it.organization_id))
        }
        _ => client.get::<Project>(id).await?.map(|it| map::entry(level, it.id, it.name, it.space_id)),
    };
    Ok(entry.into_iter().collect())
}

async fn by_name(client: &Client, level: &str, name: &str, parent: Option<&Id>) -> Result<Vec<Entry>, Error> {
    let mut filters = vec![(if level == USER { "email" } else { "name" }, name)];
    let parent_filter = if level == SPACE { "org_id" } else { "space_id" };
    filters.extend(parent.map(|parent| (parent_filter, parent.as_str())));
    Ok(match level {
        USER => entries(client.list::<User>(&filters[..1]).all().await?, |it| {
            map::entry(level, it.id, it.email, None)
        }),
        ORGANIZATION => {
            let found = client.list::<Organization>(&filters[..1]).all().await?;
            entries(found, |it| map::entry(level, it.id, it.name, None))
        }
        SPACE => {
            let found = client.list::<Space>(&filters).all().await?;
            // Older servers filter by organization and do not show it (contract 2.5).
            let organization = |known: Option<String>| known.or_else(|| parent.map(Id::to_string));
            entries(found, |it| map::entry(level, it.id, it.name, organization(it.organization_id)))
        }
        PROJECT => {
            let found = client.list::<Project>(&filters).all().await?;
            entries(found, |it| map::entry(level, it.id, it.name, it.space_id))
        }
        ROLE => {
            entries(client.list::<Role>(&[]).all().await?, |it| map::entry(level, it.id, Some(it.name), None))
        }
        SERVICE_ACCOUNT => {
            let keys = client.list::<ApiKey>(&[("key_type", "SERVICE")]).all().await?;
            keys.into_iter().filter_map(map::service_account).collect()
        }
        _ => return Err(Error::new(Class::Invalid, format!("Arize cannot look up a {level} by name"))),
    })
}

fn entries<T>(items: Vec<T>, entry: impl Fn(T) -> Entry) -> Vec<Entry> {
    items.into_iter().map(entry).collect()
}

/// One thing by its id. Names of what it speaks of are not known here, so they are ids.
pub async fn read(client: &Client, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
    match kind {
        Kind::Role => client.get::<Role>(id).await?.map(shown).transpose(),
        Kind::Grant => Ok(client.get::<Binding>(id).await?.map(|binding| map::grant(binding, &NoNames))),
        Kind::Restriction => restriction(client, id, ArizeDialect.level_of(id), &NoNames).await,
        Kind::Group => Err(Error::mistake("Arize has no groups")),
    }
}

/// The thing of a body's natural key.
pub async fn find(client: &Client, body: &Body) -> Result<Option<Observed>, Error> {
    match body {
        Body::Role(wanted) => {
            client.list::<Role>(&[]).find(|role| role.name == wanted.name).await?.map(shown).transpose()
        }
        Body::Grant(wanted) => {
            let found = grant(client, wanted).await?;
            Ok(found.map(|binding| map::grant(binding, body)))
        }
        Body::Restriction(wanted) => {
            restriction(client, &wanted.resource.id, Some(&wanted.resource.level), body).await
        }
        Body::Group(_) => Err(Error::mistake("Arize has no groups")),
    }
}

async fn grant(client: &Client, wanted: &Grant) -> Result<Option<Binding>, Error> {
    let Some((scope, binding_type)) =
        wanted.scope.as_ref().and_then(|scope| Some((scope, map::binding_type(scope)?)))
    else {
        return Err(Error::new(Class::Invalid, "on Arize, a grant lies on a space or a project"));
    };
    let filters = [("resource_type", binding_type), ("user_id", wanted.subject.id.as_str())];
    let list = client.list::<Binding>(&filters);
    // Not found is what is answered for a user who is not, or no longer, one of the account's (contract 2.2).
    found(list.find(|binding| binding.resource_id == scope.id.as_str()).await).map(Option::flatten)
}

async fn restriction(
    client: &Client,
    id: &Id,
    level: Option<&str>,
    names: &impl Names,
) -> Result<Option<Observed>, Error> {
    let resource_type = level.map(map::type_of_level);
    let filters: Vec<(&str, &str)> =
        resource_type.iter().map(|resource_type| ("resource_type", resource_type.as_str())).collect();
    let found = client.list::<Restriction>(&filters).find(|it| it.resource_id == id.as_str()).await?;
    Ok(found.map(|found| map::restriction(found, names)))
}

fn shown(role: Role) -> Result<Observed, Error> {
    let id = role.id.clone();
    map::role(role).ok_or_else(|| {
        Error::new(
            Class::Transient,
            format!("GET /v2/roles answered with a role that does not show its permissions: {id}"),
        )
    })
}
