//! Single reads: who the credential is, what a name means, and the state of one thing.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    client::Client,
    dialect::LEVEL,
    ids::{self, GrantId, PROJECT, Principal, Scope, WORKSPACE},
    map,
    people::{People, has_address},
    wire::{self, Assignment},
};
use crate::{
    Class, Error, Identity,
    reading::{List, no_look_up},
};
use rolewright_core::model::{Entry, Grant, Id, Level, Named, Observed, Role, RoleRef};

/// Who the credential is, and whether it sees the organization. The anchor is the organization's id, because its name can change.
pub async fn probe(client: &Client) -> Result<Identity, Error> {
    let (who, own) = match client.client_id() {
        // A client is not a user: asking for its user can look like an invalid credential (contract 1.2).
        Some(id) => (format!("client {id}"), BTreeSet::new()),
        None => {
            let me = client.me().await?;
            let is_account = me.is_service_account == Some(true);
            let Named { id, name, .. } = map::user_entry(me).named;
            let who = if is_account { format!("service account {name}") } else { name.to_string() };
            (who, BTreeSet::from([id.to_string(), name.to_string()]))
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
        own,
        // A key can expire, but only those who may list keys can see when.
        expires: None,
    })
}

/// What a name means at a level, inside a parent if one is set. It is not published whether filters match parts of names, so the results are
/// compared (contract 2.1).
pub async fn look_up(
    client: &Client,
    level: Level,
    name: &str,
    parent: Option<&Id>,
) -> Result<Vec<Entry>, Error> {
    let entries = match level {
        Level::USER | Level::SERVICE_ACCOUNT => {
            let people = People::all(client).await?;
            if let Some(refusal) = people.refused {
                return Err(Error::new(Class::Denied, refusal));
            }
            people.entries().collect()
        }
        Level::TEAM => client.teams().await?.into_iter().map(map::team_entry).collect(),
        WORKSPACE => {
            client.workspaces(Some(name)).await?.into_iter().filter_map(map::workspace_entry).collect()
        }
        PROJECT => match parent.map(|parent| Scope::of(parent.as_str())) {
            // Nothing here can show that an id is wrong.
            Some(Some(Scope::Workspace(workspace))) => match ids::written(name).or_else(|| ids::uuid(name)) {
                Some(uuid) => return Ok(vec![map::project_entry(&workspace, &uuid, None)]),
                None => projects(client, &workspace).await?,
            },
            _ => Vec::new(),
        },
        Level::ROLE => client.roles(&[("name", name)]).await?.iter().map(map::role_entry).collect(),
        _ => return Err(no_look_up("ZenML", level)),
    };
    Ok(entries.into_iter().filter(|entry| entry.named.level == level && entry.is_called(name)).collect())
}

/// All projects of a workspace. Empty if the control plane does not list them (contract 2.3, 6).
///
/// # Errors
/// Any failure to read the list to its end but a refusal of the list.
pub async fn projects(client: &Client, workspace: &str) -> Result<Vec<Entry>, Error> {
    let listed = List::read_if(true, client.projects(workspace)).await?.into_items().into_iter();
    Ok(listed.map(|project| map::project_entry(workspace, &project.id, project.name)).collect())
}

/// One role by its id.
pub async fn role(client: &Client, id: &Id) -> Result<Option<Observed>, Error> {
    Ok(client.role(id.as_str()).await?.map(map::role))
}

/// One grant by its id. Names that the answer does not show are ids.
pub async fn grant(client: &Client, id: &Id) -> Result<Option<Observed>, Error> {
    match GrantId::of(id.as_str()) {
        Some(grant) => assignment(client, &grant).await,
        None => Err(Error::mistake(format!("{id} is not the id of a grant on ZenML"))),
    }
}

/// The role with a level and a name. Names are not known to be unique (contract 3.1).
pub async fn find_role(client: &Client, desired: &Role) -> Result<Option<Observed>, Error> {
    let level = desired.settings.get(LEVEL).map(String::as_str).unwrap_or_default();
    let listed = client.roles(&[("level", level), ("name", &desired.name)]).await?;
    let matches = |role: &wire::Role| role.name.as_deref() == Some(&desired.name) && role.level == level;
    let mut found: Vec<wire::Role> = listed.into_iter().filter(matches).collect();
    if found.len() < 2 {
        return Ok(found.pop().map(map::role));
    }
    let mut ids: Vec<&str> = found.iter().map(|role| role.id.as_str()).collect();
    ids.sort_unstable();
    let message = format!(
        "{} roles of this level are called {:?} ({}), which ZenML allows, and nothing shows which one the spec means: rename all but one",
        ids.len(),
        desired.name,
        ids.join(", ")
    );
    Err(Error::new(Class::Conflict, message))
}

/// The grant of a role to a subject in a scope.
pub async fn find_grant(client: &Client, desired: &Grant) -> Result<Option<Observed>, Error> {
    match (GrantId::of_grant(desired), &desired.role) {
        (Some(id), _) => assignment(client, &id).await,
        // Nobody has a role that does not exist.
        (None, RoleRef::Planned(_)) => Ok(None),
        (None, RoleRef::Existing(_)) => Err(Error::mistake("a grant with an id that is not ZenML's")),
    }
}

async fn assignment(client: &Client, id: &GrantId) -> Result<Option<Observed>, Error> {
    let assignments = client.assignments(&id.role, &id.scope).await?.unwrap_or_default();
    Ok(assignments.iter().find(|it| is_assignment_of(it, id)).map(|assignment| {
        let (mut role, scope, mut subject) = map::unnamed(id);
        if let Some(shown) = &assignment.role {
            role.name = map::role_named(shown).name;
        }
        if let Some(shown) = map::subject(assignment) {
            subject.name = shown.name;
        }
        map::grant(role, &id.scope, scope, subject)
    }))
}

/// Whether an assignment is a grant. The assignment of an invitation can belong to the account with its address now.
pub fn is_assignment_of(assignment: &Assignment, id: &GrantId) -> bool {
    let Assignment { user, team, invitation, role, .. } = assignment;
    let same_role = role.as_ref().is_none_or(|role| role.id == id.role);
    let same_principal = match &id.principal {
        Principal::User(uuid) => user.as_ref().is_some_and(|user| user.id == *uuid),
        Principal::Team(uuid) => team.as_ref().is_some_and(|team| team.id == *uuid),
        Principal::Invitation { uuid, email } => {
            invitation.as_ref().is_some_and(|invitation| invitation.id == *uuid)
                || user.as_ref().is_some_and(|user| has_address(user, email))
        }
    };
    same_role && same_principal && map::scope(assignment).as_ref() == Some(&id.scope)
}
