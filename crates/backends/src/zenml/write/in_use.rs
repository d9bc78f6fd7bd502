//! The subjects of a role that is about to be deleted. What the server does with their assignments is not published (contract 3.1). So a role
//! is deleted only if it is visible that nobody has it.
//!
//! The role is first read without a scope: some servers then show all assignments, others only those without a scope (contract 5). So each
//! workspace is read too, and for a project role each project.
//!
//! Calls: 1 if an assignment is visible. Otherwise the list of roles and the assignments of the predefined organization roles, until another
//! user is visible; for a role of workspaces or projects, the list of workspaces; for a project role, the projects of each; and one for each
//! of at most [`MAX_SCOPES`] workspaces and projects.

use std::collections::BTreeSet;

use super::super::{
    client::Client,
    dialect::{ORGANIZATION_ROLE, PROJECT_ROLE},
    ids::Scope,
    map, visibility,
    wire::{Assignment, Place},
};
use crate::{Class, Error, reading::for_each, text::listed};

/// The subjects that the message names.
const MAX_NAMES: usize = 5;
/// The scopes that are read.
const MAX_SCOPES: usize = 1000;

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
    let roles = shown(role, "the roles", client.roles(&[]).await)?;
    if !visibility::sees_members(client, &roles).await? {
        return Err(not_visible(role, "which other users have roles"));
    }
    let scopes = if level == ORGANIZATION_ROLE { Vec::new() } else { scopes(client, role, level).await? };
    let inside = for_each(scopes, |scope| async move {
        let assignments = client.assignments(role, &scope).await?;
        assignments.ok_or_else(|| not_visible(role, &scope.text()))
    });
    Ok(names(&inside.await?.concat()))
}

/// The workspaces that exist, and for a project role their projects.
async fn scopes(client: &Client, role: &str, level: &str) -> Result<Vec<Scope>, Error> {
    let listed = shown(role, "the workspaces", client.workspaces(None).await)?;
    let existing = listed.into_iter().filter(|workspace| !workspace.is_deleted());
    let workspaces: Vec<String> = existing.map(|workspace| workspace.id).collect();
    if workspaces.is_empty() {
        return Err(not_visible(role, "any workspace"));
    }
    let mut scopes: Vec<Scope> = workspaces.iter().cloned().map(Scope::Workspace).collect();
    if level == PROJECT_ROLE && scopes.len() <= MAX_SCOPES {
        let inside = for_each(workspaces, |workspace| async move {
            let projects: Vec<Place> = shown(role, "the projects", client.projects(&workspace).await)?;
            let scope = |it: Place| Scope::Project { workspace: workspace.clone(), project: it.id };
            Ok(projects.into_iter().map(scope).collect::<Vec<Scope>>())
        });
        scopes.extend(inside.await?.concat());
    }
    if scopes.len() <= MAX_SCOPES {
        return Ok(scopes);
    }
    let number = scopes.len();
    let message = format!(
        "a subject can have the role {role} in {number} workspaces and projects, and Rolewright reads at most {MAX_SCOPES}: {BY_HAND}"
    );
    Err(Error::new(Class::Denied, message))
}

fn shown<T>(role: &str, what: &str, list: Result<Vec<T>, Error>) -> Result<Vec<T>, Error> {
    list.map_err(|error| if error.class.is_withheld() { not_visible(role, what) } else { error })
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
