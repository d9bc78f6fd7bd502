//! Folders, dashboards and data sources: their names, and what closing one to its defaults means (contract 2.5, 2.6).
//!
//! The defaults of a resource are the permissions that the built-in roles Viewer and Editor have on it itself. What comes from a folder
//! above, or from a role that reaches all resources, is not given on the resource, and cannot be taken away there.

use std::collections::{HashMap, HashSet};

use super::{
    client::Client,
    dialect::GrafanaDialect,
    ids::{Resource, Sort},
    wire::{DataSource, Found, ResourcePermission},
};
use crate::{
    Class, Error,
    reading::{MOST_PAGES, of_page, without_end},
};
use rolewright_core::model::{Body, Defaults, Dialect, Entry, Id, Named, Observed, Restriction};

/// The built-in roles whose permissions are defaults. An Admin has every permission anyway.
const DEFAULTS: [&str; 2] = ["Viewer", "Editor"];
/// What is asked for on a page of a search; the server may give fewer.
const PER_PAGE: &str = "1000";
/// So many of those that are not closed out are named.
const NAMED: usize = 8;

/// All resources of a sort by their names, or those whose names have a part in common with `name`.
///
/// # Errors
/// Whatever kept the list from being read to its end.
pub async fn entries(client: &Client, sort: Sort, name: Option<&str>) -> Result<Vec<Entry>, Error> {
    match sort {
        // A path is made of the titles of all folders above.
        Sort::Folder => Ok(folders(&search(client, "dash-folder", None).await?)),
        Sort::Dashboard => {
            let found = search(client, "dash-db", name).await?;
            let folder =
                |found: &Found| found.folder_uid.as_deref().filter(|uid| !uid.is_empty()).map(folder_id);
            Ok(found.iter().map(|found| entry(sort, &found.uid, &found.title, folder(found))).collect())
        }
        Sort::DataSource => {
            let all: Vec<DataSource> = client.get(&["datasources"], &[]).await?;
            Ok(all.iter().map(|source| entry(sort, &source.uid, &source.name, None)).collect())
        }
    }
}

/// Pages of a search do not tell how many items there are, so it ends where nothing new comes.
async fn search(client: &Client, kind: &str, name: Option<&str>) -> Result<Vec<Found>, Error> {
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for number in 1..=MOST_PAGES {
        let page = number.to_string();
        let mut query = vec![("type", kind), ("limit", PER_PAGE), ("page", page.as_str())];
        query.extend(name.map(|name| ("query", name)));
        let before = all.len();
        let found: Result<Vec<Found>, Error> = client.get(&["search"], &query).await;
        let found = found.map_err(|error| of_page(error, number > 1))?;
        all.extend(found.into_iter().filter(|found| known.insert(found.uid.clone())));
        if all.len() == before {
            return Ok(all);
        }
    }
    Err(without_end(&["search"]))
}

/// Folders by their titles and, in other folders, by their paths.
fn folders(found: &[Found]) -> Vec<Entry> {
    let by_uid: HashMap<&str, &Found> = found.iter().map(|folder| (folder.uid.as_str(), folder)).collect();
    let path = |folder: &Found| {
        let mut titles = vec![folder.title.as_str()];
        let mut above = folder.folder_uid.as_deref();
        // A folder above may be hidden: then there is no path to name it by.
        while let Some(uid) = above.filter(|uid| !uid.is_empty()) {
            let folder = by_uid.get(uid).filter(|_| titles.len() <= by_uid.len())?;
            titles.push(&folder.title);
            above = folder.folder_uid.as_deref();
        }
        titles.reverse();
        (titles.len() > 1).then(|| titles.join("/"))
    };
    let each = |folder: &Found| {
        let above = folder.folder_uid.as_deref().filter(|uid| !uid.is_empty()).map(folder_id);
        let entry = entry(Sort::Folder, &folder.uid, &folder.title, above);
        Entry { aliases: path(folder).into_iter().collect(), ..entry }
    };
    found.iter().map(each).collect()
}

fn folder_id(uid: &str) -> Id {
    Resource { sort: Sort::Folder, uid: uid.to_owned() }.id()
}

fn entry(sort: Sort, uid: &str, name: &str, parent: Option<Id>) -> Entry {
    let id = Resource { sort, uid: uid.to_owned() }.id();
    Entry { named: Named::new(sort.level(), id, name), parent, aliases: Vec::new() }
}

/// How open a resource is. None when it is not found.
///
/// # Errors
/// Whatever kept its permissions from being read.
pub async fn restriction(client: &Client, named: Named) -> Result<Option<Observed>, Error> {
    let Some(resource) = Resource::of(&named.id) else {
        return Err(Error::new(Class::Invalid, format!("{} is no id of a resource on Grafana", named.id)));
    };
    let permissions = client.permissions(&resource).await?;
    Ok(permissions.map(|permissions| observed(named, resource.sort, &permissions)))
}

fn observed(named: Named, sort: Sort, permissions: &[ResourcePermission]) -> Observed {
    let mut open = Defaults::new();
    for permission in permissions.iter().filter(|permission| is_own(permission)) {
        if let Some(role) = default_role(permission) {
            open.insert(role.to_owned(), permission.permission.clone().unwrap_or_default());
        }
    }
    let id = named.id.clone();
    let body = Body::Restriction(Restriction { resource: named, open });
    let remark = Some(remark(sort, permissions));
    Observed { remark, ..Observed::new(id, GrafanaDialect.key(&body), body) }
}

/// Given on the resource itself. Where a server does not say so, what it shows is not taken for closed.
fn is_own(permission: &ResourcePermission) -> bool {
    permission.is_managed != Some(false) && permission.is_inherited != Some(true)
}

fn default_role(permission: &ResourcePermission) -> Option<&str> {
    permission.built_in_role.as_deref().filter(|role| DEFAULTS.contains(role))
}

/// What closing the defaults does not close, as far as it can be read. What was given to users and teams on the resource itself is meant
/// to stay, and not told.
fn remark(sort: Sort, permissions: &[ResourcePermission]) -> String {
    let remains = |permission: &&ResourcePermission| !is_own(permission);
    let mut left: Vec<String> = permissions.iter().filter(remains).filter_map(left_open).collect();
    left.sort();
    left.dedup();
    let more = left.len().saturating_sub(NAMED);
    left.truncate(NAMED);
    let mut text = format!("closed to its defaults, those of {}", DEFAULTS.join(" and "));
    if !left.is_empty() {
        text.push_str(&format!("; open still: {}", left.join(", ")));
    }
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    let reach = match sort {
        Sort::Folder => "folders:*",
        Sort::Dashboard => "dashboards:* or folders:*",
        Sort::DataSource => "datasources:*",
    };
    text.push_str(&format!("; not shown by Grafana: who has it by a role on {reach}"));
    text
}

fn left_open(permission: &ResourcePermission) -> Option<String> {
    let level = permission.permission.as_deref().filter(|level| !level.is_empty()).unwrap_or("a part");
    let present = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let whose = present(&permission.built_in_role)
        .or_else(|| present(&permission.team).map(|team| format!("team {team}")))
        .or_else(|| present(&permission.user_login).map(|login| format!("user {login}")))?;
    let how = match present(&permission.role_name).filter(|_| permission.is_managed == Some(false)) {
        _ if permission.is_inherited == Some(true) => "from a folder above".to_owned(),
        Some(role) => format!("by the role {role}"),
        None => "by a role".to_owned(),
    };
    Some(format!("{level} for {whose} ({how})"))
}
