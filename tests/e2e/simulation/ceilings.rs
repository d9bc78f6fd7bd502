//! ClusterBackends: which namespaces they serve, and that nothing beyond their ceiling is granted.

use rolewright_simulators::{arize::Arize, grafana::Grafana, kit::InMemory, lenses::Lenses, zenml::ZenMl};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::Instant;

use super::{
    cluster::{Cluster, NAMESPACE, condition, is_ready, is_reported},
    network::Host,
    path::plural_of,
    scene::{Simulated, backend_with, host, remove_grant, simulated},
};
use crate::support::{ADMIN_CREDENTIAL, binding, kind_and_name, lenses, restriction, role, trial::Trial};

/// The namespace of the Secret.
pub const SECRETS: &str = "access-control";

/// A cluster whose namespace has no labels, and an account without a Backend.
struct Shared<V: Simulated> {
    cluster: Cluster,
    sim: Arc<InMemory<V>>,
    seeded: Value,
}

impl<V: Simulated> Shared<V> {
    fn new() -> Self {
        let sim = Arc::new(InMemory::new(V::servers().pop().unwrap()).unwrap());
        let hosts: BTreeMap<String, Arc<dyn Host>> = [(host(), sim.clone() as _)].into();
        let mut cluster = Cluster::new(Arc::new(hosts));
        // It names no host: the hosts of the ClusterBackend count.
        cluster.apply_secret(SECRETS, V::SECRET, ADMIN_CREDENTIAL, "");
        cluster.start();
        let seeded = V::external(&sim.world().tenant());
        let shared = Self { cluster, sim, seeded };
        shared.label(json!({}));
        shared
    }

    /// Applies the ClusterBackend with these terms.
    fn share(&self, terms: Value) {
        self.cluster.apply(cluster_backend::<V>(terms));
    }

    fn label(&self, labels: Value) {
        self.cluster.apply(namespace(labels));
    }

    fn external(&self) -> Value {
        V::external(&self.sim.world().tenant())
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Cluster) -> bool) {
        self.cluster.until(what, is_so).await.unwrap();
    }

    /// Waits until an object reports this reason at its present generation, and returns the message.
    async fn reports(&self, object: &Value, reason: &str) -> String {
        let (kind, name) = kind_and_name(object);
        let get = |cluster: &Cluster| cluster.api.get(plural_of(kind), NAMESPACE, name).unwrap();
        self.until(&format!("{kind} {name} reports {reason}"), |cluster| {
            let object = get(cluster);
            is_reported(&object) && condition(&object, "Ready")["reason"] == reason
        })
        .await;
        condition(&get(&self.cluster), "Ready")["message"].as_str().unwrap().to_owned()
    }

    async fn all_report(&self, objects: &[Value], reason: &str) {
        for object in objects {
            self.reports(object, reason).await;
        }
    }

    /// Waits for the next sweeps.
    async fn swept(&self) {
        let end = Instant::now() + Duration::from_secs(150);
        self.until("the next sweeps", |_| Instant::now() >= end).await;
    }
}

/// A ClusterBackend for namespaces with the label `shared: yes`, with these terms.
pub fn cluster_backend<V: Simulated>(terms: Value) -> Value {
    let mut backend = backend_with::<V>(json!({ "sweepInterval": "1m" }));
    backend["kind"] = json!("ClusterBackend");
    let spec = backend["spec"].as_object_mut().unwrap();
    spec.insert("secretNamespace".to_owned(), json!(SECRETS));
    spec.insert("hosts".to_owned(), json!([host()]));
    spec.insert("namespaceSelector".to_owned(), json!({ "matchLabels": { "shared": "yes" } }));
    for (field, value) in terms.as_object().unwrap() {
        spec.insert(field.clone(), value.clone());
    }
    backend
}

/// The namespace of the objects with these labels.
pub fn namespace(labels: Value) -> Value {
    let metadata = json!({ "name": NAMESPACE, "labels": labels });
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata })
}

/// An object that refers to the ClusterBackend.
pub fn through(mut object: Value) -> Value {
    object["spec"]["backendRef"]["kind"] = json!("ClusterBackend");
    object
}

/// Every subject is outside.
fn nobody() -> Value {
    let none = json!({ "deny": ["*"] });
    json!({ "users": none, "serviceAccounts": none, "teams": none, "groups": none })
}

