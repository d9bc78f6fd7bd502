//! What the tests of every simulator stand on: a started simulator, a plain HTTP client, and what it was answered.
//!
//! Knows no vendor: what differs is said by [`Tested`], and vendors' tests add their own methods.

// Each vendor's tests are a program of their own and use what they need.
#![allow(dead_code)]

mod client;
pub mod control;

use std::ops::Deref;

use rolewright_simulators::kit::{Options, Server, Vendor};
use serde_json::{Value, json};

pub use client::{Answer, Client, Login, texts};

/// How the tests speak to a vendor.
pub trait Tested: Vendor {
    /// The secret of the credential that a simulator starts with.
    const TOKEN: &'static str = "admin-token";
    /// The path that all of the vendor's own paths begin with.
    const ROOT: &'static str = "";

    /// The secret of another credential.
    fn token(name: &str) -> String {
        format!("{name}-token")
    }
}

/// A simulator, and a client with the credential that it started with.
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
    /// The seeded tenant.
    pub async fn seeded() -> Self {
        Self::of(|_| {}).await
    }

    /// The seeded tenant, on a server with these switches.
    pub async fn switched(set: impl FnOnce(&mut V::Switches)) -> Self {
        Self::of(|tenant| set(V::switches(tenant))).await
    }

    /// The seeded tenant, changed.
    pub async fn of(change: impl FnOnce(&mut V::Tenant)) -> Self {
        let mut options = Options::new(V::TOKEN);
        change(&mut options.tenant);
        Self::with_options(options).await
    }

    /// A server that is started so.
    pub async fn with_options(options: Options<V>) -> Self {
        let root = format!("{}{}", options.prefix.trim_end_matches('/'), V::ROOT);
        let login = Login::Token(options.token.clone());
        let simulator = Server::start(options).await.unwrap();
        let client = Client::new(simulator.url(), root, login);
        Self { simulator, client }
    }

    /// Changes how the server behaves while it runs.
    pub fn switch(&self, set: impl FnOnce(&mut V::Switches)) {
        self.simulator.switch(set);
    }

    /// A client with a credential of its own, which may do what `grant` says.
    pub async fn caller(&self, name: &str, grant: Value) -> Client {
        let token = V::token(name);
        self.credential(name, &token, grant).await;
        self.with(Login::Token(token))
    }

    /// One more credential.
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

    /// Adds a fault that hits the next call of a path.
    pub async fn inject(&self, action: Value, path: &str) {
        self.fault(json!({"match": {"path": path}, "times": 1, "action": action})).await;
    }
}
