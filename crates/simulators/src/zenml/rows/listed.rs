//! Rows that lists can sort.

use jiff::Timestamp;

use super::ids::Uuid;
use crate::kit::table::Row;

/// A row that lists can sort.
pub trait Listed: Row<Id = Uuid> {
    /// The time of creation.
    fn created(&self) -> Timestamp;
}
