//! The `rolewright` program: arguments and exit codes. Each subcommand has a file of its own.

mod crds;
mod docs;
mod output;
mod release;
mod run;
mod schemas;
#[cfg(feature = "simulate")]
mod simulate;
mod telemetry;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

/// The command line. Its help begins with the description of the package.
#[derive(Debug, Parser)]
#[command(name = "rolewright", version = env!("ROLEWRIGHT_VERSION"), about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the operator
    Run(run::Args),
    /// Writes the custom resource definitions as YAML, or JSON Schemas of the objects
    Crds(crds::Args),
    /// Writes the field reference of each kind as Markdown
    #[command(hide = true)]
    Docs(docs::Args),
    /// Runs a simulator of a vendor's API in memory, for tests and trials
    #[cfg(feature = "simulate")]
    #[command(subcommand)]
    Simulate(simulate::Choice),
    /// Releases all objects before an uninstall: deleting them then removes nothing from the back ends
    Release(release::Args),
}

/// The configuration is in `.cargo/config.toml`, because it is fixed when the program is built.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Runs the subcommand. An error is printed to stderr with exit code 1; invalid arguments have exit code 2.
fn main() -> ExitCode {
    let cli = Cli::parse();
    // One thread: the program nearly always waits for the network.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("failed to start the async runtime: {error}")),
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Run(args) => run::run(args).await,
            Command::Crds(args) => crds::run(&args),
            Command::Docs(args) => docs::run(&args),
            #[cfg(feature = "simulate")]
            Command::Simulate(choice) => simulate::run(choice).await,
            Command::Release(args) => release::run(args).await,
        }
    });
    // A blocking call on a dead network must not delay the exit.
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => failed(&message),
    }
}

fn failed(message: &str) -> ExitCode {
    // Not `eprintln!`, which panics if stderr is closed.
    let _ = writeln!(io::stderr(), "rolewright: {message}");
    ExitCode::FAILURE
}

/// A token that is cancelled on SIGTERM or Ctrl-C.
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
