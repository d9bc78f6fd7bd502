//! A simulated account of any vendor: how a test connects to it and changes it.

use rolewright_simulators::kit::{Options, Server, Vendor, log::Entry};
use serde_json::{Value, json};

use super::{
    builder::WorldBuilder,
    world::{ADMIN_CREDENTIAL, World},
};

/// What the tests must know about a vendor. The Backend has the vendor's name.
pub trait Account: Vendor {
    /// The name of the Secret, and of the credential's key in it.
    const SECRET: (&'static str, &'static str);

    /// A Backend for the account at this URL, with these further fields in its spec.
    fn backend(url: &str, more: Value) -> Value;

    /// Whether these requests contain a sweep.
    fn has_sweep(entries: &[Entry]) -> bool;

    /// Whether a request can change the account.
    fn is_change(entry: &Entry) -> bool {
        entry.is_write()
    }

    /// The roles, grants and restrictions of the account as JSON.
    fn access(tenant: &Self::Tenant) -> Value;
}

impl<V: Account> World<V> {
    /// A connected world with a seeded server that has these switches.
    pub async fn with_switches(name: &str, change: impl FnOnce(&mut V::Switches)) -> Self {
        let world = Self::unconnected(name, Options::new(ADMIN_CREDENTIAL).switched(change)).await;
        world.connect().await;
        world
    }

    /// A world without Secret and Backend.
    pub async fn unconnected(name: &str, options: Options<V>) -> Self {
        WorldBuilder::new(name).build_with(Server::start(options).await.unwrap()).await
    }

    /// Applies the Secret and the Backend.
    pub async fn connect(&self) {
        self.connect_with(json!({})).await;
    }

    /// The same with these further fields in the Backend's spec.
    pub async fn connect_with(&self, more: Value) {
        self.apply_secret(ADMIN_CREDENTIAL).await;
        self.apply(V::backend(&self.sim.url(), more)).await;
    }

    /// Applies the Secret with this credential. It names the simulator's host.
    pub async fn apply_secret(&self, credential: &str) {
        let host = self.sim.address();
        let (name, key) = V::SECRET;
        self.apply(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name, "annotations": { "rolewright.dev/hosts": host } },
            "stringData": { key: credential },
        }))
        .await;
    }

    /// Deletes the Secret.
    pub async fn delete_secret(&self) {
        self.api("v1", "Secret").delete(V::SECRET.0, &Default::default()).await.unwrap();
    }

    /// Changes the server's behaviour from now on.
    pub fn set_switches(&self, change: impl FnOnce(&mut V::Switches)) {
        self.sim.switch(change);
    }

    /// The roles, grants and restrictions of the account as JSON.
    pub fn access(&self) -> Value {
        self.sim.edit(|tenant| V::access(tenant))
    }

    /// The current rights of the admin's credential.
    pub fn credential_grant(&self) -> V::Grant {
        self.sim.world().credentials.list().into_iter().next().unwrap().grant
    }

    /// Replaces the rights of a credential.
    pub fn limit_credential(&self, name: &str, grant: V::Grant) {
        self.sim.world().credentials.narrow(name, grant).unwrap();
    }

    /// Adds a credential to the account.
    pub fn add_credential(&self, name: &str, secret: &str, grant: V::Grant) {
        self.sim.world().credentials.add(name, secret, grant).unwrap();
    }

    /// The account refuses the admin's credential from now on.
    pub fn expire_credential(&self) {
        self.sim.world().credentials.expire(rolewright_simulators::kit::ADMIN).unwrap();
    }

    /// The account accepts the admin's credential again.
    pub fn revive_credential(&self) {
        self.sim.world().credentials.revive(rolewright_simulators::kit::ADMIN).unwrap();
    }
}
