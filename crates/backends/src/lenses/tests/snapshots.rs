//! Snapshots: what they show, and how many calls they take.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;

use super::*;
use crate::testing::{assert_lacks, failures};

fn titles(snapshot: &Snapshot, kind: Kind) -> Vec<String> {
    let mut titles: Vec<String> = snapshot.all(kind).map(|seen| seen.id.to_string()).collect();
    titles.sort();
    titles
}

#[tokio::test]
async fn managed_roles_are_complete_and_others_are_outlines() {
    let snapshot = sweep(&[managed_role("reader")], |seen, _| hq(seen)).await.expect("a snapshot");
    assert_eq!(titles(&snapshot, Kind::Role), ["reader#id-reader", "writer#id-writer"]);
    let seen = |name: &str| snapshot.by_id(Kind::Role, &thing(name)).expect("a role").clone();
    assert!(!seen("reader").outline && seen("writer").outline);
    assert_eq!(seen("reader").body, Body::Role(reader()));
}

#[tokio::test]
async fn roles_of_groups_are_grants_unless_the_group_is_owned() {
    let snapshot = sweep(&[], |seen, _| hq(seen)).await.expect("a snapshot");
    assert_eq!(titles(&snapshot, Kind::Grant), ["group:devs#id-devs/reader", "group:devs#id-devs/writer"]);
    let seen = snapshot.by_id(Kind::Group, &thing(OWNED)).expect("the group");
    assert_eq!(seen.body, Body::Group(readers()));
    assert_eq!((seen.outline, &seen.remark), (false, &None));
}

#[tokio::test]
async fn the_directory_has_no_owned_groups() {
    let snapshot = sweep(&[], |seen, _| hq(seen)).await.expect("a snapshot");
    let mut names: Vec<(String, String)> = snapshot
        .directory()
        .entries()
        .map(|entry| (entry.named.level.to_string(), entry.named.id.to_string()))
        .collect();
    names.sort();
    let expected = [
        ("group", "group:devs#id-devs"),
        ("group", "group:empty#id-empty"),
        ("serviceAccount", "service-account:nightly"),
        ("user", "user:alice@example.com"),
        ("user", "user:bob@example.com"),
    ];
    assert_eq!(names, expected.map(|(level, id)| (level.to_owned(), id.to_owned())));
}

#[tokio::test]
async fn what_nothing_needs_is_not_read() {
    let (stub, lenses) = lenses(|seen, _| hq(seen)).await;
    lenses.snapshot(&Needs::default()).await.expect("a snapshot");
    assert_eq!(calls(&stub), [""; 0]);
    let roles = Needs { kinds: [Kind::Role].into(), ..Needs::default() };
    lenses.snapshot(&roles).await.expect("a snapshot");
    assert_eq!(calls(&stub), [ROLES]);
    let groups = Needs { kinds: [Kind::Group].into(), ..Needs::default() };
    lenses.snapshot(&groups).await.expect("a snapshot");
    let mut more = calls(&stub).split_off(1);
    more.sort();
    assert_eq!(more, [GROUPS, DEVS, OWN], "a group without roles is not read");
}

/// An HQ with this many roles, and as many groups with one role each.
fn large(seen: &Seen, size: usize) -> Reply {
    let name = seen.path.rsplit('/').next().unwrap_or_default().to_owned();
    match call(seen).as_str() {
        ROLES => ok(json!({"items": (0..size).map(|n| listed(&format!("r{n}"), 1)).collect::<Vec<_>>()})),
        GROUPS => {
            ok(json!({"items": (0..size).map(|n| item(&format!("g{n}"), 0, 0, 1)).collect::<Vec<_>>()}))
        }
        it if it.starts_with("GET /roles/") => {
            ok(json!({"name": name, "id": format!("id-{name}"), "policy": []}))
        }
        it if it.starts_with("GET /groups/") => ok(group_of(&name, &["r1"], &[], &[])),
        _ => hq(seen),
    }
}

