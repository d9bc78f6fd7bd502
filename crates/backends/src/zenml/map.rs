//! From ZenML's wire types to the access model. Makes no call.

use std::collections::BTreeMap;

use super::{
    dialect::{LEVEL, ZenmlDialect},
    ids::{self, GrantId, PROJECT, Principal, Scope, WORKSPACE},
    mark, permissions,
    wire::{self, Assignment, Invitation, Place},
};
use crate::reading::present;
use rolewright_core::model::{Body, Entry, Grant, Id, IdentityRules, Level, Named, Observed, Role, RoleRef};

/// The type of roles that were not created by sharing a resource (contract 2.1).
const NORMAL: &str = "normal";

/// A role. It is unreadable if the server does not show its permissions.
pub fn role(role: wire::Role) -> Observed {
    let read_only = read_only(&role).map(str::to_owned);
    let rules = permissions::read(role.permissions.as_ref());
    let (description, applied) = mark::read(role.description);
    let body = Body::Role(Role {
        name: role.name.unwrap_or_default(),
        display_name: None,
        description,
        unreadable: rules.is_none(),
        rules: rules.unwrap_or_default(),
        settings: BTreeMap::from([(LEVEL.to_owned(), role.level)]),
    });
    let key = ZenmlDialect.key(&body);
    Observed { read_only, applied, ..Observed::new(Id::new(role.id), key, body) }
}

/// Why a role cannot be written (contract 2.1, 3.1).
fn read_only(role: &wire::Role) -> Option<&'static str> {
    if role.system_managed {
        return Some("a predefined role");
    }
    let shared = role.kind.as_deref().is_some_and(|kind| kind != NORMAL);
    shared.then_some("a role that sharing a resource created")
}

/// The subject of an assignment, with the name that it shows. None if it shows no known kind of subject.
pub fn subject(assignment: &Assignment) -> Option<Named> {
    match (&assignment.user, &assignment.team, &assignment.invitation) {
        (Some(user), _, _) => Some(user_entry(user.clone()).named),
        (None, Some(team), _) => Some(team_entry(team.clone()).named),
        (None, None, Some(invitation)) => invitation_entry(invitation.clone()).map(|entry| entry.named),
        (None, None, None) => None,
    }
}

/// The scope of an assignment.
pub fn scope(assignment: &Assignment) -> Option<Scope> {
    Scope::of_parts(assignment.workspace_id.as_deref(), assignment.project_id.as_deref())
}

/// A grant of a role.
pub fn grant(role: Named, scope: &Scope, named: Option<Named>, subject: Named) -> Observed {
    let id = ids::grant_id(role.id.as_str(), &scope.text(), subject.id.as_str());
    let body = Body::Grant(Grant { role: RoleRef::Existing(role), subject, scope: named });
    Observed::new(id, ZenmlDialect.key(&body), body)
}

/// The role, the scope and the subject of a grant, with ids in the place of names.
pub fn unnamed(id: &GrantId) -> (Named, Option<Named>, Named) {
    let scope = match &id.scope {
        Scope::Organization => None,
        scope => Some(Named::unnamed(scope.level(), Id::new(scope.text()))),
    };
    let subject = Named::unnamed(id.principal.level(), id.principal.id());
    (Named::unnamed(Level::ROLE, Id::new(&id.role)), scope, subject)
}

/// A role, named.
pub fn role_named(role: &wire::Role) -> Named {
    let name = present(role.name.clone()).unwrap_or_else(|| role.id.clone());
    Named::new(Level::ROLE, Id::new(&role.id), name)
}

/// A user: the e-mail address is the name, and the user name is an alias. Service accounts have only names.
pub fn user_entry(user: wire::User) -> Entry {
    let id = Principal::User(user.id.clone()).id();
    let (email, username, name) = (present(user.email), present(user.username), present(user.name));
    let (level, names) = match user.is_service_account {
        Some(true) => (Level::SERVICE_ACCOUNT, [username, name]),
        _ => (Level::USER, [email, username]),
    };
    entry(level, id, names, user.id, None)
}

/// A team.
pub fn team_entry(team: wire::Team) -> Entry {
    entry(Level::TEAM, Principal::Team(team.id.clone()).id(), [present(team.name), None], team.id, None)
}

/// An invited person, under the address. None for an invitation without an address.
pub fn invitation_entry(invitation: Invitation) -> Option<Entry> {
    let email = present(invitation.email)?;
    let id = Principal::invited(&invitation.id, &email).id();
    Some(entry(Level::USER, id, [Some(email), None], String::new(), None))
}

/// A workspace. None if it was deleted, because another workspace can have its name.
pub fn workspace_entry(place: Place) -> Option<Entry> {
    if place.is_deleted() {
        return None;
    }
    let id = Id::new(Scope::Workspace(place.id.clone()).text());
    let aliases = vec![place.id.to_ascii_uppercase(), place.id.clone()];
    Some(Entry { aliases, ..entry(WORKSPACE, id, [present(place.name), None], place.id, None) })
}

/// A project of a workspace. Its id in a spec is looked up like a name, because the id does not show the workspace.
pub fn project_entry(workspace: &str, project: &str, name: Option<String>) -> Entry {
    let scope = Scope::Project { workspace: workspace.to_owned(), project: project.to_owned() };
    let parent = Id::new(Scope::Workspace(workspace.to_owned()).text());
    let upper = project.to_ascii_uppercase();
    let aliases = [ids::as_written(project), project.to_owned(), ids::as_written(&upper), upper].into();
    let name = [present(name), None];
    Entry { aliases, ..entry(PROJECT, Id::new(scope.text()), name, project.to_owned(), Some(parent)) }
}

/// A role in the directory.
pub fn role_entry(role: &wire::Role) -> Entry {
    Entry { named: role_named(role), parent: None, aliases: Vec::new() }
}

/// An entry under the first name that exists, else under `fallback`. The other names are aliases.
fn entry(level: Level, id: Id, names: [Option<String>; 2], fallback: String, parent: Option<Id>) -> Entry {
    let mut names = names.into_iter().flatten();
    let name = names.next().unwrap_or(fallback);
    let aliases = names.filter(|alias| *alias != name).collect();
    Entry { named: Named::new(level, id, name), parent, aliases }
}
