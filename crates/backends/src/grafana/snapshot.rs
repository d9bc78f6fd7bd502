//! Reads one snapshot: the lists that are needed, and what they prove (contract 1.4, 2.2 to 2.6).
//!
//! A list that the credential may not read leaves its part empty and unproven. A call that fails leaves its part unread. The other parts are
//! complete. A Grafana without the RBAC API makes no snapshot if that API is needed.

use std::collections::{BTreeSet, HashSet};

use futures::try_join;

use super::{
    client::{Client, Status, is_of_grafana},
    ids::{self, Endpoints, Principal, Resource, ResourceKind},
    map,
    pages::Pages,
    resources::{self, State},
    visibility::{OwnPermissions, Visibility},
    wire::{self, Assigned, AssignedRole},
};
use crate::{Class, Error, Needs, reading::Reading};
use rolewright_core::model::{
    Builder, Entry, Kind, Level, Named, Observed, Part, Proof, Snapshot, SubjectKind,
};

/// The roles of principals.
#[derive(Default)]
struct Holdings {
    roles: Vec<(Principal, Vec<AssignedRole>)>,
}

/// The needs in Grafana's terms.
struct Selection {
    roles: bool,
    grants: bool,
    kinds: BTreeSet<SubjectKind>,
    /// The subjects of managed grants.
    subjects: BTreeSet<Principal>,
    /// The kinds of resources whose names are needed.
    resources: BTreeSet<ResourceKind>,
    /// The resources of managed restrictions.
    restricted: BTreeSet<Resource>,
}

impl Selection {
    fn of(needs: &Needs) -> Self {
        let grants = needs.kinds.contains(&Kind::Grant);
        let subjects: BTreeSet<Principal> =
            needs.hints.iter().filter(|_| grants).filter_map(Principal::of).collect();
        let named = needs.levels.iter().filter_map(|level| ids::principal_kind(*level));
        let kinds = named.chain(subjects.iter().map(|principal| principal.kind)).collect();
        let roles = needs.kinds.contains(&Kind::Role) || needs.levels.contains(&Level::ROLE);
        let resources = needs.levels.iter().filter_map(|level| ResourceKind::of(*level)).collect();
        let restricts = needs.kinds.contains(&Kind::Restriction);
        let restricted = needs.hints.iter().filter(|_| restricts).filter_map(Resource::of).collect();
        Self { roles, grants, kinds, subjects, resources, restricted }
    }

    /// Whether the RBAC API is needed, which not every Grafana has.
    fn rbac(&self) -> bool {
        self.roles || self.grants
    }
}

