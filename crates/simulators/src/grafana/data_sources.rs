//! Data sources (contract 2.6).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    call::{Answer, Scene},
    managed::ResourceKind,
    problem::Problem,
    state::{Kind, Tenant},
};
use crate::kit::table::identified;

/// A data source.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSource {
    /// Its number.
    pub id: i64,
    /// Its uid, unique in the organization.
    pub uid: String,
    /// The organization.
    pub org_id: i64,
    /// Its name, unique in the organization.
    pub name: String,
    /// The plugin that reads it, such as `prometheus`.
    pub kind: String,
}

identified!(DataSource, i64);

/// GET `/datasources`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require_somewhere("datasources:read")?;
    let rows = scene.tenant.data_sources.iter().filter(|row| row.org_id == scene.caller.org);
    let mut seen: Vec<&DataSource> =
        rows.filter(|row| scene.caller.may("datasources:read", &scope(&row.uid))).collect();
    seen.sort_by_key(|row| row.name.to_lowercase());
    Ok(Answer::ok(seen.into_iter().map(wire).collect()))
}

/// GET `/datasources/uid/{uid}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    reach(scene, "datasources:read", |row, uid| row.uid == uid).map(|row| Answer::ok(wire(&row)))
}

/// GET `/datasources/name/{name}`
pub fn read_by_name(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    reach(scene, "datasources:read", |row, name| row.name == name).map(|row| Answer::ok(wire(&row)))
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
    let taken = |row: &DataSource| row.org_id == org && (row.name == name || Some(&row.uid) == uid.as_ref());
    if tenant.data_sources.iter().any(taken) {
        return Err(Problem::switched(409, "data source with the same name already exists"));
    }
    let uid = uid.unwrap_or_else(|| tenant.issue_uid());
    let row = tenant.add_data_source(org, &uid, &name, &kind, scene.caller.principal);
    Ok(Answer::ok(json!({
        "datasource": wire(&row),
        "id": row.id,
        "message": "Datasource added",
        "name": row.name,
    })))
}

/// DELETE `/datasources/uid/{uid}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let row = reach(scene, "datasources:delete", |row, uid| row.uid == uid)?;
    scene.tenant.data_sources.remove(row.id);
    scene.tenant.forget_resource(row.org_id, ResourceKind::Datasources, &row.uid);
    Ok(Answer::ok(json!({ "message": "Data source deleted", "id": row.id })))
}

impl Tenant {
    /// Adds a data source with the permissions that the vendor gives it.
    pub fn add_data_source(
        &mut self,
        org_id: i64,
        uid: &str,
        name: &str,
        kind: &str,
        creator: Option<i64>,
    ) -> DataSource {
        let row = DataSource {
            id: self.issue(Kind::DataSource),
            uid: uid.to_owned(),
            org_id,
            name: name.to_owned(),
            kind: kind.to_owned(),
        };
        self.data_sources.insert(row.clone());
        self.set_default_permissions(org_id, (ResourceKind::Datasources, uid), creator, false);
        row
    }
}

fn scope(uid: &str) -> String {
    ResourceKind::Datasources.scope(uid)
}

fn reach(
    scene: &Scene<'_>,
    action: &str,
    is_meant: impl Fn(&DataSource, &str) -> bool,
) -> Result<DataSource, Problem> {
    let wanted = scene.call.param(0);
    let mut rows = scene.tenant.data_sources.iter().filter(|row| row.org_id == scene.caller.org);
    match rows.find(|row| is_meant(row, wanted)) {
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

fn wire(row: &DataSource) -> Value {
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
