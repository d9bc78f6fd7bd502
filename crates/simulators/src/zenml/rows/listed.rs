//! Rows that lists show.

use jiff::Timestamp;

use super::ids::Uuid;
use crate::kit::table::Row;

/// What lists are made of.
pub trait Listed: Row<Id = Uuid> {
    /// When it was made.
    fn created(&self) -> Timestamp;
}
