//! Whether the credential sees who holds roles at all: what speaks for it that an empty list of holders is true.

use super::{client::Client, dialect::ORGANIZATION, ids::Scope, wire};
use crate::backends::{Class, Error};

/// Who holds a role in a scope. None where it is not told.
///
/// # Errors
/// Whatever kept it from being told, but for a refusal.
pub async fn holders(
    client: &Client,
    role: &str,
    scope: &Scope,
) -> Result<Option<Vec<wire::Assignment>>, Error> {
    match client.assignments(role, scope).await {
        Ok(assignments) => Ok(assignments),
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
