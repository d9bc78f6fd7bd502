//! Reads one snapshot: the lists that are needed, and what they prove (contract 2.1 to 2.5).
//!
//! A list that the API key may not read, or that the server does not have, leaves its part empty and unproven; the other parts are
//! complete. Any other failure makes no snapshot.

use futures::try_join;

use super::{
    client::{Client, Pages},
    ids::{ORGANIZATION, PROJECT, SPACE},
    map, visibility,
    wire::{ApiKey, Binding, Listed, Organization, Project, Restriction, Role, Space, User},
};
use crate::{Class, Error, Needs, reading::Part};
use rolewright_core::model::{Builder, Kind, Level, Proof, Snapshot};

/// A list that only names come from. Servers before 11.40 spell the types of keys differently and refuse this filter (contract 6.1).
async fn names<T: Listed>(needed: bool, pages: Pages<'_, T>) -> Result<Part<Vec<T>>, Error> {
    match Part::read_if(needed, pages.all()).await {
        Err(error) if error.class == Class::Invalid => Ok(Part::Withheld(error.message)),
        read => read,
    }
}

/// Reads one snapshot.
///
/// # Errors
/// Any failure to read a list to its end but a refusal of the list.
pub async fn snapshot(client: &Client, needs: &Needs) -> Result<Snapshot, Error> {
    let (grants, restricted) = (needs.kinds.contains(&Kind::Grant), needs.kinds.contains(&Kind::Restriction));
    let level = |level: Level| needs.levels.contains(&level);
    // Grants name roles, so the list of roles is read with either.
    let roles = needs.kinds.contains(&Kind::Role) || grants || level(Level::ROLE);
    // Asked before the lists and again after them: an API key whose rights change in between proves nothing.
    let admin_before = admin(grants || restricted, client).await?;
    let (roles, on_spaces, on_projects, restrictions, users, keys, organizations, spaces, projects) = try_join!(
        Part::read_if(roles, client.list::<Role>(&[]).all()),
        Part::read_if(grants, client.list::<Binding>(&[("resource_type", "SPACE")]).all()),
        Part::read_if(grants, client.list::<Binding>(&[("resource_type", "PROJECT")]).all()),
        Part::read_if(restricted, client.list::<Restriction>(&[]).all()),
        Part::read_if(level(Level::USER), client.list::<User>(&[]).all()),
        names(level(Level::SERVICE_ACCOUNT), client.list::<ApiKey>(&[("key_type", "SERVICE")])),
        Part::read_if(level(ORGANIZATION), client.list::<Organization>(&[]).all()),
        Part::read_if(level(SPACE), client.list::<Space>(&[]).all()),
        Part::read_if(level(PROJECT), client.list::<Project>(&[]).all()),
    )?;
    let admin = admin(admin_before, client).await?;
    // Without a proven admin, the projects show which space a thing is in.
    let projects = match projects {
        Part::NotNeeded if (grants || restricted) && !admin => {
            Part::read_if(true, client.list(&[]).all()).await?
        }
        projects => projects,
    };

    let mut builder = Builder::new();
    if grants {
        let proof = visibility::of_grants(admin, on_spaces.list(), on_projects.list(), projects.items());
        builder.prove(Kind::Grant, proof);
    }
    if restricted {
        let proof = visibility::of_restrictions(admin, restrictions.list(), projects.items());
        builder.prove(Kind::Restriction, proof);
    }
    let directory = builder.directory();
    organizations.enter(directory, ORGANIZATION, |it| Some(map::entry(ORGANIZATION, it.id, it.name, None)));
    spaces.enter(directory, SPACE, |it| Some(map::entry(SPACE, it.id, it.name, it.organization_id)));
    projects.enter(directory, PROJECT, |it| Some(map::entry(PROJECT, it.id, it.name, it.space_id)));
    users.enter(directory, Level::USER, |it| Some(map::entry(Level::USER, it.id, it.email, None)));
    // After the users: a bot user is a service account even if the list of users contains it.
    keys.enter(directory, Level::SERVICE_ACCOUNT, map::service_account);
    add_roles(&mut builder, roles)?;
    for binding in [on_spaces, on_projects].into_iter().flat_map(Part::into_items) {
        let grant = map::grant(binding, builder.directory());
        builder.add(grant);
    }
    for restriction in restrictions.into_items() {
        let restriction = map::restriction(restriction, builder.directory());
        builder.add(restriction);
    }
    Ok(builder.complete())
}

async fn admin(needed: bool, client: &Client) -> Result<bool, Error> {
    if needed { visibility::is_proven_admin(client).await } else { Ok(false) }
}

/// Roles are things and names. Every account has predefined roles, so a list without any is incomplete.
fn add_roles(builder: &mut Builder, roles: Part<Vec<Role>>) -> Result<(), Error> {
    let roles = roles.or_refuse(builder.directory(), Level::ROLE).unwrap_or_default();
    if roles.iter().any(|role| role.is_predefined) {
        builder.prove(Kind::Role, Proof::Everywhere);
    }
    for role in roles {
        let entry = map::entry(Level::ROLE, role.id.clone(), Some(role.name.clone()), None);
        builder.directory().insert(entry);
        builder.add(super::read::with_permissions(role)?);
    }
    Ok(())
}
