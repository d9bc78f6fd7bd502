//! What a snapshot proves about things that it does not show.

use super::*;

fn absence(snapshot: &Snapshot, id: &str) -> Absence {
    snapshot.absence(Kind::Grant, Some(&Id::new(id)))
}

fn bob_as_reader() -> String {
    grant_id(READER, &format!("workspace:{PRODUCTION}"), &format!("user:{BOB}"))
}

#[tokio::test]
async fn a_list_with_predefined_roles_proves_absence() {
    let (snapshot, _) = sweep(&[], |seen, _| organization(seen)).await;
    assert_eq!(snapshot.expect("a snapshot").absence(Kind::Role, None), Absence::Proven);
    let (narrowed, _) = sweep(&[], with(of_org("roles"), |seen| page(seen, &roles()[..2]))).await;
    assert_eq!(narrowed.expect("a snapshot").absence(Kind::Role, None), Absence::Unproven);
}

#[tokio::test]
async fn the_absence_of_managed_grants_only_is_proven() {
    let (snapshot, _) = sweep(&[bob_as_reader()], |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(snapshot.by_id(Kind::Grant, &Id::new(bob_as_reader())).is_none());
    assert_eq!(absence(&snapshot, &bob_as_reader()), Absence::Proven);
    // These can exist now: nothing was read about them.
    let elsewhere = grant_id(READER, &format!("workspace:{STAGING}"), &alice());
    assert_eq!(absence(&snapshot, &elsewhere), Absence::Unproven);
    let same_place = grant_id(READER, &format!("workspace:{PRODUCTION}"), &format!("user:{DAVE}"));
    assert_eq!(absence(&snapshot, &same_place), Absence::Unproven);
}

#[tokio::test]
async fn an_empty_list_is_a_proof_and_a_refusal_is_not() {
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
        let (snapshot, _) = sweep(&[alice_as_reader()], with(assignments_of(READER), move |_| reply())).await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!(
            (absence(&snapshot, &alice_as_reader()), snapshot.all(Kind::Grant).count()),
            (expected, 0)
        );
    }
}

#[tokio::test]
async fn grants_of_a_deleted_role_are_deleted() {
    let cases: [(fn() -> Reply, Absence); 4] = [
        (|| error(404, "KeyError", "no such role"), Absence::Proven),
        // The list lacks a role that exists, and the assignments of it are hidden.
        (|| ok(roles()[0].clone()), Absence::Unproven),
        (|| error(403, "IllegalOperationError", "no"), Absence::Unproven),
        (|| Reply::text(502, "text/html", "<html>no"), Absence::Unproven),
    ];
    for (by_id, expected) in cases {
        let (snapshot, _) = sweep(&[alice_as_reader()], move |seen, _| match call(seen).as_str() {
            path if path == of_org("roles") => page(seen, &roles()[1..]),
            path if path == assignments_of(READER) => error(403, "IllegalOperationError", "no"),
            path if path == format!("GET /roles/{READER}") => by_id(),
            _ => organization(seen),
        })
        .await;
        assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_as_reader()), expected);
    }
}

/// What the server shows of the workspace `production`, which can be deleted.
#[derive(Clone, Debug)]
struct Deleted {
    workspaces: Vec<Value>,
    by_id: u16,
    assignments: u16,
    witness: &'static str,
}

impl Deleted {
    fn answer(&self, seen: &Seen) -> Reply {
        match call(seen).as_str() {
            "GET /workspaces" => page(seen, &self.workspaces),
            path if path == format!("GET /workspaces/{PRODUCTION}") => match self.by_id {
                200 => ok(workspace(PRODUCTION, "production")),
                status => error(status, "KeyError", "no such workspace"),
            },
            path if path == assignments_of(READER) => match self.assignments {
                200 => ok(json!([])),
                status => error(status, "KeyError", "no such workspace"),
            },
            path if path == assignments_of(ADMIN) => {
                let subject = json!({"user": user(self.witness, "someone", "", true)});
                ok(json!([assignment(ADMIN, subject, None, None)]))
            }
            _ => organization(seen),
        }
    }
}

