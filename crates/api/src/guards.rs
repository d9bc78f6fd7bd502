//! The guards of a Backend: how much Rolewright removes from an account without an approval.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backend::parse_interval;

/// The guards of a Backend.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Guards {
    /// The number of removals within the window that need no approval. 0: with maxRemovalPercent 0, every removal needs one. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_removals: Option<i32>,
    /// The same as a percentage of everything that objects manage in the account. The higher of the two limits applies. Default: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub max_removal_percent: Option<i32>,
    /// The time in which removals are counted: a duration from 1m to 24h in hours, minutes and seconds, such as 1h. Default: 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]{1,6}(s|m|h)){1,3}$"))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1m') && duration(self) <= duration('24h')")
        .message("write a duration from 1m to 24h, such as 1h"))]
    pub window: Option<String>,
    /// Subjects that lose nothing without an approval, by name or id, such as admin@example.com or *@ops.example.com. * stands for any text and ? for one character; upper and lower case are the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 320), regex(pattern = r"^[^\[\]{}\\]+$")))]
    pub protected_subjects: Vec<String>,
    /// Roles that nobody loses without an approval, and that lose no permission without one, by name or id in the back end. Patterns as in protectedSubjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 320), regex(pattern = r"^[^\[\]{}\\]+$")))]
    pub protected_roles: Vec<String>,
}

impl Guards {
    /// The number of removals within the window that need no approval, in an account where objects manage this many things.
    pub fn limit(&self, managed: usize) -> usize {
        let number = |value| usize::try_from(value).unwrap_or(0);
        number(self.removals()).max(managed.saturating_mul(number(self.percent())) / 100)
    }

    fn removals(&self) -> i32 {
        self.max_removals.unwrap_or(10)
    }

    fn percent(&self) -> i32 {
        self.max_removal_percent.unwrap_or(5)
    }

    /// The time in which removals are counted.
    pub fn window(&self) -> Duration {
        const DEFAULT: Duration = Duration::from_secs(3600);
        self.window.as_deref().and_then(parse_interval).unwrap_or(DEFAULT)
    }

    /// The limits in words, such as `10 or 5 % within 1h`.
    pub fn limits(&self) -> String {
        let window = self.window.as_deref().unwrap_or("1h");
        format!("{} or {} % within {window}", self.removals(), self.percent())
    }
}

/// Removals that Rolewright made, and until when they count.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemovalCount {
    /// The time from which the window of guards counts them. Removals of a short time share one entry.
    pub at: Time,
    /// How many they were.
    #[schemars(range(min = 0))]
    pub count: i64,
}

/// The plans of the objects of a Backend that wait for an approval.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingPlans {
    /// The number of objects whose plan waits.
    #[schemars(range(min = 0))]
    pub objects: i64,
    /// The number of removals in these plans.
    #[schemars(range(min = 0))]
    pub removals: i64,
    /// Since when the first of them waits.
    pub since: Time,
    /// A hash of all these plans. One Approval with this hash approves all of them. Absent on a ClusterBackend, whose plans are approved one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub plan: Option<String>,
    /// The first ten objects, and how many more there are.
    #[schemars(length(max = 11), inner(length(max = 512)))]
    pub names: Vec<String>,
}
