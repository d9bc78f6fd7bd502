//! Snapshots: the calls, and the result.

use futures::future::join_all;

use super::*;
use crate::testing::{assert_lacks, failures};

fn titles(snapshot: &Snapshot, kind: Kind) -> Vec<String> {
    let mut titles: Vec<String> = snapshot.all(kind).map(|seen| seen.body.title()).collect();
    titles.sort();
    titles
}

fn on_churn(subject: &str) -> String {
    grant_id(TRAINER, &format!("project:{PRODUCTION}:{CHURN}"), subject)
}

#[tokio::test]
async fn a_snapshot_shows_roles_and_which_are_read_only() {
    let (snapshot, _) = sweep(&[], |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    let seen = |id: &str| snapshot.by_id(Kind::Role, &Id::new(id)).expect("the role");
    assert_eq!(seen(READER).body, Body::Role(desired_role("reader", "workspace")));
    assert_eq!((seen(READER).read_only.clone(), seen(READER).outline), (None, false));
    assert_eq!(seen(VIEWER).read_only.as_deref(), Some("a predefined role"));
    let key = |level: &str, name: &str| Key::new([("level", level), ("name", name)]);
    let by_key = |level: &str, name: &str| {
        snapshot.by_key(Kind::Role, &key(level, name)).map(|seen| seen.id.to_string())
    };
    assert_eq!(by_key("workspace", "reader").as_deref(), Some(READER));
    assert_eq!(by_key("project", "reader"), None);
}

#[tokio::test]
async fn share_roles_are_read_only_and_organization_roles_are_not() {
    let (snapshot, _) = sweep(
        &[],
        with(of_org("roles"), |seen| {
            let mut shared = role(TRAINER, "share", "workspace", false);
            shared["type"] = json!("share");
            page(seen, &[role(READER, "custom", "organization", false), shared])
        }),
    )
    .await;
    let snapshot = snapshot.expect("a snapshot");
    for (id, read_only) in [(READER, false), (TRAINER, true)] {
        let seen = snapshot.by_id(Kind::Role, &Id::new(id)).expect("the role");
        assert_eq!(seen.read_only.is_some(), read_only, "{id}");
    }
}

#[tokio::test]
async fn a_role_with_hidden_permissions_is_unreadable() {
    let (snapshot, _) =
        sweep(&[], with(of_org("roles"), |seen| page(seen, &[hidden(READER, "reader")]))).await;
    let snapshot = snapshot.expect("a snapshot");
    let Body::Role(role) = &snapshot.by_id(Kind::Role, &Id::new(READER)).expect("the role").body else {
        panic!("not a role")
    };
    assert!(role.unreadable && role.rules.is_empty());
}

#[tokio::test]
async fn two_roles_with_one_name_are_ambiguous() {
    let (snapshot, _) = sweep(
        &[],
        with(of_org("roles"), |seen| {
            page(
                seen,
                &[role(READER, "reader", "workspace", false), role(TRAINER, "reader", "workspace", false)],
            )
        }),
    )
    .await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(snapshot.is_ambiguous(Kind::Role, &Key::new([("level", "workspace"), ("name", "reader")])));
}

#[tokio::test]
async fn each_managed_role_and_scope_is_read_once() {
    let bob = grant_id(READER, &format!("workspace:{PRODUCTION}"), &format!("user:{BOB}"));
    let hints = [alice_as_reader(), bob, on_churn(&format!("user:{NIGHTLY}"))];
    let (snapshot, seen) = sweep(&hints, |seen, _| organization(seen)).await;
    let mut reads: Vec<String> =
        seen.iter().filter(|seen| seen.path.ends_with("assignments")).map(call_with_query).collect();
    reads.sort();
    assert_eq!(
        reads,
        [
            format!("{}?workspace_id={PRODUCTION}", assignments_of(READER)),
            format!("{}?workspace_id={PRODUCTION}&project_id={CHURN}", assignments_of(TRAINER)),
        ]
    );
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(
        titles(&snapshot, Kind::Grant),
        [
            "alice@example.com as reader on workspace production".to_owned(),
            "ml as reader on workspace production".to_owned(),
            format!("nightly as trainer on project {CHURN}"),
        ]
    );
    let seen = snapshot.by_id(Kind::Grant, &Id::new(alice_as_reader())).expect("the grant");
    assert_eq!(seen.body, grant(READER, &alice(), in_production()));
}

#[tokio::test]
async fn a_write_returns_what_a_snapshot_shows() {
    let body = grant(READER, &alice(), in_production());
    let (made, _) = write(create(body), |seen, _| match seen.method.as_str() {
        "POST" if call(seen) != LOGIN => {
            let alice = json!({"user": user(ALICE, "alice", "alice@example.com", false)});
            ok(assignment(READER, alice, Some(PRODUCTION), None))
        }
        _ => organization(seen),
    })
    .await;
    let made = made.expect("a success").expect("the grant");
    let (snapshot, _) = sweep(&[alice_as_reader()], |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(snapshot.by_id(Kind::Grant, &made.id), Some(&made));
    let (_stub, zenml) = zenml(|seen, _| organization(seen)).await;
    let read = zenml.read(Kind::Grant, &made.id).await.expect("an answer").expect("the grant");
    assert_eq!((read.body, read.key), (made.body.clone(), made.key.clone()));
    let found = zenml.find(&made.body).await.expect("an answer").expect("the grant");
    assert_eq!(found.id, made.id);
}

#[tokio::test]
async fn lists_that_nothing_needs_are_not_read() {
    let (stub, zenml) = zenml(|seen, _| organization(seen)).await;
    zenml.snapshot(&needs(&BOTH, &["team"], &[])).await.expect("a snapshot");
    let mut seen = calls(&stub.seen());
    seen.sort();
    seen.dedup();
    assert_eq!(seen, [of_org("roles"), of_org("teams"), ORGANIZATION.to_owned()]);
    let before = stub.seen().len();
    zenml.snapshot(&needs(&[], &[], &[])).await.expect("a snapshot");
    assert_eq!(stub.seen().len(), before);
}

#[tokio::test]
async fn a_snapshot_takes_one_call_for_each_role_and_scope() {
    let id = |n: usize| format!("10000000-0000-4000-8000-{n:012}");
    let (stub, zenml) = zenml(move |seen, _| match call(seen).as_str() {
        path if path == of_org("roles") => {
            let all: Vec<Value> =
                (0..150).map(|n| role(&id(n), &format!("role {n}"), "workspace", n == 0)).collect();
            page(seen, &all)
        }
        path if path.ends_with("/assignments") => {
            let role = path.rsplit('/').nth(1).expect("a role");
            let subject = json!({"user": user(ALICE, "alice", "alice@example.com", false)});
            ok(json!([assignment(role, subject, Some(PRODUCTION), None)]))
        }
        _ => organization(seen),
    })
    .await;
    let scope = format!("workspace:{PRODUCTION}");
    let hints: Vec<String> = (1..150).map(|n| grant_id(&id(n), &scope, &alice())).collect();
    let needs = needs(&BOTH, &LEVELS, &hints);
    zenml.snapshot(&needs).await.expect("a snapshot");
    let before = stub.seen().len();
    zenml.snapshot(&needs).await.expect("a snapshot");
    let seen = stub.seen().split_off(before);
    let grants = seen.iter().filter(|seen| seen.path.ends_with("assignments")).count();
    // Roles: two pages. Members, teams, invitations and workspaces: one page.
    assert_eq!((grants, seen.len() - grants), (149, 2 + 4));
}

#[tokio::test]
async fn a_forbidden_list_does_not_affect_the_others() {
    for list in ["roles", "members", "teams", "invitations"] {
        for status in [403, 404, 405] {
            if status == 404 && list != "invitations" {
                continue;
            }
            let (snapshot, _) = sweep(
                &[alice_as_reader()],
                with(of_org(list), move |_| error(status, "IllegalOperationError", "not for you")),
            )
            .await;
            let snapshot = snapshot.expect("a snapshot");
            assert_eq!(snapshot.all(Kind::Role).count(), if list == "roles" { 0 } else { 4 });
            assert_eq!(snapshot.all(Kind::Grant).count(), 2);
            let (level, shown) = match list {
                "roles" => ("role", true),
                "members" => ("user", true),
                "teams" => ("team", true),
                _ => ("user", false),
            };
            let why = snapshot.directory().refusal(super::level(level)).unwrap_or_default();
            assert_eq!(why.contains("not for you"), shown, "{list} {status}: {why}");
        }
    }
}

/// Every call of a sweep but the first ones, and what is unread while it fails.
#[tokio::test]
async fn each_call_fails_alone() {
    let team = grant_id(READER, &format!("workspace:{PRODUCTION}"), &format!("team:{ML}"));
    let hints = &[alice_as_reader(), team.clone()];
    let whole = &sweep(hints, |seen, _| organization(seen)).await.0.expect("a snapshot");
    let texts = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<String>>();
    let here = format!("grants of {READER}/workspace:{PRODUCTION}");
    let each = [
        (of_org("roles"), texts(&["all roles", "role names"])),
        (of_org("members"), texts(&["serviceAccount names", "user names"])),
        (of_org("invitations"), texts(&["serviceAccount names", "user names"])),
        (of_org("teams"), texts(&["team names"])),
        ("GET /workspaces".to_owned(), texts(&["project names", "workspace names"])),
        (
            assignments_of(READER),
            vec![here.clone(), format!("grants of {team}"), format!("grants of {}", alice_as_reader())],
        ),
    ];
    let each = each.into_iter().flat_map(|row| failures().map(move |failure| (row.clone(), failure)));
    join_all(each.map(|((path, parts), failure)| async move {
        let partial = sweep(hints, with(path.clone(), move |_| failure())).await.0.expect(&path);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        assert_lacks(&partial, whole, &path.replace(' ', " /pro/api/v1"), &parts);
    }))
    .await;
}

#[tokio::test]
async fn without_a_login_or_an_organization_there_is_no_snapshot() {
    let each = [LOGIN, ORGANIZATION].into_iter().flat_map(|path| failures().map(|failure| (path, failure)));
    join_all(each.map(|(path, failure)| async move {
        let (snapshot, _) = sweep(&[alice_as_reader()], with(path, move |_| failure())).await;
        assert_eq!(class(snapshot), Class::Transient, "{path}");
    }))
    .await;
}

/// Without the list of invitations it is unknown whether the invitation was accepted.
#[tokio::test]
async fn the_grant_of_an_invitation_is_unread_without_their_list() {
    let invited = grant_id(
        READER,
        &format!("workspace:{PRODUCTION}"),
        &format!("invitation:{INVITED}:dave@example.com"),
    );
    let fails = with(of_org("invitations"), |_| Reply::text(500, "text/html", "no"));
    let snapshot = sweep(std::slice::from_ref(&invited), fails).await.0.expect("a snapshot");
    let place = Id::new(&invited);
    assert_eq!(snapshot.absence(Kind::Grant, Some(&place)), Absence::Unproven);
    assert!(snapshot.unread(Kind::Grant, None, Some(&place), None).is_some());
}

#[tokio::test]
async fn an_organization_that_is_not_found_proves_nothing() {
    let (snapshot, _) =
        sweep(&[alice_as_reader()], with(ORGANIZATION, |_| error(404, "KeyError", "no organization"))).await;
    assert_eq!(class(snapshot), Class::Transient);
}

#[tokio::test]
async fn a_404_for_a_list_of_every_server_is_a_failure() {
    let lists = ["roles", "members", "teams"].map(of_org);
    for path in lists.into_iter().chain(["GET /workspaces".to_owned()]) {
        let not_found = with(path.clone(), |_| Reply::text(404, "text/html", "<html>no such host"));
        let snapshot = sweep(&[alice_as_reader()], not_found).await.0.expect(&path);
        assert!(!snapshot.failures().is_empty(), "{path}");
    }
    let not_found = with(ORGANIZATION, |_| Reply::text(404, "text/html", "<html>no such host"));
    assert_eq!(class(sweep(&[alice_as_reader()], not_found).await.0), Class::Transient);
}

#[tokio::test]
async fn a_proxy_that_starts_to_answer_404_proves_nothing() {
    let lost = std::sync::atomic::AtomicBool::new(false);
    let (snapshot, _) = sweep(&[alice_as_reader()], move |seen, _| {
        lost.fetch_or(call(seen) == assignments_of(READER), std::sync::atomic::Ordering::Relaxed);
        if lost.load(std::sync::atomic::Ordering::Relaxed) {
            return Reply::text(404, "text/html", "<html>no such host");
        }
        organization(seen)
    })
    .await;
    let (snapshot, place) = (snapshot.expect("a snapshot"), Id::new(alice_as_reader()));
    assert_eq!(snapshot.absence(Kind::Grant, Some(&place)), Absence::Unproven);
    assert!(snapshot.unread(Kind::Grant, None, Some(&place), None).is_some());
}
