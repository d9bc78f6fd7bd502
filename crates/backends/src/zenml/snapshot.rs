//! One sweep: the lists that are needed, read to their ends, then who holds each held role where something of it is held, and what the
//! silence of all that proves.
//!
//! **Roles.** The list has all roles of the organization at all levels: its filters are known with their defaults, and the one that is not
//! off by itself (the type) hides nothing that is managed here; who may not list is refused (contract 1, 2.1). Each organization has
//! predefined roles (contract 3), so a list without any of them is no whole list, whatever cut it down. A role that is not in a list that
//! held still and has predefined ones is gone.
//!
//! **Grants.** There is no list of all assignments; those of one role in one scope are given whole, without pages and without a filter but
//! the scope (contract 2.2), and who may not see them is refused. So a grant that is not among them is gone, and so is every grant of a role
//! that is gone. Should a server show an empty list where it ought to refuse, it would hide more than this one: so of an empty list the
//! workspace has to be seen, and that anybody holds anything, which is always so, as nobody can take its owner's role from an organization
//! (contract 2.2); and behind that it has to be empty still. A role or scope that is not found proves nothing: it may be hidden. Each grant is its own place of proof, because nothing
//! was asked about those that nobody named.
//!
//! A list that the credential may not read leaves its part empty and unproven, and the others as they are. Any other failure makes no
//! snapshot.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::try_join;

use super::{
    client::Client,
    ids::{self, GrantId, PROJECT, Principal, SERVICE_ACCOUNT, Scope, TEAM, USER, WORKSPACE},
    map,
    pages::Listing,
    people::{INVITE, People},
    projects,
    sight::{self, Sight},
    wire::{self, Assignment},
};
use crate::{
    Error, Needs,
    reading::{Part, each},
};
use rolewright_core::model::{Builder, Directory, Entry, Id, Kind, Named, Proof, ROLE, Snapshot};

/// What is needed, in ZenML's words.
struct Wanted<'a> {
    levels: &'a BTreeSet<String>,
    roles: bool,
    people: bool,
    /// The grants that are held.
    grants: BTreeSet<GrantId>,
    /// The roles that are held, by level and name.
    held_roles: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Wanted<'a> {
    fn of(needs: &'a Needs) -> Self {
        let held = needs.held.iter().filter(|_| needs.kinds.contains(&Kind::Grant));
        let grants: BTreeSet<GrantId> = held.clone().filter_map(|id| GrantId::of(id.as_str())).collect();
        let named = |level: &str| needs.levels.contains(level);
        let invited = grants.iter().any(|grant| matches!(grant.principal, Principal::Invitation { .. }));
        Self {
            levels: &needs.levels,
            roles: needs.kinds.contains(&Kind::Role) || named(ROLE) || !grants.is_empty(),
            people: named(USER) || named(SERVICE_ACCOUNT) || invited,
            grants,
            held_roles: held.filter_map(ids::of_role_asked).collect(),
        }
    }

    /// Whether names of a level are needed.
    fn names(&self, level: &str) -> bool {
        self.levels.contains(level)
    }

    /// What has to be asked: who holds which role where. A role of which nothing is held is asked about without a scope, so that who holds it
    /// is seen before it is removed; some servers tell all scopes then, some none (contract 5).
    fn questions(&self, roles: &[wire::Role]) -> BTreeSet<(String, Scope)> {
        let mut asked: BTreeSet<(String, Scope)> =
            self.grants.iter().map(|grant| (grant.role.clone(), grant.scope.clone())).collect();
        let with: BTreeSet<&str> = self.grants.iter().map(|grant| grant.role.as_str()).collect();
        let is_held = |role: &&wire::Role| {
            let name = role.name.as_deref().unwrap_or_default();
            self.held_roles.contains(&(role.level.as_str(), name)) && !with.contains(role.id.as_str())
        };
        asked.extend(roles.iter().filter(is_held).map(|role| (role.id.clone(), Scope::Organization)));
        asked
    }

    /// What is held for invitations that were accepted is held for the accounts from now on.
    fn hand_over(&mut self, people: &People, holders: &[Holders], builder: &mut Builder) {
        let now = |grant: GrantId| {
            let here = holders.iter().find(|it| it.role == grant.role && it.scope == grant.scope);
            let told = here.and_then(|it| it.assignments.as_deref()).unwrap_or_default();
            let Some(principal) = people.accepted(&grant, told) else { return grant };
            let now = GrantId { principal, ..grant.clone() };
            builder.set_successor(Kind::Grant, grant.key(), (now.id(), now.key()));
            now
        };
        self.grants = std::mem::take(&mut self.grants).into_iter().map(now).collect();
    }

    /// Whether any user holds the role where this grant lies that no held grant speaks of.
    fn has_strangers(&self, grant: &GrantId, holders: &[Holders]) -> bool {
        let here = holders.iter().filter(|it| it.role == grant.role && it.scope == grant.scope);
        let users = here.flat_map(|it| it.assignments.iter().flatten()).filter_map(|it| it.user.as_ref());
        let own =
            |user: &wire::User| GrantId { principal: Principal::User(user.id.clone()), ..grant.clone() };
        users.into_iter().any(|user| !self.grants.contains(&own(user)))
    }

    /// The workspaces in whose projects something is held.
    fn with_projects(&self) -> BTreeSet<String> {
        let inside = self.grants.iter().filter(|grant| grant.scope.project().is_some());
        inside.filter_map(|grant| grant.scope.workspace().map(str::to_owned)).collect()
    }
}

