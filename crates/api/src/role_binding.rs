//! The `RoleBinding` resource: which subjects have a role, and in which scope.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    common::{Adopt, BLANKS, BackendRef, DeletionPolicy, Mode},
    status::{ObjectStatus, ResolvedName, SubjectStatus},
};

/// The spec of a RoleBinding: a role, its subjects and a scope.
#[derive(CustomResource, KubeSchema, Clone, Debug, Deserialize, Serialize, PartialEq)]
#[kube(
    group = "rolewright.dev",
    version = "v1alpha1",
    kind = "RoleBinding",
    plural = "rolebindings",
    namespaced,
    status = "RoleBindingStatus",
    derive = "PartialEq",
    shortname = "rwb",
    category = "rolewright",
    doc = "A RoleBinding grants a role to subjects. Each subject is one grant in the back end.",
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
    printcolumn(name = "Role", type_ = "string", json_path = ".spec.roleRef.name"),
    printcolumn(name = "Granted", type_ = "string", json_path = ".status.granted"),
    printcolumn(name = "Backend", type_ = "string", json_path = ".spec.backendRef.name"),
    printcolumn(name = "Plan", type_ = "string", json_path = ".status.plan.summary"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".spec.expiresAt", priority = 1),
    printcolumn(name = "External", type_ = "string", json_path = ".spec.roleRef.external", priority = 1),
    printcolumn(name = "Scope", type_ = "string", json_path = ".spec.scope", priority = 1),
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
#[x_kube(validation = Rule::new("!has(self.startsAt) || !has(self.expiresAt) || self.startsAt < self.expiresAt")
    .message("expiresAt must be later than startsAt")
    .field_path(".expiresAt"))]
#[serde(rename_all = "camelCase")]
pub struct RoleBindingSpec {
    /// The Backend of the account where Rolewright makes the grants. It cannot be changed.
    pub backend_ref: BackendRef,
    /// The role to grant. If it changes, Rolewright grants the new role before it revokes the old one.
    pub role_ref: RoleRef,
    /// The users, service accounts, teams and groups that have the role. List each of them once.
    #[schemars(length(min = 1, max = 250))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["kind".into(), "name".into()]))]
    pub subjects: Vec<Subject>,
    /// The part of the account where the role is granted. Arize: a space, or a project of a space; required. ZenML: a workspace, or a project of a workspace; leave it out for organization roles. Grafana and Lenses: leave it out; the rules of the role define where it applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Box<Scope>>,
    /// When Rolewright makes the grants, as an RFC 3339 time such as 2027-01-31T18:00:00Z. Default: at once. Until then the object is Scheduled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Time>,
    /// When Rolewright revokes the grants. Default: never. Afterwards the object is Expired, and the grants do not come back before you write another time. A day before, the object has the condition Expiring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// What happens to grants of the same role in the same scope to other subjects. Additive (the default): they stay, unless an object manages them and ends them. Authoritative: Rolewright revokes those that no object manages, within the guards, as long as every subject of this object is found. Several RoleBindings of one role can only be Additive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership: Option<Membership>,
    /// What a subject that does not exist in the account means for the condition Ready. Fail (the default): Ready is False with the reason NotFound. Wait: Ready is True with the reason MissingSubjects if nothing else is wrong, for example for a user who has not signed in yet. With both, the other subjects get the role at once, and the missing one when a sweep finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_subjects: Option<MissingSubjects>,
    /// What happens if a subject already has a grant in this scope and no object manages it. Never: the subject is in Conflict. IfIdentical (the default): Rolewright adopts the grant if it is a grant of this role; otherwise the subject is in Conflict. Always: Rolewright adopts the grant and makes it a grant of this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adopt>,
    /// Whether Rolewright makes changes. Enforce (the default): it makes them, within the guards of the Backend. Approve: it makes those that an Approval covers. Plan: it shows them in status.plan and never makes them. The stricter of this mode and the Backend's mode applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// What happens to the grants in the back end when this object is deleted. Delete: Rolewright revokes them. Retain: they stay and no object manages them. Default: the deletionPolicy of the Backend. A subject that is removed from subjects loses its grant with either policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// What happens to grants of the same role to other subjects.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum Membership {
    /// They stay.
    #[default]
    Additive,
    /// They are revoked, unless another object manages them.
    Authoritative,
}

/// What a subject that does not exist in the account means.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum MissingSubjects {
    /// The object is not ready: the name can be misspelt.
    #[default]
    Fail,
    /// The object is ready: the subject is expected later.
    Wait,
}

