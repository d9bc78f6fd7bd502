//! A Grafana that fails, throttles, loses answers, sits behind a proxy that shows its own pages, or is narrowed: it ends well, with one of
//! each thing and nothing taken from anybody else.

use std::collections::BTreeMap;

use rolewright_simulators::grafana::{ADMIN, Grafana, Grant, Options};
use serde_json::{Value, json};

use crate::support::{
    KEY, World,
    grafana::{backend, binding, role},
    held_ids, page, status,
    trial::{
        Call, Made, Trial, life, life_behind_a_proxy_that_gives_up, life_with_lost_answers, life_with_pauses,
        others_answer, settled,
    },
};

const ROLES: &str = "/api/access-control/roles";

const ALL: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("ServiceAccount", "nightly-reports"), ("Team", "sre")];

impl Trial for Grafana {
    const WRITES: &'static [Call] = &[
        ("POST", "/api/access-control/roles"),
        ("PUT", "/api/access-control/roles/*"),
        ("DELETE", "/api/access-control/roles/*"),
        ("POST", "/api/access-control/users/*/roles"),
        ("DELETE", "/api/access-control/users/*/roles/*"),
        ("POST", "/api/access-control/teams/*/roles"),
        ("DELETE", "/api/access-control/teams/*/roles/*"),
    ];

    const READS: &'static [Call] = &[
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

    const MADE: &'static [Made] =
        &[(|path| path == ROLES, 1), (|path| path != ROLES && path.ends_with("/roles"), 4)];

    fn objects() -> Vec<Value> {
        vec![role("reader", json!({})), binding("readers", "reader", &ALL, json!({}))]
    }

    fn changed() -> Vec<Value> {
        let oncall = [("Team", "sre-oncall")];
        vec![
            role("reader", json!({ "description": "changed" })),
            binding("readers", "reader", &oncall, json!({})),
        ]
    }

    fn as_applied(world: &World<Self>) {
        let mut users = vec![world.user("alice"), world.service_account("nightly-reports")];
        users.sort_unstable();
        assert_eq!(world.holders("reader"), (users, vec![world.team("sre")]));
    }

    fn as_changed(world: &World<Self>) {
        assert_eq!(world.holders("reader"), (Vec::new(), vec![world.team("sre-oncall")]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_write_in_turn_ends_well() {
    life::<Grafana>("gf-writes", Grafana::WRITES, status(500), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_read_ends_well() {
    // A read is tried three times at once, so that the fourth failure is met by the next sweep.
    life::<Grafana>("gf-reads", Grafana::READS, status(503), 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_lost_after_the_work_leave_exactly_one_thing_and_nothing_is_asked_twice() {
    life_with_lost_answers::<Grafana>("gf-lost", Options::new(KEY)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_gives_up_after_the_work_leaves_exactly_one_thing_and_its_page_is_not_shown() {
    life_behind_a_proxy_that_gives_up::<Grafana>("gf-proxy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_grafana_is_given_the_time_that_it_asks_for() {
    life_with_pauses::<Grafana>("gf-429").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_page_in_the_place_of_a_list_changes_nothing() {
    let world = settled(World::grafana("gf-login").await).await;
    others_answer(world, Grafana::READS, &[page(200, "Please log in", false)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lack_what_is_there_double_nothing_and_take_nothing() {
    let world = settled(World::grafana("gf-lists").await).await;
    for path in [ROLES, "/api/org/users", "/api/teams/search", "/api/serviceaccounts/search"] {
        world.short_list(path, 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_creation_of_a_role_and_its_record_it_is_known_again_by_its_uid() {
    let mut world = World::grafana("gf-kill").await;
    let reader = role("reader", json!({ "adopt": "Never" }));
    // Somebody renames it while nobody looks.
    let renamed = |world: &World<Grafana>| {
        world.sim.edit(|tenant| {
            let role = tenant.roles.iter_mut().find(|role| role.name == "reader").unwrap();
            (role.name, role.version) = ("renamed".to_owned(), role.version + 1);
        });
    };
    let ready = world
        .killed_while_making(
            vec![reader],
            ROLES,
            |tenant| tenant.role_by_name("reader").is_some(),
            renamed,
            ("Role", "reader"),
        )
        .await;
    let uid = world.sim.edit(|tenant| tenant.role_by_name("reader")).unwrap();
    assert_eq!(held_ids(&ready), [uid]);
    assert!(world.sim.edit(|tenant| tenant.role_by_name("renamed")).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_narrowed_in_mid_run_proves_nothing_and_takes_nothing() {
    let world = settled(World::grafana("gf-narrow").await).await;
    let (mark, all) = (world.mark(), world.grant());
    // It still sees that there are roles, and one of them.
    let few: BTreeMap<&str, &[&str]> = [
        ("status:accesscontrol", &["services:accesscontrol"][..]),
        ("roles:read", &["roles:uid:legacy-reviewer"]),
        ("org.users:read", &["users:*"]),
    ]
    .into();
    let narrowed: Grant = serde_json::from_value(json!({ "permissions": few })).unwrap();
    world.narrow(ADMIN, narrowed);
    world.swept().await;
    world.swept().await;
    world.untouched(&mark, "a narrowed token");
    // A deletion in the meantime does not let go of what cannot be seen.
    world.delete("RoleBinding", "readers").await;
    world.reason("RoleBinding", "readers", "DeletionBlocked").await;
    world.narrow(ADMIN, all);
    world.gone("RoleBinding", "readers").await;
    assert_eq!(world.holders("reader"), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_and_password_below_a_path_work_as_a_token_does_and_an_organization_is_told_apart() {
    let options = Options { prefix: "/grafana".to_owned(), ..Options::new("unused-token") };
    let world = World::unconnected("gf-basic", options).await;
    world.add_key("basic", &format!("admin:{KEY}"), Grant::of_user(world.user("admin")));
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
