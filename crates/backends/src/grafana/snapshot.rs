//! One sweep: the lists that are needed, read to their ends, and what their silence proves (contract 1.4, 2.2 to 2.6).
//!
//! A list that the credential may not read leaves its part empty and unproven, and the others as they are. Any other failure makes no
//! snapshot, and neither does a Grafana that has no RBAC API, or none any more.

use std::collections::{BTreeSet, HashSet};

use futures::try_join;

use super::{
    client::{Client, Status},
    ids::{Group, Principal, Resource, Sort},
    map,
    pages::Pages,
    resources,
    rights::{Rights, Sight},
    wire::{self, Assigned},
};
use crate::{
    Class, Error, Needs,
    reading::{Part, each},
};
use rolewright_core::model::{Builder, Entry, Kind, Named, Observed, Proof, ROLE, Snapshot, SubjectKind};

/// What principals of a group hold.
#[derive(Default)]
struct Holdings {
    roles: Vec<(Principal, Vec<wire::Role>)>,
}

/// What is needed, in Grafana's words.
struct Wanted {
    roles: bool,
    grants: bool,
    kinds: BTreeSet<SubjectKind>,
    /// The subjects of held grants.
    held: BTreeSet<Principal>,
    /// The sorts of resources whose names are needed.
    sorts: BTreeSet<Sort>,
    /// The resources of held restrictions.
    restricted: BTreeSet<Resource>,
}

impl Wanted {
    fn of(needs: &Needs) -> Self {
        let grants = needs.kinds.contains(&Kind::Grant);
        let held: BTreeSet<Principal> =
            needs.held.iter().filter(|_| grants).filter_map(Principal::of).collect();
        let named = needs.levels.iter().filter_map(|level| super::ids::kind_of(level));
        let kinds = named.chain(held.iter().map(|principal| principal.kind)).collect();
        let roles = needs.kinds.contains(&Kind::Role) || needs.levels.contains(ROLE);
        let sorts = needs.levels.iter().filter_map(|level| Sort::of(level)).collect();
        let restricts = needs.kinds.contains(&Kind::Restriction);
        let restricted = needs.held.iter().filter(|_| restricts).filter_map(Resource::of).collect();
        Self { roles, grants, kinds, held, sorts, restricted }
    }

    /// Whether anything is needed of the API that not every Grafana has.
    fn rbac(&self) -> bool {
        self.roles || self.grants
    }
}

/// Reads what is needed.
///
/// # Errors
/// Whatever kept a list from being read to its end, but for a refusal of the list; [`Class::Unsupported`] where there is no RBAC API.
pub async fn snapshot(client: &Client, needs: &Needs) -> Result<Snapshot, Error> {
    let wanted = Wanted::of(needs);
    // Asked before the lists and once more behind them: a credential that is widened in between has proven nothing.
    let before = sight(client).await?;
    let (roles, users, accounts, teams) = try_join!(
        roles(client, wanted.roles),
        Part::of(wanted.kinds.contains(&SubjectKind::User), client.get(&["org", "users"], &[])),
        Part::of(wanted.kinds.contains(&SubjectKind::ServiceAccount), Pages::new(client, &[]).all()),
        Part::of(wanted.kinds.contains(&SubjectKind::Team), Pages::new(client, &[]).all()),
    )?;
    let mut builder = Builder::new();
    let mut principals = if wanted.grants { wanted.held.clone() } else { BTreeSet::new() };
    let mut noted = |entry: Entry| {
        principals.extend(Principal::of(&entry.named.id).filter(|_| wanted.grants));
        Some(entry)
    };
    let directory = builder.directory();
    users.enter(directory, SubjectKind::User.level(), |it| noted(map::user(it)));
    accounts.enter(directory, SubjectKind::ServiceAccount.level(), |it| noted(map::service_account(it)));
    teams.enter(directory, SubjectKind::Team.level(), |it| noted(map::team(it)));
    let (of_users, of_teams) = try_join!(
        holdings(client, Group::Users, &principals, &wanted.held),
        holdings(client, Group::Teams, &principals, &wanted.held),
    )?;
    for sort in &wanted.sorts {
        let entries = Part::of(true, resources::entries(client, *sort, None)).await?;
        entries.enter(builder.directory(), sort.level(), Some);
    }
    let restrictions = restrictions(client, &mut builder, &wanted.restricted).await?;
    let behind = sight(client).await?;
    let sight = before.and(behind);
    add_restrictions(&mut builder, restrictions, sight);
    // Last: a licence that lapsed in between may have emptied the lists.
    let sight = match wanted.rbac() {
        true if matches!(client.status().await?, Status::Enabled) => sight,
        _ => Sight::default(),
    };
    add_roles(&mut builder, roles, sight);
    let mut proven = HashSet::new();
    for (group, Holdings { roles }) in [(Group::Users, of_users), (Group::Teams, of_teams)] {
        for (principal, held) in roles {
            let subject = builder.directory().named(principal.kind.level(), &principal.id());
            held.iter()
                .filter_map(|role| map::grant(subject.clone(), role))
                .for_each(|seen| builder.add(seen));
            proven.extend(sight.of(group).then(|| principal.id()));
        }
    }
    if !proven.is_empty() {
        builder.prove(Kind::Grant, Proof::Within(proven));
    }
    Ok(builder.complete())
}

