//! The cluster as its users see it: kubectl, Helm, pods and their logs.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use control_plane::{ControlPlane, Node, Options, find_binary};
use serde_json::Value;

pub type Result<T> = std::result::Result<T, String>;

/// The namespace and the name of the release.
pub const SYSTEM: &str = "rolewright-system";
pub const RELEASE: &str = "rolewright";

const POLL: Duration = Duration::from_millis(100);

pub struct Cluster {
    pub plane: ControlPlane,
    pub node: Node,
    dir: PathBuf,
}

impl Cluster {
    /// Starts the control plane and the node, and loads the images.
    pub fn start(image: &Path) -> Result<Self> {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("install");
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("logs")).map_err(|error| error.to_string())?;
        let text = |error: control_plane::Error| error.to_string();
        let options =
            Options { dir: dir.join("plane"), controller_manager: true, pods: true, ..Options::default() };
        let plane = ControlPlane::start(&options).map_err(text)?;
        let node = Node::start(&plane, &dir.join("node")).map_err(text)?;
        let mut cluster = Self { plane, node, dir };
        cluster.until("containerd answers", 30, |it| {
            Ok(it.node.ctr().arg("version").output().is_ok_and(|it| it.status.success()))
        })?;
        for archive in [image, Path::new("target/image/pause.oci.tar")] {
            run(cluster.node.ctr().args(["images", "import"]).arg(archive))?;
        }
        cluster.until("the node is Ready", 60, |it| {
            it.node.check().map_err(|error| error.to_string())?;
            Ok(it
                .kubectl(&["wait", "--for=condition=Ready", "--timeout=1s", &format!("node/{}", Node::NAME)])
                .is_ok())
        })?;
        Ok(cluster)
    }

    /// Runs kubectl and returns its output.
    pub fn kubectl(&self, args: &[&str]) -> Result<String> {
        run(self.plane.kubectl().map_err(|error| error.to_string())?.args(args))
    }

    /// Applies a manifest.
    pub fn apply(&self, namespace: &str, manifest: &str) -> Result<String> {
        let mut command = self.plane.kubectl().map_err(|error| error.to_string())?;
        command.args(["--namespace", namespace, "apply", "-f", "-"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut stdin = child.stdin.take().ok_or("no stdin")?;
        let manifest = manifest.to_owned();
        // kubectl can write more than a pipe holds before it has read everything.
        let writer = thread::spawn(move || stdin.write_all(manifest.as_bytes()));
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        let _ = writer.join();
        checked("kubectl apply", &output)
    }

    /// Gets objects as JSON.
    pub fn get(&self, args: &[&str]) -> Result<Value> {
        let text = self.kubectl(&[&["get", "-o", "json"], args].concat())?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// Runs Helm in the release's namespace.
    pub fn helm(&self, args: &[&str]) -> Result<String> {
        let helm = find_binary("helm").map_err(|error| error.to_string())?;
        let mut command = Command::new(helm);
        for (variable, folder) in
            [("HELM_CACHE_HOME", "cache"), ("HELM_CONFIG_HOME", "config"), ("HELM_DATA_HOME", "data")]
        {
            command.env(variable, self.dir.join("helm").join(folder));
        }
        run(command.env("KUBECONFIG", self.plane.kubeconfig()).args(args).args(["--namespace", SYSTEM]))
    }

    /// The running pods of the operator.
    pub fn pods(&self) -> Result<Vec<Pod>> {
        self.keep_logs();
        let list =
            self.get(&["pods", "--namespace", SYSTEM, "--selector", "app.kubernetes.io/name=rolewright"])?;
        let pods = list["items"].as_array().into_iter().flatten();
        Ok(pods
            .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
            .map(|pod| Pod(pod.clone()))
            .collect())
    }

    /// The pod that holds the Lease.
    pub fn leader(&self) -> Result<String> {
        let holder = self.get(&["lease", "--namespace", SYSTEM, RELEASE])?["spec"]["holderIdentity"].clone();
        holder
            .as_str()
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .ok_or_else(|| "nobody leads".to_owned())
    }

    /// Kubelet deletes the logs with the pod. A second name of each file keeps it.
    fn keep_logs(&self) {
        for pod in entries(&self.dir.join("node/pods")) {
            let name = pod.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for file in entries(&pod.join(RELEASE)) {
                let number = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                // It fails for a file that already has a second name.
                let _ = fs::hard_link(&file, self.dir.join("logs").join(format!("{name}-{number}")));
            }
        }
    }

    /// All lines that the pods of the operator logged, also those that ended.
    pub fn log_lines(&self) -> Vec<Value> {
        self.keep_logs();
        let mut lines = Vec::new();
        for file in entries(&self.dir.join("logs")) {
            let text = fs::read_to_string(file).unwrap_or_default();
            // Each line of kubelet's files begins with the time, the stream and a flag.
            let of_operator = text.lines().filter_map(|line| line.splitn(4, ' ').nth(3));
            lines.extend(
                of_operator.map(|line| {
                    serde_json::from_str(line).unwrap_or_else(|_| Value::String(line.to_owned()))
                }),
            );
        }
        lines
    }

    /// Kills the process of a pod, as a crash would.
    pub fn kill(&self, pod: &Pod) -> Result<()> {
        run(self.node.ctr().args(["tasks", "kill", "--signal", "SIGKILL", pod.container()?])).map(|_| ())
    }

    /// Waits until `condition` is true.
    pub fn until(
        &mut self,
        what: &str,
        seconds: u64,
        mut condition: impl FnMut(&mut Self) -> Result<bool>,
    ) -> Result<Duration> {
        let start = Instant::now();
        while !condition(self)? {
            if start.elapsed() > Duration::from_secs(seconds) {
                return Err(format!("after {seconds} s it is still not true that {what}"));
            }
            thread::sleep(POLL);
        }
        Ok(start.elapsed())
    }

    /// What a person would look at after a failure.
    pub fn describe(&self) -> String {
        let show = |args: &[&str]| self.kubectl(args).unwrap_or_else(|error| error);
        let log = self.log_lines();
        let log: Vec<String> = log.iter().rev().take(30).rev().map(Value::to_string).collect();
        format!(
            "{}\n{}\n{}\n{}",
            show(&["get", "pods,rolewright", "--all-namespaces", "-o", "wide"]),
            show(&["describe", "pods", "--namespace", SYSTEM]),
            show(&["get", "events", "--all-namespaces"]),
            log.join("\n")
        )
    }
}

/// A pod of the operator.
pub struct Pod(Value);

impl Pod {
    pub fn name(&self) -> &str {
        self.0["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub fn address(&self) -> &str {
        self.0["status"]["podIP"].as_str().unwrap_or_default()
    }

    pub fn restarts(&self) -> u64 {
        self.0["status"]["containerStatuses"][0]["restartCount"].as_u64().unwrap_or_default()
    }

    pub fn is_ready(&self) -> bool {
        self.0["status"]["containerStatuses"][0]["ready"] == true
    }

    fn container(&self) -> Result<&str> {
        let id = self.0["status"]["containerStatuses"][0]["containerID"].as_str().unwrap_or_default();
        id.strip_prefix("containerd://").ok_or_else(|| "the container has no id".into())
    }

    /// The most memory that the container has used, in MiB, as the kernel counts it for the limit.
    pub fn peak_memory(&self) -> Result<f64> {
        let id = self.container()?;
        let folder = find_folder(Path::new("/sys/fs/cgroup"), id)
            .ok_or_else(|| format!("{id} has no cgroup of memory"))?;
        let peak = ["memory.max_usage_in_bytes", "memory.peak"]
            .iter()
            .find_map(|file| fs::read_to_string(folder.join(file)).ok());
        let bytes: f64 =
            peak.ok_or("the kernel does not count")?.trim().parse().map_err(|_| "not a number")?;
        Ok(bytes / 1_048_576.0)
    }
}

/// What a folder contains, in order; nothing if it does not exist.
fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The folder with this name that counts memory.
fn find_folder(dir: &Path, name: &str) -> Option<PathBuf> {
    for path in entries(dir).into_iter().filter(|path| path.is_dir() && !path.is_symlink()) {
        let counts = |file: &str| path.join(file).exists();
        if path.ends_with(name) && (counts("memory.max_usage_in_bytes") || counts("memory.peak")) {
            return Some(path);
        }
        if let Some(found) = find_folder(&path, name) {
            return Some(found);
        }
    }
    None
}

fn run(command: &mut Command) -> Result<String> {
    let what = format!("{command:?}");
    checked(&what, &command.output().map_err(|error| format!("{what}: {error}"))?)
}

fn checked(what: &str, output: &std::process::Output) -> Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Err(format!("{what}: {}{}", text(&output.stderr), text(&output.stdout)))
}
