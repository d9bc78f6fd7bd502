//! Sweeps: what is read, and what is shown of it.

use futures::future::join_all;

use super::*;

fn titles(snapshot: &Snapshot, kind: Kind) -> Vec<String> {
    let mut titles: Vec<String> = snapshot.all(kind).map(|seen| seen.body.title()).collect();
    titles.sort();
    titles
}

fn on_churn(subject: &str) -> String {
    grant_id(TRAINER, &format!("project:{PRODUCTION}:{CHURN}"), subject)
}

#[tokio::test]
async fn a_sweep_shows_roles_with_their_level_and_who_may_not_touch_them() {
    let (snapshot, _) = sweep(&[], |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    let seen = |id: &str| snapshot.by_id(Kind::Role, &Id::new(id)).expect("the role");
    assert_eq!(seen(READER).body, Body::Role(wish("reader", "workspace")));
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
async fn organization_roles_and_those_of_shared_resources_are_left_alone() {
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
    for id in [READER, TRAINER] {
        let seen = snapshot.by_id(Kind::Role, &Id::new(id)).expect("the role");
        assert!(seen.read_only.is_some(), "{id}");
    }
}

#[tokio::test]
async fn permissions_that_are_not_shown_are_not_made_up() {
    let (snapshot, _) =
        sweep(&[], with(of_org("roles"), |seen| page(seen, &[hidden(READER, "reader")]))).await;
    let snapshot = snapshot.expect("a snapshot");
    let Body::Role(role) = &snapshot.by_id(Kind::Role, &Id::new(READER)).expect("the role").body else {
        panic!("not a role")
    };
    assert!(role.unreadable && role.rules.is_empty());
}

#[tokio::test]
async fn two_roles_of_one_name_are_both_shown() {
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
async fn grants_are_read_for_each_held_role_and_scope_once_however_many_are_held_there() {
    let bob = grant_id(READER, &format!("workspace:{PRODUCTION}"), &format!("user:{BOB}"));
    let held = [alice_reads(), bob, on_churn(&format!("user:{NIGHTLY}")), "role:workspace:reader".to_owned()];
    let (snapshot, seen) = sweep(&held, |seen, _| organization(seen)).await;
    let mut asked: Vec<String> =
        seen.iter().filter(|seen| seen.path.ends_with("assignments")).map(asked).collect();
    asked.sort();
    assert_eq!(
        asked,
        [
            format!("{}?workspace_id={PRODUCTION}", holders_of(READER)),
            format!("{}?workspace_id={PRODUCTION}&project_id={CHURN}", holders_of(TRAINER)),
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
    let seen = snapshot.by_id(Kind::Grant, &Id::new(alice_reads())).expect("the grant");
    assert_eq!(seen.body, grant(READER, &alice(), in_production()));
}

#[tokio::test]
async fn a_held_role_of_which_nothing_is_held_is_asked_about_without_a_scope_and_all_that_is_told_is_shown() {
    let held = ["role:workspace:reader".to_owned(), "role:project:gone".to_owned()];
    let (snapshot, seen) = sweep(&held, |seen, _| organization(seen)).await;
    let asked: Vec<String> =
        seen.iter().filter(|seen| seen.path.ends_with("assignments")).map(asked).collect();
    assert_eq!(asked, [holders_of(READER)]);
    assert_eq!(
        snapshot.expect("a snapshot").all(Kind::Grant).count(),
        2,
        "some servers tell all scopes at once"
    );
}

#[tokio::test]
async fn what_is_seen_after_a_write_is_what_a_sweep_shows() {
    let body = grant(READER, &alice(), in_production());
    let (made, _) = write(create(body), |seen, _| match seen.method.as_str() {
        "POST" if call(seen) != LOGIN => ok(assignment(READER, json!({}), Some(PRODUCTION), None)),
        _ => organization(seen),
    })
    .await;
    let made = made.expect("a success").expect("the grant");
    let (snapshot, _) = sweep(&[alice_reads()], |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(snapshot.by_id(Kind::Grant, &made.id), Some(&made));
    let (_stub, zenml) = zenml(|seen, _| organization(seen)).await;
    let read = zenml.read(Kind::Grant, &made.id).await.expect("an answer").expect("the grant");
    assert_eq!((read.body, read.key), (made.body.clone(), made.key.clone()));
    let found = zenml.find(&made.body).await.expect("an answer").expect("the grant");
    assert_eq!(found.id, made.id);
}

#[tokio::test]
async fn what_nobody_refers_to_is_not_read() {
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
async fn an_idle_sweep_takes_the_pages_and_one_call_for_each_role_and_scope() {
    let id = |n: usize| format!("10000000-0000-4000-8000-{n:012}");
    let (stub, zenml) = zenml(move |seen, _| match call(seen).as_str() {
        path if path == of_org("roles") => {
            let all: Vec<Value> =
                (0..150).map(|n| role(&id(n), &format!("role {n}"), "workspace", n == 0)).collect();
            page(seen, &all)
        }
        path if path.ends_with("/assignments") => {
            let role = path.rsplit('/').nth(1).expect("a role");
            let holder = json!({"user": user(ALICE, "alice", "alice@example.com", false)});
            ok(json!([assignment(role, holder, Some(PRODUCTION), None)]))
        }
        _ => organization(seen),
    })
    .await;
    let held: Vec<String> = (1..150)
        .flat_map(|n| {
            let scope = format!("workspace:{PRODUCTION}");
            [grant_id(&id(n), &scope, &alice()), format!("role:workspace:role {n}")]
        })
        .collect();
    let needs = needs(&BOTH, &LEVELS, &held);
    zenml.snapshot(&needs).await.expect("a snapshot");
    let before = stub.seen().len();
    zenml.snapshot(&needs).await.expect("a snapshot");
    let seen = stub.seen().split_off(before);
    let grants = seen.iter().filter(|seen| seen.path.ends_with("assignments")).count();
    // Roles: two pages and the end, twice; members, teams, invitations and workspaces: a page and the end.
    assert_eq!((grants, seen.len() - grants), (149, 6 + 8));
}

#[tokio::test]
async fn a_list_that_the_credential_may_not_read_leaves_the_others_as_they_are() {
    for list in ["roles", "members", "teams", "invitations"] {
        for status in [401, 403, 404, 405] {
            if status == 404 && list != "invitations" {
                continue;
            }
            let (snapshot, _) = sweep(
                &[alice_reads()],
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
            let why = snapshot.directory().refusal(level).unwrap_or_default();
            assert_eq!(why.contains("not for you"), shown, "{list} {status}: {why}");
        }
    }
}

#[tokio::test]
async fn any_other_failure_of_any_call_makes_no_snapshot() {
    let paths = [
        LOGIN.to_owned(),
        ORGANIZATION.to_owned(),
        of_org("roles"),
        of_org("members"),
        of_org("teams"),
        of_org("invitations"),
        "GET /workspaces".to_owned(),
        holders_of(READER),
    ];
    let each = paths.into_iter().map(|path| async move {
        for (status, expected) in [(408, Class::Transient), (500, Class::Transient), (502, Class::Transient)]
        {
            let (snapshot, _) = sweep(
                &[alice_reads()],
                with(path.clone(), move |_| Reply::text(status, "text/html", "<html>no")),
            )
            .await;
            assert_eq!(class(snapshot), expected, "{path} {status}");
        }
        for cut in [true, false] {
            let (snapshot, _) = sweep(
                &[alice_reads()],
                with(path.clone(), move |_| match cut {
                    true => Reply::Cut { body: b"[".to_vec() },
                    false => Reply::text(200, "text/html", "<html>log in"),
                }),
            )
            .await;
            assert_eq!(class(snapshot), Class::Transient, "{path}");
        }
    });
    join_all(each).await;
}

#[tokio::test]
async fn an_organization_that_is_not_found_proves_nothing() {
    let (snapshot, _) =
        sweep(&[alice_reads()], with(ORGANIZATION, |_| error(404, "KeyError", "no organization"))).await;
    assert_eq!(class(snapshot), Class::Transient);
}

#[tokio::test]
async fn a_404_of_what_every_server_has_is_a_proxys_and_makes_no_snapshot() {
    let lists = ["roles", "members", "teams"].map(of_org);
    for path in lists.into_iter().chain([ORGANIZATION.to_owned(), "GET /workspaces".to_owned()]) {
        let (snapshot, _) = sweep(
            &[alice_reads()],
            with(path.clone(), |_| Reply::text(404, "text/html", "<html>no such host")),
        )
        .await;
        assert_eq!(class(snapshot), Class::Transient, "{path}");
    }
}

#[tokio::test]
async fn a_proxy_that_begins_to_answer_404_in_the_middle_of_a_sweep_makes_no_snapshot() {
    let lost = std::sync::atomic::AtomicBool::new(false);
    let (snapshot, _) = sweep(&[alice_reads()], move |seen, _| {
        lost.fetch_or(call(seen) == holders_of(READER), std::sync::atomic::Ordering::Relaxed);
        if lost.load(std::sync::atomic::Ordering::Relaxed) {
            return Reply::text(404, "text/html", "<html>no such host");
        }
        organization(seen)
    })
    .await;
    assert_eq!(class(snapshot), Class::Transient);
}
