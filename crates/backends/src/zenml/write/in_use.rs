//! The subjects of a role that is about to be deleted. What the server does with their assignments is not published (contract 3.1). So a role
//! is deleted only if it is visible that nobody has it.
//!
//! The role is first read without a scope: some servers then show all assignments, others only those without a scope (contract 5). For the
//! others, each workspace is read, and for a project role each project. If a server lists no projects, its answer without a scope counts
//! only if such an answer is known to show projects.
//!
//! Calls: 1 if an assignment is visible. Otherwise the list of roles and the assignments of the predefined organization roles, until one is
//! visible; for a project role, at most [`MAX_ROLES`] others without a scope; the list of workspaces; for a project role, the projects of
//! each; and one for each of at most [`MAX_SCOPES`] workspaces and projects.

use std::collections::BTreeSet;

use super::super::{
    client::Client,
    dialect::PROJECT_ROLE,
    ids::Scope,
    map,
    pages::Listing,
    visibility,
    wire::{self, Assignment},
};
use crate::{
    Class, Error,
    reading::{List, for_each},
    text::listed,
};

/// The subjects that the message names.
const MAX_NAMES: usize = 5;
/// The scopes that are read.
const MAX_SCOPES: usize = 1000;
/// The other roles that are read, to learn whether the server shows projects.
const MAX_ROLES: usize = 10;

const BY_HAND: &str = "make sure that no subject has it, and delete the role by hand";

/// Some of the subjects that have a role of a level, for a message. Empty if nobody has it.
///
/// # Errors
/// Any failure, and [`Class::Denied`] if not everything is visible.
pub async fn subjects(client: &Client, role: &str, level: &str) -> Result<String, Error> {
    let without_scope = client.assignments(role, &Scope::Organization).await?;
    let without_scope = without_scope.ok_or_else(|| {
        Error::new(Class::Missing, format!("the assignments of the role {role} are not found"))
    })?;
    if !without_scope.is_empty() {
        return Ok(names(&without_scope));
    }
    let List::Read(roles) = List::read_if(true, client.roles(&[])).await? else {
        return Err(not_visible(role, "the roles"));
    };
    if !visibility::shows_assignments(client, &roles.items).await? {
        return Err(not_visible(role, "anybody who has a role"));
    }
    if level == PROJECT_ROLE && shows_projects(client, role, &roles.items).await? {
        return Ok(String::new());
    }
    let scopes = scopes(client, role, level).await?;
    let inside = for_each(scopes, |scope| async move {
        let assignments = client.assignments(role, &scope).await?;
        assignments.ok_or_else(|| not_visible(role, &scope.text()))
    });
    Ok(names(&inside.await?.concat()))
}

/// Whether an answer without a scope shows projects: one did so before, or one for another role does now.
async fn shows_projects(client: &Client, role: &str, roles: &[wire::Role]) -> Result<bool, Error> {
    let others = roles.iter().filter(|other| other.level == PROJECT_ROLE && other.id != role).take(MAX_ROLES);
    for other in others {
        if client.shows_projects() {
            break;
        }
        visibility::assignments(client, &other.id, &Scope::Organization).await?;
    }
    Ok(client.shows_projects())
}

/// The scopes in which a role of this level can be assigned.
async fn scopes(client: &Client, role: &str, level: &str) -> Result<Vec<Scope>, Error> {
    let List::Read(workspaces) = List::read_if(true, client.workspaces(None)).await? else {
        return Err(not_visible(role, "the workspaces"));
    };
    let workspaces: Vec<String> = stable(workspaces)?.into_iter().map(|place| place.id).collect();
    if workspaces.is_empty() {
        return Err(not_visible(role, "any workspace"));
    }
    let mut scopes: Vec<Scope> = workspaces.iter().cloned().map(Scope::Workspace).collect();
    check_number(role, scopes.len())?;
    if level == PROJECT_ROLE {
        let inside = for_each(workspaces, |workspace| async move {
            let List::Read(projects) = List::read_if(true, client.projects(&workspace)).await? else {
                return Err(not_visible(role, "the projects"));
            };
            let project =
                |place: wire::Place| Scope::Project { workspace: workspace.clone(), project: place.id };
            Ok(stable(projects)?.into_iter().map(project).collect::<Vec<Scope>>())
        });
        scopes.extend(inside.await?.concat());
    }
    check_number(role, scopes.len())?;
    Ok(scopes)
}

fn check_number(role: &str, scopes: usize) -> Result<(), Error> {
    if scopes <= MAX_SCOPES {
        return Ok(());
    }
    let message = format!(
        "a subject can have the role {role} in {scopes} workspaces and projects, and Rolewright reads at most {MAX_SCOPES}: {BY_HAND}"
    );
    Err(Error::new(Class::Denied, message))
}

fn stable(listing: Listing<wire::Place>) -> Result<Vec<wire::Place>, Error> {
    let changed = || {
        Error::new(Class::Transient, "the list of workspaces or projects changed while Rolewright read it")
    };
    if listing.complete { Ok(listing.items) } else { Err(changed()) }
}

/// A subject can have the role where nothing is visible.
fn not_visible(role: &str, hidden: &str) -> Error {
    let message = format!(
        "cannot tell whether a subject has the role {role}, because this control plane does not show {hidden} to this credential: \
         {BY_HAND}"
    );
    Error::new(Class::Denied, message)
}

/// The subjects and their scopes. Each once, because an answer can also contain narrower scopes, which are read as well.
fn names(assignments: &[Assignment]) -> String {
    let name = |assignment: &Assignment| {
        let (id, name) = map::subject(assignment).map_or_else(
            || (None, "an unknown subject".to_owned()),
            |subject| (Some(subject.id), subject.name.to_string()),
        );
        let text = match map::scope(assignment) {
            None | Some(Scope::Organization) => name,
            Some(scope) => format!("{name} on {}", scope.text()),
        };
        (text, id)
    };
    let distinct: BTreeSet<_> = assignments.iter().map(name).collect();
    listed(distinct.into_iter().map(|(text, _)| text), MAX_NAMES)
}
