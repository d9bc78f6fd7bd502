//! The `Role` resource: a named set of rules in a back end.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    common::{Adopt, BackendRef, DeletionPolicy, Mode},
    grafana::GrafanaRole,
    status::ObjectStatus,
    zenml::ZenmlRole,
};

/// A role in the back end: a name and what it permits.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "rolewright.dev",
    version = "v1alpha1",
    kind = "Role",
    plural = "roles",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    shortname = "rwr",
    category = "rolewright",
    doc = "A Role is a named set of rules in a back end, kept equal to this object.",
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
    printcolumn(
        name = "Verified",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Verified\")].status",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("self.backendRef.name == oldSelf.backendRef.name")
    .message("backendRef cannot be changed: delete this object and create it for the other Backend")
    .field_path(".backendRef"))]
#[x_kube(validation = Rule::new(
    "(has(self.grafana) && has(self.grafana.uid) ? self.grafana.uid : '') == (has(oldSelf.grafana) && has(oldSelf.grafana.uid) ? oldSelf.grafana.uid : '')")
    .message("grafana.uid cannot be changed: delete this object and create it with the other uid")
    .field_path(".grafana"))]
#[x_kube(validation = Rule::new(
    "(has(self.grafana) && has(self.grafana.global) ? self.grafana.global : false) == (has(oldSelf.grafana) && has(oldSelf.grafana.global) ? oldSelf.grafana.global : false)")
    .message("grafana.global cannot be changed: delete this object and create it anew")
    .field_path(".grafana"))]
#[x_kube(validation = Rule::new("has(self.zenml) == has(oldSelf.zenml) && (!has(self.zenml) || self.zenml.level == oldSelf.zenml.level)")
    .message("zenml.level cannot be changed: delete this object and create it at the other level")
    .field_path(".zenml"))]
#[x_kube(validation = Rule::new("!(has(self.grafana) && has(self.zenml))")
    .message("write the block of one back end: grafana or zenml"))]
#[serde(rename_all = "camelCase")]
pub struct RoleSpec {
    /// The Backend whose role this is. Cannot be changed.
    pub backend_ref: BackendRef,
    /// The role's name in the back end; this object's name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,
    /// The name that people are shown. When absent: left as it is on Grafana, the role's name on Lenses. Arize roles have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    pub display_name: Option<String>,
    /// What the role is for, as shown in the back end. Arize takes 1000 characters, Lenses 250.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// What the role permits. Order and repetition mean nothing.
    #[schemars(length(min = 1, max = 256))]
    pub rules: Vec<crate::Rule>,
    /// What only Grafana roles have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grafana: Option<GrafanaRole>,
    /// What only ZenML roles have. Needed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zenml: Option<ZenmlRole>,
    /// When the back end has a role of this name already and no object holds it: Never take it over, take it over IfIdentical (the default), or Always, and make it equal to this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adopt>,
    /// Enforce (the default), or Plan to show changes and never make them. The stricter of this and the Backend's mode holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Delete, or Retain to leave the role in the back end when this object goes. The Backend's policy when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

impl RoleSpec {
    /// The fields that only one vendor's roles have, and that vendor.
    pub fn settings(&self) -> Option<(&'static str, BTreeMap<String, String>)> {
        let grafana = self.grafana.as_ref().map(|grafana| ("grafana", grafana.settings()));
        grafana.or_else(|| self.zenml.as_ref().map(|zenml| ("zenml", zenml.settings())))
    }
}

/// Actions, on resources where the back end has them.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// What may be done, in the back end's own words, such as PROJECT_READ on Arize, reports:read on Grafana or kafka:ListTopics on Lenses.
    #[schemars(length(min = 1, max = 512), inner(length(min = 1, max = 190)))]
    pub actions: Vec<String>,
    /// What it may be done to, in the back end's own words, such as reports:* on Grafana, where an action without any has no scope, or kafka:topic:* on Lenses, where each needs one. Arize roles have no resources: leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 512)))]
    pub resources: Option<Vec<String>>,
    /// Allow (the default), or Deny on Lenses, which beats every Allow. The roles of all others only allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
}

/// What a rule does with its actions.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum Effect {
    /// They are permitted.
    #[default]
    Allow,
    /// They are refused, whatever else permits them.
    Deny,
}
