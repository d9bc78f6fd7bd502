//! A control plane that fails, throttles, loses answers, sits behind a proxy that shows its own pages, shows less than there is, or pages
//! badly: it ends well, with one of each thing and nothing taken from anybody else.

use rolewright::simulators::{
    kit::{
        faults::{Action, Fault},
        log::Entry,
    },
    zenml::{
        Grant, Options, Principal, Simulator,
        roles::Level,
        switches::{ForbiddenLists, ListOrder, PermissionsShown},
    },
};
use serde_json::json;

use crate::support::{
    KEY, Setting, World, held_ids, status,
    zenml::{backend, binding, role},
};

const WRITES: [(&str, &str); 5] = [
    ("POST", "/roles"),
    ("PATCH", "/roles/*"),
    ("DELETE", "/roles/*"),
    ("POST", "/roles/*/assignments"),
    ("DELETE", "/roles/*/assignments"),
];

const READS: [(&str, &str); 9] = [
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

const ALL: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("ServiceAccount", "nightly-training"), ("Team", "sre")];

fn principals(world: &World<Simulator>) -> Vec<Principal> {
    let Some(id) = world.role_id(Level::Workspace, "reader") else { return Vec::new() };
    world.holders(id).into_iter().map(|(who, ..)| who).collect()
}

