//! An HQ that fails, throttles, loses answers, sits behind a proxy that shows its own pages, or is narrowed: it ends well, with one of each
//! thing and nothing taken from anybody else.

use rolewright::simulators::{
    kit::{faults::Action, log::Entry},
    lenses::{self, Simulator, switches::Lists},
};
use serde_json::{Value, json};

use crate::support::{
    KEY, Setting, World, held_ids,
    lenses::{backend, binding, role},
    status,
};

const WRITES: [(&str, &str); 6] = [
    ("POST", "/api/v1/roles"),
    ("PATCH", "/api/v1/roles/*"),
    ("DELETE", "/api/v1/roles/*"),
    ("POST", "/api/v1/groups"),
    ("PATCH", "/api/v1/groups/*"),
    ("DELETE", "/api/v1/groups/*"),
];

const READS: [(&str, &str); 7] = [
    ("GET", "/api/v1/roles"),
    ("GET", "/api/v1/roles/*"),
    ("GET", "/api/v1/groups"),
    ("GET", "/api/v1/groups/*"),
    ("GET", "/api/v1/users"),
    ("GET", "/api/v1/service-accounts"),
    ("GET", "/api/v1/permissions/definitions"),
];

const PEOPLE: [(&str, &str); 2] = [("User", "alice@example.com"), ("ServiceAccount", "nightly-reports")];

