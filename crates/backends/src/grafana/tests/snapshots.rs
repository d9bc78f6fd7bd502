//! Snapshots, from correct lists and from wrong ones.

use futures::future::join_all;

use super::*;
use crate::testing::{assert_lacks, failures};
use rolewright_core::model::{NameMatch, Part};

fn one(snapshot: &Snapshot, level: &str, name: &str) -> String {
    match snapshot.directory().find(super::level(level), name, None) {
        NameMatch::One(entry) => entry.named.id.to_string(),
        other => panic!("{level} {name}: {other:?}"),
    }
}

fn titles(snapshot: &Snapshot, kind: Kind) -> Vec<String> {
    let mut titles: Vec<String> = snapshot.all(kind).map(|seen| seen.body.title()).collect();
    titles.sort();
    titles
}

#[tokio::test]
async fn a_snapshot_shows_names_for_ids() {
    let snapshot = sweep(|seen, _| organization(seen)).await.expect("a snapshot");
    assert_eq!(
        titles(&snapshot, Kind::Grant),
        ["alice@example.com as writer", "nightly as fixed:reports:reader", "sre as writer"]
    );
    let seen = snapshot.by_id(Kind::Grant, &Id::new("team:1/r1")).expect("the grant");
    assert_eq!(seen.body, grant("r1", "team:1"));
    assert_eq!(seen.read_only, None);
    for (level, name, id) in [
        ("user", "Alice@Example.com", "user:1"),
        ("user", "login:alice", "user:1"),
        ("user", "bob", "user:2"),
        ("user", "login:bob", "user:2"),
        ("serviceAccount", "nightly", "serviceAccount:14"),
        ("team", "sre", "team:1"),
        ("team", "uid:t1", "team:1"),
        ("role", "fixed:reports:reader", "fixed_r"),
    ] {
        assert_eq!(one(&snapshot, level, name), id);
    }
    assert_eq!(
        snapshot.directory().find(Level::USER, "alice", None),
        NameMatch::None,
        "a login needs its prefix"
    );
}

#[tokio::test]
async fn a_listed_role_is_an_outline_with_a_revision() {
    let snapshot = sweep(|seen, _| organization(seen)).await.expect("a snapshot");
    let seen = snapshot.by_id(Kind::Role, &Id::new("r1")).expect("the role");
    assert!(seen.outline && seen.read_only.is_none());
    let (_stub, grafana) = grafana(|seen, _| organization(seen)).await;
    let read = grafana.read(Kind::Role, &Id::new("r1")).await.expect("an answer").expect("the role");
    assert!(!read.outline && read.revision.is_some());
    assert_eq!((&read.revision, &read.key), (&seen.revision, &seen.key));
    assert_eq!(read.body, Body::Role(writer()));
    let basic = snapshot.by_id(Kind::Role, &Id::new("basic_viewer")).expect("the role");
    assert_eq!(basic.read_only.as_deref(), Some("a basic role"));
}

#[tokio::test]
async fn a_snapshot_of_a_thousand_users_takes_few_calls() {
    let stub = Stub::start(|seen, _| {
        let each = |item: fn(usize) -> Value| (1..=1000).map(item).collect::<Vec<Value>>();
        match call(seen).as_str() {
            ROLES => ok(json!(each(|n| listed(&format!("r{n}"), &format!("role {n}"))))),
            USERS => {
                let users = each(|n| json!({"userId": n, "email": format!("{n}@example.com")}));
                ok(json!({"totalCount": 1000, "orgUsers": users}))
            }
            ROLES_OF_USERS => {
                let all: BTreeMap<String, Value> =
                    (1..=1000).map(|n| (n.to_string(), json!([listed(&format!("r{n}"), "x")]))).collect();
                ok(json!(all))
            }
            _ => organization(seen),
        }
    })
    .await;
    let grafana = connect(&stub, json!({}));
    let subjects: Vec<String> = (1..=1000).map(|n| format!("user:{n}")).collect();
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    let needs = needs(&BOTH, &LEVELS[..3], &subjects);
    let first = grafana.snapshot(&needs).await.expect("a snapshot");
    assert_eq!(first.all(Kind::Grant).filter(|seen| seen.id.as_str().starts_with("user:")).count(), 1000);
    assert!(stub.calls().len() <= 10, "{:?}", calls(&stub));
    let before = stub.calls().len();
    grafana.snapshot(&needs).await.expect("a snapshot");
    assert_eq!(stub.calls().len() - before, 9);
}

