//! Folders, dashboards and data sources: their names and their default permissions (contract 2.5, 2.6).
//!
//! The default permissions of a resource are those that the built-in roles Viewer and Editor have on the resource itself. Permissions that
//! come from a parent folder, or from a role that covers all resources, cannot be taken away on the resource.

use std::collections::{HashMap, HashSet};

use super::{
    client::Client,
    dialect::GrafanaDialect,
    ids::{Resource, ResourceKind},
    wire::{DataSource, Found, ResourcePermission},
};
use crate::{
    Class, Error,
    reading::{MAX_PAGES, endless_list, page_error},
};
use rolewright_core::model::{
    Body, Defaults, Entry, Id, IdentityRules, Named, Observed, Restriction, StillOpen,
};

/// The built-in roles whose permissions are defaults. Admin has every permission anyway.
const DEFAULTS: [&str; 2] = ["Viewer", "Editor"];
/// The page size that is requested; the server can return fewer items.
const PER_PAGE: &str = "1000";
/// How many remaining permissions are named.
const MAX_NAMED: usize = 8;

/// All resources of a kind by their names, or at least those whose names contain `name`.
///
/// # Errors
/// Any failure to read the list to its end.
pub async fn entries(client: &Client, kind: ResourceKind, name: Option<&str>) -> Result<Vec<Entry>, Error> {
    match kind {
        // The path of a folder needs the titles of all its parents.
        ResourceKind::Folder => Ok(folders(&search(client, "dash-folder", None).await?)),
        ResourceKind::Dashboard => {
            let found = search(client, "dash-db", name).await?;
            let folder =
                |found: &Found| found.folder_uid.as_deref().filter(|uid| !uid.is_empty()).map(folder_id);
            Ok(found.iter().map(|found| entry(kind, &found.uid, &found.title, folder(found))).collect())
        }
        ResourceKind::DataSource => {
            let all: Vec<DataSource> = match name {
                // The list has no pages, so one name is read by its own path.
                Some(name) => visible(client.get(&["datasources", "name", name], &[]).await)?,
                None => client.get(&["datasources"], &[]).await?,
            };
            Ok(all.iter().map(|source| entry(kind, &source.uid, &source.name, None)).collect())
        }
    }
}

/// The one thing with a name, if the credential can read it.
fn visible<T>(answer: Result<T, Error>) -> Result<Vec<T>, Error> {
    match answer {
        Err(error) if error.class.is_withheld() => Ok(Vec::new()),
        answer => Ok(vec![answer?]),
    }
}

/// Pages of a search have no total, so the list ends with a page that has nothing new.
async fn search(client: &Client, item_type: &str, name: Option<&str>) -> Result<Vec<Found>, Error> {
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for number in 1..=MAX_PAGES {
        let page = number.to_string();
        let mut query = vec![("type", item_type), ("limit", PER_PAGE), ("page", page.as_str())];
        query.extend(name.map(|name| ("query", name)));
        let before = all.len();
        let found: Result<Vec<Found>, Error> = client.get(&["search"], &query).await;
        let found = found.map_err(|error| page_error(error, number > 1))?;
        all.extend(found.into_iter().filter(|found| known.insert(found.uid.clone())));
        if all.len() == before {
            return Ok(all);
        }
    }
    Err(endless_list(&["search"]))
}

/// Folders by their titles and, inside other folders, also by their paths.
fn folders(found: &[Found]) -> Vec<Entry> {
    let by_uid: HashMap<&str, &Found> = found.iter().map(|folder| (folder.uid.as_str(), folder)).collect();
    let path = |folder: &Found| {
        let mut titles = vec![folder.title.as_str()];
        let mut parent = folder.folder_uid.as_deref();
        // A parent can be hidden: then the folder has no path.
        while let Some(uid) = parent.filter(|uid| !uid.is_empty()) {
            let folder = by_uid.get(uid).filter(|_| titles.len() <= by_uid.len())?;
            titles.push(&folder.title);
            parent = folder.folder_uid.as_deref();
        }
        titles.reverse();
        (titles.len() > 1).then(|| titles.join("/"))
    };
    let each = |folder: &Found| {
        let parent = folder.folder_uid.as_deref().filter(|uid| !uid.is_empty()).map(folder_id);
        let entry = entry(ResourceKind::Folder, &folder.uid, &folder.title, parent);
        Entry { aliases: path(folder).into_iter().collect(), ..entry }
    };
    found.iter().map(each).collect()
}

fn folder_id(uid: &str) -> Id {
    Resource { kind: ResourceKind::Folder, uid: uid.to_owned() }.id()
}

