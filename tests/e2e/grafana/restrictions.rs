//! Folders, dashboards and data sources of Grafana, closed to their defaults and opened again.

use std::collections::BTreeMap;

use rolewright_simulators::{
    grafana::{
        Grafana,
        basic_role::BasicRole::{Editor, Viewer},
        managed::{
            ManagedPermission,
            ResourceKind::{self, Dashboards, Datasources, Folders},
            Subject,
        },
        switches::Licence,
    },
    kit::faults::Action,
};
use serde_json::{Value, json};

use crate::support::{
    World,
    grafana::{backend, restriction, role},
    held_ids, kept, ready_condition, status,
};

const KIND: &str = "ResourceRestriction";

fn defaults(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(role, permission)| ((*role).to_owned(), (*permission).to_owned())).collect()
}

fn view_and_edit() -> BTreeMap<String, String> {
    defaults(&[("Viewer", "View"), ("Editor", "Edit")])
}

/// A Grafana with the folder `SRE` closed.
async fn closed(name: &str) -> World<Grafana> {
    let world = World::grafana(name).await;
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.ready(KIND, "sre").await;
    assert!(world.open(Folders, "sre").0.is_empty());
    world
}

async fn message(world: &World<Grafana>, name: &str) -> String {
    ready_condition(&world.get(KIND, name).await)["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_a_dashboard_and_a_data_source_are_closed_and_opened_again() {
    let world = World::grafana("gr-life").await;
    let cases: [(&str, ResourceKind, &str, Value); 3] = [
        ("sre", Folders, "sre", json!({ "folder": "SRE" })),
        ("home", Dashboards, "home", json!({ "dashboard": "Home" })),
        ("metrics", Datasources, "prometheus-main", json!({ "dataSource": "uid:prometheus-main" })),
    ];
    let mut before = Vec::new();
    for (name, kind, uid, resource) in &cases {
        let (open, others) = world.open(*kind, uid);
        assert!(open.len() == 2 && others > 0, "{open:?}");
        before.push((open, others));
        world.apply(restriction(name, resource.clone(), json!({}))).await;
    }
    for ((name, kind, uid, _), (open, others)) in cases.iter().zip(&before) {
        let ready = world.ready(KIND, name).await;
        assert_eq!(world.open(*kind, uid), (BTreeMap::new(), *others), "others keep what they have");
        assert_eq!(ready.data["status"]["held"][0]["taken"], json!(open));
        let note = world.event(name, "Restricted").await;
        assert!(
            open.iter().all(|(role, permission)| note.contains(&format!("- {permission} for {role}"))),
            "{note}"
        );
    }
    world.swept().await;
    world.quiet().await;
    for (name, ..) in &cases {
        world.delete(KIND, name).await;
    }
    for ((name, kind, uid, _), before) in cases.iter().zip(before) {
        world.gone(KIND, name).await;
        assert_eq!(world.open(*kind, uid), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_message_claims_the_defaults_only_and_says_what_stays_open() {
    let world = World::grafana("gr-left").await;
    world.open_by_hand(Folders, "sre-runbooks", Viewer, "Edit");
    world.apply(restriction("runbooks", json!({ "folder": "SRE/Runbooks" }), json!({}))).await;
    world.ready(KIND, "runbooks").await;
    let said = message(&world, "runbooks").await;
    for part in [
        "closed to its defaults, those of Viewer and Editor",
        "View for Viewer (from a parent folder)",
        "Edit for Editor (from a parent folder)",
        "a role on folders:*",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // What stays open changes, and so does what is said of it.
    world.open_by_hand(Folders, "sre", Viewer, "");
    let later = |said: &str| !said.contains("View for Viewer");
    world
        .until(KIND, "runbooks", "the message follows", |it| {
            later(ready_condition(it)["message"].as_str().unwrap_or_default())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_opens_is_closed_again_and_what_they_open_in_the_end_is_left_alone() {
    let world = closed("gr-drift").await;
    world.open_by_hand(Folders, "sre", Viewer, "Admin");
    let note = world.event("sre", "DriftCorrected").await;
    assert!(note.contains("- Admin for Viewer"), "{note}");
    world.ready(KIND, "sre").await;
    assert!(world.open(Folders, "sre").0.is_empty());

    // Somebody opens it to editors while nobody looks, and the object goes.
    world.annotate(KIND, "sre", "rolewright.dev/pause", "true").await;
    world.reason(KIND, "sre", "Paused").await;
    world.open_by_hand(Folders, "sre", Editor, "View");
    world.delete(KIND, "sre").await;
    world.annotate(KIND, "sre", "rolewright.dev/pause", Value::Null).await;
    world.gone(KIND, "sre").await;
    let note = world.event("sre", "Unrestricted").await;
    assert!(
        note.contains("+ View for Viewer") && note.contains("somebody else gave View for Editor"),
        "{note}"
    );
    assert_eq!(world.open(Folders, "sre").0, defaults(&[("Viewer", "View"), ("Editor", "View")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_closed_already_is_taken_over_and_stays_closed() {
    let world = World::grafana("gr-adopt").await;
    world.open_by_hand(Folders, "sre", Viewer, "");
    world.open_by_hand(Folders, "sre", Editor, "");
    world.apply(restriction("never", json!({ "folder": "SRE" }), json!({ "adopt": "Never" }))).await;
    world.reason(KIND, "never", "Conflict").await;
    world.delete(KIND, "never").await;
    world.gone(KIND, "never").await;
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.ready(KIND, "sre").await;
    world.event("sre", "Adopted").await;
    let since = world.now();
    world.delete(KIND, "sre").await;
    world.gone(KIND, "sre").await;
    world.event("sre", "Released").await;
    assert_eq!((world.writes_since(since), world.open(Folders, "sre").0), (Vec::new(), BTreeMap::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_restriction_is_a_conflict_and_is_handed_what_was_taken() {
    let world = closed("gr-two").await;
    world.apply(restriction("second", json!({ "folder": "uid:sre" }), json!({}))).await;
    let said = world.reason(KIND, "second", "Conflict").await;
    assert!(said.contains("ResourceRestriction"), "{said}");
    let since = world.now();
    world.delete(KIND, "sre").await;
    world.gone(KIND, "sre").await;
    let second = world.ready(KIND, "second").await;
    assert_eq!(world.writes_since(since), Vec::<String>::new(), "it never stood open");
    assert_eq!(second.data["status"]["held"][0]["taken"], json!(view_and_edit()));
    world.delete(KIND, "second").await;
    world.gone(KIND, "second").await;
    assert_eq!(world.open(Folders, "sre").0, view_and_edit());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_that_two_folders_have_is_refused_and_a_resource_that_is_not_there_is_told() {
    let world = World::grafana("gr-names").await;
    world.apply(restriction("twins", json!({ "folder": "Runbooks" }), json!({}))).await;
    let said = world.reason(KIND, "twins", "Invalid").await;
    assert!(said.contains("folder:sre-runbooks") && said.contains("folder:data-runbooks"), "{said}");
    world.apply(restriction("nowhere", json!({ "folder": "Nowhere" }), json!({}))).await;
    assert!(world.reason(KIND, "nowhere", "NotFound").await.contains("no folder \"Nowhere\""));
    world.apply(restriction("typo", json!({ "folder": "uid:typo" }), json!({}))).await;
    let said = world.reason(KIND, "typo", "NotFound").await;
    assert!(said.contains("no permissions of folder folder:typo"), "{said}");
    let since = world.now();
    world.swept().await;
    world.swept().await;
    let asked = world.count(since, "GET", "/api/access-control/folders/typo");
    assert!((1..=6).contains(&asked), "a call a sweep, and no more of them: {asked}");
    world.apply(restriction("none", json!({ "folder": "SRE", "dashboard": "Payroll" }), json!({}))).await;
    assert!(world.reason(KIND, "none", "NotFound").await.contains("in folder SRE"));
    world.apply(restriction("wrong", json!({ "project": "churn" }), json!({}))).await;
    assert!(world.reason(KIND, "wrong", "Invalid").await.contains("folder or dashboard or dataSource"));
    let both = json!({ "folder": "SRE", "dataSource": "Loki" });
    let refused = world.try_apply(restriction("both", both, json!({}))).await.unwrap_err().to_string();
    assert!(refused.contains("write one of: project (with its space); folder;"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_removed_lets_its_restriction_go() {
    let world = World::grafana("gr-gone").await;
    world.apply(restriction("finance", json!({ "id": "folder:finance" }), json!({}))).await;
    world.ready(KIND, "finance").await;
    world.sim.edit(|tenant| {
        tenant.folders.retain(|folder| folder.uid != "finance");
        tenant.forget_resource(1, Folders, "finance");
    });
    world.reason(KIND, "finance", "NotFound").await;
    let since = world.now();
    world.delete(KIND, "finance").await;
    world.gone(KIND, "finance").await;
    assert_eq!(world.writes_since(since), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn in_plan_mode_what_would_be_taken_is_shown() {
    let world = World::grafana("gr-plan").await;
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({ "mode": "Plan" }))).await;
    world.reason(KIND, "sre", "Planned").await;
    let object = world.get(KIND, "sre").await;
    assert!(held_ids(&object).is_empty() && !kept(&object));
    let details = &object.data["status"]["plan"]["changes"][0]["details"];
    assert_eq!(details, &json!(["- Edit for Editor", "- View for Viewer"]));
    assert_eq!(world.open(Folders, "sre").0, view_and_edit());
}

#[tokio::test(flavor = "multi_thread")]
async fn open_source_grafana_has_restrictions_and_nothing_else() {
    let world = World::grafana_with("gr-oss", |switches| switches.licence = Licence::Absent).await;
    let backend = world.ready("Backend", "grafana").await;
    assert_eq!(backend.data["status"]["capabilities"], json!(["Restriction"]));
    world.apply(role("reader", json!({}))).await;
    let said = world.reason("Role", "reader", "Unsupported").await;
    assert!(said.contains("Grafana Enterprise") && said.contains("what is offered: Restriction"), "{said}");
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.ready(KIND, "sre").await;
    assert!(world.open(Folders, "sre").0.is_empty());
    world.open_by_hand(Folders, "sre", Viewer, "View");
    world.event("sre", "DriftCorrected").await;

    world.apply(restriction("metrics", json!({ "dataSource": "Prometheus" }), json!({}))).await;
    let said = world.reason(KIND, "metrics", "NotFound").await;
    assert!(said.contains("no permissions of dataSource Prometheus"), "{said}");

    // A licence is bought, and somebody says so.
    world.switch(|switches| switches.licence = Licence::Valid);
    world.annotate("Backend", "grafana", "rolewright.dev/reconcile-at", "now").await;
    world.ready("Role", "reader").await;
    world.ready(KIND, "metrics").await;
    let backend = world.get("Backend", "grafana").await;
    assert_eq!(backend.data["status"]["capabilities"], json!(["Role", "Grant", "Restriction"]));
    world.delete(KIND, "sre").await;
    world.gone(KIND, "sre").await;
    assert_eq!(world.open(Folders, "sre").0, view_and_edit());
}

const READ: &str = "/api/access-control/folders/sre";
const WRITES: &str = "/api/access-control/folders/sre/builtInRoles/*";

/// The whole life of a restriction, with `action` on the first `times` of these calls.
async fn life_with(name: &str, methods: &[&str], action: Action, times: u64) {
    let world = World::grafana(name).await;
    let path = if methods == ["GET"] { READ } else { WRITES };
    world.fault_times(methods, path, action.clone(), times);
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    let ready = world.ready(KIND, "sre").await;
    assert_eq!(ready.data["status"]["held"][0]["taken"], json!(view_and_edit()));
    assert!(world.open(Folders, "sre").0.is_empty());
    world.faults_over().await;
    world.fault_times(methods, path, action, times);
    world.delete(KIND, "sre").await;
    world.gone(KIND, "sre").await;
    assert_eq!(world.open(Folders, "sre").0, view_and_edit());
    world.faults_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_and_lost_answers_of_each_call_end_well() {
    life_with("gr-post", &["POST"], status(500), 1).await;
    life_with("gr-lost", &["POST"], Action::AnswerLost, 1).await;
    life_with("gr-get", &["GET"], status(503), 4).await;
}

/// Until no basic role has a permission on the folder.
async fn until_closed(world: &World<Grafana>) {
    let open =
        |row: &ManagedPermission| row.resource_id == "sre" && matches!(row.subject, Subject::BuiltInRole(_));
    world.account("it is closed", |tenant| !tenant.managed_permissions.iter().any(open)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_taking_and_its_record_everything_is_given_back() {
    let mut world = World::grafana("gr-kill").await;
    world.fault(&["POST"], &format!("{READ}/builtInRoles/Viewer"), Action::Hold { after_work: true });
    let since = world.now();
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    until_closed(&world).await;
    world.operator.kill();
    world.mend();
    world.restart();
    let ready = world.ready(KIND, "sre").await;
    assert_eq!(ready.data["status"]["held"][0]["taken"], json!(view_and_edit()));
    let writes = ["Editor", "Viewer"].map(|role| format!("POST {READ}/builtInRoles/{role}"));
    assert_eq!(world.writes_since(since), writes, "each once");
    world.delete(KIND, "sre").await;
    world.gone(KIND, "sre").await;
    assert_eq!(world.open(Folders, "sre").0, view_and_edit());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_change_permissions_is_told_and_nothing_is_recorded_as_done() {
    let world = World::grafana("gr-denied").await;
    world.fault(&["POST"], WRITES, status(403));
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.reason(KIND, "sre", "Denied").await;
    assert_eq!(world.get(KIND, "sre").await.data["status"]["held"][0]["state"], "Refused");
    assert_eq!(world.open(Folders, "sre").0, view_and_edit());
    // Nothing was taken, so nothing is given back.
    world.mend();
    world.open_by_hand(Folders, "sre", Viewer, "");
    world.delete(KIND, "sre").await;
    world.gone(KIND, "sre").await;
    assert_eq!(world.open(Folders, "sre").0, defaults(&[("Editor", "Edit")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_a_second_try_everything_is_given_back() {
    let mut world = World::grafana("gr-again").await;
    world.fault(&["POST"], WRITES, status(403));
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.reason(KIND, "sre", "Denied").await;
    world.mend();
    world.fault(&["POST"], &format!("{READ}/builtInRoles/Viewer"), Action::Hold { after_work: true });
    // A refused try is repeated slowly; asked for, at once.
    world.annotate(KIND, "sre", "rolewright.dev/reconcile-at", "now").await;
    until_closed(&world).await;
    world.operator.kill();
    world.mend();
    world.restart();
    world.ready(KIND, "sre").await;
    world.delete(KIND, "sre").await;
    world.gone(KIND, "sre").await;
    assert_eq!(world.open(Folders, "sre").0, view_and_edit());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_closed_before_the_plan_was_carried_out_is_not_given_back() {
    let world = World::grafana("gr-person").await;
    // The view is as old as the Plan; the person acts behind it.
    world.apply(backend(&world.sim.url(), json!({ "sweepInterval": "1h" }))).await;
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({ "mode": "Plan" }))).await;
    world.reason(KIND, "sre", "Planned").await;
    world.open_by_hand(Folders, "sre", Viewer, "");
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    let ready = world.ready(KIND, "sre").await;
    assert_eq!(ready.data["status"]["held"][0]["taken"], json!({ "Editor": "Edit" }));
    world.delete(KIND, "sre").await;
    world.gone(KIND, "sre").await;
    assert_eq!(world.open(Folders, "sre").0, defaults(&[("Editor", "Edit")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_somebody_asks_for_shows_what_is_held() {
    let world = closed("gr-look").await;
    world.apply(restriction("data", json!({ "folder": "Data platform" }), json!({}))).await;
    world.ready(KIND, "data").await;
    for name in ["sre", "data"] {
        world.annotate(KIND, name, "rolewright.dev/reconcile-at", "now").await;
        world
            .until(KIND, name, "the look is over", |it| it.data["status"]["lastHandledReconcileAt"] == "now")
            .await;
        world.ready(KIND, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_replaces_all_permissions_at_once_loses_nobody_elses() {
    let world = World::grafana_with("gr-replace", |switches| switches.permissions_are_replaced = true).await;
    let before = world.open(Folders, "sre");
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.ready(KIND, "sre").await;
    assert_eq!(world.open(Folders, "sre"), (BTreeMap::new(), before.1));
    world.delete(KIND, "sre").await;
    world.gone(KIND, "sre").await;
    assert_eq!(world.open(Folders, "sre"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lapsed_licence_leaves_restrictions_at_work_where_nothing_else_is_held() {
    let mut world = closed("gr-lapse").await;
    world.switch(|switches| switches.licence = Licence::Absent);
    world.restart();
    world.open_by_hand(Folders, "sre", Viewer, "View");
    world.event("sre", "DriftCorrected").await;
    let backend = world.ready("Backend", "grafana").await;
    assert_eq!(backend.data["status"]["capabilities"], json!(["Restriction"]));
}
