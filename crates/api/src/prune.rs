//! The `Prune` resource: what no object manages is removed from an account.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    common::{BackendRef, Mode},
    status::ObjectStatus,
};

/// The spec of a Prune: the things to remove, and the things that stay.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "rolewright.dev",
    version = "v1alpha1",
    kind = "Prune",
    plural = "prunes",
    namespaced,
    status = "ObjectStatus",
    derive = "PartialEq",
    shortname = "rwp",
    category = "rolewright",
    doc = "A Prune removes grants and roles from an account that no object manages. The Backend must declare that this cluster alone manages the account.",
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
#[serde(rename_all = "camelCase")]
pub struct PruneSpec {
    /// The Backend of the account. It cannot be changed. Its spec.exclusive must be true. With a ClusterBackend, this object must be in the secretNamespace of the ClusterBackend, and the namespaceSelector must select it.
    pub backend_ref: BackendRef,
    /// The kinds of external things to remove. Grant: grants of any role (ZenML: of roles in scopes where an object manages a grant). Role: roles that nobody has and no object names (not on ZenML). What belongs to the vendor stays, such as predefined roles.
    #[schemars(length(min = 1, max = 2))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub kinds: Vec<PrunedKind>,
    /// Subjects whose grants stay, by name or id, as patterns such as *@vendor.example.com. * stands for any text and ? for one character; upper and lower case are the same. The account whose credential Rolewright uses always stays, where the back end shows it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 320), regex(pattern = r"^[^\[\]{}\\]+$")))]
    pub keep_subjects: Vec<String>,
    /// Roles that stay with all their grants, by name in the back end. Patterns as in keepSubjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 320), regex(pattern = r"^[^\[\]{}\\]+$")))]
    pub keep_roles: Vec<String>,
    /// Whether Rolewright makes changes. Enforce (the default): it makes them, within the guards of the Backend. Approve: it makes those that an Approval covers. Plan: it shows them in status.plan and never makes them. The stricter of this mode and the Backend's mode applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

/// A kind of external thing that a Prune removes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum PrunedKind {
    /// Grants.
    Grant,
    /// Roles without grants.
    Role,
}
