//! A node: containerd, kubelet and kube-scheduler, so that pods run.
//!
//! It needs root, the Debian packages `containerd`, `runc` and `containernetworking-plugins`, and namespaces of its own for the
//! network, mounts and processes, because it leaves interfaces, mounts and shims behind: `hack/test-install.sh` makes them.
//! Each pod has an address of 10.1.0.0/24 and reaches all addresses of this machine; no packet leaves it.

use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{ControlPlane, Error, binaries, files, servers::Servers};

/// The address of the kubelet, which must be an address of this machine.
const ADDRESS: &str = "10.0.0.2";
/// The address of the DNS server that pods use. The node does not run one.
const DNS: &str = "10.0.0.10";
const CONTAINERD_TIMEOUT: Duration = Duration::from_secs(30);
const CNI_PLUGINS: &str = "/usr/lib/cni";

/// A running node. It ends when it is dropped; its pods end with the namespaces.
pub struct Node {
    dir: PathBuf,
    kubeconfig: PathBuf,
    servers: Servers,
}

impl Node {
    /// The name of the node.
    pub const NAME: &str = "node1";

    /// Starts a node for a control plane whose [`Options::pods`](crate::Options::pods) is set. It does not wait until the
    /// node is ready.
    ///
    /// # Errors
    /// [`Error::MissingBinary`] if `hack/tools.sh kubelet kube-scheduler` did not run before, [`Error::Io`] otherwise.
    pub fn start(plane: &ControlPlane, dir: &Path) -> Result<Self, Error> {
        for folder in ["cni", "containerd", "kubelet"] {
            files::make_dir(&dir.join(folder))?;
        }
        let dir = dir.canonicalize().map_err(Error::io("cannot resolve the directory"))?;
        files::write(&dir.join("containerd.toml"), &containerd_config(&dir))?;
        files::write(&dir.join("cni/pods.conflist"), &network(&dir))?;
        files::write(&dir.join("kubelet.yaml"), &kubelet_config(&dir))?;
        let mut node = Self { kubeconfig: plane.kubeconfig().to_owned(), servers: Servers::new(&dir)?, dir };
        let mut containerd = Command::new("containerd");
        containerd.arg("--config").arg(node.dir.join("containerd.toml"));
        node.servers.spawn("containerd", containerd)?;
        node.wait_for_containerd()?;
        node.start_kubelet()?;
        let mut scheduler = Command::new(binaries::find("kube-scheduler")?);
        scheduler
            .arg(format!("--kubeconfig={}", node.kubeconfig.display()))
            .args(["--leader-elect=false", "--secure-port=0"]);
        node.servers.spawn("kube-scheduler", scheduler)?;
        Ok(node)
    }

    /// A `ctr` for the images and containers of the pods.
    pub fn ctr(&self) -> Command {
        let mut command = Command::new("ctr");
        command.arg("--address").arg(socket(&self.dir)).args(["--namespace", "k8s.io"]);
        command
    }

    /// Kills the kubelet and starts it again. Pods go on.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be started.
    pub fn restart_kubelet(&mut self) -> Result<(), Error> {
        self.servers.end("kubelet");
        self.start_kubelet()
    }

    /// Checks that all servers still run.
    ///
    /// # Errors
    /// [`Error::ServerEnded`] for the first server that ended.
    pub fn check(&mut self) -> Result<(), Error> {
        self.servers.check()
    }

    /// kubelet ends at once if containerd does not listen yet.
    fn wait_for_containerd(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + CONTAINERD_TIMEOUT;
        loop {
            self.servers.check()?;
            match UnixStream::connect(socket(&self.dir)) {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => {
                    return Err(Error::io("containerd does not listen")(error));
                }
                Err(_) => thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    fn start_kubelet(&mut self) -> Result<(), Error> {
        let mut kubelet = Command::new(binaries::find("kubelet")?);
        kubelet
            .arg(format!("--config={}", self.dir.join("kubelet.yaml").display()))
            .arg(format!("--kubeconfig={}", self.kubeconfig.display()))
            .arg(format!("--root-dir={}", self.dir.join("kubelet").display()))
            .args([format!("--hostname-override={}", Self::NAME), format!("--node-ip={ADDRESS}")]);
        self.servers.spawn("kubelet", kubelet)
    }
}

fn socket(dir: &Path) -> PathBuf {
    dir.join("containerd/containerd.sock")
}

fn containerd_config(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        r#"version = 2
root = "{dir}/containerd/root"
state = "{dir}/containerd/state"
[grpc]
  address = "{dir}/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  # Without CAP_SYS_RESOURCE, no process can lower its score.
  restrict_oom_score_adj = true
  sandbox_image = "localhost/pause:1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    # Works on every file system.
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{dir}/cni"
"#
    )
}

/// A pair of interfaces for each pod. The machine is the gateway.
fn network(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        r#"{{"cniVersion": "0.4.0", "name": "pods", "plugins": [{{"type": "ptp", "ipam": {{"type": "host-local",
  "ranges": [[{{"subnet": "10.1.0.0/24"}}]], "routes": [{{"dst": "0.0.0.0/0"}}], "dataDir": "{dir}/cni-data"}}}}]}}
"#
    )
}

fn kubelet_config(dir: &Path) -> String {
    let (socket, dir) = (socket(dir), dir.display());
    let socket = socket.display();
    format!(
        r#"apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://{socket}
podLogsDir: {dir}/pods
address: {ADDRESS}
clusterDNS: [{DNS}]
clusterDomain: cluster.local
# Nobody else reaches this network.
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
readOnlyPort: 0
healthzPort: 0
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
# The disk of a build machine can be nearly full.
evictionHard: {{memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%"}}
imageGCHighThresholdPercent: 99
"#
    )
}
