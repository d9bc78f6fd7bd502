//! The base of all simulator tests: a running simulator, a plain HTTP client, and its answers.
//!
//! It knows no vendor. [`Tested`] has the differences, and the tests of a vendor add their own methods.

// Each vendor's tests are a separate program, and use only a part of this module.
#![allow(dead_code)]

mod client;
pub mod control;

use std::ops::Deref;

use rolewright_simulators::kit::{Options, Server, Vendor};
use serde_json::{Value, json};

pub use client::{Answer, Client, Login, texts};

/// What the tests need to know about a vendor.
pub trait Tested: Vendor {
    /// The secret of the credential with which a simulator starts.
    const TOKEN: &'static str = "admin-token";
    /// The path before all of the vendor's paths.
    const ROOT: &'static str = "";

    /// The secret of the credential with this name.
    fn token(name: &str) -> String {
        format!("{name}-token")
    }
}

/// A running simulator, and a client with its first credential.
pub struct Started<V: Vendor> {
    pub simulator: Server<V>,
    client: Client,
}

impl<V: Vendor> Deref for Started<V> {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl<V: Tested> Started<V> {
    /// Starts a simulator with the seeded tenant.
    pub async fn seeded() -> Self {
        Self::of(|_| {}).await
    }

    /// Starts a simulator with the seeded tenant and other switches.
    pub async fn switched(set: impl FnOnce(&mut V::Switches)) -> Self {
        Self::of(|tenant| set(V::switches(tenant))).await
    }

    /// Starts a simulator with a changed seed.
    pub async fn of(change: impl FnOnce(&mut V::Tenant)) -> Self {
        let mut options = Options::new(V::TOKEN);
        change(&mut options.tenant);
        Self::with_options(options).await
    }

    /// Starts a simulator with these options.
    pub async fn with_options(options: Options<V>) -> Self {
        let root = format!("{}{}", options.prefix.trim_end_matches('/'), V::ROOT);
        let login = Login::Token(options.token.clone());
        let simulator = Server::start(options).await.unwrap();
        let client = Client::new(simulator.url(), root, login);
        Self { simulator, client }
    }

    /// Changes the switches of the running simulator.
    pub fn switch(&self, set: impl FnOnce(&mut V::Switches)) {
        self.simulator.switch(set);
    }

    /// Adds a credential with this grant. Returns a client with it.
    pub async fn caller(&self, name: &str, grant: Value) -> Client {
        let token = V::token(name);
        self.credential(name, &token, grant).await;
        self.with(Login::Token(token))
    }

    /// Adds a credential.
    pub async fn credential(&self, name: &str, token: &str, grant: Value) {
        let add = json!({"action": "Add", "name": name, "token": token, "grant": grant});
        let added = self.post("/_sim/credentials", add).await;
        assert_eq!(added.status, 200, "{}", added.body);
    }

    /// Adds a fault.
    pub async fn fault(&self, fault: Value) {
        let answer = self.post("/_sim/faults", fault).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    /// Adds a fault that hits the next call of this path.
    pub async fn inject(&self, action: Value, path: &str) {
        self.fault(json!({"match": {"path": path}, "times": 1, "action": action})).await;
    }
}