/// An account of 5,000 users whose servers hide every tenth of them.
#[tokio::test]
async fn users_come_in_pages_whose_total_counts_hidden_ones() {
    for size in [true, false] {
        let page = move |seen: &Seen| {
            let number: u64 = seen.param("page").and_then(|page| page.parse().ok()).expect("a page");
            assert_eq!(seen.param("perpage"), Some("1000"));
            let shown = (number * 1000 - 999..=number * 1000).filter(|id| id % 10 != 0 && *id <= 5000);
            let users: Vec<Value> =
                shown.map(|id| json!({"userId": id, "login": format!("u{id}")})).collect();
            let mut page = json!({"totalCount": 5000, "page": number, "orgUsers": users});
            if size {
                page["perPage"] = json!(1000);
            }
            ok(page)
        };
        let (stub, grafana) = grafana(with(USERS, page)).await;
        let snapshot = grafana.snapshot(&needs(&[], &["user"], &[])).await;
        let asked = calls(&stub).iter().filter(|call| *call == USERS).count();
        // Without the size of a page nothing shows that the list has ended.
        let shown = snapshot.map(|snapshot| snapshot.directory().entries().count()).ok();
        assert_eq!((shown, asked), if size { (Some(4500), 5) } else { (None, 6) });
    }
}

#[tokio::test]
async fn search_with_a_long_answer_is_halved_and_stays_so() {
    // More than 8 MiB for more than 300 users.
    let text = "x".repeat(30_000);
    let answer = move |seen: &Seen, _: usize| match call(seen).as_str() {
        USERS => {
            let users: Vec<Value> = (1..=1000).map(|id| json!({"userId": id})).collect();
            ok(json!({"totalCount": 1000, "orgUsers": users}))
        }
        ROLES_OF_USERS => {
            let ids = seen.body["userIds"].as_array().expect("numbers").clone();
            let roles = |id: &Value| {
                let mut role = listed("r1", "writer");
                role["description"] = json!(text);
                (id.to_string(), json!([role]))
            };
            ok(json!(ids.iter().map(roles).collect::<BTreeMap<String, Value>>()))
        }
        _ => organization(seen),
    };
    let (stub, grafana) = grafana(answer).await;
    let sizes = || -> Vec<usize> {
        let searches = stub.seen().into_iter().filter(|seen| call(seen) == ROLES_OF_USERS);
        searches.map(|seen| seen.body["userIds"].as_array().expect("numbers").len()).collect()
    };
    for sweep in 1..=2 {
        let snapshot = grafana.snapshot(&needs(&[Kind::Grant], &["user"], &[])).await.expect("a snapshot");
        assert!(snapshot.failures().is_empty());
        assert_eq!(snapshot.all(Kind::Grant).count(), 1000);
        let expected = [1000, 500, 250, 250, 250, 250, 250, 250, 250, 250];
        assert_eq!(sizes(), expected[..if sweep == 1 { 6 } else { 10 }]);
    }
}

#[tokio::test]
async fn what_nothing_needs_is_not_read() {
    let (stub, grafana) = grafana(|seen, _| organization(seen)).await;
    grafana.snapshot(&needs(&BOTH, &["team"], &[])).await.expect("a snapshot");
    let mut seen = calls(&stub);
    seen.sort();
    assert_eq!(seen, [ROLES, OWN, OWN, "GET /org", TEAMS, ROLES_OF_TEAMS]);
}

