//! What the silence of a sweep proves, and what it does not.

use super::*;

fn absence(snapshot: &Snapshot, id: &str) -> Absence {
    snapshot.absence(Kind::Grant, Some(&Id::new(id)))
}

fn bob_reads() -> String {
    grant_id(READER, &format!("workspace:{PRODUCTION}"), &format!("user:{BOB}"))
}

#[tokio::test]
async fn a_role_is_gone_when_a_list_with_predefined_ones_does_not_show_it() {
    let (snapshot, _) = sweep(&[], |seen, _| organization(seen)).await;
    assert_eq!(snapshot.expect("a snapshot").absence(Kind::Role, None), Absence::Proven);
    let (narrowed, _) = sweep(&[], with(of_org("roles"), |seen| page(seen, &roles()[..2]))).await;
    assert_eq!(narrowed.expect("a snapshot").absence(Kind::Role, None), Absence::Unproven);
}

#[tokio::test]
async fn a_held_grant_that_is_not_among_its_roles_is_gone_and_no_other() {
    let (snapshot, _) = sweep(&[bob_reads()], |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(snapshot.by_id(Kind::Grant, &Id::new(bob_reads())).is_none());
    assert_eq!(absence(&snapshot, &bob_reads()), Absence::Proven);
    // Held by now perhaps, and not asked about when the sweep began.
    let elsewhere = grant_id(READER, &format!("workspace:{STAGING}"), &alice());
    assert_eq!(absence(&snapshot, &elsewhere), Absence::Unproven);
    let same_place = grant_id(READER, &format!("workspace:{PRODUCTION}"), &format!("user:{DAVE}"));
    assert_eq!(absence(&snapshot, &same_place), Absence::Unproven);
}

#[tokio::test]
async fn an_empty_list_of_holders_is_an_answer_and_a_refusal_is_none() {
    type Case = (fn() -> Reply, Absence);
    let cases: [Case; 7] = [
        (|| ok(json!([])), Absence::Proven),
        (|| error(403, "IllegalOperationError", "no"), Absence::Unproven),
        (|| error(404, "KeyError", "no such workspace"), Absence::Unproven),
        (|| error(400, "ValueError", "no"), Absence::Unproven),
        (
            || Reply::json(422, json!({"detail": [{"loc": ["query", "workspace_id"], "msg": "no uuid"}]})),
            Absence::Unproven,
        ),
        (|| error(405, "MethodNotAllowedError", "no"), Absence::Unproven),
        (|| error(402, "SubscriptionUpgradeRequiredError", "pay"), Absence::Unproven),
    ];
    for (reply, expected) in cases {
        let (snapshot, _) = sweep(&[alice_reads()], with(holders_of(READER), move |_| reply())).await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!((absence(&snapshot, &alice_reads()), snapshot.all(Kind::Grant).count()), (expected, 0));
    }
}

#[tokio::test]
async fn grants_of_a_role_that_is_gone_are_gone_without_a_question() {
    let (snapshot, seen) =
        sweep(&[alice_reads()], with(of_org("roles"), |seen| page(seen, &roles()[1..]))).await;
    assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_reads()), Absence::Proven);
    assert!(!seen.iter().any(|seen| seen.path.ends_with("assignments")));
}

#[tokio::test]
async fn grants_of_a_role_that_a_narrowed_list_hides_are_not() {
    for list in [&roles()[1..2], &[]] {
        let list = list.to_vec();
        let (snapshot, _) = sweep(&[alice_reads()], move |seen, _| match call(seen).as_str() {
            path if path == of_org("roles") => page(seen, &list),
            path if path == holders_of(READER) => error(404, "KeyError", "no such role"),
            _ => organization(seen),
        })
        .await;
        assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_reads()), Absence::Unproven);
    }
}

#[tokio::test]
async fn a_holder_of_an_unknown_sort_leaves_everything_about_that_role_and_scope_open() {
    for odd in
        [json!({"robot": {"id": BOB}}), json!({"user": null, "workspace_id": null, "project_id": CHURN})]
    {
        let (snapshot, _) = sweep(
            &[bob_reads()],
            with(holders_of(READER), move |_| {
                ok(json!([assignment(READER, odd.clone(), Some(PRODUCTION), None)]))
            }),
        )
        .await;
        assert_eq!(absence(&snapshot.expect("a snapshot"), &bob_reads()), Absence::Unproven);
    }
}

#[tokio::test]
async fn what_a_server_shows_of_narrower_scopes_is_shown_there() {
    let held = [grant_id(READER, "organization", &alice())];
    let (snapshot, _) = sweep(&held, |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(snapshot.by_id(Kind::Grant, &Id::new(alice_reads())).is_some());
    assert!(snapshot.by_id(Kind::Grant, &Id::new(&held[0])).is_none());
    assert_eq!(absence(&snapshot, &held[0]), Absence::Proven);
}

#[tokio::test]
async fn an_empty_list_is_not_believed_where_nobody_is_seen_to_hold_anything() {
    let (snapshot, seen) = sweep(&[alice_reads()], |seen, _| match call(seen) {
        path if path.ends_with("/assignments") => ok(json!([])),
        _ => organization(seen),
    })
    .await;
    assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_reads()), Absence::Unproven);
    let of_admins = seen.iter().filter(|seen| call(seen) == holders_of(ADMIN)).count();
    assert_eq!(of_admins, 1, "the owner's role would be held by the owner");
}

#[tokio::test]
async fn an_empty_list_is_not_believed_where_rights_change_while_it_is_read() {
    // Widened behind the empty list: what is asked behind that sees all.
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let (snapshot, _) = sweep(&[alice_reads()], move |seen, _| match call(seen) {
        path if path == holders_of(READER)
            && asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 =>
        {
            ok(json!([]))
        }
        _ => organization(seen),
    })
    .await;
    assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_reads()), Absence::Unproven);
    // Narrowed before it: the workspace was seen by then, and is not seen behind it.
    let narrowed = std::sync::atomic::AtomicBool::new(false);
    let (snapshot, _) = sweep(&[alice_reads()], move |seen, _| match call(seen) {
        path if path == holders_of(READER) => {
            narrowed.store(true, std::sync::atomic::Ordering::Relaxed);
            ok(json!([]))
        }
        path if path == "GET /workspaces" && narrowed.load(std::sync::atomic::Ordering::Relaxed) => {
            page(seen, &[])
        }
        _ => organization(seen),
    })
    .await;
    assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_reads()), Absence::Unproven);
}

#[tokio::test]
async fn an_empty_list_is_not_believed_of_a_workspace_that_is_not_seen() {
    for levels in [&LEVELS[..], &[]] {
        for (there, expected) in [(true, Absence::Proven), (false, Absence::Unproven)] {
            let (_stub, zenml) = zenml(move |seen, _| match call(seen) {
                path if path == holders_of(READER) => ok(json!([])),
                path if path == "GET /workspaces" && !there => page(seen, &[workspace(STAGING, "staging")]),
                _ => organization(seen),
            })
            .await;
            let snapshot = zenml.snapshot(&needs(&BOTH, levels, &[alice_reads()])).await.expect("a snapshot");
            assert_eq!(absence(&snapshot, &alice_reads()), expected);
        }
    }
}
