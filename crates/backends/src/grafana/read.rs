//! Single questions: who the credential is, what a name means, what one thing says now.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    client::{Client, Status},
    config::Connection,
    ids::{self, Principal, Sort},
    map,
    pages::Pages,
    resources,
    wire::{self, ServiceAccount, Team, User},
};
use crate::{Class, Error, Identity};
use rolewright_core::model::{
    Body, Entry, Grant, Id, Kind, Named, Observed, ROLE, Role, RoleRef, SubjectKind,
};

/// Whether there is an RBAC API, and in which organization the credential acts.
pub async fn probe(client: &Client, connection: &Connection) -> Result<Identity, Error> {
    let no_rbac = match client.status().await {
        Ok(Status::Enabled) => None,
        Ok(Status::Untold(refusal)) => {
            let message = format!(
                "{}; the credential needs status:accesscontrol on services:accesscontrol",
                refusal.message
            );
            return Err(Error::new(Class::Denied, message));
        }
        Err(error) if error.class == Class::Unsupported => Some(error),
        Err(error) => return Err(error),
    };
    let org = match (client.org().await, &no_rbac) {
        (Ok(org), _) => Some(org),
        // Where not even the organization answers, this may be no Grafana at all.
        (Err(error), Some(no_rbac)) if error.class == Class::Missing => return Err(no_rbac.clone()),
        (Err(error), _) if matches!(error.class, Class::Denied | Class::Missing) => None,
        (Err(error), _) => return Err(error),
    };
    let wanted = connection.organization();
    if let (Some(org), Some(wanted)) = (&org, wanted)
        && org.id != wanted
    {
        let message = format!(
            "Grafana answered for organization {} where organization {wanted} was asked for: does a proxy take the header \
             X-Grafana-Org-Id away?",
            org.id
        );
        return Err(Error::new(Class::Invalid, message));
    }
    let place = match (&org, wanted) {
        (Some(wire::Org { id, name: Some(name) }), _) => format!("organization {name} ({id})"),
        (Some(wire::Org { id, name: None }), _) => format!("organization {id}"),
        (None, Some(id)) => format!("organization {id}"),
        (None, None) => "an organization that the credential may not read (orgs:read)".to_owned(),
    };
    let who = match &connection.username {
        Some(username) => format!("user {username}"),
        None => "a service account token".to_owned(),
    };
    let number = org.map(|org| org.id).or(wanted);
    let anchors: BTreeSet<String> =
        number.iter().map(|id| format!("{}/org/{id}", connection.path())).collect();
    let mut description = format!("{place}, as {who}");
    let mut lacks = BTreeMap::new();
    if let Some(error) = no_rbac {
        description.push_str("; no RBAC API, so ResourceRestrictions only");
        lacks.extend([Kind::Role, Kind::Grant].map(|kind| (kind, error.message.clone())));
    }
    Ok(Identity { description, anchors, lacks, expires: None })
}

/// What a name means at a level. Searches of Grafana find parts of names, so what they find is compared (contract 2.6).
pub async fn look_up(client: &Client, level: &str, name: &str) -> Result<Vec<Entry>, Error> {
    let entries: Vec<Entry> = match ids::kind_of(level) {
        Some(SubjectKind::User) => {
            let query = name.strip_prefix("login:").unwrap_or(name);
            let found: Vec<User> = client.get(&["org", "users"], &[("query", query)]).await?;
            found.into_iter().map(map::user).collect()
        }
        Some(SubjectKind::ServiceAccount) => {
            let found: Vec<ServiceAccount> = Pages::new(client, &[("query", name)]).all().await?;
            found.into_iter().map(map::service_account).collect()
        }
        Some(SubjectKind::Team) => {
            // Not every server finds teams by uid, and none by a part of it.
            let filters: &[(&str, &str)] = if name.starts_with("uid:") { &[] } else { &[("name", name)] };
            let found: Vec<Team> = Pages::new(client, filters).all().await?;
            found.into_iter().map(map::team).collect()
        }
        Some(SubjectKind::Group) => return Err(Error::mistake("Grafana has no groups")),
        None if let Some(sort) = Sort::of(level) => resources::entries(client, sort, Some(name)).await?,
        None if level == ROLE => roles(client).await?.iter().map(map::role_entry).collect(),
        None => return Err(Error::new(Class::Invalid, format!("Grafana cannot look up a {level} by name"))),
    };
    Ok(entries.into_iter().filter(|entry| entry.is_called(name)).collect())
}

async fn roles(client: &Client) -> Result<Vec<wire::Role>, Error> {
    match client.roles().await {
        Ok(roles) => Ok(roles),
        Err(error) => Err(client.sure(error).await),
    }
}

/// One thing by its id. Names of subjects are not known here, so they are ids.
pub async fn read(client: &Client, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
    match kind {
        Kind::Role => Ok(client.role(id).await?.map(map::role)),
        Kind::Grant => {
            let Some((principal, role)) = ids::of_grant(id) else {
                return Err(Error::new(Class::Invalid, format!("{id} is no id of a grant on Grafana")));
            };
            held(client, principal, map::unnamed(principal), &role).await
        }
        Kind::Group => Err(Error::mistake("Grafana has no groups")),
        Kind::Restriction => resources::restriction(client, map::unknown(id)).await,
    }
}

/// The thing of a body's natural key.
pub async fn find(client: &Client, body: &Body) -> Result<Option<Observed>, Error> {
    match body {
        Body::Role(wanted) => role_of_name(client, wanted).await,
        Body::Grant(wanted) => grant_of(client, wanted).await,
        Body::Group(_) => Err(Error::mistake("Grafana has no groups")),
        Body::Restriction(wanted) => resources::restriction(client, wanted.resource.clone()).await,
    }
}

/// The role of a name. A role of this organization and one of all may share it: then the one of the wanted sort.
pub async fn role_of_name(client: &Client, wanted: &Role) -> Result<Option<Observed>, Error> {
    let global = wanted.settings.get(super::dialect::GLOBAL).is_some_and(|global| global == "true");
    let mut named: Vec<wire::Role> =
        roles(client).await?.into_iter().filter(|role| role.name == wanted.name).collect();
    named.sort_by(|a, b| {
        let other = |role: &wire::Role| role.global.unwrap_or_default() != global;
        (other(a), &a.uid).cmp(&(other(b), &b.uid))
    });
    match named.first() {
        Some(role) => Ok(client.role(&Id::new(&role.uid)).await?.map(map::role)),
        None => Ok(None),
    }
}

/// The grant of a body.
pub async fn grant_of(client: &Client, wanted: &Grant) -> Result<Option<Observed>, Error> {
    match (Principal::of(&wanted.subject.id), &wanted.role) {
        (Some(principal), RoleRef::Existing(role)) => {
            held(client, principal, wanted.subject.clone(), &role.id).await
        }
        // Nobody holds a role that does not exist.
        (_, RoleRef::Planned(_)) => Ok(None),
        (None, _) => {
            Err(Error::new(Class::Invalid, format!("{} is nobody's id on Grafana", wanted.subject.id)))
        }
    }
}

async fn held(
    client: &Client,
    principal: Principal,
    subject: Named,
    role: &Id,
) -> Result<Option<Observed>, Error> {
    let roles = client.roles_of(principal).await?.unwrap_or_default();
    let of_it = roles.iter().filter(|held| held.uid == role.as_str());
    Ok(of_it.filter_map(|held| map::grant(subject.clone(), held)).next())
}
