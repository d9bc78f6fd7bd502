//! Folders (contract 2.6).

use serde_json::{Value, json};

use super::{call::Scene, paging::Page, problem::Problem};
use crate::{
    grafana::{
        access::scopes,
        rows::folders::{Folder, ROOT},
        state::Tenant,
    },
    kit::answer::Answer,
};

/// GET `/folders?parentUid=`: the children of a folder, or of the root.
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require_somewhere("folders:read")?;
    let parent = scene.call.parameter("parentUid").filter(|uid| !uid.is_empty() && *uid != ROOT);
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    if parent.is_some_and(|uid| tenant.folder(org, uid).is_none()) {
        return Err(not_found());
    }
    let children =
        tenant.folders.iter().filter(|row| row.org_id == org && row.parent_uid.as_deref() == parent);
    let mut visible: Vec<&Folder> = children.filter(|folder| is_visible(scene, folder)).collect();
    visible.sort_by_key(|folder| folder.title.to_lowercase());
    let entries = visible.into_iter().map(|folder| {
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
    let folder = authorize(scene, "folders:read")?;
    Ok(Answer::ok(to_json(scene.tenant, &folder)))
}

/// GET `/folders/{uid}/counts`: the numbers of its contents, with those of the folders below it.
pub fn counts(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let folder = authorize(scene, "folders:read")?;
    let tenant = &*scene.tenant;
    let is_below = |row: &&Folder| tenant.folders_above(row).contains(&folder.uid);
    let in_org = || tenant.folders.iter().filter(|row| row.org_id == folder.org_id);
    let mut uids: Vec<&str> = in_org().filter(is_below).map(|row| row.uid.as_str()).collect();
    let folders = uids.len();
    uids.push(&folder.uid);
    let dashboards = tenant.dashboards.iter().filter(|row| {
        row.org_id == folder.org_id && row.folder_uid.as_deref().is_some_and(|uid| uids.contains(&uid))
    });
    let counts =
        json!({ "folder": folders, "dashboard": dashboards.count(), "alertrule": 0, "librarypanel": 0 });
    Ok(Answer::ok(counts))
}

/// POST `/folders`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let title = fields.required_text("title")?;
    let uid = fields.text("uid")?.filter(|uid| !uid.is_empty());
    let parent = fields.text("parentUid")?.filter(|uid| !uid.is_empty() && uid != ROOT);
    let org = scene.caller.org;
    scene.require_any("folders:create", scopes::of_folder(scene.tenant, org, parent.as_deref()))?;
    let tenant = &mut *scene.tenant;
    if parent.as_ref().is_some_and(|uid| tenant.folder(org, uid).is_none()) {
        return Err(Problem::bad_request("parent folder not found"));
    }
    if uid.as_ref().is_some_and(|uid| tenant.folder(org, uid).is_some()) {
        return Err(Problem::switched(409, "a folder with that uid already exists"));
    }
    let uid = uid.unwrap_or_else(|| tenant.issue_uid());
    let creator = scene.caller.principal;
    let folder = tenant.add_folder(org, &uid, &title, parent.as_deref(), creator);
    Ok(Answer::ok(to_json(tenant, &folder)))
}

/// PUT `/folders/{uid}`: changes the title.
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut folder = authorize(scene, "folders:write")?;
    folder.title = scene.fields()?.required_text("title")?;
    scene.tenant.folders.insert(folder.clone());
    Ok(Answer::ok(to_json(scene.tenant, &folder)))
}

/// POST `/folders/{uid}/move`. The folder then inherits from its new parent.
pub fn relocate(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut folder = authorize(scene, "folders:write")?;
    let parent = scene.fields()?.text("parentUid")?.filter(|uid| !uid.is_empty() && uid != ROOT);
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    scene.require_any("folders:create", scopes::of_folder(tenant, org, parent.as_deref()))?;
    let parents = tenant.folder_and_above(org, parent.as_deref());
    if (parent.is_some() && parents.is_empty()) || parents.contains(&folder.uid) {
        return Err(Problem::bad_request("the folder cannot be moved there"));
    }
    folder.parent_uid = parent;
    scene.tenant.folders.insert(folder.clone());
    Ok(Answer::ok(to_json(scene.tenant, &folder)))
}

/// DELETE `/folders/{uid}`: deletes everything in it too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let folder = authorize(scene, "folders:delete")?;
    scene.tenant.drop_folder(&folder);
    let message = format!("Folder {} deleted", folder.title);
    Ok(Answer::ok(json!({ "title": folder.title, "message": message, "id": folder.id })))
}

/// Whether the caller can read a folder.
pub fn is_visible(scene: &Scene<'_>, folder: &Folder) -> bool {
    let scopes = scopes::of_folder(scene.tenant, folder.org_id, Some(&folder.uid));
    scopes.iter().any(|scope| scene.caller.can("folders:read", scope))
}

/// The folder in the path, if the caller has the action on it.
fn authorize(scene: &Scene<'_>, action: &str) -> Result<Folder, Problem> {
    let (tenant, org, uid) = (&*scene.tenant, scene.caller.org, scene.call.param(0));
    scene.require_any(action, scopes::of_folder(tenant, org, Some(uid)))?;
    tenant.folder(org, uid).cloned().ok_or_else(not_found)
}

fn not_found() -> Problem {
    Problem::not_found("folder not found")
}

fn to_json(tenant: &Tenant, folder: &Folder) -> Value {
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
        let above = tenant.folders_above(folder);
        let parents = above.iter().rev().filter_map(|uid| tenant.folder(folder.org_id, uid));
        body["parents"] = parents.map(|row| json!({ "uid": row.uid, "title": row.title })).collect();
    }
    body
}
