//! Identifiers: the back end's own, the natural key that finds a thing nobody holds yet, and the fingerprint of a body.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An identifier that the back end gave out. Opaque: compared, never taken apart outside that back end's folder. A copy costs nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(Arc<str>);

impl Id {
    /// Wraps an identifier as the back end spelled it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into().into())
    }

    /// The identifier as the back end spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What makes a thing the same thing in its back end, whatever its id: field name to value, such as `name: reports-writer`.
/// Two things of one kind never share a key in one tenant.
///
/// Snapshots and claims keep several of each: a copy costs nothing, and a map's half-empty node would cost more than all the fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Key(Arc<[(String, String)]>);

impl Key {
    /// A key of these fields.
    pub fn new<const N: usize>(fields: [(&str, &str); N]) -> Self {
        let mut fields = fields.map(|(field, value)| (field.to_owned(), value.to_owned()));
        fields.sort();
        Self(fields.into())
    }

    /// The id of the place inside which the absence of the thing has to be proven: its scope or resource; for a grant that lies in no
    /// scope, its subject. None for what lies in no place.
    pub fn place(&self) -> Option<Id> {
        ["scope", "resource", "subject"].into_iter().find_map(|field| self.get(field)).map(Id::new)
    }

    /// The value of one field.
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

/// As stored in a status.
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

/// The first 16 hexadecimal digits of a body's SHA-256: enough to tell one's own unrecorded create from another's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a value's canonical JSON. Maps in it must be ordered.
    pub fn of(value: &impl Serialize) -> Self {
        let json =
            serde_json::to_vec(value).expect("the model has string keys only, so it always serializes");
        Self(sha256_hex(&json)[..16].to_owned())
    }

    /// Reads one back from a status.
    pub fn from_status(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As stored in a status.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 of some bytes in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
