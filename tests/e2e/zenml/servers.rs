//! Servers that resolve what the contract of ZenML Pro leaves open in one way or the other: the operator does its job on each, or says what
//! keeps it from it.

use kube::api::DynamicObject;
use rolewright_simulators::zenml::{
    ADMIN, Grant, Options, Principal, Switches, ZenMl,
    roles::Level,
    switches::{
        ClientSystemManaged, ForbiddenLists, LastRole, ListOrder, MemberEntries, PermissionForm,
        PermissionsShown, RoleDeletion, UnauthorizedForm,
    },
};
use serde_json::{Value, json};

use crate::support::{
    KEY, World, every_switch_is_turned, status, subject,
    zenml::{backend, binding, external, role, verified},
};

const ALL: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("ServiceAccount", "nightly-training"), ("Team", "sre")];

/// A server: what it is called, and how it differs from the simulator's default.
type Server = (&'static str, fn(&mut Switches));

/// The servers that the whole life of all kinds is led on. Switches that have nothing to do with each other share one.
const SERVERS: [Server; 5] = [TURNED, EXACT, GENEROUS, GUARDED, FORGETFUL];

/// Everything is shown, in another form, order and shape.
const TURNED: Server = ("turned", |switches| {
    switches.permission_form = PermissionForm::Pairs;
    switches.permissions_shown = PermissionsShown::Always;
    switches.update_requires_permissions = true;
    switches.null_clears = true;
    switches.unique_role_names = true;
    switches.name_filter_takes_parts = true;
    switches.list_order = ListOrder::Shuffled;
    switches.shuffle_seed = 41;
    switches.more_lists_paged = true;
    switches.member_entries = MemberEntries::Plain;
    switches.unauthorized_form = UnauthorizedForm::Exception;
});

/// It answers what it was asked and no more, and guards what is held itself.
const EXACT: Server = ("exact", |switches| {
    switches.unscoped_lists_all = false;
    switches.project_paths = true;
    switches.role_deletion = RoleDeletion::Refuse;
    switches.permissions_shown = PermissionsShown::OnSingleRoles;
    switches.repeated_assignment_status = 200;
    switches.missing_removal_status = 200;
    switches.value_error_status = 422;
    switches.list_order = ListOrder::NewestFirst;
    switches.member_only_by_default = true;
});

/// It allows what others refuse.
const GENEROUS: Server = ("generous", |switches| {
    switches.custom_organization_roles = true;
    switches.client_system_managed = ClientSystemManaged::Store;
    switches.system_roles_editable = true;
    switches.permission_validation = false;
    switches.extra_resources = ["rocket".to_owned()].into();
    switches.extra_actions = ["launch".to_owned()].into();
    switches.custom_role_limit = Some(100);
    switches.roles_for_non_members = true;
    switches.service_accounts_in_users = true;
    switches.all_users_listed = false;
    switches.inactive_users_pass_checks = false;
    switches.membership_accepts_invitations = true;
});

/// It hides what it does not show, and keeps memberships.
const GUARDED: Server = ("guarded", |switches| {
    switches.raw_keys_as_bearer = false;
    switches.audience = Some("cloud".to_owned());
    switches.hidden_status = 404;
    switches.forbidden_lists = ForbiddenLists::Empty;
    switches.last_role = LastRole::OfTheOrganization;
    switches.last_role_protects_teams = true;
    switches.roleless_service_accounts_listed = false;
    switches.invitations_are_principals = false;
});

/// Its sessions end long before they were to, every few calls.
const FORGETFUL: Server = ("forgetful", |switches| {
    switches.session_seconds = 7200;
    switches.session_ends_after_ms = Some(400);
});

/// Turned while the operator runs, on each of them.
const IN_MID_RUN: [&str; 1] = ["sessions_since"];

#[test]
fn every_open_question_is_answered_the_other_way_by_some_server() {
    every_switch_is_turned::<ZenMl>(SERVERS.iter().map(|(_, turn)| *turn), &IN_MID_RUN);
}

/// Nothing is written anywhere while everything is as it is to be.
async fn is_quiet(world: &World<ZenMl>) {
    world.swept().await;
    let shown = world.sim.edit(|tenant| tenant.switches.permissions_shown == PermissionsShown::Always);
    for name in ["reader", "trainer"] {
        world.until("Role", name, "as sure of it as it can be", |it| verified(it).is_none() == shown).await;
    }
    world.quiet().await;
}

/// The whole life of roles and their holders at all levels.
async fn life((name, turn): Server) {
    let world = World::zenml_with(&format!("zs-{name}"), turn).await;
    let before = world.access();
    let reader = |more: Value| role("reader", more);
    let churn = world.project("production", "churn");
    let in_churn = json!({ "scope": { "workspace": "production", "project": format!("id:{churn}") } });
    let bob = &[("User", "bob@example.com")];
    world.apply(reader(json!({ "description": "Reads" }))).await;
    world.apply(role("trainer", json!({ "zenml": { "level": "Project" } }))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.apply(binding("trainers", "trainer", &ALL[..2], in_churn)).await;
    let viewer = json!({ "name": "Organization Viewer" });
    world.apply(external("viewers", viewer, bob, json!({ "scope": null }))).await;
    world.each_ready(&OBJECTS).await;
    let (production, sre) = (Some(world.workspace("production")), world.team("sre"));
    let [alice, nightly] = [world.person("alice"), world.program("nightly-training")];
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    let trainer = world.role_id(Level::Project, "trainer").unwrap();
    let sorted = |mut all: Vec<(Principal, _, _)>| {
        all.sort_unstable();
        all
    };
    let trainers = sorted([alice, nightly].map(|who| (who, production, Some(churn))).to_vec());
    assert_eq!(world.holders(id), sorted([alice, nightly, sre].map(|who| (who, production, None)).to_vec()));
    assert_eq!(world.holders(trainer), trainers);
    is_quiet(&world).await;

    // By hand.
    world.sim.edit(|tenant| {
        tenant.assignments.retain(|row| row.role_id != trainer);
        tenant.roles.get_mut(id).unwrap().name = Some("renamed".to_owned());
    });
    world.event("trainers", "DriftCorrected").await;
    world.event("reader", "DriftCorrected").await;
    world.each_ready(&OBJECTS).await;
    assert_eq!(world.holders(trainer), trainers);
    assert_eq!(world.role_id(Level::Workspace, "reader"), Some(id));

    // By the spec.
    let rules = json!([{ "actions": ["read", "create"], "resources": ["model"] }]);
    world.apply(reader(json!({ "description": "Writes", "rules": rules }))).await;
    world.apply(binding("readers", "reader", &[ALL[2], bob[0]], json!({}))).await;
    world.each_ready(&OBJECTS).await;
    assert_eq!(world.permits(id), json!({ "model": ["create", "read"] }));
    assert_eq!(
        world.holders(id),
        sorted([sre, world.person("bob")].map(|who| (who, production, None)).to_vec())
    );
    world.sim.end_sessions();
    is_quiet(&world).await;

    world.each_deleted(&OBJECTS).await;
    assert_eq!(world.access(), before);
}

const OBJECTS: [(&str, &str); 5] = [
    ("Role", "reader"),
    ("Role", "trainer"),
    ("RoleBinding", "readers"),
    ("RoleBinding", "trainers"),
    ("RoleBinding", "viewers"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_other_forms_orders_and_shapes_is_served_alike() {
    life(TURNED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_answers_exactly_what_it_is_asked_is_served_alike() {
    life(EXACT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_allows_what_others_refuse_is_served_alike() {
    life(GENEROUS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hides_what_it_does_not_show_is_served_alike() {
    life(GUARDED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_sessions_end_early_is_served_alike() {
    life(FORGETFUL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_a_server_knows_beyond_are_taken_and_others_are_told() {
    let world = World::zenml_with("zs-words", |switches| {
        switches.extra_resources = ["rocket".to_owned()].into();
        switches.extra_actions = ["launch".to_owned()].into();
    })
    .await;
    let of = |resource: &str| json!({ "rules": [{ "actions": ["launch"], "resources": [resource] }] });
    world.apply(role("launcher", of("rocket"))).await;
    world.ready("Role", "launcher").await;
    world.apply(role("other", of("boat"))).await;
    let message = world.reason("Role", "other", "Invalid").await;
    assert!(message.contains("Unknown permission"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_goes_where_the_server_takes_it_and_is_asked_for_where_it_does_not() {
    for clears in [true, false] {
        let world = World::zenml_with("zs-null", |switches| switches.null_clears = clears).await;
        world.apply(role("reader", json!({ "description": "Reads" }))).await;
        world.ready("Role", "reader").await;
        world.apply(role("reader", json!({}))).await;
        if clears {
            world.ready("Role", "reader").await;
            let id = world.role_id(Level::Workspace, "reader").unwrap();
            assert_eq!(world.sim.edit(|tenant| tenant.roles.get(id).unwrap().description.clone()), None);
        } else {
            let message = world.reason("Role", "reader", "Invalid").await;
            assert!(message.contains("spec.description"), "{message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teams_last_role_stays_where_the_server_protects_it_and_the_binding_says_so() {
    let world = World::zenml_with("zs-team", |switches| switches.last_role_protects_teams = true).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    world.delete("RoleBinding", "readers").await;
    let message = world.reason("RoleBinding", "readers", "DeletionBlocked").await;
    assert!(message.contains("The last role of an organization member"), "{message}");
    let left: Vec<Principal> = world.holders(id).into_iter().map(|(who, ..)| who).collect();
    assert_eq!(left, [world.team("sre")]);
    world.patch("RoleBinding", "readers", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
    world.gone("RoleBinding", "readers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_member_is_given_a_role_where_the_server_allows_it_and_named_where_not() {
    for allowed in [true, false] {
        let world = World::zenml_with("zs-frank", |switches| {
            switches.roles_for_non_members = allowed;
            switches.last_role = LastRole::OfTheOrganization;
        })
        .await;
        let Principal::User(frank) = world.person("frank") else { unreachable!() };
        let by_id = format!("id:{frank}");
        world.apply(role("reader", json!({}))).await;
        world.apply(binding("readers", "reader", &[ALL[0], ("User", &by_id)], json!({}))).await;
        if allowed {
            world.ready("RoleBinding", "readers").await;
        } else {
            let message = world.reason("RoleBinding", "readers", "Denied").await;
            assert!(message.contains("different organization"), "{message}");
            let object = world.get("RoleBinding", "readers").await;
            assert_eq!(subject(&object, &by_id).0, "Refused");
            assert_eq!(subject(&object, "alice@example.com").0, "Granted");
        }
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        assert_eq!(world.holders(id).len(), 1 + usize::from(allowed));
        world.delete("RoleBinding", "readers").await;
        world.gone("RoleBinding", "readers").await;
        assert_eq!(world.holders(id), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_invitations_hold_no_roles_who_was_invited_is_waited_for() {
    let world = World::zenml_with("zs-older", |switches| switches.invitations_are_principals = false).await;
    world.apply(role("reader", json!({}))).await;
    let who = [("User", "grace@example.com"), ALL[0]];
    world.apply(binding("readers", "reader", &who, json!({}))).await;
    let waiting = |it: &DynamicObject| subject(it, "grace@example.com").1.contains("sign in first");
    let object = world.until("RoleBinding", "readers", "waiting for grace", waiting).await;
    assert_eq!(subject(&object, "alice@example.com").0, "Granted");
    let grace = world.accepts("grace");
    // Who signs in becomes a member by the role that came with the invitation.
    let now = world.now().to_string();
    world.annotate("RoleBinding", "readers", "rolewright.dev/reconcile-at", now).await;
    world.ready("RoleBinding", "readers").await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    assert!(world.holders(id).iter().any(|(who, ..)| *who == grace));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_names_its_audience_and_a_wrong_one_is_the_backends_matter() {
    let options =
        Options::new("unused-token").switched(|switches| switches.audience = Some("cloud".to_owned()));
    let world: World<ZenMl> = World::unconnected("zs-audience", options).await;
    let client_of = Some(world.workspace("production"));
    let grant = Grant { client_of, rights: Some(["*".to_owned()].into()), ..Grant::default() };
    world.add_key("client", &format!("ws-1:{KEY}"), grant);
    world.secret(KEY).await;
    let connection = |audience: &str| {
        let mut object = backend(&world.sim.url(), json!({}));
        object["spec"]["zenml"]["credentials"] = json!({
            "clientId": "ws-1", "audience": audience, "clientSecretRef": { "name": "zenml-key", "key": "key" },
        });
        object
    };
    world.apply(connection("another")).await;
    let message = world.reason("Backend", "zenml", "Denied").await;
    assert!(message.contains("Invalid audience"), "{message}");
    world.apply(connection("cloud")).await;
    world.ready("Backend", "zenml").await;
}

/// What is held by hand in the project `churn`.
fn by_hand(world: &World<ZenMl>, role: &str) {
    let id = world.role_id(Level::Project, role).unwrap();
    let (dave, workspace, churn) =
        (world.person("dave"), world.workspace("production"), world.project("production", "churn"));
    world.sim.edit(|tenant| {
        let mut row = tenant.assignments[0];
        (row.role_id, row.principal) = (id, dave);
        (row.workspace_id, row.project_id) = (Some(workspace), Some(churn));
        tenant.assignments.push(row);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_somebody_holds_by_hand_in_a_project_stays_where_it_is_seen_and_where_it_is_not() {
    let tester = || role("tester", json!({ "zenml": { "level": "Project" } }));
    for (paths, said) in [(true, "dave@example.com"), (false, "does not show the projects")] {
        let world = World::zenml_with("zs-byhand", |switches| {
            switches.unscoped_lists_all = false;
            switches.project_paths = paths;
        })
        .await;
        world.apply(tester()).await;
        world.ready("Role", "tester").await;
        by_hand(&world, "tester");
        let access = world.access();
        world.delete("Role", "tester").await;
        let message = world.reason("Role", "tester", "DeletionBlocked").await;
        assert!(message.contains(said), "{message}");
        assert_eq!(world.access(), access);
        world.patch("Role", "tester", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
        world.gone("Role", "tester").await;
        assert_eq!(world.access(), access);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_see_holders_removes_no_role() {
    let world = World::zenml_with("zs-blind", |switches| {
        switches.forbidden_lists = ForbiddenLists::Empty;
        switches.hidden_status = 404;
    })
    .await;
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    let (dave, workspace) = (world.person("dave"), world.workspace("production"));
    world.sim.edit(|tenant| {
        let mut row = tenant.assignments[0];
        (row.role_id, row.principal, row.workspace_id) = (id, dave, Some(workspace));
        tenant.assignments.push(row);
    });
    let all = world.grant();
    let rights = ["organization:read", "role:*", "workspace:read", "member:read", "team:read"];
    let rights = Some(rights.map(str::to_owned).into());
    world.narrow(ADMIN, Grant { rights, ..all.clone() });
    let access = world.access();
    world.delete("Role", "reader").await;
    let message = world.reason("Role", "reader", "DeletionBlocked").await;
    assert!(message.contains("anybody who has a role"), "{message}");
    assert_eq!(world.access(), access);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_401_on_one_path_keeps_nobody_busy_and_is_not_the_backends_matter() {
    let world = World::zenml("zs-401").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    world.until("Role", "reader", "as sure of it as it can be", |it| verified(it).is_some()).await;
    let (mark, since) = (world.mark(), world.now());
    world.fault(&["GET"], "/roles/*/assignments", status(401));
    world.swept().await;
    world.ready("Backend", "zenml").await;
    let asked = world.asked(since);
    world.swept().await;
    let logins = world.count(since, "POST", "/auth/login");
    let calls = world.asked(since).len() - asked.len();
    assert!(logins <= 1, "{logins} logins");
    assert!(calls <= 4 * 20, "{calls} calls in four sweeps at most");
    world.untouched(&mark, "a 401 on one path");
    world.mend();
    world.ready("RoleBinding", "readers").await;
    world.ready("Backend", "zenml").await;
}
