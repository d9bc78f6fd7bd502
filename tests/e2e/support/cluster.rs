//! The one control plane of a test run.

use std::{path::Path, process::Command, sync::LazyLock};

use control_plane::{ControlPlane, Options};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

/// A static is never dropped: that its servers end with this process is the watchdog's work.
static SHARED: LazyLock<ControlPlane> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("e2e");
    let plane =
        ControlPlane::start(&Options { dir, controller_manager: true, ..Options::default() }).unwrap();
    install(&plane);
    plane
});

/// Applies our definitions, and waits until they are served.
pub fn install(plane: &ControlPlane) {
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    run(plane.kubectl().unwrap().arg("apply").arg("-f").arg(crds));
    run(plane.kubectl().unwrap().args([
        "wait",
        "--for=condition=Established",
        "--all",
        "crd",
        "--timeout=60s",
    ]));
}

/// The control plane, started when first asked for.
pub async fn shared() -> &'static ControlPlane {
    tokio::task::spawn_blocking(|| &*SHARED).await.unwrap()
}

/// A client with all rights.
pub async fn client(plane: &ControlPlane) -> Client {
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// Runs a command that has to succeed. Gives its stdout.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {stderr}");
    stdout.into_owned()
}

/// Runs kubectl with all rights. Gives its stdout, or its stderr where it failed.
pub async fn kubectl(args: &[&str], stdin: Option<&str>) -> Result<String, String> {
    kubectl_on(shared().await, args, stdin).await
}

/// The same on another control plane.
pub async fn kubectl_on(plane: &ControlPlane, args: &[&str], stdin: Option<&str>) -> Result<String, String> {
    let mut command = plane.kubectl().unwrap();
    command.args(args);
    let stdin = stdin.map(str::to_owned);
    tokio::task::spawn_blocking(move || {
        use std::{io::Write, process::Stdio};
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        if let Some(text) = stdin {
            child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    })
    .await
    .unwrap()
}
