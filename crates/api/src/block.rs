//! The vendor-neutral form of a Backend's vendor block, and the reference to a Secret that all vendor blocks use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A reference to one entry of a Secret in the same namespace.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// The name of the Secret, in the namespace of this object.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The entry in the data of the Secret, such as token.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// A vendor block of a Backend, in a form that is the same for all vendors.
pub struct Block {
    /// The name of the block in the spec, such as `grafana`.
    pub vendor: &'static str,
    /// The fields of the block as JSON, without secret values.
    pub settings: serde_json::Value,
    /// The references to Secrets in the block, each with the name of its field.
    pub secrets: Vec<(&'static str, SecretKeyRef)>,
}

impl Block {
    /// Builds a block from `connection`, without its field `credentials`.
    pub(super) fn new(
        vendor: &'static str,
        connection: &impl Serialize,
        secrets: Vec<(&'static str, SecretKeyRef)>,
    ) -> Self {
        let mut settings = serde_json::to_value(connection).expect("the block has string keys only");
        settings.as_object_mut().expect("a struct is an object").remove("credentials");
        Self { vendor, settings, secrets }
    }
}
