//! What a snapshot proves.

use super::*;

const ROLE: &str = "GET /roles/gone";
const GROUP: &str = "GET /groups/gone";
const OWNED_GROUP: &str = "GET /groups/rw-0123456789abcdef";

fn absences(snapshot: &Snapshot) -> [bool; 3] {
    let group = place("gone");
    [(Kind::Role, None), (Kind::Group, None), (Kind::Grant, Some(&group))]
        .map(|(kind, place)| snapshot.absence(kind, place) == Absence::Proven)
}

fn unlisted() -> [Id; 3] {
    [managed_role("gone"), managed_group("rw-0123456789abcdef"), managed_grant("gone")]
}

/// A snapshot with a managed role and two managed groups that the lists do not show.
async fn sweep_unlisted(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Snapshot {
    sweep(&unlisted(), answer).await.expect("a snapshot")
}

#[tokio::test]
async fn hqs_own_404_proves_absence() {
    assert_eq!(absences(&sweep_unlisted(|seen, _| hq(seen)).await), [true, true, true]);
}

#[tokio::test]
async fn a_refusal_or_a_foreign_404_proves_nothing() {
    let answers: [fn() -> Reply; 8] = [
        || refusal(403),
        || refusal(400),
        || Reply::text(404, "text/html", "<h1>Not found</h1>"),
        || Reply::text(404, "text/plain", "404 page not found"),
        || Reply::json(404, json!({"message": "no route"})),
        || Reply::json(404, json!({"error": "not_found"})),
        || Reply::json(404, json!({"error": "not_found", "error_description": "no route", "status": 404})),
        || refusal(405),
    ];
    for answer in answers {
        for (path, at) in [(ROLE, 0), (OWNED_GROUP, 1), (GROUP, 2)] {
            let absences = absences(&sweep_unlisted(with(path, move |_| answer())).await);
            assert!(!absences[at], "{path}: {absences:?}");
            // One unreadable group leaves all groups unproven.
            assert_eq!(absences[0], at != 0, "{path}: {absences:?}");
        }
    }
}

#[tokio::test]
async fn an_unlisted_thing_that_exists_is_shown() {
    let snapshot = sweep(
        &[managed_role("reader"), managed_grant("devs"), managed_group(OWNED)],
        |seen, _| match call(seen).as_str() {
            ROLES | GROUPS => ok(json!({"items": []})),
            _ => hq(seen),
        },
    )
    .await
    .expect("a snapshot");
    assert!(snapshot.by_id(Kind::Role, &thing("reader")).is_some_and(|seen| !seen.outline));
    assert_eq!(snapshot.all(Kind::Grant).count(), 2);
    let own = snapshot.by_id(Kind::Group, &Id::new(OWNED)).expect("the group");
    assert!(own.outline, "without the counts of the list it may have more");
}

#[tokio::test]
async fn a_refused_list_proves_nothing() {
    let answer = |seen: &Seen, _: usize| match call(seen).as_str() {
        ROLES | GROUPS => refusal(403),
        _ => hq(seen),
    };
    assert_eq!(absences(&sweep_unlisted(answer).await), [false, false, false]);
}

/// A server whose account `rolewright` has this policy.
fn account(policy: Value, path: &'static str, status: u16) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| match call(seen).as_str() {
        it if it == path => refusal(status),
        "GET /service-accounts/rolewright" => ok(user("rolewright", &["operators"])),
        "GET /groups/operators" => ok(json!({"name": "operators", "roles": ["operator"]})),
        "GET /roles/operator" => ok(json!({"name": "operator", "policy": policy})),
        _ => hq(seen),
    }
}

async fn sweep_as_account(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> [bool; 3] {
    let stub = Stub::start(answer).await;
    let lenses = connect(&stub, json!({"serviceAccount": "rolewright"}));
    absences(&lenses.snapshot(&needs(&unlisted())).await.expect("a snapshot"))
}

#[tokio::test]
async fn the_accounts_policy_decides_whether_absence_is_proven() {
    let allow =
        |action: &str, resource: &str| json!([{"effect": "allow", "action": action, "resource": resource}]);
    assert_eq!(sweep_as_account(account(allow("iam:*", "iam:*"), "", 0)).await, [true; 3]);
    for policy in [json!([]), allow("iam:*", "iam:role:team-*"), allow("kafka:*", "*")] {
        assert_eq!(sweep_as_account(account(policy, "", 0)).await, [false; 3]);
    }
    for path in ["GET /service-accounts/rolewright", "GET /groups/operators", "GET /roles/operator"] {
        for status in [403, 404] {
            assert_eq!(sweep_as_account(account(allow("*", "*"), path, status)).await, [false; 3], "{path}");
        }
    }
}

#[tokio::test]
async fn an_admin_needs_no_policy() {
    let absences = sweep_as_account(|seen, _| match call(seen).as_str() {
        ACCOUNT => ok(json!({"name": "rolewright", "is_admin": true})),
        _ => hq(seen),
    })
    .await;
    assert_eq!(absences, [true; 3]);
}

#[tokio::test]
async fn without_a_named_account_a_404_proves_nothing() {
    let stub = Stub::start(|seen, _| hq(seen)).await;
    let lenses = connect(&stub, json!({"serviceAccount": null}));
    let snapshot = lenses.snapshot(&needs(&unlisted())).await.expect("a snapshot");
    assert_eq!(absences(&snapshot), [false; 3]);
    let snapshot = lenses.snapshot(&needs(&[managed_role("reader")])).await.expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Role, None), Absence::Proven, "nothing is missing");
}

