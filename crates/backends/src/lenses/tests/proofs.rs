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
async fn a_refusal_proves_nothing() {
    let answers: [fn() -> Reply; 3] = [|| refusal(403), || refusal(400), || refusal(405)];
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
async fn a_foreign_404_leaves_the_thing_unread() {
    let answers: [fn() -> Reply; 5] = [
        || Reply::text(404, "text/html", "<h1>Not found</h1>"),
        || Reply::text(404, "text/plain", "404 page not found"),
        || Reply::json(404, json!({"message": "no route"})),
        || Reply::json(404, json!({"error": "not_found"})),
        || Reply::json(404, json!({"error": "not_found", "error_description": "no route", "status": 404})),
    ];
    for answer in answers {
        let snapshot = sweep_unlisted(with(ROLE, move |_| answer())).await;
        assert!(snapshot.unread_thing(Kind::Role, &Id::new("gone")).is_some());
        let snapshot = sweep_unlisted(with(GROUP, move |_| answer())).await;
        assert!(snapshot.unread(Kind::Grant, None, Some(&place("gone")), None).is_some());
        assert_eq!(absences(&snapshot), [true, true, false]);
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
    assert!(snapshot.by_id(Kind::Group, &thing(OWNED)).is_some());
    assert_eq!(
        snapshot.absence(Kind::Grant, Some(&place("devs"))),
        Absence::Unproven,
        "the list counts no roles"
    );
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
fn with_policy(policy: Value, path: &'static str, status: u16) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| match call(seen).as_str() {
        it if it == path => refusal(status),
        ACCOUNT => ok(account(false, &[item("operators", 0, 1, 1)])),
        "GET /groups/operators" => ok(group_of("operators", &["operator"], &[], &["rolewright"])),
        "GET /roles/operator" => ok(json!({"name": "operator", "id": "1", "policy": policy})),
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
    assert_eq!(sweep_as_account(with_policy(allow("iam:*", "iam:*"), "", 0)).await, [true; 3]);
    let mut denied = allow("*", "*");
    denied
        .as_array_mut()
        .expect("a list")
        .push(json!({"effect": "deny", "action": "iam:GetRole", "resource": "iam:role:x"}));
    for policy in [
        json!([]),
        allow("iam:*", "iam:role:team-*"),
        allow("kafka:*", "*"),
        allow("iam:Get*", "iam:*"),
        denied,
    ] {
        assert_eq!(sweep_as_account(with_policy(policy, "", 0)).await, [false; 3]);
    }
    for path in ["GET /service-accounts/rolewright", "GET /groups/operators", "GET /roles/operator"] {
        for status in [403, 404] {
            assert_eq!(
                sweep_as_account(with_policy(allow("*", "*"), path, status)).await,
                [false; 3],
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_hidden_role_of_the_account_limits_its_visibility() {
    let absences = sweep_as_account(|seen, before| match call(seen).as_str() {
        ACCOUNT => ok(account(false, &[item("operators", 0, 1, 2)])),
        _ => with_policy(json!([{"effect": "allow", "action": "*", "resource": "*"}]), "", 0)(seen, before),
    })
    .await;
    assert_eq!(absences, [false; 3]);
}

#[tokio::test]
async fn a_recreated_group_proves_that_the_recorded_one_is_deleted() {
    let old = ids::group("devs", "old");
    let hint = managed_grant_in(&old);
    for hidden in [false, true] {
        let snapshot = sweep(std::slice::from_ref(&hint), move |seen, _| match call(seen).as_str() {
            GROUPS if hidden => ok(json!({"items": []})),

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
async fn the_accounts_policy_is_read_only_if_something_is_missing() {
    let stub = Stub::start(with_policy(json!([]), "", 0)).await;
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
    assert!(snapshot.by_id(Kind::Group, &thing(OWNED)).is_some_and(|seen| seen.outline));
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
    assert!(snapshot.by_id(Kind::Group, &thing(OWNED)).is_some_and(|seen| seen.outline));
}

#[tokio::test]
async fn the_roles_of_a_group_are_proven_if_all_are_shown() {
    let snapshot = sweep(&[], |seen, _| hq(seen)).await.expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Grant, Some(&place("devs"))), Absence::Proven);
    assert_eq!(snapshot.absence(Kind::Grant, Some(&place("empty"))), Absence::Proven);
    assert_eq!(snapshot.absence(Kind::Grant, Some(&place("other"))), Absence::Unproven);
}

/// An empty list of a server that leaves out what it hides, although the account can read all of iam.
#[tokio::test]
async fn an_empty_list_alone_deletes_nothing() {
    let answer = |seen: &Seen, _: usize| match call(seen).as_str() {
        ROLES | GROUPS | USERS | ACCOUNTS => ok(json!({"items": []})),
        READER | OWN => refusal(403),
        _ => hq(seen),
    };
    let hints = [managed_role("reader"), managed_group(OWNED), managed_grant("devs")];
    let snapshot = sweep(&hints, answer).await.expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Role, None), Absence::Unproven);
    assert_eq!(snapshot.absence(Kind::Group, None), Absence::Unproven);
    assert_eq!(snapshot.all(Kind::Grant).count(), 2, "a group that the list leaves out is read by its name");
}
