//! The `RoleBinding` resource: who holds a role, and where.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    common::{Adopt, BackendRef, DeletionPolicy, Mode},
    status::{ObjectStatus, SubjectStatus},
};

/// Who holds a role, and where.
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
    doc = "A RoleBinding gives a role to subjects, each of them one grant in the back end.",
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
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("self.backendRef.name == oldSelf.backendRef.name")
    .message("backendRef cannot be changed: delete this object and create it for the other Backend")
    .field_path(".backendRef"))]
#[serde(rename_all = "camelCase")]
pub struct RoleBindingSpec {
    /// The Backend where the role is held. Cannot be changed.
    pub backend_ref: BackendRef,
    /// The role. When it is changed, the new role is granted before the old one goes.
    pub role_ref: RoleRef,
    /// Who holds the role, each once.
    #[schemars(length(min = 1, max = 250))]
    #[x_kube(validation = Rule::new("self.all(s, self.exists_one(t, t.kind == s.kind && t.name == s.name))")
        .message("a subject is there twice: list each kind and name once"))]
    pub subjects: Vec<Subject>,
    /// Where the role is held. Arize needs one: a space, or a project of a space. Grafana and Lenses have none: there the role's rules say where it applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// When a subject has a grant there already and no object holds it: Never take it over, take it over IfIdentical (the default), or Always, and make it a grant of this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<Adopt>,
    /// Enforce (the default), or Plan to show changes and never make them. The stricter of this and the Backend's mode holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Delete, or Retain to leave the grants in the back end when this object goes. The Backend's policy when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// A Role of the same namespace, or a role of the back end that no object here holds.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.name) != has(self.external)")
    .message("write either name (a Role in this namespace) or external (a role that exists in the back end)"))]
pub struct RoleRef {
    /// The name of a Role in the same namespace and with the same backendRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Option<String>,
    /// A role that the back end has and no object here holds, such as a predefined one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalRole>,
}

/// A role that the back end has.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.name) != has(self.id)")
    .message("write either name or id of the external role"))]
pub struct ExternalRole {
    /// Its name in the back end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,
    /// Its id in the back end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub id: Option<String>,
}

/// Somebody who holds the role.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// User for a person, ServiceAccount for a program (on Arize, the bot user of a service key), Team for a team of Grafana or ZenML, or Group for a group of Lenses.
    pub kind: SubjectKind,
    /// A user's e-mail address, a service account's (on Arize: service key's) or team's name, or the id. On Grafana also login:alice for a user's login name, id:12 for an id, and uid:abc for a team's uid.
    #[schemars(length(min = 1, max = 320))]
    pub name: String,
}

/// The kinds of subjects.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
pub enum SubjectKind {
    /// A person.
    User,
    /// An account of a program.
    ServiceAccount,
    /// A set of users that the back end keeps.
    Team,
    /// A group of Lenses, which roles are given to.
    Group,
}

impl SubjectKind {
    /// As in the spec.
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
    /// What tells it from all other subjects of the object, for people: its name, and its kind where that is not User.
    pub fn called(&self) -> String {
        match self.kind {
            SubjectKind::User => self.name.clone(),
            kind => format!("{} {}", kind.as_str(), self.name),
        }
    }
}

/// Where a role is held: by names, from the widest to the narrowest, or by one id.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(
    "has(self.id) ? !(has(self.organization) || has(self.space) || has(self.workspace) || has(self.project)) \
     : (has(self.space) || has(self.workspace) || has(self.project)) && !(has(self.space) && has(self.workspace)) \
       && !(has(self.organization) && has(self.workspace))")
    .message("write either id; or space, on ZenML workspace, with project for a project (and organization where two spaces have one name)"))]
pub struct Scope {
    /// An organization's name or id; needed only where two organizations have a space of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub organization: Option<String>,
    /// A space's name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub space: Option<String>,
    /// A ZenML workspace's name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub workspace: Option<String>,
    /// A project's name or id. Without it the role is held on the whole space or workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255))]
    pub project: Option<String>,
    /// The id of the scope, instead of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub id: Option<String>,
}

impl Scope {
    /// What is named, by level.
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

/// The outcome of a RoleBinding, and how each subject stands.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleBindingStatus {
    /// What every kind says.
    #[serde(flatten)]
    pub object: ObjectStatus,
    /// How each subject stands, in the order of the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 250))]
    pub subjects: Vec<SubjectStatus>,
}
