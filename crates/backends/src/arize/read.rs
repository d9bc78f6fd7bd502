//! Single reads: who the credential is, what a name means, and the state of one thing.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    client::Client,
    ids::{self, ORGANIZATION, PROJECT, SPACE},
    map::{self, Names, NoNames},
    visibility,
    wire::{self, ApiKey, Binding, Organization, Project, Space, User},
};
use crate::{
    Class, Error, Identity,
    reading::{found, no_look_up},
};
use rolewright_core::model::{Entry, Grant, Id, Level, Observed, Restriction, Role, same_name};

/// Enough pages to identify an account, few enough for a probe.
const PROBE_PAGES: usize = 10;

/// What the API key can see, because Arize has no call that shows who it is. An organization belongs to one account only, so its id is
/// an anchor. A key that can list only organizations or only spaces is accepted.
pub async fn probe(client: &Client) -> Result<Identity, Error> {
    let organizations = client.list::<Organization>(&[]).first(PROBE_PAGES).await;
    // A probe with a revoked key is repeated for as long as the Secret has it: it costs one call, not two.
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
    let (whose, unknown) = match visibility::is_proven_admin(client).await? {
        true => ("an account admin's API key", ""),
        false => (
            "an API key",
            "; it cannot read the audit log, so it is unknown whether it is an account admin's",
        ),
    };
    let description = format!(
        "{whose} that sees {} and {}{unknown}",
        count(anchors.len(), "organization", all_organizations),
        count(spaces.len(), "space", all_spaces)
    );
    // No answer shows whose the key is.
    Ok(Identity { description, anchors, lacks: BTreeMap::new(), own: BTreeSet::new(), expires: None })
}

fn count(number: usize, noun: &str, all: bool) -> String {
    let more = if all { "" } else { "more than " };
    let plural = if number == 1 { "" } else { "s" };
    format!("{more}{number} {noun}{plural}")
}

/// What a name or an id means at a level, inside a parent if one is set. Arize's filters match parts of names, so the results are
/// compared (contract 6.8).
pub async fn look_up(
    client: &Client,
    level: Level,
    name: &str,
    parent: Option<&Id>,
) -> Result<Vec<Entry>, Error> {
    let entries = match (level, ids::of_text(name)) {
        (Level::ROLE | Level::USER | ORGANIZATION | SPACE | PROJECT, Some(id)) => {
            by_id(client, level, &id).await?
        }
        _ => match by_name(client, level, name, parent).await {
            // A list inside a parent that is deleted or hidden is a 404 (contract 2.5).
            Err(error) if error.class == Class::Missing && parent.is_some() => Vec::new(),
            entries => entries?,
        },
    };
    let inside = |entry: &Entry| parent.is_none_or(|parent| entry.parent.as_ref() == Some(parent));
    let has_name = |entry: &Entry| same_name(level, &entry.named.name, name);
    Ok(entries
        .into_iter()
        .filter(|entry| entry.named.id.as_str() == name || has_name(entry))
        .filter(inside)
        .collect())
}

