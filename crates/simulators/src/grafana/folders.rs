//! Folders, which nest (contract 2.6).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    call::{Answer, Scene},
    managed::ResourceKind,
    paging::Page,
    problem::Problem,
    state::{Kind, Tenant},
};
use crate::kit::table::identified;

/// What stands for no folder in scopes.
pub const ROOT: &str = "general";

/// A folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Its number.
    pub id: i64,
    /// Its uid, unique in the organization.
    pub uid: String,
    /// The organization.
    pub org_id: i64,
    /// Its title; any number of folders may have it.
    pub title: String,
    /// The folder that it lies in.
    #[serde(default)]
    pub parent_uid: Option<String>,
}

identified!(Folder, i64);

/// The folder of this uid.
pub fn find<'a>(tenant: &'a Tenant, org: i64, uid: &str) -> Option<&'a Folder> {
    tenant.folders.iter().find(|folder| folder.org_id == org && folder.uid == uid)
}

/// The uids of the folders that a folder lies in, the nearest first.
pub fn above(tenant: &Tenant, folder: &Folder) -> Vec<String> {
    with_above(tenant, folder.org_id, folder.parent_uid.as_deref())
}

/// The uid of a folder, and those that it lies in, the nearest first; none for the root.
pub fn with_above(tenant: &Tenant, org: i64, uid: Option<&str>) -> Vec<String> {
    let mut uids: Vec<String> = Vec::new();
    let mut next = uid;
    while let Some(folder) = next.and_then(|uid| find(tenant, org, uid)) {
        // A tenant that was put may have circles.
        if uids.contains(&folder.uid) {
            break;
        }
        uids.push(folder.uid.clone());
        next = folder.parent_uid.as_deref();
    }
    uids
}

/// The scopes by which a folder is reached: its own, and those of the folders that it lies in.
pub fn scopes(tenant: &Tenant, org: i64, uid: Option<&str>) -> Vec<String> {
    match uid.filter(|uid| *uid != ROOT) {
        None => vec![ResourceKind::Folders.scope(ROOT)],
        Some(uid) => {
            let mut uids = with_above(tenant, org, Some(uid));
            if uids.is_empty() {
                uids.push(uid.to_owned());
            }
            uids.iter().map(|uid| ResourceKind::Folders.scope(uid)).collect()
        }
    }
}

/// GET `/folders?parentUid=`: the children of one folder, or of the root.
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require_somewhere("folders:read")?;
    let parent = scene.call.parameter("parentUid").filter(|uid| !uid.is_empty() && *uid != ROOT);
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    if parent.is_some_and(|uid| find(tenant, org, uid).is_none()) {
        return Err(not_found());
    }
    let children =
        tenant.folders.iter().filter(|row| row.org_id == org && row.parent_uid.as_deref() == parent);
    let mut seen: Vec<&Folder> = children.filter(|folder| is_seen(scene, folder)).collect();
    seen.sort_by_key(|folder| folder.title.to_lowercase());
    let entries = seen.into_iter().map(|folder| {
        let mut entry = json!({ "id": folder.id, "uid": folder.uid, "title": folder.title });
        if let Some(parent) = &folder.parent_uid {
            entry["parentUid"] = parent.as_str().into();
        }
        entry
    });
    Ok(Answer::ok(Page::limited(scene).cut(entries).into()))
}

/// GET `/folders/{uid}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let folder = reach(scene, "folders:read")?;
    Ok(Answer::ok(wire(scene.tenant, &folder)))
}

/// POST `/folders`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let title = fields.required_text("title")?;
    let uid = fields.text("uid")?.filter(|uid| !uid.is_empty());
    let parent = fields.text("parentUid")?.filter(|uid| !uid.is_empty() && uid != ROOT);
    let org = scene.caller.org;
    scene.require_any("folders:create", scopes(scene.tenant, org, parent.as_deref()))?;
    let tenant = &mut *scene.tenant;
    if parent.as_ref().is_some_and(|uid| find(tenant, org, uid).is_none()) {
        return Err(Problem::bad_request("parent folder not found"));
    }
    if uid.as_ref().is_some_and(|uid| find(tenant, org, uid).is_some()) {
        return Err(Problem::switched(409, "a folder with that uid already exists"));
    }
    let uid = uid.unwrap_or_else(|| tenant.issue_uid());
    let creator = scene.caller.principal;
    let folder = tenant.add_folder(org, &uid, &title, parent.as_deref(), creator);
    Ok(Answer::ok(wire(tenant, &folder)))
}

