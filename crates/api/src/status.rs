//! What the operator writes back onto an object.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// The outcome of an object, and what it holds.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready is True only when the back end is known to equal the spec. Stalled is there when you have to act, Reconciling while work is under way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[schemars(length(max = 8))]
    pub conditions: Vec<Condition>,
    /// What this object holds in the back end: made by it or taken over. The only ground for removing anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub held: Vec<HeldEntry>,
    /// What would be done, or is about to be; absent when there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanStatus>,
    /// The last value of the annotation rolewright.dev/reconcile-at that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub last_handled_reconcile_at: Option<String>,
    /// How many plans have been carried out for this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub serial: Option<i64>,
}

/// One thing that an object holds.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeldEntry {
    /// Role, Grant, Restriction or Group.
    #[schemars(length(max = 32))]
    pub kind: String,
    /// Its id in the back end. While its creation is under way, the id that it is made under, where that can be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub id: Option<String>,
    /// What identifies it in the back end beside its id, such as a name.
    pub key: Fields,
    /// What the spec calls it, such as a subject's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub name: Option<String>,
    /// How it came to be held: Created by this object, Adopted because it was there, or Shared with another object that asks for the same.
    pub origin: Origin,
    /// Present; or Pending while it is not recorded whether its creation was done, or Refused when the back end refused to create it.
    pub state: HeldState,
    /// Tells what was last applied from anything else.
    #[schemars(length(max = 64))]
    pub fingerprint: String,
    /// The back end's mark of the state in which it was last seen to be as applied, where it has such marks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub revision: Option<String>,
    /// Of a resource that was closed by taking permissions away: whose, and which. They are given back when the object goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Fields>,
}

/// Named texts. Kept as a slice, because of each object a copy is in memory, and a map's node is mostly empty.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Fields(Box<[(String, String)]>);

impl Fields {
    /// The text of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, text)| text)
    }

    /// Names and texts, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

impl From<BTreeMap<String, String>> for Fields {
    fn from(fields: BTreeMap<String, String>) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl From<Fields> for BTreeMap<String, String> {
    fn from(fields: Fields) -> Self {
        fields.0.into_iter().collect()
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

/// How a thing came to be held.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum Origin {
    /// This object made it.
    Created,
    /// It was there, and was taken over.
    Adopted,
    /// Another object holds it too and asks for the same.
    Shared,
}

/// Whether a held thing is known to be there.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum HeldState {
    /// Its creation was begun; whether it was done is not recorded yet.
    Pending,
    /// The back end refused to make it when that was last tried.
    Refused,
    /// It is there.
    Present,
}

/// The difference between the spec and the back end.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStatus {
    /// Identifies exactly this plan of exactly this object.
    #[schemars(length(max = 64))]
    pub hash: String,
    /// How many plans were carried out before this one.
    #[schemars(range(min = 0))]
    pub serial: i64,
    /// How many things are added, changed and removed: +2 ~1 -0.
    #[schemars(length(max = 64))]
    pub summary: String,
    /// How many changes there are; `changes` lists at most 50.
    #[schemars(range(min = 0))]
    pub total: i64,
    /// The changes, in the order in which they are made.
    #[schemars(length(max = 50))]
    pub changes: Vec<PlannedChange>,
}

/// One change of a plan.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// Create, Update or Delete.
    #[schemars(length(max = 32))]
    pub verb: String,
    /// Role, Grant, Restriction or Group.
    #[schemars(length(max = 32))]
    pub kind: String,
    /// The thing in words.
    #[schemars(length(max = 1024))]
    pub name: String,
    /// What changes in it, a line each; at most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 51))]
    pub details: Vec<String>,
}

/// How one subject of a RoleBinding stands.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectStatus {
    /// The kind of the subject, as in the spec.
    #[schemars(length(max = 32))]
    pub kind: String,
    /// The name of the subject, as in the spec.
    #[schemars(length(max = 512))]
    pub name: String,
    /// The account that the name stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub id: Option<String>,
    /// Granted; Pending while it is not granted yet, or not by mode; NotFound when the key sees nobody of the name; Conflict when it has another role there, or the name stands for another account than before; Refused by the back end.
    pub state: SubjectState,
    /// Why not, where it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024))]
    pub message: Option<String>,
}

/// Whether a subject has the role.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum SubjectState {
    /// It has.
    Granted,
    /// Not yet, or not by mode.
    Pending,
    /// The name stands for nobody that the key can see.
    NotFound,
    /// It has another role there already, or the name stands for another account than before.
    Conflict,
    /// The back end refused.
    Refused,
}
