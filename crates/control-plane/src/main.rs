//! `control-plane up`: runs one control plane in the foreground, for the demo and for manual tests.

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

const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Runs a real Kubernetes control plane on loopback
#[derive(Parser)]
enum Cli {
    /// Starts a control plane in the foreground, prints KUBECONFIG=<path> when it is ready, and stops on Ctrl-C or SIGTERM
    Up {
        /// The directory for data, private keys, logs and the kubeconfig; data of an earlier control plane in it are deleted
        #[arg(long)]
        dir: PathBuf,
        /// Also runs kube-controller-manager, for namespace deletion and garbage collection
        #[arg(long)]
        controller_manager: bool,
        /// Feature gates of the API server, separated by commas, such as WatchList=false
        #[arg(long, value_delimiter = ',')]
        feature_gates: Vec<String>,
    },
}

enum Event {
    Started(Result<Box<ControlPlane>, control_plane::Error>),
    Signal,
}

fn main() -> ExitCode {
    let Cli::Up { dir, controller_manager, feature_gates } = Cli::parse();
    match up(Options { dir, controller_manager, feature_gates, ..Options::default() }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("control-plane: {error}");
            ExitCode::FAILURE
        }
    }
}

fn up(options: Options) -> Result<(), Box<dyn Error>> {
    let (sender, events) = mpsc::channel();
    forward_signals(sender.clone())?;
    thread::spawn(move || sender.send(Event::Started(ControlPlane::start(&options).map(Box::new))));
    let mut plane = match events.recv()? {
        Event::Started(plane) => plane?,
        // The watchdog ends the servers that already started.
        Event::Signal => return Ok(()),
    };
    writeln!(io::stdout(), "KUBECONFIG={}", plane.kubeconfig().display())?;
    while events.recv_timeout(CHECK_INTERVAL).is_err() {
        plane.check()?;
    }
    plane.stop();
    Ok(())
}

fn forward_signals(sender: mpsc::Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || signals.forever().try_for_each(|_| sender.send(Event::Signal)));
    Ok(())
}
