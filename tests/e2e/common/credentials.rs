//! Credentials that are wrong, expire, come back, are missing or belong to another account. Nothing is written, nothing is lost, and the
//! Backend reports what to do.

use kube::api::{DynamicObject, Patch};
use rolewright_simulators::{
    arize::{self, Kind, Simulator},
    kit::log::Entry,
};
use serde_json::{Value, json};

use crate::support::{
    ADMIN_CREDENTIAL, World, WorldBuilder, backend, condition, echo, has_finalizer, http_status, managed_ids,
    restriction, role,
};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";
const SECRET_HOSTS: &str = "rolewright.dev/secret-hosts";

fn refusals(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| entry.status == Some(401)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credential_makes_few_calls_until_the_secret_changes() {
    let world = World::without_backend("wrong-credential").await;
    world.apply_secret("no-such-key").await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    for n in 0..10 {
        world.apply(role(&format!("reader-{n}"), &[READ], json!({}))).await;
    }
    world.reports("Backend", "arize", "Denied", &["does not accept the credential", "Secret"]).await;
    world.reports("Role", "reader-9", "BackendNotReady", &["Backend arize", "does not accept"]).await;
    let requests = world.until_requests(0, "three probes", |entries| refusals(entries) >= 6).await;
    assert!(requests.len() <= 8, "{} requests for three probes", requests.len());
    world.assert_no_writes(0);
    assert!(!has_finalizer(&world.get("Role", "reader-9").await), "it manages nothing");
    world.apply_secret(ADMIN_CREDENTIAL).await;
    world.ready("Backend", "arize").await;
    for n in 0..10 {
        world.ready("Role", &format!("reader-{n}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credential_changes_no_object_and_is_probed_rarely() {
    let world = World::in_sync("expired").await;
    let (versions, checkpoint) = (world.resource_versions().await, world.checkpoint());
    let since = world.log_position();
    world.expire_credential();
    world.reports("Backend", "arize", "Denied", &["does not accept the credential"]).await;
    let version = world.get("Backend", "arize").await.metadata.resource_version;
    let requests = world.until_requests(since, "probes", |entries| refusals(entries) >= 7).await;
    let first = requests.iter().find(|entry| entry.status == Some(401)).unwrap().time;
    let last = requests.last().unwrap().time;
    assert!(last.duration_since(first).as_secs() >= 2, "{} requests at once", requests.len());
    let now = world.get("Backend", "arize").await;
    assert_eq!(now.metadata.resource_version, version, "an unchanged status was written again");
    assert_eq!(world.resource_versions().await, versions);
    world.assert_no_writes(since);

    world.revive_credential();
    world.ready("Backend", "arize").await;
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions);
    world.assert_unchanged(&checkpoint, "an expired credential");
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    world.ready("Role", "reader").await;
}

/// A proxy in front of a back end can have its own rules.
#[tokio::test(flavor = "multi_thread")]
async fn refused_credential_on_one_path_concerns_only_its_object() {
    let builder = WorldBuilder::new("one-401").args(["--probe-backoff", "600"]);
    let world = builder.build_connected(json!({})).await;
    world.ready("Backend", "arize").await;
    world.inject_fault(&["POST"], "/v2/roles", http_status(401));
    world.apply(role("reader", &[READ], json!({}))).await;
    world.reports("Role", "reader", "Denied", &["accepts the credential, but not for this"]).await;
    world.full_sweep().await;
    world.full_sweep().await;
    assert_eq!(world.count_requests(0, "POST", "/v2/roles"), 2, "one retry after the credential was probed");
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("ResourceRestriction", "churn").await;
    world.ready("Backend", "arize").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_change_of_one_object_leaves_others_working() {
    let world = World::in_sync("one-403").await;
    world.apply(role("other", &[READ], json!({}))).await;
    let id = managed_ids(&world.ready("Role", "other").await).remove(0);
    let path = format!("/v2/roles/{id}");
    world.inject_fault(&["PATCH"], &path, http_status(403));
    let since = world.log_position();
    world.apply(role("other", &[READ, WRITE], json!({}))).await;
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    let denied = world.reports("Role", "other", "Denied", &["ROLE_UPDATE"]).await;
    assert_eq!(managed_ids(&denied), [id]);
    assert_eq!(denied.data["status"]["plan"]["summary"], "+0 ~1 -0");
    world.ready("Role", "reader").await;
    world.ready("Backend", "arize").await;
    world.full_sweep().await;
    world.full_sweep().await;
    let attempts = world.count_requests(since, "PATCH", &path);
    // A sweep that began before the refusal was recorded can cause one more attempt.
    assert!(attempts <= 2, "a refused change is retried too often: {attempts} attempts");
    world.delete_and_wait("Role", "other").await;
    world.clear_faults();
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credential_blocks_changes_and_deletions() {
    let world = World::in_sync("expired-deletion").await;
    let access = world.access();
    world.expire_credential();
    world.reports("Backend", "arize", "Denied", &[]).await;
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    world.reports("Role", "reader", "BackendNotReady", &["does not accept the credential"]).await;
    world.delete("RoleBinding", "readers").await;
    world.reports("RoleBinding", "readers", "BackendNotReady", &["cannot be removed now"]).await;
    assert_eq!(managed_ids(&world.get("RoleBinding", "readers").await).len(), 2);
    assert_eq!(world.access(), access);
    world.revive_credential();
    world.wait_deleted("RoleBinding", "readers").await;
    world.ready("Role", "reader").await;
    assert!(world.roles_by_user("research").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_secret_key_and_host_are_reported_with_a_fix() {
    let world = World::without_backend("no-secret").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world
        .reports("Role", "reader", "BackendNotReady", &["there is no Backend arize in this namespace"])
        .await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.reports("Backend", "arize", "NotFound", &["there is no Secret arize-key"]).await;
    world.reports("Role", "reader", "BackendNotReady", &["there is no Secret arize-key"]).await;

    let host = world.sim.address();
    let secret = |hosts: &str, key: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "arize-key", "annotations": { "rolewright.dev/hosts": hosts } },
            "stringData": { key: ADMIN_CREDENTIAL },
        })
    };
    world.apply(secret("api.arize.com", "key")).await;
    let command = format!(
        "kubectl annotate --overwrite --namespace {} secret arize-key rolewright.dev/hosts=\"api.arize.com,{host}\"",
        world.namespace
    );
    world.reports("Backend", "arize", "Denied", &["does not name", "api.arize.com", &command]).await;
    assert!(world.requests_since(0).is_empty(), "the credential was sent");
    world.delete_secret().await;
    world.apply(secret(&format!("api.arize.com, {host}"), "token")).await;
    world.reports("Backend", "arize", "NotFound", &["no key key", "token"]).await;
    assert!(world.requests_since(0).is_empty());
    world.apply(secret(&format!("api.arize.com, {host}"), "key")).await;
    world.ready("Backend", "arize").await;
    world.ready("Role", "reader").await;
}

/// A controller that rotates the Secret writes no annotation.
#[tokio::test(flavor = "multi_thread")]
async fn namespace_names_the_hosts_of_a_secret_without_annotation() {
    let world = World::without_backend("namespace-hosts").await;
    let (host, namespace) = (world.sim.address(), world.namespace.clone());
    let secret = |annotations: Value| {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "arize-key", "annotations": annotations },
            "stringData": { "key": ADMIN_CREDENTIAL },
        })
    };
    world.apply(secret(json!({}))).await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    let entry = format!("arize-key={host}");
    let both = [
        "kubectl annotate --overwrite",
        "rolewright.dev/hosts=",
        &entry,
        "rolewright.dev/secret-hosts of Namespace",
        &namespace,
    ];
    world.reports("Backend", "arize", "Denied", &both).await;
    world.annotate_namespace(SECRET_HOSTS, format!("other={host}\narize-key=api.arize.com")).await;
    world.reports("Backend", "arize", "Denied", &["it names \"api.arize.com\""]).await;
    assert!(world.requests_since(0).is_empty(), "the credential was sent");
    world.annotate_namespace(SECRET_HOSTS, format!("other=api.arize.com\n{entry}\n")).await;
    world.ready("Backend", "arize").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    // The annotation of the Secret comes first.
    world.apply(secret(json!({ "rolewright.dev/hosts": "api.arize.com" }))).await;
    world.reports("Backend", "arize", "Denied", &["it names \"api.arize.com\""]).await;
    world.apply(secret(json!({}))).await;
    world.ready("Backend", "arize").await;
    world.annotate_namespace(SECRET_HOSTS, Value::Null).await;
    world.reports("Backend", "arize", "Denied", &["it names none"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_secret_for_certificates_stay_unknown() {
    let world = World::new("ca-keys").await;
    world
        .apply(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "other" },
            "stringData": { "password-of-payroll": "x" },
        }))
        .await;
    let tls = json!({ "tls": { "caSecretRef": { "name": "other", "key": "ca.crt" } } });
    world.apply(backend(&world.sim.url(), tls)).await;
    world.reports("Backend", "arize", "NotFound", &["Secret other has no key ca.crt"]).await;
    let backend = world.get("Backend", "arize").await;
    assert!(!backend.data["status"].to_string().contains("payroll"), "{:?}", backend.data["status"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_and_restored_secret_changes_nothing() {
    let world = World::in_sync("secret-restored").await;
    let versions = world.resource_versions().await;
    let checkpoint = world.checkpoint();
    world.delete_secret().await;
    world.reports("Backend", "arize", "NotFound", &["there is no Secret arize-key"]).await;
    world.apply_secret(ADMIN_CREDENTIAL).await;
    world.ready("Backend", "arize").await;
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions);
    world.assert_unchanged(&checkpoint, "a missing Secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn backend_moved_to_another_account_is_a_conflict() {
    let world = World::in_sync("moved").await;
    let other = Simulator::start(arize::Options::new(ADMIN_CREDENTIAL)).await.unwrap();
    let hosts = format!("{},{}", world.sim.address(), other.address());
    let hosts = json!({ "metadata": { "annotations": { "rolewright.dev/hosts": hosts } } });
    let secrets = world.api("v1", "Secret");
    secrets.patch("arize-key", &Default::default(), &Patch::Merge(hosts)).await.unwrap();
    world.full_sweep().await;
    let (versions, access) = (world.resource_versions().await, world.access());
    world.apply(backend(&other.url(), json!({}))).await;
    world.reports("Backend", "arize", "Conflict", &["another one", "Point it back"]).await;
    let requests = other.world().log.since(0).requests;
    assert!(!requests.iter().any(Entry::is_write), "a write to the other account: {requests:?}");
    assert_eq!(world.resource_versions().await, versions);
    assert_eq!(world.access(), access);
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.ready("Backend", "arize").await;
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions);
    assert!(!other.world().log.since(0).requests.iter().any(Entry::is_write));
}

/// Replaces the account with another one: other organizations, and no role that an object manages. Returns the old account.
fn replace_account(world: &World) -> arize::Tenant {
    world.sim.edit(|tenant| {
        let old = tenant.clone();
        let organizations: Vec<_> = tenant.organizations.iter().map(|one| one.id).collect();
        let roles: Vec<_> =
            tenant.roles.iter().filter(|role| !role.is_predefined).map(|role| role.id).collect();
        organizations.into_iter().for_each(|id| tenant.drop_organization(id));
        roles.into_iter().for_each(|id| {
            tenant.roles.remove(id);
        });
        let id = tenant.issue(Kind::AccountOrganization);
        tenant.organizations.insert(arize::organizations::Organization {
            id,
            name: "Elsewhere".to_owned(),
            description: String::new(),
            created_at: arize::state::now(),
        });
        old
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_of_another_account_is_a_conflict() {
    let mut world = World::in_sync("other-account").await;
    let versions = world.resource_versions().await;
    world.expire_credential();
    world.reports("Backend", "arize", "Denied", &[]).await;
    let old = replace_account(&world);
    world.add_credential("other", "other-key", world.admin_grant());
    let since = world.log_position();
    world.apply_secret("other-key").await;
    world.reports("Backend", "arize", "Conflict", &["another one", "Point it back"]).await;
    // The same for an operator that has just started.
    world.operator.kill();
    world.restart();
    world
        .until_requests(world.log_position(), "a probe", |entries| {
            entries.iter().any(|entry| entry.status == Some(200))
        })
        .await;
    world.reports("Backend", "arize", "Conflict", &["another one"]).await;
    world.assert_no_writes(since);
    assert_eq!(world.resource_versions().await, versions);

    *world.sim.world().tenant() = old;
    world.revive_credential();
    world.apply_secret(ADMIN_CREDENTIAL).await;
    world.ready("Backend", "arize").await;
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions);
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_never_appears_in_output() {
    let world = World::in_sync("secrecy").await;
    // The account repeats the credential in an error.
    let detail = format!("the key {ADMIN_CREDENTIAL} may not do this");
    let error = echo(403, json!({ "status": 403, "title": "No", "detail": detail }));
    world.inject_fault(&["PATCH"], "/v2/roles/**", error);
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    world.reports("Role", "reader", "Denied", &["may not do this"]).await;
    world.expire_credential();
    world.reports("Backend", "arize", "Denied", &[]).await;
    // An unknown credential.
    let other = "another-key-0123456789";
    world.apply_secret(other).await;
    world
        .until_requests(world.log_position(), "the other credential", |entries| {
            entries.iter().any(|entry| entry.credential.is_none() && entry.status == Some(401))
        })
        .await;
    let text = world.public_output().await;
    for credential in [ADMIN_CREDENTIAL, other] {
        let at = text.find(credential);
        assert!(
            at.is_none(),
            "the credential is in: {}",
            &text[at.unwrap().saturating_sub(200)..at.unwrap()]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backend_reports_sweeps_that_fail() {
    let world = World::new("synced").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let synced = |status: &'static str| {
        move |backend: &DynamicObject| condition(backend, "Synced")["status"] == status
    };
    world.until("Backend", "arize", "synced", synced("True")).await;
    world.inject_fault(&["GET"], "/v2/roles", http_status(500));
    world.request_reconcile("Backend", "arize", "1").await;
    let failing = world.until("Backend", "arize", "not synced", synced("False")).await;
    assert_eq!(condition(&failing, "Synced")["reason"], "PartlyRead");
    let message = condition(&failing, "Synced")["message"].to_string();
    assert!(message.contains("all roles: GET /v2/roles answered 500"), "{message}");
    assert_eq!(failing.data["status"]["lastHandledReconcileAt"], json!(null), "the sweep has not succeeded");
    world.clear_faults();
    world.request_reconcile("Backend", "arize", "2").await;
    world.until("Backend", "arize", "synced again", synced("True")).await;
    let handled = |backend: &DynamicObject| backend.data["status"]["lastHandledReconcileAt"] == "2";
    world.until("Backend", "arize", "the request is handled", handled).await;
}
