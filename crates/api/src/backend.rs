//! The `Backend` resource: the connection to one account of one vendor.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    arize::ArizeConnection,
    block::{Block, SecretKeyRef},
    common::{DeletionPolicy, Mode},
    grafana::GrafanaConnection,
    guards::{Guards, RemovalCount, WaitingPlans},
    lenses::LensesConnection,
    zenml::ZenmlConnection,
};

/// The spec of a Backend: the account, the credential for it, and the limits and defaults for its objects.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "rolewright.dev",
    version = "v1alpha1",
    kind = "Backend",
    plural = "backends",
    namespaced,
    status = "BackendStatus",
    derive = "PartialEq",
    shortname = "rwbe",
    category = "rolewright",
    doc = "A Backend is the connection to one account of a system whose access control Rolewright manages. It serves the objects of its own namespace.",
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
#[x_kube(validation = Rule::new("[has(self.arize), has(self.grafana), has(self.lenses), has(self.zenml)].filter(x, x).size() == 1")
    .message("write exactly one back-end block: arize, grafana, lenses or zenml"))]
#[serde(rename_all = "camelCase")]
pub struct BackendSpec {
    /// The connection to an account of Arize AX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arize: Option<ArizeConnection>,
    /// The connection to an organization of Grafana. Roles and RoleBindings need Grafana Enterprise or Grafana Cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grafana: Option<GrafanaConnection>,
    /// The connection to a Lenses HQ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lenses: Option<LensesConnection>,
    /// The connection to an organization of ZenML Pro.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zenml: Option<ZenmlConnection>,
    /// Certificate authorities to trust in addition to the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Whether Rolewright makes changes in this account. Enforce (the default): it makes them, within the guards. Approve: it makes those that an Approval covers. Plan: it shows them in status.plan of each object and never makes them. The mode of an object can be stricter, not more lenient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// How often Rolewright compares the whole account with its objects: a duration from 1s to 24h in hours, minutes and seconds, such as 5m or 1h30m. Default: 5m. Sweeps use at most half of the allowed requests, so the interval can be longer: see status.sweepInterval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]{1,6}(s|m|h)){1,3}$"))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1s') && duration(self) <= duration('24h')")
        .message("write a duration from 1s to 24h, such as 5m"))]
    pub sweep_interval: Option<String>,
    /// The limits of requests to the account. All Backends of the same account share them; the strictest values apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Requests>,
    /// What happens to the external things that an object manages when the object is deleted. Delete (the default): Rolewright deletes them. Retain: they stay in the back end and no object manages them. The deletionPolicy of an object overrides this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// How much Rolewright removes from the account without an approval. A removal: a revoked grant, a deleted role, a permission that is taken from a role which somebody has, a resource that is opened or closed. What is more waits with the reason ApprovalRequired. The removals of all Backends of the account count together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guards: Option<Guards>,
    /// The objects of this cluster alone describe the access control of the account, and one operator serves all its namespaces. Then objects of the kind Prune can remove what no object manages. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive: Option<bool>,
}

/// Certificate authorities to trust in addition to the public ones.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// The certificates of the authorities in PEM format, in a Secret in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<SecretKeyRef>,
}

/// The limits of requests to an account.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    /// The highest average number of requests per second. Rolewright starts at this rate, lowers it while the back end throttles or is slow, and never exceeds it. Default: Rolewright starts at 5 (Arize, ZenML) or 10 (Grafana, Lenses) and raises the rate while objects wait for it, up to 25 or 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub per_second: Option<i32>,
    /// The number of requests that Rolewright can send at once after an idle time. Default: 10 (Arize, ZenML) or 20 (Grafana, Lenses).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub burst: Option<i32>,
    /// The number of requests in flight at the same time. Default: 8 (Arize, ZenML) or 4 (Grafana, Lenses).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: Option<i32>,
}

/// The observed state of a Backend.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendStatus {
    /// The generation of the spec that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The conditions of this Backend. Ready is True if the back end accepts the credential. CredentialExpiring is True in the last two weeks before the credential expires.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[schemars(length(max = 8))]
    pub conditions: Vec<Condition>,
    /// The vendor of the back end, such as arize.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub vendor: Option<String>,
    /// The account that this Backend first connected to. Rolewright refuses a credential of any other account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantPin>,
    /// The owner of the credential. If the back end does not show the owner: what the credential can see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub identity: Option<String>,
    /// The kinds of external things that objects can manage in this back end, such as Role, Grant and Restriction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub capabilities: Vec<String>,
    /// The numbers of objects of this Backend, and of external things in the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The external things in the account that no object manages, by kind: the first ten, and how many more there are. Things that the vendor predefines are left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 8))]
    pub unmanaged: BTreeMap<String, Vec<String>>,
    /// The actual interval between sweeps, such as 7m. Present only if it is longer than spec.sweepInterval because a sweep needs so many requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub sweep_interval: Option<String>,
    /// The removals that Rolewright made for objects of this Backend without an approval, as far as the window of guards counts them. Written before the removals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub removals: Vec<RemovalCount>,
    /// The plans of objects of this Backend that wait for an approval. Absent if none waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingPlans>,
    /// The last value of the annotation rolewright.dev/reconcile-at that Rolewright handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
}

/// The account that a Backend first connected to.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantPin {
    /// The address of the account and, if known, its identity.
    #[schemars(length(max = 1024))]
    pub id: String,
    /// The path of the address, such as /grafana. Present only while no anchors are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub path: Option<String>,
    /// Ids that exist only in this account. Rolewright uses them to recognize a credential of another account. If they are more than 16, the status lists their hashes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub anchors: Vec<String>,
}

/// The numbers of objects of a Backend, and of external things in its account.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// The number of objects of this Backend.
    #[schemars(range(min = 0))]
    pub objects: i64,
    /// The number of those objects that are ready.
    #[schemars(range(min = 0))]
    pub ready: i64,
    /// The numbers of external things that these objects manage, by kind.
    pub held: BTreeMap<String, i64>,
    /// The numbers of external things that no object manages, by kind. Things that the vendor predefines are not counted.
    pub unmanaged: BTreeMap<String, i64>,
}

impl BackendSpec {
    /// The vendor block. None only for an object that the API server stored before it had the rule that requires one.
    pub fn block(&self) -> Option<Block> {
        let arize = self.arize.as_ref().map(ArizeConnection::block);
        let grafana = || self.grafana.as_ref().map(GrafanaConnection::block);
        let lenses = || self.lenses.as_ref().map(LensesConnection::block);
        let zenml = || self.zenml.as_ref().map(ZenmlConnection::block);
        arize.or_else(grafana).or_else(lenses).or_else(zenml)
    }

    /// The desired interval between sweeps: `sweepInterval`, or the default.
    pub fn interval(&self) -> Duration {
        const DEFAULT: Duration = Duration::from_secs(300);
        self.sweep_interval.as_deref().and_then(parse_interval).unwrap_or(DEFAULT)
    }
}

/// Parses durations that the schema's pattern admits, such as `1h30m`.
pub(crate) fn parse_interval(text: &str) -> Option<Duration> {
    let mut seconds = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..end].parse().ok()?;
        let unit = match &rest[end..=end] {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[end + 1..];
    }
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_hours_minutes_and_seconds() {
        assert_eq!(parse_interval("5m"), Some(Duration::from_secs(300)));
        assert_eq!(parse_interval("1h30m5s"), Some(Duration::from_secs(5405)));
        assert_eq!(parse_interval("5"), None);
        assert_eq!(parse_interval("5d"), None);
    }
}
