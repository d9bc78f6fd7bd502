//! One sweep: the lists that are needed, read to their ends, and what their silence proves (contract 2.1 to 2.5).
//!
//! A list that the key may not read, or that the server does not have, leaves its part empty and unproven, and the others
//! as they are: one thing refused is no reason to stop working on the rest. Any other failure makes no snapshot.

use std::collections::HashSet;

use futures::try_join;

use super::{
    client::{Client, Pages},
    dialect::{ORGANIZATION, PROJECT, ROLE, SERVICE_ACCOUNT, SPACE, USER},
    map,
    wire::{ApiKey, Binding, Listed, Organization, Project, Restriction, Role, Space, User},
};
use crate::{
    access::{Builder, Directory, Entry, Id, Kind, Proof, Snapshot},
    backends::{Class, Error, Needs},
};

/// A list, as far as it could be read.
enum Part<T> {
    /// To its end.
    Read(Vec<T>),
    /// Not at all, for this reason.
    Refused(String),
    /// Nobody needs it.
    Unwanted,
}

impl<T> Part<T> {
    fn items(&self) -> &[T] {
        match self {
            Part::Read(items) => items,
            Part::Refused(_) | Part::Unwanted => &[],
        }
    }

    fn into_items(self) -> Vec<T> {
        match self {
            Part::Read(items) => items,
            Part::Refused(_) | Part::Unwanted => Vec::new(),
        }
    }

    fn is_read(&self) -> bool {
        matches!(self, Part::Read(_))
    }
}

async fn part<T: Listed>(wanted: bool, pages: Pages<'_, T>) -> Result<Part<T>, Error> {
    if !wanted {
        return Ok(Part::Unwanted);
    }
    match pages.all().await {
        Ok(items) => Ok(Part::Read(items)),
        Err(error) if matches!(error.class, Class::Denied | Class::Missing | Class::Unsupported) => {
            Ok(Part::Refused(error.message))
        }
        Err(error) => Err(error),
    }
}

/// A list that only names come from. Older servers spell the type of a key otherwise and refuse the question (contract 6.1): that
/// keeps nobody from reading the rest.
async fn names<T: Listed>(wanted: bool, pages: Pages<'_, T>) -> Result<Part<T>, Error> {
    match part(wanted, pages).await {
        Err(error) if error.class == Class::Invalid => Ok(Part::Refused(error.message)),
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
        part(roles, client.list::<Role>(&[])),
        part(grants, client.list::<Binding>(&[("resource_type", "SPACE")])),
        part(grants, client.list::<Binding>(&[("resource_type", "PROJECT")])),
        part(restricted, client.list::<Restriction>(&[])),
        part(level(USER), client.list::<User>(&[])),
        names(level(SERVICE_ACCOUNT), client.list::<ApiKey>(&[("key_type", "SERVICE")])),
        part(level(ORGANIZATION), client.list::<Organization>(&[])),
        part(level(SPACE), client.list::<Space>(&[])),
        part(level(PROJECT), client.list::<Project>(&[])),
    )?;
    let admin = admin(admin_before, client).await?;
    // Without the proof of an admin, it takes the projects to tell which space a thing lies in.
    let projects = match projects {
        Part::Unwanted if (grants || restricted) && !admin => part(true, client.list(&[])).await?,
        projects => projects,
    };

    let mut builder = Builder::new();
    if grants {
        builder.prove(Kind::Grant, grant_proof(admin, &spaces_bound, &projects_bound, projects.items()));
    }
    if restricted {
        builder.prove(Kind::Restriction, restriction_proof(admin, &restrictions, projects.items()));
    }
    let directory = builder.directory();
    enter(directory, ORGANIZATION, organizations, |it| Some(map::entry(ORGANIZATION, it.id, it.name, None)));
    enter(directory, SPACE, spaces, |it| Some(map::entry(SPACE, it.id, it.name, it.organization_id)));
    enter(directory, PROJECT, projects, |it| Some(map::entry(PROJECT, it.id, it.name, it.space_id)));
    enter(directory, USER, users, |it| Some(map::entry(USER, it.id, it.email, None)));
    // After the users: should bot users be among those, they are service accounts all the same.
    enter(directory, SERVICE_ACCOUNT, keys, map::service_account);
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

fn enter<T>(
    directory: &mut Directory,
    level: &'static str,
    part: Part<T>,
    entry: impl Fn(T) -> Option<Entry>,
) {
    match part {
        Part::Read(items) => items.into_iter().filter_map(entry).for_each(|entry| directory.insert(entry)),
        Part::Refused(reason) => directory.refuse(level, reason),
        Part::Unwanted => {}
    }
}

/// Roles are things and names at once. Every account has predefined ones, so a list without any is a narrowed one.
fn add_roles(builder: &mut Builder, roles: Part<Role>) -> Result<(), Error> {
    let roles = match roles {
        Part::Read(roles) => roles,
        Part::Refused(reason) => {
            builder.directory().refuse(ROLE, reason);
            return Ok(());
        }
        Part::Unwanted => return Ok(()),
    };
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
fn grant_proof(admin: bool, spaces: &Part<Binding>, projects: &Part<Binding>, known: &[Project]) -> Proof {
    if !(spaces.is_read() && projects.is_read()) {
        return Proof::Nowhere;
    }
    if admin {
        return Proof::Everywhere;
    }
    let bound: HashSet<&str> = projects.items().iter().map(|binding| binding.resource_id.as_str()).collect();
    let mut proven: HashSet<&str> = spaces_of(&bound, known);
    proven.extend(spaces.items().iter().map(|binding| binding.resource_id.as_str()));
    let inside: Vec<&str> = projects_of(&proven, known);
    proven.extend(inside);
    within(proven)
}

/// Restrictions are listed of those resources only that the key may manage (contract 2.3): one of a project proves the
/// projects of its space. Which dashboards and prompts there are, no list tells.
fn restriction_proof(admin: bool, restrictions: &Part<Restriction>, known: &[Project]) -> Proof {
    if !restrictions.is_read() {
        return Proof::Nowhere;
    }
    if admin {
        return Proof::Everywhere;
    }
    let restricted: HashSet<&str> = restrictions.items().iter().map(|it| it.resource_id.as_str()).collect();
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