/// Which lists hold back nothing. A server that does not tell proves nothing.
async fn sight(client: &Client) -> Result<Sight, Error> {
    let rights = Part::of(true, client.rights()).await?;
    Ok(rights.read().map(Rights::sight).unwrap_or_default())
}

async fn roles(client: &Client, wanted: bool) -> Result<Part<Vec<wire::Role>>, Error> {
    let all = async {
        match client.roles().await {
            Err(error) if error.class == Class::Missing => {
                client.status().await?;
                // The API is there and its first list is not: servers behind one address that are not of one mind.
                Err(Error::new(Class::Transient, error.message))
            }
            roles => roles,
        }
    };
    Part::of(wanted, all).await
}

/// What the principals of a group hold. Who is left out of the answer may hold roles all the same: those whose grants are held are asked
/// about by themselves, of the others nothing is said.
async fn holdings(
    client: &Client,
    group: Group,
    principals: &BTreeSet<Principal>,
    held: &BTreeSet<Principal>,
) -> Result<Holdings, Error> {
    let asked: Vec<Principal> =
        principals.iter().copied().filter(|principal| principal.group() == group).collect();
    if asked.is_empty() {
        return Ok(Holdings::default());
    }
    let numbers: BTreeSet<i64> = asked.iter().map(|principal| principal.number).collect();
    let mut assigned = match client.roles_of_all(group, &numbers).await {
        Ok(assigned) => assigned,
        Err(error) if error.class == Class::Denied => return Ok(Holdings::default()),
        // Older servers have no such search (contract 2.3).
        Err(error) if matches!(error.class, Class::Missing | Class::Unsupported | Class::Invalid) => {
            client.status().await?;
            Assigned::new()
        }
        Err(error) => return Err(error),
    };
    let mut roles = Vec::new();
    let mut omitted = Vec::new();
    for principal in asked {
        match assigned.remove(&principal.number.to_string()).flatten() {
            Some(shown) => roles.push((principal, shown)),
            None if held.contains(&principal) => omitted.push(principal),
            None => {}
        }
    }
    let alone: Vec<Option<(Principal, Vec<wire::Role>)>> =
        each(omitted, |principal| alone(client, principal)).await?;
    roles.extend(alone.into_iter().flatten());
    Ok(Holdings { roles })
}

/// What one principal holds; nothing where there is no such principal. None where nobody may tell.
async fn alone(client: &Client, principal: Principal) -> Result<Option<(Principal, Vec<wire::Role>)>, Error> {
    match client.roles_of(principal).await {
        Ok(roles) => Ok(Some((principal, roles.unwrap_or_default()))),
        Err(error) if matches!(error.class, Class::Denied | Class::Invalid) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The resources of held restrictions, as far as they can be read: each with how open it is, or None where neither its permissions nor the
/// resource itself are found.
async fn restrictions(
    client: &Client,
    builder: &mut Builder,
    restricted: &BTreeSet<Resource>,
) -> Result<Vec<(Resource, Option<Observed>)>, Error> {
    let mut named = |resource: &Resource| builder.directory().named(resource.sort.level(), &resource.id());
    let restricted: Vec<(Resource, Named)> =
        restricted.iter().map(|resource| (resource.clone(), named(resource))).collect();
    let read = each(restricted, |(resource, named)| async move {
        match resources::restriction(client, named).await {
            Ok(Some(seen)) => Ok(Some((resource, Some(seen)))),
            Ok(None) => match client.is_there(&resource).await {
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

fn add_restrictions(builder: &mut Builder, read: Vec<(Resource, Option<Observed>)>, sight: Sight) {
    let mut proven = HashSet::new();
    for (resource, seen) in read {
        match seen {
            Some(seen) => builder.add(seen),
            None if sight.of_sort(resource.sort) => {
                proven.insert(resource.id());
            }
            None => {}
        }
    }
    builder.prove(Kind::Restriction, Proof::Within(proven));
}

/// Roles are things and names at once. Every Grafana has fixed roles, so a list without any of its own is no whole list.
fn add_roles(builder: &mut Builder, roles: Part<Vec<wire::Role>>, sight: Sight) {
    let roles = roles.noted(builder.directory(), ROLE).unwrap_or_default();
    let mut own = false;
    for role in roles {
        builder.directory().insert(map::role_entry(&role));
        let seen = map::outline(role);
        own |= seen.read_only.is_some();
        builder.add(seen);
    }
    if sight.roles && own {
        builder.prove(Kind::Role, Proof::Everywhere);
    }
}
