//! Bad days of ZenML Pro: those of every vendor, pages that shift, narrowed API keys, and roles that are not listed yet.

use rolewright_simulators::{
    kit::{
        Server,
        faults::{Action, Fault},
    },
    zenml::{
        ADMIN, Grant, Options, Principal, Tenant, ZenMl,
        roles::Level,
        switches::{ForbiddenLists, ListOrder, PermissionsShown},
    },
};
use serde_json::{Value, json};

use crate::support::{
    ADMIN_CREDENTIAL, World, WorldBuilder,
    bad_days::bad_days,
    http_status, reason,
    trial::{Call, Creations, ShortList, Trial, settled},
    zenml::{SUBJECTS, binding, role},
};

const ROLES: &str = "/organizations/*/roles";
const MEMBERS: &str = "/organizations/*/members";
const INVITATIONS: &str = "/organizations/*/invitations";
const TEAMS: &str = "/organizations/*/teams";
const WORKSPACES: &str = "/workspaces";
const ASSIGNMENTS: &str = "/roles/*/assignments";

/// The principals that have the role `reader`. They are sorted.
fn readers(world: &World<ZenMl>) -> Vec<Principal> {
    let role = world.role_id(Level::Workspace, "reader");
    role.map(|id| world.principals_of(id)).unwrap_or_default()
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
        ("GET", ROLES),
        ("GET", MEMBERS),
        ("GET", INVITATIONS),
        ("GET", TEAMS),
        ("GET", WORKSPACES),
        ("GET", ASSIGNMENTS),
    ];

    const LISTS: [&'static str; 4] = [ROLES, MEMBERS, TEAMS, WORKSPACES];

    const SHORT_LISTS: &'static [ShortList] = &[
        ShortList::new(ROLES, 0),
        ShortList::new(ROLES, 1),
        ShortList::new(MEMBERS, 0),
        ShortList::new(MEMBERS, 1),
        ShortList::new(INVITATIONS, 0),
        ShortList::new(INVITATIONS, 1),
        ShortList::new(TEAMS, 0),
        ShortList::new(TEAMS, 1),
        ShortList::new(WORKSPACES, 0),
        ShortList::new(WORKSPACES, 1),
        ShortList::new(ASSIGNMENTS, 0),
    ];

    const BROKEN: Call = ("GET", INVITATIONS);

    const CREATIONS: &'static [Creations] =
        &[(|path| path == "/roles", 1), (|path| path.ends_with("/assignments"), 4)];

    fn objects() -> Vec<Value> {
        vec![role("reader", json!({})), binding("readers", "reader", &SUBJECTS, json!({}))]
    }

    fn changed_objects() -> Vec<Value> {
        vec![
            role("reader", json!({ "description": "changed" })),
            binding("readers", "reader", &[("Team", "sre-oncall")], json!({})),
        ]
    }

    fn assert_applied(world: &World<Self>) {
        assert_eq!(readers(world), world.all_subjects());
    }

    fn assert_changed(world: &World<Self>) {
        assert_eq!(readers(world), [world.team("sre-oncall")]);
    }

    fn drift(tenant: &mut Tenant) {
        let reader = tenant.roles.iter().find(|role| role.name.as_deref() == Some("reader")).unwrap().id;
        tenant.assignments.retain(|row| row.role_id != reader);
    }

    fn has_drift(tenant: &Tenant) -> bool {
        let reader = tenant.roles.iter().find(|role| role.name.as_deref() == Some("reader"));
        !reader.is_some_and(|reader| tenant.assignments.iter().any(|row| row.role_id == reader.id))
    }

    fn role_id(tenant: &Tenant, name: &str) -> Option<String> {
        let role = tenant.roles.iter().find(|role| role.name.as_deref() == Some(name));
        role.map(|role| role.id.to_string())
    }

    /// Whether a role is the one that was created can be decided only if the server shows its permissions.
    fn servers() -> Vec<Options> {
        [PermissionsShown::Never, PermissionsShown::Always]
            .map(|shown| {
                Options::new(ADMIN_CREDENTIAL).switched(|switches| switches.permissions_shown = shown)
            })
            .into()
    }

    async fn settled(world: &World<Self>) {
        world.verified("reader").await;
    }
}

bad_days!(ZenMl);

#[tokio::test(flavor = "multi_thread")]
async fn shifting_pages_change_nothing() {
    let world = settled::<ZenMl>("shift").await;
    let organization = world.organization_id();
    world.sim.edit(|tenant| {
        for number in 0..150 {
            tenant.add_role(
                organization,
                Level::Workspace,
                &format!("other {number}"),
                Default::default(),
                jiff::Timestamp::now(),
            );
        }
    });
    for order in [ListOrder::NewestFirst, ListOrder::Shuffled] {
        world.set_switches(|switches| switches.list_order = order);
        let checkpoint = world.checkpoint();
        world.full_sweep().await;
        world.full_sweep().await;
        world.assert_unchanged(&checkpoint, &format!("{order:?}"));
    }
    world.set_switches(|switches| switches.list_order = ListOrder::OldestFirst);
    world.all_ready(&[("RoleBinding", "readers"), ("Role", "reader")]).await;
}

