//! Reads one snapshot: the lists that are needed, and what they prove (contract 1.4, 2.2 to 2.6).
//!
//! A list that the credential may not read leaves its part empty and unproven; the other parts are complete. Any other failure makes no
//! snapshot, and neither does a Grafana without the RBAC API if that API is needed.

use std::collections::{BTreeSet, HashSet};

use futures::try_join;

use super::{
    client::{Client, Status},
    ids::{self, Endpoints, Principal, Resource, ResourceKind},
    map,
    pages::Pages,
    resources,
    visibility::{OwnPermissions, Visibility},
    wire::{self, Assigned},
};
use crate::{
    Class, Error, Needs,
    reading::{Part, for_each},
};
use rolewright_core::model::{Builder, Entry, Kind, Level, Named, Observed, Proof, Snapshot, SubjectKind};

/// The roles of principals.
#[derive(Default)]
struct Holdings {
    roles: Vec<(Principal, Vec<wire::Role>)>,
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
/// Any failure to read a list to its end but a refusal of the list; [`Class::Unsupported`] if the RBAC API is needed and missing.
pub async fn snapshot(client: &Client, needs: &Needs) -> Result<Snapshot, Error> {
    let selection = Selection::of(needs);
    // Asked before the lists and again after them: a credential whose rights change in between proves nothing.
    let before = visibility(client).await?;
    let (roles, users, accounts, teams) = try_join!(
        roles(client, selection.roles),
        Part::read_if(selection.kinds.contains(&SubjectKind::User), client.get(&["org", "users"], &[])),
        Part::read_if(selection.kinds.contains(&SubjectKind::ServiceAccount), Pages::new(client, &[]).all()),
        Part::read_if(selection.kinds.contains(&SubjectKind::Team), Pages::new(client, &[]).all()),
    )?;
    let mut builder = Builder::new();
    let mut principals = if selection.grants { selection.subjects.clone() } else { BTreeSet::new() };
    let mut noted = |entry: Entry| {
        principals.extend(Principal::of(&entry.named.id).filter(|_| selection.grants));
        Some(entry)
    };
    let directory = builder.directory();
    users.enter(directory, Level::USER, |it| noted(map::user(it)));
    accounts.enter(directory, Level::SERVICE_ACCOUNT, |it| noted(map::service_account(it)));
    teams.enter(directory, Level::TEAM, |it| noted(map::team(it)));
    let (of_users, of_teams) = try_join!(
        holdings(client, Endpoints::Users, &principals, &selection.subjects),
        holdings(client, Endpoints::Teams, &principals, &selection.subjects),
    )?;
    for kind in &selection.resources {
        let entries = Part::read_if(true, resources::entries(client, *kind, None)).await?;
        entries.enter(builder.directory(), kind.level(), Some);
    }
    let restrictions = restrictions(client, &mut builder, &selection.restricted).await?;
    let visible = before.and(visibility(client).await?);
    add_restrictions(&mut builder, restrictions, visible);
    // Asked last: a licence that expired in between could have emptied the lists.
    let visible = match selection.rbac() {
        true if matches!(client.status().await?, Status::Enabled) => visible,
        _ => Visibility::default(),
    };
    add_roles(&mut builder, roles, visible);
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
    Ok(builder.complete())
}

/// The lists that the credential sees completely. A server that does not show the permissions of the credential proves nothing.
async fn visibility(client: &Client) -> Result<Visibility, Error> {
    let own = Part::read_if(true, client.own_permissions()).await?;
    Ok(own.list().map(OwnPermissions::visibility).unwrap_or_default())
}

async fn roles(client: &Client, needed: bool) -> Result<Part<Vec<wire::Role>>, Error> {
    let all = async {
        match client.roles().await {
            Err(error) if error.class == Class::Missing => {
                client.status().await?;
                // The API exists and its first list does not: the servers behind one address differ.
                Err(Error::new(Class::Transient, error.message))
            }
            roles => roles,
        }
    };
    Part::read_if(needed, all).await
}

/// The roles of principals. A principal that the answer omits can have roles too: those with managed grants are read one by one, and
/// nothing is said about the others.
async fn holdings(
    client: &Client,
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
    let mut assigned = match client.roles_of_all(endpoints, &numbers).await {
        Ok(assigned) => assigned,
        Err(error) if error.class == Class::Denied => return Ok(Holdings::default()),
        // Older servers do not have this search (contract 2.3).
        Err(error) if matches!(error.class, Class::Missing | Class::Unsupported | Class::Invalid) => {
            client.status().await?;
            Assigned::new()
        }
        Err(error) => return Err(error),
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
    let single: Vec<Option<(Principal, Vec<wire::Role>)>> =
        for_each(omitted, |principal| roles_of_one(client, principal)).await?;
    roles.extend(single.into_iter().flatten());
    Ok(Holdings { roles })
}

/// The roles of one principal, which are empty for an unknown principal. None if the credential may not read them.
async fn roles_of_one(
    client: &Client,
    principal: Principal,
) -> Result<Option<(Principal, Vec<wire::Role>)>, Error> {
    match client.roles_of(principal).await {
        Ok(roles) => Ok(Some((principal, roles.unwrap_or_default()))),
        Err(error) if matches!(error.class, Class::Denied | Class::Invalid) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The resources of managed restrictions that can be read: each with its default permissions, or None if neither its permissions nor
/// the resource itself are found.
async fn restrictions(
    client: &Client,
    builder: &mut Builder,
    restricted: &BTreeSet<Resource>,
) -> Result<Vec<(Resource, Option<Observed>)>, Error> {
    let mut named = |resource: &Resource| builder.directory().named(resource.kind.level(), &resource.id());
    let restricted: Vec<(Resource, Named)> =
        restricted.iter().map(|resource| (resource.clone(), named(resource))).collect();
    let read = for_each(restricted, |(resource, named)| async move {
        match resources::restriction(client, named).await {
            Ok(Some(seen)) => Ok(Some((resource, Some(seen)))),
            Ok(None) => match client.exists(&resource).await {
                Ok(false) => Ok(Some((resource, None))),
                Ok(true) => Ok(None),
                Err(error) if matches!(error.class, Class::Denied | Class::Invalid) => Ok(None),
                Err(error) => Err(error),
            },
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

/// Roles are things and names. Every Grafana has fixed roles, so a list without any reserved role is incomplete.
fn add_roles(builder: &mut Builder, roles: Part<Vec<wire::Role>>, visible: Visibility) {
    let roles = roles.or_refuse(builder.directory(), Level::ROLE).unwrap_or_default();
    let mut reserved = false;
    for role in roles {
        builder.directory().insert(map::role_entry(&role));
        let seen = map::outline(role);
        reserved |= seen.read_only.is_some();
        builder.add(seen);
    }
    if visible.roles && reserved {
        builder.prove(Kind::Role, Proof::Everywhere);
    }
}
