//! What the credential can see, and so what an empty list of assignments proves.

use std::collections::BTreeSet;

use super::{client::Client, dialect::ORGANIZATION_ROLE, ids::Scope, wire};
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
) -> Result<Option<Vec<wire::Assignment>>, Error> {
    match client.assignments(role, scope).await {
        Ok(None) => client.confirm_organization().await.map(|()| None),
        Ok(found) => Ok(found),
        Err(error) if matches!(error.class, Class::Denied | Class::Invalid | Class::Unsupported) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether any assignment of a predefined organization role is visible. The owner of an organization always has one (contract 2.2), but only
/// its name would show which role that is.
///
/// # Errors
/// Any failure but a refusal.
pub async fn shows_assignments(client: &Client, roles: &[wire::Role]) -> Result<bool, Error> {
    for role in roles.iter().filter(|role| role.system_managed && role.level == ORGANIZATION_ROLE) {
        let found = assignments(client, &role.id, &Scope::Organization).await?;
        if found.is_some_and(|all| !all.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a sweep can see.
pub struct Visibility {
    /// At least one assignment is visible.
    assignments: bool,
    workspaces: BTreeSet<String>,
}

impl Visibility {
    /// Reads which workspaces are visible now, and whether any assignment is.
    ///
    /// # Errors
    /// Any failure but a refusal.
    pub async fn read(client: &Client, roles: &[wire::Role]) -> Result<Self, Error> {
        let assignments = shows_assignments(client, roles).await?;
        let workspaces = List::read_if(true, client.workspaces(None)).await?;
        let places = workspaces.list().into_iter().flat_map(|listing| &listing.items);
        Ok(Self { assignments, workspaces: places.map(|place| place.id.clone()).collect() })
    }

    /// Whether an empty list of assignments in a scope proves that nobody has the role there.
    pub fn covers(&self, scope: &Scope) -> bool {
        self.assignments && scope.workspace().is_none_or(|workspace| self.workspaces.contains(workspace))
    }
}
