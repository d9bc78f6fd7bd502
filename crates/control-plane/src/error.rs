//! What can go wrong while a control plane starts or runs, in words that say what to do.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

/// Why a control plane did not start, or does not run any more.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A binary is in none of the directories where it is looked for.
    #[error("{name} is not in {}: run `make tools`, or set KUBEBUILDER_ASSETS", list(.searched))]
    MissingBinary {
        /// The binary's file name.
        name: String,
        /// The directories that were searched, in their order.
        searched: Vec<PathBuf>,
    },
    /// Another control plane runs in the directory.
    #[error("another control plane runs in {}", .0.display())]
    DirectoryInUse(PathBuf),
    /// A file, a directory, a port or a process could not be had.
    #[error("{action}: {source}")]
    Io {
        /// What was being done.
        action: String,
        /// The system's answer.
        source: io::Error,
    },
    /// Keys or certificates could not be made.
    #[error("cannot make the certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS client that asks for readiness could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// A server ended by itself.
    #[error("{server} ended ({status}); the end of {}:\n{tail}", .log.display())]
    ServerEnded {
        /// The server's name, e.g. `etcd`.
        server: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// Its whole log.
        log: PathBuf,
        /// The last lines of that log.
        tail: String,
    },
    /// The API server runs, but was not ready in time.
    #[error(
        "kube-apiserver was not ready after {} s ({last}); the end of {}:\n{tail}", .waited.as_secs(), .log.display()
    )]
    NotReady {
        /// How long was waited.
        waited: Duration,
        /// What the last probe saw.
        last: String,
        /// The API server's whole log.
        log: PathBuf,
        /// The last lines of that log.
        tail: String,
    },
}

impl Error {
    /// For `map_err`: puts what was being done in front of the system's answer.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

fn list(dirs: &[PathBuf]) -> String {
    dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(" or ")
}
