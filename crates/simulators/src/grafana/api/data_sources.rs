//! Data sources (contract 2.6).

use serde_json::{Value, json};

use super::{call::Scene, problem::Problem};
use crate::{
    grafana::rows::{data_sources::DataSource, managed::ResourceKind},
    kit::answer::Answer,
};

/// GET `/datasources`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require_somewhere("datasources:read")?;
    let rows = scene.tenant.data_sources.iter().filter(|row| row.org_id == scene.caller.org);
    let mut visible: Vec<&DataSource> =
        rows.filter(|row| scene.caller.can("datasources:read", &scope(&row.uid))).collect();
    visible.sort_by_key(|row| row.name.to_lowercase());
    Ok(Answer::ok(visible.into_iter().map(to_json).collect()))
}

/// GET `/datasources/uid/{uid}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    authorize(scene, "datasources:read", |row, uid| row.uid == uid).map(|row| Answer::ok(to_json(&row)))
}

/// GET `/datasources/name/{name}`
pub fn read_by_name(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    authorize(scene, "datasources:read", |row, name| row.name == name).map(|row| Answer::ok(to_json(&row)))
}

/// POST `/datasources`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("datasources:create", "")?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let kind = fields.required_text("type")?;
    let uid = fields.text("uid")?.filter(|uid| !uid.is_empty());
    let org = scene.caller.org;
    let tenant = &mut *scene.tenant;
    let per_type = tenant.switches.data_source_uids_are_per_type;
    let taken = |row: &DataSource| {
        let same_uid = Some(&row.uid) == uid.as_ref() && (!per_type || row.kind == kind);
        row.org_id == org && (row.name == name || same_uid)
    };
    if tenant.data_sources.iter().any(taken) {
        return Err(Problem::switched(409, "data source with the same name already exists"));
    }
    let uid = uid.unwrap_or_else(|| tenant.issue_uid());
    let row = tenant.add_data_source(org, &uid, &name, &kind, scene.caller.principal);
    Ok(Answer::ok(json!({
        "datasource": to_json(&row),
        "id": row.id,
        "message": "Datasource added",
        "name": row.name,
    })))
}

/// DELETE `/datasources/uid/{uid}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let row = authorize(scene, "datasources:delete", |row, uid| row.uid == uid)?;
    scene.tenant.data_sources.remove(row.id);
    scene.tenant.forget_resource(row.org_id, ResourceKind::Datasources, &row.uid);
    Ok(Answer::ok(json!({ "message": "Data source deleted", "id": row.id })))
}

fn scope(uid: &str) -> String {
    ResourceKind::Datasources.scope(uid)
}

/// The data source in the path, if the caller has the action on it.
fn authorize(
    scene: &Scene<'_>,
    action: &str,
    is_requested: impl Fn(&DataSource, &str) -> bool,
) -> Result<DataSource, Problem> {
    let requested = scene.call.param(0);
    let mut rows = scene.tenant.data_sources.iter().filter(|row| row.org_id == scene.caller.org);
    match rows.find(|row| is_requested(row, requested)) {
        Some(row) => {
            scene.require(action, &scope(&row.uid))?;
            Ok(row.clone())
        }
        None => {
            scene.require_somewhere(action)?;
            Err(Problem::not_found("Data source not found"))
        }
    }
}

fn to_json(row: &DataSource) -> Value {
    json!({
        "id": row.id,
        "uid": row.uid,
        "orgId": row.org_id,
        "name": row.name,
        "type": row.kind,
        "typeName": row.kind,
        "access": "proxy",
        "url": "",
        "user": "",
        "database": "",
        "basicAuth": false,
        "isDefault": false,
        "jsonData": {},
        "readOnly": false,
    })
}