#[tokio::test]
async fn grants_on_a_deleted_workspace_are_deleted() {
    let mut gone = workspace(PRODUCTION, "production");
    gone["status"] = json!("deleted");
    let staging = || workspace(STAGING, "staging");
    let lacks = Deleted { workspaces: vec![staging()], by_id: 404, assignments: 404, witness: BOB };
    for (server, expected) in [
        (lacks.clone(), Absence::Proven),
        (Deleted { assignments: 200, ..lacks.clone() }, Absence::Proven),
        (Deleted { assignments: 403, ..lacks.clone() }, Absence::Proven),
        // It is listed as deleted.
        (Deleted { workspaces: vec![gone.clone(), staging()], by_id: 200, ..lacks.clone() }, Absence::Proven),
        (Deleted { workspaces: vec![gone], assignments: 200, ..lacks.clone() }, Absence::Proven),
        // It exists and is hidden in the list, or everywhere.
        (Deleted { by_id: 200, ..lacks.clone() }, Absence::Unproven),
        (Deleted { by_id: 403, ..lacks.clone() }, Absence::Unproven),
        // The credential may not see any workspace.
        (Deleted { workspaces: vec![], ..lacks.clone() }, Absence::Unproven),
        (Deleted { workspaces: vec![], assignments: 200, ..lacks.clone() }, Absence::Unproven),
        // It sees only what is its own.
        (Deleted { witness: NIGHTLY, ..lacks.clone() }, Absence::Unproven),
        // It exists, and its assignments are not found.
        (Deleted { workspaces: vec![workspace(PRODUCTION, "production")], ..lacks }, Absence::Unproven),
    ] {
        let shown = server.clone();
        let (snapshot, _) = sweep(&[alice_as_reader()], move |seen, _| shown.answer(seen)).await;
        assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_as_reader()), expected, "{server:?}");
    }
}

#[tokio::test]
async fn grants_on_a_deleted_project_are_deleted() {
    let hint = grant_id(TRAINER, &format!("project:{PRODUCTION}:{CHURN}"), &alice());
    for (projects, by_id, expected) in [
        (Some(vec![BOB]), 404, Absence::Proven),
        (Some(vec![BOB]), 403, Absence::Unproven),
        (Some(vec![BOB, CHURN]), 404, Absence::Unproven),
        (Some(vec![]), 404, Absence::Unproven),
        // This control plane does not list projects.
        (None, 404, Absence::Unproven),
    ] {
        let listed = projects.clone();
        let list = format!("GET /workspaces/{PRODUCTION}/projects");
        let (snapshot, _) = sweep(std::slice::from_ref(&hint), move |seen, _| match (call(seen), &listed) {
            (path, _) if path == assignments_of(TRAINER) => error(404, "KeyError", "no such project"),
            (path, Some(ids)) if path == list => {
                page(seen, &ids.iter().map(|id| json!({"id": id, "name": "x"})).collect::<Vec<Value>>())
            }
            (path, _) if path == format!("{list}/{CHURN}") => error(by_id, "KeyError", "no such project"),
            _ => organization(seen),
        })
        .await;
        assert_eq!(absence(&snapshot.expect("a snapshot"), &hint), expected, "{projects:?} {by_id}");
    }
}

#[tokio::test]
async fn a_list_with_only_own_assignments_proves_nothing_alone() {
    let own = || json!({"user": user(NIGHTLY, "nightly", "", true)});
    for (row, witness, expected) in [
        (own(), NIGHTLY, Absence::Unproven),
        (json!({"team": team()}), NIGHTLY, Absence::Unproven),
        (own(), BOB, Absence::Proven),
        // Another user's assignment shows that the list is not filtered.
        (json!({"user": user(ALICE, "alice", "", false)}), NIGHTLY, Absence::Proven),
    ] {
        let shown = row.clone();
        let (snapshot, _) = sweep(&[bob_as_reader()], move |seen, _| match call(seen) {
            path if path == assignments_of(READER) => {
                ok(json!([assignment(READER, shown.clone(), Some(PRODUCTION), None)]))
            }
            path if path == assignments_of(ADMIN) => {
                let subject = json!({"user": user(witness, "someone", "", true)});
                ok(json!([assignment(ADMIN, subject, None, None)]))
            }
            _ => organization(seen),
        })
        .await;
        assert_eq!(absence(&snapshot.expect("a snapshot"), &bob_as_reader()), expected, "{row}");
    }
}

