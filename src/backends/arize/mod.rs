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

use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use self::{client::Client, dialect::ArizeDialect};
use super::{
    Backend, Class, Error, Identity, Needs, Settings, Vendor,
    http::{Http, Options, Times},
};
use crate::access::{Body, Change, Dialect, Entry, Fault, Id, Kind, Observed, Snapshot};

/// Arize AX.
pub const VENDOR: Vendor =
    Vendor { name: "arize", title: "Arize AX", dialect: &ArizeDialect, origin: config::origin, connect };

fn connect(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let base = config::origin(&settings.block)?;
    let credential = config::credential(settings.secrets.get(config::KEY_FIELD))?;
    let http = Http::new(Options {
        vendor: VENDOR.name,
        base,
        base_field: config::URL_FIELD,
        ca: settings.ca,
        dialling: settings.dialling,
        budget: settings.budget,
        observer: settings.observer,
        errors: wire::problem,
        times: Times::default(),
    })?;
    Ok(Arc::new(Arize { client: Client::new(http, credential), predefined: Mutex::default() }))
}

/// One account of Arize, seen with one key.
struct Arize {
    client: Client,
    /// The predefined roles seen so far. The plan leaves them alone; this keeps a mistake there from reaching the vendor's.
    predefined: Mutex<HashSet<Id>>,
}

impl Arize {
    fn remember(&self, roles: impl IntoIterator<Item = Id>) {
        self.predefined.lock().expect("nothing panics while it holds this lock").extend(roles);
    }

    fn is_predefined(&self, id: &Id) -> bool {
        self.predefined.lock().expect("nothing panics while it holds this lock").contains(id)
    }
}

fn read_only(observed: &Observed) -> Option<Id> {
    observed.read_only.is_some().then(|| observed.id.clone())
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
        self.remember(snapshot.all(Kind::Role).filter_map(read_only));
        Ok(snapshot)
    }

    async fn look_up(&self, level: &str, name: &str, parent: Option<&Id>) -> Result<Vec<Entry>, Error> {
        read::look_up(&self.client, level, name, parent).await
    }

    async fn read(&self, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
        let observed = read::read(&self.client, kind, id).await?;
        self.remember(observed.as_ref().and_then(read_only));
        Ok(observed)
    }

    async fn find(&self, body: &Body) -> Result<Option<Observed>, Error> {
        let observed = read::find(&self.client, body).await?;
        self.remember(observed.as_ref().and_then(read_only));
        Ok(observed)
    }

    async fn write(&self, change: &Change) -> Result<Option<Observed>, Error> {
        if change.id().is_some_and(|id| self.is_predefined(id)) {
            let message = format!("{} is {}, which Arize owns", change.body().title(), map::PREDEFINED);
            return Err(Error::new(Class::Invalid, message));
        }
        write::write(&self.client, change).await
    }
}
