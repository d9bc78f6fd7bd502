//! What the credential can see, and so what a missing assignment proves (contract 6).

use std::collections::BTreeSet;

use super::{
    client::Client,
    dialect::ORGANIZATION_ROLE,
    ids::Scope,
    wire::{self, Assignment, Place},
};
use crate::{Class, Error, reading::List};

/// The assignments of a role in a scope. None if they cannot be read, also because the role or the scope is not found: a deleted scope stays
/// deleted, and an error would stop every later sweep. But then the organization has to be found, or another server is answering.
///
/// # Errors
/// Any other failure.
pub async fn assignments(
    client: &Client,
    role: &str,
    scope: &Scope,
) -> Result<Option<Vec<Assignment>>, Error> {
    match client.assignments(role, scope).await {
        Ok(None) => client.confirm_organization().await.map(|()| None),
        Ok(found) => Ok(found),
        Err(error) if error.class.is_withheld() || error.class == Class::Invalid => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether these assignments include one of a user other than the credential's own. A server that filters lists can show a credential what
/// it has itself, or through its teams.
///
/// # Errors
/// Any failure to read whose the credential is.
pub async fn shows_others(client: &Client, assignments: &[Assignment]) -> Result<bool, Error> {
    if assignments.iter().all(|assignment| assignment.user.is_none()) {
        return Ok(false);
    }
    let own = client.own_id().await?;
    Ok(assignments.iter().any(|assignment| assignment.user.as_ref().is_some_and(|user| user.id != own)))
}

/// Whether another user's assignment of a predefined organization role is visible. The owner of an organization always has one (contract
/// 2.2), but only its name would show which role that is.
///
/// # Errors
/// Any failure but a refusal.
pub async fn sees_members(client: &Client, roles: &[wire::Role]) -> Result<bool, Error> {
    for role in roles.iter().filter(|role| role.system_managed && role.level == ORGANIZATION_ROLE) {
        let found = assignments(client, &role.id, &Scope::Organization).await?;
        if shows_others(client, &found.unwrap_or_default()).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a sweep can see.
#[derive(Default)]
pub struct Visibility {
    /// Assignments of others are visible.
    members: bool,
    workspaces: Vec<Place>,
    /// Scopes that do not exist any more.
    deleted: BTreeSet<Scope>,
}

impl Visibility {
    /// Reads whether the assignments of others and these scopes are visible now.
    ///
    /// # Errors
    /// Any failure but a refusal.
    pub async fn read(
        client: &Client,
        roles: &[wire::Role],
        scopes: impl Iterator<Item = Scope>,
    ) -> Result<Self, Error> {
        let mut seen = Self { members: sees_members(client, roles).await?, ..Self::default() };
        if seen.members {
            seen.workspaces = List::read_if(true, client.workspaces(None)).await?.into_items();
            for scope in scopes.collect::<BTreeSet<Scope>>() {
                // A failure concerns this scope alone, and proves nothing about it.
                if seen.is_deleted(client, &scope).await.unwrap_or(false) {
                    seen.deleted.insert(scope);
                }
            }
        }
        Ok(seen)
    }

    /// Whether an empty list of assignments in a scope proves that nobody has the role there.
    pub fn covers(&self, scope: &Scope) -> bool {
        self.members
            && scope.workspace().is_none_or(|id| self.workspaces.iter().any(|workspace| workspace.id == id))
    }

    /// Whether a scope does not exist any more, so that nobody has a role there.
    pub fn lacks(&self, scope: &Scope) -> bool {
        self.deleted.contains(scope)
    }

    /// A deleted workspace is listed as deleted, or it is not listed and not found by its id. The same is true of a project in its
    /// workspace. An empty list proves nothing, because the credential may not see any workspace or project.
    async fn is_deleted(&self, client: &Client, scope: &Scope) -> Result<bool, Error> {
        let Some(id) = scope.workspace() else { return Ok(false) };
        match (self.workspaces.iter().find(|place| place.id == id), scope.project()) {
            (Some(workspace), _) if workspace.is_deleted() => Ok(true),
            (Some(_), None) => Ok(false),
            (Some(_), Some(project)) => {
                let listed = List::read_if(true, client.projects(id)).await?;
                Ok(lacks(listed.items(), project)
                    && client.lacks(&["workspaces", id, "projects", project]).await?)
            }
            (None, _) => Ok(lacks(&self.workspaces, id) && client.lacks(&["workspaces", id]).await?),
        }
    }
}

fn lacks(listed: &[Place], id: &str) -> bool {
    !listed.is_empty() && listed.iter().all(|place| place.id != id)
}
