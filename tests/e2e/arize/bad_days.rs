//! A back end that fails, throttles, loses answers and lies about pages: it ends well, with one of each thing.

use rolewright_simulators::{
    arize::{Arize, Options, Tenant},
    kit::{faults::Action, log::Entry},
};
use serde_json::{Value, json};

use crate::support::{
    KEY, World, backend, binding, held_ids, kept, page, restriction, role, status, throttle,
    trial::{Call, Made, Trial, life, life_behind_a_proxy_that_gives_up, life_with_lost_answers, settled},
};

const READ: &str = "PROJECT_READ";

/// In the order in which they are deleted.
const OBJECTS: [(&str, &str); 4] =
    [("RoleBinding", "readers"), ("Role", "reader"), ("Role", "writer"), ("ResourceRestriction", "churn")];

impl Trial for Arize {
    const WRITES: &'static [Call] = &[
        ("POST", "/v2/roles"),
        ("POST", "/v2/role-bindings"),
        ("POST", "/v2/resource-restrictions"),
        ("PATCH", "/v2/roles/*"),
        ("PATCH", "/v2/role-bindings/*"),
        ("DELETE", "/v2/roles/*"),
        ("DELETE", "/v2/role-bindings/*"),
        ("DELETE", "/v2/resource-restrictions/*"),
    ];

    const READS: &'static [Call] = &[
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

    const MADE: &'static [Made] = &[
        (|path| path == "/v2/roles", 2),
        (|path| path == "/v2/role-bindings", 2),
        (|path| path == "/v2/resource-restrictions", 1),
    ];

    fn objects() -> Vec<Value> {
        vec![
            role("reader", &[READ], json!({})),
            role("writer", &["PROJECT_UPDATE"], json!({})),
            binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({})),
            restriction("churn", "churn", json!({})),
        ]
    }

    fn changed() -> Vec<Value> {
        vec![
            role("reader", &[READ, "PROJECT_UPDATE"], json!({})),
            binding("readers", "writer", &["alice@example.com"], json!({})),
        ]
    }

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
        let reader =
            world.sim.edit(|tenant| tenant.roles.get(tenant.role_by_name("reader").unwrap()).cloned());
        assert_eq!(reader.unwrap().permissions, [READ, "PROJECT_UPDATE"]);
    }

    /// Roles that were deleted leave a row.
    fn standing(tenant: &Tenant) -> Value {
        let live: Vec<_> = tenant.roles.iter().filter(|role| role.deleted_at.is_none()).collect();
        json!([live, tenant.role_bindings, tenant.restrictions])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_write_in_turn_ends_well() {
    life::<Arize>("writes500", Arize::WRITES, status(500), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_read_ends_well() {
    // A read is tried three times at once, so that the fourth failure is met by the next sweep.
    life::<Arize>("reads500", Arize::READS, status(500), 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_lost_after_the_work_leave_exactly_one_thing_and_nothing_is_asked_twice() {
    life_with_lost_answers::<Arize>("lost", Options::new(KEY)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_cannot_be_read_after_a_write_leave_exactly_one_thing() {
    life::<Arize>("garbage", &Arize::WRITES[..5], Action::Garbage, 1).await.made_each_once();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_gives_up_after_the_work_leaves_exactly_one_thing_and_its_page_is_not_shown() {
    life_behind_a_proxy_that_gives_up::<Arize>("after502").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_reset_end_well() {
    life::<Arize>("reset", Arize::WRITES, Action::Reset, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_break_off_are_garbage_or_never_end_are_read_again() {
    let world = settled(World::new("badlists").await).await;
    let (versions, mark) = (world.versions().await, world.mark());
    for (path, action) in [
        ("/v2/role-bindings", Action::CutBody { keep_bytes: 30 }),
        ("/v2/roles", Action::Garbage),
        ("/v2/users", Action::HugeBody { megabytes: 20 }),
        ("/v2/resource-restrictions", page(200, "Please log in", false)),
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
    world.each_ready(&OBJECTS).await;
    assert_eq!(world.versions().await, versions);
    world.untouched(&mark, "bad lists");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lacks_what_is_there_doubles_nothing() {
    let world = settled(World::new("shortpage").await).await;
    for (path, keep) in
        [("/v2/roles", 0), ("/v2/roles", 7), ("/v2/role-bindings", 0), ("/v2/role-bindings", 1)]
    {
        let told = world.short_list(path, keep).await;
        assert!(!told || keep == 0, "{path} {keep}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_leaves_out_is_removed_all_the_same_when_its_object_goes() {
    let world = World::new("shortgoing").await;
    let before = world.standing();
    let world = settled(world).await;
    for (path, keep) in [("/v2/role-bindings", 1), ("/v2/roles", 7)] {
        world.fault(&["GET"], path, Action::ShortPage { keep, last: true });
    }
    world.swept().await;
    world.swept().await;
    world.each_deleted(&OBJECTS).await;
    assert_eq!(world.standing(), before);
}

/// A restriction has no address of its own to be looked at again, and asking for it again changes nothing (contract 2.3).
#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_that_a_list_leaves_out_is_asked_for_again_and_stays_one() {
    let world = settled(World::new("shortrestrictions").await).await;
    let (access, since) = (world.access(), world.now());
    world.fault_times(&["GET"], "/v2/resource-restrictions", Action::ShortPage { keep: 0, last: true }, 2);
    world.until_asked(since, "it is asked for again", |entries| entries.iter().any(Entry::is_write)).await;
    world.swept().await;
    world.each_ready(&OBJECTS).await;
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
    let before = world.standing();
    world.sim.edit(|tenant| tenant.switches.longest_page = Some(1));
    // The seeded restriction lies where this key may manage nothing: its page is empty, and not the last.
    let space = world.space("research");
    let grant = rolewright_simulators::arize::Grant {
        account_role: rolewright_simulators::arize::AccountRole::Member,
        spaces: Some([space].into()),
        permissions: Some(rolewright_simulators::arize::permissions::ALL.clone()),
        ..world.admin()
    };
    world.add_key("narrow", "narrow-key", grant);
    world.secret("narrow-key").await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.all_ready(&Arize::objects()).await;
    Arize::as_applied(&world);
    world.quiet().await;
    world.each_deleted(&OBJECTS).await;
    assert_eq!(world.standing(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_is_kept_by_the_whole_account() {
    let world = World::new("retryafter").await;
    world.apply(role("first", &[READ], json!({}))).await;
    world.ready("Role", "first").await;
    world.swept().await;
    let since = world.now();
    world.fault_times(&["POST"], "/v2/roles", throttle(3), 1);
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
    let world = settled(World::new("throttled").await).await;
    let (versions, since) = (world.versions().await, world.now());
    world.fault(&["GET", "POST", "PATCH", "DELETE"], "/v2/**", throttle(2));
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
    world.says("RoleBinding", "readers-0", "BackendNotReady", &["held things vanished"]).await;
    world.annotate("Backend", "arize", "rolewright.dev/reconcile-at", "looked").await;
    world.gone("RoleBinding", "readers-0").await;
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
