//! The status of Roles, RoleBindings and ResourceRestrictions, as the operator writes it.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// The observed state of an object, and the external things that it manages.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectStatus {
    /// The generation of the spec that this status describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The conditions of this object. Ready is True only if the back end is known to equal the spec. Stalled is present if you must act, Reconciling while work is in progress. Verified is False if Ready is True but the back end does not show everything that the object requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[schemars(length(max = 8))]
    pub conditions: Vec<Condition>,
    /// The external things that this object manages, because Rolewright created or adopted them for it. Rolewright removes nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub held: Vec<HeldEntry>,
    /// The changes that Rolewright would make or is about to make. Absent if there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Box<PlanStatus>>,
    /// The last value of the annotation rolewright.dev/reconcile-at that Rolewright handled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
    /// The number of plans that Rolewright has executed for this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub serial: Option<i64>,
}

/// One external thing that an object manages.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldEntry {
    /// The kind of the external thing: Role, Grant, Restriction or Group.
    #[schemars(length(max = 32))]
    pub kind: String,
    /// The id of the external thing in the back end. While its creation is pending: the id that Rolewright chose, if the back end accepts a chosen id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub id: Option<String>,
    /// The natural key: the fields that identify the external thing besides its id, such as its name.
    pub key: Fields,
    /// The name of the external thing in the spec, such as the name of a subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub name: Option<String>,
    /// Why this object manages the external thing. Created: Rolewright created it for this object. Adopted: it already existed. Shared: another object that requests the same manages it too.
    pub origin: Origin,
    /// Whether the external thing exists. Present: it exists. Pending: its creation started, and the outcome is not recorded yet. Refused: the back end refused the last attempt to create it.
    pub state: HeldState,
    /// A hash of the content that Rolewright last applied.
    #[schemars(length(max = 64))]
    pub fingerprint: String,
    /// The back end's revision of the external thing at the last time when it equalled the applied content. Absent if the back end has no revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub revision: Option<String>,
    /// The permissions that Rolewright removed to close a resource, by the built-in role that had them, such as Viewer. Rolewright restores them when this object is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Fields>,
}

/// A map from names to texts, kept as its JSON text: every cached object has some, and a map of strings needs many allocations.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Fields(Box<str>);

impl Fields {
    /// The text with this name.
    pub fn get(&self, name: &str) -> Option<String> {
        self.to_map().remove(name)
    }

    /// All texts by name.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        serde_json::from_str(&self.0).expect("the text was serialized from such a map")
    }
}

impl From<BTreeMap<String, String>> for Fields {
    fn from(fields: BTreeMap<String, String>) -> Self {
        Self(serde_json::to_string(&fields).expect("a map of strings always serializes").into())
    }
}

impl From<Fields> for BTreeMap<String, String> {
    fn from(fields: Fields) -> Self {
        fields.to_map()
    }
}

impl JsonSchema for Fields {
    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, String>::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, String>::json_schema(generator)
    }
}

/// Why an object manages an external thing.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum Origin {
    /// Rolewright created it for this object.
    Created,
    /// It already existed, and Rolewright adopted it.
    Adopted,
    /// Another object that requests the same manages it too.
    Shared,
}

/// Whether a managed external thing exists.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum HeldState {
    /// Its creation started, and the outcome is not recorded yet.
    Pending,
    /// The back end refused the last attempt to create it.
    Refused,
    /// It exists.
    Present,
}

/// The difference between the spec and the back end.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStatus {
    /// A hash that identifies this plan of this object.
    #[schemars(length(max = 64))]
    pub hash: String,
    /// The number of plans that Rolewright executed for this object before this one.
    #[schemars(range(min = 0))]
    pub serial: i64,
    /// The numbers of external things to create (+), update (~) and delete (-), such as +2 ~1 -0. Then, if there are any: how many rules, roles and members the updates remove, and how many existing things the object adopts.
    #[schemars(length(max = 64))]
    pub summary: String,
    /// The number of all changes. The field changes lists at most 50 of them.
    #[schemars(range(min = 0))]
    pub total: i64,
    /// The changes, in the order in which Rolewright makes them.
    #[schemars(length(max = 50))]
    pub changes: Vec<PlannedChange>,
}

/// One change of a plan.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// The operation: Create, Update, Delete, or Adopt if the thing exists and nothing is written.
    #[schemars(length(max = 32))]
    pub verb: String,
    /// The kind of the external thing: Role, Grant, Restriction or Group.
    #[schemars(length(max = 32))]
    pub kind: String,
    /// The external thing as a text, such as the name of a role.
    #[schemars(length(max = 1024))]
    pub name: String,
    /// The differences, one per line. If there are more than 50, the last line shows the number of the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 51))]
    pub details: Vec<String>,
}

/// The state of one subject of a RoleBinding.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectStatus {
    /// The kind of the subject, as in the spec.
    #[schemars(length(max = 32))]
    pub kind: String,
    /// The name of the subject, as in the spec.
    #[schemars(length(max = 512))]
    pub name: String,
    /// The id that the name belongs to in the back end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub id: Option<String>,
    /// Whether the subject has the role. Granted: it has the role. Pending: it does not have the role yet, or the mode does not allow the grant. NotFound: the credential sees no subject with this name. Conflict: the subject already has another role in this scope, or the name now belongs to another id than before. Refused: the back end refused the grant. Expired: the grant ended at spec.expiresAt.
    pub state: SubjectState,
    /// Why the subject does not have the role, if there is a reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// Whether a subject has the role.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum SubjectState {
    /// The subject has the role.
    Granted,
    /// The subject does not have the role yet, or the mode does not allow the grant.
    Pending,
    /// The credential sees no subject with this name.
    NotFound,
    /// The subject already has another role in this scope, or the name now belongs to another id than before.
    Conflict,
    /// The back end refused the grant.
    Refused,
    /// The grant ended at spec.expiresAt.
    Expired,
}

/// A name in the spec, and the id that it means.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedName {
    /// The field of the spec that has the name, such as spec.scope.space.
    #[schemars(length(max = 64))]
    pub field: String,
    /// The text of the field.
    #[schemars(length(max = 512))]
    pub name: String,
    /// The id in the back end that the text means.
    #[schemars(length(max = 512))]
    pub id: String,
}