fn serves_and_narrows<V: Simulated>() {
    simulated(1, async {
        let shared = Shared::<V>::new();
        let allow = json!({ "roleNames": ["*"], "restrictions": true });
        shared.share(json!({ "allow": allow }));
        let objects: Vec<Value> = V::objects().into_iter().map(through).collect();
        shared.cluster.apply_all(&objects);

        // A namespace that is not selected gets nothing.
        shared.all_report(&objects[..1], "Denied").await;
        shared.swept().await;
        assert_eq!(shared.external(), shared.seeded);
        shared.label(json!({ "shared": "yes" }));
        shared.all_report(&objects, "InSync").await;

        // A narrower ceiling removes nothing, and makes nothing again.
        let full = shared.external();
        shared.share(json!({ "allow": allow, "ceiling": nobody() }));
        let bindings: Vec<Value> = objects.iter().filter(|it| it["kind"] == "RoleBinding").cloned().collect();
        let message = shared.reports(&bindings[0], "Denied").await;
        assert!(message.contains(".deny of ClusterBackend"), "{message}");
        shared.swept().await;
        assert_eq!(shared.external(), full);
        if remove_grant(&shared.sim, &shared.seeded, &mut fastrand::Rng::with_seed(1)).is_some() {
            let less = shared.external();
            shared.swept().await;
            assert_eq!(shared.external(), less, "what was revoked by hand is outside now");
        }
        shared.share(json!({ "allow": allow }));
        shared.all_report(&objects, "InSync").await;
        assert_eq!(V::external(&shared.sim.world().tenant())[0], full[0]);

        // Neither does a namespace that is not selected any more; and what objects manage is deleted with them.
        let full = shared.external();
        shared.label(json!({}));
        shared.all_report(&objects, "Denied").await;
        shared.swept().await;
        assert_eq!(shared.external(), full);
        for object in objects.iter().rev() {
            let (kind, name) = kind_and_name(object);
            shared.cluster.api.delete(plural_of(kind), NAMESPACE, name);
        }
        shared.until("all are deleted", |cluster| cluster.objects().len() == 1).await;
        assert_eq!(shared.external(), shared.seeded);
        shared.until("the ClusterBackend is ready", |cluster| cluster.objects().iter().all(is_ready)).await;
        shared.cluster.process().kill();
    });
}

#[test]
fn selected_namespaces_are_served_on_arize() {
    serves_and_narrows::<Arize>();
}

#[test]
fn selected_namespaces_are_served_on_grafana() {
    serves_and_narrows::<Grafana>();
}

#[test]
fn selected_namespaces_are_served_on_lenses() {
    serves_and_narrows::<Lenses>();
}

#[test]
fn selected_namespaces_are_served_on_zenml() {
    serves_and_narrows::<ZenMl>();
}

/// What a ClusterBackend allows in these tests, with these further fields of `spec.allow`.
fn allow(more: Value) -> Value {
    let mut allow = json!({ "roleNames": ["*"] });
    for (field, value) in more.as_object().unwrap() {
        allow[field] = value.clone();
    }
    allow
}

/// The terms forbid the object, with a message that has these words, before any write; other terms allow it.
async fn refuses<V: Simulated>(
    shared: &Shared<V>,
    terms: Value,
    object: Value,
    words: &[&str],
    wider: Value,
) {
    let object = through(object);
    let (kind, name) = kind_and_name(&object);
    shared.share(terms.clone());
    shared.cluster.apply(object.clone());
    let before = shared.external();
    let message = shared.reports(&object, "Denied").await;
    words.iter().for_each(|words| assert!(message.contains(words), "{terms}: {message}"));
    shared.swept().await;
    assert_eq!(shared.external(), before, "{terms}");
    shared.share(wider.clone());
    shared.reports(&object, "InSync").await;
    assert_ne!(shared.external(), before, "{wider}");
    shared.cluster.api.delete(plural_of(kind), NAMESPACE, name);
    let is_deleted = |cluster: &Cluster| cluster.api.get(plural_of(kind), NAMESPACE, name).is_none();
    shared.until("the object is deleted", is_deleted).await;
    assert_eq!(shared.external(), before);
}

fn ceiling(ceiling: Value) -> Value {
    json!({ "allow": allow(json!({})), "ceiling": ceiling })
}

/// A binding of an existing role.
fn external(mut binding: Value, role: Value) -> Value {
    binding["spec"]["roleRef"] = json!({ "external": role });
    binding
}

fn selected() -> Shared<Arize> {
    let shared = Shared::<Arize>::new();
    shared.label(json!({ "shared": "yes" }));
    shared
}

/// Applies a Role that the ceiling allows.
async fn with_reader(shared: &Shared<Arize>) {
    shared.share(open());
    shared.cluster.apply(through(reads()));
    shared.reports(&reads(), "InSync").await;
}

fn open() -> Value {
    ceiling(json!({}))
}

fn reads() -> Value {
    role("reader", &["PROJECT_READ"], json!({}))
}

