//! Reads one snapshot: the lists that are needed, then the assignments of each role in each scope where a managed grant is, and what they
//! prove.
//!
//! **Roles.** The list has all roles of the organization, whatever their level. All its filters have known defaults, and the only one that
//! filters by default (`type`) hides nothing that Rolewright manages; a credential that may not list roles is refused (contract 1.3, 2.1).
//! Every organization has predefined roles (contract 3.1), so a list without any is incomplete. A role that is missing from a stable list
//! with predefined roles is deleted.
//!
//! **Grants.** There is no list of all assignments. Those of one role in one scope come complete, without pages and without other filters
//! (contract 2.2), and a credential that may not read them is refused. So a grant that is missing there is deleted, and so is every grant of a
//! deleted role. A server that shows an empty list where it should refuse would hide more than one grant. So an empty list proves something
//! only if the workspace is visible, if at least one assignment is visible (there always is one, because nobody can take the admin role from
//! the owner of an organization, contract 2.2), and if the list is still empty after that. A role or scope that is not found proves nothing,
//! because it can be hidden. Each grant is its own place of proof, because nothing was read about the others.
//!
//! A list that the credential may not read leaves its part empty and unproven. A call that fails leaves its part unread. The other parts are
//! complete.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::try_join;

use super::{
    client::Client,
    ids::{self, GrantId, PROJECT, Principal, Scope, WORKSPACE},
    map,
    pages::Listing,
    people::{INVITE, People},
    projects,
    visibility::{self, Visibility},
    wire::{self, Assignment},
};
use crate::{
    Error, Needs,
    reading::{List, Reading},
};
use rolewright_core::model::{Builder, Directory, Entry, Id, Kind, Level, Named, Part, Proof, Snapshot};

/// The needs in ZenML's terms.
struct Selection<'a> {
    levels: &'a BTreeSet<Level>,
    roles: bool,
    people: bool,
    /// The managed grants.
    grants: BTreeSet<GrantId>,
    /// The roles of managed grants, by level and name.
    granted_roles: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Selection<'a> {
    fn of(needs: &'a Needs) -> Self {
        let hints = needs.hints.iter().filter(|_| needs.kinds.contains(&Kind::Grant));
        let grants: BTreeSet<GrantId> = hints.clone().filter_map(|id| GrantId::of(id.as_str())).collect();
        let named = |level: Level| needs.levels.contains(&level);
        let invited = grants.iter().any(|grant| matches!(grant.principal, Principal::Invitation { .. }));
        Self {
            levels: &needs.levels,
            roles: needs.kinds.contains(&Kind::Role) || named(Level::ROLE) || !grants.is_empty(),
            people: named(Level::USER) || named(Level::SERVICE_ACCOUNT) || invited,
            grants,
            granted_roles: hints.filter_map(ids::of_role_hint).collect(),
        }
    }

    /// Whether the names of a level are needed.
    fn names(&self, level: Level) -> bool {
        self.levels.contains(&level)
    }

    /// The roles and scopes to read assignments of. A managed role without managed grants is read without a scope, so that its subjects are
    /// known before it is deleted; some servers then show all scopes, others none (contract 5).
    fn reads(&self, roles: &[wire::Role]) -> BTreeSet<(String, Scope)> {
        let mut reads: BTreeSet<(String, Scope)> =
            self.grants.iter().map(|grant| (grant.role.clone(), grant.scope.clone())).collect();
        let granted: BTreeSet<&str> = self.grants.iter().map(|grant| grant.role.as_str()).collect();
        let other = |role: &&wire::Role| {
            let name = role.name.as_deref().unwrap_or_default();
            self.granted_roles.contains(&(role.level.as_str(), name)) && !granted.contains(role.id.as_str())
        };
        reads.extend(roles.iter().filter(other).map(|role| (role.id.clone(), Scope::Organization)));
        reads
    }

    /// Replaces managed grants to accepted invitations by grants to the accounts.
    fn follow_accepted(&mut self, people: &People, read: &[Assigned], builder: &mut Builder) {
        let now = |grant: GrantId| {
            // Unread assignments are recorded under the ids as they are.
            let Some(here) = read.iter().find(|it| it.role == grant.role && it.scope == grant.scope) else {
                return grant;
            };
            let assignments = here.assignments.as_deref().unwrap_or_default();
            let Some(principal) = people.accepted(&grant, assignments) else { return grant };
            let now = GrantId { principal, ..grant.clone() };
            builder.set_successor(Kind::Grant, grant.key(), (now.id(), now.key()));
            now
        };
        self.grants = std::mem::take(&mut self.grants).into_iter().map(now).collect();
    }

    /// Whether a user without a managed grant has the role of this grant in its scope.
    fn has_unmanaged_users(&self, grant: &GrantId, read: &[Assigned]) -> bool {
        let here = read.iter().filter(|it| it.role == grant.role && it.scope == grant.scope);
        let users = here.flat_map(|it| it.assignments.iter().flatten()).filter_map(|it| it.user.as_ref());
        let own =
            |user: &wire::User| GrantId { principal: Principal::User(user.id.clone()), ..grant.clone() };
        users.into_iter().any(|user| !self.grants.contains(&own(user)))
    }

    /// What is unread when the assignments of a role in a scope are: its grants, which are each a place of proof.
    fn parts_of(&self, role: &str, scope: &Scope) -> Vec<Part> {
        let here = self.grants.iter().filter(|grant| grant.role == *role && grant.scope == *scope);
        let all = Id::new(format!("{role}/{}", scope.text()));
        let places = std::iter::once(all).chain(here.map(GrantId::id));
        places.map(|place| Part::Place(Kind::Grant, place)).collect()
    }

    /// What is unread when the members or the invitations are: names, and whether the managed grants of invitations passed to accounts.
    fn parts_of_people(&self) -> Vec<Part> {
        let invited =
            self.grants.iter().filter(|grant| matches!(grant.principal, Principal::Invitation { .. }));
        let names = [Level::USER, Level::SERVICE_ACCOUNT].map(Part::Names);
        names.into_iter().chain(invited.map(|grant| Part::Place(Kind::Grant, grant.id()))).collect()
    }

    /// The workspaces that have managed grants in their projects.
    fn workspaces_with_projects(&self) -> BTreeSet<String> {
        let inside = self.grants.iter().filter(|grant| grant.scope.project().is_some());
        inside.filter_map(|grant| grant.scope.workspace().map(str::to_owned)).collect()
    }
}

