//! Single reads: who the credential is, what a name means, and the state of one thing.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    client::{Client, Status},
    config::Connection,
    dialect::is_global,
    ids::{self, Principal, ResourceKind},
    map,
    pages::Pages,
    resources,
    wire::{self, Caller, ServiceAccount, Team, User},
};
use crate::{
    Class, Error, Identity,
    reading::{no_look_up, present},
};
use rolewright_core::model::{Entry, Grant, Id, Kind, Level, Named, Observed, Role, RoleRef, SubjectKind};

/// The start of a service account's login (contract 2.6).
const ACCOUNT_LOGIN: &str = "sa-";

/// Whether Grafana has the RBAC API, and in which organization the credential works.
pub async fn probe(client: &Client, connection: &Connection) -> Result<Identity, Error> {
    let no_rbac = match client.status().await {
        Ok(Status::Enabled) => None,
        Ok(Status::Denied(refusal)) => return Err(refusal),
        Err(error) if error.class == Class::Unsupported => Some(error),
        Err(error) => return Err(error),
    };
    let org = match (client.org().await, &no_rbac) {
        (Ok(org), _) => Some(org),
        // If the organization is not found either, this may not be a Grafana.
        (Err(error), Some(no_rbac)) if error.class == Class::Missing => return Err(no_rbac.clone()),
        (Err(error), _) if matches!(error.class, Class::Denied | Class::Missing) => None,
        (Err(error), _) => return Err(error),
    };
    let requested = connection.organization();
    if let (Some(org), Some(requested)) = (&org, requested)
        && org.id != requested
    {
        let message = format!(
            "Grafana answered for organization {} instead of organization {requested}: does a proxy remove the header \
             X-Grafana-Org-Id?",
            org.id
        );
        return Err(Error::new(Class::Invalid, message));
    }
    let place = match (&org, requested) {
        (Some(wire::Org { id, name: Some(name) }), _) => format!("organization {name} ({id})"),
        (Some(wire::Org { id, name: None }), _) => format!("organization {id}"),
        (None, Some(id)) => format!("organization {id}"),
        (None, None) => "an organization that the credential may not read (orgs:read)".to_owned(),
    };
    let (who, own) = match &connection.username {
        // Grants name a user by the address, not by the name with which the user signs in.
        Some(username) => {
            (format!("user {username}"), sender(client).await?.map_or_else(BTreeSet::new, names_of))
        }
        None => owner_of_token(client).await?,
    };
    let number = org.map(|org| org.id).or(requested);
    let anchors: BTreeSet<String> =
        number.iter().map(|id| format!("{}/org/{id}", connection.path())).collect();
    let mut description = format!("{place}, as {who}");
    let mut lacks = BTreeMap::new();
    if let Some(error) = no_rbac {
        description.push_str("; no RBAC API, so ResourceRestrictions only");
        lacks.extend([Kind::Role, Kind::Grant].map(|kind| (kind, error.message.clone())));
    }
    Ok(Identity { description, anchors, lacks, own, expires: None })
}

/// The longest part of a name in a description, in bytes.
const MAX_NAME: usize = 128;

/// Who sends the calls. None: the server does not show it.
async fn sender(client: &Client) -> Result<Option<Caller>, Error> {
    match client.caller().await {
        Ok(caller) => Ok(Some(caller)),
        Err(error) if matches!(error.class, Class::Unauthenticated | Class::Throttled(_)) => Err(error),
        Err(_) => Ok(None),
    }
}

fn names_of(caller: Caller) -> BTreeSet<String> {
    [caller.name, caller.login, caller.email].into_iter().filter_map(present).collect()
}

/// Whose the token is, in words and by all its names. A server that does not show it, such as for an API key, changes nothing else.
async fn owner_of_token(client: &Client) -> Result<(String, BTreeSet<String>), Error> {
    const UNKNOWN: &str = "a service account token";
    let Some(caller) = sender(client).await? else { return Ok((UNKNOWN.to_owned(), BTreeSet::new())) };
    let own = names_of(caller.clone());
    let short = |text: String| text[..text.floor_char_boundary(MAX_NAME)].to_owned();
    let (name, login) = (present(caller.name).map(short), present(caller.login).map(short));
    let is_account = login.as_ref().is_some_and(|login| login.starts_with(ACCOUNT_LOGIN));
    let who = match (is_account, name, login) {
        (true, Some(name), _) => format!("service account {name}"),
        (true, None, Some(login)) => format!("service account {login}"),
        (false, _, Some(login)) => format!("the token of user {login}"),
        (_, Some(name), None) => format!("the token of {name}"),
        (_, None, None) => UNKNOWN.to_owned(),
    };
    Ok((who, own))
}

