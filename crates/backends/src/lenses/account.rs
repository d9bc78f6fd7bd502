//! The state of the back end: one client, and what is remembered between its calls.

use super::{cache::Cache, catalogue::Catalogue, client::Client, config::Connection, wire::Group};
use rolewright_core::model::Observed;

/// One HQ, used with one credential.
pub struct Lenses {
    pub client: Client,
    pub connection: Connection,
    pub catalogue: Catalogue,
    /// Managed roles that were read one by one.
    pub roles: Cache<Observed>,
    /// Groups that were read one by one.
    pub groups: Cache<Group>,
}

impl Lenses {
    /// A back end that has read nothing yet.
    pub fn new(client: Client, connection: Connection) -> Self {
        Self {
            client,
            connection,
            catalogue: Catalogue::default(),
            roles: Cache::default(),
            groups: Cache::default(),
        }
    }
}