/// The assignments of a role in a scope. None if they could not be read.
struct Assigned {
    role: String,
    scope: Scope,
    assignments: Option<Vec<Assignment>>,
}

/// Reads one snapshot.
///
/// # Errors
/// A failure of the whole account: see [`Reading`].
pub async fn snapshot(client: &Client, needs: &Needs) -> Result<Snapshot, Error> {
    let mut selection = Selection::of(needs);
    client.id().await?;
    let mut builder = Builder::new();
    let reading = Reading::default();
    let (of_roles, of_people) =
        ([Part::Kind(Kind::Role), Part::Names(Level::ROLE)], selection.parts_of_people());
    let places = selection.names(WORKSPACE) || selection.names(PROJECT);
    let (roles, members, invitations, teams, workspaces) = try_join!(
        reading.list(selection.roles, of_roles, client.roles(&[])),
        reading.list(selection.people, &of_people, client.members()),
        reading.list(selection.people, &of_people, client.invitations(None)),
        reading.list(selection.names(Level::TEAM), [Part::Names(Level::TEAM)], client.teams()),
        reading.list(places, [WORKSPACE, PROJECT].map(Part::Names), client.workspaces(None)),
    )?;
    let people_read = !matches!((&members, &invitations), (List::Failed, _) | (_, List::Failed));
    let people = People::of(members, invitations);
    enter(builder.directory(), Level::TEAM, teams, map::team_entry);
    enter(builder.directory(), WORKSPACE, workspaces, map::workspace_entry);
    if selection.names(PROJECT) {
        enter_projects(client, &reading, &mut builder, &selection).await?;
    }
    let roles = roles.or_refuse(builder.directory(), Level::ROLE);
    let existing = ExistingRoles::of(roles.as_ref());
    let roles = roles.map(|roles| roles.items).unwrap_or_default();
    let reads = selection.reads(&roles).into_iter().filter(|(role, _)| !existing.exclude(role));
    let part = |(role, scope): &(String, Scope)| selection.parts_of(role, scope);
    let read: Vec<Assigned> =
        reading.each(reads, part, |(role, scope)| assigned(client, role, scope)).await?;
    selection.follow_accepted(&people, &read, &mut builder);
    people.entries().for_each(|entry| builder.directory().insert(entry));
    if selection.people {
        builder.directory().refuse(Level::USER, people.refused.as_deref().unwrap_or(INVITE));
        people.refused.iter().for_each(|why| builder.directory().refuse(Level::SERVICE_ACCOUNT, why));
    }
    let mut proven = add_grants(&mut builder, &selection, &roles, &read, &people);
    let nobody = empty(&read);
    let place = |grant: &GrantId| (grant.role.clone(), grant.scope.clone());
    let doubtful: BTreeSet<(String, Scope)> =
        proven.iter().map(|grant| place(grant)).filter(|place| nobody.contains(place)).collect();
    if !doubtful.is_empty() {
        // Asked after the empty lists, which are then read once more: rights that change in between prove nothing.
        let visible = reading.rights(Visibility::read(client, &roles).await)?;
        let part = |(role, scope): &(String, Scope)| selection.parts_of(role, scope);
        let again = reading.each(doubtful, part, |(role, scope)| assigned(client, role, scope)).await?;
        let still = empty(&again);
        let covers = |scope: &Scope| visible.as_ref().is_some_and(|visible| visible.covers(scope));
        proven.retain(|grant| {
            let place = place(grant);
            !nobody.contains(&place) || still.contains(&place) && covers(&grant.scope)
        });
    }
    proven.retain(|grant| match &grant.principal {
        // The person who accepted it can have another address now, and so can be any user who has the role there without a managed grant.
        Principal::Invitation { uuid, .. } => {
            people_read
                && (people.shows(uuid) || people.complete && !selection.has_unmanaged_users(grant, &read))
        }
        _ => true,
    });
    proven.extend(selection.grants.iter().filter(|grant| existing.exclude(&grant.role)));
    builder.prove(Kind::Grant, Proof::Within(proven.into_iter().map(GrantId::id).collect::<HashSet<Id>>()));
    for role in roles {
        builder.directory().insert(map::role_entry(&role));
        builder.add(map::role(role));
    }
    if existing.ids.is_some() {
        builder.prove(Kind::Role, Proof::Everywhere);
    }
    reading.finish(builder)
}

