//! Reads one snapshot: the lists that are needed, then the assignments of managed grants.
//!
//! The list of roles has all roles of the organization, whatever their level. All its filters have known defaults, and the only one that
//! filters by default (`type`) hides nothing that Rolewright manages; a credential that may not list roles is refused (contract 1.3, 2.1).
//! A role that is missing from a list with predefined roles is deleted (contract 6).
//!
//! A list that the credential may not read leaves its part empty and unproven. A call that fails leaves its part unread. The other parts are
//! complete.

use std::collections::BTreeSet;

use futures::try_join;

use super::{
    assignments::{Assignments, Managed},
    client::Client,
    ids::{GrantId, PROJECT, Scope, WORKSPACE},
    map,
    people::{INVITE, People},
    read, wire,
};
use crate::{
    Error, Needs,
    reading::{List, Reading},
};
use rolewright_core::model::{Builder, Directory, Entry, Kind, Level, Part, Proof, Snapshot};

/// What a user reads about an unknown project.
const BY_ID: &str = "this control plane may not show the names of projects: write the project's id instead, as id: and the uuid";

/// The needs in ZenML's terms.
struct Selection<'a> {
    levels: &'a BTreeSet<Level>,
    roles: bool,
    people: bool,
    grants: Managed,
}

impl<'a> Selection<'a> {
    fn of(needs: &'a Needs) -> Self {
        let hints = needs.hints.iter().filter(|_| needs.kinds.contains(&Kind::Grant));
        let grants = Managed::of(hints.filter_map(|id| GrantId::of(id.as_str())));
        let named = |level: Level| needs.levels.contains(&level);
        Self {
            levels: &needs.levels,
            roles: needs.kinds.contains(&Kind::Role) || named(Level::ROLE) || !grants.is_empty(),
            people: named(Level::USER) || named(Level::SERVICE_ACCOUNT) || !grants.invited().is_empty(),
            grants,
        }
    }

    /// Whether the names of a level are needed.
    fn names(&self, level: Level) -> bool {
        self.levels.contains(&level)
    }

    /// What is unread when the members or the invitations are: names, and whether the managed grants of invitations passed to accounts.
    fn parts_of_people(&self) -> Vec<Part> {
        let names = [Level::USER, Level::SERVICE_ACCOUNT].map(Part::Names).into_iter();
        let invited = self.grants.invited().into_iter();
        names.chain(invited.map(|grant| Part::Place(Kind::Grant, grant.id()))).collect()
    }
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
    let of_roles = [Part::Kind(Kind::Role), Part::Names(Level::ROLE)];
    let of_people = selection.parts_of_people();
    let places = selection.names(WORKSPACE) || selection.names(PROJECT);
    let (roles, members, invitations, teams, workspaces) = try_join!(
        reading.list(selection.roles, of_roles, client.roles(&[])),
        reading.list(selection.people, &of_people, client.members()),
        reading.list(selection.people, &of_people, client.invitations()),
        reading.list(selection.names(Level::TEAM), [Part::Names(Level::TEAM)], client.teams()),
        reading.list(places, [WORKSPACE, PROJECT].map(Part::Names), client.workspaces(None)),
    )?;
    let people = People::of(members, invitations);
    selection.grants.follow_accepted(&people, &mut builder);
    enter(builder.directory(), Level::TEAM, teams, |team| Some(map::team_entry(team)));
    enter(builder.directory(), WORKSPACE, workspaces, map::workspace_entry);
    if selection.names(PROJECT) {
        enter_projects(client, &reading, &mut builder, &selection).await?;
    }
    people.entries().for_each(|entry| builder.directory().insert(entry));
    if selection.people {
        builder.directory().advise(Level::USER, INVITE);
        for level in [Level::USER, Level::SERVICE_ACCOUNT] {
            people.refused.iter().for_each(|why| builder.directory().refuse(level, why));
        }
    }
    let roles = roles.or_refuse(builder.directory(), Level::ROLE).unwrap_or_default();
    let managed = &selection.grants;
    let assignments = Assignments { client, reading: &reading, managed, roles: &roles, people: &people };
    let proven = assignments.read(&mut builder).await?;
    builder.prove(Kind::Grant, Proof::Within(proven));
    if are_all(&roles) {
        builder.prove(Kind::Role, Proof::Everywhere);
    }
    for role in roles {
        builder.directory().insert(map::role_entry(&role));
        builder.add(map::role(role));
    }
    reading.finish(builder)
}

/// Whether a list of roles is complete: every organization has predefined roles (contract 3.1).
pub fn are_all(roles: &[wire::Role]) -> bool {
    roles.iter().any(|role| role.system_managed)
}

fn enter<T>(directory: &mut Directory, level: Level, part: List<Vec<T>>, entry: impl Fn(T) -> Option<Entry>) {
    let items = part.or_refuse(directory, level).into_iter().flatten();
    items.filter_map(entry).for_each(|entry| directory.insert(entry));
}

/// The projects with managed grants by id, and the projects around them by name where the server shows names.
async fn enter_projects(
    client: &Client,
    reading: &Reading,
    builder: &mut Builder,
    selection: &Selection<'_>,
) -> Result<(), Error> {
    let mut workspaces = BTreeSet::new();
    for (_, scope) in selection.grants.spots() {
        if let Scope::Project { workspace, project } = scope {
            builder.directory().insert(map::project_entry(workspace, project, None));
            workspaces.insert(workspace.clone());
        }
    }
    let list = |workspace: String| async move { read::projects(client, &workspace).await };
    let listed = reading.each(workspaces, |_| vec![Part::Names(PROJECT)], list).await?;
    builder.directory().refuse(PROJECT, BY_ID);
    listed.into_iter().flatten().for_each(|entry| builder.directory().insert(entry));
    Ok(())
}