fn entry(kind: ResourceKind, uid: &str, name: &str, parent: Option<Id>) -> Entry {
    let id = Resource { kind, uid: uid.to_owned() }.id();
    Entry { named: Named::new(kind.level(), id, name), parent, aliases: Vec::new() }
}

/// What Grafana shows of a resource.
pub enum State {
    /// It exists, with these default permissions.
    Read(Box<Observed>),
    /// Its permissions are not found. Not every Grafana has permissions for each kind of resource.
    WithoutPermissions,
    /// It does not exist, or the credential cannot read it.
    Missing,
}

/// The default permissions of a resource. Servers show none of a resource that does not exist too, so none of its own prove nothing
/// (contract 2.5). `is_listed`: a list just showed the resource.
///
/// # Errors
/// Any failure to read its permissions, or whether it exists.
pub async fn state(client: &Client, named: Named, is_listed: bool) -> Result<State, Error> {
    let Some(resource) = Resource::of(&named.id) else {
        return Err(Error::new(
            Class::Invalid,
            format!("{} is not the id of a resource on Grafana", named.id),
        ));
    };
    if resource.is_virtual() {
        return Ok(State::Missing);
    }
    let Some(permissions) = client.permissions(&resource).await? else {
        return Ok(State::WithoutPermissions);
    };
    let exists = is_listed || permissions.iter().any(is_own) || client.exists(&resource).await?;
    Ok(if exists {
        State::Read(Box::new(observed(named, resource.kind, &permissions)))
    } else {
        State::Missing
    })
}

/// The default permissions of a resource. None if it is not found.
///
/// # Errors
/// As for [`state`].
pub async fn restriction(client: &Client, named: Named) -> Result<Option<Observed>, Error> {
    match state(client, named, false).await? {
        State::Read(seen) => Ok(Some(*seen)),
        State::WithoutPermissions | State::Missing => Ok(None),
    }
}

fn observed(named: Named, kind: ResourceKind, permissions: &[ResourcePermission]) -> Observed {
    let mut open = Defaults::new();
    for permission in permissions.iter().filter(|permission| is_own(permission)) {
        if let Some(role) = default_role(permission) {
            open.insert(role.to_owned(), permission.permission.clone().unwrap_or_default());
        }
    }
    let id = named.id.clone();
    let body = Body::Restriction(Restriction { resource: named, open });
    let remark = Some(format!("closed to its defaults, those of {}", DEFAULTS.join(" and ")));
    let still_open = Some(Box::new(still_open(kind, permissions)));
    Observed { remark, still_open, ..Observed::new(id, GrafanaDialect.key(&body), body) }
}

/// Whether a permission is on the resource itself. Without a statement by the server it is, so that the resource never looks closed by
/// mistake.
fn is_own(permission: &ResourcePermission) -> bool {
    permission.is_managed != Some(false) && permission.is_inherited != Some(true)
}

fn default_role(permission: &ResourcePermission) -> Option<&str> {
    permission.built_in_role.as_deref().filter(|role| DEFAULTS.contains(role))
}

/// The permissions that remain although the defaults are closed, as far as Grafana shows them. Permissions of users and teams on the
/// resource itself are intended, so they are not among them.
fn still_open(kind: ResourceKind, permissions: &[ResourcePermission]) -> StillOpen {
    let remains = |permission: &&ResourcePermission| !is_own(permission);
    let mut left: Vec<String> = permissions.iter().filter(remains).filter_map(remaining).collect();
    left.sort();
    left.dedup();
    let more = left.len().saturating_sub(MAX_NAMED);
    left.truncate(MAX_NAMED);
    // An entry needs all actions of a level (contract 2.5).
    let levels = match kind {
        ResourceKind::Folder | ResourceKind::Dashboard => "View, Edit or Admin",
        ResourceKind::DataSource => "Query, Edit or Admin",
    };
    let unknown = format!(
        "Grafana does not show access by a role or a permission with only some of the actions of {levels}"
    );
    StillOpen { to: left, more, unknown }
}

fn remaining(permission: &ResourcePermission) -> Option<String> {
    let level = permission.permission.as_deref().filter(|level| !level.is_empty()).unwrap_or("a part");
    let present = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let whose = present(&permission.built_in_role)
        .or_else(|| present(&permission.team).map(|team| format!("team {team}")))
        .or_else(|| present(&permission.user_login).map(|login| format!("user {login}")))?;
    let how = match present(&permission.role_name).filter(|_| permission.is_managed == Some(false)) {
        _ if permission.is_inherited == Some(true) => "from a parent folder".to_owned(),
        Some(role) => format!("by the role {role}"),
        None => "by a role".to_owned(),
    };
    Some(format!("{level} for {whose} ({how})"))
}
