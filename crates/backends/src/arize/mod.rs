//! Arize AX (contract: REST API v2): roles by name, one role binding for a user on a space or project, restricted projects,
//! dashboards and prompts.

mod client;
mod config;
mod dialect;
mod map;
mod read;
mod snapshot;
#[cfg(test)]
mod tests;
mod wire;
mod write;

use std::sync::Arc;

use async_trait::async_trait;

use self::{client::Client, dialect::ArizeDialect};
use super::{Backend, Error, Identity, Needs, Settings, Vendor, untouchable::Untouchable};
use rolewright_core::model::{Body, Change, Dialect, Entry, Fault, Id, Kind, Observed, Snapshot};

/// Arize AX.
pub const VENDOR: Vendor =
    Vendor { name: "arize", title: "Arize AX", dialect: &ArizeDialect, origin: config::origin, connect };

fn connect(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let base = config::origin(&settings.block)?;
    let credential = config::credential(&settings.secrets)?;
    let http = settings.http(&VENDOR, base, config::URL_FIELD, wire::problem)?;
    Ok(Arc::new(Arize { client: Client::new(http, credential), predefined: Untouchable::default() }))
}

/// One account of Arize, seen with one key.
struct Arize {
    client: Client,
    predefined: Untouchable,
}

#[async_trait]
impl Backend for Arize {
    fn dialect(&self) -> &'static dyn Dialect {
        &ArizeDialect
    }

    async fn probe(&self) -> Result<Identity, Error> {
        read::probe(&self.client).await
    }

    async fn snapshot(&self, needs: &Needs) -> Result<Snapshot, Error> {
        let snapshot = snapshot::snapshot(&self.client, needs).await?;
        self.predefined.note(snapshot.all(Kind::Role));
        Ok(snapshot)
    }

    async fn look_up(&self, level: &str, name: &str, parent: Option<&Id>) -> Result<Vec<Entry>, Error> {
        read::look_up(&self.client, level, name, parent).await
    }

    async fn read(&self, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
        let observed = read::read(&self.client, kind, id).await?;
        self.predefined.note(&observed);
        Ok(observed)
    }

    async fn find(&self, body: &Body) -> Result<Option<Observed>, Error> {
        let observed = read::find(&self.client, body).await?;
        self.predefined.note(&observed);
        Ok(observed)
    }

    async fn write(&self, change: &Change) -> Result<Option<Observed>, Error> {
        self.predefined.pass(change, VENDOR.title)?;
        write::write(&self.client, change).await
    }
}
