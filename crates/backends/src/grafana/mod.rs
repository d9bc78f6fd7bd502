//! Grafana Enterprise, Cloud and open source, by its RBAC HTTP API (docs/contracts/grafana.md): roles by uid, and grants without a scope to
//! users, service accounts and teams. Folders, dashboards and data sources are restricted by taking away the permissions of the built-in
//! roles.
//!
//! Assignments are created and deleted one by one, because writing a whole set would delete what others assigned (contract 3.9).

mod client;
mod config;
mod dialect;
mod escalation;
mod ids;
mod map;
mod pages;
mod read;
mod resources;
mod snapshot;
#[cfg(test)]
mod tests;
mod visibility;
mod wire;
mod write;

use std::sync::Arc;

use async_trait::async_trait;

use self::{
    client::Client,
    dialect::GrafanaDialect,
    write::{grants, restrictions, roles},
};
use super::{Backend, Error, Identity, Needs, Settings, Vendor, Vocabulary};
use rolewright_core::model::{
    Dialect, Entry, Fault, Grant, Id, Level, Observed, Restriction, Role, Snapshot,
};

/// Grafana.
pub const VENDOR: Vendor = Vendor {
    name: config::NAME,
    title: "Grafana",
    dialect: &GrafanaDialect,
    limits: config::LIMITS,
    origin: config::origin,
    client,
};

fn client(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let connection = config::connection(&settings.block)?;
    let credential = config::credential(&connection, &settings.secrets)?;
    let http = settings.http(config::NAME, connection.api(), config::URL_FIELD, wire::problem)?;
    Ok(Arc::new(Grafana { client: Client::new(http, credential, connection.organization()), connection }))
}

/// One organization of a Grafana, used with one credential.
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

    /// What the credential itself can do: it can handle only roles that permit no more.
    async fn vocabulary(&self) -> Vocabulary {
        let own = self.client.own_permissions().await;
        own.map(|own| own.vocabulary()).unwrap_or_default()
    }

    async fn snapshot(&self, needs: &Needs) -> Result<Snapshot, Error> {
        snapshot::snapshot(&self.client, needs).await
    }

    async fn look_up(&self, level: Level, name: &str, _parent: Option<&Id>) -> Result<Vec<Entry>, Error> {
        read::look_up(&self.client, level, name).await
    }

    async fn read_role(&self, id: &Id) -> Result<Option<Observed>, Error> {
        read::role(&self.client, id).await
    }

    async fn read_grant(&self, id: &Id) -> Result<Option<Observed>, Error> {
        read::grant(&self.client, id).await
    }

    async fn read_restriction(&self, id: &Id) -> Result<Option<Observed>, Error> {
        resources::restriction(&self.client, map::unnamed_resource(id)).await
    }

    async fn find_role(&self, role: &Role) -> Result<Option<Observed>, Error> {
        read::find_role(&self.client, role).await
    }

    async fn find_grant(&self, grant: &Grant) -> Result<Option<Observed>, Error> {
        read::find_grant(&self.client, grant).await
    }

    async fn find_restriction(&self, restriction: &Restriction) -> Result<Option<Observed>, Error> {
        resources::restriction(&self.client, restriction.resource.clone()).await
    }

    async fn create_role(&self, id: Option<&Id>, role: &Role) -> Result<Observed, Error> {
        roles::create(&self.client, id, role).await
    }

    async fn create_grant(&self, grant: &Grant) -> Result<Observed, Error> {
        grants::create(&self.client, grant).await
    }

    async fn update_role(&self, id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
        roles::update(&self.client, id, before, after).await
    }

    async fn update_restriction(
        &self,
        _id: &Id,
        before: &Restriction,
        after: &Restriction,
    ) -> Result<Observed, Error> {
        restrictions::update(&self.client, before, after).await
    }

    async fn delete_role(&self, id: &Id, before: &Role) -> Result<(), Error> {
        roles::delete(&self.client, id, before).await
    }

    async fn delete_grant(&self, _id: &Id, before: &Grant) -> Result<(), Error> {
        grants::delete(&self.client, before).await
    }
}
