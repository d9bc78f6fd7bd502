//! One sweep: the lists that are needed, read to their ends, and what their silence proves (contract 2.1 to 2.5).
//!
//! A list that the key may not read, or that the server does not have, leaves its part empty and unproven, and the others
//! as they are: one thing refused is no reason to stop working on the rest. Any other failure makes no snapshot.

use std::collections::HashSet;

use futures::try_join;

use super::{
    client::{Client, Pages},
    dialect::{ORGANIZATION, PROJECT, SERVICE_ACCOUNT, SPACE, USER},
    map,
    wire::{ApiKey, Binding, Listed, Organization, Project, Restriction, Role, Space, User},
};
use crate::{Class, Error, Needs, reading::Part};
use rolewright_core::model::{Builder, Id, Kind, Proof, ROLE, Snapshot};

/// A list that only names come from. Older servers spell the type of a key otherwise and refuse the question (contract 6.1): that
/// keeps nobody from reading the rest.
async fn names<T: Listed>(wanted: bool, pages: Pages<'_, T>) -> Result<Part<Vec<T>>, Error> {
    match Part::of(wanted, pages.all()).await {
        Err(error) if error.class == Class::Invalid => Ok(Part::Withheld(error.message)),
        read => read,
    }
}

/// Reads what is needed.
///
/// # Errors
/// Whatever kept a list from being read to its end, but for a refusal of the list.
pub async fn snapshot(client: &Client, needs: &Needs) -> Result<Snapshot, Error> {
    let (grants, restricted) = (needs.kinds.contains(&Kind::Grant), needs.kinds.contains(&Kind::Restriction));
    let level = |level: &str| needs.levels.contains(level);
    // Grants name roles, so that they are read with either.
    let roles = needs.kinds.contains(&Kind::Role) || grants || level(ROLE);
    // Asked before the lists and once more behind them: a key that is narrowed or widened in between has proven nothing.
    let admin_before = admin(grants || restricted, client).await?;
    let (roles, spaces_bound, projects_bound, restrictions, users, keys, organizations, spaces, projects) = try_join!(
        Part::of(roles, client.list::<Role>(&[]).all()),
        Part::of(grants, client.list::<Binding>(&[("resource_type", "SPACE")]).all()),
        Part::of(grants, client.list::<Binding>(&[("resource_type", "PROJECT")]).all()),
        Part::of(restricted, client.list::<Restriction>(&[]).all()),
        Part::of(level(USER), client.list::<User>(&[]).all()),
        names(level(SERVICE_ACCOUNT), client.list::<ApiKey>(&[("key_type", "SERVICE")])),
        Part::of(level(ORGANIZATION), client.list::<Organization>(&[]).all()),
        Part::of(level(SPACE), client.list::<Space>(&[]).all()),
        Part::of(level(PROJECT), client.list::<Project>(&[]).all()),
    )?;
    let admin = admin(admin_before, client).await?;
    // Without the proof of an admin, it takes the projects to tell which space a thing lies in.
    let projects = match projects {
        Part::Unwanted if (grants || restricted) && !admin => Part::of(true, client.list(&[]).all()).await?,
        projects => projects,
    };

    let mut builder = Builder::new();
    if grants {
        builder.prove(
            Kind::Grant,
            grant_proof(admin, spaces_bound.read(), projects_bound.read(), projects.items()),
        );
    }
    if restricted {
        builder.prove(Kind::Restriction, restriction_proof(admin, restrictions.read(), projects.items()));
    }
    let directory = builder.directory();
    organizations.enter(directory, ORGANIZATION, |it| Some(map::entry(ORGANIZATION, it.id, it.name, None)));
    spaces.enter(directory, SPACE, |it| Some(map::entry(SPACE, it.id, it.name, it.organization_id)));
    projects.enter(directory, PROJECT, |it| Some(map::entry(PROJECT, it.id, it.name, it.space_id)));
    users.enter(directory, USER, |it| Some(map::entry(USER, it.id, it.email, None)));
    // After the users: should bot users be among those, they are service accounts all the same.
    keys.enter(directory, SERVICE_ACCOUNT, map::service_account);
    add_roles(&mut builder, roles)?;
    for binding in [spaces_bound, projects_bound].into_iter().flat_map(Part::into_items) {
        let grant = map::grant(binding, builder.directory());
        builder.add(grant);
    }
    for restriction in restrictions.into_items() {
        let restriction = map::restriction(restriction, builder.directory());
        builder.add(restriction);
    }
    Ok(builder.complete())
}

async fn admin(wanted: bool, client: &Client) -> Result<bool, Error> {
    if wanted { client.is_proven_admin().await } else { Ok(false) }
}

/// Roles are things and names at once. Every account has predefined ones, so a list without any is a narrowed one.
fn add_roles(builder: &mut Builder, roles: Part<Vec<Role>>) -> Result<(), Error> {
    let roles = roles.noted(builder.directory(), ROLE).unwrap_or_default();
    if roles.iter().any(|role| role.is_predefined) {
        builder.prove(Kind::Role, Proof::Everywhere);
    }
    for role in roles {
        let (id, name) = (role.id.clone(), role.name.clone());
        let Some(observed) = map::role(role) else {
            let message =
                format!("GET /v2/roles answered with a role that does not show its permissions: {id}");
            return Err(Error::new(Class::Transient, message));
        };
        builder.directory().insert(map::entry(ROLE, id, Some(name), None));
        builder.add(observed);
    }
    Ok(())
}

/// Bindings are listed of those spaces only where the key may read them (contract 2.2): one that is seen proves its space.
fn grant_proof(
    admin: bool,
    spaces: Option<&Vec<Binding>>,
    projects: Option<&Vec<Binding>>,
    known: &[Project],
) -> Proof {
    let (Some(spaces), Some(projects)) = (spaces, projects) else { return Proof::Nowhere };
    if admin {
        return Proof::Everywhere;
    }
    let bound: HashSet<&str> = projects.iter().map(|binding| binding.resource_id.as_str()).collect();
    let mut proven: HashSet<&str> = spaces_of(&bound, known);
    proven.extend(spaces.iter().map(|binding| binding.resource_id.as_str()));
    let inside: Vec<&str> = projects_of(&proven, known);
    proven.extend(inside);
    within(proven)
}

/// Restrictions are listed of those resources only that the key may manage (contract 2.3): one of a project proves the
/// projects of its space. Which dashboards and prompts there are, no list tells.
fn restriction_proof(admin: bool, restrictions: Option<&Vec<Restriction>>, known: &[Project]) -> Proof {
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
