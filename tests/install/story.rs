//! The story, step by step.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    time::Instant,
};

use rolewright_simulators::{
    grafana::Grafana,
    kit::{Options, Server},
};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, Pod, RELEASE, Result, SYSTEM},
    dns,
};

/// The host of examples/grafana/backend.yaml, and the address that the cluster's DNS server answers with.
const HOST: &str = "grafana.example.com";
const ACCOUNT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 20);
const TEAM: &str = "team-a";
const EXAMPLES: &str = "rwr,rwb,rwrr";
/// Half of them Roles, half RoleBindings.
const OBJECTS: usize = 1_000;
/// Roles that are created while the leader changes.
const BATCH: usize = 30;

struct Story {
    cluster: Cluster,
    grafana: Server<Grafana>,
    token: String,
    started: Instant,
    figures: Vec<(String, String)>,
}

/// Tells the whole story.
///
/// # Errors
/// The first thing that is not as it must be.
pub fn run(image: &str) -> Result<()> {
    let started = Instant::now();
    println!("\n== A control plane and a node");
    dns::serve(HOST, ACCOUNT).map_err(|error| format!("DNS: {error}"))?;
    let token = "not-a-real-token".to_owned();
    let options = Options { listen: SocketAddr::from((ACCOUNT, 80)), ..Options::new(&token) };
    let grafana = tokio::runtime::Handle::current()
        .block_on(Server::<Grafana>::start(options))
        .map_err(|error| format!("the simulator: {error}"))?;
    let cluster = Cluster::start(Path::new(image))?;
    let mut story = Story { cluster, grafana, token, started, figures: Vec::new() };
    story.figure("cluster with a Ready node", format!("{:.1} s", started.elapsed().as_secs_f64()));
    let result = story.tell();
    if result.is_err() {
        eprintln!("{}", story.cluster.describe());
        return result;
    }
    println!("\n== Figures");
    story.figure("in all", format!("{:.0} s", started.elapsed().as_secs_f64()));
    story.figures.iter().for_each(|(what, value)| println!("{what:<60} {value}"));
    Ok(())
}

impl Story {
    fn tell(&mut self) -> Result<()> {
        self.install()?;
        self.first_plan()?;
        self.enforce()?;
        self.upgrade()?;
        self.leader_changes("deleted", |cluster, pod| {
            cluster.kubectl(&["delete", "pod", "--namespace", SYSTEM, "--wait=false", pod.name()]).map(|_| ())
        })?;
        self.leader_changes("killed", Cluster::kill)?;
        self.restart_the_kubelet()?;
        self.thousand_objects()?;
        self.uninstall_and_install_again()?;
        self.logs_and_events()
    }

    fn step(&self, title: &str) {
        println!("\n== {title} ({:.0} s)", self.started.elapsed().as_secs_f64());
    }

    fn figure(&mut self, what: &str, value: String) {
        println!("{what}: {value}");
        self.figures.push((what.to_owned(), value));
    }

    /// The time since `start` as a figure.
    fn took(&mut self, what: &str, start: Instant) {
        self.figure(what, format!("{:.1} s", start.elapsed().as_secs_f64()));
    }

    fn install(&mut self) -> Result<()> {
        self.step("helm install with default values, and a pod that is Ready");
        let start = Instant::now();
        self.cluster.helm(&[
            "install",
            RELEASE,
            "charts/rolewright",
            "--create-namespace",
            "--wait",
            "--timeout=60s",
        ])?;
        self.took("helm install --wait", start);
        let pod = self.only_pod()?;
        for path in ["/healthz", "/readyz"] {
            expect(self.http(&pod, path)?.0 == 200, || format!("{path} does not answer 200"))?;
        }
        self.figure("memory of the idle pod", format!("{:.1} MiB", pod.peak_memory()?));
        print!("{}", self.cluster.kubectl(&["get", "pods", "--namespace", SYSTEM])?);
        Ok(())
    }