#[tokio::test]
async fn each_of_many_things_is_read_again_in_six_sweeps() {
    const SIZE: usize = 330;
    let (stub, lenses) = lenses(|seen, _| large(seen, SIZE)).await;
    let hints: Vec<Id> = (0..SIZE).map(|n| managed_role(&format!("r{n}"))).collect();
    let mut taken = Vec::new();
    for _ in 0..7 {
        let before = stub.seen().len();
        let snapshot = lenses.snapshot(&needs(&hints)).await.expect("a snapshot");
        assert_eq!(snapshot.all(Kind::Role).filter(|seen| !seen.outline).count(), SIZE);
        assert_eq!(snapshot.all(Kind::Grant).count(), SIZE);
        taken.push(stub.seen().len() - before);
    }
    assert_eq!(taken[0], 4 + 2 * SIZE);
    assert_eq!(taken[1..].iter().sum::<usize>(), 6 * 4 + 2 * SIZE);
    assert!(taken[1..].iter().all(|calls| *calls < SIZE), "{taken:?}");
}

#[tokio::test]
async fn a_thing_whose_list_entry_changed_is_read_at_once() {
    let mut renamed = item("devs", 0, 0, 2);
    renamed["display_name"] = json!("Developers");
    for (list, body, thing) in [
        (ROLES, json!({"items": [listed("reader", 9)]}), READER),
        (GROUPS, json!({"items": [renamed]}), DEVS),
    ] {
        let sweeps = Arc::new(AtomicUsize::new(0));
        let sweep_now = sweeps.clone();
        let (stub, lenses) = lenses(move |seen, _| match call(seen).as_str() {
            it if it == list && sweep_now.load(Ordering::SeqCst) == 1 => ok(body.clone()),
            _ => hq(seen),
        })
        .await;
        for sweep in 0..2 {
            sweeps.store(sweep, Ordering::SeqCst);
            lenses.snapshot(&needs(&[managed_role("reader")])).await.expect("a snapshot");
        }
        assert_eq!(calls(&stub).iter().filter(|call| *call == thing).count(), 2, "{thing}");
    }
}

#[tokio::test]
async fn a_group_that_shows_less_than_the_list_counts_is_unread() {
    for (path, group) in [
        (OWN, group_of(OWNED, &[], &["alice@example.com"], &["nightly"])),
        (OWN, group_of(OWNED, &["reader"], &[], &["nightly"])),
        (OWN, group_of(OWNED, &["reader"], &["alice@example.com"], &[])),
        (DEVS, devs(&["reader"])),
    ] {
        let snapshot = sweep(&[], with(path, move |_| ok(group.clone()))).await.expect("a snapshot");
        let summary = snapshot.failures().summary().expect("a failure");
        assert!(summary.contains("the list of groups counts"), "{summary}");
        match path {
            OWN => assert!(snapshot.unread_thing(Kind::Group, &thing(OWNED)).is_some()),
            _ => assert_eq!(snapshot.absence(Kind::Grant, Some(&place("devs"))), Absence::Unproven),
        }
    }
}

#[tokio::test]
async fn members_are_not_read_with_single_sign_on() {
    let stub = Stub::start(|seen, _| match call(seen).as_str() {
        USERS | ACCOUNTS => refusal(403),
        _ => hq(seen),
    })
    .await;
    let lenses = connect(&stub, json!({"membership": "Sso"}));
    let snapshot = lenses.snapshot(&needs(&[])).await.expect("a snapshot");
    let seen = snapshot.by_id(Kind::Group, &thing(OWNED)).expect("the group");
    assert_eq!((&seen.body, seen.outline), (&Body::Group(group(&["reader"], None)), false));
    assert!(seen.remark.as_ref().is_some_and(|remark| remark.contains("single sign-on")));
    assert!(!lenses.dialect().capabilities().manages_members());
}

