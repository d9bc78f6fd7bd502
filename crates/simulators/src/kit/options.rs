//! How a simulator is started.

use std::net::{Ipv4Addr, SocketAddr};

use super::Vendor;

/// The name of the credential that a simulator starts with.
pub const ADMIN: &str = "admin";

/// How to start a simulator.
pub struct Options<V: Vendor> {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The secret of the credential [`ADMIN`].
    pub token: String,
    /// The path that the server lies below, such as `/grafana`; empty for none.
    pub prefix: String,
    /// What the server has at the start, and how it behaves.
    pub tenant: V::Tenant,
}

impl<V: Vendor> Options<V> {
    /// The seeded tenant, on a free port of the loopback address.
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            token: token.into(),
            prefix: String::new(),
            tenant: V::seeded(),
        }
    }

    /// The same, with a server that behaves otherwise.
    pub fn switched(mut self, change: impl FnOnce(&mut V::Switches)) -> Self {
        change(V::switches(&mut self.tenant));
        self
    }
}
