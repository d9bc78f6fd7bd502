//! A Grafana that fails, throttles, loses answers, sits behind a proxy that shows its own pages, or is narrowed: it ends well, with one of
//! each thing and nothing taken from anybody else.

use std::collections::BTreeMap;

use rolewright::simulators::{
    grafana::{Grant, Simulator},
    kit::{faults::Action, log::Entry},
};
use serde_json::json;

use crate::support::{
    KEY, Setting, World,
    grafana::{backend, binding, role},
    held_ids, status,
};

const WRITES: [(&str, &str); 7] = [
    ("POST", "/api/access-control/roles"),
    ("PUT", "/api/access-control/roles/*"),
    ("DELETE", "/api/access-control/roles/*"),
    ("POST", "/api/access-control/users/*/roles"),
    ("DELETE", "/api/access-control/users/*/roles/*"),
    ("POST", "/api/access-control/teams/*/roles"),
    ("DELETE", "/api/access-control/teams/*/roles/*"),
];

const READS: [(&str, &str); 10] = [
    ("GET", "/api/access-control/status"),
    ("GET", "/api/access-control/roles"),
    ("GET", "/api/access-control/roles/*"),
    ("GET", "/api/access-control/user/permissions"),
    ("GET", "/api/org"),
    ("GET", "/api/org/users"),
    ("GET", "/api/teams/search"),
    ("GET", "/api/serviceaccounts/search"),
    ("POST", "/api/access-control/users/roles/search"),
    ("POST", "/api/access-control/teams/roles/search"),
];

const ALL: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("ServiceAccount", "nightly-reports"), ("Team", "sre")];

