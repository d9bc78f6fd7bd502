//! A vendor's block of a Backend in the form that all vendors share, and the reference to a Secret that such blocks have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One value of a Secret in the same namespace.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// The Secret's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// The entry of its data.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// A vendor's block, apart from its credentials, in the form that all vendors share.
pub struct Block {
    /// The name of the block.
    pub vendor: &'static str,
    /// Its fields as JSON, without the credentials.
    pub settings: serde_json::Value,
    /// The Secret values that it refers to, by the field that does.
    pub secrets: Vec<(&'static str, SecretKeyRef)>,
}

impl Block {
    /// A block of these fields, of which `credentials` stay out.
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
