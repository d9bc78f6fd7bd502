//! `control-plane up`: one control plane in the foreground, for the demo and for work by hand.
#![forbid(unsafe_code)]

use std::{
    error::Error,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::mpsc,
    thread,
    time::Duration,
};

use clap::Parser;
use control_plane::{ControlPlane, Options};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

const CHECK_EVERY: Duration = Duration::from_millis(500);

/// A real Kubernetes control plane on loopback.
#[derive(Parser)]
enum Cli {
    /// Starts one in the foreground; prints KUBECONFIG=<path> when it is ready, ends with Ctrl-C or SIGTERM.
    Up {
        /// Its directory: data, keys, logs, kubeconfig. Data of an earlier one are thrown away.
        #[arg(long)]
        dir: PathBuf,
        /// Runs kube-controller-manager too: namespace deletion, garbage collection.
        #[arg(long)]
        controller_manager: bool,
    },
}

enum Happened {
    Started(Result<Box<ControlPlane>, control_plane::Error>),
    Signalled,
}

fn main() -> ExitCode {
    let Cli::Up { dir, controller_manager } = Cli::parse();
    match up(Options { dir, controller_manager }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("control-plane: {error}");
            ExitCode::FAILURE
        }
    }
}

fn up(options: Options) -> Result<(), Box<dyn Error>> {
    let (sender, happened) = mpsc::channel();
    forward_signals(sender.clone())?;
    thread::spawn(move || sender.send(Happened::Started(ControlPlane::start(&options).map(Box::new))));
    let mut plane = match happened.recv()? {
        Happened::Started(plane) => plane?,
        Happened::Signalled => return Ok(()), // what has started by now ends with this process
    };
    writeln!(io::stdout(), "KUBECONFIG={}", plane.kubeconfig().display())?;
    while happened.recv_timeout(CHECK_EVERY).is_err() {
        plane.check()?;
    }
    plane.stop();
    Ok(())
}

fn forward_signals(sender: mpsc::Sender<Happened>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || signals.forever().try_for_each(|_| sender.send(Happened::Signalled)));
    Ok(())
}
