//! What a snapshot proves.

use super::*;

fn roles(snapshot: &Snapshot) -> Absence {
    snapshot.absence(Kind::Role, None)
}

fn grants(snapshot: &Snapshot, subject: &str) -> Absence {
    snapshot.absence(Kind::Grant, Some(&Id::new(subject)))
}

/// A snapshot with managed grants of these subjects, and the principals that were read one by one.
async fn sweep_for(
    subjects: &[&str],
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> (Snapshot, Vec<String>) {
    let (stub, grafana) = grafana(answer).await;
    let snapshot = grafana.snapshot(&needs(&BOTH, &LEVELS, subjects)).await.expect("a snapshot");
    let alone = |call: &String| call.starts_with("GET") && call.ends_with("/roles") && call != ROLES;
    let mut asked: Vec<String> = calls(&stub).into_iter().filter(alone).collect();
    asked.sort();
    (snapshot, asked)
}

#[tokio::test]
async fn a_credential_that_sees_everything_proves_absence() {
    let (snapshot, asked) = sweep_for(&["user:1", "team:1"], |seen, _| organization(seen)).await;
    assert_eq!(roles(&snapshot), Absence::Proven);
    for subject in ["user:1", "user:2", "serviceAccount:14", "team:1"] {
        assert_eq!(grants(&snapshot, subject), Absence::Proven, "{subject}");
    }
    for subject in ["user:3", "team:2", "user:14", "serviceAccount:1"] {
        assert_eq!(grants(&snapshot, subject), Absence::Unproven, "{subject}");
    }
    assert!(asked.is_empty(), "{asked:?}");
}

#[tokio::test]
async fn a_narrowed_credential_proves_nothing() {
    for own in [
        json!({}),
        json!({"roles:read": ["roles:uid:r1"], "users.roles:read": ["users:id:1"], "teams.roles:read": ["teams:id:1"]}),
        json!({"roles:read": null}),
    ] {
        let (snapshot, _) = sweep_for(&[], with(OWN, move |_| ok(own.clone()))).await;
        assert_eq!(roles(&snapshot), Absence::Unproven);
        assert_eq!(grants(&snapshot, "user:1"), Absence::Unproven);
        assert_eq!(snapshot.all(Kind::Grant).count(), 3, "visible grants are shown");
    }
    for refusal in [403, 404] {
        let (snapshot, _) = sweep_for(&[], with(OWN, move |_| error(refusal, "no"))).await;
        assert_eq!(roles(&snapshot), Absence::Unproven);
    }
}

#[tokio::test]
async fn each_list_is_proven_by_its_own_permission() {
    for (action, proven) in [("roles:read", 0), ("users.roles:read", 1), ("teams.roles:read", 2)] {
        let (snapshot, _) = sweep_for(&[], with(OWN, move |_| ok(json!({action: ["*"]})))).await;
        let parts = [roles(&snapshot), grants(&snapshot, "user:1"), grants(&snapshot, "team:1")];
        for (part, absence) in parts.into_iter().enumerate() {
            assert_eq!(absence == Absence::Proven, part == proven, "{action} {part}");
        }
    }
}

#[tokio::test]
async fn permissions_that_change_during_a_sweep_prove_nothing() {
    for narrow_first in [true, false] {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let (snapshot, _) = sweep_for(
            &[],
            with(OWN, move |seen| {
                let first = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
                if first == narrow_first { ok(json!({})) } else { organization(seen) }
            }),
        )
        .await;
        assert_eq!(roles(&snapshot), Absence::Unproven);
        assert_eq!(grants(&snapshot, "user:1"), Absence::Unproven);
    }
}

#[tokio::test]
async fn roles_are_listed_last_and_replace_the_status() {
    let (stub, grafana) = grafana(|seen, _| organization(seen)).await;
    grafana.snapshot(&needs(&BOTH, &LEVELS, &[])).await.expect("a snapshot");
    let calls = calls(&stub);
    assert_eq!(calls[calls.len() - 2..], [ROLES, OWN]);
    assert!(!calls.iter().any(|call| call == STATUS));
    assert!(stub.seen().iter().all(|seen| seen.param("reloadcache").is_none()));
}

#[tokio::test]
async fn a_list_of_roles_without_reserved_ones_proves_nothing() {
    for list in [json!([]), json!([listed("r1", "writer")])] {
        let (snapshot, _) = sweep_for(&[], with(ROLES, move |_| ok(list.clone()))).await;
        assert_eq!(roles(&snapshot), Absence::Unproven);
        assert_eq!(grants(&snapshot, "user:1"), Absence::Proven);
    }
}

#[tokio::test]
async fn a_refused_status_is_replaced_by_a_role_of_grafanas_own() {
    let (snapshot, _) = sweep_for(&[], with(STATUS, |_| error(403, "no"))).await;
    assert_eq!((roles(&snapshot), grants(&snapshot, "user:1")), (Absence::Proven, Absence::Proven));
    for list in [json!([]), json!([listed("r1", "writer")])] {
        let answer = move |seen: &Seen, _: usize| match call(seen).as_str() {
            STATUS => error(403, "no"),
            ROLES => ok(list.clone()),
            _ => organization(seen),
        };
        let (snapshot, _) = sweep_for(&[], answer).await;
        assert_eq!((roles(&snapshot), grants(&snapshot, "user:1")), (Absence::Unproven, Absence::Unproven));
        assert_eq!(snapshot.all(Kind::Grant).count(), 3);
    }
}

#[tokio::test]
async fn an_omitted_principal_with_managed_grants_is_read_alone() {
    for left_out in
        [json!({"1": [listed("r1", "writer")]}), json!({"1": [listed("r1", "writer")], "2": null})]
    {
        let answer = move |seen: &Seen, _: usize| match call(seen).as_str() {
            ROLES_OF_USERS => ok(left_out.clone()),
            "GET /access-control/users/2/roles" => {
                assert_eq!(seen.param("includeHidden"), Some("true"));
                ok(json!([listed("r9", "nine")]))
            }
            _ => organization(seen),
        };
        let (snapshot, asked) = sweep_for(&["user:1", "user:2"], answer).await;
        assert_eq!(
            asked,
            ["GET /access-control/users/2/roles"],
            "not the service account, which has no managed grant"
        );
        assert!(snapshot.by_id(Kind::Grant, &Id::new("user:2/r9")).is_some());
        assert_eq!(grants(&snapshot, "user:2"), Absence::Proven);
        assert_eq!(grants(&snapshot, "serviceAccount:14"), Absence::Unproven);
    }
}

#[tokio::test]
async fn an_empty_search_proves_only_principals_read_alone() {
    for nobody in [json!({}), Value::Null] {
        let answer = move |seen: &Seen, _: usize| match call(seen).as_str() {
            ROLES_OF_USERS | ROLES_OF_TEAMS => ok(nobody.clone()),
            "GET /access-control/users/14/roles" => ok(json!([])),
            "GET /access-control/teams/1/roles" => ok(Value::Null),
            _ => organization(seen),
        };
        let (snapshot, asked) = sweep_for(&["serviceAccount:14", "team:1"], answer).await;
        assert_eq!(asked, ["GET /access-control/teams/1/roles", "GET /access-control/users/14/roles"]);
        assert_eq!(grants(&snapshot, "serviceAccount:14"), Absence::Proven);
        assert_eq!(grants(&snapshot, "team:1"), Absence::Proven);
        assert_eq!(grants(&snapshot, "user:1"), Absence::Unproven);
    }
}

#[tokio::test]
async fn an_unlisted_principal_with_managed_grants_is_read() {
    let (stub, grafana) = grafana(|seen, _| match call(seen).as_str() {
        USERS => ok(json!({"totalCount": 0, "orgUsers": []})),
        "GET /access-control/users/77/roles" => ok(json!([])),
        _ => organization(seen),
    })
    .await;
    let snapshot = grafana.snapshot(&needs(&BOTH, &[], &["user:77", "r1"])).await.expect("a snapshot");
    assert_eq!(grants(&snapshot, "user:77"), Absence::Proven);
    let seen = stub.seen();
    let search = seen.iter().find(|seen| call(seen) == ROLES_OF_USERS).expect("a search");
    assert_eq!(search.body["userIds"], json!([77]));
}

#[tokio::test]
async fn a_deleted_principal_has_no_grants() {
    for (status, expected) in [(404, Absence::Proven), (403, Absence::Unproven), (400, Absence::Unproven)] {
        let answer = move |seen: &Seen, _: usize| match call(seen).as_str() {
            ROLES_OF_USERS => ok(json!({})),
            "GET /access-control/users/2/roles" => error(status, "no"),
            _ => organization(seen),
        };
        let (snapshot, _) = sweep_for(&["user:2"], answer).await;
        assert_eq!(grants(&snapshot, "user:2"), expected, "{status}");
    }
}

#[tokio::test]
async fn without_the_search_managed_principals_are_read_alone() {
    for status in [404, 405, 400] {
        let answer = move |seen: &Seen, _: usize| match call(seen).as_str() {
            ROLES_OF_USERS => error(status, "Not found"),
            "GET /access-control/users/1/roles" => ok(json!([listed("r1", "writer")])),
            _ => organization(seen),
        };
        let (snapshot, asked) = sweep_for(&["user:1"], answer).await;
        assert_eq!(asked, ["GET /access-control/users/1/roles"]);
        assert!(snapshot.by_id(Kind::Grant, &Id::new("user:1/r1")).is_some());
        assert_eq!(grants(&snapshot, "user:1"), Absence::Proven);
        assert_eq!(grants(&snapshot, "user:2"), Absence::Unproven);
    }
}

#[tokio::test]
async fn a_refused_search_leaves_only_its_grants_unproven() {
    let (snapshot, asked) = sweep_for(&["user:1"], with(ROLES_OF_USERS, |_| error(403, "no"))).await;
    assert_eq!(grants(&snapshot, "user:1"), Absence::Unproven);
    assert_eq!(grants(&snapshot, "team:1"), Absence::Proven);
    assert!(asked.is_empty());
}
