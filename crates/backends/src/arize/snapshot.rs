//! Reads one snapshot: the lists that are needed, and what they prove (contract 2.1 to 2.5).
//!
//! A list that the API key may not read, or that the server does not have, leaves its part empty and unproven. A call that fails leaves its
//! part unread. The other parts are complete.

use futures::try_join;

use super::{
    client::{Client, Pages},
    ids::{ORGANIZATION, PROJECT, SPACE},
    map, visibility,
    wire::{ApiKey, Binding, Listed, Organization, Project, Restriction, Role, Space, User},
};
use crate::{
    Class, Error, Needs,
    reading::{List, Reading},
};
use rolewright_core::model::{Builder, Kind, Level, Part, Proof, Snapshot};

/// A list that only names come from. Servers before 11.40 spell the types of keys differently and refuse this filter (contract 6.1).
async fn names<T: Listed>(pages: Pages<'_, T>) -> Result<Vec<T>, Error> {
    pages.all().await.map_err(|error| match error.class {
        Class::Invalid => Error { class: Class::Unsupported, ..error },
        _ => error,
    })
}

/// Reads one snapshot.
///
/// # Errors
/// A failure of the whole account: see [`Reading`].
pub async fn snapshot(client: &Client, needs: &Needs) -> Result<Snapshot, Error> {
    let (grants, restricted) = (needs.kinds.contains(&Kind::Grant), needs.kinds.contains(&Kind::Restriction));
    let level = |level: Level| needs.levels.contains(&level);
    let (reading, part) = (Reading::default(), Part::Names);
    let of_roles = [Part::Kind(Kind::Role), part(Level::ROLE)];
    // The projects also show which space a thing is in.
    let rights = grants.then_some(Part::Rights);
    let of_projects: Vec<Part> = rights.into_iter().chain([part(PROJECT)]).collect();
    let on = |level: Level| [Part::Level(Kind::Grant, level)];
    // Grants name roles, so the list of roles is read with either.
    let roles = needs.kinds.contains(&Kind::Role) || grants || level(Level::ROLE);
    // Asked before the lists and again after them: an API key whose rights change in between proves nothing.
    let admin_before = admin(grants || restricted, client).await?;
    let (roles, on_spaces, on_projects, restrictions, users, keys, organizations, spaces, projects) = try_join!(
        reading.list(roles, of_roles, client.list::<Role>(&[]).all()),
        reading.list(grants, on(SPACE), client.list::<Binding>(&[("resource_type", "SPACE")]).all()),
        reading.list(grants, on(PROJECT), client.list::<Binding>(&[("resource_type", "PROJECT")]).all()),
        reading.list(restricted, [Part::Kind(Kind::Restriction)], client.list::<Restriction>(&[]).all()),
        reading.list(level(Level::USER), [part(Level::USER)], client.list::<User>(&[]).all()),
        reading.list(
            level(Level::SERVICE_ACCOUNT),
            [part(Level::SERVICE_ACCOUNT)],
            names(client.list::<ApiKey>(&[("key_type", "SERVICE")])),
        ),
        reading.list(level(ORGANIZATION), [part(ORGANIZATION)], client.list::<Organization>(&[]).all()),
        reading.list(level(SPACE), [part(SPACE)], client.list::<Space>(&[]).all()),
        reading.list(level(PROJECT), of_projects, client.list::<Project>(&[]).all()),
    )?;
    let admin = admin(admin_before, client).await?;
    // Without a proven admin, the projects show which space a thing is in.
    let projects = match projects {
        List::NotNeeded if grants && !admin => {
            reading.list(true, [Part::Rights], client.list(&[]).all()).await?
        }
        projects => projects,
    };

    let mut builder = Builder::new();
    if grants {
        let proof = visibility::of_grants(admin, on_spaces.list(), on_projects.list(), projects.items());
        builder.prove(Kind::Grant, proof);
    }
    if restricted {
        let proof = visibility::of_restrictions(admin, restrictions.list());
        builder.prove(Kind::Restriction, proof);
    }
    let directory = builder.directory();
    organizations.enter(directory, ORGANIZATION, |it| Some(map::entry(ORGANIZATION, it.id, it.name, None)));
    spaces.enter(directory, SPACE, |it| Some(map::entry(SPACE, it.id, it.name, it.organization_id)));
    projects.enter(directory, PROJECT, |it| Some(map::entry(PROJECT, it.id, it.name, it.space_id)));
    users.enter(directory, Level::USER, |it| Some(map::entry(Level::USER, it.id, it.email, None)));
    // After the users: a bot user is a service account even if the list of users contains it.
    keys.enter(directory, Level::SERVICE_ACCOUNT, map::service_account);
    add_roles(&mut builder, roles, &reading)?;
    for binding in [on_spaces, on_projects].into_iter().flat_map(List::into_items) {
        let grant = map::grant(binding, builder.directory());
        builder.add(grant);
    }
    for restriction in restrictions.into_items() {
        let restriction = map::restriction(restriction, builder.directory());
        builder.add(restriction);
    }
    reading.finish(builder)
}

async fn admin(needed: bool, client: &Client) -> Result<bool, Error> {
    if needed { visibility::is_proven_admin(client).await } else { Ok(false) }
}

/// Roles are things and names. Every account has predefined roles, so a list without any is incomplete.
fn add_roles(builder: &mut Builder, roles: List<Vec<Role>>, reading: &Reading) -> Result<(), Error> {
    let roles = roles.or_refuse(builder.directory(), Level::ROLE).unwrap_or_default();
    if roles.iter().any(|role| role.is_predefined) {
        builder.prove(Kind::Role, Proof::Everywhere);
    }
    for role in roles {
        let entry = map::entry(Level::ROLE, role.id.clone(), Some(role.name.clone()), None);
        builder.directory().insert(entry);
        let outline = map::outline(&role);
        let part = [Part::Thing(Kind::Role, outline.id.clone())];
        let whole = reading.take(&part, super::read::with_permissions(role))?;
        builder.add(whole.unwrap_or(outline));
    }
    Ok(())
}
