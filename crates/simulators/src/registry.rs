//! The list of all simulators, for programs that offer them by name. A new simulator is one line in [`SIMULATORS`].

use std::{any::Any, fmt, io, net::SocketAddr};

use futures::future::BoxFuture;

use crate::{
    arize::Arize,
    grafana::Grafana,
    kit::{Options, Server, Vendor},
    lenses::Lenses,
    zenml::ZenMl,
};

/// The default of [`Simulator::listen`]: loopback, because `/_sim` needs no credential.
const LISTEN: &str = "127.0.0.1:9101";

/// All simulators.
pub static SIMULATORS: &[Simulator] = &[
    Simulator::of::<Arize>("Arize AX"),
    Simulator::of::<Grafana>("Grafana Enterprise"),
    Simulator::of::<Lenses>("Lenses HQ"),
    Simulator::of::<ZenMl>("The control plane of ZenML Pro"),
];

/// A simulator that can be started by name.
#[derive(Clone, Copy)]
pub struct Simulator {
    /// The vendor's name in commands, such as `arize`.
    pub name: &'static str,
    /// The product that it simulates, as people call it.
    pub title: &'static str,
    /// The default listen address, as text.
    pub listen: &'static str,
    /// Starts a simulator with the seeded tenant. Must be called within a tokio runtime.
    pub start: fn(Start) -> BoxFuture<'static, io::Result<Running>>,
}

/// How to start a simulator.
pub struct Start {
    /// The listen address; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The administrator's token.
    pub token: String,
    /// The path that all of the vendor's paths start with, such as `/grafana`; empty for none.
    pub prefix: String,
}

/// A running simulator. It stops when this is dropped.
pub struct Running {
    url: String,
    _server: Box<dyn Any + Send>,
}

impl Simulator {
    const fn of<V: Vendor>(title: &'static str) -> Self {
        Self { name: V::NAME, title, listen: LISTEN, start: |options| Box::pin(start::<V>(options)) }
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Simulator").field(&self.name).finish()
    }
}

impl Running {
    /// The URL of the server, without the prefix. It has the port that was taken.
    pub fn url(&self) -> &str {
        &self.url
    }
}

async fn start<V: Vendor>(Start { listen, token, prefix }: Start) -> io::Result<Running> {
    let server = Server::<V>::start(Options { listen, prefix, ..Options::new(token) }).await?;
    Ok(Running { url: server.url(), _server: Box::new(server) })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, net::SocketAddr};

    use super::SIMULATORS;

    #[test]
    fn names_are_unique_and_default_addresses_are_valid() {
        let names: BTreeSet<&str> = SIMULATORS.iter().map(|simulator| simulator.name).collect();
        assert_eq!(names.len(), SIMULATORS.len());
        for simulator in SIMULATORS {
            assert!(simulator.listen.parse::<SocketAddr>().is_ok(), "{simulator:?}");
        }
    }
}