#[tokio::test]
async fn every_list_includes_hidden_roles() {
    let (stub, grafana) = grafana(|seen, _| organization(seen)).await;
    grafana.snapshot(&needs(&BOTH, &LEVELS, &[])).await.expect("a snapshot");
    for seen in stub.seen() {
        match call(&seen).as_str() {
            ROLES => assert_eq!(seen.param("includeHidden"), Some("true")),
            ROLES_OF_USERS => {
                assert_eq!(seen.body, json!({"userIds": [1, 2, 14], "includeHidden": true, "orgId": 1}));
            }
            ROLES_OF_TEAMS => {
                assert_eq!(seen.body, json!({"teamIds": [1], "includeHidden": true, "orgId": 1}));
            }
            _ => assert_eq!(seen.param("includeHidden"), None),
        }
    }
}

#[tokio::test]
async fn searches_omit_an_unreadable_organization() {
    let (stub, grafana) = grafana(with("GET /org", |_| error(403, "no"))).await;
    let snapshot = grafana.snapshot(&needs(&BOTH, &["team"], &[])).await.expect("a snapshot");
    assert_eq!(snapshot.all(Kind::Grant).count(), 1);
    let seen = stub.seen();
    let search = seen.iter().find(|seen| call(seen) == ROLES_OF_TEAMS).expect("a search");
    assert_eq!(search.body, json!({"teamIds": [1], "includeHidden": true}));
}

#[tokio::test]
async fn mapped_roles_are_not_grants_and_hidden_ones_are() {
    let snapshot = sweep(with(ROLES_OF_TEAMS, |_| {
        let (mut mapped, mut hidden) = (listed("m", "mapped"), listed("h", "hidden"));
        mapped["mapped"] = json!(true);
        hidden["hidden"] = json!(true);
        ok(json!({"1": [mapped, hidden, listed("managed_x", "managed:teams:1:permissions")]}))
    }))
    .await
    .expect("a snapshot");
    let seen = |id: &str| snapshot.by_id(Kind::Grant, &Id::new(id));
    assert!(seen("team:1/m").is_none() && seen("team:1/h").is_some());
    assert!(
        seen("team:1/managed_x").expect("the grant").read_only.is_some(),
        "no assignment creates or deletes it"
    );
}

#[tokio::test]
async fn pages_are_read_until_their_total() {
    let team = |n: i64| json!({"id": n, "name": format!("team {n}")});
    let (stub, grafana) = grafana(with(TEAMS, move |seen| {
        assert_eq!(seen.param("perpage"), Some("1000"));
        let teams = match seen.param("page") {
            Some("1") => vec![team(1), team(2)],
            // A team that is created in between moves the others.
            Some("2") => vec![team(2), team(3)],
            Some("3") => vec![team(4)],
            other => panic!("page {other:?}"),
        };
        ok(json!({"totalCount": 4, "teams": teams, "perPage": 2}))
    }))
    .await;
    let snapshot = grafana.snapshot(&needs(&[Kind::Role], &["team"], &[])).await.expect("a snapshot");
    assert_eq!(
        snapshot.directory().entries().filter(|entry| entry.named.level.as_str() == "team").count(),
        4
    );
    assert_eq!(calls(&stub).iter().filter(|call| *call == TEAMS).count(), 3);
}

#[tokio::test]
async fn pages_without_a_total_are_read_until_one_is_empty() {
    let snapshot = sweep(with(ACCOUNTS, |seen| match seen.param("page") {
        Some("1") => ok(json!({"serviceAccounts": [{"id": 14, "name": "nightly"}]})),
        _ => ok(json!({"serviceAccounts": []})),
    }))
    .await
    .expect("a snapshot");
    assert_eq!(one(&snapshot, "serviceAccount", "nightly"), "serviceAccount:14");
}

