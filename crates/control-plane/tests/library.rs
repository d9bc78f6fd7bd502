//! Tests of the library on running control planes. Most tests share one: tests of other packages should do the same.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use control_plane::{ControlPlane, Error, Options, find_binary};

/// A static is never dropped. The watchdog ends its servers when this process ends.
static SHARED: LazyLock<ControlPlane> = LazyLock::new(|| start("shared", true));

fn dir(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn start(name: &str, controller_manager: bool) -> ControlPlane {
    ControlPlane::start(&Options { dir: dir(name), controller_manager, ..Options::default() }).unwrap()
}

fn kubectl(plane: &ControlPlane, args: &[&str]) -> String {
    succeeded(plane.kubectl().unwrap().args(args))
}

fn kubectl_as(kubeconfig: &Path, args: &[&str]) -> Output {
    SHARED.kubectl().unwrap().env("KUBECONFIG", kubeconfig).args(args).output().unwrap()
}

fn succeeded(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "timeout after a minute: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn started_control_plane_has_namespaces_and_streams_lists() {
    let found = kubectl(&SHARED, &["get", "namespace", "default", "-o", "name"]);
    assert_eq!(found.trim(), "namespace/default");
    let query = "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";
    let path = format!("/api/v1/namespaces?{query}&timeoutSeconds=1");
    let streamed = kubectl(&SHARED, &["get", "--raw", &path]);
    assert!(streamed.contains("k8s.io/initial-events-end"), "{streamed}");
}

#[test]
fn url_token_and_ca_are_enough_for_any_client() {
    let ca = dir("ca.crt");
    fs::write(&ca, SHARED.ca_pem()).unwrap();
    let groups = succeeded(
        Command::new(find_binary("kubectl").unwrap())
            .env("KUBECONFIG", "/dev/null")
            .env("KUBECACHEDIR", dir("kubectl-cache"))
            .arg(format!("--server={}", SHARED.url()))
            .arg(format!("--token={}", SHARED.token()))
            .arg(format!("--certificate-authority={}", ca.display()))
            .args(["auth", "whoami", "-o", "jsonpath={.status.userInfo.groups}"]),
    );
    assert!(groups.contains("system:masters"), "{groups}");
}

#[test]
fn kubeconfig_for_a_service_account_has_only_its_rights() {
    let kubeconfig = SHARED.kubeconfig_as("system:serviceaccount:default:reader", &[]).unwrap();
    let groups = kubectl_as(&kubeconfig, &["auth", "whoami", "-o", "jsonpath={.status.userInfo.groups}"]);
    let groups = String::from_utf8(groups.stdout).unwrap();
    assert!(groups.contains("system:serviceaccounts:default") && !groups.contains("masters"), "{groups}");

    assert!(!kubectl_as(&kubeconfig, &["get", "pods"]).status.success());
    kubectl(&SHARED, &["create", "role", "reader", "--verb=list", "--resource=pods"]);
    kubectl(
        &SHARED,
        &["create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:reader"],
    );
    wait_until("the role binding is in effect", || {
        kubectl_as(&kubeconfig, &["get", "pods"]).status.success()
    });
    assert!(!kubectl_as(&kubeconfig, &["get", "secrets"]).status.success());
}

#[test]
fn kubeconfig_for_a_user_has_the_given_groups() {
    let kubeconfig = SHARED.kubeconfig_as("o'hara@example.com", &["team-a", "team-b"]).unwrap();
    let user = kubectl_as(&kubeconfig, &["auth", "whoami", "-o", "jsonpath={.status.userInfo}"]);
    let user = String::from_utf8(user.stdout).unwrap();
    assert!(["o'hara@example.com", "team-a", "team-b"].iter().all(|word| user.contains(word)), "{user}");
}

#[test]
fn api_server_accepts_tokens_of_service_accounts() {
    kubectl(&SHARED, &["create", "serviceaccount", "robot"]);
    let token = kubectl(&SHARED, &["create", "token", "robot"]);
    let review = serde_json::json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token.trim()}
    });
    let file = dir("token-review.json");
    fs::write(&file, review.to_string()).unwrap();
    let file = file.display().to_string();
    let user = kubectl(&SHARED, &["create", "-f", &file, "-o", "jsonpath={.status.user.username}"]);
    assert_eq!(user, "system:serviceaccount:default:robot");
}

#[test]
fn namespace_is_deleted_after_its_last_finalizer() {
    kubectl(&SHARED, &["create", "namespace", "doomed"]);
    kubectl(&SHARED, &["-n", "doomed", "create", "configmap", "kept"]);
    let set_finalizers = |finalizers: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{finalizers}}}}}"#);
        kubectl(&SHARED, &["-n", "doomed", "patch", "configmap", "kept", "--type=merge", "-p", &patch]);
    };
    set_finalizers(r#"["example.com/keep"]"#);
    kubectl(&SHARED, &["delete", "namespace", "doomed", "--wait=false"]);
    let deleted_at =
        ["-n", "doomed", "get", "configmap", "kept", "-o", "jsonpath={.metadata.deletionTimestamp}"];
    wait_until("the object is being deleted", || !kubectl(&SHARED, &deleted_at).is_empty());

    set_finalizers("null");
    let namespace = ["get", "namespace", "doomed", "--ignore-not-found", "-o", "name"];
    wait_until("the namespace is deleted", || kubectl(&SHARED, &namespace).is_empty());
}

#[test]
fn aggregated_cluster_roles_are_filled() {
    let rules = ["get", "clusterrole", "view", "-o", "jsonpath={.rules}"];
    wait_until("view has rules", || kubectl(&SHARED, &rules).contains("configmaps"));
}

#[test]
fn two_control_planes_share_nothing() {
    let other = start("other", false);
    kubectl(&SHARED, &["create", "namespace", "only-here"]);
    assert!(kubectl(&SHARED, &["get", "namespaces"]).contains("only-here"));
    assert!(!kubectl(&other, &["get", "namespaces"]).contains("only-here"));
}

#[test]
fn directory_in_use_is_an_error() {
    LazyLock::force(&SHARED);
    let refused = ControlPlane::start(&Options { dir: dir("shared"), ..Options::default() });
    assert!(matches!(refused, Err(Error::DirectoryInUse(_))));
}

#[test]
fn directory_of_a_stopped_control_plane_can_be_used_again() {
    let first = start("twice", false);
    kubectl(&first, &["create", "namespace", "of-the-first"]);
    let address = first.url().trim_start_matches("https://").to_owned();
    first.stop();
    assert!(TcpStream::connect(&address).is_err());

    let second = start("twice", false);
    assert!(!kubectl(&second, &["get", "namespaces"]).contains("of-the-first"));
}
