//! `rolewright run`: runs the operator.

use std::{net::SocketAddr, time::Duration};

use crate::telemetry::{self, Format};
use rolewright_backends::{Dialling, VENDORS};
use rolewright_controller::{Build, Clients, Options};

/// The flags of the operator. Each one can also be set by the environment variable that `--help` shows.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The namespaces to serve, separated by commas; without it, all namespaces
    #[arg(long, env = "ROLEWRIGHT_NAMESPACES", value_delimiter = ',')]
    namespaces: Vec<String>,
    /// Waits for a Lease in the operator's own namespace before it writes anything
    #[arg(long, env = "ROLEWRIGHT_LEADER_ELECT")]
    leader_elect: bool,
    /// The operator's own namespace, for its Lease and for Events about external things that it left in a back end
    #[arg(long, env = "POD_NAMESPACE", default_value = "default")]
    own_namespace: String,
    /// The address of /metrics, /healthz and /readyz, such as 0.0.0.0:8080; without it, the operator does not serve them
    #[arg(long, env = "ROLEWRIGHT_LISTEN")]
    listen: Option<SocketAddr>,
    /// The format of log lines on stderr
    #[arg(long, env = "ROLEWRIGHT_LOG_FORMAT", default_value = "text")]
    log_format: Format,
    /// The lowest level to log: error, warn, info, debug or trace
    #[arg(long, env = "ROLEWRIGHT_LOG_LEVEL", default_value = "info")]
    log_level: String,
    /// The most objects to reconcile at the same time over all accounts, from 1 to 1024; each Backend limits those of its account
    #[arg(long, env = "ROLEWRIGHT_CONCURRENCY", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,
    /// Allows back ends on loopback and link-local addresses; for trials only
    #[arg(long, env = "ROLEWRIGHT_ALLOW_LOCAL_ADDRESSES")]
    allow_local_addresses: bool,
    /// The seconds between two reads of a Backend's Secrets
    #[arg(long, env = "ROLEWRIGHT_SECRET_INTERVAL", default_value_t = 50, hide = true)]
    secret_interval: u64,
    /// The seconds before the first retry of a credential that does not work; the wait doubles with each retry, up to ten times this value
    #[arg(long, env = "ROLEWRIGHT_PROBE_BACKOFF", default_value_t = 60, hide = true)]
    probe_backoff: u64,
    /// The seconds that a deleted object waits for a credential before it is released
    #[arg(long, env = "ROLEWRIGHT_ABANDON_AFTER", default_value_t = 600, hide = true)]
    abandon_after: u64,
    /// The seconds that a back end can need for a create request whose answer was lost
    #[arg(long, env = "ROLEWRIGHT_SETTLE", default_value_t = 120, hide = true)]
    settle: u64,
}

/// Runs the operator until SIGTERM or Ctrl-C.
pub async fn run(args: Args) -> Result<(), String> {
    telemetry::start(args.log_format, &args.log_level)?;
    let options = Options {
        build: Build { version: env!("CARGO_PKG_VERSION"), commit: env!("ROLEWRIGHT_COMMIT") },
        vendors: VENDORS,
        namespaces: args.namespaces,
        own_namespace: args.own_namespace,
        leader_elect: args.leader_elect,
        max_reconciles: usize::from(args.concurrency),
        dialling: Dialling { allow_local: args.allow_local_addresses },
        transport: None,
        secret_interval: Duration::from_secs(args.secret_interval),
        probe_backoff: (
            Duration::from_secs(args.probe_backoff),
            Duration::from_secs(args.probe_backoff * 10),
        ),
        abandon_after: Duration::from_secs(args.abandon_after),
        settle: Duration::from_secs(args.settle),
    };
    tracing::info!(version = env!("ROLEWRIGHT_VERSION"), "rolewright starts");
    let clients = Clients::infer().await.map_err(|error| error.to_string())?;
    let done = rolewright_controller::run(options, clients, args.listen, super::stopped_by_signals()).await;
    tracing::info!("rolewright ends");
    done.map_err(|error| error.to_string())
}
