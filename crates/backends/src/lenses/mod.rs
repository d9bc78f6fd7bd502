//! Lenses HQ (contract: lenses.md): roles by name, and who holds them. Principals and roles meet only in groups, so a grant is a role in a
//! group's set, or a group that a binding owns, with the binding's subjects in it. There is no paging, no version of anything and no
//! "who am I": what that leaves open is said where it matters.

mod catalogue;
mod client;
mod config;
mod details;
mod dialect;
mod groups;
mod ids;
mod incarnations;
mod lrn;
mod map;
mod policy;
mod read;
mod rights;
mod snapshot;
#[cfg(test)]
mod tests;
mod wanted;
mod whole;
mod wire;
mod write;

use std::sync::Arc;

use async_trait::async_trait;

use self::{
    catalogue::Catalogue, client::Client, config::Connection, details::Details, incarnations::Incarnations,
    whole::Whole, write::Turns,
};
use super::{Backend, Error, Identity, Needs, Settings, Vendor};
use rolewright_core::model::{Body, Change, Dialect, Entry, Fault, Id, Kind, Observed, Snapshot};

/// Lenses HQ.
pub const VENDOR: Vendor = Vendor {
    name: "lenses",
    title: "Lenses HQ",
    dialect: dialect::of(config::Membership::Manual),
    origin: config::origin,
    connect,
};

fn connect(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let connection = config::connection(&settings.block)?;
    let credential = config::credential(&settings.secrets)?;
    let http = settings.http(&VENDOR, connection.api(), config::URL_FIELD, wire::problem)?;
    Ok(Arc::new(Lenses {
        client: Client::new(http, credential),
        connection,
        catalogue: Catalogue::default(),
        roles: Details::default(),
        groups: Details::default(),
        named_roles: Incarnations::default(),
        named_groups: Incarnations::default(),
    }))
}

/// One HQ, seen with one credential.
struct Lenses {
    client: Client,
    connection: Connection,
    catalogue: Catalogue,
    /// What was read of held roles one by one.
    roles: Details<Observed>,
    /// What was read of groups one by one.
    groups: Details<Whole>,
    /// Which role has a name.
    named_roles: Incarnations,
    /// Which group has a name.
    named_groups: Incarnations,
}

impl Lenses {
    /// The turn to write to a group, which nobody else in this process has meanwhile.
    async fn turn(&self, group: &str) -> tokio::sync::OwnedMutexGuard<()> {
        Turns::of(self.connection.api().as_str(), group).await
    }
}

#[async_trait]
impl Backend for Lenses {
    fn dialect(&self) -> &'static dyn Dialect {
        dialect::of(self.connection.membership)
    }

    async fn probe(&self) -> Result<Identity, Error> {
        read::probe(&self.client, &self.connection).await
    }

    async fn snapshot(&self, needs: &Needs) -> Result<Snapshot, Error> {
        snapshot::snapshot(self, needs).await
    }

    async fn look_up(&self, level: &str, name: &str, _parent: Option<&Id>) -> Result<Vec<Entry>, Error> {
        read::look_up(self, level, name).await
    }

    async fn read(&self, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
        read::read(self, kind, id).await
    }

    async fn find(&self, body: &Body) -> Result<Option<Observed>, Error> {
        read::find(self, body).await
    }

    async fn write(&self, change: &Change) -> Result<Option<Observed>, Error> {
        write::write(self, change).await
    }
}
