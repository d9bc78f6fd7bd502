//! The `Backend` resource: a connection to one account of one vendor.

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
    lenses::LensesConnection,
    zenml::ZenmlConnection,
};

/// A connection to a back end.
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
    doc = "A Backend is a connection to one account of a system whose access control is managed. It serves the objects of its own namespace.",
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
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("[has(self.arize), has(self.grafana), has(self.lenses), has(self.zenml)].filter(x, x).size() == 1")
    .message("write exactly one back-end block: arize, grafana, lenses or zenml"))]
#[serde(rename_all = "camelCase")]
pub struct BackendSpec {
    /// An account of Arize AX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arize: Option<ArizeConnection>,
    /// An organization of Grafana Enterprise or Grafana Cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grafana: Option<GrafanaConnection>,
    /// A Lenses HQ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lenses: Option<LensesConnection>,
    /// An organization of ZenML Pro.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zenml: Option<ZenmlConnection>,
    /// What to trust beside the public certificate authorities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Enforce (the default), or Plan to show changes and never make them. An object can only be stricter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// How often the whole account is compared with the objects, such as 5m (the default). At least 1s; stretched so that it uses at most half of the allowed requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]{1,6}(s|m|h)){1,3}$"))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1s') && duration(self) <= duration('24h')")
        .message("write a time from 1s to 24h, such as 5m"))]
    pub sweep_interval: Option<String>,
    /// How many requests the back end may be sent, over all Backends of the same account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Requests>,
    /// When an object is deleted: Delete what it holds (the default), or Retain it in the back end. An object can say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// Trust beyond the public certificate authorities.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// Certificates in PEM form, in a Secret of the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_secret_ref: Option<SecretKeyRef>,
}

/// How many requests a back end may be sent.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    /// Requests a second in the long run; 5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub per_second: Option<i32>,
    /// Requests that may go at once after a quiet time; 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub burst: Option<i32>,
    /// Requests under way at one time; 4 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 64))]
    pub concurrency: Option<i32>,
}

/// What is known of a connection.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready is True when the back end accepts the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[schemars(length(max = 8))]
    pub conditions: Vec<Condition>,
    /// The vendor, such as arize.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub vendor: Option<String>,
    /// The account that this Backend was first connected to. The key of another account is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantPin>,
    /// Whose key it is, or what it sees where the back end does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub identity: Option<String>,
    /// The kinds of things that this back end has and that objects can hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub capabilities: Vec<String>,
    /// How its objects stand, and what they hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// How often the account is compared with the objects, where that takes so many requests that it is less often than spec.sweepInterval says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub sweep_interval: Option<String>,
    /// The last value of the annotation rolewright.dev/reconcile-at that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
}

/// The account that a Backend was first connected to.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantPin {
    /// The account's address and, where known, its identity.
    #[schemars(length(max = 1024))]
    pub id: String,
    /// Identifiers that only this account has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub anchors: Vec<String>,
}

/// How the objects of a Backend stand.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Objects of this Backend.
    #[schemars(range(min = 0))]
    pub objects: i64,
    /// Those that are ready.
    #[schemars(range(min = 0))]
    pub ready: i64,
    /// Things held in the back end, by kind.
    pub held: BTreeMap<String, i64>,
    /// Things in the back end that no object holds, by kind.
    pub unmanaged: BTreeMap<String, i64>,
}

impl BackendSpec {
    /// The one block that is there. None when an object that was stored under other rules has none.
    pub fn block(&self) -> Option<Block> {
        let arize = self.arize.as_ref().map(ArizeConnection::block);
        let grafana = || self.grafana.as_ref().map(GrafanaConnection::block);
        let lenses = || self.lenses.as_ref().map(LensesConnection::block);
        let zenml = || self.zenml.as_ref().map(ZenmlConnection::block);
        arize.or_else(grafana).or_else(lenses).or_else(zenml)
    }

    /// The wished interval between sweeps.
    pub fn interval(&self) -> Duration {
        const DEFAULT: Duration = Duration::from_secs(300);
        self.sweep_interval.as_deref().and_then(parse_interval).unwrap_or(DEFAULT)
    }
}

/// Reads `1h30m` and the like, as the schema's pattern admits.
fn parse_interval(text: &str) -> Option<Duration> {
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
    fn intervals_are_read_in_hours_minutes_and_seconds() {
        assert_eq!(parse_interval("5m"), Some(Duration::from_secs(300)));
        assert_eq!(parse_interval("1h30m5s"), Some(Duration::from_secs(5405)));
        assert_eq!(parse_interval("5"), None);
        assert_eq!(parse_interval("5d"), None);
    }
}
