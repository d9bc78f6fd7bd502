//! The `ResourceRestriction` resource: a resource closed to inherited access.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{
    common::{Adopt, BackendRef, DeletionPolicy, Mode},
    status::ObjectStatus,
};

/// A resource closed to inherited access.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "rolewright.dev",
    version = "v1alpha1",
    kind = "ResourceRestriction",
    plural = "resourcerestrictions",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    shortname = "rwrr",
    category = "rolewright",
    doc = "A ResourceRestriction closes a resource of a back end to inherited access: only roles held on the resource itself apply to it.",
    selectable = ".spec.backendRef.name",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Backend", type_ = "string", json_path = ".spec.backendRef.name"),
    printcolumn(name = "Plan", type_ = "string", json_path = ".status.plan.summary"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("self.backendRef.name == oldSelf.backendRef.name")
    .message("backendRef cannot be changed: delete this object and create it for the other Backend")
    .field_path(".backendRef"))]
#[x_kube(validation = Rule::new("self.resource == oldSelf.resource")
    .message("resource cannot be changed: delete this object and create one for the other resource")
    .field_path(".resource"))]
#[serde(rename_all = "camelCase")]
pub struct ResourceRestrictionSpec {
    /// The Backend whose resource this is. Cannot be changed.
    pub backend_ref: BackendRef,
    /// The resource to close. Cannot be changed.
    pub resource: ResourceRef,
    /// When the resource is restricted already and no object holds that: Never take it over, or do, IfIdentical (the default, and restrictions are) or Always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adopt>,
    /// Enforce (the default), or Plan to show changes and never make them. The stricter of this and the Backend's mode holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Delete, or Retain to leave the resource restricted when this object goes. The Backend's policy when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// A resource of a back end: by names, from the widest to the narrowest, or by one id.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "[has(self.id), has(self.project), has(self.folder) || has(self.dashboard), has(self.dataSource)].exists_one(way, way) \
     && (has(self.project) || !(has(self.organization) || has(self.space)))")
    .message("write one of: project (with its space); folder; dashboard (with its folder); dataSource; or id alone"))]
pub struct ResourceRef {
    /// An organization's name or id; needed only where two organizations have a space of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub organization: Option<String>,
    /// The name or id of the space that the project is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub space: Option<String>,
    /// The name or id of the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub project: Option<String>,
    /// A Grafana folder: its title, the titles of the folders it is in and its own (Team A/Reports), or `uid:` and its uid. With dashboard, the folder that that is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub folder: Option<String>,
    /// A Grafana dashboard: its title, or `uid:` and its uid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub dashboard: Option<String>,
    /// A Grafana data source: its name, or `uid:` and its uid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub data_source: Option<String>,
    /// The id of the resource, instead of names. On Arize of a project, a dashboard or a prompt; on Grafana such as folder:abc, with the uid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub id: Option<String>,
}

impl ResourceRef {
    /// What is named, by level.
    pub fn levels(&self) -> Vec<(&'static str, &str)> {
        let levels = [
            ("organization", &self.organization),
            ("space", &self.space),
            ("project", &self.project),
            ("folder", &self.folder),
            ("dashboard", &self.dashboard),
            ("dataSource", &self.data_source),
        ];
        levels.into_iter().filter_map(|(level, name)| Some((level, name.as_deref()?))).collect()
    }
}
