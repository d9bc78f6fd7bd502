//! Dashboards (contract 2.6).

use serde_json::{Value, json};

use super::{body::Fields, call::Scene, problem::Problem};
use crate::{
    grafana::{
        access::scopes,
        rows::{dashboards::Dashboard, folders, managed::ResourceKind},
        state::Tenant,
    },
    kit::answer::Answer,
};

/// POST `/dashboards/db`: creates or overwrites one.
pub fn save(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let body = fields.value("dashboard").unwrap_or_default();
    let folder_uid = fields.text("folderUid")?.filter(|uid| !uid.is_empty() && uid != folders::ROOT);
    let overwrite = fields.flag("overwrite")?.unwrap_or_default();
    let mut body = Fields::of_value(body)?;
    let title = body.required_text("title")?;
    let uid = body.text("uid")?.filter(|uid| !uid.is_empty());
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    let known = uid.as_ref().and_then(|uid| tenant.dashboard(org, uid)).cloned();
    match &known {
        Some(row) => scene.require_any("dashboards:write", scopes::of_dashboard(tenant, row))?,
        None => {
            scene.require_any("dashboards:create", scopes::of_folder(tenant, org, folder_uid.as_deref()))?
        }
    }
    if folder_uid.as_ref().is_some_and(|uid| tenant.folder(org, uid).is_none()) {
        return Err(Problem::bad_request("folder not found"));
    }
    let saved = match known {
        Some(_) if !overwrite => {
            let message = "The dashboard has been changed by someone else";
            return Err(Problem::switched(412, message));
        }
        Some(mut row) => {
            row.title = title;
            row.folder_uid = folder_uid;
            row.version += 1;
            scene.tenant.dashboards.insert(row.clone());
            row
        }
        None => {
            let uid = uid.unwrap_or_else(|| scene.tenant.issue_uid());
            let creator = scene.caller.principal;
            scene.tenant.add_dashboard(org, &uid, &title, folder_uid.as_deref(), creator)
        }
    };
    let mut answer = json!({
        "id": saved.id,
        "uid": saved.uid,
        "slug": slug(&saved.title),
        "status": "success",
        "url": url(&saved),
        "version": saved.version,
    });
    if let Some(folder) = &saved.folder_uid {
        answer["folderUid"] = folder.as_str().into();
    }
    Ok(Answer::ok(answer))
}

/// GET `/dashboards/uid/{uid}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let row = authorize(scene, "dashboards:read")?;
    let folder = row.folder_uid.as_deref().and_then(|uid| scene.tenant.folder(row.org_id, uid));
    Ok(Answer::ok(json!({
        "meta": {
            "type": "db",
            "slug": slug(&row.title),
            "url": url(&row),
            "version": row.version,
            "isFolder": false,
            "folderUid": row.folder_uid.clone().unwrap_or_default(),
            "folderTitle": folder.map_or("General", |folder| folder.title.as_str()),
        },
        "dashboard": { "id": row.id, "uid": row.uid, "title": row.title, "version": row.version, "tags": [] },
    })))
}

/// DELETE `/dashboards/uid/{uid}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let row = authorize(scene, "dashboards:delete")?;
    scene.tenant.dashboards.remove(row.id);
    scene.tenant.forget_resource(row.org_id, ResourceKind::Dashboards, &row.uid);
    let message = format!("Dashboard {} deleted", row.title);
    Ok(Answer::ok(json!({ "title": row.title, "message": message, "id": row.id })))
}

/// The dashboard in the path, if the caller has the action on it.
fn authorize(scene: &Scene<'_>, action: &str) -> Result<Dashboard, Problem> {
    let (tenant, uid) = (&*scene.tenant, scene.call.param(0));
    match tenant.dashboard(scene.caller.org, uid) {
        Some(row) => {
            scene.require_any(action, scopes::of_dashboard(tenant, row))?;
            Ok(row.clone())
        }
        None => {
            scene.require_somewhere(action)?;
            Err(Problem::not_found("Dashboard not found"))
        }
    }
}

/// A dashboard as an entry of a search.
pub fn search_entry(tenant: &Tenant, row: &Dashboard) -> Value {
    let mut entry = json!({
        "id": row.id,
        "uid": row.uid,
        "title": row.title,
        "uri": format!("db/{}", slug(&row.title)),
        "url": url(row),
        "slug": "",
        "type": "dash-db",
        "tags": [],
        "isStarred": false,
        "sortMeta": 0,
    });
    if let Some(folder) = row.folder_uid.as_deref().and_then(|uid| tenant.folder(row.org_id, uid)) {
        entry["folderId"] = folder.id.into();
        entry["folderUid"] = folder.uid.as_str().into();
        entry["folderTitle"] = folder.title.as_str().into();
    }
    entry
}

/// The path of its page in a browser.
fn url(row: &Dashboard) -> String {
    format!("/d/{}/{}", row.uid, slug(&row.title))
}

/// The title in a form for URLs.
fn slug(title: &str) -> String {
    let plain = |sign: char| if sign.is_ascii_alphanumeric() { sign.to_ascii_lowercase() } else { '-' };
    title.chars().map(plain).collect()
}