    /// As the README says, with the address of the simulator.
    fn first_plan(&mut self) -> Result<()> {
        self.step("A Backend by its host name, in mode Plan, and the examples");
        let start = Instant::now();
        self.cluster.kubectl(&["create", "namespace", TEAM])?;
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"token": self.token},
            "metadata": {"name": "grafana-token", "annotations": {"rolewright.dev/hosts": format!("http://{HOST}")}}});
        self.cluster.apply(TEAM, &secret.to_string())?;
        self.cluster.apply(TEAM, &backend("Plan")?)?;
        self.cluster.kubectl(&[
            "--namespace",
            TEAM,
            "wait",
            "--for=condition=Ready",
            "--timeout=30s",
            "rwbe/grafana",
        ])?;
        for file in example_files()? {
            self.cluster.apply(TEAM, &file)?;
        }
        self.cluster.until("every example has a plan", 30, |it| {
            Ok(reasons(&it.get(&[EXAMPLES, "--namespace", TEAM])?)
                .iter()
                .all(|reason| reason == "Planned" || reason == "DependencyNotReady"))
        })?;
        self.took("from kubectl create to the first plans", start);
        print!("{}", self.cluster.kubectl(&["get", "rolewright", "--namespace", TEAM])?);
        expect(self.writes(0).is_empty(), || format!("mode Plan wrote {:?}", self.writes(0)))
    }

    fn enforce(&mut self) -> Result<()> {
        self.step("The same in mode Enforce");
        let start = Instant::now();
        self.cluster.apply(TEAM, &backend("Enforce")?)?;
        self.all_ready(60)?;
        self.took("from kubectl apply to all examples InSync", start);
        print!("{}", self.cluster.kubectl(&["get", "rolewright", "--namespace", TEAM])?);
        expect(!self.writes(0).is_empty(), || "nothing was written".into())
    }

    fn upgrade(&mut self) -> Result<()> {
        self.step("helm upgrade to two replicas and another log level");
        let (before, since) = (self.account(), self.last());
        let start = Instant::now();
        self.cluster.helm(&[
            "upgrade",
            RELEASE,
            "charts/rolewright",
            "--reuse-values",
            "--wait",
            "--timeout=90s",
            "--set",
            "replicaCount=2,log.level=debug",
        ])?;
        self.took("helm upgrade --wait to two replicas", start);
        self.cluster.until("two pods are Ready and one of them leads", 60, |it| {
            let pods = it.pods()?;
            let leads = |pod: &Pod| it.leader().is_ok_and(|leader| leader.starts_with(pod.name()));
            Ok(pods.len() == 2 && pods.iter().all(Pod::is_ready) && pods.iter().any(leads))
        })?;
        self.still_in_sync(&before, since, "the upgrade")
    }

    /// The leader's pod ends while it works. Another one takes over, and nothing is written twice.
    fn leader_changes(&mut self, how: &str, end: fn(&Cluster, &Pod) -> Result<()>) -> Result<()> {
        self.step(&format!("The leader's pod is {how} while it creates {BATCH} Roles"));
        let since = self.last();
        let roles: Vec<String> = (0..BATCH).map(|number| format!("{how}-{number}")).collect();
        self.cluster.apply(TEAM, &list(roles.iter().map(|name| role(name))))?;
        self.cluster.until("the leader has begun", 30, |it| {
            let _ = it;
            Ok(self.grafana.world().log.since(since).requests.iter().any(|entry| entry.is_write()))
        })?;
        let (pods, leader) = (self.cluster.pods()?, self.cluster.leader()?);
        let pod = pods.iter().find(|pod| leader.starts_with(pod.name())).ok_or("the leader has no pod")?;
        let start = Instant::now();
        end(&self.cluster, pod)?;
        self.cluster.until("another pod leads", 60, |it| Ok(it.leader().is_ok_and(|now| now != leader)))?;
        self.took(&format!("another pod leads after the leader's was {how}"), start);
        self.all_ready(90)?;
        self.took("  and all objects are InSync", start);
        let written = self.writes(since);
        let creates = written.iter().filter(|write| **write == "POST /api/access-control/roles").count();
        expect(creates == BATCH && written.len() == BATCH, || {
            format!("{BATCH} Roles needed these writes: {written:?}")
        })?;
        self.cluster.until("two pods are Ready", 60, |it| {
            let pods = it.pods()?;
            Ok(pods.len() == 2 && pods.iter().all(Pod::is_ready))
        })?;
        Ok(())
    }

    fn restart_the_kubelet(&mut self) -> Result<()> {
        self.step("The kubelet is killed and starts again");
        let before = identities(&self.cluster.pods()?);
        self.cluster.node.restart_kubelet().map_err(|error| error.to_string())?;
        self.cluster.apply(TEAM, &role("after-the-kubelet"))?;
        self.all_ready(30)?;
        self.cluster.until("the node and its pods are Ready", 90, |it| {
            let ready =
                it.kubectl(&["wait", "--for=condition=Ready", "--timeout=1s", "nodes", "--all"]).is_ok();
            Ok(ready && it.pods()?.iter().all(Pod::is_ready))
        })?;
        let pods = self.cluster.pods()?;
        expect(identities(&pods) == before, || "a pod was restarted".into())
    }

    fn thousand_objects(&mut self) -> Result<()> {
        self.step(&format!("{OBJECTS} objects within the memory limit of the chart"));
        let before = identities(&self.cluster.pods()?);
        let start = Instant::now();
        let many = (0..OBJECTS / 2)
            .flat_map(|number| [role(&format!("many-{number}")), binding(&format!("many-{number}"))]);
        self.cluster.apply(TEAM, &list(many))?;
        self.took(&format!("kubectl apply of {OBJECTS} objects"), start);
        self.all_ready(300)?;
        self.took(&format!("from there, all {OBJECTS} InSync"), start);
        let (pods, leader) = (self.cluster.pods()?, self.cluster.leader()?);
        for pod in &pods {
            let part = if leader.starts_with(pod.name()) { "leader" } else { "standby" };
            let peak = pod.peak_memory()?;
            self.figure(&format!("peak memory with {OBJECTS} objects, {part}"), format!("{peak:.1} MiB"));
        }
        // The kernel kills a container that needs more than its limit.
        expect(identities(&pods) == before, || "a pod was restarted".into())
    }

    fn uninstall_and_install_again(&mut self) -> Result<()> {
        self.step("helm uninstall changes nothing in the account and keeps the objects");
        let (account, since, objects) = (self.account(), self.last(), self.objects()?);
        self.cluster.helm(&["uninstall", RELEASE, "--wait", "--timeout=60s"])?;
        self.cluster.until("no pod is left", 60, |it| Ok(it.pods()?.is_empty()))?;
        expect(self.account() == account, || "the account changed".into())?;
        expect(self.writes(since).is_empty(), || format!("it wrote {:?}", self.writes(since)))?;
        expect(self.objects()? == objects, || "the objects changed".into())?;

        self.step("helm install again changes nothing");
        self.cluster.helm(&["install", RELEASE, "charts/rolewright", "--wait", "--timeout=60s"])?;
        self.cluster.until("the account was read", 60, |it| {
            let pods = it.pods()?;
            Ok(pods.iter().all(Pod::is_ready)
                && pods.first().is_some_and(|pod| {
                    get(pod, "/metrics")
                        .is_ok_and(|(_, text)| text.contains("rolewright_sweeps_total{outcome=\"done\"}"))
                }))
        })?;
        self.still_in_sync(&account, since, "the second install")?;
        expect(self.objects()? == objects, || "the objects changed".into())
    }

    fn logs_and_events(&mut self) -> Result<()> {
        self.step("Logs and Events");
        let lines = self.cluster.log_lines();
        let text = lines.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{line}");
            text
        });
        expect(lines.iter().all(Value::is_object), || "a line of the log is not JSON".into())?;
        expect(!text.contains(&self.token), || "the log contains the credential".into())?;
        let errors: Vec<&Value> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
        expect(errors.is_empty(), || format!("the log has errors: {errors:?}"))?;
        let warnings: Vec<&Value> = lines.iter().filter(|line| line["level"] == "WARN").collect();
        self.figure("lines of the log, warnings", format!("{}, {}", lines.len(), warnings.len()));
        warnings.iter().take(5).for_each(|line| println!("{line}"));
        let start =
            lines.iter().find(|line| line["message"] == "rolewright starts").ok_or("no first line")?;
        println!("{start}");
        let version = start["version"].as_str().unwrap_or_default();
        let commit = version.strip_prefix(concat!(env!("CARGO_PKG_VERSION"), " (")).unwrap_or_default();
        let commit = commit.trim_end_matches(')').trim_end_matches("-dirty");
        let names_commit = commit.len() == 12 && commit.bytes().all(|digit| digit.is_ascii_hexdigit());
        expect(names_commit, || format!("the version does not name the commit: {version}"))?;
        let events = self.cluster.get(&["events", "--namespace", SYSTEM])?;
        let bad = events["items"].as_array().into_iter().flatten().filter(|event| event["type"] == "Warning");
        let bad: Vec<String> = bad
            .map(|event| {
                format!("{} {}: {}", event["involvedObject"]["name"], event["reason"], event["message"])
            })
            .collect();
        println!("warnings in {SYSTEM}: {bad:#?}");
        // A probe can find a pod that is still starting, or that ends.
        let unexpected: Vec<&String> =
            bad.iter().filter(|event| !event.contains("Readiness probe")).collect();
        expect(unexpected.is_empty(), || format!("unexpected Events: {unexpected:?}"))
    }

    fn only_pod(&self) -> Result<Pod> {
        let mut pods = self.cluster.pods()?;
        expect(pods.len() == 1, || format!("{} pods", pods.len()))?;
        pods.pop().ok_or_else(|| "no pod".into())
    }

    fn http(&self, pod: &Pod, path: &str) -> Result<(u16, String)> {
        get(pod, path)
    }

    fn all_ready(&mut self, seconds: u64) -> Result<()> {
        self.cluster.until("every object is InSync", seconds, |it| {
            let list = it.get(&[EXAMPLES, "--namespace", TEAM])?;
            Ok(list["items"].as_array().is_some_and(|items| items.iter().all(is_in_sync)))
        })?;
        Ok(())
    }

    /// The account and the objects are as before, and nothing was written.
    fn still_in_sync(&mut self, account: &Value, since: u64, what: &str) -> Result<()> {
        self.all_ready(30)?;
        let writes = self.writes(since);
        expect(writes.is_empty() && self.account() == *account, || format!("{what} wrote {writes:?}"))
    }

    /// What objects can change in the account.
    fn account(&self) -> Value {
        self.grafana.edit(|tenant| {
            json!([tenant.roles, tenant.user_roles, tenant.team_roles, tenant.managed_permissions])
        })
    }

    /// The specs and statuses of all objects.
    fn objects(&self) -> Result<Vec<Value>> {
        let list = self.cluster.get(&["rolewright", "--namespace", TEAM])?;
        let items = list["items"].as_array().into_iter().flatten();
        // The Backend's status shows when it was probed.
        Ok(items
            .filter(|item| item["kind"] != "Backend")
            .map(|item| json!([item["kind"], item["metadata"]["uid"], item["spec"], item["status"]]))
            .collect())
    }

    fn last(&self) -> u64 {
        self.grafana.world().log.since(0).last
    }

    /// The writes that the account received after this place in its log.
    fn writes(&self, since: u64) -> Vec<String> {
        let requests = self.grafana.world().log.since(since).requests;
        requests
            .iter()
            .filter(|entry| entry.is_write() && !is_query(&entry.path))
            .map(|entry| format!("{} {}", entry.method, entry.path))
            .collect()
    }
}