/// All roles that exist.
struct ExistingRoles {
    /// None if the list is not known to be complete.
    ids: Option<BTreeSet<String>>,
}

impl ExistingRoles {
    fn of(roles: Option<&Listing<wire::Role>>) -> Self {
        let complete = |roles: &&Listing<wire::Role>| {
            roles.complete && roles.items.iter().any(|role| role.system_managed)
        };
        let ids = |roles: &Listing<wire::Role>| roles.items.iter().map(|role| role.id.clone()).collect();
        Self { ids: roles.filter(complete).map(ids) }
    }

    /// Whether a role certainly does not exist.
    fn exclude(&self, role: &str) -> bool {
        self.ids.as_ref().is_some_and(|ids| !ids.contains(role))
    }
}

/// The roles and scopes with an empty list of assignments.
fn empty(read: &[Assigned]) -> BTreeSet<(String, Scope)> {
    let is_empty = |it: &&Assigned| it.assignments.as_ref().is_some_and(Vec::is_empty);
    read.iter().filter(is_empty).map(|it| (it.role.clone(), it.scope.clone())).collect()
}

fn enter<T>(directory: &mut Directory, level: Level, part: List<Listing<T>>, entry: impl Fn(T) -> Entry) {
    let items = part.or_refuse(directory, level).into_iter().flat_map(|listing| listing.items);
    items.for_each(|item| directory.insert(entry(item)));
}

/// The projects with managed grants by id, and the projects around them by name where the server shows names.
async fn enter_projects(
    client: &Client,
    reading: &Reading,
    builder: &mut Builder,
    selection: &Selection<'_>,
) -> Result<(), Error> {
    for grant in &selection.grants {
        if let Scope::Project { workspace, project } = &grant.scope {
            builder.directory().insert(map::project_entry(workspace, project, None));
        }
    }
    let list = |workspace: String| async move { projects::all(client, &workspace).await };
    let part = |_: &String| vec![Part::Names(PROJECT)];
    let listed = reading.each(selection.workspaces_with_projects(), part, list).await?;
    builder.directory().refuse(PROJECT, projects::BY_ID);
    listed.into_iter().flat_map(List::into_items).for_each(|entry| builder.directory().insert(entry));
    Ok(())
}

async fn assigned(client: &Client, role: String, scope: Scope) -> Result<Assigned, Error> {
    let assignments = visibility::assignments(client, &role, &scope).await?;
    Ok(Assigned { role, scope, assignments })
}

/// Adds the grants that were read. Returns the managed grants whose role and scope were read completely.
fn add_grants<'a>(
    builder: &mut Builder,
    selection: &'a Selection<'_>,
    roles: &[wire::Role],
    read: &[Assigned],
    people: &People,
) -> BTreeSet<&'a GrantId> {
    let names: BTreeMap<&str, Named> =
        roles.iter().map(|role| (role.id.as_str(), map::role_named(role))).collect();
    let mut complete: BTreeSet<(&str, &Scope)> = BTreeSet::new();
    for Assigned { role, scope, assignments } in read {
        let Some(assignments) = assignments else { continue };
        let mut all_known = true;
        for assignment in assignments {
            let (Some(subject), Some(place)) = (map::subject(assignment), map::scope(assignment)) else {
                all_known = false;
                continue;
            };
            let role = names
                .get(role.as_str())
                .cloned()
                .unwrap_or_else(|| Named::unnamed(Level::ROLE, Id::new(role)));
            let scope_named = (place != Scope::Organization)
                .then(|| builder.directory().named(place.level(), &Id::new(place.text())));
            let accepted = Principal::of(subject.id.as_str()).and_then(|principal| {
                let row = GrantId { role: role.id.to_string(), scope: place.clone(), principal };
                people.accepted(&row, std::slice::from_ref(assignment))
            });
            let id = accepted.map_or(subject.id, |account| account.id());
            builder.add(map::grant(role, &place, scope_named, Named { id, ..subject }));
        }
        if all_known {
            complete.insert((role, scope));
        }
    }
    selection.grants.iter().filter(|grant| complete.contains(&(grant.role.as_str(), &grant.scope))).collect()
}
