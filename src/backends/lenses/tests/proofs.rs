//! What the silence of a sweep proves.

use super::*;

const GONE: &str = "GET /roles/gone";
const GONE_GROUP: &str = "GET /groups/gone";
const GONE_OWN: &str = "GET /groups/rw-0123456789abcdef";

fn absences(snapshot: &Snapshot) -> [bool; 3] {
    let gone = ids::group("gone");
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
    let answers: [fn() -> Reply; 6] = [
        || refusal(403),
        || refusal(400),
        || Reply::text(404, "text/html", "<h1>Not found</h1>"),
        || Reply::text(404, "text/plain", "404 page not found"),
        || Reply::json(404, json!({"message": "no route"})),
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
    assert!(snapshot.by_id(Kind::Role, &Id::new("reader")).is_some_and(|seen| !seen.outline));
    assert_eq!(snapshot.all(Kind::Grant).count(), 2);
    assert!(snapshot.by_id(Kind::Group, &Id::new(OWNED)).is_some_and(|seen| !seen.outline));
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
        "GET /service-accounts/rolewright" => ok(json!({"name": "rolewright", "is_admin": true})),
        _ => hq(seen),
    })
    .await;
    assert_eq!(absences, [true; 3]);
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
    assert_eq!(snapshot.absence(Kind::Grant, Some(&ids::group("devs"))), Absence::Unproven);
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
    assert!(snapshot.by_id(Kind::Role, &Id::new("reader")).is_some_and(|seen| seen.outline));
    assert!(snapshot.by_id(Kind::Group, &Id::new(OWNED)).is_none());
    assert_eq!(snapshot.absence(Kind::Group, None), Absence::Unproven);
}

#[tokio::test]
async fn roles_of_a_group_are_known_to_be_all_only_when_as_many_are_shown_as_counted() {
    let absence = |shown: Value| async move {
        let snapshot =
            sweep(&[], with(DEVS, move |_| ok(json!({"name": "devs", "roles": shown.clone()})))).await;
        snapshot.expect("a snapshot").absence(Kind::Grant, Some(&ids::group("devs")))
    };
    assert_eq!(absence(json!(["reader", "writer"])).await, Absence::Proven);
    assert_eq!(absence(json!(["reader"])).await, Absence::Unproven);
    let snapshot = sweep(&[], |seen, _| hq(seen)).await.expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Grant, Some(&ids::group("empty"))), Absence::Proven);
    assert_eq!(snapshot.absence(Kind::Grant, Some(&ids::group("other"))), Absence::Unproven);
}
