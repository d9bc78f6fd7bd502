//! What the API key can see, and so what the absence of a thing from a list proves.

use std::collections::HashSet;

use super::{
    client::Client,
    wire::{Binding, Project, Restriction},
};
use crate::{Class, Error};
use rolewright_core::model::{Id, Proof};

/// Whether the API key is proven to be an account admin's. Only account admins can read the audit log, and only in accounts that have one
/// (contract 2.7).
///
/// # Errors
/// Only failures that every other call has too. All others prove nothing and do not stop the sweep.
pub async fn is_proven_admin(client: &Client) -> Result<bool, Error> {
    match client.reads_audit_log().await {
        Err(error) if matches!(error.class, Class::Unauthenticated | Class::Throttled(_)) => Err(error),
        answer => Ok(answer.unwrap_or(false)),
    }
}

/// Where the absence of grants is proven. The list shows the bindings of those spaces only in which the key can read them
/// (contract 2.2). So one visible binding on a space proves the space and its projects. One on a project proves the project alone: the key
/// can have its right there.
pub fn of_grants(
    admin: bool,
    on_spaces: Option<&Vec<Binding>>,
    on_projects: Option<&Vec<Binding>>,
    known: &[Project],
) -> Proof {
    let (Some(on_spaces), Some(on_projects)) = (on_spaces, on_projects) else { return Proof::Nowhere };
    if admin {
        return Proof::Everywhere;
    }
    let mut proven: HashSet<&str> = on_spaces.iter().map(|binding| binding.resource_id.as_str()).collect();
    let inside: Vec<&str> = projects_of(&proven, known);
    proven.extend(inside);
    proven.extend(on_projects.iter().map(|binding| binding.resource_id.as_str()));
    if proven.is_empty() { Proof::Nowhere } else { Proof::Within(proven.into_iter().map(Id::new).collect()) }
}

/// Where the absence of restrictions is proven. The list shows those resources only that the key can manage, each for itself
/// (contract 2.3). So a visible restriction says nothing about any other resource.
pub fn of_restrictions(admin: bool, restrictions: Option<&Vec<Restriction>>) -> Proof {
    if admin && restrictions.is_some() { Proof::Everywhere } else { Proof::Nowhere }
}

fn projects_of<'a>(spaces: &HashSet<&str>, known: &'a [Project]) -> Vec<&'a str> {
    let inside = |project: &&Project| project.space_id.as_deref().is_some_and(|space| spaces.contains(space));
    known.iter().filter(inside).map(|project| project.id.as_str()).collect()
}
