//! The `AccessOffer` resource: a role that users can request for a limited time.

use std::time::Duration;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::{
    backend::parse_interval,
    common::BackendRef,
    role_binding::{RoleRef, Scope},
};

/// The spec of an AccessOffer: the role, and who can request and approve it.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "rolewright.dev",
    version = "v1alpha1",
    kind = "AccessOffer",
    plural = "accessoffers",
    namespaced,
    derive = "PartialEq",
    shortname = "rwao",
    category = "rolewright",
    doc = "An AccessOffer names a role that users can request for a limited time with an AccessRequest.",
    printcolumn(name = "Role", type_ = "string", json_path = ".spec.roleRef.name"),
    printcolumn(name = "Backend", type_ = "string", json_path = ".spec.backendRef.name"),
    printcolumn(name = "Longest", type_ = "string", json_path = ".spec.maxDuration"),
    printcolumn(
        name = "WithoutApproval",
        type_ = "boolean",
        json_path = ".spec.withoutApproval",
        priority = 1
    ),
    printcolumn(name = "External", type_ = "string", json_path = ".spec.roleRef.external", priority = 1),
    printcolumn(name = "Scope", type_ = "string", json_path = ".spec.scope", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("has(self.approvers) != (has(self.withoutApproval) && self.withoutApproval)")
    .message("write approvers, or withoutApproval: true if nobody has to approve requests"))]
#[serde(rename_all = "camelCase")]
pub struct AccessOfferSpec {
    /// The Backend of the account where Rolewright makes the grant.
    pub backend_ref: BackendRef,
    /// The role that a request grants.
    pub role_ref: RoleRef,
    /// The part of the account where the role is granted, as in a RoleBinding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Box<Scope>>,
    /// The longest time that a request can name: a duration in hours, minutes and seconds from 1m to 720h, such as 4h.
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]{1,6}(s|m|h)){1,3}$"))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1m') && duration(self) <= duration('720h')")
        .message("write a duration from 1m to 720h, such as 4h"))]
    pub max_duration: String,
    /// The users of the cluster who can create requests.
    pub requesters: Users,
    /// The beginning of user names that the back end does not have, such as oidc:. Rolewright removes it from the name of the requester.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub user_prefix: Option<String>,
    /// The users of the back end that a request can name in spec.user, as patterns of names such as *@example.com. A requester can always name itself. Default: nobody else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 320), regex(pattern = r"^[^\[\]{}\\]+$")))]
    pub other_users: Vec<String>,
    /// The users of the cluster who can approve requests. Their own requests are not among them, unless allowSelfApproval is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<Users>,
    /// Approvers can approve their own requests. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_self_approval: Option<bool>,
    /// Requests are granted at once, and nobody approves them. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_approval: Option<bool>,
    /// How often one requester can use the offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<AccessLimits>,
}

/// Users of the cluster. A user must be in one of the two lists.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.users) || has(self.groups)").message("write users or groups"))]
pub struct Users {
    /// User names as the API server knows them, as patterns such as *@example.com. * stands for any text and ? for one character. Upper and lower case differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(min = 1, max = 100),
        inner(length(min = 1, max = 320), regex(pattern = r"^[^\[\]{}\\]+$"))
    )]
    pub users: Vec<String>,
    /// Groups as the API server knows them, such as sre. A request or an Approval names the groups that it counts on in spec.groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 100), inner(length(min = 1, max = 320)))]
    pub groups: Vec<String>,
}

/// How often one requester can use an offer.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessLimits {
    /// The most requests of one requester within 24 hours. Requests that were denied do not count. Default: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_per_day: Option<i32>,
    /// The time between the end of the access of one requester and the next request: a duration in hours, minutes and seconds, such as 8h. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]{1,6}(s|m|h)){1,3}$"))]
    #[x_kube(validation = Rule::new("duration(self) <= duration('720h')").message("write a duration up to 720h, such as 8h"))]
    pub cooldown: Option<String>,
}

impl AccessOfferSpec {
    /// The longest time that a request can name.
    pub fn max_duration(&self) -> Duration {
        parse_interval(&self.max_duration).unwrap_or_default()
    }

    /// The most requests of one requester within 24 hours.
    pub fn max_per_day(&self) -> usize {
        const DEFAULT: usize = 10;
        let written = self.limits.as_ref().and_then(|limits| limits.max_per_day);
        written.and_then(|number| usize::try_from(number).ok()).unwrap_or(DEFAULT)
    }

    /// The time between the end of the access of one requester and the next request.
    pub fn cooldown(&self) -> Duration {
        let written = self.limits.as_ref().and_then(|limits| limits.cooldown.as_deref());
        written.and_then(parse_interval).unwrap_or_default()
    }
}
