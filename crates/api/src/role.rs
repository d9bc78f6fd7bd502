//! The `Role` resource: a named set of rules in a back end.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    common::{Adopt, BLANKS, BackendRef, DeletionPolicy, Mode},
    grafana::GrafanaRole,
    status::ObjectStatus,
    zenml::ZenmlRole,
};

/// The most single rules, each of one action on one resource, that the rules of a Role can expand to.
pub const MAX_EXPANDED_RULES: usize = 10_000;
/// The message for a Role with more.
pub const TOO_MANY_RULES: &str = "the rules expand to more than 10000 single rules, which are one action on one resource each: write wildcards, or split the role";

/// The spec of a Role: its name in the back end, and its rules.
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
    doc = "A Role is a named set of rules in a back end. Rolewright keeps the role in the back end equal to this object.",
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
#[x_kube(validation = Rule::new(
    "(has(self.grafana) && has(self.grafana.uid) ? self.grafana.uid : '') == (has(oldSelf.grafana) && has(oldSelf.grafana.uid) ? oldSelf.grafana.uid : '')")
    .message("grafana.uid cannot be changed: delete this object and create it again with the other uid")
    .field_path(".grafana"))]
#[x_kube(validation = Rule::new(
    "(has(self.grafana) && has(self.grafana.global) ? self.grafana.global : false) == (has(oldSelf.grafana) && has(oldSelf.grafana.global) ? oldSelf.grafana.global : false)")
    .message("grafana.global cannot be changed: delete this object and create it again")
    .field_path(".grafana"))]
#[x_kube(validation = Rule::new("has(self.zenml) == has(oldSelf.zenml) && (!has(self.zenml) || self.zenml.level == oldSelf.zenml.level)")
    .message("zenml.level cannot be changed: delete this object and create it again at the other level")
    .field_path(".zenml"))]
#[x_kube(validation = Rule::new("!(has(self.grafana) && has(self.zenml))")
    .message("write at most one back-end block: grafana or zenml"))]
#[x_kube(validation = Rule::new("self.rules.size() > 0 || has(self.grafana)")
    .message("rules can be empty only on Grafana, with a grafana block: write at least one rule, or grafana: {}")
    .field_path(".rules"))]
#[serde(rename_all = "camelCase")]
pub struct RoleSpec {
    /// The Backend of the account where this role exists. It cannot be changed.
    pub backend_ref: BackendRef,
    /// The name of the role in the back end. Default: the name of this object. A new name renames the role; Lenses cannot rename roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub name: Option<String>,
    /// The name that the back end shows to users. If absent: on Grafana, Rolewright does not change it; on Lenses, it is the name of the role. Arize and ZenML have no display names: leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 190))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub display_name: Option<String>,
    /// The purpose of the role, as the back end shows it. Blanks and line ends at its beginning and end do not count. Arize accepts 1000 characters, ZenML 226, Lenses 250.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub description: Option<String>,
    /// The permissions of the role. Order and repetition do not matter. Empty only with a grafana block: a Grafana role can have no permissions. They can expand to at most 10000 single rules, each of one action on one resource.
    #[schemars(length(max = 256))]
    #[x_kube(validation = Rule::new("self.map(r, r.actions.size() * (has(r.resources) ? r.resources.size() : 1)).sum() <= 10000")
        .message(TOO_MANY_RULES))]
    pub rules: Vec<self::Rule>,
    /// Settings that only Grafana roles have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grafana: Option<GrafanaRole>,
    /// Settings that only ZenML roles have. Required on ZenML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zenml: Option<ZenmlRole>,
    /// What happens if the back end already has a role with this name (Grafana: with this uid, if set) and no object manages it. Never: this object reports Conflict. IfIdentical (the default): Rolewright adopts the role if it equals this object; otherwise this object reports Conflict. Always: Rolewright adopts the role and makes it equal to this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adopt>,
    /// Whether Rolewright makes changes. Enforce (the default): it makes them, within the guards of the Backend. Approve: it makes those that an Approval covers. Plan: it shows them in status.plan and never makes them. The stricter of this mode and the Backend's mode applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What happens to the role in the back end when this object is deleted. Delete: Rolewright deletes the role. Retain: the role stays and no object manages it. Default: the deletionPolicy of the Backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

impl RoleSpec {
    /// How many single rules the rules expand to.
    pub fn count_rules(&self) -> usize {
        let single = |rule: &self::Rule| rule.actions.len() * rule.resources.as_ref().map_or(1, Vec::len);
        self.rules.iter().map(single).sum()
    }

    /// The name of the vendor block and the settings in it. None if the spec has no vendor block.
    pub fn settings(&self) -> Option<(&'static str, BTreeMap<String, String>)> {
        let grafana = self.grafana.as_ref().map(|grafana| ("grafana", grafana.settings()));
        grafana.or_else(|| self.zenml.as_ref().map(|zenml| ("zenml", zenml.settings())))
    }
}

/// One rule of a Role: actions, and the resources that they apply to.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The actions, as the back end spells them. Examples: PROJECT_READ (Arize), reports:read (Grafana), kafka:ListTopics (Lenses), read (ZenML).
    #[schemars(length(min = 1, max = 512), inner(length(min = 1, max = 190)))]
    pub actions: Vec<String>,
    /// The resources that the actions apply to, as the back end spells them. Grafana: scopes, such as reports:*; without resources, the actions have no scope. Lenses: patterns, such as kafka:topic:*; required. ZenML: resource types, such as pipeline; required. Arize roles have no resources: leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), inner(length(min = 1, max = 512)))]
    pub resources: Option<Vec<String>>,
    /// Allow (the default): the rule permits the actions. Deny: the rule forbids them, even if another rule or role allows them. Only Lenses supports Deny.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
}

/// Whether a rule permits or forbids its actions.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum Effect {
    /// The rule permits the actions.
    #[default]
    Allow,
    /// The rule forbids the actions, even if another rule or role allows them.
    Deny,
}
