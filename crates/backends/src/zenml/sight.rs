//! What is told of who holds a role, and what speaks for it that an empty list of holders is true.

use std::collections::BTreeSet;

use super::{client::Client, dialect::ORGANIZATION, ids::Scope, wire};
use crate::{Class, Error, reading::Part};

/// Who holds a role in a scope. None where it is not told, also because the role or the scope is not found: a scope that is gone stays so, and
/// would keep the rest from being read for ever. But then the organization has to be found as ever, or it is not the server that answers.
///
/// # Errors
/// Whatever kept it from being told, but for a refusal.
pub async fn holders(
    client: &Client,
    role: &str,
    scope: &Scope,
) -> Result<Option<Vec<wire::Assignment>>, Error> {
    match client.assignments(role, scope).await {
        Ok(None) => client.is_there().await.map(|()| None),
        Ok(told) => Ok(told),
        Err(error) if matches!(error.class, Class::Denied | Class::Invalid | Class::Unsupported) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether anybody is seen to hold any of the roles that the vendor made for the organization. Its owner always does (contract 2.2); which
/// of them that is is not told by anything but its name.
///
/// # Errors
/// Whatever kept it from being told, but for a refusal.
pub async fn of_anybody(client: &Client, roles: &[wire::Role]) -> Result<bool, Error> {
    for role in roles.iter().filter(|role| role.system_managed && role.level == ORGANIZATION) {
        let holders = holders(client, &role.id, &Scope::Organization).await?;
        if holders.is_some_and(|all| !all.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How far a sweep sees.
pub struct Sight {
    /// Somebody is seen to hold something.
    holders: bool,
    workspaces: BTreeSet<String>,
}

impl Sight {
    /// What is seen now: whether anybody holds anything, and which workspaces there are.
    ///
    /// # Errors
    /// Whatever kept it from being told, but for a refusal.
    pub async fn of(client: &Client, roles: &[wire::Role]) -> Result<Self, Error> {
        let holders = of_anybody(client, roles).await?;
        let listed = Part::of(true, client.workspaces(None)).await?;
        let places = listed.read().into_iter().flat_map(|listing| &listing.items);
        Ok(Self { holders, workspaces: places.map(|place| place.id.clone()).collect() })
    }

    /// Whether an empty list of who holds a role there is true.
    pub fn reaches(&self, scope: &Scope) -> bool {
        self.holders && scope.workspace().is_none_or(|workspace| self.workspaces.contains(workspace))
    }
}