/// The whole life of a role and its holders, with `action` on the first `times` of each of these calls.
async fn life_with(name: &str, calls: &[(&str, &str)], action: Action, times: u64) -> World<Simulator> {
    let world = Setting::new(name).around(Simulator::start(lenses::Options::new(KEY)).await.unwrap()).await;
    let before = world.access();
    for (method, path) in calls {
        world.fault_times(&[method], path, action.clone(), times);
    }
    world.secret(KEY).await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &[("Group", "sre")], json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    world.ready("RoleBinding", "teams").await;
    let owned = world.owned("readers").unwrap().name;
    assert_eq!(world.members(&owned), ["alice@example.com", "nightly-reports"]);
    assert_eq!(world.roles_of("sre"), ["reader", "topic-reader"].map(str::to_owned).into());

    world.apply(role("reader", json!({ "description": "changed" }))).await;
    world.apply(binding("readers", "reader", &[("User", "peggy")], json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.members(&owned), ["peggy"]);

    for (kind, name) in [("RoleBinding", "readers"), ("RoleBinding", "teams"), ("Role", "reader")] {
        world.delete(kind, name).await;
    }
    for (kind, name) in [("RoleBinding", "readers"), ("RoleBinding", "teams"), ("Role", "reader")] {
        world.gone(kind, name).await;
    }
    assert_eq!(world.access(), before);
    world.faults_over().await;
    world
}

/// How many roles were asked to be made, and how many groups.
fn made(world: &World<Simulator>) -> (usize, usize) {
    let asked = world.asked(0);
    let posts = |path: &str| asked.iter().filter(|it| it.method == "POST" && it.path == path).count();
    (posts("/api/v1/roles"), posts("/api/v1/groups"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_write_in_turn_ends_well() {
    life_with("lh-writes", &WRITES, status(500), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_read_ends_well() {
    // A read is tried three times at once, so that the fourth failure is met by the next sweep.
    life_with("lh-reads", &READS[..6], status(503), 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_lost_after_the_work_leave_exactly_one_thing_and_nothing_is_asked_twice() {
    let world = life_with("lh-lost", &WRITES, Action::AnswerLost, 1).await;
    assert_eq!(made(&world), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_gives_up_after_the_work_leaves_exactly_one_thing_and_its_page_is_not_shown() {
    let page = Action::Status {
        status: 502,
        headers: [("content-type".to_owned(), "text/html".to_owned())].into(),
        body: Some(json!("<html>nginx says Bad Gateway</html>")),
        after_work: true,
    };
    let world = life_with("lh-proxy", &WRITES, page, 1).await;
    assert_eq!(made(&world), (1, 1));
    assert!(!world.readable().await.contains("nginx says"));
}

/// What was read before the group was made shows none.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_whose_creation_was_not_answered_goes_with_its_binding() {
    let world = settled("lh-unanswered", json!({})).await;
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
    let throttle = Action::Status {
        status: 429,
        headers: [("Retry-After".to_owned(), "1".to_owned())].into(),
        body: None,
        after_work: false,
    };
    life_with("lh-429", &WRITES, throttle, 1).await;
}

/// A role, a binding to people and one to a group, all ready and swept.
async fn settled(name: &str, more: Value) -> World<Simulator> {
    let world = World::lenses_with(name, more, |_| {}).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &[("Group", "sre")], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("RoleBinding", "teams").await;
    world.swept().await;
    world
}

fn page(status: u16) -> Action {
    Action::Status {
        status,
        headers: [("content-type".to_owned(), "text/html".to_owned())].into(),
        body: Some(json!("<html>Not what you are looking for</html>")),
        after_work: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_others_in_the_place_of_answers_change_nothing() {
    let world = settled("lh-pages", json!({})).await;
    let (versions, access) = (world.versions().await, world.access());
    for (reply, times) in [(page(200), 3), (page(404), 3), (status(404), 3)] {
        for (method, path) in READS {
            world.fault_times(&[method], path, reply.clone(), times);
        }
        world.swept().await;
        world.mend();
        world.swept().await;
    }
    world.ready("Backend", "lenses").await;
    assert_eq!((world.versions().await, world.access()), (versions, access));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lack_what_is_there_double_nothing_and_take_nothing() {
    let world = settled("lh-lists", json!({})).await;
    let (access, since) = (world.access(), world.now());
    for path in ["/api/v1/roles", "/api/v1/groups", "/api/v1/users", "/api/v1/service-accounts"] {
        world.fault(&["GET"], path, Action::ShortPage { keep: 0, last: true });
        world.swept().await;
        world.mend();
        world.swept().await;
        world.ready("RoleBinding", "readers").await;
        world.ready("RoleBinding", "teams").await;
    }
    assert_eq!(world.access(), access);
    assert_eq!(world.writes_since(since), [""; 0]);
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
        let world = settled("lh-narrow", json!({})).await;
        world.switch(|switches| switches.lists = lists);
        let (access, since) = (world.access(), world.now());
        world.narrow(Some(few()));
        world
            .sim
            .world()
            .log
            .wait_until(since, std::time::Duration::from_secs(30), |seen: &[Entry]| seen.len() > 30)
            .await
            .unwrap();
        assert_eq!((world.access(), world.writes_since(since)), (access, Vec::new()), "{lists:?}");
        // A deletion in the meantime does not let go of what cannot be seen.
        world.delete("RoleBinding", "readers").await;
        world
            .until("RoleBinding", "readers", "still held", |object| {
                object.metadata.deletion_timestamp.is_some()
            })
            .await;
        let since = world.now();
        world
            .sim
            .world()
            .log
            .wait_until(since, std::time::Duration::from_secs(30), |seen: &[Entry]| seen.len() > 10)
            .await
            .unwrap();
        assert_eq!(held_ids(&world.get("RoleBinding", "readers").await).len(), 1);
        assert!(world.owned("readers").is_some());
        world.narrow(None);
        world.gone("RoleBinding", "readers").await;
        assert!(world.owned("readers").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_what_is_forbidden_looks_like_what_is_gone_the_accounts_own_policy_decides() {
    let world = settled("lh-hidden", json!({ "serviceAccount": "rolewright" })).await;
    let access = world.access();
    world.switch(|switches| (switches.denied_read_status, switches.lists) = (404, Lists::Filtered));
    let since = world.now();
    world.narrow(Some(few()));
    world.swept().await;
    world.swept().await;
    assert_eq!((world.access(), world.writes_since(since)), (access, Vec::new()));
    world.delete("RoleBinding", "readers").await;
    world.reason("RoleBinding", "readers", "DeletionBlocked").await;
    world.narrow(None);
    world.gone("RoleBinding", "readers").await;
    assert!(world.owned("readers").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_creation_of_a_thing_and_its_record_it_is_known_again() {
    for (path, kind, name) in
        [("/api/v1/roles", "Role", "reader"), ("/api/v1/groups", "RoleBinding", "readers")]
    {
        let mut world = World::lenses("lh-kill").await;
        world.ready("Backend", "lenses").await;
        if kind == "RoleBinding" {
            world.apply(role("reader", json!({}))).await;
            world.ready("Role", "reader").await;
        }
        world.fault(&["POST"], path, Action::Hold { after_work: true });
        let since = world.now();
        world.apply(role("reader", json!({ "adopt": "Never" }))).await;
        world.apply(binding("readers", "reader", &PEOPLE, json!({ "adopt": "Never" }))).await;
        let creating = |entries: &[Entry]| entries.iter().any(|it| it.method == "POST" && it.path == path);
        world.until_asked(since, "the creation", creating).await;
        world.operator.kill();
        world.mend();
        let there = |tenant: &lenses::Tenant| match kind {
            "Role" => tenant.roles.contains("reader"),
            _ => tenant.groups.iter().any(|group| group.name.starts_with("rw-readers-")),
        };
        world.account("it is made", there).await;
        world.restart();
        let ready = world.ready(kind, name).await;
        assert_eq!(ready.data["status"]["held"][0]["origin"], "Created");
        assert_eq!(world.count(since, "POST", path), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hq_below_a_path_whose_token_ends_is_the_backends_matter() {
    let mut options = lenses::Options::new(KEY);
    options.prefix = "/lenses".to_owned();
    let world = Setting::new("lh-path").around(Simulator::start(options).await.unwrap()).await;
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
