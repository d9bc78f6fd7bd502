//! Folders, dashboards and data sources, and their default permissions.

use super::*;
use rolewright_core::model::{NameMatch, Restriction, StillOpen};

const FOLDER: &str = "GET /access-control/folders/sre";
const VIEWER: &str = "POST /access-control/folders/sre/builtInRoles/Viewer";
const EDITOR: &str = "POST /access-control/folders/sre/builtInRoles/Editor";
const RESOURCE: &str = "GET /folders/sre";

fn entry(role: &str, permission: &str) -> Value {
    json!({"id": 1, "roleName": "managed:builtins:x:permissions", "isManaged": true, "isInherited": false,
        "builtInRole": role, "permission": permission, "actions": ["folders:read"]})
}

fn but(mut entry: Value, change: Value) -> Value {
    for (field, value) in change.as_object().expect("an object") {
        entry[field] = value.clone();
    }
    entry
}

fn folder(open: &[(&str, &str)]) -> Body {
    let open = open.iter().map(|(role, permission)| ((*role).to_owned(), (*permission).to_owned()));
    Body::Restriction(Restriction { resource: named("folder", "folder:sre", "SRE"), open: open.collect() })
}

fn change(from: &[(&str, &str)], to: &[(&str, &str)]) -> Change {
    testing::update(Id::new("folder:sre"), folder(from), folder(to))
}

async fn read(entries: Value) -> Observed {
    let (_stub, grafana) = grafana(move |seen, _| match call(seen).as_str() {
        FOLDER => ok(entries.clone()),
        RESOURCE => ok(json!({"uid": "sre"})),
        _ => organization(seen),
    })
    .await;
    let read = grafana.read(Kind::Restriction, &Id::new("folder:sre")).await;
    read.expect("an answer").expect("the folder")
}

#[tokio::test]
async fn defaults_are_of_viewers_and_editors_on_the_resource() {
    let seen = read(json!([
        entry("Viewer", "View"),
        entry("Editor", "Edit"),
        but(entry("Admin", "Admin"), json!({"isManaged": false, "roleName": "basic:admin"})),
        but(entry("", "Edit"), json!({"team": "ops", "teamId": 3})),
    ]))
    .await;
    assert_eq!(seen.body, folder(&[("Viewer", "View"), ("Editor", "Edit")]));
    let closed = read(json!([
        but(entry("Viewer", "View"), json!({"isInherited": true})),
        but(entry("Editor", "Edit"), json!({"isManaged": false, "roleName": "fixed:folders:writer"})),
    ]))
    .await;
    assert_eq!(closed.body, folder(&[]));
    assert_eq!(read(Value::Null).await.body, folder(&[]));
}

#[tokio::test]
async fn an_entry_without_its_origin_counts_as_a_default() {
    let seen = read(json!([{"builtInRole": "Viewer", "permission": "View"}])).await;
    assert_eq!(seen.body, folder(&[("Viewer", "View")]));
}

#[tokio::test]
async fn what_remains_open_is_listed_to_a_limit() {
    let inherited = json!({"isInherited": true});
    let seen = read(json!([
        but(entry("Viewer", "View"), inherited.clone()),
        but(entry("", "Edit"), json!({"isInherited": true, "team": "ops", "teamId": 3})),
        but(entry("", "Admin"), json!({"userLogin": "alice", "userId": 3})),
        but(entry("Admin", "Admin"), json!({"isManaged": false, "roleName": "basic:admin"})),
    ]))
    .await;
    assert_eq!(seen.remark.as_deref(), Some("closed to its defaults, those of Viewer and Editor"));
    let StillOpen { to, more, unknown } = *seen.still_open.expect("a list");
    let listed = [
        "Admin for Admin (by the role basic:admin)",
        "Edit for team ops (from a parent folder)",
        "View for Viewer (from a parent folder)",
    ];
    assert_eq!((to, more), (listed.map(str::to_owned).to_vec(), 0));
    assert!(unknown.contains("only some of the actions of View, Edit or Admin"), "{unknown}");
    let many =
        (0..30).map(|n| but(entry("", "View"), json!({"isInherited": true, "team": format!("team-{n}")})));
    let many = read(many.collect()).await.still_open.expect("a list");
    assert_eq!((many.to.len(), many.more), (8, 22));
}

