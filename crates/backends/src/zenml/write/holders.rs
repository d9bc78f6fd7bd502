//! Who would lose a role that is removed. What the server does to them is not published (contract 3), so nothing that somebody holds is
//! removed: where it cannot be seen whether anybody does, the role stays.
//!
//! It is asked about without a scope first: some servers tell all then, others only what lies in none (contract 5). Of the others each
//! workspace is asked about, and for a role of projects each project of each; where a server tells no projects, its answer without a scope
//! counts only if it was seen to tell of projects in such an answer.
//!
//! Calls: 1, where somebody is seen to hold it there. Else the list of roles and the holders of the organization's predefined ones, until one
//! is seen; for a role of projects at most [`MOST_ROLES`] others without a scope; the list of workspaces; for a role of projects the list of
//! projects of each; and one for each of at most [`MOST_SCOPES`] workspaces and projects.

use std::collections::BTreeSet;

use super::super::{
    client::Client,
    ids::{PROJECT, Scope},
    map,
    pages::Listing,
    sight,
    wire::{self, Assignment},
};
use crate::{
    Class, Error,
    reading::{Part, each},
};

/// So many are named.
const NAMED: usize = 5;
/// So many scopes are asked about at most.
const MOST_SCOPES: usize = 1000;
/// So many other roles are asked about, to see what the server tells of projects.
const MOST_ROLES: usize = 10;

const BY_HAND: &str = "make sure that nobody does, and remove the role by hand";

/// Those who hold a role of a level, in words, some of them at most.
///
/// # Errors
/// Whatever kept this from being told.
pub async fn of(client: &Client, role: &str, level: &str) -> Result<Vec<String>, Error> {
    let everywhere = client.assignments(role, &Scope::Organization).await?;
    let everywhere = everywhere
        .ok_or_else(|| Error::new(Class::Missing, format!("who holds the role {role} is not found")))?;
    if !everywhere.is_empty() {
        return Ok(told(&everywhere));
    }
    let Part::Read(roles) = Part::of(true, client.roles(&[])).await? else {
        return Err(untold(role, "the roles"));
    };
    if !sight::of_anybody(client, &roles.items).await? {
        return Err(untold(role, "anybody who holds a role"));
    }
    if level == PROJECT && projects_are_told(client, role, &roles.items).await? {
        return Ok(Vec::new());
    }
    let scopes = scopes(client, role, level).await?;
    let inside = each(scopes, |scope| async move {
        let holders = client.assignments(role, &scope).await?;
        holders.ok_or_else(|| untold(role, &scope.text()))
    });
    Ok(told(&inside.await?.concat()))
}

/// Whether an answer without a scope tells of projects: as it was seen to do at any time, or does now for another role.
async fn projects_are_told(client: &Client, role: &str, roles: &[wire::Role]) -> Result<bool, Error> {
    let others = roles.iter().filter(|other| other.level == PROJECT && other.id != role).take(MOST_ROLES);
    for other in others {
        if client.tells_projects() {
            break;
        }
        sight::holders(client, &other.id, &Scope::Organization).await?;
    }
    Ok(client.tells_projects())
}

/// Where a role of this level may be held.
async fn scopes(client: &Client, role: &str, level: &str) -> Result<Vec<Scope>, Error> {
    let Part::Read(workspaces) = Part::of(true, client.workspaces(None)).await? else {
        return Err(untold(role, "the workspaces"));
    };
    let workspaces: Vec<String> = whole(workspaces)?.into_iter().map(|place| place.id).collect();
    if workspaces.is_empty() {
        return Err(untold(role, "any workspace"));
    }
    let mut scopes: Vec<Scope> = workspaces.iter().cloned().map(Scope::Workspace).collect();
    bounded(role, scopes.len())?;
    if level == PROJECT {
        let inside = each(workspaces, |workspace| async move {
            let Part::Read(projects) = Part::of(true, client.projects(&workspace)).await? else {
                return Err(untold(role, "the projects"));
            };
            let in_it =
                |place: wire::Place| Scope::Project { workspace: workspace.clone(), project: place.id };
            Ok(whole(projects)?.into_iter().map(in_it).collect::<Vec<Scope>>())
        });
        scopes.extend(inside.await?.concat());
    }
    bounded(role, scopes.len())?;
    Ok(scopes)
}

fn bounded(role: &str, scopes: usize) -> Result<(), Error> {
    if scopes <= MOST_SCOPES {
        return Ok(());
    }
    let message = format!(
        "there are {scopes} workspaces and projects in which somebody may hold the role {role}, more than are asked about: {BY_HAND}"
    );
    Err(Error::new(Class::Denied, message))
}

fn whole(listing: Listing<wire::Place>) -> Result<Vec<wire::Place>, Error> {
    let moved =
        || Error::new(Class::Transient, "the list of places where it may be held changed while it was read");
    if listing.whole { Ok(listing.items) } else { Err(moved()) }
}

/// What cannot be seen may be held.
fn untold(role: &str, unseen: &str) -> Error {
    let message = format!(
        "whether somebody holds the role {role} cannot be told, as this control plane does not show {unseen} to this credential: {BY_HAND}"
    );
    Error::new(Class::Denied, message)
}

/// In words, each once: a narrower scope may have been told with a wider one, and asked about too.
fn told(assignments: &[Assignment]) -> Vec<String> {
    let one = |assignment: &Assignment| {
        let (id, who) = map::holder(assignment)
            .map_or_else(|| (None, "somebody".to_owned()), |holder| (Some(holder.id), holder.name));
        let words = match map::scope(assignment) {
            None | Some(Scope::Organization) => who,
            Some(scope) => format!("{who} on {}", scope.text()),
        };
        (words, id)
    };
    let each: BTreeSet<_> = assignments.iter().map(one).collect();
    let mut names: Vec<String> = each.into_iter().map(|(words, _)| words).collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    names.extend((more > 0).then(|| format!("{more} more")));
    names
}
