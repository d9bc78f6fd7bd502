//! Dashboards (contract 2.6).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    body::Fields,
    call::{Answer, Scene},
    folders,
    managed::ResourceKind,
    problem::Problem,
    state::{Kind, Tenant},
};
use crate::kit::table::identified;

/// A dashboard.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Its number.
    pub id: i64,
    /// Its uid, unique in the organization.
    pub uid: String,
    /// The organization.
    pub org_id: i64,
    /// Its title.
    pub title: String,
    /// The folder that it lies in.
    #[serde(default)]
    pub folder_uid: Option<String>,
    /// How often it was saved.
    pub version: i64,
}

identified!(Dashboard, i64);

/// POST `/dashboards/db`: a new one, or one that is overwritten.
pub fn save(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let body = fields.value("dashboard").unwrap_or_default();
    let folder_uid = fields.text("folderUid")?.filter(|uid| !uid.is_empty() && uid != folders::ROOT);
    let overwrite = fields.flag("overwrite")?.unwrap_or_default();
    let mut body = Fields::of_value(body)?;
    let title = body.required_text("title")?;
    let uid = body.text("uid")?.filter(|uid| !uid.is_empty());
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    let known = uid.as_ref().and_then(|uid| find(tenant, org, uid)).cloned();
    match &known {
        Some(row) => scene.require_any("dashboards:write", scopes(tenant, row))?,
        None => {
            scene.require_any("dashboards:create", folders::scopes(tenant, org, folder_uid.as_deref()))?
        }
    }
    if folder_uid.as_ref().is_some_and(|uid| folders::find(tenant, org, uid).is_none()) {
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
    let row = reach(scene, "dashboards:read")?;
    let folder = row.folder_uid.as_deref().and_then(|uid| folders::find(scene.tenant, row.org_id, uid));
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
    let row = reach(scene, "dashboards:delete")?;
    scene.tenant.dashboards.remove(row.id);
    scene.tenant.forget_resource(row.org_id, ResourceKind::Dashboards, &row.uid);
    let message = format!("Dashboard {} deleted", row.title);
    Ok(Answer::ok(json!({ "title": row.title, "message": message, "id": row.id })))
}

impl Tenant {
    /// Adds a dashboard with the permissions that the vendor gives it.
    pub fn add_dashboard(
        &mut self,
        org_id: i64,
        uid: &str,
        title: &str,
        folder: Option<&str>,
        creator: Option<i64>,
    ) -> Dashboard {
        let row = Dashboard {
            id: self.issue(Kind::Dashboard),
            uid: uid.to_owned(),
            org_id,
            title: title.to_owned(),
            folder_uid: folder.map(str::to_owned),
            version: 1,
        };
        self.dashboards.insert(row.clone());
        self.set_default_permissions(org_id, (ResourceKind::Dashboards, uid), creator, folder.is_some());
        row
    }

    /// Drops the dashboards in a folder.
    pub fn drop_dashboards_in(&mut self, org_id: i64, folder: &str) {
        let within = |row: &&Dashboard| row.org_id == org_id && row.folder_uid.as_deref() == Some(folder);
        let gone: Vec<(i64, String)> =
            self.dashboards.iter().filter(within).map(|row| (row.id, row.uid.clone())).collect();
        for (id, uid) in gone {
            self.dashboards.remove(id);
            self.forget_resource(org_id, ResourceKind::Dashboards, &uid);
        }
    }
}

/// The scopes by which a dashboard is reached: its own, and those of the folders that it lies in.
pub fn scopes(tenant: &Tenant, row: &Dashboard) -> Vec<String> {
    let mut scopes = folders::scopes(tenant, row.org_id, row.folder_uid.as_deref());
    scopes.push(ResourceKind::Dashboards.scope(&row.uid));
    scopes
}

/// Where a browser finds it.
pub fn url(row: &Dashboard) -> String {
    format!("/d/{}/{}", row.uid, slug(&row.title))
}

fn find<'a>(tenant: &'a Tenant, org: i64, uid: &str) -> Option<&'a Dashboard> {
    tenant.dashboards.iter().find(|row| row.org_id == org && row.uid == uid)
}

fn reach(scene: &Scene<'_>, action: &str) -> Result<Dashboard, Problem> {
    let (tenant, uid) = (&*scene.tenant, scene.call.param(0));
    match find(tenant, scene.caller.org, uid) {
        Some(row) => {
            scene.require_any(action, scopes(tenant, row))?;
            Ok(row.clone())
        }
        None => {
            scene.require_somewhere(action)?;
            Err(Problem::not_found("Dashboard not found"))
        }
    }
}

fn slug(title: &str) -> String {
    let plain = |sign: char| if sign.is_ascii_alphanumeric() { sign.to_ascii_lowercase() } else { '-' };
    title.chars().map(plain).collect()
}

/// What a dashboard is in a search.
pub fn found(tenant: &Tenant, row: &Dashboard) -> Value {
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
    if let Some(folder) = row.folder_uid.as_deref().and_then(|uid| folders::find(tenant, row.org_id, uid)) {
        entry["folderId"] = folder.id.into();
        entry["folderUid"] = folder.uid.as_str().into();
        entry["folderTitle"] = folder.title.as_str().into();
    }
    entry
}
