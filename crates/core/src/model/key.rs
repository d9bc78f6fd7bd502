//! Identifiers: the back end's own id, the natural key that finds a thing that is not managed yet, and the fingerprint of a body.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An identifier that the back end assigned. Opaque: only that back end's folder parses it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(Arc<str>);

impl Id {
    /// An id in the back end's spelling.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into().into())
    }

    /// The id in the back end's spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The natural key of a thing: it identifies the thing without its id, by field name and value, such as `name: reports-writer`.
/// Most back ends refuse a second thing with the same key.
///
/// Snapshots and claims keep several copies of each key. So it is cheap to clone, and a sorted slice: the half-empty node of a map
/// would use more memory than all the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Key(Arc<[(String, String)]>);

impl Key {
    /// A key of these fields, in any order.
    pub fn new<const N: usize>(fields: [(&str, &str); N]) -> Self {
        let mut fields = fields.map(|(field, value)| (field.to_owned(), value.to_owned()));
        fields.sort();
        Self(fields.into())
    }

    /// The place inside which a sweep must prove the absence of the thing: its scope or resource; its subject for a grant without a
    /// scope. None for a thing without a place, such as a role.
    pub fn place(&self) -> Option<Id> {
        ["scope", "resource", "subject"].into_iter().find_map(|field| self.get(field)).map(Id::new)
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Key {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(fields: T) -> Self {
        fields
            .into_iter()
            .map(|(field, value)| (field.to_owned(), value.to_owned()))
            .collect::<BTreeMap<_, _>>()
            .into()
    }
}

impl From<BTreeMap<String, String>> for Key {
    fn from(fields: BTreeMap<String, String>) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl From<Key> for BTreeMap<String, String> {
    fn from(key: Key) -> Self {
        key.0.iter().cloned().collect()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (field, value) in &*self.0 {
            write!(f, "{separator}{field}={value}")?;
            separator = ",";
        }
        Ok(())
    }
}

/// The first 16 hexadecimal digits of a body's SHA-256: enough to recognize one's own create that was not recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a value's JSON. Its maps must be ordered.
    pub fn of(value: &impl Serialize) -> Self {
        let json =
            serde_json::to_vec(value).expect("the model has string keys only, so it always serializes");
        Self(sha256_hex(&json)[..16].to_owned())
    }

    /// A fingerprint that a status records.
    pub fn from_status(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The form that a status records.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
