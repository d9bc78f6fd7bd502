//! A fifth back end, built as docs/adding-a-back-end.md says, with a real API server. It proves all steps of that page except the block of
//! the API: the fifth back end uses Arize's block.

mod memory;

use std::{path::Path, time::Duration};

use kube::{
    Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use rolewright_backends::{Dialling, Vendor};
use rolewright_controller::{Build, Clients, Options};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{client, kubectl, make_namespace, shared, unique};

static VENDORS: [Vendor; 1] = [memory::VENDOR];

/// An operator for one namespace in this process, with the fifth back end only.
struct Operator {
    stop: CancellationToken,
    done: JoinHandle<Result<(), rolewright_controller::RunError>>,
}

impl Operator {
    async fn start(kubeconfig: &Path, namespace: &str) -> Self {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        let second = Duration::from_secs(1);
        let options = Options {
            build: Build { version: "test", commit: "" },
            vendors: &VENDORS,
            namespaces: vec![namespace.to_owned()],
            own_namespace: namespace.to_owned(),
            leader_elect: false,
            max_reconciles: 64,
            dialling: Dialling { allow_local: false },
            transport: None,
            secret_interval: second,
            probe_backoff: (second, second),
            abandon_after: second * 60,
            settle: second,
        };
        let stop = CancellationToken::new();
        let done = tokio::spawn(rolewright_controller::run(
            options,
            Clients::of(config).unwrap(),
            None,
            stop.clone(),
        ));
        Self { stop, done }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.done.await.unwrap().unwrap();
    }
}

struct Scene {
    namespace: String,
    host: String,
}

impl Scene {
    async fn new(name: &str) -> Self {
        let namespace = unique(name);
        make_namespace(&client(shared().await).await, &namespace).await;
        let host = format!("{namespace}.example.com");
        let scene = Self { namespace, host };
        scene
            .apply(json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": { "name": "key", "annotations": { "rolewright.dev/hosts": scene.host } },
                "stringData": { "key": "open sesame" },
            }))
            .await;
        let block = json!({
            "url": format!("https://{}", scene.host),
            "credentials": { "apiKeySecretRef": { "name": "key", "key": "key" } },
        });
        scene.object("Backend", "memory", json!({ "arize": block, "sweepInterval": "1s" })).await;
        scene
    }

    async fn object(&self, kind: &str, name: &str, spec: Value) {
        let object = json!({
            "apiVersion": "rolewright.dev/v1alpha1",
            "kind": kind,
            "metadata": { "name": name },
            "spec": spec,
        });
        self.apply(object).await;
    }

    async fn role(&self, name: &str, actions: &[&str]) {
        let rules = json!([{ "actions": actions }]);
        self.object("Role", name, json!({ "backendRef": { "name": "memory" }, "rules": rules })).await;
    }

    async fn binding(&self, name: &str, role: &str, users: &[&str]) {
        let subjects: Vec<Value> = users.iter().map(|user| json!({ "kind": "User", "name": user })).collect();
        let spec =
            json!({ "backendRef": { "name": "memory" }, "roleRef": { "name": role }, "subjects": subjects });
        self.object("RoleBinding", name, spec).await;
    }

    async fn apply(&self, object: Value) {
        self.run(&["apply", "-f", "-"], Some(&object.to_string())).await;
    }

    async fn reason(&self, object: &str, reason: &str) {
        let condition =
            format!("--for=jsonpath={{.status.conditions[?(@.type==\"Ready\")].reason}}={reason}");
        self.run(&["wait", &condition, "--timeout=60s", object], None).await;
    }

    async fn run(&self, args: &[&str], stdin: Option<&str>) -> String {
        let all: Vec<&str> = ["-n", &self.namespace].into_iter().chain(args.iter().copied()).collect();
        kubectl(&all, stdin).await.unwrap()
    }

    fn grants(&self) -> Vec<(String, String)> {
        memory::account(&self.host).lock().unwrap().grants.iter().cloned().collect()
    }

    fn writes(&self) -> usize {
        memory::account(&self.host).lock().unwrap().writes
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_back_end_works_without_changes_elsewhere() {
    let scene = Scene::new("fifth").await;
    let kubeconfig = shared().await.kubeconfig();
    let operator = Operator::start(kubeconfig, &scene.namespace).await;
    scene.role("reader", &["read"]).await;
    scene.binding("readers", "reader", &["alice@example.com", "bob@example.com"]).await;
    scene.reason("rwb/readers", "InSync").await;
    let pair = |user: &str| ("reader".to_owned(), user.to_owned());
    assert_eq!(scene.grants(), [pair("alice@example.com"), pair("bob@example.com")]);

    // A grant is deleted by hand and the role is changed: both are corrected.
    {
        let account = memory::account(&scene.host);
        let mut account = account.lock().unwrap();
        account.grants.remove(&pair("bob@example.com"));
        account.roles.get_mut("reader").unwrap().rules.clear();
    }
    scene
        .run(
            &["wait", "--for=create", "event", "--field-selector=reason=DriftCorrected", "--timeout=60s"],
            None,
        )
        .await;
    scene.run(&["annotate", "--overwrite", "rwb/readers", "rolewright.dev/reconcile-at=1"], None).await;
    scene
        .run(
            &["wait", "--for=jsonpath={.status.lastHandledReconcileAt}=1", "--timeout=60s", "rwb/readers"],
            None,
        )
        .await;
    assert_eq!(scene.grants(), [pair("alice@example.com"), pair("bob@example.com")]);

    // The reasons are the same as for every other back end.
    scene.binding("strangers", "reader", &["mallory@example.com"]).await;
    scene.reason("rwb/strangers", "NotFound").await;
    scene
        .object(
            "ResourceRestriction",
            "closed",
            json!({ "backendRef": { "name": "memory" }, "resource": { "id": "x" } }),
        )
        .await;
    scene.reason("rwrr/closed", "Unsupported").await;
    scene.role(memory::PREDEFINED, &["read"]).await;
    scene.reason("rwr/owner", "Invalid").await;
    scene.run(&["delete", "rwb/strangers", "rwrr/closed", "rwr/owner", "--timeout=60s"], None).await;

    // A restart changes nothing.
    operator.stop().await;
    let writes = scene.writes();
    let operator = Operator::start(kubeconfig, &scene.namespace).await;
    scene.run(&["annotate", "--overwrite", "rwr/reader", "rolewright.dev/reconcile-at=2"], None).await;
    scene
        .run(
            &["wait", "--for=jsonpath={.status.lastHandledReconcileAt}=2", "--timeout=60s", "rwr/reader"],
            None,
        )
        .await;
    assert_eq!(scene.writes(), writes);

    scene.run(&["delete", "rwb,rwr", "--all", "--timeout=60s"], None).await;
    scene.run(&["delete", "rwbe", "--all", "--timeout=60s"], None).await;
    assert!(scene.grants().is_empty() && memory::account(&scene.host).lock().unwrap().roles.is_empty());
    operator.stop().await;
}