/// Reads that need a body.
fn is_query(path: &str) -> bool {
    path.ends_with("/search")
}

fn expect(condition: bool, otherwise: impl FnOnce() -> String) -> Result<()> {
    if condition { Ok(()) } else { Err(otherwise()) }
}

/// Requests a path of the operator's own server.
fn get(pod: &Pod, path: &str) -> Result<(u16, String)> {
    use std::io::{Read, Write};
    let exchange = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect((pod.address(), 8080))?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    let text = exchange().map_err(|error| format!("{path}: {error}"))?;
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or("no status")?;
    Ok((status, text))
}

/// The names of pods, with how often their containers were started again.
fn identities(pods: &[Pod]) -> BTreeSet<(String, u64)> {
    pods.iter().map(|pod| (pod.name().to_owned(), pod.restarts())).collect()
}

fn is_in_sync(object: &Value) -> bool {
    object["status"]["observedGeneration"] == object["metadata"]["generation"] && reason(object) == "InSync"
}

fn reason(object: &Value) -> &str {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.filter(|it| it["type"] == "Ready").find_map(|it| it["reason"].as_str()).unwrap_or_default()
}

fn reasons(list: &Value) -> Vec<String> {
    list["items"].as_array().into_iter().flatten().map(|object| reason(object).to_owned()).collect()
}

