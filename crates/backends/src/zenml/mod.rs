//! ZenML Pro (contract: control plane, "cloud API"): custom roles of workspaces and projects, and who holds roles where: users, service
//! accounts, teams, people who are only invited. Assignments have no ids and no list of their own: they are asked for role by role and scope
//! by scope (contract 2.2).

mod client;
mod config;
mod connection;
mod dialect;
mod ids;
mod map;
mod pages;
mod people;
mod permissions;
mod projects;
mod read;
mod session;
mod sight;
mod snapshot;
#[cfg(test)]
mod tests;
mod wire;
mod write;

use std::sync::Arc;

use async_trait::async_trait;

use self::{client::Client, dialect::ZenmlDialect};
use super::{Backend, Error, Identity, Needs, Settings, Vendor, untouchable::Untouchable};
use rolewright_core::model::{Body, Change, Dialect, Entry, Fault, Id, Kind, Observed, Snapshot};

/// ZenML Pro.
pub const VENDOR: Vendor =
    Vendor { name: "zenml", title: "ZenML Pro", dialect: &ZenmlDialect, origin: config::origin, connect };

fn connect(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let connection = config::connection(&settings.block)?;
    let login = config::login(&connection, &settings.secrets)?;
    let http = settings.http(&VENDOR, connection.url.clone(), config::URL_FIELD, wire::problem)?;
    let client = Client::new(http, login, connection.organization);
    Ok(Arc::new(Zenml { client, untouchable: Untouchable::default() }))
}

/// One organization of a ZenML control plane, seen with one credential.
struct Zenml {
    client: Client,
    untouchable: Untouchable,
}

#[async_trait]
impl Backend for Zenml {
    fn dialect(&self) -> &'static dyn Dialect {
        &ZenmlDialect
    }

    async fn probe(&self) -> Result<Identity, Error> {
        read::probe(&self.client).await
    }

    async fn snapshot(&self, needs: &Needs) -> Result<Snapshot, Error> {
        let snapshot = snapshot::snapshot(&self.client, needs).await?;
        self.untouchable.note(snapshot.all(Kind::Role));
        Ok(snapshot)
    }

    async fn look_up(&self, level: &str, name: &str, parent: Option<&Id>) -> Result<Vec<Entry>, Error> {
        read::look_up(&self.client, level, name, parent).await
    }

    async fn read(&self, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
        let observed = read::read(&self.client, kind, id).await?;
        self.untouchable.note(&observed);
        Ok(observed)
    }

    async fn find(&self, body: &Body) -> Result<Option<Observed>, Error> {
        read::find(&self.client, body).await
    }

    async fn write(&self, change: &Change) -> Result<Option<Observed>, Error> {
        self.untouchable.pass(change, VENDOR.title)?;
        write::write(&self.client, change).await
    }
}
