//! How to start a simulator.

use std::net::{Ipv4Addr, SocketAddr};

use super::vendor::Vendor;

/// The name of the credential with which a simulator starts.
pub const ADMIN: &str = "admin";

/// How to start a simulator.
pub struct Options<V: Vendor> {
    /// The listen address; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The secret of the credential [`ADMIN`].
    pub token: String,
    /// The path that all of the vendor's paths start with, such as `/grafana`; empty for none.
    pub prefix: String,
    /// The data at the start, with the switches.
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

    /// Changes the switches.
    pub fn switched(mut self, change: impl FnOnce(&mut V::Switches)) -> Self {
        change(V::switches(&mut self.tenant));
        self
    }
}
