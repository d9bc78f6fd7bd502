//! The status of Roles, RoleBindings and ResourceRestrictions, as the operator writes it.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
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
    /// The conditions of this object. Ready is True only if the back end is known to equal the spec; subjects that a RoleBinding with missingSubjects: Wait waits for can be missing. Stalled is present if you must act, Reconciling while work is in progress. Verified is False if Ready is True but the back end does not show everything that the object requests.
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
    /// What Rolewright remembers of the guards. Absent if they withhold nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarded: Option<Box<Guarded>>,
    /// The last Approval that covered a plan of this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Box<ApprovalRecord>>,
    /// The value of spec.expiresAt, once the object was reconciled with it and nothing was withheld. Only an end that is recorded here before it comes is exempt from the guards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
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
    /// Present if the plan waits for an Approval of its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingPlan>,
}

/// Since when a plan waits for an approval.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingPlan {
    /// Since when the plan waits, or an earlier one that it replaced.
    pub since: Time,
    /// The number of removals in the plan.
    #[schemars(range(min = 0))]
    pub removals: i64,
}

/// What Rolewright remembers of the guards, so that neither time nor another mode lets a plan pass that they withheld.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Guarded {
    /// The generation of the spec that this is about.
    pub generation: i64,
    /// The limits that the removals of this generation exceeded. While the Backend has these limits, the rest needs an Approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub limits: Option<String>,
    /// A new subject that was not found when another one left the spec, as if its name were misspelt. While it is not found, the other keeps the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub misspelt: Option<String>,
}

/// An Approval that covered a plan, and what is left to do of that plan.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalRecord {
    /// The name of the Approval.
    #[schemars(length(max = 253))]
    pub name: String,
    /// The UID of the Approval.
    #[schemars(length(max = 64))]
    pub uid: String,
    /// The hash of the approved plan.
    #[schemars(length(max = 64))]
    pub plan: String,
    /// The person who approved it.
    #[schemars(length(max = 320))]
    pub approved_by: String,
    /// The reason in the Approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub reason: Option<String>,
    /// Hashes of the changes that the Approval still covers: those that were not made yet. Empty once the Approval is spent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000), inner(length(max = 32)))]
    pub remaining: Vec<String>,
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

impl SubjectStatus {
    /// The text by which [`Subject::called`](crate::Subject::called) names the subject.
    pub fn called(&self) -> Cow<'_, str> {
        match self.kind.as_str() {
            "User" => Cow::Borrowed(&self.name),
            kind => Cow::Owned(format!("{kind} {}", self.name)),
        }
    }
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
