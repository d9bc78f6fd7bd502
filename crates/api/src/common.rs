//! What several kinds share: the reference to a Backend, the modes and policies, the annotations.
//!
//! An enum that a field may leave out has no description in the schema: kube would let it win over that of the field, which says what
//! the values mean there and which of them is the default.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Annotations that users and the operator speak through.
pub mod annotations {
    /// On a Secret: the hosts that may be sent its value, separated by commas.
    pub const HOSTS: &str = "rolewright.dev/hosts";
    /// On an object: any value pauses it. Nothing is written to the back end until it is removed.
    pub const PAUSE: &str = "rolewright.dev/pause";
    /// On an object or a Backend: a new value asks for a look at once.
    pub const RECONCILE_AT: &str = "rolewright.dev/reconcile-at";
    /// On the custom resource definitions: their schema level.
    pub const SCHEMA_LEVEL: &str = "rolewright.dev/schema-level";
}

/// Which Backend an object belongs to.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendRef {
    /// Backend (the default): a Backend of the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<BackendRefKind>,
    /// The name of the Backend.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// The kinds of backend objects.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(description = "")]
pub enum BackendRefKind {
    /// A Backend of the same namespace.
    Backend,
}

/// Whether changes are made or only shown.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
#[schemars(description = "")]
pub enum Mode {
    /// Changes are made.
    #[default]
    Enforce,
    /// Changes are shown in `status.plan` and never made.
    Plan,
}

/// What happens to the things an object holds when it is deleted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum DeletionPolicy {
    /// They are removed from the back end.
    #[default]
    Delete,
    /// They stay as they are and nobody holds them any more.
    Retain,
}

/// What happens when the thing an object asks for is there already and no object holds it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[schemars(description = "")]
pub enum Adopt {
    /// It is a conflict.
    Never,
    /// It is taken over if it equals the spec, and a conflict if it does not.
    #[default]
    IfIdentical,
    /// It is taken over and made equal to the spec.
    Always,
}
