//! `/search`: dashboards and folders by title (contract 2.6).

use serde_json::{Value, json};

use super::{call::Scene, dashboards, folders, paging::Page, problem::Problem};
use crate::{
    grafana::{
        access::scopes,
        rows::folders::{Folder, ROOT},
    },
    kit::answer::Answer,
};

/// GET `/search`
pub fn search(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let query = scene.call.parameter("query").unwrap_or_default().to_lowercase();
    let kinds: Vec<&str> = scene.call.parameters("type").filter(|kind| !kind.is_empty()).collect();
    let within: Vec<&str> = scene
        .call
        .parameters("folderUIDs")
        .flat_map(|uids| uids.split(','))
        .filter(|uid| !uid.is_empty())
        .collect();
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    let matches = |kind: &str, title: &str, folder: Option<&str>| {
        (kinds.is_empty() || kinds.contains(&kind))
            && title.to_lowercase().contains(&query)
            && (within.is_empty() || within.contains(&folder.unwrap_or(ROOT)))
    };
    let in_org = tenant.folders.iter().filter(|row| row.org_id == org);
    let found_folders = in_org
        .filter(|row| matches("dash-folder", &row.title, row.parent_uid.as_deref()))
        .filter(|row| folders::is_visible(scene, row))
        .map(folder_entry);
    let in_org = tenant.dashboards.iter().filter(|row| row.org_id == org);
    let found_dashboards = in_org
        .filter(|row| matches("dash-db", &row.title, row.folder_uid.as_deref()))
        .filter(|row| {
            scopes::of_dashboard(tenant, row).iter().any(|scope| scene.caller.can("dashboards:read", scope))
        })
        .map(|row| dashboards::search_entry(tenant, row));
    let mut entries: Vec<Value> = found_folders.chain(found_dashboards).collect();
    entries.sort_by_key(|entry| entry["title"].as_str().unwrap_or_default().to_lowercase());
    Ok(Answer::ok(Page::limited(scene).cut(entries.into_iter()).into()))
}

fn folder_entry(folder: &Folder) -> Value {
    let mut entry = json!({
        "id": folder.id,
        "uid": folder.uid,
        "title": folder.title,
        "uri": format!("db/{}", folder.uid),
        "url": format!("/dashboards/f/{}", folder.uid),
        "slug": "",
        "type": "dash-folder",
        "tags": [],
        "isStarred": false,
        "sortMeta": 0,
    });
    if let Some(parent) = &folder.parent_uid {
        entry["folderUid"] = parent.as_str().into();
    }
    entry
}