/// PUT `/folders/{uid}`: the title.
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut folder = reach(scene, "folders:write")?;
    folder.title = scene.fields()?.required_text("title")?;
    scene.tenant.folders.insert(folder.clone());
    Ok(Answer::ok(wire(scene.tenant, &folder)))
}

/// POST `/folders/{uid}/move`: what it inherits changes with it.
pub fn relocate(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut folder = reach(scene, "folders:write")?;
    let parent = scene.fields()?.text("parentUid")?.filter(|uid| !uid.is_empty() && uid != ROOT);
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    scene.require_any("folders:create", scopes(tenant, org, parent.as_deref()))?;
    let line = with_above(tenant, org, parent.as_deref());
    if (parent.is_some() && line.is_empty()) || line.contains(&folder.uid) {
        return Err(Problem::bad_request("the folder cannot be moved there"));
    }
    folder.parent_uid = parent;
    scene.tenant.folders.insert(folder.clone());
    Ok(Answer::ok(wire(scene.tenant, &folder)))
}

/// DELETE `/folders/{uid}`: with what lies in it.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let folder = reach(scene, "folders:delete")?;
    let tenant = &mut *scene.tenant;
    let within = |row: &&Folder| {
        row.org_id == folder.org_id && (row.id == folder.id || above(tenant, row).contains(&folder.uid))
    };
    let gone: Vec<(i64, String)> =
        tenant.folders.iter().filter(within).map(|row| (row.id, row.uid.clone())).collect();
    for (id, uid) in gone {
        tenant.folders.remove(id);
        tenant.forget_resource(folder.org_id, ResourceKind::Folders, &uid);
        tenant.drop_dashboards_in(folder.org_id, &uid);
    }
    let message = format!("Folder {} deleted", folder.title);
    Ok(Answer::ok(json!({ "title": folder.title, "message": message, "id": folder.id })))
}

impl Tenant {
    /// Adds a folder with the permissions that the vendor gives it.
    pub fn add_folder(
        &mut self,
        org_id: i64,
        uid: &str,
        title: &str,
        parent: Option<&str>,
        creator: Option<i64>,
    ) -> Folder {
        let folder = Folder {
            id: self.issue(Kind::Folder),
            uid: uid.to_owned(),
            org_id,
            title: title.to_owned(),
            parent_uid: parent.map(str::to_owned),
        };
        self.folders.insert(folder.clone());
        self.set_default_permissions(org_id, (ResourceKind::Folders, uid), creator, parent.is_some());
        folder
    }
}

/// Whether the caller may see a folder.
pub fn is_seen(scene: &Scene<'_>, folder: &Folder) -> bool {
    let scopes = scopes(scene.tenant, folder.org_id, Some(&folder.uid));
    scopes.iter().any(|scope| scene.caller.may("folders:read", scope))
}

fn reach(scene: &Scene<'_>, action: &str) -> Result<Folder, Problem> {
    let (tenant, org, uid) = (&*scene.tenant, scene.caller.org, scene.call.param(0));
    scene.require_any(action, scopes(tenant, org, Some(uid)))?;
    find(tenant, org, uid).cloned().ok_or_else(not_found)
}

fn not_found() -> Problem {
    Problem::not_found("folder not found")
}

fn wire(tenant: &Tenant, folder: &Folder) -> Value {
    let mut body = json!({
        "id": folder.id,
        "uid": folder.uid,
        "orgId": folder.org_id,
        "title": folder.title,
        "url": format!("/dashboards/f/{}", folder.uid),
        "hasAcl": false,
        "canSave": true,
        "canEdit": true,
        "canAdmin": true,
        "canDelete": true,
        "version": 1,
    });
    if let Some(parent) = &folder.parent_uid {
        body["parentUid"] = parent.as_str().into();
        let line = above(tenant, folder);
        let parents = line.iter().rev().filter_map(|uid| find(tenant, folder.org_id, uid));
        body["parents"] = parents.map(|row| json!({ "uid": row.uid, "title": row.title })).collect();
    }
    body
}
