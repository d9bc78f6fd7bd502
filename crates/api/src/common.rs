//! Types that several kinds share: the reference to a Backend, the modes and policies, and the names of annotations.
//!
//! Enums of optional fields have an empty description in the schema. Otherwise kube would replace the description of the field, which
//! explains the values for that field and names the default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The message for a name that begins or ends with a blank. Back ends keep such blanks, or remove them.
pub(crate) const BLANKS: &str = "remove the blanks at the beginning and the end";

/// The names of the annotations that the operator reads or writes.
pub mod annotations {
    /// The beginning of the name of each annotation.
    pub const PREFIX: &str = "rolewright.dev/";
    /// On a Secret: the hosts that can receive its values, separated by commas, such as `api.arize.com`.
    pub const HOSTS: &str = "rolewright.dev/hosts";
    /// On an object: any value pauses it. Until the annotation is removed, Rolewright changes nothing in the back end for this object.
    pub const PAUSE: &str = "rolewright.dev/pause";
    /// On an object or a Backend: a new value requests a reconcile at once. It bypasses the cached snapshot.
    pub const RECONCILE_AT: &str = "rolewright.dev/reconcile-at";
    /// On a Backend, the token from the message of its condition `Ready`: a user acknowledges that exactly these managed things vanished.
    pub const ACKNOWLEDGE: &str = "rolewright.dev/acknowledge";
    /// On a ResourceRestriction, written by the operator as JSON: what its status alone knows and a restore needs.
    pub const RESTORE: &str = "rolewright.dev/restore";
    /// On a Namespace: the hosts that can receive the values of Secrets without the annotation [`HOSTS`], such as
    /// `arize-key=api.arize.com`.
    pub const SECRET_HOSTS: &str = "rolewright.dev/secret-hosts";
    /// On a RoleBinding, written by the operator: the AccessRequest for which it was created.
    pub const ACCESS_REQUEST: &str = "rolewright.dev/access-request";
    /// On each custom resource definition: its [`SCHEMA_LEVEL`](crate::SCHEMA_LEVEL).
    pub const SCHEMA_LEVEL: &str = "rolewright.dev/schema-level";
}

/// A reference to the Backend of an object.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendRef {
    /// The kind of the Backend. Backend (the default): a Backend in the namespace of this object. ClusterBackend: one that the cluster admin shares with this namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<BackendRefKind>,
    /// The name of the Backend in the namespace of this object, or of the ClusterBackend.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

impl BackendRef {
    /// The kind that the reference means.
    pub fn kind(&self) -> BackendRefKind {
        self.kind.unwrap_or_default()
    }
}

/// The kinds that a `backendRef` can refer to.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(description = "")]
pub enum BackendRefKind {
    /// A Backend in the namespace of the object.
    #[default]
    Backend,
    /// A ClusterBackend that serves the namespace of the object.
    ClusterBackend,
}

/// Whether Rolewright makes changes or only shows them. The order is from lenient to strict.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(description = "")]
pub enum Mode {
    /// Rolewright makes the changes.
    #[default]
    Enforce,
    /// Rolewright makes those changes that an Approval covers.
    Approve,
    /// Rolewright shows the changes in `status.plan` and never makes them.
    Plan,
}

/// What happens to the external things that an object manages when the object is deleted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum DeletionPolicy {
    /// Rolewright deletes them from the back end.
    #[default]
    Delete,
    /// Rolewright releases them: they stay in the back end and no object manages them.
    Retain,
}

/// What happens if a desired external thing already exists and no object manages it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum Adopt {
    /// The object reports `Conflict`.
    Never,
    /// Rolewright adopts it if it equals the spec. Otherwise the object reports `Conflict`.
    #[default]
    IfIdentical,
    /// Rolewright adopts it and makes it equal to the spec.
    Always,
}