/// The example, with the address of the simulator.
fn backend(mode: &str) -> Result<String> {
    let text = fs::read_to_string("examples/grafana/backend.yaml").map_err(|error| error.to_string())?;
    let (secure, clear) =
        (format!("    url: https://{HOST}\n"), format!("    url: http://{HOST}\n    allowInsecure: true\n"));
    expect(text.contains(&secure) && text.contains("spec:\n"), || "the example has another address".into())?;
    Ok(text.replace(&secure, &clear).replace("spec:\n", &format!("spec:\n  mode: {mode}\n")))
}

fn example_files() -> Result<Vec<String>> {
    let files = fs::read_dir("examples/grafana")
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|file| file.path());
    let others = files.filter(|path| !path.ends_with("backend.yaml"));
    others.map(|path| fs::read_to_string(path).map_err(|error| error.to_string())).collect()
}

fn role(name: &str) -> String {
    object("Role", name, json!({"rules": [{"actions": ["reports:read"], "resources": ["reports:*"]}]}))
}

fn binding(name: &str) -> String {
    object(
        "RoleBinding",
        name,
        json!({"roleRef": {"name": name}, "subjects": [{"kind": "User", "name": "alice@example.com"}]}),
    )
}

fn object(kind: &str, name: &str, mut spec: Value) -> String {
    spec["backendRef"] = json!({"name": "grafana"});
    json!({"apiVersion": "rolewright.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
        .to_string()
}

fn list(objects: impl Iterator<Item = String>) -> String {
    format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{}]}}",
        objects.collect::<Vec<_>>().join(",")
    )
}
