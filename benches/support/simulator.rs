//! The back end as a separate process, and its control API below `/_sim`.

use std::process::Stdio;

use rolewright_simulators::{
    arize::Tenant,
    kit::log::{Entry, Excerpt},
};
use serde::Serialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::Outcome;

/// The admin's credential.
pub const TOKEN: &str = "bench-token";

/// A running simulator. Dropping it kills the process.
pub struct Simulator {
    /// The base URL.
    pub url: String,
    /// A client that uses no proxy.
    pub http: reqwest::Client,
    _child: Child,
}

impl Simulator {
    /// Starts the simulator of a vendor on a free port.
    ///
    /// # Errors
    /// If it does not print its URL.
    pub async fn start(vendor: &str) -> Outcome<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rolewright"))
            .args(["simulate", vendor, "--listen", "127.0.0.1:0"])
            .env("ROLEWRIGHT_SIMULATE_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the simulator has no output")?;
        let url = BufReader::new(stdout).lines().next_line().await?.ok_or("the simulator printed no URL")?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { url, http, _child: child })
    }

    /// The host and port, for the annotation of a Secret.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Replaces the account, and deletes all faults and logged requests.
    ///
    /// # Errors
    /// If the simulator refuses the account.
    pub async fn reset(&self, tenant: &impl Serialize) -> Outcome<()> {
        self.clear_faults().await?;
        let put = self.http.put(format!("{}/_sim/state", self.url)).json(tenant);
        put.send().await?.error_for_status()?;
        self.http.delete(format!("{}/_sim/requests", self.url)).send().await?.error_for_status()?;
        Ok(())
    }

    /// The current account.
    ///
    /// # Errors
    /// If the simulator does not answer.
    pub async fn state(&self) -> Outcome<Tenant> {
        Ok(self.http.get(format!("{}/_sim/state", self.url)).send().await?.json().await?)
    }

    /// The requests after number `since`.
    ///
    /// # Errors
    /// If the simulator does not answer, or its log has dropped requests.
    pub async fn requests(&self, since: u64) -> Outcome<Vec<Entry>> {
        let excerpt = self.excerpt(since).await?;
        if excerpt.dropped > 0 {
            return Err("the simulator's log dropped requests".into());
        }
        Ok(excerpt.requests)
    }

    /// The number of the newest request.
    ///
    /// # Errors
    /// If the simulator does not answer.
    pub async fn last(&self) -> Outcome<u64> {
        Ok(self.excerpt(u64::MAX).await?.last)
    }

    async fn excerpt(&self, since: u64) -> Outcome<Excerpt> {
        let get = self.http.get(format!("{}/_sim/requests?since={since}", self.url));
        Ok(get.send().await?.error_for_status()?.json().await?)
    }

    /// Adds a fault.
    ///
    /// # Errors
    /// If the simulator refuses it.
    pub async fn fault(&self, fault: &Value) -> Outcome<()> {
        self.post("faults", fault).await
    }

    /// Removes all faults.
    ///
    /// # Errors
    /// If the simulator does not answer.
    pub async fn clear_faults(&self) -> Outcome<()> {
        self.http.delete(format!("{}/_sim/faults", self.url)).send().await?.error_for_status()?;
        Ok(())
    }

    /// Adds or changes a credential.
    ///
    /// # Errors
    /// If the simulator refuses it.
    pub async fn credential(&self, change: &Value) -> Outcome<()> {
        self.post("credentials", change).await
    }

    async fn post(&self, path: &str, body: &Value) -> Outcome<()> {
        let post = self.http.post(format!("{}/_sim/{path}", self.url)).json(body);
        post.send().await?.error_for_status()?;
        Ok(())
    }
}