#[tokio::test]
async fn a_hidden_role_of_the_account_limits_its_visibility() {
    let counted = json!({"name": "rolewright", "groups": [{"name": "operators", "role_count": 2}]});
    let absences = sweep_as_account(move |seen, before| match call(seen).as_str() {
        ACCOUNT => ok(counted.clone()),
        _ => account(json!([{"effect": "allow", "action": "*", "resource": "*"}]), "", 0)(seen, before),
    })
    .await;
    assert_eq!(absences, [false; 3]);
}

#[tokio::test]
async fn a_recreated_group_proves_that_the_recorded_one_is_deleted() {
    let old = ids::group("devs", &Incarnation::of(Some("old"), None));
    let hint = managed_grant_in(&old);
    for hidden in [false, true] {
        let snapshot = sweep(std::slice::from_ref(&hint), move |seen, _| match call(seen).as_str() {
            GROUPS if hidden => ok(json!({"items": []})),
            DEVS => ok(json!({"name": "devs", "id": "id-devs", "roles": ["reader", "writer"]})),
            _ => hq(seen),
        })
        .await
        .expect("a snapshot");
        assert_eq!(snapshot.absence(Kind::Grant, Some(&old)), Absence::Proven);
        let subjects = snapshot.all(Kind::Grant).filter_map(|seen| seen.key.get("subject"));
        assert!(subjects.eq([place("devs").as_str(); 2]));
    }
}

#[tokio::test]
async fn a_server_without_ids_identifies_groups_by_name() {
    let bare = json!({"name": "devs", "user_count": 0, "sa_count": 0, "role_count": 2});
    let old = ids::group("devs", &Incarnation::default());
    let hint = managed_grant_in(&old);
    let snapshot = sweep(&[hint], with(GROUPS, move |_| ok(json!({"items": [bare.clone()]})))).await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(snapshot.all(Kind::Grant).all(|seen| seen.key.get("subject") == Some("group:devs")));
    assert_eq!(snapshot.all(Kind::Grant).count(), 2);
}

#[tokio::test]
async fn the_accounts_policy_is_read_only_if_something_is_missing() {
    let stub = Stub::start(account(json!([]), "", 0)).await;
    let lenses = connect(&stub, json!({"serviceAccount": "rolewright"}));
    lenses.snapshot(&needs(&[managed_role("reader"), managed_group(OWNED)])).await.expect("a snapshot");
    assert!(!calls(&stub).iter().any(|call| call.contains("rolewright")), "{:?}", calls(&stub));
}

#[tokio::test]
async fn a_listed_group_that_cannot_be_read_is_not_deleted() {
    let snapshot =
        sweep(&[managed_group(OWNED), managed_grant("devs")], |seen, _| match call(seen).as_str() {
            OWN | DEVS => refusal(403),
            _ => hq(seen),
        })
        .await
        .expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Group, None), Absence::Unproven);
    assert_eq!(snapshot.absence(Kind::Grant, Some(&place("devs"))), Absence::Unproven);
}

#[tokio::test]
async fn the_cache_does_not_replace_a_refused_read() {
    let forbidden = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = forbidden.clone();
    let (_stub, lenses) = lenses(move |seen, _| match call(seen).as_str() {
        READER | OWN if now.load(std::sync::atomic::Ordering::SeqCst) => refusal(403),
        _ => hq(seen),
    })
    .await;
    let needs = needs(&[managed_role("reader"), managed_group(OWNED)]);
    lenses.snapshot(&needs).await.expect("a snapshot");
    forbidden.store(true, std::sync::atomic::Ordering::SeqCst);
    let snapshot = lenses.snapshot(&needs).await.expect("a snapshot");
    assert!(snapshot.by_id(Kind::Role, &thing("reader")).is_some_and(|seen| seen.outline));
    assert!(snapshot.by_id(Kind::Group, &thing(OWNED)).is_none());
    assert_eq!(snapshot.absence(Kind::Group, None), Absence::Unproven);
}

#[tokio::test]
async fn a_group_is_complete_only_if_it_matches_its_counts() {
    let absence = |shown: Value| async move {
        let snapshot =
            sweep(&[], with(DEVS, move |_| ok(json!({"name": "devs", "roles": shown.clone()})))).await;
        snapshot.expect("a snapshot").absence(Kind::Grant, Some(&place("devs")))
    };
    assert_eq!(absence(json!(["reader", "writer"])).await, Absence::Proven);
    assert_eq!(absence(json!(["reader"])).await, Absence::Unproven);
    let snapshot = sweep(&[], |seen, _| hq(seen)).await.expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Grant, Some(&place("empty"))), Absence::Proven);
    assert_eq!(snapshot.absence(Kind::Grant, Some(&place("other"))), Absence::Unproven);
}
