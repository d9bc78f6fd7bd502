//! ZenML Pro, by the API of its control plane (docs/contracts/zenml.md): custom roles of the organization, its workspaces
//! and projects, and assignments of roles to
//! users, service accounts, teams and invited people. Assignments have no ids and no list of their own: they are read for one role and one
//! scope at a time (contract 2.2).

mod assignments;
mod client;
mod config;
mod connection;
mod dialect;
mod escalation;
mod ids;
mod map;
mod mark;
mod pages;
mod people;
mod permissions;
mod read;
mod session;
mod snapshot;
#[cfg(test)]
mod tests;
mod visibility;
mod vocabulary;
mod wire;
mod write;

use std::sync::Arc;

use async_trait::async_trait;

use self::{
    client::Client,
    dialect::ZenmlDialect,
    write::{grants, roles},
};
use super::{Backend, Error, Identity, Needs, Settings, Vendor, Vocabulary};
use rolewright_core::model::{Dialect, Entry, Fault, Grant, Id, Level, Observed, Role, Snapshot};

/// ZenML Pro.
pub const VENDOR: Vendor = Vendor {
    name: config::NAME,
    title: "ZenML Pro",
    dialect: &ZenmlDialect,
    limits: config::LIMITS,
    origin: config::origin,
    client,
};

fn client(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let connection = config::connection(&settings.block)?;
    let login = config::login(&connection, &settings.secrets)?;
    let http = settings.http(config::NAME, connection.url.clone(), config::URL_FIELD, wire::problem)?;
    Ok(Arc::new(Zenml { client: Client::new(http, login, connection) }))
}

/// One organization of a ZenML control plane, used with one credential.
struct Zenml {
    client: Client,
}

#[async_trait]
impl Backend for Zenml {
    fn dialect(&self) -> &'static dyn Dialect {
        &ZenmlDialect
    }

    async fn probe(&self) -> Result<Identity, Error> {
        read::probe(&self.client).await
    }

    /// Servers need not show the permissions of roles.
    async fn vocabulary(&self) -> Vocabulary {
        vocabulary::known()
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

    async fn find_role(&self, role: &Role) -> Result<Option<Observed>, Error> {
        read::find_role(&self.client, role).await
    }

    async fn find_grant(&self, grant: &Grant) -> Result<Option<Observed>, Error> {
        read::find_grant(&self.client, grant).await
    }

    async fn create_role(&self, _id: Option<&Id>, role: &Role) -> Result<Observed, Error> {
        roles::create(&self.client, role).await
    }

    async fn create_grant(&self, grant: &Grant) -> Result<Observed, Error> {
        grants::create(&self.client, grant).await
    }

    async fn update_role(&self, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
        roles::update(&self.client, id, before, after).await
    }

    async fn delete_role(&self, id: &Id, before: &Role) -> Result<(), Error> {
        roles::delete(&self.client, id, before).await
    }

    async fn delete_grant(&self, _id: &Id, before: &Grant) -> Result<(), Error> {
        grants::delete(&self.client, before).await
    }
}