/// A second create request would make two roles with one name.
#[tokio::test(flavor = "multi_thread")]
async fn unanswered_creation_waits_until_the_role_is_listed() {
    let sim: Server<ZenMl> = Server::start(Options::new(ADMIN_CREDENTIAL)).await.unwrap();
    let world = WorldBuilder::new("zenml-slow").args(["--settle", "600"]).build_with(sim).await;
    world.connect().await;
    world.ready("Backend", "zenml").await;
    let since = world.log_position();
    world.inject_fault_times(&["POST"], "/roles", Action::AnswerLost, 1);
    // The lists show only the fourteen predefined roles.
    for (query, keep) in [("name=", 0), ("offset=", 14)] {
        let mut short = Fault::on(&["GET"], ROLES, Action::ShortPage { keep, last: true });
        short.matching.query = Some(query.to_owned());
        world.sim.world().faults.add(short).unwrap();
    }
    world.apply(role("reader", json!({}))).await;
    world.reports("Role", "reader", "DependencyNotReady", &["can still be in progress"]).await;
    world.full_sweep().await;
    assert_eq!(world.count_requests(since, "POST", "/roles"), 1);
    world.clear_faults();
    let ready = world.ready("Role", "reader").await;
    assert_eq!(ready.data["status"]["held"][0]["origin"], "Created");
    assert_eq!(world.count_requests(since, "POST", "/roles"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowed_api_key_changes_nothing() {
    for (rights, lists, hidden) in [
        (&["organization:read"][..], ForbiddenLists::Refuse, 403),
        (&["organization:read", "role:read"], ForbiddenLists::Empty, 404),
        (&["organization:read", "role:read", "user:read", "workspace:read"], ForbiddenLists::Own, 404),
        (
            &["organization:read", "role:*", "member:read", "team:read", "workspace:read"],
            ForbiddenLists::Empty,
            404,
        ),
    ] {
        let world = settled::<ZenMl>("narrowed").await;
        let (checkpoint, all) = (world.checkpoint(), world.credential_grant());
        world.set_switches(|switches| (switches.forbidden_lists, switches.hidden_status) = (lists, hidden));
        let rights = Some(rights.iter().map(|right| (*right).to_owned()).collect());
        world.limit_credential(ADMIN, Grant { rights, ..all.clone() });
        world.full_sweep().await;
        world.full_sweep().await;
        world.assert_unchanged(&checkpoint, &format!("{lists:?}"));
        // A deletion in the meantime does not release things that are not visible.
        world.delete("RoleBinding", "readers").await;
        world
            .until("RoleBinding", "readers", "blocked", |it| {
                matches!(reason(it).as_str(), "DeletionBlocked" | "Denied")
            })
            .await;
        world.limit_credential(ADMIN, all);
        world.request_reconcile("RoleBinding", "readers", world.log_position()).await;
        world.wait_deleted("RoleBinding", "readers").await;
        assert_eq!(readers(&world), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_workspace_keeps_its_grants() {
    for lists in [ForbiddenLists::Refuse, ForbiddenLists::Empty, ForbiddenLists::Own] {
        let world = settled::<ZenMl>("hidden").await;
        let (checkpoint, all) = (world.checkpoint(), world.credential_grant());
        let staging = [world.workspace_id("staging")].into();
        world.set_switches(|switches| switches.forbidden_lists = lists);
        world.limit_credential(ADMIN, Grant { workspaces: Some(staging), ..all.clone() });
        world.full_sweep().await;
        world.full_sweep().await;
        world.assert_unchanged(&checkpoint, &format!("a hidden workspace, {lists:?}"));
        world.limit_credential(ADMIN, all);
        world.ready("RoleBinding", "readers").await;
    }
}

/// The contract assumes that a hidden workspace is 403 by its id. Where it is 404, nothing is written.
#[tokio::test(flavor = "multi_thread")]
async fn workspace_hidden_as_if_deleted_causes_no_write() {
    let world = settled::<ZenMl>("hidden-404").await;
    let (access, all) = (world.access(), world.credential_grant());
    world.set_switches(|switches| {
        (switches.forbidden_lists, switches.hidden_status) = (ForbiddenLists::Empty, 404);
    });
    let since = world.log_position();
    let staging = [world.workspace_id("staging")].into();
    world.limit_credential(ADMIN, Grant { workspaces: Some(staging), ..all.clone() });
    world.reports("RoleBinding", "readers", "NotFound", &["production"]).await;
    world.assert_no_writes(since);
    assert_eq!(world.access(), access);
    world.limit_credential(ADMIN, all);
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.access(), access);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_session_on_one_path_changes_nothing() {
    let world = settled::<ZenMl>("one-401").await;
    let (checkpoint, since) = (world.checkpoint(), world.log_position());
    world.inject_fault(&["GET"], ASSIGNMENTS, http_status(401));
    world.full_sweep().await;
    world.full_sweep().await;
    world.assert_unchanged(&checkpoint, "a 401 on one path");
    let logins = world.count_requests(since, "POST", "/auth/login");
    let refused = world.requests_since(since).iter().filter(|it| it.status == Some(401)).count();
    assert!(logins <= refused + 2, "{logins} logins for {refused} refusals");
    world.clear_faults();
    world.all_ready(&[("RoleBinding", "readers"), ("Backend", "zenml")]).await;
}
