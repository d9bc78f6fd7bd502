//! The operator as a process of its own.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// A running operator; killed when it is dropped.
pub struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    /// Starts one with these further arguments.
    pub fn start(kubeconfig: &Path, log: &Path, args: &[&str]) -> Self {
        let file = File::options().create(true).append(true).open(log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_rolewright"))
            .arg("run")
            .args(["--allow-local-addresses", "--log-format", "json"])
            .args(args)
            .env("KUBECONFIG", kubeconfig)
            // A test may say otherwise in its arguments.
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

    /// Ends it as SIGKILL does: nothing is finished.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end, and waits for that. Panics when it has not ended within `most`.
    pub fn terminate(&mut self, most: Duration) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let deadline = Instant::now() + most;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running {most:?} after SIGTERM:\n{}", self.tail());
            std::thread::yield_now();
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of what it has logged.
    pub fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        self.kill();
    }
}
