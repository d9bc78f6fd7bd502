//! Arize AX, by its REST API v2 (docs/contracts/arize.md): roles by name, one role binding for a user on a space or project, and
//! restricted projects, dashboards and prompts.

mod client;
mod config;
mod dialect;
mod escalation;
mod ids;
mod map;
mod read;
mod snapshot;
#[cfg(test)]
mod tests;
mod visibility;
mod wire;
mod write;

use std::sync::Arc;

use async_trait::async_trait;

use self::{client::Client, dialect::ArizeDialect};
use super::{Backend, Error, Identity, Needs, Settings, Vendor};
use rolewright_core::model::{
    Dialect, Entry, Fault, Grant, Id, Level, Observed, Restriction, Role, Snapshot,
};

/// Arize AX.
pub const VENDOR: Vendor = Vendor {
    name: config::NAME,
    title: "Arize AX",
    dialect: &ArizeDialect,
    limits: config::LIMITS,
    origin: config::origin,
    client,
};

fn client(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let base = config::origin(&settings.block)?;
    let credential = config::credential(&settings.secrets)?;
    let http = settings.http(config::NAME, base, config::URL_FIELD, wire::problem)?;
    Ok(Arc::new(Arize { client: Client::new(http, credential) }))
}

/// One account of Arize, used with one API key.
struct Arize {
    client: Client,
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
        snapshot::snapshot(&self.client, needs).await
    }

    async fn look_up(&self, level: Level, name: &str, parent: Option<&Id>) -> Result<Vec<Entry>, Error> {
        read::look_up(&self.client, level, name, parent).await
    }

    async fn read_role(&self, id: &Id) -> Result<Option<Observed>, Error> {
        read::role(&self.client, id).await
    }

    async fn read_grant(&self, id: &Id) -> Result<Option<Observed>, Error> {
        read::grant(&self.client, id).await
    }

    async fn read_restriction(&self, id: &Id) -> Result<Option<Observed>, Error> {
        read::restriction(&self.client, id).await
    }

    async fn find_role(&self, role: &Role) -> Result<Option<Observed>, Error> {
        read::find_role(&self.client, role).await
    }

    async fn find_grant(&self, grant: &Grant) -> Result<Option<Observed>, Error> {
        read::find_grant(&self.client, grant).await
    }

    async fn find_restriction(&self, restriction: &Restriction) -> Result<Option<Observed>, Error> {
        read::find_restriction(&self.client, restriction).await
    }

    async fn create_role(&self, _id: Option<&Id>, role: &Role) -> Result<Observed, Error> {
        write::create_role(&self.client, role).await
    }

    async fn create_grant(&self, grant: &Grant) -> Result<Observed, Error> {
        write::create_grant(&self.client, grant).await
    }

    async fn create_restriction(&self, restriction: &Restriction) -> Result<Observed, Error> {
        write::create_restriction(&self.client, restriction).await
    }

    async fn update_role(&self, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
        write::update_role(&self.client, id, before, after).await
    }

    async fn update_grant(&self, id: &Id, before: &Grant, after: &Grant) -> Result<Observed, Error> {
        write::update_grant(&self.client, id, before, after).await
    }

    async fn delete_role(&self, id: &Id, _before: &Role) -> Result<(), Error> {
        write::delete_role(&self.client, id).await
    }

    async fn delete_grant(&self, id: &Id, _before: &Grant) -> Result<(), Error> {
        write::delete_grant(&self.client, id).await
    }

    async fn delete_restriction(&self, id: &Id, before: &Restriction) -> Result<(), Error> {
        write::delete_restriction(&self.client, id, before).await
    }
}
