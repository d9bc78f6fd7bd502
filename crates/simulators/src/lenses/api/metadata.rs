//! Metadata in requests and answers (contract 2.8).

use serde_json::{Value, json};

use super::{body::Fields, problem::Problem};
use crate::lenses::rows::metadata::Metadata;

/// The maximum number of keys.
const MAX_KEYS: usize = 50;

/// The maximum length of a key in bytes.
const MAX_KEY_BYTES: usize = 40;

/// The maximum length of a value in bytes.
const MAX_VALUE_BYTES: usize = 500;

/// The metadata of a row after a request. Whether a PATCH merges or replaces it is unpublished (contract 2.8): it replaces it here.
///
/// # Errors
/// Invalid if the value is not an object of strings, or exceeds a limit.
pub fn read(fields: &mut Fields, current: &Metadata) -> Result<Metadata, Problem> {
    let Some(sent) = fields.value("metadata") else { return Ok(current.clone()) };
    let metadata: Metadata =
        serde_json::from_value(sent).map_err(|_| Problem::invalid("metadata is not an object of strings"))?;
    if metadata.len() > MAX_KEYS {
        return Err(Problem::invalid(format!("metadata has more than {MAX_KEYS} keys")));
    }
    for (key, value) in &metadata {
        if key.len() > MAX_KEY_BYTES {
            return Err(Problem::invalid(format!("a key of metadata is longer than {MAX_KEY_BYTES} bytes")));
        }
        if value.len() > MAX_VALUE_BYTES {
            return Err(Problem::invalid(format!(
                "the metadata {key} is longer than {MAX_VALUE_BYTES} bytes"
            )));
        }
    }
    Ok(metadata)
}

/// Adds the metadata to an answer, unless it is empty.
pub fn show(body: &mut Value, metadata: &Metadata) {
    if !metadata.is_empty() {
        body["metadata"] = json!(metadata);
    }
}
