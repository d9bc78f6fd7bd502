//! The `Approval` resource: a decision about one plan. An object of its own, so that approving has its own rights and leaves a record.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The spec of an Approval: the plan, and the decision about it.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "rolewright.dev",
    version = "v1alpha1",
    kind = "Approval",
    plural = "approvals",
    namespaced,
    status = "ApprovalStatus",
    derive = "PartialEq",
    shortname = "rwa",
    category = "rolewright",
    doc = "An Approval is a decision about one plan that waits for it. It covers exactly the plan with its hash, once.",
    printcolumn(name = "Kind", type_ = "string", json_path = ".spec.target.kind"),
    printcolumn(name = "Target", type_ = "string", json_path = ".spec.target.name"),
    printcolumn(name = "Decision", type_ = "string", json_path = ".spec.decision"),
    printcolumn(name = "By", type_ = "string", json_path = ".spec.approvedBy"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.state"),
    printcolumn(name = "Plan", type_ = "string", json_path = ".spec.plan", priority = 1),
    printcolumn(name = "Reason", type_ = "string", json_path = ".spec.reason", priority = 1),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.message", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("self == oldSelf")
    .message("an Approval cannot be changed: create another one"))]
#[serde(rename_all = "camelCase")]
pub struct ApprovalSpec {
    /// The object whose plan is decided about, in the same namespace.
    pub target: ApprovalTarget,
    /// The hash of the plan: status.plan.hash of the object. For a Backend: status.waiting.plan, which stands for all plans that wait there. For an AccessRequest: its status.plan.
    #[schemars(length(min = 1, max = 64))]
    pub plan: String,
    /// The decision. Approve: Rolewright executes the plan once. Reject: Rolewright does not execute the plan; access that an AccessRequest has already got ends.
    pub decision: Decision,
    /// The user who decides: the user name with which the request that creates this object is authenticated, such as alice@example.com.
    #[schemars(length(min = 1, max = 320))]
    pub approved_by: String,
    /// Groups of this user, if an AccessOffer names approvers by group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 320)))]
    pub groups: Vec<String>,
    /// Why, such as the number of a ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub reason: Option<String>,
}

/// The object whose plan an Approval is about.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalTarget {
    /// The kind of the object: Role, RoleBinding, ResourceRestriction, Prune or AccessRequest; or Backend for all plans that wait there.
    pub kind: ApprovedKind,
    /// The name of the object.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// The kinds that an Approval can be about.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum ApprovedKind {
    /// One Role.
    Role,
    /// One RoleBinding.
    RoleBinding,
    /// One ResourceRestriction.
    ResourceRestriction,
    /// One Prune.
    Prune,
    /// One AccessRequest.
    AccessRequest,
    /// All objects of a Backend whose plan waits.
    Backend,
}

impl ApprovedKind {
    /// The name of the kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::RoleBinding => "RoleBinding",
            Self::ResourceRestriction => "ResourceRestriction",
            Self::Prune => "Prune",
            Self::AccessRequest => "AccessRequest",
            Self::Backend => "Backend",
        }
    }
}

/// A decision about a plan.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum Decision {
    /// The plan is executed.
    Approve,
    /// The plan is not executed.
    Reject,
}

/// What became of an Approval.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalStatus {
    /// What became of the decision. Absent: nobody looked at it yet. Executing: the plan is approved, and changes are still to be made. Executed: the changes were made. Rejected: the plan is not executed. Outdated: the hash is not that of the present plan, and nothing happens. Ignored: the mode is Plan, or an AccessOffer does not name the user as an approver, and nothing happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ApprovalState>,
    /// The state in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
    /// When Rolewright looked at the Approval first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Time>,
    /// For a Backend: the plans that the Approval covers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 2000))]
    pub covers: Vec<CoveredPlan>,
}

/// What became of an Approval.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(description = "")]
pub enum ApprovalState {
    /// The plan is approved, and changes are still to be made.
    Executing,
    /// The changes were made.
    Executed,
    /// The plan is not executed.
    Rejected,
    /// The hash is not that of the present plan.
    Outdated,
    /// The mode is Plan, or the user is not an approver of the AccessOffer.
    Ignored,
}

impl Approval {
    /// What became of it; None if the operator has not looked at it yet.
    pub fn state(&self) -> Option<ApprovalState> {
        self.status.as_ref().and_then(|status| status.state)
    }

    /// Whether it can still have an effect.
    pub fn is_open(&self) -> bool {
        self.state().is_none_or(|state| !state.is_final())
    }
}

impl ApprovalState {
    /// Whether the Approval has no effect any more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Executed | Self::Outdated | Self::Ignored)
    }
}

/// One plan that an Approval of a Backend covers.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoveredPlan {
    /// The UID of the object.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// The hash of its plan.
    #[schemars(length(max = 64))]
    pub plan: String,
}