#[tokio::test]
async fn a_refused_list_leaves_its_part_empty() {
    for (list, level) in [(GROUPS, "group"), (USERS, "user"), (ACCOUNTS, "serviceAccount"), (ROLES, "role")] {
        let snapshot = sweep(&[], with(list, |_| refusal(403))).await.expect("a snapshot");
        assert!(
            snapshot.directory().refusal(super::level(level)).is_some_and(|why| why.contains("for a reason")),
            "{level}"
        );
    }
}

/// Every call of a sweep, and what is unread while it fails.
#[tokio::test]
async fn each_call_fails_alone() {
    let hints = &[managed_role("reader"), managed_group(OWNED), managed_grant("devs")];
    let whole = &sweep(hints, |seen, _| hq(seen)).await.expect("a snapshot");
    let (reader, owned, devs) = (thing("reader"), thing(OWNED), place("devs"));
    let texts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<String>>();
    let each = [
        (ROLES, texts(&["all roles", "role names"])),
        (GROUPS, texts(&["all grants", "all groups", "group names"])),
        (USERS, texts(&["user names"])),
        (ACCOUNTS, texts(&["serviceAccount names"])),
        (READER, texts(&[&format!("role {reader}")])),
        (OWN, texts(&[&format!("group {owned}")])),
        (DEVS, texts(&[&format!("grants of {devs}")])),
    ];
    let not_found: [fn() -> Reply; 2] = [|| Reply::text(404, "text/html", "<h1>no"), missing];
    let failures = || failures().into_iter().chain(not_found);
    let each = each.into_iter().flat_map(|row| failures().map(move |failure| (row.clone(), failure)));
    join_all(each.map(|((path, parts), failure)| async move {
        let partial = sweep(hints, with(path, move |_| failure())).await.expect(path);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        assert_lacks(&partial, whole, &path.replace(' ', " /hq/api/v1"), &parts);
    }))
    .await;
}

#[tokio::test]
async fn an_unlisted_thing_that_fails_proves_nothing_of_itself() {
    let hints = &[managed_role("gone"), managed_role("broken")];
    let broken = |seen: &Seen, _| match call(seen).as_str() {
        "GET /roles/broken" => refusal(500),
        _ => hq(seen),
    };
    let snapshot = sweep(hints, broken).await.expect("a snapshot");
    let recorded = |name: &str| Id::new(name);
    assert!(snapshot.unread_thing(Kind::Role, &recorded("broken")).is_some());
    assert!(snapshot.unread(Kind::Role, Some(&recorded("gone")), None, None).is_none());
    assert_eq!(snapshot.absence(Kind::Role, None), Absence::Proven);
}

#[tokio::test]
async fn a_server_that_is_down_makes_no_snapshot() {
    for answer in failures() {
        let class = class(sweep(&[managed_role("reader")], move |_, _| answer()).await);
        assert_eq!(class, Class::Transient);
    }
}

/// About 10 MiB: more than the longest answer that is kept.
#[tokio::test]
async fn a_thousand_users_in_twelve_groups_are_listed() {
    let groups: Vec<Value> = (0..12)
        .map(|number| json!({"name": format!("g{number}"), "id": "1", "description": "ä".repeat(250), "metadata": {"x": "y".repeat(300)}}))
        .collect();
    let users: Vec<Value> = (0..1000)
        .map(|number| json!({"name": format!("user-{number}@example.com"), "groups": groups, "is_admin": false}))
        .collect();
    let body = json!({"items": users}).to_string();
    assert!(body.len() > 9 * 1024 * 1024, "{}", body.len());
    let snapshot = sweep(&[], with(USERS, move |_| Reply::text(200, "application/json", &body))).await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(snapshot.failures().is_empty(), "{:?}", snapshot.failures().summary());
    let listed = snapshot.directory().entries().filter(|entry| entry.named.level == Level::USER).count();
    assert_eq!(listed, 1000);
}
