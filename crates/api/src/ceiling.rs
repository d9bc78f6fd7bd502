//! What a ClusterBackend allows the objects of other namespaces to do.

use std::time::Duration;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::backend::parse_interval;

/// What objects can do through a ClusterBackend beyond granting existing roles. Each is off until it is allowed.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Allow {
    /// Objects can adopt what exists in the account and no object manages, as their spec.adopt says. Off: spec.adopt counts as Never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<bool>,
    /// RoleBindings can have membership: Authoritative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authoritative: Option<bool>,
    /// Objects of the kind ResourceRestriction are served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restrictions: Option<bool>,
    /// Roles can have, and RoleBindings can grant, permissions by which somebody can get more permissions, such as to edit roles, members or API keys. Permissions that Rolewright does not know count as such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<bool>,
    /// The names in the back end that Roles can have, as patterns. {namespace} stands for the namespace of the Role, as in {namespace}-*. Absent: no Role is served. Patterns are as in ceiling.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 100),
        inner(length(min = 1, max = 320), regex(pattern = r"^([^\[\]{}\\]|\{namespace\})+$"))
    )]
    pub role_names: Vec<String>,
}

/// The most that objects can have through a ClusterBackend. A list that is absent limits nothing. In patterns, * stands for any text and ? for one character.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ceiling {
    /// The roles that RoleBindings can grant, by name in the back end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Limit>,
    /// The actions of the roles that Roles create and RoleBindings grant. A role that denies actions is within the limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Limit>,
    /// The resources of their rules. A rule without a resource is outside if allow is present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Limit>,
    /// The scopes of RoleBindings and the resources of ResourceRestrictions, as level:name or level:id, such as space:research or space:*. On back ends whose grants have scopes, a RoleBinding without one is outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Limit>,
    /// The subjects of the kind User, by name or id, such as *@example.com. In addresses, upper and lower case are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Limit>,
    /// The subjects of the kind ServiceAccount, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_accounts: Option<Limit>,
    /// The subjects of the kind Team, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<Limit>,
    /// The subjects of the kind Group, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Limit>,
    /// The longest time until spec.expiresAt of a RoleBinding: a duration in hours, minutes and seconds, such as 720h. A RoleBinding without expiresAt is outside. Its grants end at the end that was last within this time, also while it is paused or in mode Plan, and spec.deletionPolicy of a RoleBinding does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), regex(pattern = r"^([0-9]{1,6}(s|m|h)){1,3}$"))]
    #[x_kube(validation = Rule::new("duration(self) >= duration('1m')").message("write a duration of at least 1m, such as 720h"))]
    pub max_duration: Option<String>,
}

impl Ceiling {
    /// The longest time until the end of a RoleBinding.
    pub fn max_duration(&self) -> Option<Duration> {
        self.max_duration.as_deref().and_then(parse_interval)
    }
}

/// Patterns for names.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// Names within the ceiling: those that one of these patterns matches. Absent: every name that deny does not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 100),
        inner(length(min = 1, max = 320), regex(pattern = r"^[^\[\]{}\\]+$"))
    )]
    pub allow: Option<Vec<String>>,
    /// Names outside, even if allow matches them. Upper and lower case are the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100), inner(length(min = 1, max = 320), regex(pattern = r"^[^\[\]{}\\]+$")))]
    pub deny: Vec<String>,
}