/// Reads one snapshot.
///
/// # Errors
/// A failure of the whole account: see [`Reading`]. [`Class::Unsupported`] if the RBAC API is needed and missing.
pub async fn snapshot(client: &Client, needs: &Needs) -> Result<Snapshot, Error> {
    let (selection, reading) = (Selection::of(needs), Reading::default());
    // Asked before the lists and again after them: a credential whose rights change in between proves nothing.
    let before = visibility(client, &reading).await?;
    let needed = |kind: SubjectKind| selection.kinds.contains(&kind);
    let (users, accounts, teams) = (SubjectKind::User, SubjectKind::ServiceAccount, SubjectKind::Team);
    let names = |kind: SubjectKind| [Part::Names(kind.level())];
    let (users, accounts, teams) = try_join!(
        reading.list(needed(users), names(users), Pages::new(client, &[]).all()),
        reading.list(needed(accounts), names(accounts), Pages::new(client, &[]).all()),
        reading.list(needed(teams), names(teams), Pages::new(client, &[]).all()),
    )?;
    let mut builder = Builder::new();
    let mut principals = if selection.grants { selection.subjects.clone() } else { BTreeSet::new() };
    let mut noted = |entry: Entry| {
        principals.extend(Principal::of(&entry.named.id).filter(|_| selection.grants));
        Some(entry)
    };
    let directory = builder.directory();
    // So does Grafana since version 11 (contract 2.6).
    directory.ignore_case(Level::USER);
    users.enter(directory, Level::USER, |it| noted(map::user(it)));
    accounts.enter(directory, Level::SERVICE_ACCOUNT, |it| noted(map::service_account(it)));
    teams.enter(directory, Level::TEAM, |it| noted(map::team(it)));
    let (of_users, of_teams) = try_join!(
        holdings(client, &reading, Endpoints::Users, &principals, &selection.subjects),
        holdings(client, &reading, Endpoints::Teams, &principals, &selection.subjects),
    )?;
    for kind in &selection.resources {
        let names = [Part::Names(kind.level())];
        let entries = reading.list(true, names, resources::entries(client, *kind, None)).await?;
        entries.enter(builder.directory(), kind.level(), Some);
    }
    let restrictions = restrictions(client, &reading, &mut builder, &selection.restricted).await?;
    // After the other lists: a licence that expired in between could have emptied them. A role of Grafana's own shows that roles are on,
    // and that this list is complete.
    let parts = [Part::Kind(Kind::Role), Part::Names(Level::ROLE)];
    let roles = reading.list(selection.roles, parts, roles(client)).await?;
    let visible = before.and(visibility(client, &reading).await?);
    add_restrictions(&mut builder, restrictions, visible);
    let has_roles_of_grafana = roles.items().iter().any(is_of_grafana);
    let visible = match selection.rbac() {
        true if has_roles_of_grafana || is_enabled(client, &reading).await? => visible,
        _ => Visibility::default(),
    };
    for role in roles.or_refuse(builder.directory(), Level::ROLE).unwrap_or_default() {
        builder.directory().insert(map::role_entry(&role));
        builder.add(map::outline(role));
    }
    if visible.roles && has_roles_of_grafana {
        builder.prove(Kind::Role, Proof::Everywhere);
    }
    let mut proven = HashSet::new();
    for (endpoints, Holdings { roles }) in [(Endpoints::Users, of_users), (Endpoints::Teams, of_teams)] {
        for (principal, assigned) in roles {
            let subject = builder.directory().named(principal.kind.level(), &principal.id());
            assigned
                .iter()
                .filter_map(|role| map::grant(subject.clone(), role))
                .for_each(|grant| builder.add(grant));
            proven.extend(visible.of(endpoints).then(|| principal.id()));
        }
    }
    if !proven.is_empty() {
        builder.prove(Kind::Grant, Proof::Within(proven));
    }
    reading.finish(builder)
}

/// The lists that the credential sees completely. A server that does not show the permissions of the credential proves nothing.
async fn visibility(client: &Client, reading: &Reading) -> Result<Visibility, Error> {
    let own = reading.rights(client.own_permissions().await)?;
    Ok(own.as_ref().map(OwnPermissions::visibility).unwrap_or_default())
}

/// Whether the RBAC API is known to be on.
async fn is_enabled(client: &Client, reading: &Reading) -> Result<bool, Error> {
    match client.status().await {
        Err(error) if error.class == Class::Unsupported => Err(error),
        status => Ok(matches!(reading.rights(status)?, Some(Status::Enabled))),
    }
}

async fn roles(client: &Client) -> Result<Vec<wire::Role>, Error> {
    match client.roles().await {
        Err(error) if error.class == Class::Missing => {
            client.status().await?;
            // The API exists and its first list does not: the servers behind one address differ.
            Err(Error::new(Class::Transient, error.message))
        }
        roles => roles,
    }
}

