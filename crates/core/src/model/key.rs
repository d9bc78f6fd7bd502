//! Identifiers: the back end's own id, the natural key that finds a thing that is not managed yet, and the fingerprint of a body.

use std::{cmp::Ordering, collections::BTreeMap, fmt, sync::Arc};

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

    /// The id in the back end's spelling, shared.
    pub fn text(&self) -> Arc<str> {
        self.0.clone()
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
/// Snapshots and claims keep several copies of each key, so it is one allocation that clones share.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Key(Arc<[u8]>);

/// The length of a text in a [`Key`], in front of the text. A separator could be a part of the text.
type Length = u32;

impl Key {
    /// A key of these fields, in any order. Of two fields with the same name the last one counts.
    pub fn new<const N: usize>(fields: [(&str, &str); N]) -> Self {
        fields.into_iter().collect()
    }

    /// The place inside which a sweep must prove the absence of the thing: its scope or resource; its subject for a grant without a
    /// scope. None for a thing without a place, such as a role.
    pub fn place(&self) -> Option<Id> {
        ["scope", "resource", "subject"].into_iter().find_map(|field| self.get(field)).map(Id::new)
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.fields().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    /// All fields with their values, sorted by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = &*self.0;
        std::iter::from_fn(move || Some((next_text(&mut rest)?, next_text(&mut rest)?)))
    }
}

/// Takes the next text off an encoded key.
fn next_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (length, after) = rest.split_first_chunk()?;
    let (text, after) = after.split_at_checked(Length::from_le_bytes(*length) as usize)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

impl<'a> FromIterator<(&'a str, &'a str)> for Key {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(fields: T) -> Self {
        let sorted: BTreeMap<&str, &str> = fields.into_iter().collect();
        let mut encoded = Vec::new();
        for text in sorted.into_iter().flat_map(|(field, value)| [field, value]) {
            let length = Length::try_from(text.len()).expect("no answer is as long as 4 GiB");
            encoded.extend(length.to_le_bytes());
            encoded.extend(text.as_bytes());
        }
        Self(encoded.into())
    }
}

impl From<BTreeMap<String, String>> for Key {
    fn from(fields: BTreeMap<String, String>) -> Self {
        fields.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect()
    }
}

impl From<Key> for BTreeMap<String, String> {
    fn from(key: Key) -> Self {
        key.fields().map(|(field, value)| (field.to_owned(), value.to_owned())).collect()
    }
}

/// By the fields, not by their encoding: plans list things in this order.
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.fields().cmp(other.fields())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (field, value) in self.fields() {
            write!(f, "{separator}{field}={value}")?;
            separator = ",";
        }
        Ok(())
    }
}

/// The first 16 hexadecimal digits of a body's SHA-256: enough to recognize one's own create that was not recorded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(Arc<str>);

impl Fingerprint {
    /// The fingerprint of a value's JSON. Its maps must be ordered.
    pub fn of(value: &impl Serialize) -> Self {
        let json =
            serde_json::to_vec(value).expect("the model has string keys only, so it always serializes");
        Self(sha256_hex(&json)[..16].into())
    }

    /// A fingerprint that a status records.
    pub fn from_status(text: &str) -> Self {
        Self(text.into())
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
