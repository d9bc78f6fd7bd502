//! The `AccessRequest` resource: a user requests a role for a limited time.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    backend::parse_interval,
    common::{BLANKS, BackendRef},
    role_binding::{RoleRef, Scope},
};

/// The spec of an AccessRequest: the offer, the user, how long and why.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "rolewright.dev",
    version = "v1alpha1",
    kind = "AccessRequest",
    plural = "accessrequests",
    namespaced,
    status = "AccessRequestStatus",
    derive = "PartialEq",
    shortname = "rwar",
    category = "rolewright",
    doc = "An AccessRequest requests the role of an AccessOffer for a limited time. The access ends by itself.",
    printcolumn(name = "Offer", type_ = "string", json_path = ".spec.offer"),
    printcolumn(name = "By", type_ = "string", json_path = ".spec.requestedBy"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Ends", type_ = "string", json_path = ".status.expiresAt"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".spec.reason"),
    printcolumn(name = "Duration", type_ = "string", json_path = ".spec.duration", priority = 1),
    printcolumn(name = "Plan", type_ = "string", json_path = ".status.plan", priority = 1),
    printcolumn(
        name = "ApprovedBy",
        type_ = "string",
        json_path = ".status.approval.approvedBy",
        priority = 1
    ),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("self == oldSelf")
    .message("an AccessRequest cannot be changed: create another one"))]
#[serde(rename_all = "camelCase")]
pub struct AccessRequestSpec {
    /// The name of an AccessOffer in the same namespace.
    #[schemars(length(min = 1, max = 253))]
    pub offer: String,
    /// How long the access lasts, from the approval on: a duration in hours, minutes and seconds, such as 2h. The offer has the longest one.
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]{1,6}(s|m|h)){1,3}$"))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1s')").message("write a duration such as 2h"))]
    pub duration: String,
    /// Why, such as the number of an incident.
    #[schemars(length(min = 1, max = 512))]
    pub reason: String,
    /// The user who requests: the user name with which the request that creates this object is authenticated, such as alice@example.com.
    #[schemars(length(min = 1, max = 320))]
    pub requested_by: String,
    /// Groups of this user that the offer names. Needed only if the offer does not name the user itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 320)))]
    pub groups: Vec<String>,
    /// The user of the back end who gets the role, by the name that a subject of a RoleBinding would have. Default: requestedBy, without the userPrefix of the offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 320))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub user: Option<String>,
}

impl AccessRequestSpec {
    /// How long the access lasts.
    pub fn duration(&self) -> Duration {
        parse_interval(&self.duration).unwrap_or_default()
    }
}

/// What became of an AccessRequest.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRequestStatus {
    /// What became of the request. Absent: nobody looked at it yet. Pending: it waits for an Approval. Granting: it is approved, and the back end does not have the grant yet. Active: the user has the role. Ending: the access is over, and the grant is being revoked. Ended: the access is over. Denied: the request was not granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AccessState>,
    /// The state in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
    /// The hash of what the request would grant. An Approval of the request names it in spec.plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub plan: Option<String>,
    /// What was granted: the offer as it was at that time. Later changes of the offer do not change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<AccessGrant>,
    /// The Approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<AccessApproval>,
    /// When the access began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the back end had the grant for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_at: Option<Time>,
    /// When the access ends at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// Why the access is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub end_reason: Option<String>,
    /// When the request ended or was denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// The RoleBinding that Rolewright created for the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_binding: Option<AccessBinding>,
}

/// What a request grants, apart from the time.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessGrant {
    /// The user of the back end who gets the role.
    #[schemars(length(max = 320))]
    pub user: String,
    /// The Backend.
    pub backend_ref: BackendRef,
    /// The role.
    pub role_ref: RoleRef,
    /// The UID of the Role that roleRef.name named. The Approval covers no other Role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub role_uid: Option<String>,
    /// The part of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Box<Scope>>,
}

/// The Approval of a request, as it was recorded.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessApproval {
    /// The name of the Approval.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The UID of the Approval.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// Who approved.
    #[schemars(length(max = 320))]
    pub approved_by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub reason: Option<String>,
}

/// The RoleBinding of a request.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessBinding {
    /// Its name.
    #[schemars(length(max = 253))]
    pub name: String,
    /// Its UID. Absent until it is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub uid: Option<String>,
}

/// What became of an AccessRequest.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(description = "")]
pub enum AccessState {
    /// It waits for an Approval.
    Pending,
    /// It is approved, and the back end does not have the grant yet.
    Granting,
    /// The user has the role.
    Active,
    /// The access is over, and the grant is being revoked.
    Ending,
    /// The access is over.
    Ended,
    /// The request was not granted.
    Denied,
}

impl AccessState {
    /// The name of the state.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Granting => "Granting",
            Self::Active => "Active",
            Self::Ending => "Ending",
            Self::Ended => "Ended",
            Self::Denied => "Denied",
        }
    }

    /// Whether nothing happens for the request any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Ended | Self::Denied)
    }
}

impl AccessRequest {
    /// What became of it; None if the operator has not looked at it yet.
    pub fn state(&self) -> Option<AccessState> {
        self.status.as_ref().and_then(|status| status.state)
    }

    /// Whether something can still happen for it.
    pub fn is_open(&self) -> bool {
        self.state().is_none_or(|state| !state.is_final())
    }
}
