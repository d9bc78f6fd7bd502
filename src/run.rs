//! `rolewright run`: the operator.

use std::{net::SocketAddr, time::Duration};

use crate::telemetry::{self, Format};
use rolewright_backends::{Dialling, VENDORS};
use rolewright_controller::Options;

/// How the operator runs. Each flag can be given in the environment too, as ROLEWRIGHT_ and its name.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The namespaces to serve, separated by commas; all when absent
    #[arg(long, env = "ROLEWRIGHT_NAMESPACES", value_delimiter = ',')]
    namespaces: Vec<String>,
    /// Waits for a Lease in the operator's own namespace before it writes anything
    #[arg(long, env = "ROLEWRIGHT_LEADER_ELECT")]
    leader_elect: bool,
    /// The operator's own namespace: its Lease, and Events about what was left behind
    #[arg(long, env = "POD_NAMESPACE", default_value = "default")]
    own_namespace: String,
    /// Where /metrics, /healthz and /readyz are served, such as 0.0.0.0:8080; nowhere when absent
    #[arg(long, env = "ROLEWRIGHT_LISTEN")]
    listen: Option<SocketAddr>,
    /// text or json
    #[arg(long, env = "ROLEWRIGHT_LOG_FORMAT", default_value = "text")]
    log_format: Format,
    /// What is logged: error, warn, info, debug or trace
    #[arg(long, env = "ROLEWRIGHT_LOG_LEVEL", default_value = "info")]
    log_level: String,
    /// How many objects are worked on at one time
    #[arg(long, env = "ROLEWRIGHT_CONCURRENCY", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Permits back ends on loopback and link-local addresses: for trials only
    #[arg(long, env = "ROLEWRIGHT_ALLOW_LOCAL_ADDRESSES")]
    allow_local_addresses: bool,
    /// Seconds between two looks at a Backend's Secrets
    #[arg(long, env = "ROLEWRIGHT_SECRET_INTERVAL", default_value_t = 50, hide = true)]
    secret_interval: u64,
    /// Seconds before a credential that does not work is tried again; doubled each time
    #[arg(long, env = "ROLEWRIGHT_PROBE_BACKOFF", default_value_t = 60, hide = true)]
    probe_backoff: u64,
    /// Seconds that a deleted object waits for a credential before it is let go
    #[arg(long, env = "ROLEWRIGHT_ABANDON_AFTER", default_value_t = 600, hide = true)]
    abandon_after: u64,
    /// Seconds that a create whose answer was lost may take at a back end
    #[arg(long, env = "ROLEWRIGHT_SETTLE", default_value_t = 120, hide = true)]
    settle: u64,
}

/// Runs it until SIGTERM or Ctrl-C.
pub async fn run(args: Args) -> Result<(), String> {
    telemetry::start(args.log_format, &args.log_level)?;
    let options = Options {
        kubernetes: None,
        vendors: VENDORS,
        namespaces: args.namespaces,
        own_namespace: args.own_namespace,
        leader_elect: args.leader_elect,
        workers: usize::from(args.concurrency),
        dialling: Dialling { allow_local: args.allow_local_addresses },
        secret_interval: Duration::from_secs(args.secret_interval),
        probe_backoff: (
            Duration::from_secs(args.probe_backoff),
            Duration::from_secs(args.probe_backoff * 10),
        ),
        abandon_after: Duration::from_secs(args.abandon_after),
        settle: Duration::from_secs(args.settle),
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "rolewright starts");
    let done = rolewright_controller::run(options, args.listen, super::stopped_by_signals()).await;
    tracing::info!("rolewright ends");
    done.map_err(|error| error.to_string())
}
