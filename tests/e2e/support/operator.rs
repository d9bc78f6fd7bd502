//! The operator as a process: how it starts and ends, its log, its HTTP endpoints.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::world::PATIENCE;

/// A running operator. Dropping it kills the process.
pub struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    /// Starts an operator with these further arguments.
    pub fn start(kubeconfig: &Path, log: &Path, args: &[&str]) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_rolewright"))
            .arg("run")
            .args(["--allow-local-addresses", "--log-format", "json"])
            .args(args)
            .env("KUBECONFIG", kubeconfig)
            // Arguments take precedence over these.
            .envs(
                ["SECRET_INTERVAL", "PROBE_BACKOFF", "SETTLE"]
                    .map(|flag| (format!("ROLEWRIGHT_{flag}"), "1")),
            )
            .env_remove("POD_NAMESPACE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, log: log.to_owned() }
    }

    /// Ends it with SIGKILL: it finishes nothing.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends SIGTERM and waits for the end, as long as the chart lets a pod run.
    pub fn terminate(&mut self) -> ExitStatus {
        const GRACE_PERIOD: Duration = Duration::from_secs(15);
        const POLL: Duration = Duration::from_millis(20);
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let deadline = Instant::now() + GRACE_PERIOD;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running after SIGTERM:\n{}", self.log_tail());
            std::thread::sleep(POLL);
        }
    }

    /// The whole log.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last 40 lines of the log.
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// The lines of the log as JSON.
    pub fn log_lines(&self) -> Vec<Value> {
        // The last line may be incomplete.
        self.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits for a log line that `matches`, and returns the last one.
    pub async fn until_logged(&self, what: &str, matches: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.log_lines().into_iter().rev().find(&matches) {
                return line;
            }
            assert!(Instant::now() < deadline, "not logged: {what}\n{}", self.log_tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Requests a path of the operator's own server; the log contains its address.
    pub async fn http_get(&self, path: &str) -> (u16, String) {
        self.try_http_get(path).await.unwrap()
    }

    async fn try_http_get(&self, path: &str) -> reqwest::Result<(u16, String)> {
        let line = self.until_logged("the address", |line| line["address"].is_string()).await;
        let url = format!("http://{}{path}", line["address"].as_str().unwrap());
        let answer = reqwest::get(url).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Waits until a path of the operator's own server answers with this status.
    pub async fn until_status(&self, path: &str, status: u16) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // After a restart the log contains the old address until the new process listens.
            let last = self.try_http_get(path).await;
            if last.as_ref().is_ok_and(|(last, _)| *last == status) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{path} does not answer {status}: {last:?}\n{}",
                self.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The value of a metric without labels.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.http_get("/metrics").await;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The path of an operator's log. Deletes the log of an earlier run.
pub fn fresh_log(name: &str) -> PathBuf {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.log"));
    let _ = fs::remove_file(&log);
    log
}