#[tokio::test]
async fn grants_of_a_hidden_role_are_not_proven_absent() {
    for list in [&roles()[1..2], &[]] {
        let list = list.to_vec();
        let (snapshot, _) = sweep(&[alice_as_reader()], move |seen, _| match call(seen).as_str() {
            path if path == of_org("roles") => page(seen, &list),
            path if path == assignments_of(READER) => error(404, "KeyError", "no such role"),
            _ => organization(seen),
        })
        .await;
        assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_as_reader()), Absence::Unproven);
    }
}

#[tokio::test]
async fn an_unknown_kind_of_subject_proves_nothing() {
    for odd in
        [json!({"robot": {"id": BOB}}), json!({"user": null, "workspace_id": null, "project_id": CHURN})]
    {
        let (snapshot, _) = sweep(
            &[bob_as_reader()],
            with(assignments_of(READER), move |_| {
                ok(json!([assignment(READER, odd.clone(), Some(PRODUCTION), None)]))
            }),
        )
        .await;
        assert_eq!(absence(&snapshot.expect("a snapshot"), &bob_as_reader()), Absence::Unproven);
    }
}

#[tokio::test]
async fn grants_of_narrower_scopes_are_shown_there() {
    let hints = [grant_id(READER, "organization", &alice())];
    let (snapshot, _) = sweep(&hints, |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(snapshot.by_id(Kind::Grant, &Id::new(alice_as_reader())).is_some());
    assert!(snapshot.by_id(Kind::Grant, &Id::new(&hints[0])).is_none());
    assert_eq!(absence(&snapshot, &hints[0]), Absence::Proven);
}

#[tokio::test]
async fn an_empty_list_proves_nothing_without_any_assignment() {
    let (snapshot, seen) = sweep(&[alice_as_reader()], |seen, _| match call(seen) {
        path if path.ends_with("/assignments") => ok(json!([])),
        _ => organization(seen),
    })
    .await;
    assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_as_reader()), Absence::Unproven);
    let of_admins = seen.iter().filter(|seen| call(seen) == assignments_of(ADMIN)).count();
    assert_eq!(of_admins, 1, "the owner of the organization has this role");
}

#[tokio::test]
async fn an_empty_list_proves_nothing_if_rights_change() {
    // The rights grow after the empty list, so everything after it is visible.
    let reads = std::sync::atomic::AtomicUsize::new(0);
    let (snapshot, _) = sweep(&[alice_as_reader()], move |seen, _| match call(seen) {
        path if path == assignments_of(READER)
            && reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 =>
        {
            ok(json!([]))
        }
        _ => organization(seen),
    })
    .await;
    assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_as_reader()), Absence::Unproven);
    // The rights shrink before the empty list, so the workspace is not visible after it.
    let narrowed = std::sync::atomic::AtomicBool::new(false);
    let (snapshot, _) = sweep(&[alice_as_reader()], move |seen, _| match call(seen) {
        path if path == assignments_of(READER) => {
            narrowed.store(true, std::sync::atomic::Ordering::Relaxed);
            ok(json!([]))
        }
        path if path == "GET /workspaces" && narrowed.load(std::sync::atomic::Ordering::Relaxed) => {
            page(seen, &[])
        }
        _ => organization(seen),
    })
    .await;
    assert_eq!(absence(&snapshot.expect("a snapshot"), &alice_as_reader()), Absence::Unproven);
}

#[tokio::test]
async fn an_empty_list_of_a_hidden_workspace_proves_nothing() {
    for levels in [&LEVELS[..], &[]] {
        for (visible, expected) in [(true, Absence::Proven), (false, Absence::Unproven)] {
            let (_stub, zenml) = zenml(move |seen, _| match call(seen) {
                path if path == assignments_of(READER) => ok(json!([])),
                path if path == "GET /workspaces" && !visible => page(seen, &[workspace(STAGING, "staging")]),
                _ => organization(seen),
            })
            .await;
            let snapshot =
                zenml.snapshot(&needs(&BOTH, levels, &[alice_as_reader()])).await.expect("a snapshot");
            assert_eq!(absence(&snapshot, &alice_as_reader()), expected);
        }
    }
}