async fn by_id(client: &Client, level: Level, id: &Id) -> Result<Vec<Entry>, Error> {
    let entry = match level {
        Level::ROLE => {
            client.get::<wire::Role>(id).await?.map(|it| map::entry(level, it.id, Some(it.name), None))
        }
        Level::USER => client.get::<User>(id).await?.map(|it| map::entry(level, it.id, it.email, None)),
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

async fn by_name(
    client: &Client,
    level: Level,
    name: &str,
    parent: Option<&Id>,
) -> Result<Vec<Entry>, Error> {
    // A filter takes so many characters, and matches a part of the name (contract 2.4, 2.5).
    const MAX_FILTER: usize = 255;
    let part = name.char_indices().nth(MAX_FILTER).map_or(name, |(end, _)| &name[..end]);
    let mut filters = vec![(if level == Level::USER { "email" } else { "name" }, part)];
    let parent_filter = if level == SPACE { "org_id" } else { "space_id" };
    filters.extend(parent.map(|parent| (parent_filter, parent.as_str())));
    Ok(match level {
        Level::USER => entries(client.list::<User>(&filters[..1]).all().await?, |it| {
            map::entry(level, it.id, it.email, None)
        }),
        ORGANIZATION => {
            let found = client.list::<Organization>(&filters[..1]).all().await?;
            entries(found, |it| map::entry(level, it.id, it.name, None))
        }
        SPACE => {
            let found = client.list::<Space>(&filters).all().await?;
            // Older servers filter by organization but do not show it (contract 2.5).
            let organization = |known: Option<String>| known.or_else(|| parent.map(Id::to_string));
            entries(found, |it| map::entry(level, it.id, it.name, organization(it.organization_id)))
        }
        PROJECT => {
            let found = client.list::<Project>(&filters).all().await?;
            entries(found, |it| map::entry(level, it.id, it.name, it.space_id))
        }
        Level::ROLE => entries(client.list::<wire::Role>(&[]).all().await?, |it| {
            map::entry(level, it.id, Some(it.name), None)
        }),
        Level::SERVICE_ACCOUNT => {
            let keys = client.list::<ApiKey>(&[("key_type", "SERVICE")]).all().await?;
            keys.into_iter().filter_map(map::service_account).collect()
        }
        _ => return Err(no_look_up("Arize", level)),
    })
}

fn entries<T>(items: Vec<T>, entry: impl Fn(T) -> Entry) -> Vec<Entry> {
    items.into_iter().map(entry).collect()
}

/// One role by its id.
pub async fn role(client: &Client, id: &Id) -> Result<Option<Observed>, Error> {
    client.get::<wire::Role>(id).await?.map(with_permissions).transpose()
}

/// One grant by its id, with ids in the place of names.
pub async fn grant(client: &Client, id: &Id) -> Result<Option<Observed>, Error> {
    Ok(client.get::<Binding>(id).await?.map(|binding| map::grant(binding, &NoNames)))
}

/// One restriction by the id of its resource.
pub async fn restriction(client: &Client, id: &Id) -> Result<Option<Observed>, Error> {
    listed_restriction(client, id, ids::level_of(id), &NoNames).await
}

/// The role with a name. The list has no filter by name (contract 2.1).
pub async fn find_role(client: &Client, desired: &Role) -> Result<Option<Observed>, Error> {
    let found = client.list::<wire::Role>(&[]).find(|role| role.name == desired.name).await?;
    found.map(with_permissions).transpose()
}

/// The grant of a user on a resource, whatever its role.
pub async fn find_grant(client: &Client, desired: &Grant) -> Result<Option<Observed>, Error> {
    let on_scope = desired.scope.as_ref().and_then(|scope| Some((scope, ids::binding_type(scope)?)));
    let Some((scope, binding_type)) = on_scope else {
        return Err(Error::new(Class::Invalid, "on Arize, a grant applies to a space or a project"));
    };
    let filters = [("resource_type", binding_type), ("user_id", desired.subject.id.as_str())];
    let list = client.list::<Binding>(&filters);
    // A 404 means that the user is not, or no longer, in the account (contract 2.2).
    let binding = found(list.find(|binding| binding.resource_id == scope.id.as_str()).await)?.flatten();
    Ok(binding.map(|binding| map::grant(binding, desired)))
}

/// The restriction of a resource.
pub async fn find_restriction(client: &Client, desired: &Restriction) -> Result<Option<Observed>, Error> {
    let resource = &desired.resource;
    listed_restriction(client, &resource.id, Some(resource.level), desired).await
}

/// Only the list shows whether a restriction exists (contract 2.3).
async fn listed_restriction(
    client: &Client,
    id: &Id,
    level: Option<Level>,
    names: &impl Names,
) -> Result<Option<Observed>, Error> {
    let resource_type = level.map(ids::type_of);
    let filters: Vec<(&str, &str)> =
        resource_type.iter().map(|resource_type| ("resource_type", resource_type.as_str())).collect();
    let found = client.list::<wire::Restriction>(&filters).find(|it| it.resource_id == id.as_str()).await?;
    Ok(found.map(|found| map::restriction(found, names)))
}

/// A role that was read.
///
/// # Errors
/// The answer omits its permissions.
pub fn with_permissions(role: wire::Role) -> Result<Observed, Error> {
    let id = role.id.clone();
    map::role(role).ok_or_else(|| {
        let message = format!("GET /v2/roles answered with a role that does not show its permissions: {id}");
        Error::new(Class::Transient, message)
    })
}
