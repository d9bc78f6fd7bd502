//! Errors of the start and the run of a control plane. Their messages name the fix where there is one.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

/// Why a control plane did not start or stopped running.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// None of the searched directories contains a binary.
    #[error("{name} is not in {}: run `hack/tools.sh {name}`, or set KUBEBUILDER_ASSETS", list(.searched))]
    MissingBinary {
        /// The binary's file name.
        name: String,
        /// The searched directories, in order.
        searched: Vec<PathBuf>,
    },
    /// Another control plane runs in this directory.
    #[error("another control plane runs in {}", .0.display())]
    DirectoryInUse(PathBuf),
    /// An operation on a file, a directory, a port or a process failed.
    #[error("{action}: {source}")]
    Io {
        /// The failed operation, such as `cannot write /tmp/ca.crt`.
        action: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The creation of a key or certificate failed.
    #[error("cannot create the certificates: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS client of the readiness probe could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// A server process ended.
    #[error("{server} ended ({status}); the end of {}:\n{tail}", .log.display())]
    ServerEnded {
        /// The name of the server, such as `etcd`.
        server: &'static str,
        /// The exit status of the process.
        status: ExitStatus,
        /// The file with the complete log of the server.
        log: PathBuf,
        /// The last lines of that log.
        tail: String,
    },
    /// The API server runs, but did not become ready in time.
    #[error(
        "kube-apiserver was not ready after {} s ({last}); the end of {}:\n{tail}", .waited.as_secs(), .log.display()
    )]
    NotReady {
        /// The time since the start of the API server.
        waited: Duration,
        /// The result of the last probe.
        last: String,
        /// The file with the complete log of the API server.
        log: PathBuf,
        /// The last lines of that log.
        tail: String,
    },
}

impl Error {
    /// For `map_err`: adds the failed operation to the error of the operating system.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

fn list(dirs: &[PathBuf]) -> String {
    dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(" or ")
}
