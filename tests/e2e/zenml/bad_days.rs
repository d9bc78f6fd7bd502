//! A control plane that fails, throttles, loses answers, sits behind a proxy that shows its own pages, shows less than there is, or pages
//! badly: it ends well, with one of each thing and nothing taken from anybody else.

use rolewright_simulators::{
    kit::{
        Server,
        faults::{Action, Fault},
    },
    zenml::{
        ADMIN, Grant, Options, Principal, ZenMl,
        roles::Level,
        switches::{ForbiddenLists, ListOrder, PermissionsShown},
    },
};
use serde_json::{Value, json};

use crate::support::{
    KEY, Setting, World, held_ids, page, status,
    trial::{
        Call, Made, Trial, life, life_behind_a_proxy_that_gives_up, life_with_lost_answers, life_with_pauses,
        others_answer, settled,
    },
    zenml::{backend, binding, role, verified},
};

const ALL: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("ServiceAccount", "nightly-training"), ("Team", "sre")];

fn principals(world: &World<ZenMl>) -> Vec<Principal> {
    let Some(id) = world.role_id(Level::Workspace, "reader") else { return Vec::new() };
    world.holders(id).into_iter().map(|(who, ..)| who).collect()
}

impl Trial for ZenMl {
    const WRITES: &'static [Call] = &[
        ("POST", "/roles"),
        ("PATCH", "/roles/*"),
        ("DELETE", "/roles/*"),
        ("POST", "/roles/*/assignments"),
        ("DELETE", "/roles/*/assignments"),
    ];

    const READS: &'static [Call] = &[
        ("POST", "/auth/login"),
        ("GET", "/users/me"),
        ("GET", "/organizations/*"),
        ("GET", "/organizations/*/roles"),
        ("GET", "/organizations/*/members"),
        ("GET", "/organizations/*/invitations"),
        ("GET", "/organizations/*/teams"),
        ("GET", "/workspaces"),
        ("GET", "/roles/*/assignments"),
    ];

    const MADE: &'static [Made] = &[(|path| path == "/roles", 1), (|path| path.ends_with("/assignments"), 4)];

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
        let mut expected = [world.person("alice"), world.program("nightly-training"), world.team("sre")];
        expected.sort_unstable();
        assert_eq!(principals(world), expected);
    }

    fn as_changed(world: &World<Self>) {
        assert_eq!(principals(world), [world.team("sre-oncall")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_write_in_turn_ends_well() {
    life::<ZenMl>("zm-writes", ZenMl::WRITES, status(500), 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_read_ends_well() {
    // A read is tried three times at once, so that the fourth failure is met by the next sweep.
    life::<ZenMl>("zm-reads", ZenMl::READS, status(503), 4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_lost_after_the_work_leave_exactly_one_thing_and_nothing_is_asked_twice() {
    for shown in [PermissionsShown::Never, PermissionsShown::Always] {
        let options = Options::new(KEY).switched(|switches| switches.permissions_shown = shown);
        life_with_lost_answers::<ZenMl>("zm-lost", options).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_gives_up_after_the_work_leaves_exactly_one_thing_and_its_page_is_not_shown() {
    life_behind_a_proxy_that_gives_up::<ZenMl>("zm-proxy").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_control_plane_is_given_the_time_that_it_asks_for() {
    life_with_pauses::<ZenMl>("zm-429").await;
}

/// A world in which everything is in sync, and what its objects say will not change by itself.
async fn at_rest(name: &str) -> World<ZenMl> {
    let world = settled(World::zenml(name).await).await;
    world.until("Role", "reader", "as sure of it as it can be", |it| verified(it).is_some()).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_page_in_the_place_of_a_list_changes_nothing() {
    let world = at_rest("zm-login").await;
    others_answer(world, ZenMl::READS, &[page(200, "Please log in", false)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lack_what_is_there_double_nothing_and_take_nothing() {
    let world = at_rest("zm-lists").await;
    for (_, path) in &ZenMl::READS[3..] {
        world.short_list(path, 0).await;
        if !path.ends_with("/assignments") {
            world.short_list(path, 1).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_shift_double_nothing_and_take_nothing() {
    let world = at_rest("zm-shift").await;
    let organization = world.organization();
    world.sim.edit(|tenant| {
        for number in 0..150 {
            let name = format!("other {number}");
            tenant.add_role(
                organization,
                Level::Workspace,
                &name,
                Default::default(),
                jiff::Timestamp::now(),
            );
        }
    });
    for order in [ListOrder::NewestFirst, ListOrder::Shuffled] {
        world.switch(|switches| switches.list_order = order);
        let mark = world.mark();
        world.swept().await;
        world.swept().await;
        world.untouched(&mark, &format!("{order:?}"));
    }
    world.switch(|switches| switches.list_order = ListOrder::OldestFirst);
    world.ready("RoleBinding", "readers").await;
    world.ready("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_creation_of_a_role_and_its_record_there_is_still_one() {
    for shown in [PermissionsShown::Never, PermissionsShown::Always] {
        let mut world = World::zenml_with("zm-kill", |switches| switches.permissions_shown = shown).await;
        let ready = world
            .killed_while_making(
                vec![role("reader", json!({ "adopt": "Never" }))],
                "/roles",
                |tenant| tenant.roles.iter().any(|role| role.name.as_deref() == Some("reader")),
                |_| {},
                ("Role", "reader"),
            )
            .await;
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        assert_eq!(held_ids(&ready), [id.to_string()], "{shown:?}");
    }
}

/// Two roles of one name would both be ours, and one of them nobody's matter.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_whose_creation_was_not_answered_and_that_is_not_listed_yet_is_waited_for() {
    let sim: Server<ZenMl> = Server::start(Options::new(KEY)).await.unwrap();
    let world = Setting::new("zm-slow").args(["--settle", "600"]).around(sim).await;
    world.connect().await;
    world.ready("Backend", "zenml").await;
    let since = world.now();
    world.fault_times(&["POST"], "/roles", Action::AnswerLost, 1);
    // What is seen are the fourteen that are the vendor's own.
    for (query, keep) in [("name=", 0), ("offset=0&", 14), ("offset=", 0)] {
        let path = "/organizations/*/roles";
        let mut short = Fault::on(&["GET"], path, Action::ShortPage { keep, last: true });
        short.matching.query = Some(query.to_owned());
        world.sim.world().faults.add(short).unwrap();
    }
    world.apply(role("reader", json!({}))).await;
    world.says("Role", "reader", "DependencyNotReady", &["can still be in progress"]).await;
    world.swept().await;
    assert_eq!(world.count(since, "POST", "/roles"), 1);
    world.mend();
    let ready = world.ready("Role", "reader").await;
    assert_eq!(ready.data["status"]["held"][0]["origin"], "Created");
    assert_eq!(world.count(since, "POST", "/roles"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_narrowed_in_mid_run_proves_nothing_and_takes_nothing() {
    for (rights, lists, hidden) in [
        (&["organization:read"][..], ForbiddenLists::Refuse, 403),
        (&["organization:read", "role:read"], ForbiddenLists::Empty, 404),
        (
            &["organization:read", "role:*", "member:read", "team:read", "workspace:read"],
            ForbiddenLists::Empty,
            404,
        ),
    ] {
        let world = at_rest("zm-narrow").await;
        let (mark, all) = (world.mark(), world.grant());
        world.switch(|switches| (switches.forbidden_lists, switches.hidden_status) = (lists, hidden));
        let rights = Some(rights.iter().map(|right| (*right).to_owned()).collect());
        world.narrow(ADMIN, Grant { rights, ..all.clone() });
        world.swept().await;
        world.swept().await;
        world.untouched(&mark, &format!("{lists:?}"));
        // A deletion in the meantime does not let go of what cannot be seen.
        world.delete("RoleBinding", "readers").await;
        world
            .until("RoleBinding", "readers", "told that it cannot go", |it| {
                matches!(crate::support::reason(it).as_str(), "DeletionBlocked" | "Denied")
            })
            .await;
        world.narrow(ADMIN, all);
        let now = world.now().to_string();
        world.annotate("RoleBinding", "readers", "rolewright.dev/reconcile-at", now).await;
        world.gone("RoleBinding", "readers").await;
        assert_eq!(principals(&world), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_is_hidden_from_the_key_keeps_its_grants() {
    let world = at_rest("zm-hidden").await;
    let (mark, all) = (world.mark(), world.grant());
    let staging = [world.workspace("staging")].into();
    world
        .switch(|switches| (switches.forbidden_lists, switches.hidden_status) = (ForbiddenLists::Empty, 404));
    world.narrow(ADMIN, Grant { workspaces: Some(staging), ..all.clone() });
    world.swept().await;
    world.swept().await;
    world.untouched(&mark, "a hidden workspace");
    world.narrow(ADMIN, all);
    world.ready("RoleBinding", "readers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspaces_own_client_works_as_a_key_does() {
    let world: World<ZenMl> = World::unconnected("zm-client", Options::new("unused-token")).await;
    let rights = Some(["*".to_owned()].into());
    let client_of = Some(world.workspace("production"));
    let grant = Grant { client_of, rights, ..Grant::default() };
    world.add_key("client", &format!("ws-1:{KEY}"), grant);
    world.secret(KEY).await;
    let mut connection = backend(&world.sim.url(), json!({}));
    connection["spec"]["zenml"]["credentials"] = json!({
        "clientId": "ws-1", "audience": "cloud", "clientSecretRef": { "name": "zenml-key", "key": "key" },
    });
    world.apply(connection).await;
    world.ready("Backend", "zenml").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(principals(&world).len(), 3);
}
