//! The state of the back end: one client, and what is remembered between its calls.

use super::{
    cache::Cache, catalogue::Catalogue, client::Client, config::Connection, incarnations::Incarnations,
    whole_group::WholeGroup,
};
use rolewright_core::model::Observed;

/// One HQ, used with one credential.
pub struct Lenses {
    pub client: Client,
    pub connection: Connection,
    pub catalogue: Catalogue,
    /// Managed roles that were read one by one.
    pub roles: Cache<Observed>,
    /// Groups that were read one by one.
    pub groups: Cache<WholeGroup>,
    /// Which role has a name.
    pub role_incarnations: Incarnations,
    /// Which group has a name.
    pub group_incarnations: Incarnations,
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
            role_incarnations: Incarnations::default(),
            group_incarnations: Incarnations::default(),
        }
    }
}
