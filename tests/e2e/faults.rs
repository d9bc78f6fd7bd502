//! A back end that fails, throttles, loses answers and lies about pages: it ends well, with one of each thing.

use std::collections::BTreeMap;

use rolewright::simulators::kit::{faults::Action, log::Entry};
use serde_json::json;

use crate::support::{KEY, World, backend, binding, held_ids, kept, restriction, role, status};

const READ: &str = "PROJECT_READ";

async fn apply_all(world: &World) {
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(role("writer", &["PROJECT_UPDATE"], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
}

async fn all_ready(world: &World) {
    world.ready("Role", "reader").await;
    world.ready("Role", "writer").await;
    world.ready("RoleBinding", "readers").await;
    world.ready("ResourceRestriction", "churn").await;
}

async fn change_all(world: &World) {
    world.apply(role("reader", &[READ, "PROJECT_UPDATE"], json!({}))).await;
    world.apply(binding("readers", "writer", &["alice@example.com"], json!({}))).await;
}

async fn delete_all(world: &World) {
    world.delete("RoleBinding", "readers").await;
    world.delete("Role", "reader").await;
    world.delete("Role", "writer").await;
    world.delete("ResourceRestriction", "churn").await;
}

async fn all_gone(world: &World) {
    world.gone("RoleBinding", "readers").await;
    world.gone("Role", "reader").await;
    world.gone("Role", "writer").await;
    world.gone("ResourceRestriction", "churn").await;
}

/// One of each thing, as the objects say, and nothing else that was not there before.
fn as_applied(world: &World) {
    assert_eq!((world.roles_called("reader"), world.roles_called("writer")), (1, 1));
    assert_eq!(world.granted("research").len(), 2);
    assert_eq!(world.sim.edit(|tenant| tenant.restrictions.len()), 2);
    assert_eq!(world.sim.edit(|tenant| tenant.role_bindings.len()), 3);
}

fn as_changed(world: &World) {
    let writer = world.sim.edit(|tenant| tenant.role_by_name("writer")).unwrap();
    let granted = world.granted("research");
    assert_eq!(granted.into_iter().collect::<Vec<_>>(), [(world.user("alice"), writer)]);
    let reader = world.sim.edit(|tenant| tenant.roles.get(tenant.role_by_name("reader").unwrap()).cloned());
    assert_eq!(reader.unwrap().permissions, [READ, "PROJECT_UPDATE"]);
}

/// Only what somebody made by hand is left.
fn as_before(world: &World) {
    assert_eq!((world.roles_called("reader"), world.roles_called("writer")), (0, 0));
    assert_eq!(world.sim.edit(|tenant| (tenant.role_bindings.len(), tenant.restrictions.len())), (1, 1));
}

const WRITES: [(&str, &str); 7] = [
    ("POST", "/v2/roles"),
    ("POST", "/v2/role-bindings"),
    ("POST", "/v2/resource-restrictions"),
    ("PATCH", "/v2/roles/*"),
    ("PATCH", "/v2/role-bindings/*"),
    ("DELETE", "/v2/roles/*"),
    ("DELETE", "/v2/role-bindings/*"),
];

/// The whole life of all kinds, with `action` on the first `times` calls of each kind of call given.
async fn life_with(name: &str, calls: &[(&str, &str)], action: Action, times: u64) -> World {
    let world = World::without_backend(name, &[]).await;
    for (method, path) in calls {
        world.fault_times(&[method], path, action.clone(), times);
    }
    world.secret(KEY).await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    apply_all(&world).await;
    all_ready(&world).await;
    as_applied(&world);
    change_all(&world).await;
    all_ready(&world).await;
    as_changed(&world);
    delete_all(&world).await;
    all_gone(&world).await;
    as_before(&world);
    world.faults_over().await;
    world
}

fn writes_with_restrictions() -> Vec<(&'static str, &'static str)> {
    let mut all = WRITES.to_vec();
    all.push(("DELETE", "/v2/resource-restrictions/*"));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_write_in_turn_ends_well() {
    life_with("writes500", &writes_with_restrictions(), status(500), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_read_ends_well() {
    // A read is tried three times at once, so that the fourth failure is met by the next sweep.
    let reads = [
        ("GET", "/v2/roles"),
        ("GET", "/v2/role-bindings"),
        ("GET", "/v2/resource-restrictions"),
        ("GET", "/v2/users"),
        ("GET", "/v2/spaces"),
        ("GET", "/v2/projects"),
        ("GET", "/v2/audit-logs"),
        ("GET", "/v2/roles/*"),
        ("GET", "/v2/role-bindings/*"),
    ];
    life_with("reads500", &reads, status(500), 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_lost_after_the_work_leave_exactly_one_thing_and_nothing_is_asked_twice() {
    let world = life_with("lost", &writes_with_restrictions(), Action::AnswerLost, 1).await;
    let posts = |path: &str| world.count(0, "POST", path);
    assert_eq!(
        (posts("/v2/roles"), posts("/v2/role-bindings"), posts("/v2/resource-restrictions")),
        (2, 2, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_cannot_be_read_after_a_write_leave_exactly_one_thing() {
    let world = life_with("garbage", &writes_with_restrictions()[..5], Action::Garbage, 1).await;
    let posts = |path: &str| world.count(0, "POST", path);
    assert_eq!(
        (posts("/v2/roles"), posts("/v2/role-bindings"), posts("/v2/resource-restrictions")),
        (2, 2, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_says_500_after_the_work_leaves_exactly_one_thing() {
    let action = Action::Status {
        status: 502,
        headers: BTreeMap::new(),
        body: Some(json!("<html>Bad Gateway</html>")),
        after_work: true,
    };
    let world = life_with("after502", &writes_with_restrictions(), action, 1).await;
    assert_eq!((world.count(0, "POST", "/v2/roles"), world.count(0, "POST", "/v2/role-bindings")), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_reset_end_well() {
    life_with("reset", &writes_with_restrictions(), Action::Reset, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_break_off_are_garbage_or_never_end_are_read_again() {
    let world = World::new("badlists").await;
    apply_all(&world).await;
    all_ready(&world).await;
    world.swept().await;
    let (versions, access, since) = (world.versions().await, world.access(), world.now());
    let html = Action::Status {
        status: 200,
        headers: [("content-type".to_owned(), "text/html".to_owned())].into(),
        body: Some(json!("<html>Please log in</html>")),
        after_work: false,
    };
    for (path, action) in [
        ("/v2/role-bindings", Action::CutBody { keep_bytes: 30 }),
        ("/v2/roles", Action::Garbage),
        ("/v2/users", Action::HugeBody { megabytes: 20 }),
        ("/v2/resource-restrictions", html),
    ] {
        let sweep = world.now();
        world.fault_times(&["GET"], path, action, 3);
        world.faults_over().await;
        world.mend();
        world
            .until_asked(sweep, "the sweep goes on", |entries| {
                entries
                    .iter()
                    .filter(|entry| entry.path == path && entry.faults.is_empty() && entry.status.is_some())
                    .count()
                    >= 2
            })
            .await;
    }
    world.swept().await;
    all_ready(&world).await;
    assert_eq!(world.versions().await, versions);
    assert_eq!(world.access(), access);
    assert!(world.writes_since(since).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lacks_what_is_there_doubles_nothing() {
    let world = World::new("shortpage").await;
    apply_all(&world).await;
    all_ready(&world).await;
    world.swept().await;
    let held = |objects: &[kube::api::DynamicObject]| objects.iter().flat_map(held_ids).collect::<Vec<_>>();
    let objects = || async {
        let mut all = Vec::new();
        for kind in ["Role", "RoleBinding", "ResourceRestriction"] {
            all.extend(world.all("rolewright.dev/v1alpha1", kind).await);
        }
        all
    };
    let (ids, access, since) = (held(&objects().await), world.access(), world.now());
    for (path, keep) in
        [("/v2/roles", 0), ("/v2/roles", 7), ("/v2/role-bindings", 0), ("/v2/role-bindings", 1)]
    {
        let versions = world.versions().await;
        world.fault(&["GET"], path, Action::ShortPage { keep, last: true });
        world.swept().await;
        world.swept().await;
        if keep > 0 {
            assert_eq!(world.versions().await, versions, "{path} {keep}");
        }
        assert!(world.writes_since(since).is_empty(), "{path} {keep}: {:?}", world.writes_since(since));
        world.mend();
        all_ready(&world).await;
        assert_eq!(held(&objects().await), ids, "{path} {keep}");
    }
    assert_eq!(world.access(), access);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_leaves_out_is_removed_all_the_same_when_its_object_goes() {
    let world = World::new("shortgoing").await;
    apply_all(&world).await;
    all_ready(&world).await;
    for (path, keep) in [("/v2/role-bindings", 1), ("/v2/roles", 7)] {
        world.fault(&["GET"], path, Action::ShortPage { keep, last: true });
    }
    world.swept().await;
    world.swept().await;
    delete_all(&world).await;
    all_gone(&world).await;
    as_before(&world);
}

/// A restriction has no address of its own to be looked at again, and asking for it again changes nothing (contract 2.3).
#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_that_a_list_leaves_out_is_asked_for_again_and_stays_one() {
    let world = World::new("shortrestrictions").await;
    apply_all(&world).await;
    all_ready(&world).await;
    world.swept().await;
    let (access, since) = (world.access(), world.now());
    world.fault_times(&["GET"], "/v2/resource-restrictions", Action::ShortPage { keep: 0, last: true }, 2);
    world.until_asked(since, "it is asked for again", |entries| entries.iter().any(Entry::is_write)).await;
    world.swept().await;
    all_ready(&world).await;
    assert_eq!(world.access(), access);
    assert_eq!(world.writes_since(since), ["POST /v2/resource-restrictions"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thing_changed_by_hand_and_missing_from_a_list_is_still_the_objects_own() {
    let world = World::new("shortdrift").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    let id = held_ids(&world.ready("Role", "reader").await);
    world.fault(&["GET"], "/v2/roles", Action::ShortPage { keep: 7, last: true });
    world.sim.edit(|tenant| {
        let id = tenant.role_by_name("reader").unwrap();
        tenant.roles.get_mut(id).unwrap().permissions.push("PROJECT_UPDATE".to_owned());
    });
    world.event("reader", "DriftCorrected").await;
    world.mend();
    assert_eq!(held_ids(&world.ready("Role", "reader").await), id);
    assert_eq!(world.roles_called("reader"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn short_and_empty_pages_are_read_to_the_last() {
    let world = World::without_backend("pages", &[]).await;
    world.sim.edit(|tenant| tenant.switches.longest_page = Some(1));
    // The seeded restriction lies where this key may manage nothing: its page is empty, and not the last.
    let space = world.space("research");
    let grant = rolewright::simulators::arize::Grant {
        account_role: rolewright::simulators::arize::AccountRole::Member,
        spaces: Some([space].into()),
        permissions: Some(rolewright::simulators::arize::permissions::ALL.clone()),
        ..world.admin()
    };
    world.add_key("narrow", "narrow-key", grant);
    world.secret("narrow-key").await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    apply_all(&world).await;
    all_ready(&world).await;
    as_applied(&world);
    world.swept().await;
    let since = world.now();
    let versions = world.versions().await;
    world.swept().await;
    assert_eq!(world.versions().await, versions);
    assert!(world.writes_since(since).is_empty());
    delete_all(&world).await;
    all_gone(&world).await;
    as_before(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_is_kept_by_the_whole_account() {
    let world = World::new("retryafter").await;
    world.apply(role("first", &[READ], json!({}))).await;
    world.ready("Role", "first").await;
    world.swept().await;
    let since = world.now();
    let throttle = Action::Status {
        status: 429,
        headers: [("Retry-After".to_owned(), "3".to_owned())].into(),
        body: None,
        after_work: false,
    };
    world.fault_times(&["POST"], "/v2/roles", throttle, 1);
    for n in 0..8 {
        world.apply(role(&format!("reader-{n}"), &[READ], json!({}))).await;
    }
    for n in 0..8 {
        world.ready("Role", &format!("reader-{n}")).await;
    }
    let seen = world.asked(since);
    let at = seen.iter().position(|entry| entry.status == Some(429)).unwrap();
    let early: Vec<&Entry> = seen[at + 1..]
        .iter()
        .filter(|entry| entry.time.duration_since(seen[at].time).as_millis() < 2900)
        .collect();
    // What was under way when the answer came could not know of it.
    assert!(early.len() <= 3, "{early:#?}");
    assert!(
        early.iter().all(|entry| entry.time.duration_since(seen[at].time).as_millis() < 200),
        "{early:#?}"
    );
    assert_eq!((0..8).map(|n| world.roles_called(&format!("reader-{n}"))).sum::<usize>(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_throttles_everything_meets_no_storm_and_says_so() {
    let world = World::new("throttled").await;
    apply_all(&world).await;
    all_ready(&world).await;
    world.swept().await;
    let (versions, since) = (world.versions().await, world.now());
    let throttle = Action::Status {
        status: 429,
        headers: [("Retry-After".to_owned(), "2".to_owned())].into(),
        body: None,
        after_work: false,
    };
    world.fault(&["GET", "POST", "PATCH", "DELETE"], "/v2/**", throttle);
    let refused = |entries: &[Entry]| {
        let times: Vec<_> =
            entries.iter().filter(|entry| entry.status == Some(429)).map(|entry| entry.time).collect();
        times.first().is_some_and(|first| times.last().unwrap().duration_since(*first).as_secs() >= 14)
    };
    let seen = world.until_asked(since, "14 seconds of refusals", refused).await;
    // Four calls at once may be under way, and what comes after them has two seconds to wait: a try of the key as well.
    let times: Vec<_> =
        seen.iter().filter(|entry| entry.status == Some(429)).map(|entry| entry.time).collect();
    let early = times.windows(5).find(|five| five[4].duration_since(five[0]).as_millis() < 1500);
    assert!(early.is_none(), "five calls within a pause: {early:?}");
    assert_eq!(world.versions().await, versions);
    world.mend();
    world.swept().await;
    world.ready("Backend", "arize").await;
    assert_eq!(world.versions().await, versions);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_things_that_vanish_at_once_are_made_again_only_when_a_person_says_so() {
    let world = World::new("vanished").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    let users = ["alice", "bob", "carol", "dave", "erin", "ann"].map(|name| format!("{name}@example.com"));
    for (n, user) in users.iter().enumerate() {
        world.apply(binding(&format!("readers-{n}"), "reader", &[user], json!({}))).await;
    }
    world.apply(restriction("churn", "churn", json!({}))).await;
    for n in 0..6 {
        world.ready("RoleBinding", &format!("readers-{n}")).await;
    }
    world.ready("ResourceRestriction", "churn").await;
    world.swept().await;
    let since = world.now();
    let space = world.space("research");
    world.sim.edit(|tenant| tenant.role_bindings.retain(|one| one.resource_id != space));
    world
        .says(
            "Backend",
            "arize",
            "BackendError",
            &["6 of 8 held things vanished", "kubectl annotate", "reconcile-at"],
        )
        .await;
    world.swept().await;
    world.swept().await;
    assert!(world.writes_since(since).is_empty(), "{:?}", world.writes_since(since));
    world.delete("RoleBinding", "readers-0").await;
    world.gone("RoleBinding", "readers-0").await;
    world.annotate("Backend", "arize", "rolewright.dev/reconcile-at", "looked").await;
    world.account("five are granted again", |tenant| tenant.role_bindings.len() == 6).await;
    world.ready("Backend", "arize").await;
    world.swept().await;
    for n in 1..6 {
        world.ready("RoleBinding", &format!("readers-{n}")).await;
    }
    assert_eq!(world.granted("research").len(), 5);
    let backend = world.get("Backend", "arize").await;
    assert_eq!(backend.data["status"]["lastHandledReconcileAt"], "looked");
    assert!(kept(&world.get("RoleBinding", "readers-1").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_word_holds_until_all_is_made_again_be_it_over_many_sweeps() {
    let world = World::new("slowly").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    let users = ["alice", "bob", "carol", "dave", "erin", "frank", "ann", "joann", "dianna", "judy"];
    let spaces = ["research", "storefront"];
    let each = || users.iter().flat_map(|user| spaces.map(|space| (*user, space)));
    for (user, space) in each() {
        let more = json!({ "scope": { "space": space } });
        world
            .apply(binding(&format!("{user}-{space}"), "reader", &[&format!("{user}@example.com")], more))
            .await;
    }
    for (user, space) in each() {
        world.ready("RoleBinding", &format!("{user}-{space}")).await;
    }
    let slow = json!({ "requests": { "perSecond": 6, "burst": 2, "concurrency": 1 } });
    world.apply(backend(&world.sim.url(), slow)).await;
    world.swept().await;
    let reader = world.sim.edit(|tenant| tenant.role_by_name("reader")).unwrap();
    world.sim.edit(|tenant| tenant.role_bindings.retain(|one| one.role_id != reader));
    world.says("Backend", "arize", "BackendError", &["20 of 21 held things vanished"]).await;
    let since = world.now();
    world.annotate("Backend", "arize", "rolewright.dev/reconcile-at", "looked").await;
    world.account("all are granted again", |tenant| tenant.role_bindings.len() == 21).await;
    let sweeps = world.count(since, "GET", "/v2/roles");
    assert!(sweeps >= 2, "made again between two sweeps: nothing was tried");
    world.ready("Backend", "arize").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_things_that_vanish_and_are_seen_again_end_the_suspicion() {
    let world = World::new("reappear").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    let users = ["alice", "bob", "carol", "dave", "erin", "ann"].map(|name| format!("{name}@example.com"));
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    world.apply(binding("readers", "reader", &users, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let since = world.now();
    let space = world.space("research");
    let before = world.sim.edit(|tenant| {
        let before = tenant.role_bindings.clone();
        tenant.role_bindings.retain(|one| one.resource_id != space);
        before
    });
    world.says("Backend", "arize", "BackendError", &["vanished"]).await;
    world.sim.edit(|tenant| tenant.role_bindings = before);
    world.ready("Backend", "arize").await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    assert!(world.writes_since(since).is_empty());
}