/// The roles of principals. A principal that the answer omits can have roles too: those with managed grants are read one by one, and
/// nothing is said about the others.
async fn holdings(
    client: &Client,
    reading: &Reading,
    endpoints: Endpoints,
    principals: &BTreeSet<Principal>,
    managed: &BTreeSet<Principal>,
) -> Result<Holdings, Error> {
    let of_endpoints: Vec<Principal> =
        principals.iter().copied().filter(|principal| principal.endpoints() == endpoints).collect();
    if of_endpoints.is_empty() {
        return Ok(Holdings::default());
    }
    let numbers: BTreeSet<i64> = of_endpoints.iter().map(|principal| principal.number).collect();
    let kinds = [SubjectKind::User, SubjectKind::ServiceAccount, SubjectKind::Team];
    let of_endpoints_too = |kind: &SubjectKind| Principal { kind: *kind, number: 0 }.endpoints() == endpoints;
    let parts = kinds.into_iter().filter(of_endpoints_too);
    let parts: Vec<Part> = parts.map(|kind| Part::Level(Kind::Grant, kind.level())).collect();
    let Some(mut assigned) = reading.take(&parts, search(client, endpoints, &numbers).await)?.flatten()
    else {
        return Ok(Holdings::default());
    };
    let mut roles = Vec::new();
    let mut omitted = Vec::new();
    for principal in of_endpoints {
        match assigned.remove(&principal.number.to_string()).flatten() {
            Some(shown) => roles.push((principal, shown)),
            None if managed.contains(&principal) => omitted.push(principal),
            None => {}
        }
    }
    let part = |principal: &Principal| vec![Part::Place(Kind::Grant, principal.id())];
    let single = reading.each(omitted, part, |principal| roles_of_one(client, principal)).await?;
    roles.extend(single.into_iter().flatten());
    Ok(Holdings { roles })
}

/// The roles of many principals. Empty if the server does not have the search, None if the credential may not use it.
async fn search(
    client: &Client,
    endpoints: Endpoints,
    numbers: &BTreeSet<i64>,
) -> Result<Option<Assigned>, Error> {
    match client.roles_of_all(endpoints, numbers).await {
        Err(error) if error.class == Class::Denied => Ok(None),
        // Older servers do not have this search (contract 2.3).
        Err(error) if matches!(error.class, Class::Missing | Class::Unsupported | Class::Invalid) => {
            client.status().await.map(|_| Some(Assigned::new()))
        }
        assigned => assigned.map(Some),
    }
}

/// The roles of one principal, which are empty for an unknown principal. None if the credential may not read them.
async fn roles_of_one(
    client: &Client,
    principal: Principal,
) -> Result<Option<(Principal, Vec<AssignedRole>)>, Error> {
    match client.roles_of(principal).await {
        Ok(roles) => Ok(Some((principal, roles.unwrap_or_default()))),
        Err(error) if matches!(error.class, Class::Denied | Class::Invalid) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The resources of managed restrictions that can be read: each with its default permissions, or None if the resource is not found.
async fn restrictions(
    client: &Client,
    reading: &Reading,
    builder: &mut Builder,
    restricted: &BTreeSet<Resource>,
) -> Result<Vec<(Resource, Option<Observed>)>, Error> {
    let directory = builder.directory();
    let mut known = |resource: &Resource| {
        let (id, level) = (resource.id(), resource.kind.level());
        (resource.clone(), directory.named(level, &id), directory.get(&id).is_some())
    };
    let restricted: Vec<(Resource, Named, bool)> = restricted.iter().map(&mut known).collect();
    let part = |(resource, ..): &(Resource, Named, bool)| vec![Part::Thing(Kind::Restriction, resource.id())];
    let read = reading.each(restricted, part, |(resource, named, is_listed)| async move {
        let state = match resources::state(client, named, is_listed).await {
            Ok(State::WithoutPermissions) => client.exists(&resource).await.map(|exists| match exists {
                true => State::WithoutPermissions,
                false => State::Missing,
            }),
            state => state,
        };
        match state {
            Ok(State::Read(seen)) => Ok(Some((resource, Some(*seen)))),
            Ok(State::Missing) => Ok(Some((resource, None))),
            Ok(State::WithoutPermissions) => Ok(None),
            Err(error) if matches!(error.class, Class::Denied | Class::Invalid) => Ok(None),
            Err(error) => Err(error),
        }
    });
    Ok(read.await?.into_iter().flatten().collect())
}

fn add_restrictions(builder: &mut Builder, read: Vec<(Resource, Option<Observed>)>, visible: Visibility) {
    let mut proven = HashSet::new();
    for (resource, seen) in read {
        match seen {
            Some(seen) => builder.add(seen),
            None if visible.of_kind(resource.kind) => {
                proven.insert(resource.id());
            }
            None => {}
        }
    }
    builder.prove(Kind::Restriction, Proof::Within(proven));
}
