//! Rows by name: HQ keys everything by a name that never changes. Plain lists as JSON.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The longest name (contract 3).
const LONGEST: usize = 63;

/// Something stored under its name.
pub trait Named {
    /// The name.
    fn name(&self) -> &str;
}

/// The rows of one type, in the order of their names.
#[derive(Clone, Debug)]
pub struct Names<T> {
    rows: BTreeMap<String, T>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new() }
    }
}

impl<T: Named> Names<T> {
    /// The row of this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.rows.get(name)
    }

    /// The row of this name, to be changed in anything but its name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.rows.get_mut(name)
    }

    /// Whether there is a row of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.rows.contains_key(name)
    }

    /// Stores a row under its name, in place of the one that was there.
    pub fn insert(&mut self, row: T) {
        self.rows.insert(row.name().to_owned(), row);
    }

    /// Takes a row out.
    pub fn remove(&mut self, name: &str) -> Option<T> {
        self.rows.remove(name)
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// All rows, to be changed in anything but their names.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.values_mut()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl<T: Serialize> Serialize for Names<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.values())
    }
}

impl<'de, T: Named + Deserialize<'de>> Deserialize<'de> for Names<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut rows = BTreeMap::new();
        for row in Vec::<T>::deserialize(deserializer)? {
            match rows.entry(row.name().to_owned()) {
                Entry::Vacant(place) => {
                    place.insert(row);
                }
                Entry::Occupied(place) => {
                    return Err(D::Error::custom(format!("{} occurs twice", place.key())));
                }
            }
        }
        Ok(Self { rows })
    }
}

/// Whether a text is an HQ resource name (contract 3): lower-case letters, digits and hyphens, no hyphen first
/// or last, 1 to 63 of them.
pub fn is_resource_name(text: &str) -> bool {
    let is_sign = |sign: u8| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'-';
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(is_sign)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::is_resource_name;

    #[test]
    fn a_resource_name_is_a_label() {
        let longest = "a".repeat(63);
        for right in ["a", "0", "data-readers", "a--b", &longest] {
            assert!(is_resource_name(right), "{right}");
        }
        let longer = "a".repeat(64);
        for wrong in ["", "-a", "a-", "A", "a.b", "a_b", "a b", "ä", &longer] {
            assert!(!is_resource_name(wrong), "{wrong}");
        }
    }
}
