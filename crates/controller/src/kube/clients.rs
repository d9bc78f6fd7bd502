//! The clients of the Kubernetes API.

use std::time::Duration;

use kube::{Client, Config, config::InferConfigError};

/// A client for calls and one for watches.
#[derive(Clone)]
pub struct Clients {
    /// For calls.
    pub calls: Client,
    /// For watches, which stay open for minutes.
    pub watches: Client,
}

/// Why there are no clients.
#[derive(Debug, thiserror::Error)]
pub enum ClientsError {
    /// No configuration.
    #[error("cannot find a Kubernetes configuration: {0}")]
    NotFound(#[from] InferConfigError),
    /// The configuration cannot be used.
    #[error("cannot use the Kubernetes configuration: {0}")]
    Invalid(#[from] kube::Error),
}

impl Clients {
    /// The clients of the cluster that kubectl would use.
    ///
    /// # Errors
    /// There is no configuration, or it cannot be used.
    pub async fn infer() -> Result<Self, ClientsError> {
        Self::of(Config::infer().await?)
    }

    /// The clients of this cluster. Calls have a deadline, and neither client repeats a call that can have succeeded.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn of(config: Config) -> Result<Self, ClientsError> {
        const CALL: Duration = Duration::from_secs(30);
        // The API server ends a watch after at most 290 s, as the watcher requests.
        const WATCH: Duration = Duration::from_secs(320);
        let client = |read: Duration| {
            let mut config = config.clone();
            config.read_timeout = Some(read);
            config.default_retry = false;
            Client::try_from(config)
        };
        Ok(Self { calls: client(CALL)?, watches: client(WATCH)? })
    }
}