#[tokio::test]
async fn a_change_is_one_call_per_role_and_is_read_back() {
    for (from, to, sent) in [
        (vec![("Viewer", "View"), ("Editor", "Edit")], vec![], vec![(EDITOR, ""), (VIEWER, "")]),
        (vec![], vec![("Viewer", "View")], vec![(VIEWER, "View")]),
        (vec![("Viewer", "Edit")], vec![("Editor", "Edit"), ("Viewer", "Edit")], vec![(EDITOR, "Edit")]),
        (vec![("Viewer", "Edit")], vec![("Viewer", "View")], vec![(VIEWER, "View")]),
    ] {
        let after: Vec<Value> = to.iter().map(|(role, permission)| entry(role, permission)).collect();
        let (stub, grafana) = grafana(move |seen, _| match call(seen).as_str() {
            FOLDER => ok(json!(after)),
            VIEWER | EDITOR => ok(json!({"message": "Permission updated"})),
            _ => error(404, "Not found"),
        })
        .await;
        let seen = grafana.write(&change(&from, &to)).await.expect("done").expect("the folder");
        assert_eq!(seen.body, folder(&to));
        let asked = stub.seen();
        let asked: Vec<(String, Value)> = asked
            .iter()
            .filter(|seen| seen.method == "POST")
            .map(|seen| (call(seen), seen.body.clone()))
            .collect();
        let sent: Vec<(String, Value)> =
            sent.iter().map(|(path, level)| ((*path).to_owned(), json!({"permission": level}))).collect();
        assert_eq!((asked, calls(&stub).last().map(String::as_str)), (sent, Some(FOLDER)));
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_read_back_is_lost() {
    let done = || ok(json!({"message": "Permission removed"}));
    let (_stub, unchanged) = grafana(move |seen, _| match call(seen).as_str() {
        FOLDER => ok(json!([entry("Viewer", "View")])),
        VIEWER => done(),
        _ => error(404, "Not found"),
    })
    .await;
    let error_ = unchanged.write(&change(&[("Viewer", "View")], &[])).await.expect_err("a failure");
    assert_eq!(error_.class, Class::Lost);
    assert!(error_.message.contains("View for Viewer"), "{error_}");
    for status in [403, 404, 500] {
        let (_stub, unread) = grafana(move |seen, _| match call(seen).as_str() {
            VIEWER => done(),
            _ => error(status, "no"),
        })
        .await;
        let error = unread.write(&change(&[("Viewer", "View")], &[])).await.expect_err("a failure");
        assert_eq!(error.class, Class::Lost, "{status}");
    }
}

#[tokio::test]
async fn a_refusal_after_a_successful_call_is_lost() {
    for (status, class) in [(400, Class::Invalid), (403, Class::Denied), (404, Class::Missing)] {
        let (stub, grafana) = grafana(with(VIEWER, move |_| error(status, "no"))).await;
        let error = grafana.write(&change(&[("Viewer", "View")], &[])).await.expect_err("a failure");
        assert_eq!((error.class, calls(&stub).len()), (class, 1));
    }
    let (_stub, half) = grafana(|seen, _| match call(seen).as_str() {
        EDITOR => ok(json!({"message": "Permission removed"})),
        _ => error(403, "no"),
    })
    .await;
    let both = change(&[("Viewer", "View"), ("Editor", "Edit")], &[]);
    assert_eq!(half.write(&both).await.expect_err("a failure").class, Class::Lost);
}

/// A snapshot with a managed restriction: the answers for the permissions of the folder and for the folder, and the own permissions.
async fn managed(reply: fn() -> Reply, exists: fn() -> Reply, own: Value) -> Result<Snapshot, Error> {
    let (_stub, grafana) = grafana(move |seen, _| match call(seen).as_str() {
        FOLDER => reply(),
        RESOURCE => exists(),
        OWN => ok(own.clone()),
        _ => error(404, "Not found"),
    })
    .await;
    grafana.snapshot(&needs(&[Kind::Restriction], &[], &["folder:sre", "user:1"])).await
}

#[tokio::test]
async fn a_resource_is_deleted_only_if_all_are_visible() {
    let id = Id::new("folder:sre");
    let absence = |snapshot: &Snapshot| snapshot.absence(Kind::Restriction, Some(&id));
    let all = || json!({"folders:read": ["folders:*"], "folders.permissions:read": ["folders:*"]});
    let missing: fn() -> Reply = || error(404, "no");
    let exists: fn() -> Reply = || ok(json!({"uid": "sre"}));
    let snapshot = managed(|| ok(json!([])), exists, json!({})).await.expect("a snapshot");
    assert!(snapshot.by_id(Kind::Restriction, &id).is_some());
    assert_eq!(absence(&managed(missing, missing, all()).await.expect("a snapshot")), Absence::Proven);
    for own in [
        json!({}),
        json!({"folders:read": ["*"], "folders.permissions:read": ["folders:uid:a"], "dashboards.permissions:read": ["*"]}),
        // A server that filters answers 404 for a folder that this credential cannot read.
        json!({"folders:read": ["folders:uid:a"], "folders.permissions:read": ["*"]}),
        json!({"folders.permissions:read": ["*"]}),
    ] {
        assert_eq!(absence(&managed(missing, missing, own).await.expect("a snapshot")), Absence::Unproven);
    }
    // An empty answer proves neither that it exists nor that it does not.
    let empty: fn() -> Reply = || ok(json!([]));
    let admins: fn() -> Reply =
        || ok(json!([but(entry("Admin", "Admin"), json!({"isManaged": false, "roleName": "basic:admin"}))]));
    for answer in [empty, admins] {
        let gone = managed(answer, missing, all()).await.expect("a snapshot");
        assert_eq!((absence(&gone), gone.all(Kind::Restriction).count()), (Absence::Proven, 0));
        let narrow = managed(answer, missing, json!({})).await.expect("a snapshot");
        assert_eq!((absence(&narrow), narrow.all(Kind::Restriction).count()), (Absence::Unproven, 0));
        let denied = managed(answer, || error(403, "no"), all()).await.expect("a snapshot");
        assert_eq!((absence(&denied), denied.all(Kind::Restriction).count()), (Absence::Unproven, 0));
        let there = managed(answer, exists, json!({})).await.expect("a snapshot");
        assert!(there.by_id(Kind::Restriction, &id).is_some());
    }
    // It exists without permissions: not every Grafana has them for each kind of resource.
    assert_eq!(absence(&managed(missing, exists, all()).await.expect("a snapshot")), Absence::Unproven);
    assert_eq!(
        absence(&managed(missing, || error(403, "no"), all()).await.expect("a snapshot")),
        Absence::Unproven
    );
    let snapshot = managed(|| error(403, "no"), missing, all()).await.expect("a snapshot");
    assert_eq!((absence(&snapshot), snapshot.all(Kind::Restriction).count()), (Absence::Unproven, 0));
    assert!(managed(|| error(500, "no"), missing, all()).await.is_err());
    assert!(managed(missing, || error(500, "no"), all()).await.is_err());
}

#[tokio::test]
async fn restrictions_do_not_need_the_rbac_api() {
    let (stub, grafana) = grafana(with(FOLDER, |_| ok(json!([entry("Viewer", "View")])))).await;
    grafana.snapshot(&needs(&[Kind::Restriction], &[], &["folder:sre"])).await.expect("a snapshot");
    assert_eq!(calls(&stub), [OWN, FOLDER, OWN]);
}

#[tokio::test]
async fn listed_resource_without_permissions_needs_no_further_call() {
    let answer = |seen: &Seen, _: usize| match call(seen).as_str() {
        FOLDER => ok(json!([])),
        _ => places(seen),
    };
    let (stub, grafana) = grafana(answer).await;
    let needs = needs(&[Kind::Restriction], &["folder"], &["folder:sre"]);
    let snapshot = grafana.snapshot(&needs).await.expect("a snapshot");
    assert!(snapshot.by_id(Kind::Restriction, &Id::new("folder:sre")).is_some());
    assert!(!calls(&stub).contains(&RESOURCE.to_owned()));
}

#[tokio::test]
async fn root_has_no_permissions_of_its_own() {
    let own = || json!({"folders:read": ["*"], "folders.permissions:read": ["*"]});
    let (stub, grafana) = grafana(with(OWN, move |_| ok(own()))).await;
    for uid in ["folder:general", "folder:sharedwithme"] {
        let id = Id::new(uid);
        assert_eq!(grafana.read(Kind::Restriction, &id).await, Ok(None));
        let snapshot = grafana.snapshot(&needs(&[Kind::Restriction], &[], &[uid])).await.expect("a snapshot");
        assert_eq!(snapshot.absence(Kind::Restriction, Some(&id)), Absence::Proven);
        assert_eq!(grafana.dialect().level_of(&id), None);
    }
    assert_eq!(grafana.dialect().id_of(Level::new("folder"), "uid:general"), None);
    assert!(!calls(&stub).iter().any(|call| call.contains("general")));
}

#[tokio::test]
async fn dashboard_is_looked_for_by_a_short_answer_first() {
    const SHORT: &str = "GET /dashboards/uid/lat/permissions";
    const WHOLE: &str = "GET /dashboards/uid/lat";
    for (short, whole, exists, asked) in [
        (200, 500, Some(true), vec![SHORT]),
        (404, 200, Some(true), vec![SHORT, WHOLE]),
        (403, 200, Some(true), vec![SHORT, WHOLE]),
        (404, 404, Some(false), vec![SHORT, WHOLE]),
        (404, 403, None, vec![SHORT, WHOLE]),
    ] {
        let (stub, grafana) = grafana(move |seen, _| match call(seen).as_str() {
            "GET /access-control/dashboards/lat" => ok(json!([])),
            SHORT => Reply::json(short, json!([])),
            WHOLE => Reply::json(whole, json!({})),
            _ => organization(seen),
        })
        .await;
        let read = grafana.read(Kind::Restriction, &Id::new("dashboard:lat")).await;
        assert_eq!(read.ok().map(|seen| seen.is_some()), exists, "{short} {whole}");
        assert_eq!(calls(&stub)[1..], asked);
    }
}

fn found(uid: &str, title: &str, folder: Option<&str>) -> Value {
    let mut found = json!({"id": 1, "uid": uid, "title": title, "type": "dash-folder", "tags": []});
    if let Some(folder) = folder {
        found["folderUid"] = json!(folder);
    }
    found
}

/// Two pages of folders, one of dashboards, and data sources.
fn places(seen: &Seen) -> Reply {
    let page = |pages: &[Value]| {
        let number: usize = seen.param("page").and_then(|page| page.parse().ok()).expect("a page");
        ok(pages.get(number - 1).cloned().unwrap_or_else(|| json!([])))
    };
    match (call(seen).as_str(), seen.param("type")) {
        ("GET /search", Some("dash-folder")) => page(&[
            json!([found("sre", "SRE", None), found("sre-runbooks", "Runbooks", Some("sre"))]),
            json!([
                found("data", "Data", Some("")),
                found("data-runbooks", "Runbooks", Some("data")),
                found("deep", "Deep", Some("data-runbooks")),
                found("lost", "Lost", Some("hidden")),
            ]),
        ]),
        ("GET /search", Some("dash-db")) => {
            page(&[json!([found("lat", "Latency", Some("sre")), found("lat-2", "Latency", Some("data"))])])
        }
        ("GET /datasources/name/Prometheus", _) => {
            ok(json!({"id": 1, "uid": "prom", "name": "Prometheus", "type": "prometheus"}))
        }
        ("GET /datasources", _) => {
            ok(json!([{"id": 1, "uid": "prom", "name": "Prometheus", "type": "prometheus"}]))
        }
        _ => organization(seen),
    }
}

#[tokio::test]
async fn folders_dashboards_and_data_sources_have_names() {
    let (stub, grafana) = grafana(|seen, _| places(seen)).await;
    let levels = ["folder", "dashboard", "dataSource"];
    let snapshot = grafana.snapshot(&needs(&[Kind::Restriction], &levels, &[])).await.expect("a snapshot");
    let directory = snapshot.directory();
    let one = |word: &str, name: &str, parent: Option<&str>| match directory.find(
        level(word),
        name,
        parent.map(Id::new).as_ref(),
    ) {
        NameMatch::One(entry) => entry.named.id.to_string(),
        NameMatch::Many(entries) => format!("{} of them", entries.len()),
        NameMatch::None => "nothing".to_owned(),
    };
    for (level, name, parent, id) in [
        ("folder", "SRE", None, "folder:sre"),
        ("folder", "Runbooks", None, "2 of them"),
        ("folder", "SRE/Runbooks", None, "folder:sre-runbooks"),
        ("folder", "Data/Runbooks/Deep", None, "folder:deep"),
        ("folder", "Lost", None, "folder:lost"),
        ("dashboard", "Latency", None, "2 of them"),
        ("dashboard", "Latency", Some("folder:data"), "dashboard:lat-2"),
        ("dashboard", "SRE", None, "nothing"),
        ("dataSource", "Prometheus", None, "dataSource:prom"),
    ] {
        assert_eq!(one(level, name, parent), id, "{level} {name}");
    }
    let searches = calls(&stub).iter().filter(|call| *call == "GET /search").count();
    assert_eq!(searches, 3 + 2, "each until a page has nothing new");
    assert_eq!(grafana.dialect().id_of(Level::new("folder"), "uid:sre"), Some(Id::new("folder:sre")));
    assert_eq!(grafana.dialect().id_of(Level::new("folder"), "sre"), None);
    assert_eq!(grafana.dialect().level_of(&Id::new("dashboard:lat")), Some(level("dashboard")));
}

#[tokio::test]
async fn a_resource_is_looked_up_by_name() {
    let (_stub, grafana) = grafana(|seen, _| places(seen)).await;
    for (level, name, ids) in [
        ("folder", "Data/Runbooks", vec!["folder:data-runbooks"]),
        ("dashboard", "Latency", vec!["dashboard:lat", "dashboard:lat-2"]),
        ("dataSource", "Prometheus", vec!["dataSource:prom"]),
        ("dataSource", "Loki", vec![]),
    ] {
        let found = grafana.look_up(super::level(level), name, None).await.expect("an answer");
        let found: Vec<String> = found.iter().map(|entry| entry.named.id.to_string()).collect();
        assert_eq!(found, ids, "{level} {name}");
    }
}

#[tokio::test]
async fn a_refused_search_is_noted_and_an_endless_one_fails() {
    let (_stub, refused) = grafana(with("GET /search", |_| error(403, "no"))).await;
    let snapshot = refused.snapshot(&needs(&[], &["folder"], &[])).await.expect("a snapshot");
    assert!(snapshot.directory().refusal(Level::new("folder")).is_some());
    let (_stub, endless) = grafana(with("GET /search", |seen| {
        ok(json!([found(seen.param("page").expect("a page"), "again", None)]))
    }))
    .await;
    let error = endless.snapshot(&needs(&[], &["folder"], &[])).await.expect_err("a failure");
    assert_eq!(error.class, Class::Transient);
}
