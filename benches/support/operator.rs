//! The operator as a separate process: how it starts and ends, its metrics and its memory.

use std::{
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    process::Stdio,
    time::Duration,
};

use tokio::process::{Child, Command};

use super::{
    Outcome,
    cluster::Cluster,
    samples::{Sample, samples},
    until,
};

/// The settings of an operator.
#[derive(Clone, Copy)]
pub struct Flags {
    /// The namespace that it serves.
    pub namespace: &'static str,
    /// Seconds between two reads of a Secret.
    pub secret_interval: u64,
    /// Seconds until the first new probe of a refused credential.
    pub probe_backoff: u64,
}

impl Flags {
    /// The operator's defaults.
    pub fn new(namespace: &'static str) -> Self {
        Self { namespace, secret_interval: 50, probe_backoff: 60 }
    }
}

/// A running operator. Dropping it kills the process.
pub struct Operator {
    child: Child,
    url: String,
    http: reqwest::Client,
}

/// Memory of a process, in MiB.
pub struct Memory {
    /// The maximum of the resident memory.
    pub peak: f64,
    /// The resident memory.
    pub now: f64,
}

impl Operator {
    /// Starts an operator, and waits until its caches are complete.
    ///
    /// # Errors
    /// If it ends, or is not ready within a minute.
    pub async fn start(cluster: &Cluster, flags: Flags) -> Outcome<Self> {
        let log = File::options().create(true).append(true).open(cluster.log(flags.namespace))?;
        let address = free_address()?;
        let child = Command::new(env!("CARGO_BIN_EXE_rolewright"))
            .args(["run", "--allow-local-addresses", "--namespaces", flags.namespace])
            .args(["--listen", &address.to_string()])
            .args(["--secret-interval", &flags.secret_interval.to_string()])
            .args(["--probe-backoff", &flags.probe_backoff.to_string()])
            .env("KUBECONFIG", cluster.kubeconfig())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let mut operator = Self { child, url: format!("http://{address}"), http };
        until("a ready operator", Duration::from_secs(60), async || {
            if let Some(status) = operator.child.try_wait()? {
                return Err(format!("the operator ended: {status}").into());
            }
            let answer = operator.http.get(format!("{}/readyz", operator.url)).send().await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await?;
        Ok(operator)
    }

    /// The sum of all samples that match.
    ///
    /// # Errors
    /// If the operator does not answer.
    pub async fn sum(&self, matches: impl Fn(&Sample<'_>) -> bool) -> Outcome<f64> {
        let page = self.http.get(format!("{}/metrics", self.url)).send().await?.text().await?;
        // The sum of no samples is -0.0.
        Ok(0.0 + samples(&page).filter(|sample| matches(sample)).map(|sample| sample.value).sum::<f64>())
    }

    /// How many objects have this reason.
    ///
    /// # Errors
    /// As [`Operator::sum`].
    pub async fn objects(&self, reason: &str) -> Outcome<f64> {
        self.sum(|sample| sample.name == "rolewright_objects" && sample.label("reason") == Some(reason)).await
    }

    /// Waits until `count` objects are in sync.
    ///
    /// # Errors
    /// If it takes longer than two minutes for each thousand.
    pub async fn in_sync(&self, count: usize) -> Outcome<()> {
        self.reach("InSync", count).await
    }

    /// Waits until `count` objects have this reason.
    ///
    /// # Errors
    /// If it takes longer than two minutes for each thousand.
    pub async fn reach(&self, reason: &str, count: usize) -> Outcome<()> {
        let thousands = u32::try_from(count.div_ceil(1000))?;
        until(reason, Duration::from_secs(120) * thousands, async || {
            #[expect(clippy::cast_precision_loss, reason = "thousands at the most")]
            Ok((self.objects(reason).await? >= count as f64).then_some(()))
        })
        .await
    }

    /// How many sweeps were complete.
    ///
    /// # Errors
    /// As [`Operator::sum`].
    pub async fn sweeps(&self) -> Outcome<f64> {
        self.sum(|sample| sample.name == "rolewright_sweeps_total" && sample.label("outcome") == Some("done"))
            .await
    }

    /// Waits until `count` more sweeps are complete. Returns the number of all complete sweeps.
    ///
    /// # Errors
    /// If it takes longer than a minute.
    pub async fn sweep_ends(&self, count: f64) -> Outcome<f64> {
        let before = self.sweeps().await?;
        until("sweeps", Duration::from_secs(60), async || {
            let now = self.sweeps().await?;
            Ok((now >= before + count).then_some(now))
        })
        .await
    }

    /// The memory of the process, from `/proc/PID/status`.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn memory(&self) -> Outcome<Memory> {
        let pid = self.child.id().ok_or("the operator has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let field = |name: &str| -> Outcome<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or(name)?;
            let kibibytes: f64 = line.trim_end_matches("kB").trim().parse()?;
            Ok(kibibytes / 1024.0)
        };
        Ok(Memory { peak: field("VmHWM:")?, now: field("VmRSS:")? })
    }

    /// Ends it with SIGKILL, as a machine failure does.
    ///
    /// # Errors
    /// If the system refuses it.
    pub async fn kill(mut self) -> Outcome<()> {
        Ok(self.child.kill().await?)
    }
}

/// A free port. The benchmark chooses it, because it does not read the log, in which the operator would report its own choice.
fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
