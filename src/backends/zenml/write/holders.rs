//! Who would lose a role that is removed. What the server does to them is not published (contract 3), so nothing that somebody holds is
//! removed, as far as it can be seen.

use futures::{StreamExt, TryStreamExt, stream};

use super::super::{client::Client, ids::Scope, map, people::refusable, wire::Assignment};
use crate::backends::{Class, Error};

/// How many scopes are asked about at one time. The tenant's budget may allow fewer.
const AT_ONCE: usize = 4;
/// So many are named.
const NAMED: usize = 5;

/// Those who hold a role, in words, some of them at most. It is asked about without a scope first: some servers tell all then, and others
/// only what lies in none (contract 5); then in each workspace.
///
/// # Errors
/// Whatever kept this from being told.
pub async fn of(client: &Client, role: &str) -> Result<Vec<String>, Error> {
    let Some(everywhere) = client.assignments(role, &Scope::Organization).await? else {
        return Ok(Vec::new());
    };
    if !everywhere.is_empty() {
        return Ok(told(&everywhere));
    }
    let Ok(workspaces) = refusable(client.workspaces(None)).await? else { return Err(untold(role)) };
    let workspaces = workspaces.items;
    let inside: Vec<Vec<Assignment>> = stream::iter(workspaces)
        .map(|workspace| async move {
            let scope = Scope::Workspace(workspace.id);
            client.assignments(role, &scope).await?.ok_or_else(|| untold(role))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(told(&inside.concat()))
}

/// What cannot be seen may be held.
fn untold(role: &str) -> Error {
    Error::new(Class::Denied, format!("whether somebody holds the role {role} in a workspace cannot be told"))
}

fn told(assignments: &[Assignment]) -> Vec<String> {
    let one = |assignment: &Assignment| {
        let who = map::holder(assignment).map_or_else(|| "somebody".to_owned(), |holder| holder.name);
        match map::scope(assignment) {
            None | Some(Scope::Organization) => who,
            Some(scope) => format!("{who} on {}", scope.text()),
        }
    };
    let mut names: Vec<String> = assignments.iter().map(one).collect();
    names.sort();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    names.extend((more > 0).then(|| format!("{more} more")));
    names
}
