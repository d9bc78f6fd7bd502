//! `rolewright simulate`: a vendor's API in memory.

use std::net::SocketAddr;

use clap::Subcommand;

use crate::simulators;

/// The vendors whose API can be simulated.
#[derive(Debug, Subcommand)]
pub enum Vendor {
    /// Arize AX
    Arize(Args),
}

/// Where it listens, and its first credential.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The address to listen on. Anybody who reaches it can read and change everything through /_sim: keep it on loopback
    #[arg(long, default_value = "127.0.0.1:9101")]
    listen: SocketAddr,
    /// The account admin's token
    #[arg(long, env = "ROLEWRIGHT_SIMULATE_TOKEN", hide_env_values = true)]
    token: String,
}

/// Runs it until SIGTERM or Ctrl-C.
pub async fn run(vendor: Vendor) -> Result<(), String> {
    let Vendor::Arize(args) = vendor;
    let options =
        simulators::arize::Options { listen: args.listen, ..simulators::arize::Options::new(args.token) };
    let simulator = simulators::arize::Simulator::start(options)
        .await
        .map_err(|error| format!("{} cannot be listened on: {error}", args.listen))?;
    println!("{}", simulator.url());
    super::stopped_by_signals().cancelled().await;
    Ok(())
}
