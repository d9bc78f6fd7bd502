//! Single questions: who the credential is, what a name means, what one thing says now.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    client::Client,
    dialect::LEVEL,
    ids::{GrantId, PROJECT, Principal, SERVICE_ACCOUNT, Scope, TEAM, USER, WORKSPACE},
    map,
    people::{People, has_address},
    projects,
    wire::{self, Assignment},
};
use crate::{Class, Error, Identity};
use rolewright_core::model::{Body, Entry, Grant, Id, Kind, Observed, ROLE, Role, RoleRef};

/// Who the credential is, and that it sees the organization. The organization's id is the anchor: a name may change.
pub async fn probe(client: &Client) -> Result<Identity, Error> {
    let who = match client.client() {
        // A client is no user, and who asks for the user that it is may be told that the credential is none (contract 1).
        Some(id) => format!("client {id}"),
        None => {
            let me = client.me().await?;
            let called = map::user_entry(me.clone()).named.name;
            if me.is_service_account == Some(true) { format!("service account {called}") } else { called }
        }
    };
    let organization = client.organization().await.map_err(|mut error| {
        if matches!(error.class, Class::Missing | Class::Denied) {
            error.message.push_str(
                "; spec.zenml.organization is the name or id of an organization that the credential is in",
            );
        }
        error
    })?;
    let named = organization.name.map(|name| format!("{name} ({})", organization.id));
    let place = named.unwrap_or_else(|| organization.id.clone());
    Ok(Identity {
        description: format!("organization {place}, as {who}"),
        anchors: BTreeSet::from([organization.id]),
        lacks: BTreeMap::new(),
        // A key may end; when, only those are told who may list keys.
        expires: None,
    })
}

/// What a name means at a level, inside a parent where one is given. Whether filters find parts of names is not published, so what they find
/// is compared (contract 2.1).
pub async fn look_up(
    client: &Client,
    level: &str,
    name: &str,
    parent: Option<&Id>,
) -> Result<Vec<Entry>, Error> {
    let entries = match level {
        USER | SERVICE_ACCOUNT => {
            let people = People::all(client).await?;
            if let Some(refusal) = people.refused {
                return Err(Error::new(Class::Denied, refusal));
            }
            people.entries().collect()
        }
        TEAM => client.teams().await?.items.into_iter().map(map::team_entry).collect(),
        WORKSPACE => {
            client.workspaces(Some(name)).await?.items.into_iter().map(map::workspace_entry).collect()
        }
        PROJECT => match parent.map(|parent| Scope::of(parent.as_str())) {
            Some(Some(Scope::Workspace(workspace))) => {
                return projects::look_up(client, &workspace, name).await;
            }
            _ => Vec::new(),
        },
        ROLE => client.roles(&[("name", name)]).await?.items.iter().map(map::role_entry).collect(),
        _ => return Err(Error::new(Class::Invalid, format!("ZenML cannot look up a {level} by name"))),
    };
    Ok(entries.into_iter().filter(|entry| entry.named.level == level && entry.is_called(name)).collect())
}

/// One thing by its id. Names are not known here, so they are ids.
pub async fn read(client: &Client, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
    match kind {
        Kind::Role => Ok(client.role(id.as_str()).await?.map(map::role)),
        Kind::Grant => match GrantId::of(id.as_str()) {
            Some(grant) => held(client, &grant).await,
            None => Err(Error::mistake(format!("{id} is no id of a grant on ZenML"))),
        },
        _ => Err(Error::mistake(format!("ZenML has no {kind}s"))),
    }
}

/// The thing of a body's natural key.
pub async fn find(client: &Client, body: &Body) -> Result<Option<Observed>, Error> {
    match body {
        Body::Role(wanted) => role_of_name(client, wanted).await,
        Body::Grant(wanted) => grant_of(client, wanted).await,
        _ => Err(Error::mistake(format!("ZenML has no {}s", body.kind()))),
    }
}

/// The role of a level and a name. Names are not known to be unique (contract 3).
async fn role_of_name(client: &Client, wanted: &Role) -> Result<Option<Observed>, Error> {
    let level = wanted.settings.get(LEVEL).map(String::as_str).unwrap_or_default();
    let listing = client.roles(&[("level", level), ("name", &wanted.name)]).await?;
    let is_it = |role: &wire::Role| role.name.as_deref() == Some(&wanted.name) && role.level == level;
    let mut found: Vec<wire::Role> = listing.items.into_iter().filter(is_it).collect();
    match (found.pop(), found.len()) {
        (Some(role), 0) => Ok(Some(map::role(role))),
        (Some(role), others) => {
            let mut ids: Vec<&str> = found.iter().chain([&role]).map(|role| role.id.as_str()).collect();
            ids.sort_unstable();
            let message = format!(
                "{} roles of this level are called {:?} ({}): ZenML lets several have one name, and which is meant cannot be told; \
                 rename all but one",
                others + 1,
                wanted.name,
                ids.join(", ")
            );
            Err(Error::new(Class::Conflict, message))
        }
        (None, _) if listing.whole => Ok(None),
        (None, _) => Err(Error::new(
            Class::Transient,
            "the list of roles changed while it was read, so that nothing can be said of what is not in it",
        )),
    }
}

/// The grant of a body.
pub async fn grant_of(client: &Client, wanted: &Grant) -> Result<Option<Observed>, Error> {
    match (GrantId::of_grant(wanted), &wanted.role) {
        (Some(id), _) => held(client, &id).await,
        // Nobody holds a role that does not exist.
        (None, RoleRef::Planned(_)) => Ok(None),
        (None, RoleRef::Existing(_)) => Err(Error::mistake("a grant of or for what is no id of ZenML")),
    }
}

async fn held(client: &Client, id: &GrantId) -> Result<Option<Observed>, Error> {
    let assignments = client.assignments(&id.role, &id.scope).await?.unwrap_or_default();
    Ok(assignments.iter().find(|it| is_of(it, id)).map(|assignment| {
        let (mut role, scope, mut subject) = map::unnamed(id);
        if let Some(known) = &assignment.role {
            role.name = map::role_named(known).name;
        }
        if let Some(known) = map::holder(assignment) {
            subject.name = known.name;
        }
        map::grant(role, &id.scope, scope, subject)
    }))
}

/// Whether this assignment is the one of an id. An invitation's may have gone to the account of its address.
fn is_of(assignment: &Assignment, id: &GrantId) -> bool {
    let Assignment { user, team, invitation, .. } = assignment;
    let held_by = match &id.principal {
        Principal::User(uuid) => user.as_ref().is_some_and(|user| user.id == *uuid),
        Principal::Team(uuid) => team.as_ref().is_some_and(|team| team.id == *uuid),
        Principal::Invitation { uuid, email } => {
            invitation.as_ref().is_some_and(|invitation| invitation.id == *uuid)
                || user.as_ref().is_some_and(|user| has_address(user, email))
        }
    };
    held_by && map::scope(assignment).as_ref() == Some(&id.scope)
}
