//! `rolewright simulate`: a vendor's API in memory.

use std::net::SocketAddr;

use clap::Subcommand;

use rolewright_simulators::{
    arize::Arize,
    grafana::Grafana,
    kit::{self, Options, Server},
    lenses::Lenses,
    zenml::ZenMl,
};

/// The vendors whose API can be simulated.
#[derive(Debug, Subcommand)]
pub enum Vendor {
    /// Arize AX
    Arize(Args),
    /// Grafana Enterprise
    Grafana(Args),
    /// Lenses HQ
    Lenses(Args),
    /// The control plane of ZenML Pro
    Zenml(Args),
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
    /// The path that the server lies below, such as /grafana
    #[arg(long, default_value = "")]
    path_prefix: String,
}

/// Runs it until SIGTERM or Ctrl-C.
pub async fn run(vendor: Vendor) -> Result<(), String> {
    match vendor {
        Vendor::Arize(args) => serve::<Arize>(args).await,
        Vendor::Grafana(args) => serve::<Grafana>(args).await,
        Vendor::Lenses(args) => serve::<Lenses>(args).await,
        Vendor::Zenml(args) => serve::<ZenMl>(args).await,
    }
}

async fn serve<V: kit::Vendor>(Args { listen, token, path_prefix: prefix }: Args) -> Result<(), String> {
    let simulator = Server::<V>::start(Options { listen, prefix, ..Options::new(token) })
        .await
        .map_err(|error| format!("{listen} cannot be listened on: {error}"))?;
    println!("{}", simulator.url());
    super::stopped_by_signals().cancelled().await;
    Ok(())
}
