//! `rolewright simulate`: a vendor's API in memory.

use std::net::SocketAddr;

use clap::Subcommand;

use crate::simulators::{
    arize, grafana,
    kit::{self, Server},
    zenml,
};

/// The vendors whose API can be simulated.
#[derive(Debug, Subcommand)]
pub enum Vendor {
    /// Arize AX
    Arize(Args),
    /// Grafana Enterprise
    Grafana {
        #[command(flatten)]
        args: Args,
        /// The path that the server lies below, such as /grafana
        #[arg(long, default_value = "")]
        path_prefix: String,
    },
    /// The control plane of ZenML Pro
    Zenml {
        #[command(flatten)]
        args: Args,
        /// The path that the API lies below, such as /api/v1
        #[arg(long, default_value = "")]
        path_prefix: String,
    },
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

/// Runs it until SIGTERM or Ctrl-C.
pub async fn run(vendor: Vendor) -> Result<(), String> {
    match vendor {
        Vendor::Arize(Args { listen, token }) => {
            let options = arize::Options { listen, ..arize::Options::new(token) };
            let started = arize::Simulator::start(options).await;
            let simulator = started.map_err(|error| refusal(listen, &error))?;
            serve(&*simulator).await;
        }
        Vendor::Grafana { args: Args { listen, token }, path_prefix } => {
            let options = grafana::Options { listen, prefix: path_prefix, ..grafana::Options::new(token) };
            let started = grafana::Simulator::start(options).await;
            let simulator = started.map_err(|error| refusal(listen, &error))?;
            serve(&*simulator).await;
        }
        Vendor::Zenml { args: Args { listen, token }, path_prefix } => {
            let options = zenml::Options { listen, prefix: path_prefix, ..zenml::Options::new(token) };
            let started = zenml::Simulator::start(options).await;
            let simulator = started.map_err(|error| refusal(listen, &error))?;
            serve(&*simulator).await;
        }
    }
    Ok(())
}

async fn serve<V: kit::Vendor>(simulator: &Server<V>) {
    println!("{}", simulator.url());
    super::stopped_by_signals().cancelled().await;
}

fn refusal(listen: SocketAddr, error: &std::io::Error) -> String {
    format!("{listen} cannot be listened on: {error}")
}