/// The whole life of a role and its holders, with `action` on the first `times` of each of these calls.
async fn life_with(name: &str, calls: &[(&str, &str)], action: Action, times: u64) -> World<Simulator> {
    let world = Setting::new(name)
        .around(Simulator::start(rolewright::simulators::grafana::Options::new(KEY)).await.unwrap())
        .await;
    let before = world.access();
    for (method, path) in calls {
        world.fault_times(&[method], path, action.clone(), times);
    }
    world.secret(KEY).await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    let mut users = vec![world.user("alice"), world.service_account("nightly-reports")];
    users.sort_unstable();
    assert_eq!(world.holders("reader"), (users, vec![world.team("sre")]));

    world.apply(role("reader", json!({ "description": "changed" }))).await;
    world.apply(binding("readers", "reader", &[("Team", "sre-oncall")], json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.holders("reader"), (Vec::new(), vec![world.team("sre-oncall")]));

    world.delete("RoleBinding", "readers").await;
    world.delete("Role", "reader").await;
    world.gone("RoleBinding", "readers").await;
    world.gone("Role", "reader").await;
    assert_eq!(world.access(), before);
    world.faults_over().await;
    world
}

/// How many roles were asked to be made, and how many grants.
fn made(world: &World<Simulator>) -> (usize, usize) {
    let asked = world.asked(0);
    let posts = |is: &dyn Fn(&Entry) -> bool| asked.iter().filter(|it| it.method == "POST" && is(it)).count();
    let grants = |it: &Entry| it.path.ends_with("/roles") && it.path != "/api/access-control/roles";
    (posts(&|it| it.path == "/api/access-control/roles"), posts(&grants))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_write_in_turn_ends_well() {
    life_with("gf-writes", &WRITES, status(500), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_read_ends_well() {
    // A read is tried three times at once, so that the fourth failure is met by the next sweep.
    life_with("gf-reads", &READS, status(503), 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_lost_after_the_work_leave_exactly_one_thing_and_nothing_is_asked_twice() {
    let world = life_with("gf-lost", &WRITES, Action::AnswerLost, 1).await;
    assert_eq!(made(&world), (1, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_gives_up_after_the_work_leaves_exactly_one_thing_and_its_page_is_not_shown() {
    let page = Action::Status {
        status: 502,
        headers: [("content-type".to_owned(), "text/html".to_owned())].into(),
        body: Some(json!("<html>nginx says Bad Gateway</html>")),
        after_work: true,
    };
    let world = life_with("gf-proxy", &WRITES, page, 1).await;
    assert_eq!(made(&world), (1, 4));
    assert!(!world.readable().await.contains("nginx says"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_page_in_the_place_of_a_list_changes_nothing() {
    let world = World::grafana("gf-login").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let (versions, access) = (world.versions().await, world.access());
    let login = Action::Status {
        status: 200,
        headers: [("content-type".to_owned(), "text/html".to_owned())].into(),
        body: Some(json!("<html>Please log in</html>")),
        after_work: false,
    };
    for (method, path) in READS {
        world.fault_times(&[method], path, login.clone(), 3);
    }
    world.swept().await;
    world.mend();
    world.swept().await;
    world.ready("Backend", "grafana").await;
    assert_eq!((world.versions().await, world.access()), (versions, access));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lack_what_is_there_double_nothing_and_take_nothing() {
    let world = World::grafana("gf-lists").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let (access, since) = (world.access(), world.now());
    for path in
        ["/api/access-control/roles", "/api/org/users", "/api/teams/search", "/api/serviceaccounts/search"]
    {
        world.fault(&["GET"], path, Action::ShortPage { keep: 0, last: true });
        world.swept().await;
        world.mend();
        world.swept().await;
        world.ready("RoleBinding", "readers").await;
    }
    assert_eq!(world.access(), access);
    let writes = world.changes_since(since);
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_creation_of_a_role_and_its_record_it_is_known_again_by_its_uid() {
    let mut world = World::grafana("gf-kill").await;
    world.ready("Backend", "grafana").await;
    world.fault(&["POST"], "/api/access-control/roles", Action::Hold { after_work: true });
    let since = world.now();
    world.apply(role("reader", json!({ "adopt": "Never" }))).await;
    let creating = |entries: &[Entry]| {
        entries.iter().any(|it| it.method == "POST" && it.path == "/api/access-control/roles")
    };
    world.until_asked(since, "the creation", creating).await;
    world.operator.kill();
    world.mend();
    world.account("it is made", |tenant| tenant.role_by_name("reader").is_some()).await;
    // Somebody renames it while nobody looks.
    world.sim.edit(|tenant| {
        let id = tenant.roles.iter().find(|role| role.name == "reader").unwrap().id;
        let role = tenant.roles.get_mut(id).unwrap();
        (role.name, role.version) = ("renamed".to_owned(), role.version + 1);
    });
    world.restart();
    let ready = world.ready("Role", "reader").await;
    assert_eq!(ready.data["status"]["held"][0]["origin"], "Created");
    let uid = world.sim.edit(|tenant| tenant.role_by_name("reader")).unwrap();
    assert_eq!(held_ids(&ready), [uid]);
    assert_eq!(world.count(since, "POST", "/api/access-control/roles"), 1);
    assert!(world.sim.edit(|tenant| tenant.role_by_name("renamed")).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_grafana_is_given_the_time_that_it_asks_for() {
    let throttle = Action::Status {
        status: 429,
        headers: [("Retry-After".to_owned(), "1".to_owned())].into(),
        body: None,
        after_work: false,
    };
    life_with("gf-429", &WRITES, throttle, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_narrowed_in_mid_run_proves_nothing_and_takes_nothing() {
    let world = World::grafana("gf-narrow").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let (access, since) = (world.access(), world.now());
    let all = world.sim.world().credentials.list().into_iter().next().unwrap().grant;
    // It still sees that there are roles, and one of them.
    let few: BTreeMap<&str, &[&str]> = [
        ("status:accesscontrol", &["services:accesscontrol"][..]),
        ("roles:read", &["roles:uid:legacy-reviewer"]),
        ("org.users:read", &["users:*"]),
    ]
    .into();
    let narrowed: Grant = serde_json::from_value(json!({ "permissions": few })).unwrap();
    world.sim.world().credentials.narrow("admin", narrowed).unwrap();
    world.swept().await;
    world.swept().await;
    assert_eq!(world.access(), access);
    let writes = world.changes_since(since);
    assert!(writes.is_empty(), "{writes:?}");
    // A deletion in the meantime does not let go of what cannot be seen.
    world.delete("RoleBinding", "readers").await;
    world.reason("RoleBinding", "readers", "DeletionBlocked").await;
    world.sim.world().credentials.narrow("admin", all).unwrap();
    world.gone("RoleBinding", "readers").await;
    assert_eq!(world.holders("reader"), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_and_password_below_a_path_work_as_a_token_does_and_an_organization_is_told_apart() {
    let mut options = rolewright::simulators::grafana::Options::new("unused-token");
    options.prefix = "/grafana".to_owned();
    let sim = Simulator::start(options).await.unwrap();
    let admin = sim.edit(|tenant| tenant.user_by_login("admin")).unwrap();
    let grant: Grant = serde_json::from_value(json!({ "user_id": admin })).unwrap();
    sim.world().credentials.add("basic", &format!("admin:{KEY}"), grant).unwrap();
    let world = Setting::new("gf-basic").around(sim).await;
    world.secret(KEY).await;
    let connection = |org: i64| {
        json!({ "grafana": {
            "url": format!("{}/grafana/", world.sim.url().trim_end_matches("/grafana")),
            "orgId": org,
            "allowInsecure": true,
            "credentials": {
                "username": "admin",
                "passwordSecretRef": { "name": "grafana-token", "key": "token" },
            },
        }})
    };
    world.apply(backend("", connection(2))).await;
    world.ready("Backend", "grafana").await;
    world.apply(role("reader", json!({}))).await;
    world
        .apply(binding("readers", "reader", &[("User", "peggy@example.com"), ("Team", "sre")], json!({})))
        .await;
    world.ready("RoleBinding", "readers").await;
    let org = world.sim.edit(|tenant| tenant.roles.iter().find(|it| it.name == "reader").unwrap().org_id);
    assert_eq!(org, 2);
    // Another organization is another account: what is held lies in the first.
    world.apply(backend("", connection(1))).await;
    world.reason("Backend", "grafana", "Conflict").await;
}
