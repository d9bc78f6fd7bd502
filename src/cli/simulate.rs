//! `rolewright simulate`: a vendor's API in memory.

use std::{net::SocketAddr, ops::Deref};

use clap::Subcommand;

use crate::simulators::{
    arize, grafana,
    kit::{self, Server},
    lenses, zenml,
};

/// The vendors whose API can be simulated.
#[derive(Debug, Subcommand)]
pub enum Vendor {
    /// Arize AX
    Arize(Args),
    /// Grafana Enterprise
    Grafana(Hosted),
    /// Lenses HQ
    Lenses(Hosted),
    /// The control plane of ZenML Pro
    Zenml(Hosted),
}

/// Where it listens, and its first credential.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The address to listen on. Anybody who reaches it can read and change everything through /_sim: keep it on loopback
    #[arg(long, default_value = "127.0.0.1:9101")]
    listen: SocketAddr,
    /// The administrator's token
    #[arg(long, env = "ROLEWRIGHT_SIMULATE_TOKEN", hide_env_values = true)]
    token: String,
}

/// The same for a vendor that may be served below a path.
#[derive(Debug, clap::Args)]
pub struct Hosted {
    #[command(flatten)]
    args: Args,
    /// The path that the server lies below, such as /grafana
    #[arg(long, default_value = "")]
    path_prefix: String,
}

/// Runs it until SIGTERM or Ctrl-C.
pub async fn run(vendor: Vendor) -> Result<(), String> {
    match vendor {
        Vendor::Arize(Args { listen, token }) => {
            let options = arize::Options { listen, ..arize::Options::new(token) };
            serve(listen, arize::Simulator::start(options).await).await
        }
        Vendor::Grafana(Hosted { args: Args { listen, token }, path_prefix: prefix }) => {
            let options = grafana::Options { listen, prefix, ..grafana::Options::new(token) };
            serve(listen, grafana::Simulator::start(options).await).await
        }
        Vendor::Lenses(Hosted { args: Args { listen, token }, path_prefix: prefix }) => {
            let options = lenses::Options { listen, prefix, ..lenses::Options::new(token) };
            serve(listen, lenses::Simulator::start(options).await).await
        }
        Vendor::Zenml(Hosted { args: Args { listen, token }, path_prefix: prefix }) => {
            let options = zenml::Options { listen, prefix, ..zenml::Options::new(token) };
            serve(listen, zenml::Simulator::start(options).await).await
        }
    }
}

async fn serve<S: Deref<Target = Server<V>>, V: kit::Vendor>(
    listen: SocketAddr,
    started: std::io::Result<S>,
) -> Result<(), String> {
    let simulator = started.map_err(|error| format!("{listen} cannot be listened on: {error}"))?;
    println!("{}", simulator.url());
    super::stopped_by_signals().cancelled().await;
    Ok(())
}