/// What a name means at a level. Grafana's searches match parts of names, so the results are compared (contract 2.6).
pub async fn look_up(client: &Client, level: Level, name: &str) -> Result<Vec<Entry>, Error> {
    let entries: Vec<Entry> = match ids::principal_kind(level) {
        Some(SubjectKind::User) => {
            let query = name.strip_prefix("login:").unwrap_or(name);
            let found: Vec<User> = Pages::new(client, &[("query", query)]).all().await?;
            let found = found.into_iter().map(map::user);
            // Logins and addresses that differ only in case are one, unless an older server has both (contract 2.6).
            return Ok(found.filter(|entry| is_called_in_any_case(entry, name)).collect());
        }
        Some(SubjectKind::ServiceAccount) => {
            let found: Vec<ServiceAccount> = Pages::new(client, &[("query", name)]).all().await?;
            found.into_iter().map(map::service_account).collect()
        }
        Some(SubjectKind::Team) => {
            // Not every server can search teams by uid, and none by a part of it.
            let filters: &[(&str, &str)] = if name.starts_with("uid:") { &[] } else { &[("name", name)] };
            let found: Vec<Team> = Pages::new(client, filters).all().await?;
            found.into_iter().map(map::team).collect()
        }
        None if let Some(kind) = ResourceKind::of(level) => {
            resources::entries(client, kind, Some(name)).await?
        }
        None if level == Level::ROLE => roles(client).await?.iter().map(map::role_entry).collect(),
        Some(SubjectKind::Group) | None => return Err(no_look_up("Grafana", level)),
    };
    Ok(entries.into_iter().filter(|entry| entry.is_called(name)).collect())
}

fn is_called_in_any_case(entry: &Entry, name: &str) -> bool {
    let mut names = std::iter::once(&*entry.named.name).chain(entry.aliases.iter().map(String::as_str));
    entry.is_called(name) || names.any(|known| known.eq_ignore_ascii_case(name))
}

async fn roles(client: &Client) -> Result<Vec<wire::Role>, Error> {
    match client.roles().await {
        Ok(roles) => Ok(roles),
        Err(error) => Err(client.confirmed(error).await),
    }
}

/// One role by its uid.
pub async fn role(client: &Client, id: &Id) -> Result<Option<Observed>, Error> {
    Ok(client.role(id).await?.map(map::role))
}

/// One grant by its id, with ids in the place of names.
pub async fn grant(client: &Client, id: &Id) -> Result<Option<Observed>, Error> {
    let Some((principal, role)) = ids::of_grant(id) else {
        return Err(Error::new(Class::Invalid, format!("{id} is not the id of a grant on Grafana")));
    };
    assigned(client, principal, map::unnamed(principal), &role).await
}

/// The role with a name, among the global roles or those of the organization.
pub async fn find_role(client: &Client, desired: &Role) -> Result<Option<Observed>, Error> {
    let is_desired = |role: &wire::Role| {
        role.name == desired.name && role.global.unwrap_or_default() == is_global(desired)
    };
    match roles(client).await?.into_iter().find(is_desired) {
        Some(role) => self::role(client, &Id::new(&role.uid)).await,
        None => Ok(None),
    }
}

/// The grant of a role to a principal.
pub async fn find_grant(client: &Client, desired: &Grant) -> Result<Option<Observed>, Error> {
    match (Principal::of(&desired.subject.id), &desired.role) {
        (Some(principal), RoleRef::Existing(role)) => {
            assigned(client, principal, desired.subject.clone(), &role.id).await
        }
        // No principal has a role that does not exist.
        (_, RoleRef::Planned(_)) => Ok(None),
        (None, _) => {
            let message = format!("{} is not the id of a principal on Grafana", desired.subject.id);
            Err(Error::new(Class::Invalid, message))
        }
    }
}

async fn assigned(
    client: &Client,
    principal: Principal,
    subject: Named,
    role: &Id,
) -> Result<Option<Observed>, Error> {
    let roles = client.roles_of(principal).await?.unwrap_or_default();
    let matching = roles.iter().filter(|assigned| assigned.uid == role.as_str());
    Ok(matching.filter_map(|assigned| map::grant(subject.clone(), assigned)).next())
}