#[tokio::test]
async fn pages_that_are_cut_short_are_unread() {
    for path in [ACCOUNTS, TEAMS] {
        for which in 0..4 {
            let key = if path == TEAMS { "teams" } else { "serviceAccounts" };
            let answer = with(path, move |seen| match (which, seen.param("page")) {
                (0, Some("1")) => {
                    ok(json!({"totalCount": 3, key: [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}]}))
                }
                (0, _) => ok(json!({"totalCount": 3, key: []})),
                (1, _) => ok(json!({"totalCount": 3, key: [{"id": 1, "name": "x"}]})),
                (2, _) => ok(json!({"totalCount": 3})),
                (_, Some("1")) => ok(json!({"totalCount": 3, key: [{"id": 1, "name": "x"}]})),
                (_, _) => error(403, "no"),
            });
            let level = super::level(if path == TEAMS { "team" } else { "serviceAccount" });
            let snapshot = sweep(answer).await.expect("a snapshot");
            assert!(snapshot.unread_names(level).is_some(), "{path} {which}");
        }
    }
}

const ROLES_OF_BOB: &str = "GET /access-control/users/2/roles";
const FOLDER: &str = "GET /access-control/folders/f1";

/// An organization whose sweep makes every kind of call: Bob is read alone, and a folder is restricted.
fn everything(seen: &Seen) -> Reply {
    match call(seen).as_str() {
        ROLES_OF_USERS => ok(json!({"1": [listed("r1", "writer")], "14": []})),
        ROLES_OF_BOB => ok(json!([listed("r1", "writer")])),
        FOLDER => ok(json!([{"builtInRole": "Viewer", "permission": "View", "isManaged": true}])),
        "GET /search" if seen.param("page") == Some("1") => ok(json!([{"uid": "f1", "title": "SRE"}])),
        "GET /search" => ok(json!([])),
        _ => organization(seen),
    }
}

/// Every call of a sweep, and what is unread while it fails.
#[tokio::test]
async fn each_call_fails_alone() {
    let kinds = [Kind::Role, Kind::Grant, Kind::Restriction];
    let levels = ["user", "serviceAccount", "team", "role", "folder"];
    let managed = ["user:1", "user:2", "serviceAccount:14", "team:1", "folder:f1"];
    let needs = &needs(&kinds, &levels, &managed);
    let (_stub, complete) = grafana(|seen, _| everything(seen)).await;
    let whole = &complete.snapshot(needs).await.expect("a snapshot");
    let each = [
        (ROLES, vec!["all roles", "role names"]),
        (USERS, vec!["user names"]),
        (ACCOUNTS, vec!["serviceAccount names"]),
        (TEAMS, vec!["team names"]),
        (ROLES_OF_USERS, vec!["grants by serviceAccount", "grants by user"]),
        (ROLES_OF_TEAMS, vec!["grants by team"]),
        (ROLES_OF_BOB, vec!["grants of user:2"]),
        (FOLDER, vec!["restriction folder:f1"]),
        ("GET /search", vec!["folder names"]),
        (OWN, vec!["rights of the credential"]),
    ];
    let each = each.into_iter().flat_map(|row| failures().map(move |failure| (row.clone(), failure)));
    // At the same time, because failed reads are repeated after a delay.
    join_all(each.map(|((path, parts), failure)| async move {
        let fails = move |seen: &Seen, _| if call(seen) == path { failure() } else { everything(seen) };
        let (_stub, grafana) = grafana(fails).await;
        let partial = grafana.snapshot(needs).await.expect(path);
        let below = path.replace(' ', " /grafana/api");
        assert_lacks(&partial, whole, &below, &parts);
        let proves = |kind, place: &str| partial.absence(kind, Some(&Id::new(place))) == Absence::Proven;
        assert_eq!(proves(Kind::Role, ""), path != ROLES && path != OWN, "{path}");
        assert_eq!(proves(Kind::Grant, "team:1"), path != ROLES_OF_TEAMS && path != OWN, "{path}");
    }))
    .await;
}

