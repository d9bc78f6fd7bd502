//! The `ResourceRestriction` resource: a resource closed to inherited access.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{
    common::{Adopt, BLANKS, BackendRef, DeletionPolicy, Mode},
    status::ObjectStatus,
};

/// The spec of a ResourceRestriction: the resource to close.
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
    doc = "A ResourceRestriction closes a resource of a back end to inherited access: only roles that are granted on the resource itself apply to it.",
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
    printcolumn(name = "Resource", type_ = "string", json_path = ".spec.resource", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("self.backendRef.name == oldSelf.backendRef.name && (has(self.backendRef.kind) && self.backendRef.kind == 'ClusterBackend') == (has(oldSelf.backendRef.kind) && oldSelf.backendRef.kind == 'ClusterBackend')")
    .message("backendRef cannot be changed: delete this object and create it again for the other Backend")
    .field_path(".backendRef"))]
#[x_kube(validation = Rule::new("self.resource == oldSelf.resource")
    .message("resource cannot be changed: delete this object and create one for the other resource")
    .field_path(".resource"))]
#[serde(rename_all = "camelCase")]
pub struct ResourceRestrictionSpec {
    /// The Backend of the account that the resource belongs to. It cannot be changed.
    pub backend_ref: BackendRef,
    /// The resource to close. It cannot be changed.
    pub resource: ResourceRef,
    /// What happens if the resource is already restricted and no object manages the restriction. Never: this object reports Conflict. IfIdentical (the default) and Always: Rolewright adopts the restriction. The two do the same, because an existing restriction is always identical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adopt>,
    /// Whether Rolewright makes changes. Enforce (the default): it makes them, within the guards of the Backend. Approve: it makes those that an Approval covers. Plan: it shows them in status.plan and never makes them. The stricter of this mode and the Backend's mode applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What happens to the restriction when this object is deleted. Delete: Rolewright removes the restriction. Retain: the resource stays restricted and no object manages it. Default: the deletionPolicy of the Backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// A resource of a back end: names, from the widest to the narrowest level, or one id.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "[has(self.id), has(self.project), has(self.folder) || has(self.dashboard), has(self.dataSource)].exists_one(way, way) \
     && (has(self.project) || !(has(self.organization) || has(self.space)))")
    .message("write one of: project (with its space); folder; dashboard (with its folder); dataSource; or id alone"))]
pub struct ResourceRef {
    /// The name or id of the Arize organization that the space is in. Only needed if two organizations have a space with the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub organization: Option<String>,
    /// The name or id of the Arize space that the project is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub space: Option<String>,
    /// The name or id of an Arize project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub project: Option<String>,
    /// A Grafana folder: its title, its title with those of the folders above (Team A/Reports), or its uid as uid:abc. With dashboard: the folder that the dashboard is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub folder: Option<String>,
    /// A Grafana dashboard: its title, or its uid as uid:abc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub dashboard: Option<String>,
    /// A Grafana data source: its name, or its uid as uid:abc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub data_source: Option<String>,
    /// The id of the resource, instead of names. Arize: the id of a project, a dashboard or a prompt. Grafana: the kind and the uid, as folder:abc, dashboard:abc or dataSource:abc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub id: Option<String>,
}

impl ResourceRef {
    /// The names that are set, each with its level, from the widest to the narrowest.
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
