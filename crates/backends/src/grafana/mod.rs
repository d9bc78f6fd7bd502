//! Grafana Enterprise and Cloud (contract: RBAC HTTP API): roles by uid, and who holds them without any scope: users, service
//! accounts, teams. Assignments are made and removed one by one: writing whole sets would take what others assigned (contract 3.9).
//! Folders, dashboards and data sources are restricted by taking the permissions of the built-in roles away.

mod client;
mod config;
mod dialect;
mod ids;
mod map;
mod pages;
mod read;
mod resources;
mod rights;
mod snapshot;
#[cfg(test)]
mod tests;
mod wire;
mod write;

use std::sync::Arc;

use async_trait::async_trait;

use self::{client::Client, dialect::GrafanaDialect};
use super::{Backend, Error, Identity, Needs, Settings, Vendor};
use rolewright_core::model::{Body, Change, Dialect, Entry, Fault, Id, Kind, Observed, Snapshot};

/// Grafana.
pub const VENDOR: Vendor =
    Vendor { name: "grafana", title: "Grafana", dialect: &GrafanaDialect, origin: config::origin, connect };

fn connect(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let connection = config::connection(&settings.block)?;
    let credential = config::credential(&connection, &settings.secrets)?;
    let http = settings.http(&VENDOR, connection.api(), config::URL_FIELD, wire::problem)?;
    Ok(Arc::new(Grafana { client: Client::new(http, credential, connection.organization()), connection }))
}

/// One organization of a Grafana, seen with one credential.
struct Grafana {
    client: Client,
    connection: config::Connection,
}

#[async_trait]
impl Backend for Grafana {
    fn dialect(&self) -> &'static dyn Dialect {
        &GrafanaDialect
    }

    async fn probe(&self) -> Result<Identity, Error> {
        read::probe(&self.client, &self.connection).await
    }

    async fn snapshot(&self, needs: &Needs) -> Result<Snapshot, Error> {
        snapshot::snapshot(&self.client, needs).await
    }

    async fn look_up(&self, level: &str, name: &str, _parent: Option<&Id>) -> Result<Vec<Entry>, Error> {
        read::look_up(&self.client, level, name).await
    }

    async fn read(&self, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
        read::read(&self.client, kind, id).await
    }

    async fn find(&self, body: &Body) -> Result<Option<Observed>, Error> {
        read::find(&self.client, body).await
    }

    async fn write(&self, change: &Change) -> Result<Option<Observed>, Error> {
        write::write(&self.client, change).await
    }
}
