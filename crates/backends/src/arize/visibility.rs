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
/// (contract 2.2). So one visible binding proves its space.
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
    let projects: HashSet<&str> = on_projects.iter().map(|binding| binding.resource_id.as_str()).collect();
    let mut proven: HashSet<&str> = spaces_of(&projects, known);
    proven.extend(on_spaces.iter().map(|binding| binding.resource_id.as_str()));
    let inside: Vec<&str> = projects_of(&proven, known);
    proven.extend(inside);
    within(proven)
}

/// Where the absence of restrictions is proven. The list shows those resources only that the key can manage (contract 2.3). So one
/// restricted project proves all projects of its space. No list shows which dashboards and prompts exist.
pub fn of_restrictions(admin: bool, restrictions: Option<&Vec<Restriction>>, known: &[Project]) -> Proof {
    let Some(restrictions) = restrictions else { return Proof::Nowhere };
    if admin {
        return Proof::Everywhere;
    }
    let restricted: HashSet<&str> = restrictions.iter().map(|it| it.resource_id.as_str()).collect();
    within(projects_of(&spaces_of(&restricted, known), known).into_iter().collect())
}

fn spaces_of<'a>(projects: &HashSet<&str>, known: &'a [Project]) -> HashSet<&'a str> {
    known
        .iter()
        .filter(|project| projects.contains(project.id.as_str()))
        .filter_map(|project| project.space_id.as_deref())
        .collect()
}

fn projects_of<'a>(spaces: &HashSet<&str>, known: &'a [Project]) -> Vec<&'a str> {
    let inside = |project: &&Project| project.space_id.as_deref().is_some_and(|space| spaces.contains(space));
    known.iter().filter(inside).map(|project| project.id.as_str()).collect()
}

fn within(places: HashSet<&str>) -> Proof {
    if places.is_empty() { Proof::Nowhere } else { Proof::Within(places.into_iter().map(Id::new).collect()) }
}
