//! Control planes: one that all tests share, and dedicated ones for tests that would disturb the others.

use std::{
    path::Path,
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

use control_plane::{ControlPlane, Options};
use kube::{
    Api, Client, Config,
    api::{DynamicObject, Patch, PatchParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::{ApiResource, GroupVersionKind},
};
use serde_json::json;

use super::{objects::GROUP_VERSION, world::PATIENCE};

/// A static is never dropped: the control plane's watchdog ends its servers with this process.
static SHARED: LazyLock<ControlPlane> = LazyLock::new(|| start("e2e", &[]));

/// The control plane of the test run. The first caller starts it.
pub async fn shared() -> &'static ControlPlane {
    tokio::task::spawn_blocking(|| &*SHARED).await.unwrap()
}

/// A control plane for a test that would disturb all others.
pub async fn dedicated_control_plane(name: &str) -> ControlPlane {
    control_plane_with_gates(name, &[]).await
}

/// The same, with feature gates of the API server, such as `WatchList=false`.
pub async fn control_plane_with_gates(name: &str, gates: &'static [&str]) -> ControlPlane {
    let folder = format!("e2e-{name}");
    tokio::task::spawn_blocking(move || start(&folder, gates)).await.unwrap()
}

/// Starts a control plane that serves the custom resources.
fn start(folder: &str, gates: &[&str]) -> ControlPlane {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    let feature_gates = gates.iter().map(ToString::to_string).collect();
    let plane =
        ControlPlane::start(&Options { dir, controller_manager: true, feature_gates, ..Options::default() })
            .unwrap();
    let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    run(plane.kubectl().unwrap().arg("apply").arg("-f").arg(crds));
    run(plane.kubectl().unwrap().args([
        "wait",
        "--for=condition=Established",
        "--all",
        "crd",
        "--timeout=60s",
    ]));
    for name in rolewright_api::CRD_NAMES {
        until_watchable(&plane, name().split('.').next().unwrap());
    }
    plane
}

/// Waits until the API server accepts a watch. For some time after a CRD is established it answers 429.
fn until_watchable(plane: &ControlPlane, resource: &str) {
    let path = format!("/apis/{GROUP_VERSION}/{resource}?watch=true&resourceVersion=0&timeoutSeconds=1");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let output = plane.kubectl().unwrap().args(["get", "--raw", &path]).output().unwrap();
        if output.status.success() {
            return;
        }
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(Instant::now() < deadline, "{resource} cannot be watched: {error}");
    }
}

/// A client with all rights.
pub async fn client(plane: &ControlPlane) -> Client {
    let kubeconfig = Kubeconfig::read_from(plane.kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// A name that no other test of this run uses.
pub fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Creates a namespace if it does not exist.
pub async fn make_namespace(client: &Client, name: &str) {
    let namespaces: Api<DynamicObject> = Api::all_with(client.clone(), &resource("v1", "Namespace"));
    let body = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    namespaces.patch(name, &PatchParams::apply("test").force(), &Patch::Apply(&body)).await.unwrap();
}

/// The resource of a kind; `version` is an `apiVersion` such as `v1` or `events.k8s.io/v1`.
pub fn resource(version: &str, kind: &str) -> ApiResource {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// Runs a command that must succeed, and returns its stdout.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {stderr}");
    stdout.into_owned()
}

/// Runs kubectl with all rights on the shared control plane. Returns its stdout, or its stderr if it failed.
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
