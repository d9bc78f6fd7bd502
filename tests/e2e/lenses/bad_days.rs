//! An HQ that fails, throttles, loses answers, sits behind a proxy that shows its own pages, or is narrowed: it ends well, with one of each
//! thing and nothing taken from anybody else.

use rolewright_simulators::{
    kit::faults::Action,
    lenses::{self, Lenses, Options, switches::Lists},
};
use serde_json::{Value, json};

use crate::support::{
    KEY, World, held_ids,
    lenses::{backend, binding, role},
    page, status,
    trial::{
        Call, Made, Trial, life, life_behind_a_proxy_that_gives_up, life_with_lost_answers, life_with_pauses,
        others_answer, settled,
    },
};

const PEOPLE: [(&str, &str); 2] = [("User", "alice@example.com"), ("ServiceAccount", "nightly-reports")];

impl Trial for Lenses {
    const WRITES: &'static [Call] = &[
        ("POST", "/api/v1/roles"),
        ("PATCH", "/api/v1/roles/*"),
        ("DELETE", "/api/v1/roles/*"),
        ("POST", "/api/v1/groups"),
        ("PATCH", "/api/v1/groups/*"),
        ("DELETE", "/api/v1/groups/*"),
    ];

    const READS: &'static [Call] = &[
        ("GET", "/api/v1/roles"),
        ("GET", "/api/v1/roles/*"),
        ("GET", "/api/v1/groups"),
        ("GET", "/api/v1/groups/*"),
        ("GET", "/api/v1/users"),
        ("GET", "/api/v1/service-accounts"),
    ];

    const MADE: &'static [Made] =
        &[(|path| path == "/api/v1/roles", 1), (|path| path == "/api/v1/groups", 1)];

    fn objects() -> Vec<Value> {
        vec![
            role("reader", json!({})),
            binding("readers", "reader", &PEOPLE, json!({})),
            binding("teams", "reader", &[("Group", "sre")], json!({})),
        ]
    }

    fn changed() -> Vec<Value> {
        vec![
            role("reader", json!({ "description": "changed" })),
            binding("readers", "reader", &[("User", "peggy")], json!({})),
        ]
    }

    fn as_applied(world: &World<Self>) {
        let owned = world.owned("readers").unwrap().name;
        assert_eq!(world.members(&owned), ["alice@example.com", "nightly-reports"]);
        assert_eq!(world.roles_of("sre"), ["reader", "topic-reader"].map(str::to_owned).into());
    }

    fn as_changed(world: &World<Self>) {
        assert_eq!(world.members(&world.owned("readers").unwrap().name), ["peggy"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_write_in_turn_ends_well() {
    life::<Lenses>("lh-writes", Lenses::WRITES, status(500), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_read_ends_well() {
    // A read is tried three times at once, so that the fourth failure is met by the next sweep.
    life::<Lenses>("lh-reads", Lenses::READS, status(503), 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_lost_after_the_work_leave_exactly_one_thing_and_nothing_is_asked_twice() {
    life_with_lost_answers::<Lenses>("lh-lost", Options::new(KEY)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_gives_up_after_the_work_leaves_exactly_one_thing_and_its_page_is_not_shown() {
    life_behind_a_proxy_that_gives_up::<Lenses>("lh-proxy").await;
}

/// What was read before the group was made shows none.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_whose_creation_was_not_answered_goes_with_its_binding() {
    let world = settled(World::lenses("lh-unanswered").await).await;
    world.fault_times(&["POST"], "/api/v1/groups", Action::AnswerLost, 1);
    world.fault(&["GET"], "/api/v1/groups", status(503));
    world.fault(&["GET"], "/api/v1/groups/*", status(503));
    world.apply(binding("others", "reader", &PEOPLE, json!({}))).await;
    let made = |group: &lenses::groups::Group| group.name.starts_with("rw-others-");
    world.account("the group is made", |tenant| tenant.groups.iter().any(made)).await;
    world.delete("RoleBinding", "others").await;
    world.mend();
    world.gone("RoleBinding", "others").await;
    assert!(world.owned("others").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_hq_is_given_the_time_that_it_asks_for() {
    life_with_pauses::<Lenses>("lh-429").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_others_in_the_place_of_answers_change_nothing() {
    let world = settled(World::lenses("lh-pages").await).await;
    let calls = [Lenses::READS, &[("GET", "/api/v1/permissions/definitions")]].concat();
    let not_here = |status| page(status, "Not what you are looking for", false);
    others_answer(world, &calls, &[not_here(200), not_here(404), status(404)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lack_what_is_there_double_nothing_and_take_nothing() {
    let world = settled(World::lenses("lh-lists").await).await;
    for path in ["/api/v1/roles", "/api/v1/groups", "/api/v1/users", "/api/v1/service-accounts"] {
        world.short_list(path, 0).await;
    }
}

/// A token that sees that there are roles and groups, and some of them.
fn few() -> Value {
    json!([
        { "effect": "allow", "action": "iam:*", "resource": ["iam:role:legacy-auditor", "iam:group:finance", "iam:user:*"] },
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_narrowed_in_mid_run_proves_nothing_and_takes_nothing() {
    for lists in [Lists::SomeOrForbidden, Lists::Filtered, Lists::AllOrForbidden] {
        let world = settled(World::lenses("lh-narrow").await).await;
        world.switch(|switches| switches.lists = lists);
        let (mark, since) = (world.mark(), world.now());
        world.limit(Some(few()));
        world.until_asked(since, "30 calls", |seen| seen.len() > 30).await;
        world.untouched(&mark, &format!("{lists:?}"));
        // A deletion in the meantime does not let go of what cannot be seen.
        world.delete("RoleBinding", "readers").await;
        world
            .until("RoleBinding", "readers", "still held", |object| {
                object.metadata.deletion_timestamp.is_some()
            })
            .await;
        let since = world.now();
        world.until_asked(since, "10 calls", |seen| seen.len() > 10).await;
        assert_eq!(held_ids(&world.get("RoleBinding", "readers").await).len(), 1);
        assert!(world.owned("readers").is_some());
        world.limit(None);
        world.gone("RoleBinding", "readers").await;
        assert!(world.owned("readers").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_what_is_forbidden_looks_like_what_is_gone_the_accounts_own_policy_decides() {
    let world = settled(World::lenses("lh-hidden").await).await;
    let mark = world.mark();
    world.switch(|switches| (switches.denied_read_status, switches.lists) = (404, Lists::Filtered));
    world.limit(Some(few()));
    world.swept().await;
    world.swept().await;
    world.untouched(&mark, "hidden");
    world.delete("RoleBinding", "readers").await;
    world.reason("RoleBinding", "readers", "DeletionBlocked").await;
    world.limit(None);
    world.gone("RoleBinding", "readers").await;
    assert!(world.owned("readers").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_creation_of_a_thing_and_its_record_it_is_known_again() {
    let reader = || role("reader", json!({ "adopt": "Never" }));
    let readers = || binding("readers", "reader", &PEOPLE, json!({ "adopt": "Never" }));
    let mut world = World::lenses("lh-kill").await;
    world
        .killed_while_making(
            vec![reader(), readers()],
            "/api/v1/roles",
            |tenant| tenant.roles.contains("reader"),
            |_| {},
            ("Role", "reader"),
        )
        .await;
    let mut world = World::lenses("lh-kill").await;
    world.all_ready(&[reader()]).await;
    world
        .killed_while_making(
            vec![readers()],
            "/api/v1/groups",
            |tenant| tenant.groups.iter().any(|group| group.name.starts_with("rw-readers-")),
            |_| {},
            ("RoleBinding", "readers"),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hq_below_a_path_whose_token_ends_is_the_backends_matter() {
    let options = Options { prefix: "/lenses".to_owned(), ..Options::new(KEY) };
    let world = World::unconnected("lh-path", options).await;
    world.secret(KEY).await;
    let url = format!("{}/lenses/", world.sim.url().trim_end_matches('/').trim_end_matches("/lenses"));
    world.apply(backend(&url, json!({ "serviceAccount": "rolewright" }))).await;
    let ready = world.ready("Backend", "lenses").await;
    let identity = ready.data["status"]["identity"].as_str().unwrap().to_owned();
    assert!(identity.contains("rolewright"), "{identity}");
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    world.sim.world().credentials.expire(lenses::ADMIN).unwrap();
    world.reason("Backend", "lenses", "Denied").await;
    assert!(world.sim.edit(|tenant| tenant.roles.contains("reader")));
}
