//! What the silence of a sweep proves.

use super::*;

const GONE: &str = "GET /roles/gone";
const GONE_GROUP: &str = "GET /groups/gone";
const GONE_OWN: &str = "GET /groups/rw-0123456789abcdef";

fn absences(snapshot: &Snapshot) -> [bool; 3] {
    let gone = place("gone");
    [(Kind::Role, None), (Kind::Group, None), (Kind::Grant, Some(&gone))]
        .map(|(kind, place)| snapshot.absence(kind, place) == Absence::Proven)
}

fn held() -> [Id; 3] {
    [held_role("gone"), held_group("rw-0123456789abcdef"), held_grant("gone")]
}

/// A sweep in which one role and two groups are held that the lists do not show.
async fn sweep_of_gone(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Snapshot {
    sweep(&held(), answer).await.expect("a snapshot")
}

#[tokio::test]
async fn what_hq_itself_says_is_not_there_is_proven_to_be_gone() {
    assert_eq!(absences(&sweep_of_gone(|seen, _| hq(seen)).await), [true, true, true]);
}

#[tokio::test]
async fn what_is_forbidden_or_not_answered_by_hq_proves_nothing() {
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
        for (path, at) in [(GONE, 0), (GONE_OWN, 1), (GONE_GROUP, 2)] {
            let absences = absences(&sweep_of_gone(with(path, move |_| answer())).await);
            assert!(!absences[at], "{path}: {absences:?}");
            // What is doubted of one group is doubted of all.
            assert_eq!(absences[0], at != 0, "{path}: {absences:?}");
        }
    }
}

#[tokio::test]
async fn what_a_list_left_out_and_is_there_is_seen() {
    let snapshot =
        sweep(&[held_role("reader"), held_grant("devs"), held_group(OWNED)], |seen, _| {
            match call(seen).as_str() {
                ROLES | GROUPS => ok(json!({"items": []})),
                _ => hq(seen),
            }
        })
        .await
        .expect("a snapshot");
    assert!(snapshot.by_id(Kind::Role, &thing("reader")).is_some_and(|seen| !seen.outline));
    assert_eq!(snapshot.all(Kind::Grant).count(), 2);
    let own = snapshot.by_id(Kind::Group, &Id::new(OWNED)).expect("the group");
    assert!(own.outline, "what the list does not count may be more than is shown");
}

#[tokio::test]
async fn a_list_that_may_not_be_read_proves_nothing() {
    let answer = |seen: &Seen, _: usize| match call(seen).as_str() {
        ROLES | GROUPS => refusal(403),
        _ => hq(seen),
    };
    assert_eq!(absences(&sweep_of_gone(answer).await), [false, false, false]);
}

/// A server with the account `rolewright`, of this policy.
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
    absences(&lenses.snapshot(&needs(&held())).await.expect("a snapshot"))
}

#[tokio::test]
async fn the_accounts_own_policy_is_a_second_witness_where_it_is_named() {
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
async fn without_a_named_account_nothing_that_is_not_found_is_taken_to_be_gone() {
    let stub = Stub::start(|seen, _| hq(seen)).await;
    let lenses = connect(&stub, json!({"serviceAccount": null}));
    let snapshot = lenses.snapshot(&needs(&held())).await.expect("a snapshot");
    assert_eq!(absences(&snapshot), [false; 3]);
    let snapshot = lenses.snapshot(&needs(&[held_role("reader")])).await.expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Role, None), Absence::Proven, "nothing is missing");
}

#[tokio::test]
async fn a_role_that_the_accounts_groups_hide_may_deny_it_something() {
    let counted = json!({"name": "rolewright", "groups": [{"name": "operators", "role_count": 2}]});
    let absences = sweep_as_account(move |seen, before| match call(seen).as_str() {
        ACCOUNT => ok(counted.clone()),
        _ => account(json!([{"effect": "allow", "action": "*", "resource": "*"}]), "", 0)(seen, before),
    })
    .await;
    assert_eq!(absences, [false; 3]);
}

#[tokio::test]
async fn a_group_that_was_made_again_under_its_name_is_another_and_the_held_one_is_gone() {
    let old = ids::group("devs", &Incarnation::of(Some("old"), None));
    let held = held_place(&old);
    for hidden in [false, true] {
        let snapshot = sweep(std::slice::from_ref(&held), move |seen, _| match call(seen).as_str() {
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
async fn where_nothing_tells_groups_apart_a_name_is_all_there_is() {
    let bare = json!({"name": "devs", "user_count": 0, "sa_count": 0, "role_count": 2});
    let old = ids::group("devs", &Incarnation::default());
    let held = held_place(&old);
    let snapshot = sweep(&[held], with(GROUPS, move |_| ok(json!({"items": [bare.clone()]})))).await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(snapshot.all(Kind::Grant).all(|seen| seen.key.get("subject") == Some("group:devs")));
    assert_eq!(snapshot.all(Kind::Grant).count(), 2);
}

#[tokio::test]
async fn the_accounts_own_policy_is_asked_for_only_when_something_is_missing() {
    let stub = Stub::start(account(json!([]), "", 0)).await;
    let lenses = connect(&stub, json!({"serviceAccount": "rolewright"}));
    lenses.snapshot(&needs(&[held_role("reader"), held_group(OWNED)])).await.expect("a snapshot");
    assert!(!calls(&stub).iter().any(|call| call.contains("rolewright")), "{:?}", calls(&stub));
}

#[tokio::test]
async fn a_group_that_is_listed_and_may_not_be_read_is_not_gone() {
    let snapshot = sweep(&[held_group(OWNED), held_grant("devs")], |seen, _| match call(seen).as_str() {
        OWN | DEVS => refusal(403),
        _ => hq(seen),
    })
    .await
    .expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Group, None), Absence::Unproven);
    assert_eq!(snapshot.absence(Kind::Grant, Some(&place("devs"))), Absence::Unproven);
}

#[tokio::test]
async fn what_was_read_before_does_not_stand_in_for_what_may_not_be_read_now() {
    let forbidden = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let now = forbidden.clone();
    let (_stub, lenses) = lenses(move |seen, _| match call(seen).as_str() {
        READER | OWN if now.load(std::sync::atomic::Ordering::SeqCst) => refusal(403),
        _ => hq(seen),
    })
    .await;
    let needs = needs(&[held_role("reader"), held_group(OWNED)]);
    lenses.snapshot(&needs).await.expect("a snapshot");
    forbidden.store(true, std::sync::atomic::Ordering::SeqCst);
    let snapshot = lenses.snapshot(&needs).await.expect("a snapshot");
    assert!(snapshot.by_id(Kind::Role, &thing("reader")).is_some_and(|seen| seen.outline));
    assert!(snapshot.by_id(Kind::Group, &thing(OWNED)).is_none());
    assert_eq!(snapshot.absence(Kind::Group, None), Absence::Unproven);
}

#[tokio::test]
async fn roles_of_a_group_are_known_to_be_all_only_when_as_many_are_shown_as_counted() {
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