/// Who holds a role in a scope: None where it was not told.
struct Holders {
    role: String,
    scope: Scope,
    assignments: Option<Vec<Assignment>>,
}

/// Reads what is needed.
///
/// # Errors
/// Whatever kept a list from being read to its end, but for a refusal of the list.
pub async fn snapshot(client: &Client, needs: &Needs) -> Result<Snapshot, Error> {
    let mut wanted = Wanted::of(needs);
    client.id().await?;
    let mut builder = Builder::new();
    let (roles, people, teams, workspaces) = try_join!(
        Part::of(wanted.roles, client.roles(&[])),
        async { if wanted.people { People::all(client).await.map(Some) } else { Ok(None) } },
        Part::of(wanted.names(TEAM), client.teams()),
        Part::of(wanted.names(WORKSPACE) || wanted.names(PROJECT), client.workspaces(None)),
    )?;
    let people = people.unwrap_or_default();
    enter(builder.directory(), TEAM, teams, map::team_entry);
    enter(builder.directory(), WORKSPACE, workspaces, map::workspace_entry);
    if wanted.names(PROJECT) {
        enter_projects(client, &mut builder, &wanted).await?;
    }
    let roles = roles.noted(builder.directory(), ROLE);
    let gone = Gone::of(roles.as_ref());
    let known = roles.map(|roles| roles.items).unwrap_or_default();
    let questions = wanted.questions(&known).into_iter().filter(|(role, _)| !gone.is(role));
    let holders: Vec<Holders> = each(questions, |(role, scope)| holders(client, role, scope)).await?;
    wanted.hand_over(&people, &holders, &mut builder);
    people.entries().for_each(|entry| builder.directory().insert(entry));
    if wanted.people {
        builder.directory().refuse(USER, people.refused.as_deref().unwrap_or(INVITE));
        people.refused.iter().for_each(|why| builder.directory().refuse(SERVICE_ACCOUNT, why));
    }
    let mut proven = add_grants(&mut builder, &wanted, &known, &holders, &people);
    let nobody = empty(&holders);
    let place = |grant: &GrantId| (grant.role.clone(), grant.scope.clone());
    let doubtful: BTreeSet<(String, Scope)> =
        proven.iter().map(|grant| place(grant)).filter(|place| nobody.contains(place)).collect();
    if !doubtful.is_empty() {
        // Asked behind the empty lists, and these once more behind that: rights that change in between have proven nothing.
        let sight = Sight::of(client, &known).await?;
        let again = each(doubtful, |(role, scope)| self::holders(client, role, scope)).await?;
        let still = empty(&again);
        proven.retain(|grant| {
            let place = place(grant);
            !nobody.contains(&place) || still.contains(&place) && sight.reaches(&grant.scope)
        });
    }
    proven.retain(|grant| match &grant.principal {
        // Whoever accepted it may go by another address by now: any of those who hold the role there and are not known to hold it otherwise.
        Principal::Invitation { uuid, .. } => {
            people.shows(uuid) || people.whole && !wanted.has_strangers(grant, &holders)
        }
        _ => true,
    });
    proven.extend(wanted.grants.iter().filter(|grant| gone.is(&grant.role)));
    builder.prove(Kind::Grant, Proof::Within(proven.into_iter().map(GrantId::id).collect::<HashSet<Id>>()));
    for role in known {
        builder.directory().insert(map::role_entry(&role));
        builder.add(map::role(role));
    }
    if gone.seen.is_some() {
        builder.prove(Kind::Role, Proof::Everywhere);
    }
    Ok(builder.complete())
}

