//! Tests of the binary: its first line of output, how it ends, and that no server survives it.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use control_plane::find_binary;
use tempfile::TempDir;

fn up(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_control-plane"));
    command.args(["up", "--dir"]).arg(dir);
    command
}

struct Running {
    process: Child,
    stdout: BufReader<ChildStdout>,
    dir: TempDir,
}

fn running() -> Running {
    let dir = tempfile::tempdir().unwrap();
    let mut process = up(dir.path()).stdout(Stdio::piped()).spawn().unwrap();
    let stdout = BufReader::new(process.stdout.take().unwrap());
    Running { process, stdout, dir }
}

impl Running {
    fn kubeconfig(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().strip_prefix("KUBECONFIG=").expect("the first line of stdout").to_owned()
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        assert!(
            Command::new("/bin/sh").args(["-c", "kill -$0 $1", signal, &pid]).status().unwrap().success()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The number of processes with this working directory: the watchdog and the servers. Zombies have no working directory.
fn processes_in(dir: &Path) -> usize {
    let dir = dir.canonicalize().unwrap();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.filter(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == dir)).count()
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "timeout after 30 s: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn first_line_names_a_kubeconfig_that_works_at_once() {
    let mut running = running();
    let kubeconfig = running.kubeconfig();
    let output = Command::new(find_binary("kubectl").unwrap())
        .env("KUBECONFIG", kubeconfig)
        .env("KUBECACHEDIR", running.dir.path())
        .args(["get", "--raw", "/readyz"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "ok");
}

#[test]
#[cfg(target_os = "linux")]
fn servers_end_when_the_starter_is_killed() {
    let mut running = running();
    running.kubeconfig();
    assert_eq!(processes_in(running.dir.path()), 3, "etcd, kube-apiserver and the watchdog");
    running.signal("KILL");
    wait_until("all processes ended", || processes_in(running.dir.path()) == 0);
}

#[test]
#[cfg(target_os = "linux")]
fn servers_end_when_the_starter_is_killed_before_it_is_ready() {
    let running = running();
    wait_until("a server runs", || processes_in(running.dir.path()) > 1);
    running.signal("KILL");
    wait_until("all processes ended", || processes_in(running.dir.path()) == 0);
}

#[test]
#[cfg(target_os = "linux")]
fn sigterm_and_ctrl_c_are_a_clean_exit() {
    for signal in ["TERM", "INT"] {
        let mut running = running();
        running.kubeconfig();
        running.signal(signal);
        assert!(running.process.wait().unwrap().success(), "{signal}");
        assert_eq!(processes_in(running.dir.path()), 0, "{signal}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn end_of_a_server_is_an_error() {
    let mut running = running();
    running.kubeconfig();
    let dir = running.dir.path().canonicalize().unwrap();
    let servers = fs::read_dir("/proc").unwrap().flatten().map(|process| process.path());
    let etcd = servers
        .filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == dir))
        .find(|process| fs::read_to_string(process.join("comm")).is_ok_and(|comm| comm.trim() == "etcd"))
        .expect("etcd runs");
    let pid = etcd.file_name().unwrap().to_str().unwrap();
    assert!(Command::new("/bin/sh").args(["-c", "kill -KILL $0", pid]).status().unwrap().success());
    assert_eq!(running.process.wait().unwrap().code(), Some(1));
    wait_until("the other processes ended", || processes_in(running.dir.path()) == 0);
}

#[test]
fn error_for_a_failed_start_has_the_last_log_lines() {
    let dir = tempfile::tempdir().unwrap();
    let assets = dir.path().join("assets");
    fs::create_dir(&assets).unwrap();
    let broken = assets.join("kube-apiserver");
    fs::write(&broken, "#!/bin/sh\necho this is why >&2\nexit 3\n").unwrap();
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).unwrap();

    let output = up(&dir.path().join("plane")).env("KUBEBUILDER_ASSETS", &assets).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("kube-apiserver ended (exit status: 3)") && error.contains("this is why"),
        "{error}"
    );
}
