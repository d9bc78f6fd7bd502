//! ResourceRestrictions on Grafana: they remove the default permissions of a folder, dashboard or data source, and restore them when
//! they are deleted.

use std::collections::BTreeMap;

use kube::ResourceExt;
use rolewright_simulators::{
    grafana::{
        Grafana,
        basic_role::BasicRole::{Editor, Viewer},
        managed::{
            ManagedPermission,
            ResourceKind::{self, Dashboards, Datasources, Folders},
            Subject,
        },
    },
    kit::faults::Action,
};
use serde_json::{Value, json};

use crate::support::{
    World,
    grafana::{SUBJECTS, backend, binding, restriction, role},
    has_finalizer, has_reason, http_status, managed_ids, plan,
};

const KIND: &str = "ResourceRestriction";

fn defaults(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(role, permission)| ((*role).to_owned(), (*permission).to_owned())).collect()
}

/// The default permissions of the folder `SRE` in the seed.
pub fn view_and_edit() -> BTreeMap<String, String> {
    defaults(&[("Viewer", "View"), ("Editor", "Edit")])
}

/// A Grafana whose folder `SRE` is restricted.
pub async fn restricted(name: &str) -> World<Grafana> {
    let world = World::grafana(name).await;
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.ready(KIND, "sre").await;
    assert!(world.default_permissions(Folders, "sre").0.is_empty());
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn default_permissions_are_removed_and_restored() {
    let world = World::grafana("grafana-restrict").await;
    let cases: [(&str, ResourceKind, &str, Value); 3] = [
        ("sre", Folders, "sre", json!({ "folder": "SRE" })),
        ("home", Dashboards, "home", json!({ "dashboard": "Home" })),
        ("metrics", Datasources, "prometheus-main", json!({ "dataSource": "uid:prometheus-main" })),
    ];
    let mut before = Vec::new();
    for (name, kind, uid, resource) in &cases {
        let (defaults, others) = world.default_permissions(*kind, uid);
        assert!(defaults.len() == 2 && others > 0, "{defaults:?}");
        before.push((defaults, others));
        world.apply(restriction(name, resource.clone(), json!({}))).await;
    }
    for ((name, kind, uid, _), (defaults, others)) in cases.iter().zip(&before) {
        let ready = world.ready(KIND, name).await;
        assert_eq!(world.default_permissions(*kind, uid), (BTreeMap::new(), *others), "{name}");
        assert_eq!(ready.data["status"]["held"][0]["taken"], json!(defaults));
        let note = world.event(name, "Restricted").await;
        for (role, permission) in defaults {
            assert!(note.contains(&format!("- {permission} for {role}")), "{note}");
        }
    }
    world.full_sweep().await;
    world.assert_steady().await;
    world.delete_all(&cases.each_ref().map(|(name, ..)| (KIND, *name))).await;
    for ((_, kind, uid, _), before) in cases.iter().zip(before) {
        assert_eq!(world.default_permissions(*kind, uid), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn message_names_the_access_that_remains() {
    let world = World::grafana("grafana-remaining").await;
    world.set_default_permission(Folders, "sre-runbooks", Viewer, "Edit");
    world.apply(restriction("runbooks", json!({ "folder": "SRE/Runbooks" }), json!({}))).await;
    let words = &[
        "closed to its defaults, those of Viewer and Editor",
        "View for Viewer (from a parent folder)",
        "Edit for Editor (from a parent folder)",
        "only some of the actions of View, Edit or Admin",
    ];
    world.reports(KIND, "runbooks", "InSync", words).await;
    // The remaining access changes, and the message follows.
    world.set_default_permission(Folders, "sre", Viewer, "");
    world
        .until(KIND, "runbooks", "without View for Viewer in its message", |it| {
            has_reason(it, "InSync", &["Edit for Editor"]) && !has_reason(it, "InSync", &["View for Viewer"])
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_names_who_has_access_by_managed_roles() {
    let mut world = restricted("grafana-let-in").await;
    let rules = json!([{ "actions": ["dashboards:read"], "resources": ["folders:uid:sre"] }]);
    world.apply(role("incident-room", json!({ "rules": rules }))).await;
    world.apply(binding("on-call", "incident-room", &SUBJECTS[..1], json!({}))).await;
    world.ready("RoleBinding", "on-call").await;
    let named =
        &["closed to its defaults", "alice@example.com (by the role incident-room)", "Grafana does not show"];
    world.until(KIND, "sre", "with alice in its message", |it| has_reason(it, "InSync", named)).await;
    world.full_sweep().await;
    world.assert_steady().await;
    let before = world.ready(KIND, "sre").await.resource_version();
    world.restart();
    world.full_sweep().await;
    assert_eq!(world.ready(KIND, "sre").await.resource_version(), before, "a restart wrote the status");
    world.delete_all(&[("RoleBinding", "on-call"), ("Role", "incident-room")]).await;
    world
        .until(KIND, "sre", "without the role", |it| {
            has_reason(it, "InSync", &["closed"]) && !has_reason(it, "InSync", &["incident-room"])
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unseen_folder_in_a_rule_is_only_a_hint() {
    let world = World::grafana("grafana-unseen").await;
    let rules = |uid: &str| json!({ "rules": [{ "actions": ["dashboards:read"], "resources": [format!("folders:uid:{uid}")] }] });
    world.apply(role("misspelt", rules("does-not-exist"))).await;
    world.apply(role("correct", rules("sre"))).await;
    world.reports("Role", "misspelt", "InSync", &["the role is as the spec says"]).await;
    // Only now does a sweep read the list of folders.
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    let words =
        &["check spec.rules", "the scope folders:uid:does-not-exist", "or the credential cannot read it"];
    world.until("Role", "misspelt", "with a hint", |it| has_reason(it, "InSync", words)).await;
    let correct = world.ready("Role", "correct").await;
    assert!(!has_reason(&correct, "InSync", &["check spec.rules"]), "{:?}", correct.data["status"]);
    world.full_sweep().await;
    world.assert_steady().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_corrected_until_the_object_is_deleted() {
    let world = restricted("grafana-restrict-drift").await;
    world.set_default_permission(Folders, "sre", Viewer, "Admin");
    let note = world.event("sre", "DriftCorrected").await;
    assert!(note.contains("- Admin for Viewer"), "{note}");
    world.ready(KIND, "sre").await;
    assert!(world.default_permissions(Folders, "sre").0.is_empty());

    // A user opens the folder to editors while the object is paused, and the object is deleted.
    world.annotate(KIND, "sre", "rolewright.dev/pause", "true").await;
    world.reports(KIND, "sre", "InSync", &["paused"]).await;
    world.set_default_permission(Folders, "sre", Editor, "View");
    world.delete(KIND, "sre").await;
    world.annotate(KIND, "sre", "rolewright.dev/pause", Value::Null).await;
    world.wait_deleted(KIND, "sre").await;
    let note = world.event("sre", "Unrestricted").await;
    assert!(note.contains("+ View for Viewer") && note.contains("others restored View for Editor"), "{note}");
    assert_eq!(
        world.default_permissions(Folders, "sre").0,
        defaults(&[("Viewer", "View"), ("Editor", "View")])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn resource_without_defaults_is_adopted_and_stays_restricted() {
    let world = World::grafana("grafana-restrict-adopt").await;
    world.set_default_permission(Folders, "sre", Viewer, "");
    world.set_default_permission(Folders, "sre", Editor, "");
    world.apply(restriction("never", json!({ "folder": "SRE" }), json!({ "adopt": "Never" }))).await;
    world.reports(KIND, "never", "Conflict", &[]).await;
    world.delete_and_wait(KIND, "never").await;
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.ready(KIND, "sre").await;
    world.event("sre", "Adopted").await;
    let since = world.log_position();
    world.delete_and_wait(KIND, "sre").await;
    world.event("sre", "Released").await;
    world.assert_no_writes(since);
    assert!(world.default_permissions(Folders, "sre").0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn second_restriction_takes_over_when_the_first_is_deleted() {
    let world = restricted("grafana-restrict-two").await;
    world.apply(restriction("second", json!({ "folder": "uid:sre" }), json!({}))).await;
    world.reports(KIND, "second", "Conflict", &["ResourceRestriction"]).await;
    let since = world.log_position();
    world.delete_and_wait(KIND, "sre").await;
    let second = world.ready(KIND, "second").await;
    world.assert_no_writes(since);
    assert_eq!(second.data["status"]["held"][0]["taken"], json!(view_and_edit()));
    world.delete_and_wait(KIND, "second").await;
    assert_eq!(world.default_permissions(Folders, "sre").0, view_and_edit());
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_and_unknown_resources_are_reported() {
    let world = World::grafana("grafana-restrict-names").await;
    world.apply(restriction("twins", json!({ "folder": "Runbooks" }), json!({}))).await;
    let words = &["folder:sre-runbooks", "folder:data-runbooks"];
    world.reports(KIND, "twins", "Invalid", words).await;
    world.apply(restriction("nowhere", json!({ "folder": "Nowhere" }), json!({}))).await;
    world.reports(KIND, "nowhere", "NotFound", &["no folder \"Nowhere\""]).await;
    world.apply(restriction("typo", json!({ "folder": "uid:typo" }), json!({}))).await;
    world.reports(KIND, "typo", "NotFound", &["no permissions of folder folder:typo"]).await;
    let since = world.log_position();
    world.full_sweep().await;
    world.full_sweep().await;
    let requests = world.count_requests(since, "GET", "/api/access-control/folders/typo");
    assert!((1..=6).contains(&requests), "{requests} requests instead of one per sweep");
    world.apply(restriction("none", json!({ "folder": "SRE", "dashboard": "Payroll" }), json!({}))).await;
    world.reports(KIND, "none", "NotFound", &["in folder SRE"]).await;
    world.apply(restriction("wrong", json!({ "project": "churn" }), json!({}))).await;
    world.reports(KIND, "wrong", "Invalid", &["folder or dashboard or dataSource"]).await;
    let both = json!({ "folder": "SRE", "dataSource": "Loki" });
    let refused = world.try_apply(restriction("both", both, json!({}))).await.unwrap_err().to_string();
    assert!(refused.contains("write one of: project (with its space); folder;"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restriction_of_a_deleted_folder_can_be_deleted() {
    let world = World::grafana("grafana-restrict-deleted").await;
    world.apply(restriction("finance", json!({ "id": "folder:finance" }), json!({}))).await;
    world.ready(KIND, "finance").await;
    world.sim.edit(|tenant| {
        tenant.folders.retain(|folder| folder.uid != "finance");
        tenant.forget_resource(1, Folders, "finance");
    });
    world.reports(KIND, "finance", "NotFound", &[]).await;
    let since = world.log_position();
    world.delete_and_wait(KIND, "finance").await;
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_mode_shows_the_permissions_to_remove() {
    let world = World::grafana("grafana-restrict-plan").await;
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({ "mode": "Plan" }))).await;
    let object = world.reports(KIND, "sre", "Planned", &[]).await;
    assert!(managed_ids(&object).is_empty() && !has_finalizer(&object));
    let details = &plan(&object)["changes"][0]["details"];
    assert_eq!(details, &json!(["- Edit for Editor", "- View for Viewer"]));
    assert_eq!(world.default_permissions(Folders, "sre").0, view_and_edit());
}

/// The paths that read and write the permissions of the folder `SRE`.
const READ: &str = "/api/access-control/folders/sre";
const WRITES: &str = "/api/access-control/folders/sre/builtInRoles/*";

/// A restriction is created and deleted. The first `times` requests of these methods meet `action`, in both phases.
async fn lifecycle(name: &str, methods: &[&str], action: Action, times: u64) {
    let world = World::grafana(name).await;
    let path = if methods == ["GET"] { READ } else { WRITES };
    world.inject_fault_times(methods, path, action.clone(), times);
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    let ready = world.ready(KIND, "sre").await;
    assert_eq!(ready.data["status"]["held"][0]["taken"], json!(view_and_edit()));
    assert!(world.default_permissions(Folders, "sre").0.is_empty());
    world.faults_exhausted().await;
    world.inject_fault_times(methods, path, action, times);
    world.delete_and_wait(KIND, "sre").await;
    assert_eq!(world.default_permissions(Folders, "sre").0, view_and_edit());
    world.faults_exhausted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_and_lost_requests_are_retried() {
    lifecycle("grafana-restrict-post", &["POST"], http_status(500), 1).await;
    lifecycle("grafana-restrict-lost", &["POST"], Action::AnswerLost, 1).await;
    lifecycle("grafana-restrict-get", &["GET"], http_status(503), 4).await;
}

/// Waits until no basic role has a permission on the folder `SRE`.
async fn until_restricted(world: &World<Grafana>) {
    let is_default =
        |row: &ManagedPermission| row.resource_id == "sre" && matches!(row.subject, Subject::BuiltInRole(_));
    world
        .until_account("the folder is restricted", |tenant| {
            !tenant.managed_permissions.iter().any(is_default)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_before_the_record_still_restores_everything() {
    let mut world = World::grafana("grafana-restrict-crash").await;
    world.inject_fault(&["POST"], &format!("{READ}/builtInRoles/Viewer"), Action::Hold { after_work: true });
    let since = world.log_position();
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    until_restricted(&world).await;
    world.operator.kill();
    world.clear_faults();
    world.restart();
    let ready = world.ready(KIND, "sre").await;
    assert_eq!(ready.data["status"]["held"][0]["taken"], json!(view_and_edit()));
    let writes = ["Editor", "Viewer"].map(|role| format!("POST {READ}/builtInRoles/{role}"));
    assert_eq!(world.writes_since(since), writes);
    world.delete_and_wait(KIND, "sre").await;
    assert_eq!(world.default_permissions(Folders, "sre").0, view_and_edit());
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_restriction_restores_nothing() {
    let world = World::grafana("grafana-restrict-denied").await;
    world.inject_fault(&["POST"], WRITES, http_status(403));
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    let denied = world.reports(KIND, "sre", "Denied", &[]).await;
    assert_eq!(denied.data["status"]["held"][0]["state"], "Refused");
    assert_eq!(world.default_permissions(Folders, "sre").0, view_and_edit());
    // Nothing was removed, so the deletion restores nothing.
    world.clear_faults();
    world.set_default_permission(Folders, "sre", Viewer, "");
    world.delete_and_wait(KIND, "sre").await;
    assert_eq!(world.default_permissions(Folders, "sre").0, defaults(&[("Editor", "Edit")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_after_a_retry_still_restores_everything() {
    let mut world = World::grafana("grafana-restrict-retry").await;
    world.inject_fault(&["POST"], WRITES, http_status(403));
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.reports(KIND, "sre", "Denied", &[]).await;
    world.clear_faults();
    world.inject_fault(&["POST"], &format!("{READ}/builtInRoles/Viewer"), Action::Hold { after_work: true });
    // The next retry would be late; the request causes it at once.
    world.request_reconcile(KIND, "sre", "now").await;
    until_restricted(&world).await;
    world.operator.kill();
    world.clear_faults();
    world.restart();
    world.ready(KIND, "sre").await;
    world.delete_and_wait(KIND, "sre").await;
    assert_eq!(world.default_permissions(Folders, "sre").0, view_and_edit());
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_removed_by_hand_before_the_plan_is_not_restored() {
    let world = World::grafana("grafana-restrict-by-hand").await;
    // Without a sweep in between, the snapshot is older than the change by hand.
    world.apply(backend(&world.sim.url(), json!({ "sweepInterval": "1h" }))).await;
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({ "mode": "Plan" }))).await;
    world.reports(KIND, "sre", "Planned", &[]).await;
    world.set_default_permission(Folders, "sre", Viewer, "");
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    let ready = world.ready(KIND, "sre").await;
    assert_eq!(ready.data["status"]["held"][0]["taken"], json!({ "Editor": "Edit" }));
    world.delete_and_wait(KIND, "sre").await;
    assert_eq!(world.default_permissions(Folders, "sre").0, defaults(&[("Editor", "Edit")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn reconcile_request_keeps_managed_restrictions_in_sync() {
    let world = restricted("grafana-restrict-request").await;
    world.apply(restriction("data", json!({ "folder": "Data platform" }), json!({}))).await;
    world.ready(KIND, "data").await;
    for name in ["sre", "data"] {
        world.request_reconcile(KIND, name, "now").await;
        world
            .until(KIND, name, "reconciled", |it| it.data["status"]["lastHandledReconcileAt"] == "now")
            .await;
        world.ready(KIND, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_that_cannot_be_read_does_not_stop_the_rest() {
    let mut world = restricted("grafana-restrict-broken").await;
    world.apply(restriction("finance", json!({ "id": "folder:finance" }), json!({}))).await;
    world.ready(KIND, "finance").await;
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &SUBJECTS, json!({}))]).await;
    let path = "/api/access-control/folders/sre";
    world.inject_fault(&["GET"], path, http_status(500));
    world.partly_read(path).await;
    for is_restarted in [false, true] {
        if is_restarted {
            world.restart();
        }
        // The drift of another folder is corrected.
        world.set_default_permission(Folders, "finance", Viewer, "View");
        let is_default = |row: &ManagedPermission| {
            row.resource_id == "finance" && matches!(row.subject, Subject::BuiltInRole(_))
        };
        world
            .until_account("the other folder is closed again", |tenant| {
                !tenant.managed_permissions.iter().any(is_default)
            })
            .await;
        // Access is revoked and granted.
        world.apply(binding("readers", "reader", &SUBJECTS[..1], json!({}))).await;
        let only_alice = (vec![world.user_id("alice")], Vec::new());
        world.ready("RoleBinding", "readers").await;
        assert_eq!(world.subjects_of("reader"), only_alice);
        world
            .apply_all(&[binding("readers", "reader", &SUBJECTS, json!({})), role("other", json!({}))])
            .await;
        world.delete_and_wait("Role", "other").await;
    }
    // The object of the folder waits, and Retain releases it.
    world.delete(KIND, "sre").await;
    world.reports(KIND, "sre", "BackendError", &[path]).await;
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({ "deletionPolicy": "Retain" }))).await;
    world.wait_deleted(KIND, "sre").await;
    world.completely_read().await;
}

const RESTORE: &str = "rolewright.dev/restore";

/// The value of the annotation, once the operator has written it.
async fn kept(world: &World<Grafana>) -> String {
    let object = world.until(KIND, "sre", "annotated", |it| it.annotations().contains_key(RESTORE)).await;
    object.annotations()[RESTORE].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_restriction_restores_the_defaults_when_deleted() {
    let mut world = restricted("grafana-restore").await;
    let kept = kept(&world).await;
    assert!(kept.contains(r#""taken":{"Editor":"Edit","Viewer":"View"}"#), "{kept}");
    // A sweep writes it again, for objects of an older version too.
    world.annotate(KIND, "sre", RESTORE, Value::Null).await;
    assert_eq!(self::kept(&world).await, kept);
    world.assert_steady().await;
    let since = world.log_position();
    world.restore_from_backup().await;
    let ready = world.ready(KIND, "sre").await;
    assert_eq!(ready.data["status"]["held"][0]["taken"], json!(view_and_edit()));
    world.assert_no_writes(since);
    world.assert_steady().await;
    world.delete_and_wait(KIND, "sre").await;
    assert_eq!(world.default_permissions(Folders, "sre").0, view_and_edit());
}

/// Users can edit and copy the annotation.
#[tokio::test(flavor = "multi_thread")]
async fn edited_annotation_opens_no_more_than_grafana_does() {
    let mut world = restricted("grafana-restore-edited").await;
    let kept = kept(&world).await;
    let cases = [
        (kept.replace("View\"}", "Admin\"}"), defaults(&[("Editor", "Edit")])),
        (kept.replace("folder:sre", "folder:finance"), defaults(&[])),
        (kept.replace("http://", "https://"), defaults(&[])),
        (kept.replace("sre", &"x".repeat(5000)), defaults(&[])),
    ];
    for (edited, expected) in cases {
        assert_ne!(edited, kept);
        world.operator.kill();
        world.annotate(KIND, "sre", RESTORE, edited).await;
        world.restore_from_backup().await;
        let ready = world.ready(KIND, "sre").await;
        assert_eq!(ready.data["status"]["held"][0]["taken"], json!(expected));
    }
}

/// The permissions that are open now are recorded, whatever an annotation says.
#[tokio::test(flavor = "multi_thread")]
async fn annotation_does_not_count_for_an_open_resource() {
    let mut world = restricted("grafana-restore-open").await;
    kept(&world).await;
    world.operator.kill();
    world.set_default_permission(Folders, "sre", Editor, "View");
    world.restore_from_backup().await;
    let ready = world.ready(KIND, "sre").await;
    assert_eq!(ready.data["status"]["held"][0]["taken"], json!({ "Editor": "View" }));
    world.delete_and_wait(KIND, "sre").await;
    assert_eq!(world.default_permissions(Folders, "sre").0, defaults(&[("Editor", "View")]));
}