/// A reference to a Role object, or to a role of the back end that no object manages.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.name) != has(self.external)")
    .message("write either name (a Role in this namespace) or external (a role that exists in the back end)"))]
pub struct RoleRef {
    /// The name of a Role object in the same namespace and with the same backendRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// A role that exists in the back end and that no object manages, such as a predefined one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalRole>,
}

/// A reference to a role that exists in the back end.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.name) != has(self.id)")
    .message("write either name or id of the external role"))]
pub struct ExternalRole {
    /// The name of the role in the back end, such as Project Viewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub name: Option<String>,
    /// The id of the role in the back end. On Grafana: its uid. On Lenses: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub id: Option<String>,
}

/// One subject of a RoleBinding.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The kind of the subject. User: a person. ServiceAccount: a program (on Arize, the bot user of a service key). Team: a team of Grafana or ZenML. Group: a group of Lenses.
    pub kind: SubjectKind,
    /// The name of the subject. User: the e-mail address, such as alice@example.com (on Lenses: the user name). ServiceAccount: the name (on Arize: the name of the service key). Team, Group: the name. Arize also accepts the id. Grafana also accepts id:12, login:alice for the login name of a user, and uid:abc for the uid of a team. ZenML also accepts id:<uuid>, and the user name of a user.
    #[schemars(length(min = 1, max = 320))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    #[x_kube(validation = Rule::new("bytes(self).size() <= 320").message("use at most 320 bytes in UTF-8"))]
    pub name: String,
}

/// The kinds of subjects that can have a role.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
pub enum SubjectKind {
    /// A person.
    User,
    /// The account of a program.
    ServiceAccount,
    /// A team of Grafana or ZenML: its members have the roles of the team.
    Team,
    /// A group of Lenses: its members have the roles of the group.
    Group,
}

impl SubjectKind {
    /// The kind as the spec spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            SubjectKind::User => "User",
            SubjectKind::ServiceAccount => "ServiceAccount",
            SubjectKind::Team => "Team",
            SubjectKind::Group => "Group",
        }
    }
}

impl Subject {
    /// A text for messages that is unique in the object: the name, with the kind before it unless the kind is User.
    pub fn called(&self) -> String {
        match self.kind {
            SubjectKind::User => self.name.clone(),
            kind => format!("{} {}", kind.as_str(), self.name),
        }
    }
}

/// The part of an account where a role is granted: names, from the widest to the narrowest level, or one id.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "has(self.id) ? !(has(self.organization) || has(self.space) || has(self.workspace) || has(self.project)) \
     : (has(self.space) || has(self.workspace) || has(self.project)) && !(has(self.space) && has(self.workspace)) \
       && !(has(self.organization) && has(self.workspace))")
    .message("write id alone, or space (on ZenML: workspace), with project for a project; add organization if two spaces have the same name"))]
pub struct Scope {
    /// The name or id of the Arize organization that the space is in. Only needed if two organizations have a space with the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub organization: Option<String>,
    /// The name or id of an Arize space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub space: Option<String>,
    /// The name of a ZenML workspace, or its id as id:<uuid>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub workspace: Option<String>,
    /// The name or id of a project in the space or workspace; on ZenML, an id as id:<uuid>. Without it, the role is granted on the whole space or workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = Rule::new("self == self.trim()").message(BLANKS))]
    pub project: Option<String>,
    /// The id of the scope in the back end, instead of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub id: Option<String>,
}

impl Scope {
    /// The names that are set, each with its level, from the widest to the narrowest.
    pub fn levels(&self) -> Vec<(&'static str, &str)> {
        let levels = [
            ("organization", &self.organization),
            ("space", &self.space),
            ("workspace", &self.workspace),
            ("project", &self.project),
        ];
        levels.into_iter().filter_map(|(level, name)| Some((level, name.as_deref()?))).collect()
    }
}

/// The observed state of a RoleBinding and of each of its subjects.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleBindingStatus {
    /// The part of the status that all kinds share.
    #[serde(flatten)]
    pub object: ObjectStatus,
    /// The state of each subject, in the order of the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["kind".into(), "name".into()]))]
    #[schemars(length(max = 250))]
    pub subjects: Vec<SubjectStatus>,
    /// How many of the subjects have the role, such as 2/3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub granted: Option<String>,
    /// The ids that the names of the role and of the scope mean. If a name means another id later although its text is unchanged, Rolewright reports Conflict and changes no grant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["field".into()]))]
    #[schemars(length(max = 8))]
    pub names: Vec<ResolvedName>,
}
