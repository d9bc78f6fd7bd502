//! The `ClusterBackend` resource: a Backend that a cluster admin shares with other namespaces, up to a ceiling.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    backend::{BackendSpec, BackendStatus},
    ceiling::{Allow, Ceiling},
};

/// The spec of a ClusterBackend: that of a Backend, and who can do what with it.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "rolewright.dev",
    version = "v1alpha1",
    kind = "ClusterBackend",
    plural = "clusterbackends",
    status = "BackendStatus",
    derive = "PartialEq",
    shortname = "rwcbe",
    category = "rolewright",
    doc = "A ClusterBackend is the connection to one account that a cluster admin shares with namespaces, up to a ceiling.",
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
    printcolumn(name = "Vendor", type_ = "string", json_path = ".status.vendor"),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterBackendSpec {
    /// The fields of a Backend.
    #[serde(flatten)]
    pub backend: BackendSpec,
    /// Who can do what with it.
    #[serde(flatten)]
    pub terms: ClusterTerms,
}

impl ClusterTerms {
    /// Whether RoleBindings must end.
    pub fn limits_time(&self) -> bool {
        self.ceiling.as_ref().is_some_and(|ceiling| ceiling.max_duration.is_some())
    }
}

/// What a ClusterBackend says beside the fields of a Backend.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterTerms {
    /// The namespace of all Secrets that this ClusterBackend refers to.
    #[schemars(length(min = 1, max = 63))]
    pub secret_namespace: String,
    /// The hosts that can receive the values of those Secrets, such as grafana.example.com or grafana.internal:3000. http:// before a host allows a connection without encryption. The annotation rolewright.dev/hosts of the Secrets does not count.
    #[schemars(length(min = 1, max = 32), inner(length(min = 1, max = 300)))]
    pub hosts: Vec<String>,
    /// The namespaces whose objects can use this ClusterBackend, by their labels. Absent: none. {}: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// What objects can do beyond granting existing roles. Each is off until it is allowed here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Allow>,
    /// The most that objects can have. Rolewright refuses everything outside before any write to the back end, with the reason Denied. A ceiling that becomes narrower removes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Ceiling>,
}
