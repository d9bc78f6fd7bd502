//! Lenses HQ (docs/contracts/lenses.md): roles by name, and the groups that have them. Principals have roles only as members of groups, so a
//! grant is a role in the set of a group, or a group that a RoleBinding owns, with its subjects as members.
//!
//! HQ has no pages, no versions and no call that shows whose token it is.

mod account;
mod cache;
mod catalogue;
mod client;
mod config;
mod dialect;
mod escalation;
mod ids;
mod lrn;
mod map;
mod policy;
mod read;
mod snapshot;
#[cfg(test)]
mod tests;
mod visibility;
mod wire;
mod write;

use std::sync::Arc;

use async_trait::async_trait;

use self::{
    account::Lenses,
    client::Client,
    write::{grants, owned_groups, roles},
};
use super::{Backend, Error, Identity, Needs, Settings, Vendor, Vocabulary};
use rolewright_core::model::{Dialect, Entry, Fault, Grant, Group, Id, Level, Observed, Role, Snapshot};

/// Lenses HQ.
pub const VENDOR: Vendor = Vendor {
    name: config::NAME,
    title: "Lenses HQ",
    dialect: dialect::of(config::Membership::Manual),
    limits: config::LIMITS,
    origin: config::origin,
    client,
};

fn client(settings: Settings) -> Result<Arc<dyn Backend>, Fault> {
    let connection = config::connection(&settings.block)?;
    let credential = config::credential(&settings.secrets)?;
    let http = settings.http(config::NAME, connection.api(), config::URL_FIELD, wire::problem)?;
    Ok(Arc::new(Lenses::new(Client::new(http, credential), connection)))
}

#[async_trait]
impl Backend for Lenses {
    fn dialect(&self) -> &'static dyn Dialect {
        dialect::of(self.connection.membership)
    }

    async fn probe(&self) -> Result<Identity, Error> {
        read::probe(&self.client, &self.connection).await
    }

    /// The definitions of this HQ.
    async fn vocabulary(&self) -> Vocabulary {
        self.catalogue.vocabulary().await
    }

    async fn snapshot(&self, needs: &Needs) -> Result<Snapshot, Error> {
        snapshot::snapshot(self, needs).await
    }

    async fn look_up(&self, level: Level, name: &str, _parent: Option<&Id>) -> Result<Vec<Entry>, Error> {
        read::look_up(self, level, name).await
    }

    async fn read_role(&self, id: &Id) -> Result<Option<Observed>, Error> {
        read::role(self, ids::name_of(id), Some(id)).await
    }

    async fn read_grant(&self, id: &Id) -> Result<Option<Observed>, Error> {
        match ids::of_grant(id) {
            Some((group, role)) => read::grant(self, &group, role).await,
            None => Err(Error::mistake(format!("{id} is not the id of a grant on Lenses"))),
        }
    }

    async fn read_group(&self, id: &Id) -> Result<Option<Observed>, Error> {
        read::owned_group(self, ids::name_of(id), Some(id)).await
    }

    async fn find_role(&self, role: &Role) -> Result<Option<Observed>, Error> {
        read::role(self, &role.name, None).await
    }

    async fn find_grant(&self, grant: &Grant) -> Result<Option<Observed>, Error> {
        match grant.role.existing() {
            Some(role) => read::grant(self, &grant.subject.id, role.id.as_str()).await,
            // No group has a role that does not exist.
            None => Ok(None),
        }
    }

    async fn find_group(&self, group: &Group) -> Result<Option<Observed>, Error> {
        read::owned_group(self, &group.name, None).await
    }

    async fn create_role(&self, _id: Option<&Id>, role: &Role) -> Result<Observed, Error> {
        roles::create(self, role).await
    }

    async fn create_grant(&self, grant: &Grant) -> Result<Observed, Error> {
        grants::create(self, grant).await
    }

    async fn create_group(&self, group: &Group) -> Result<Observed, Error> {
        owned_groups::create(self, group).await
    }

    async fn update_role(&self, _id: &Id, before: &Role, after: &Role) -> Result<Observed, Error> {
        roles::update(self, before, after).await
    }

    async fn update_group(&self, _id: &Id, before: &Group, after: &Group) -> Result<Observed, Error> {
        owned_groups::update(self, before, after).await
    }

    async fn delete_role(&self, _id: &Id, before: &Role) -> Result<(), Error> {
        roles::delete(self, before).await
    }

    async fn delete_grant(&self, _id: &Id, before: &Grant) -> Result<(), Error> {
        grants::delete(self, before).await
    }

    async fn delete_group(&self, _id: &Id, before: &Group) -> Result<(), Error> {
        owned_groups::delete(self, before).await
    }
}
