//! Metadata in requests and answers (contract 2.8).

use serde_json::{Value, json};

use super::{body::Fields, problem::Problem};
use crate::lenses::rows::{
    metadata::Metadata,
    switches::{MetadataPatch, Switches},
};

/// The most keys.
const MOST_KEYS: usize = 50;

/// The longest key in bytes.
const LONGEST_KEY: usize = 40;

/// The longest value in bytes.
const LONGEST_VALUE: usize = 500;

/// The metadata of a thing after a request, `current` being what it has. A server without metadata does not
/// know the key.
///
/// # Errors
/// Invalid: no object of strings, or beyond the limits.
pub fn read(fields: &mut Fields, current: &Metadata, switches: &Switches) -> Result<Metadata, Problem> {
    let sent = if switches.metadata_supported { fields.value("metadata") } else { None };
    let Some(sent) = sent else { return Ok(current.clone()) };
    let sent: Metadata =
        serde_json::from_value(sent).map_err(|_| Problem::invalid("metadata is no object of strings"))?;
    let metadata = match switches.metadata_patch {
        MetadataPatch::Replace => sent,
        MetadataPatch::Merge => {
            current.iter().map(|(key, value)| (key.clone(), value.clone())).chain(sent).collect()
        }
    };
    if metadata.len() > MOST_KEYS {
        return Err(Problem::invalid(format!("metadata has more than {MOST_KEYS} keys")));
    }
    for (key, value) in &metadata {
        if key.len() > LONGEST_KEY {
            return Err(Problem::invalid(format!("a key of metadata is longer than {LONGEST_KEY} bytes")));
        }
        if value.len() > LONGEST_VALUE {
            return Err(Problem::invalid(format!("the metadata {key} is longer than {LONGEST_VALUE} bytes")));
        }
    }
    Ok(metadata)
}

/// Adds metadata to an answer, if there is any.
pub fn show(body: &mut Value, metadata: &Metadata, switches: &Switches) {
    if switches.metadata_supported && !metadata.is_empty() {
        body["metadata"] = json!(metadata);
    }
}
