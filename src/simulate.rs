//! `rolewright simulate`: a vendor's API in memory, with one subcommand for each entry of [`SIMULATORS`].

use std::net::SocketAddr;

use clap::{
    ArgMatches, Args as _, Command, Error, FromArgMatches, Subcommand,
    error::{ErrorKind, Result as Parsed},
};

use rolewright_simulators::{SIMULATORS, Simulator, Start};

/// The simulator to run, and how.
#[derive(Debug)]
pub struct Choice {
    simulator: &'static Simulator,
    args: Args,
}

/// The flags of each simulator.
#[derive(Debug, clap::Args)]
struct Args {
    /// The address to listen on. Use loopback: /_sim needs no credential, so anyone who reaches it can read and change everything
    #[arg(long)]
    listen: SocketAddr,
    /// The administrator's token
    #[arg(long, env = "ROLEWRIGHT_SIMULATE_TOKEN", hide_env_values = true)]
    token: String,
    /// A path before all paths of the vendor's API, such as /grafana
    #[arg(long, default_value = "")]
    path_prefix: String,
}

/// One subcommand for each simulator.
impl Subcommand for Choice {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(SIMULATORS.iter().map(subcommand))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        SIMULATORS.iter().any(|simulator| simulator.name == name)
    }
}

impl FromArgMatches for Choice {
    fn from_arg_matches(matches: &ArgMatches) -> Parsed<Self> {
        let (name, matches) = matches.subcommand().ok_or_else(|| Error::new(ErrorKind::MissingSubcommand))?;
        let simulator = SIMULATORS.iter().find(|simulator| simulator.name == name);
        let simulator = simulator.ok_or_else(|| Error::new(ErrorKind::InvalidSubcommand))?;
        Ok(Self { simulator, args: Args::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Parsed<()> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn subcommand(simulator: &Simulator) -> Command {
    Args::augment_args(Command::new(simulator.name))
        // After the flags, because their struct's comment counts as the description otherwise.
        .about(simulator.title)
        .mut_arg("listen", |listen| listen.required(false).default_value(simulator.listen))
}

/// Runs the simulator until SIGTERM or Ctrl-C.
pub async fn run(Choice { simulator, args }: Choice) -> Result<(), String> {
    let Args { listen, token, path_prefix: prefix } = args;
    let running = (simulator.start)(Start { listen, token, prefix }).await.map_err(|error| {
        format!("failed to start the simulator of {} on {listen}: {error}", simulator.title)
    })?;
    crate::output::print(&format!("{}\n", running.url()))?;
    super::stopped_by_signals().cancelled().await;
    Ok(())
}
