//! The vendor's own roles, as far as they were seen. A plan leaves them alone; this keeps a mistake there from reaching them, since not
//! every vendor is known to refuse every write to them.

use std::collections::HashSet;

use parking_lot::Mutex;

use super::{Class, Error};
use rolewright_core::model::{Change, Id, Observed};

/// The roles that nothing may be written to.
#[derive(Default)]
pub struct Untouchable {
    ids: Mutex<HashSet<Id>>,
}

impl Untouchable {
    /// Notes those among what was seen.
    pub fn note<'a>(&self, seen: impl IntoIterator<Item = &'a Observed>) {
        let own = seen.into_iter().filter(|seen| seen.read_only.is_some()).map(|seen| seen.id.clone());
        self.ids.lock().extend(own);
    }

    /// Lets a change pass.
    ///
    /// # Errors
    /// One of a role that the vendor keeps for itself: [`Class::Invalid`].
    pub fn pass(&self, change: &Change, vendor: &str) -> Result<(), Error> {
        if !change.id().is_some_and(|id| self.ids.lock().contains(id)) {
            return Ok(());
        }
        let message = format!("{} is a role that {vendor} keeps for itself", change.body().title());
        Err(Error::new(Class::Invalid, message))
    }
}
