//! The back end as a process of its own, and what can be asked of it and done to it below `/_sim`.

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

/// The token of the account admin.
pub const TOKEN: &str = "bench-token";

/// A running simulator; killed when it is dropped.
pub struct Simulator {
    /// Its address.
    pub url: String,
    /// A client that asks nobody else on the way.
    pub http: reqwest::Client,
    _child: Child,
}

impl Simulator {
    /// Starts one of a vendor on any free port.
    ///
    /// # Errors
    /// When it does not tell its address.
    pub async fn start(vendor: &str) -> Outcome<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rolewright"))
            .args(["simulate", vendor, "--listen", "127.0.0.1:0"])
            .env("ROLEWRIGHT_SIMULATE_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the simulator has no output")?;
        let url = BufReader::new(stdout).lines().next_line().await?.ok_or("the simulator told no address")?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { url, http, _child: child })
    }

    /// The host and port, as a Secret names them.
    pub fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Replaces the whole account and forgets faults and requests.
    ///
    /// # Errors
    /// When the account is refused.
    pub async fn reset(&self, tenant: &impl Serialize) -> Outcome<()> {
        self.clear_faults().await?;
        let put = self.http.put(format!("{}/_sim/state", self.url)).json(tenant);
        put.send().await?.error_for_status()?;
        self.http.delete(format!("{}/_sim/requests", self.url)).send().await?.error_for_status()?;
        Ok(())
    }

    /// The account as it is.
    ///
    /// # Errors
    /// Of the connection.
    pub async fn state(&self) -> Outcome<Tenant> {
        Ok(self.http.get(format!("{}/_sim/state", self.url)).send().await?.json().await?)
    }

    /// The requests after number `since`.
    ///
    /// # Errors
    /// Of the connection, and a log that has lost some.
    pub async fn requests(&self, since: u64) -> Outcome<Vec<Entry>> {
        let excerpt = self.excerpt(since).await?;
        if excerpt.dropped > 0 {
            return Err("requests fell out of the simulator's log".into());
        }
        Ok(excerpt.requests)
    }

    /// The number of the newest request.
    ///
    /// # Errors
    /// Of the connection.
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
    /// When it is refused.
    pub async fn fault(&self, fault: &Value) -> Outcome<()> {
        self.post("faults", fault).await
    }

    /// Removes all faults.
    ///
    /// # Errors
    /// Of the connection.
    pub async fn clear_faults(&self) -> Outcome<()> {
        self.http.delete(format!("{}/_sim/faults", self.url)).send().await?.error_for_status()?;
        Ok(())
    }

    /// Adds or changes a credential.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn credential(&self, change: &Value) -> Outcome<()> {
        self.post("credentials", change).await
    }

    async fn post(&self, path: &str, body: &Value) -> Outcome<()> {
        let post = self.http.post(format!("{}/_sim/{path}", self.url)).json(body);
        post.send().await?.error_for_status()?;
        Ok(())
    }
}
