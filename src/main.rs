//! The `rolewright` program. One file for each subcommand: text for people, exit codes for scripts.

mod crds;
mod docs;
mod release;
mod run;
#[cfg(feature = "simulate")]
mod simulate;
mod telemetry;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Keeps the access control of other systems equal to what Git says.
#[derive(Debug, Parser)]
#[command(name = "rolewright", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the operator
    Run(run::Args),
    /// Writes the custom resource definitions as YAML
    Crds(crds::Args),
    /// Writes the field reference of each kind as Markdown
    #[command(hide = true)]
    Docs(docs::Args),
    /// Runs a vendor's API in memory, for tests and trials
    #[cfg(feature = "simulate")]
    #[command(subcommand)]
    Simulate(simulate::Choice),
    /// Lets every object go without removing anything from the back ends, before an uninstall
    Release(release::Args),
}

/// Runs the command that the arguments name. What goes wrong is said on stderr and ends with 1; wrong arguments end with 2.
fn main() -> ExitCode {
    let cli = Cli::parse();
    // One thread: the program waits for networks nearly all the time, and each further thread would keep a heap of its own.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("rolewright: no threads are to be had: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Run(args) => run::run(args).await,
            Command::Crds(args) => crds::run(&args),
            Command::Docs(args) => docs::run(&args),
            #[cfg(feature = "simulate")]
            Command::Simulate(choice) => simulate::run(choice).await,
            Command::Release(args) => release::run(args).await,
        }
    });
    // What still waits for a lost network must not hold the end up.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("rolewright: {message}");
            ExitCode::FAILURE
        }
    }
}

/// A token that SIGTERM and Ctrl-C cancel.
fn stopped_by_signals() -> tokio_util::sync::CancellationToken {
    let stop = tokio_util::sync::CancellationToken::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .expect("a signal handler can be set in a running process");
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            stop.cancel();
        }
    });
    stop
}