/// An organization whose list of roles has none of Grafana's own, so that only the status shows whether roles are on.
fn without_reserved_roles(seen: &Seen) -> Reply {
    match call(seen).as_str() {
        ROLES => ok(json!([listed("r1", "writer")])),
        _ => organization(seen),
    }
}

#[tokio::test]
async fn a_failed_status_leaves_the_rights_unread() {
    let whole = &sweep(|seen, _| without_reserved_roles(seen)).await.expect("a snapshot");
    join_all(failures().map(|failure| async move {
        let fails =
            move |seen: &Seen, _| if call(seen) == STATUS { failure() } else { without_reserved_roles(seen) };
        let partial = sweep(fails).await.expect("a snapshot");
        assert_lacks(
            &partial,
            whole,
            "GET /grafana/api/access-control/status",
            &["rights of the credential"],
        );
        assert_eq!(partial.absence(Kind::Grant, Some(&Id::new("team:1"))), Absence::Unproven);
    }))
    .await;
}

#[tokio::test]
async fn a_401_makes_no_snapshot() {
    for path in [ROLES, USERS, ACCOUNTS, TEAMS, ROLES_OF_USERS, ROLES_OF_TEAMS, OWN, STATUS] {
        let refuses = move |seen: &Seen, _| match call(seen) == path {
            true => error(401, "Unauthorized"),
            false if path == STATUS => without_reserved_roles(seen),
            false => organization(seen),
        };
        assert_eq!(class(sweep(refuses).await), Class::Unauthenticated, "{path}");
    }
    let one = |seen: &Seen, _| match call(seen).as_str() {
        ROLES_OF_BOB => error(401, "Unauthorized"),
        _ => everything(seen),
    };
    let (_stub, grafana) = grafana(one).await;
    assert_eq!(class(grafana.snapshot(&needs(&BOTH, &LEVELS, &["user:2"])).await), Class::Unauthenticated);
}

#[tokio::test]
async fn a_server_that_is_down_makes_no_snapshot() {
    for answer in failures() {
        assert_eq!(class(sweep(move |_, _| answer()).await), Class::Transient);
    }
}

#[tokio::test]
async fn a_refused_list_of_names_does_not_stop_the_rest() {
    for (path, level) in [(ROLES, "role"), (USERS, "user"), (ACCOUNTS, "serviceAccount"), (TEAMS, "team")] {
        let snapshot = sweep(with(path, |_| error(403, "no"))).await.expect(path);
        assert!(snapshot.directory().refusal(super::level(level)).expect(path).contains("answered 403: no"));
        assert_eq!(
            LEVELS.iter().filter(|level| snapshot.directory().refusal(super::level(level)).is_some()).count(),
            1
        );
        assert!(snapshot.all(Kind::Grant).count() >= 2, "{path}");
    }
}

#[tokio::test]
async fn a_grafana_that_lost_rbac_makes_no_snapshot() {
    for which in 0..4 {
        let answer = move |seen: &Seen, before: usize| match (call(seen).as_str(), which) {
            (STATUS, 0) => ok(json!({"enabled": false})),
            (STATUS, 1) => error(404, "Not found"),
            // The whole API is missing, as after a downgrade.
            (path, 2) if path.contains("/access-control/") => error(404, "Not found"),
            // It disappears during the sweep, and the lists are empty.
            (STATUS, _) => error(404, "Not found"),
            (ROLES, _) => ok(json!([])),
            (ROLES_OF_USERS | ROLES_OF_TEAMS, _) if before > 0 => ok(json!({})),
            _ => organization(seen),
        };
        assert_eq!(class(sweep(answer).await), Class::Unsupported, "{which}");
    }
}

#[tokio::test]
async fn a_missing_list_of_roles_is_unread() {
    let snapshot = sweep(with(ROLES, |_| error(404, "Not found"))).await.expect("a snapshot");
    assert!(snapshot.failures().of(&Part::Kind(Kind::Role)).is_some());
}