/// Which roles are known not to be there.
struct Gone {
    /// All that are there. None where that is not known.
    seen: Option<BTreeSet<String>>,
}

impl Gone {
    fn of(roles: Option<&Listing<wire::Role>>) -> Self {
        let proves =
            |roles: &&Listing<wire::Role>| roles.whole && roles.items.iter().any(|role| role.system_managed);
        let ids = |roles: &Listing<wire::Role>| roles.items.iter().map(|role| role.id.clone()).collect();
        Self { seen: roles.filter(proves).map(ids) }
    }

    fn is(&self, role: &str) -> bool {
        self.seen.as_ref().is_some_and(|seen| !seen.contains(role))
    }
}

/// The roles and scopes where nobody was told to hold anything.
fn empty(holders: &[Holders]) -> BTreeSet<(String, Scope)> {
    let is_empty = |it: &&Holders| it.assignments.as_ref().is_some_and(Vec::is_empty);
    holders.iter().filter(is_empty).map(|it| (it.role.clone(), it.scope.clone())).collect()
}

fn enter<T>(directory: &mut Directory, level: &str, part: Part<Listing<T>>, entry: impl Fn(T) -> Entry) {
    let items = part.noted(directory, level).into_iter().flat_map(|listing| listing.items);
    items.for_each(|item| directory.insert(entry(item)));
}

/// The projects that something is held in, by id, and by name where the server tells names.
async fn enter_projects(client: &Client, builder: &mut Builder, wanted: &Wanted<'_>) -> Result<(), Error> {
    for grant in &wanted.grants {
        if let Scope::Project { workspace, project } = &grant.scope {
            builder.directory().insert(map::project_entry(workspace, project, None));
        }
    }
    let ask = |workspace: String| async move { projects::all(client, &workspace).await };
    let listed = each(wanted.with_projects(), ask).await?;
    builder.directory().refuse(PROJECT, projects::BY_ID);
    listed.into_iter().flat_map(Part::into_items).for_each(|entry| builder.directory().insert(entry));
    Ok(())
}

async fn holders(client: &Client, role: String, scope: Scope) -> Result<Holders, Error> {
    let assignments = sight::holders(client, &role, &scope).await?;
    Ok(Holders { role, scope, assignments })
}

/// Adds what was told, and gives those of the held grants about which it was told all.
fn add_grants<'a>(
    builder: &mut Builder,
    wanted: &'a Wanted<'_>,
    known: &[wire::Role],
    holders: &[Holders],
    people: &People,
) -> BTreeSet<&'a GrantId> {
    let names: BTreeMap<&str, Named> =
        known.iter().map(|role| (role.id.as_str(), map::role_named(role))).collect();
    let mut told: BTreeSet<(&str, &Scope)> = BTreeSet::new();
    for Holders { role, scope, assignments } in holders {
        let Some(assignments) = assignments else { continue };
        let mut all_known = true;
        for assignment in assignments {
            let (Some(holder), Some(place)) = (map::holder(assignment), map::scope(assignment)) else {
                all_known = false;
                continue;
            };
            let role =
                names.get(role.as_str()).cloned().unwrap_or_else(|| Named::unnamed(ROLE, Id::new(role)));
            let scope_named = (place != Scope::Organization)
                .then(|| builder.directory().named(place.level(), &Id::new(place.text())));
            let accepted = Principal::of(holder.id.as_str()).and_then(|principal| {
                let row = GrantId { role: role.id.to_string(), scope: place.clone(), principal };
                people.accepted(&row, std::slice::from_ref(assignment))
            });
            let id = accepted.map_or(holder.id, |account| account.id());
            builder.add(map::grant(role, &place, scope_named, Named { id, ..holder }));
        }
        if all_known {
            told.insert((role, scope));
        }
    }
    wanted.grants.iter().filter(|grant| told.contains(&(grant.role.as_str(), &grant.scope))).collect()
}