fn bob() -> Value {
    binding("readers", "reader", &["bob@example.com"], json!({}))
}

#[test]
fn rules_refuse_roles_and_restrictions_outside() {
    simulated(1, async {
        let shared = selected();
        let off = json!({ "allow": {} });
        refuses(
            &shared,
            off,
            reads(),
            &["spec.allow.roleNames of ClusterBackend arize does not allow Roles"],
            open(),
        )
        .await;
        let named = json!({ "allow": { "roleNames": ["{namespace}-*", "x"] } });
        let own = json!({ "allow": { "roleNames": ["read*"] } });
        refuses(&shared, named, reads(), &[r#"the role name "reader""#, "team-a-*"], own).await;
        let limit = json!({ "actions": { "allow": ["DATASET_*"] } });
        let wider = ceiling(json!({ "actions": { "allow": ["DATASET_*", "PROJECT_READ"] } }));
        refuses(&shared, ceiling(limit), reads(), &["spec.ceiling.actions.allow", "PROJECT_READ"], wider)
            .await;
        let limit = json!({ "actions": { "deny": ["project_*"] } });
        refuses(&shared, ceiling(limit), reads(), &["spec.ceiling.actions.deny", "project_*"], open()).await;
        let grants = role("granter", &["ROLE_BINDING_CREATE"], json!({}));
        let escalates = json!({ "allow": allow(json!({ "escalation": true })) });
        refuses(&shared, open(), grants, &["spec.allow.escalation", "ROLE_BINDING_CREATE"], escalates).await;
        let closed = restriction("churn", "churn", json!({}));
        let restricts = json!({ "allow": allow(json!({ "restrictions": true })) });
        refuses(&shared, open(), closed.clone(), &["spec.allow.restrictions"], restricts.clone()).await;
        let mut limit = restricts.clone();
        limit["ceiling"] = json!({ "scopes": { "allow": ["space:research"], "deny": ["project:churn"] } });
        refuses(&shared, limit, closed, &["spec.ceiling.scopes.deny", "project churn"], restricts).await;
        shared.cluster.process().kill();
    });
}

#[test]
fn rules_refuse_subjects_scopes_and_times_outside() {
    simulated(1, async {
        let shared = selected();
        with_reader(&shared).await;
        let dave = shared.sim.world().tenant().user_by_email("dave@example.com").unwrap().to_string();
        let limit = json!({ "users": { "allow": ["alice@*", "*@ops.example.com"] } });
        let wider = ceiling(json!({ "users": { "allow": ["*@EXAMPLE.com"] } }));
        refuses(&shared, ceiling(limit), bob(), &["spec.ceiling.users.allow", "bob@example.com"], wider)
            .await;
        // An id stands for its name.
        let by_id = binding("readers", "reader", &[&dave], json!({}));
        let limit = json!({ "users": { "deny": ["dave@*"] } });
        refuses(&shared, ceiling(limit), by_id, &["spec.ceiling.users.deny", "dave@example.com"], open())
            .await;
        let limit = json!({ "scopes": { "allow": ["space:store*"] } });
        let wider = ceiling(json!({ "scopes": { "allow": ["organization:Research"] } }));
        refuses(&shared, ceiling(limit), bob(), &["spec.ceiling.scopes.allow", "space research"], wider)
            .await;
        let limit = json!({ "scopes": { "deny": ["project:summaries"] } });
        let words = ["spec.ceiling.scopes.deny", "project summaries, which is inside the space research"];
        refuses(&shared, ceiling(limit), bob(), &words, open()).await;
        let limit = json!({ "maxDuration": "1h" });
        refuses(&shared, ceiling(limit), bob(), &["spec.ceiling.maxDuration", "spec.expiresAt"], open())
            .await;
        let mut late = bob();
        late["spec"]["expiresAt"] = json!(hours_from_now(3));
        let (limit, wider) = (json!({ "maxDuration": "1h" }), json!({ "maxDuration": "4h" }));
        refuses(&shared, ceiling(limit), late, &["spec.ceiling.maxDuration"], ceiling(wider)).await;
        let mut alone = bob();
        alone["spec"]["membership"] = json!("Authoritative");
        let authoritative = json!({ "allow": allow(json!({ "authoritative": true })) });
        refuses(&shared, open(), alone, &["spec.allow.authoritative"], authoritative).await;
        shared.cluster.process().kill();
    });
}

#[test]
fn existing_roles_are_judged_by_what_they_allow_now() {
    simulated(1, async {
        let shared = selected();
        with_reader(&shared).await;
        let admin = shared.sim.world().tenant().role_by_name("Admin").unwrap().to_string();
        let reviewers = || external(bob(), json!({ "name": "Legacy reviewer" }));
        let limit = json!({ "roles": { "deny": ["legacy*"] } });
        refuses(
            &shared,
            ceiling(limit),
            reviewers(),
            &["spec.ceiling.roles.deny", "Legacy reviewer"],
            open(),
        )
        .await;
        let administrators = external(bob(), json!({ "id": admin }));
        let limit = json!({ "allow": allow(json!({ "escalation": true })), "ceiling": { "roles": { "deny": ["admin"] } } });
        let escalates = json!({ "allow": allow(json!({ "escalation": true })) });
        refuses(
            &shared,
            limit,
            administrators.clone(),
            &["spec.ceiling.roles.deny", "Admin"],
            escalates.clone(),
        )
        .await;
        refuses(&shared, open(), administrators, &["spec.allow.escalation", "the role Admin"], escalates)
            .await;
        shared.share(open());
        let reviewers = through(reviewers());
        shared.cluster.apply(reviewers.clone());
        shared.reports(&reviewers, "InSync").await;
        let widen = |permission: &str| {
            let mut tenant = shared.sim.world().tenant();
            let id = tenant.role_by_name("Legacy reviewer").unwrap();
            tenant.roles.get_mut(id).unwrap().permissions.push(permission.to_owned());
        };
        widen("USER_UPDATE");
        let full = shared.external();
        let message = shared.reports(&reviewers, "Denied").await;
        assert!(message.contains("USER_UPDATE of the role Legacy reviewer"), "{message}");
        shared.swept().await;
        assert_eq!(shared.external(), full, "a role that became wider is marked, and stays granted");

        // What exists is adopted only if that is allowed.
        let mut found = through(role(
            "found",
            &["PROJECT_READ", "PROJECT_SPAN_READ"],
            json!({ "name": "Legacy reviewer" }),
        ));
        found["spec"]["adopt"] = json!("Always");
        shared.cluster.apply(found.clone());
        let message = shared.reports(&found, "Conflict").await;
        assert!(
            message.contains("spec.allow.adopt of the ClusterBackend does not allow adopting it"),
            "{message}"
        );
        let mut taken = open();
        taken["allow"] = json!({ "adopt": true, "roleNames": ["{namespace}-*"] });
        shared.share(taken);
        let message = shared.reports(&found, "Denied").await;
        assert!(message.contains("spec.allow.roleNames"), "{message}");
        assert_eq!(shared.external(), full);
        shared.cluster.process().kill();
    });
}

fn hours_from_now(hours: i64) -> String {
    seconds_from_now(hours * 3600)
}

/// The operator reads the real clock, also in simulated time.
fn seconds_from_now(seconds: i64) -> String {
    whole_seconds(jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds))
}

fn whole_seconds(time: jiff::Timestamp) -> String {
    jiff::Timestamp::from_second(time.as_second()).unwrap().to_string()
}

/// Grants end when they must, whatever their user does with the objects. `is_deselected`: the namespace is not served any more.
fn grants_end(is_deselected: bool) {
    type Change = fn(&mut Value);
    let pause = |binding: &mut Value| {
        binding["metadata"]["annotations"] = json!({ "rolewright.dev/pause": "for ever" });
    };
    let changes: [(&str, Change); 5] = [
        ("alice@example.com", |binding| binding["spec"]["expiresAt"] = json!(hours_from_now(2000))),
        ("bob@example.com", |binding| drop(binding["spec"].as_object_mut().unwrap().remove("expiresAt"))),
        ("carol@example.com", |binding| binding["spec"]["mode"] = json!("Plan")),
        ("erin@example.com", pause),
        ("ann@example.com", pause),
    ];
    simulated(1, async {
        let shared = selected();
        with_reader(&shared).await;
        let before = shared.external();
        shared.share(ceiling(json!({ "maxDuration": "1h" })));
        let end = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(10);
        let mut bindings = changes.map(|(user, change)| {
            let name = user.split('@').next().unwrap();
            let mut binding = through(binding(name, "reader", &[user], json!({})));
            binding["spec"]["expiresAt"] = json!(whole_seconds(end));
            (binding, change)
        });
        bindings.iter().for_each(|(binding, _)| shared.cluster.apply(binding.clone()));
        for (binding, _) in &bindings {
            shared.reports(binding, "InSync").await;
        }
        for (binding, change) in &mut bindings {
            change(binding);
            shared.cluster.apply(binding.clone());
        }
        assert_eq!(shared.external()[1].as_array().unwrap().len(), before[1].as_array().unwrap().len() + 5);
        // Deleted while it is paused.
        shared.cluster.api.delete("rolebindings", NAMESPACE, "ann");
        if is_deselected {
            shared.label(json!({}));
        }
        // Simulated time stands still meanwhile.
        while jiff::Timestamp::now() <= end {
            std::thread::sleep(Duration::from_millis(50));
        }
        shared.until("nobody has the role", |_| shared.external() == before).await;
        shared.cluster.process().kill();
    });
}

#[test]
fn end_of_a_grant_cannot_be_avoided() {
    grants_end(false);
}

#[test]
fn grants_end_in_a_namespace_that_is_not_served_any_more() {
    grants_end(true);
}

#[test]
fn retain_keeps_no_grant_that_must_end() {
    simulated(1, async {
        let shared = selected();
        with_reader(&shared).await;
        let before = shared.external();
        shared.share(ceiling(json!({ "maxDuration": "1h" })));
        let mut retained = through(bob());
        retained["spec"]["expiresAt"] = json!(seconds_from_now(1800));
        retained["spec"]["deletionPolicy"] = json!("Retain");
        shared.cluster.apply(retained.clone());
        shared.reports(&retained, "InSync").await;
        shared.cluster.api.delete("rolebindings", NAMESPACE, "readers");
        let is_deleted = |cluster: &Cluster| cluster.api.get("rolebindings", NAMESPACE, "readers").is_none();
        shared.until("it is deleted", is_deleted).await;
        assert_eq!(shared.external(), before);
        shared.cluster.process().kill();
    });
}

#[test]
fn id_of_a_user_is_judged_as_a_user() {
    simulated(1, async {
        let shared = selected();
        with_reader(&shared).await;
        let dave = shared.sim.world().tenant().user_by_email("dave@example.com").unwrap().to_string();
        let mut disguised = bob();
        disguised["spec"]["subjects"] = json!([{ "kind": "ServiceAccount", "name": dave }]);
        let limit = json!({ "users": { "allow": ["alice@*"] } });
        refuses(&shared, ceiling(limit), disguised, &["outside of spec.ceiling.users"], open()).await;
        shared.cluster.process().kill();
    });
}

#[test]
fn scopes_limit_nothing_where_grants_have_none() {
    simulated(1, async {
        let shared = Shared::<Grafana>::new();
        shared.label(json!({ "shared": "yes" }));
        shared.share(ceiling(json!({ "scopes": { "allow": ["folder:Team *"] } })));
        let objects: Vec<Value> = Grafana::objects().into_iter().map(through).collect();
        shared.cluster.apply_all(&objects);
        shared.all_report(&objects, "InSync").await;
        shared.cluster.process().kill();
    });
}

/// A member of a group who is outside now keeps what it has, and gets no other role with the others.
#[test]
fn denied_member_gets_no_other_role_with_its_group() {
    simulated(1, async {
        let shared = Shared::<Lenses>::new();
        shared.label(json!({ "shared": "yes" }));
        let allow = json!({ "roleNames": ["*"] });
        shared.share(json!({ "allow": allow }));
        let mut objects: Vec<Value> = Lenses::objects().into_iter().map(through).collect();
        objects.retain(|object| object["metadata"]["name"] != "teams");
        objects.push(through(lenses::role("writer", json!({}))));
        shared.cluster.apply_all(&objects);
        shared.all_report(&objects, "InSync").await;
        let full = shared.external();
        shared.share(json!({ "allow": allow, "ceiling": { "users": { "deny": ["alice@*"] } } }));
        let mut binding = objects.iter().find(|it| it["kind"] == "RoleBinding").unwrap().clone();
        shared.reports(&binding, "Denied").await;
        binding["spec"]["roleRef"] = json!({ "name": "writer" });
        shared.cluster.apply(binding.clone());
        let message = shared.reports(&binding, "Denied").await;
        shared.swept().await;
        assert_eq!(shared.external(), full, "{message}");
        // Neither under the name of an account that does not exist.
        let mut disguised = binding.clone();
        disguised["spec"]["subjects"][0]["kind"] = json!("ServiceAccount");
        assert_eq!(disguised["spec"]["subjects"][0]["name"], "alice@example.com");
        shared.cluster.apply(disguised.clone());
        shared.reports(&disguised, "Denied").await;
        shared.swept().await;
        assert_eq!(shared.external(), full);
        // Without her, the others get it.
        let subjects = binding["spec"]["subjects"].as_array_mut().unwrap();
        subjects.retain(|subject| subject["name"] != "alice@example.com");
        shared.cluster.apply(binding.clone());
        shared.reports(&binding, "InSync").await;
        shared.cluster.process().kill();
    });
}
