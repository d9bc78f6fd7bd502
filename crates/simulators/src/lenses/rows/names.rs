//! A table of rows by name: in HQ, the name is the key and never changes. As JSON, a table is a plain list.

use std::collections::{BTreeMap, btree_map::Entry};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// The maximum length of a resource name (contract 3.1).
const MAX_LENGTH: usize = 63;

/// A type that is stored under its name.
pub trait Named {
    /// The name, which never changes.
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
    /// The row with this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.rows.get(name)
    }

    /// The row with this name, for a change. The name must stay.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.rows.get_mut(name)
    }

    /// Whether a row has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.rows.contains_key(name)
    }

    /// Inserts a row, or replaces the row with the same name.
    pub fn insert(&mut self, row: T) {
        self.rows.insert(row.name().to_owned(), row);
    }

    /// Removes the row with this name and returns it.
    pub fn remove(&mut self, name: &str) -> Option<T> {
        self.rows.remove(name)
    }

    /// All rows, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// All rows, for changes. The names must stay.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.values_mut()
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the table has no rows.
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
                    return Err(D::Error::custom(format!("the name {} occurs twice", place.key())));
                }
            }
        }
        Ok(Self { rows })
    }
}

/// Whether a text is an HQ resource name (contract 3.1): 1 to 63 lower-case letters, digits and hyphens, without a
/// hyphen at the start or the end.
pub fn is_resource_name(text: &str) -> bool {
    let is_valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_LENGTH).contains(&text.len())
        && text.bytes().all(is_valid)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::is_resource_name;

    #[test]
    fn resource_names_are_dns_labels() {
        let longest = "a".repeat(63);
        for valid in ["a", "0", "data-readers", "a--b", &longest] {
            assert!(is_resource_name(valid), "{valid}");
        }
        let longer = "a".repeat(64);
        for invalid in ["", "-a", "a-", "A", "a.b", "a_b", "a b", "ä", &longer] {
            assert!(!is_resource_name(invalid), "{invalid}");
        }
    }
}
