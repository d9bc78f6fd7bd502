//! A table: rows by identifier, in the order of their identifiers. As JSON, a table is a plain list.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt::Display,
    ops::Bound,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A type that is stored under an identifier.
pub trait Row {
    /// The vendor's identifiers. They sort in the order of issue.
    type Id: Copy + Ord + Display;

    /// The identifier, which never changes.
    fn id(&self) -> Self::Id;
}

/// Implements [`Row`] for a type with the field `id`.
macro_rules! identified {
    ($row:ty, $id:ty) => {
        impl $crate::kit::table::Row for $row {
            type Id = $id;

            fn id(&self) -> $id {
                self.id
            }
        }
    };
}
pub(crate) use identified;

/// The rows of one type, in the order of creation.
#[derive(Clone, Debug)]
pub struct Table<T: Row> {
    rows: BTreeMap<T::Id, T>,
}

impl<T: Row> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new() }
    }
}

impl<T: Row> Table<T> {
    /// The row with this identifier.
    pub fn get(&self, id: T::Id) -> Option<&T> {
        self.rows.get(&id)
    }

    /// The row with this identifier, for a change. The identifier must stay.
    pub fn get_mut(&mut self, id: T::Id) -> Option<&mut T> {
        self.rows.get_mut(&id)
    }

    /// Whether a row has this identifier.
    pub fn contains(&self, id: T::Id) -> bool {
        self.rows.contains_key(&id)
    }

    /// Inserts a row, or replaces the row with the same identifier.
    pub fn insert(&mut self, row: T) {
        self.rows.insert(row.id(), row);
    }

    /// Removes the row with this identifier and returns it.
    pub fn remove(&mut self, id: T::Id) -> Option<T> {
        self.rows.remove(&id)
    }

    /// Removes the rows that do not satisfy a condition.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.rows.retain(|_, row| keep(row));
    }

    /// All rows, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// All rows, for changes. The identifiers must stay.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.values_mut()
    }

    /// The rows after an identifier; all rows if none is passed.
    pub fn after(&self, id: Option<T::Id>) -> impl Iterator<Item = &T> {
        let start = id.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows.range((start, Bound::Unbounded)).map(|(_, row)| row)
    }

    /// The rows before an identifier, the newest first; all rows if none is passed.
    pub fn before(&self, id: Option<T::Id>) -> impl Iterator<Item = &T> {
        let end = id.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows.range((Bound::Unbounded, end)).rev().map(|(_, row)| row)
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

impl<T: Row + Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.values())
    }
}

impl<'de, T: Row + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut rows = BTreeMap::new();
        for row in Vec::<T>::deserialize(deserializer)? {
            match rows.entry(row.id()) {
                Entry::Vacant(place) => {
                    place.insert(row);
                }
                Entry::Occupied(place) => {
                    return Err(D::Error::custom(format!("the identifier {} occurs twice", place.key())));
                }
            }
        }
        Ok(Self { rows })
    }
}