/// The whole life of a role and its holders, with `action` on the first `times` of each of these calls.
async fn life_with(
    name: &str,
    calls: &[(&str, &str)],
    action: Action,
    times: u64,
    shown: PermissionsShown,
) -> World<Simulator> {
    let mut options = Options::new(KEY);
    options.tenant.switches.permissions_shown = shown;
    let world = Setting::new(name).around(Simulator::start(options).await.unwrap()).await;
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
    let mut expected = [world.person("alice"), world.program("nightly-training"), world.team("sre")];
    expected.sort_unstable();
    assert_eq!(principals(&world), expected);

    world.apply(role("reader", json!({ "description": "changed" }))).await;
    world.apply(binding("readers", "reader", &[("Team", "sre-oncall")], json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(principals(&world), [world.team("sre-oncall")]);

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
    (posts(&|it| it.path == "/roles"), posts(&|it| it.path.ends_with("/assignments")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_write_in_turn_ends_well() {
    life_with("zm-writes", &WRITES, status(500), 1, PermissionsShown::Never).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_of_each_read_ends_well() {
    // A read is tried three times at once, so that the fourth failure is met by the next sweep.
    life_with("zm-reads", &READS, status(503), 4, PermissionsShown::Never).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_lost_after_the_work_leave_exactly_one_thing_and_nothing_is_asked_twice() {
    for shown in [PermissionsShown::Never, PermissionsShown::Always] {
        let world = life_with("zm-lost", &WRITES, Action::AnswerLost, 1, shown).await;
        assert_eq!(made(&world), (1, 4), "{shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_gives_up_after_the_work_leaves_exactly_one_thing_and_its_page_is_not_shown() {
    let page = Action::Status {
        status: 502,
        headers: [("content-type".to_owned(), "text/html".to_owned())].into(),
        body: Some(json!("<html>nginx says Bad Gateway</html>")),
        after_work: true,
    };
    let world = life_with("zm-proxy", &WRITES, page, 1, PermissionsShown::Never).await;
    assert_eq!(made(&world), (1, 4));
    assert!(!world.readable().await.contains("nginx says"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_control_plane_is_given_the_time_that_it_asks_for() {
    let throttle = Action::Status {
        status: 429,
        headers: [("Retry-After".to_owned(), "1".to_owned())].into(),
        body: None,
        after_work: false,
    };
    life_with("zm-429", &WRITES, throttle, 1, PermissionsShown::Never).await;
}

/// A world in which everything is in sync, and what its objects say will not change by itself.
async fn settled(name: &str) -> World<Simulator> {
    let world = World::zenml(name).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    world
        .until("Role", "reader", "sure of what it can be", |it| {
            it.data["status"]["conditions"]
                .as_array()
                .is_some_and(|all| all.iter().any(|it| it["type"] == "Verified"))
        })
        .await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_page_in_the_place_of_a_list_changes_nothing() {
    let world = settled("zm-login").await;
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
    world.ready("Backend", "zenml").await;
    assert_eq!((world.versions().await, world.access()), (versions, access));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lack_what_is_there_double_nothing_and_take_nothing() {
    let world = settled("zm-lists").await;
    let (access, since) = (world.access(), world.now());
    for (_, path) in READS.iter().skip(3) {
        for keep in [0, 1] {
            if path.ends_with("/assignments") && keep > 0 {
                continue;
            }
            world.fault(&["GET"], path, Action::ShortPage { keep, last: true });
            world.swept().await;
            world.mend();
            world.swept().await;
            world.ready("RoleBinding", "readers").await;
        }
    }
    assert_eq!((world.access(), world.changes_since(since)), (access, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_shift_double_nothing_and_take_nothing() {
    let world = settled("zm-shift").await;
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
        let (access, since) = (world.access(), world.now());
        world.swept().await;
        world.swept().await;
        assert_eq!((world.access(), world.changes_since(since)), (access, Vec::new()), "{order:?}");
    }
    world.switch(|switches| switches.list_order = ListOrder::OldestFirst);
    world.ready("RoleBinding", "readers").await;
    world.ready("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_creation_of_a_role_and_its_record_there_is_still_one() {
    for shown in [PermissionsShown::Never, PermissionsShown::Always] {
        let mut world = World::zenml_with("zm-kill", |switches| switches.permissions_shown = shown).await;
        world.ready("Backend", "zenml").await;
        world.fault(&["POST"], "/roles", Action::Hold { after_work: true });
        let since = world.now();
        world.apply(role("reader", json!({ "adopt": "Never" }))).await;
        let creating =
            |entries: &[Entry]| entries.iter().any(|it| it.method == "POST" && it.path == "/roles");
        world.until_asked(since, "the creation", creating).await;
        world.operator.kill();
        world.mend();
        world
            .account("it is made", |tenant| {
                tenant.roles.iter().any(|role| role.name.as_deref() == Some("reader"))
            })
            .await;
        world.restart();
        let ready = world.ready("Role", "reader").await;
        assert_eq!(ready.data["status"]["held"][0]["origin"], "Created");
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        assert_eq!(held_ids(&ready), [id.to_string()]);
        assert_eq!(world.count(since, "POST", "/roles"), 1, "{shown:?}");
    }
}

/// Two roles of one name would both be ours, and one of them nobody's matter.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_whose_creation_was_not_answered_and_that_is_not_listed_yet_is_waited_for() {
    let sim = Simulator::start(Options::new(KEY)).await.unwrap();
    let world = Setting::new("zm-slow").args(["--settle", "600"]).around(sim).await;
    world.secret(KEY).await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
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
    world.says("Role", "reader", "DependencyNotReady", &["may still be under way"]).await;
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
        let world = settled("zm-narrow").await;
        let (access, since) = (world.access(), world.now());
        let all = world.sim.world().credentials.list().into_iter().next().unwrap().grant;
        world.switch(|switches| (switches.forbidden_lists, switches.hidden_status) = (lists, hidden));
        let rights = Some(rights.iter().map(|right| (*right).to_owned()).collect());
        world.sim.world().credentials.narrow("admin", Grant { rights, ..all.clone() }).unwrap();
        world.swept().await;
        world.swept().await;
        assert_eq!((world.access(), world.changes_since(since)), (access, Vec::new()), "{lists:?}");
        // A deletion in the meantime does not let go of what cannot be seen.
        world.delete("RoleBinding", "readers").await;
        world
            .until("RoleBinding", "readers", "told that it cannot go", |it| {
                matches!(crate::support::reason(it).as_str(), "DeletionBlocked" | "Denied")
            })
            .await;
        world.sim.world().credentials.narrow("admin", all).unwrap();
        let now = world.now().to_string();
        world.annotate("RoleBinding", "readers", "rolewright.dev/reconcile-at", now).await;
        world.gone("RoleBinding", "readers").await;
        assert_eq!(principals(&world), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_is_hidden_from_the_key_keeps_its_grants() {
    let world = settled("zm-hidden").await;
    let (access, since) = (world.access(), world.now());
    let all = world.sim.world().credentials.list().into_iter().next().unwrap().grant;
    let staging = [world.workspace("staging")].into();
    world
        .switch(|switches| (switches.forbidden_lists, switches.hidden_status) = (ForbiddenLists::Empty, 404));
    world
        .sim
        .world()
        .credentials
        .narrow("admin", Grant { workspaces: Some(staging), ..all.clone() })
        .unwrap();
    world.swept().await;
    world.swept().await;
    assert_eq!((world.access(), world.changes_since(since)), (access, Vec::new()));
    world.sim.world().credentials.narrow("admin", all).unwrap();
    world.ready("RoleBinding", "readers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspaces_own_client_works_as_a_key_does() {
    let sim = Simulator::start(Options::new("unused-token")).await.unwrap();
    let world = Setting::new("zm-client").around(sim).await;
    let rights = Some(["*".to_owned()].into());
    let client_of = Some(world.workspace("production"));
    let grant = Grant { client_of, rights, ..Grant::default() };
    world.sim.world().credentials.add("client", &format!("ws-1:{KEY}"), grant).unwrap();
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
