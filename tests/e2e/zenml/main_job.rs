//! The main job on ZenML Pro: custom roles of workspaces and projects, and who holds roles where.

use rolewright_simulators::zenml::{
    ADMIN, Options, Principal, ZenMl,
    roles::Level,
    switches::{MemberEntries, PermissionForm, PermissionsShown},
};
use serde_json::{Value, json};

use crate::support::{
    KEY, World, held_ids, subject,
    zenml::{backend, binding, external, role, verified},
};

const ALL: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("ServiceAccount", "nightly-training"), ("Team", "sre")];

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_their_holders_come_to_be_in_zenml_and_go_with_their_yaml() {
    let world = World::zenml("zm-life").await;
    let before = world.access();
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.apply(role("reader", json!({ "description": "Reads" }))).await;
    world.ready("Role", "reader").await;
    let readers = world.ready("RoleBinding", "readers").await;
    assert_eq!(held_ids(&readers).len(), 3);
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    let production = Some(world.workspace("production"));
    let mut expected = [world.person("alice"), world.program("nightly-training"), world.team("sre")]
        .map(|who| (who, production, None));
    expected.sort_unstable();
    assert_eq!(world.holders(id), expected);
    assert_eq!(world.permits(id), json!({ "pipeline": ["read"] }));

    world.each_deleted(&[("Role", "reader"), ("RoleBinding", "readers")]).await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_in_sync_whether_or_not_the_server_shows_what_it_permits() {
    for shown in [PermissionsShown::Never, PermissionsShown::OnSingleRoles, PermissionsShown::Always] {
        let world = World::zenml_with("zm-shown", |switches| switches.permissions_shown = shown).await;
        world.apply(role("reader", json!({}))).await;
        world.ready("Role", "reader").await;
        world.swept().await;
        let always = shown == PermissionsShown::Always;
        let said = |object: &kube::api::DynamicObject| verified(object).is_none() == always;
        let object = world.until("Role", "reader", "said how sure it is", said).await;
        assert_eq!(verified(&object).as_deref(), if always { None } else { Some("False") }, "{shown:?}");
        world.quiet().await;
        let other = json!({ "rules": [{ "actions": ["read"], "resources": ["model"] }] });
        world.apply(role("reader", other)).await;
        world.ready("Role", "reader").await;
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        assert_eq!(world.permits(id), json!({ "model": ["read"] }), "{shown:?}");
        world.delete("Role", "reader").await;
        world.gone("Role", "reader").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_form_of_permissions_the_server_takes_they_arrive() {
    for form in [PermissionForm::Grouped, PermissionForm::Pairs] {
        let world = World::zenml_with("zm-form", |switches| switches.permission_form = form).await;
        world.apply(role("reader", json!({}))).await;
        world.ready("Role", "reader").await;
        let other = json!({ "rules": [{ "actions": ["read", "create"], "resources": ["model"] }] });
        world.apply(role("reader", other)).await;
        world.ready("Role", "reader").await;
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        assert_eq!(world.permits(id), json!({ "model": ["create", "read"] }), "{form:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_by_hand_is_put_back_as_far_as_the_server_shows_it() {
    let world =
        World::zenml_with("zm-drift", |switches| switches.permissions_shown = PermissionsShown::Always).await;
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    world.swept().await;
    world.sim.edit(|tenant| {
        let role = tenant.roles.get_mut(id).unwrap();
        role.permissions.clear();
        role.permissions.insert("secret".to_owned(), ["delete".to_owned()].into());
        role.name = Some("renamed".to_owned());
    });
    let note = world.event("reader", "DriftCorrected").await;
    assert!(note.contains("- delete on secret") && note.contains("+ read on pipeline"), "{note}");
    world
        .account("it is as it was", |tenant| tenant.roles.get(id).unwrap().name.as_deref() == Some("reader"))
        .await;
    assert_eq!(world.permits(id), json!({ "pipeline": ["read"] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_and_roles_that_were_removed_by_hand_come_back() {
    let world = World::zenml("zm-back").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL[..1], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    let held = world.holders(id);
    world.take_all(id);
    world.event("readers", "DriftCorrected").await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.holders(id), held);

    world.sim.edit(|tenant| {
        tenant.assignments.retain(|row| row.role_id != id);
        tenant.roles.remove(id);
    });
    world
        .account("there is such a role again", |tenant| {
            let new = tenant.roles.iter().find(|role| role.name.as_deref() == Some("reader"));
            new.is_some_and(|role| tenant.assignments.iter().any(|row| row.role_id == role.id))
        })
        .await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_of_the_vendor_are_bound_by_name_at_the_level_of_their_scope() {
    let world = World::zenml("zm-own").await;
    let bob = &[("User", "bob@example.com")];
    let name = |name: &str| json!({ "name": name });
    world.apply(external("viewer", name("Workspace Viewer"), bob, json!({}))).await;
    world.apply(external("manager", name("Organization Manager"), bob, json!({ "scope": null }))).await;
    world.ready("RoleBinding", "viewer").await;
    world.ready("RoleBinding", "manager").await;
    let (production, bob_is) = (Some(world.workspace("production")), world.person("bob"));
    let viewer = world.role_id(Level::Workspace, "Workspace Viewer").unwrap();
    assert!(world.holders(viewer).contains(&(bob_is, production, None)));
    let manager = world.role_id(Level::Organization, "Organization Manager").unwrap();
    let holders = world.holders(manager);
    assert!(holders.contains(&(bob_is, None, None)), "{manager}: {holders:?} without {bob_is:?}");

    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    let since = world.now();
    world.apply(external("wrong", name("Project Viewer"), bob, json!({}))).await;
    let message = world.reason("RoleBinding", "wrong", "Invalid").await;
    assert!(message.contains("spec.scope") && message.contains("role of projects"), "{message}");
    world.apply(external("wrong", name("Workspace Viewer"), bob, json!({ "scope": null }))).await;
    let message = world.reason("RoleBinding", "wrong", "Invalid").await;
    assert!(message.contains("role of workspaces"), "{message}");
    // Nobody is asked for a project in which it cannot be anyway.
    let deep = json!({ "scope": { "workspace": "production", "project": "default" } });
    world.apply(binding("deep", "reader", bob, deep)).await;
    let message = world.reason("RoleBinding", "deep", "Invalid").await;
    assert!(message.contains("role of workspaces"), "{message}");
    assert!(!world.asked(since).iter().any(|asked| asked.path.ends_with("/projects")));
    world.apply(role("own", json!({ "name": "Workspace Viewer", "adopt": "Always" }))).await;
    let message = world.reason("Role", "own", "Invalid").await;
    assert!(message.contains("a predefined role"), "{message}");
    assert_eq!(world.writes_since(since), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_several_roles_have_is_never_guessed_at() {
    let world = World::zenml("zm-twins").await;
    let before = world.access();
    world.apply(role("pipeline-runner", json!({ "adopt": "Always" }))).await;
    world.reason("Role", "pipeline-runner", "Conflict").await;
    let alice = &ALL[..1];
    world.apply(external("runners", json!({ "name": "pipeline-runner" }), alice, json!({}))).await;
    let message = world.reason("RoleBinding", "runners", "Invalid").await;
    assert!(message.contains("pipeline-runner"), "{message}");
    assert_eq!(world.access(), before);
    let id = world.role_id(Level::Workspace, "pipeline-runner").unwrap();
    world.apply(external("runners", json!({ "id": id.to_string() }), alice, json!({}))).await;
    world.ready("RoleBinding", "runners").await;
    assert_eq!(world.holders(id).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_there_is_taken_over_when_the_spec_says_so_or_when_it_is_seen_to_be_the_same() {
    let rules = json!([{ "actions": ["read"], "resources": ["model", "pipeline_run"] }]);
    let legacy = |more: Value| {
        let mut object = role("legacy-reviewer", json!({ "rules": rules, "deletionPolicy": "Retain" }));
        for (field, value) in more.as_object().unwrap() {
            object["spec"][field] = value.clone();
        }
        object
    };
    let world = World::zenml("zm-adopt").await;
    let id = world.role_id(Level::Workspace, "legacy-reviewer").unwrap().to_string();
    world.apply(legacy(json!({}))).await;
    let message = world.reason("Role", "legacy-reviewer", "Conflict").await;
    assert!(message.contains("legacy-reviewer"), "{message}");
    world.apply(legacy(json!({ "adopt": "Always" }))).await;
    assert_eq!(held_ids(&world.ready("Role", "legacy-reviewer").await), std::slice::from_ref(&id));

    let world =
        World::zenml_with("zm-adopt", |switches| switches.permissions_shown = PermissionsShown::Always).await;
    let since = world.now();
    world.apply(legacy(json!({}))).await;
    let taken = world.ready("Role", "legacy-reviewer").await;
    assert_eq!((held_ids(&taken), world.writes_since(since)), (vec![id], Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_named_by_id_on_every_server_and_by_name_where_it_knows_names() {
    for paths in [false, true] {
        let world = World::zenml_with("zm-project", |switches| switches.project_paths = paths).await;
        let churn = world.project("production", "churn");
        world.apply(role("trainer", json!({ "zenml": { "level": "Project" } }))).await;
        let scope = |project: &str| json!({ "scope": { "workspace": "production", "project": project } });
        world.apply(binding("by-id", "trainer", &ALL, scope(&format!("id:{churn}")))).await;
        world.ready("RoleBinding", "by-id").await;
        let id = world.role_id(Level::Project, "trainer").unwrap();
        let production = Some(world.workspace("production"));
        assert!(
            world
                .holders(id)
                .iter()
                .all(|(_, workspace, project)| (*workspace, *project) == (production, Some(churn)))
        );
        assert_eq!(world.holders(id).len(), 3);
        world.apply(binding("by-name", "trainer", &[("User", "bob@example.com")], scope("churn"))).await;
        if paths {
            world.ready("RoleBinding", "by-name").await;
            assert_eq!(world.holders(id).len(), 4);
        } else {
            let message = world.reason("RoleBinding", "by-name", "NotFound").await;
            assert!(message.contains("id:"), "{message}");
        }
        world.quiet().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_holds_the_role_and_from_its_acceptance_on_the_account_does() {
    let world = World::zenml("zm-invite").await;
    world.apply(role("reader", json!({}))).await;
    let who = [("User", "Grace@example.com"), ("User", "alice@example.com")];
    world.apply(binding("readers", "reader", &who, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    assert!(world.holders(id).iter().any(|(who, ..)| matches!(who, Principal::Invitation(_))));

    let since = world.now();
    let grace = world.accepts("grace");
    let Principal::User(uuid) = grace else { unreachable!() };
    let own = format!("user:{uuid}");
    let is_own = |it: &kube::api::DynamicObject| held_ids(it).iter().any(|id| id.ends_with(&own));
    let object = world.until("RoleBinding", "readers", "recorded as the account's", is_own).await;
    assert!(held_ids(&object).iter().all(|id| !id.contains("invitation:")));
    // Once, and nothing was done for it.
    let versions = world.versions().await;
    world.swept().await;
    assert_eq!((world.versions().await, world.writes_since(since)), (versions, Vec::new()));
    // What is taken from the account is put back to the account.
    world.sim.edit(|tenant| tenant.assignments.retain(|row| (row.role_id, row.principal) != (id, grace)));
    world.event("readers", "DriftCorrected").await;
    world.ready("RoleBinding", "readers").await;
    assert!(world.holders(id).iter().any(|(who, ..)| *who == grace));

    // Somebody else has the address by now: nothing goes to them, and nothing of hers is lost from sight.
    let bob = world.person("bob");
    world.sim.edit(|tenant| {
        let mut set = |who: Principal, email: &str| {
            let Principal::User(id) = who else { unreachable!() };
            tenant.users.get_mut(id).unwrap().email = Some(email.to_owned());
        };
        set(grace, "grace.hopper@example.com");
        set(bob, "grace@example.com");
    });
    world.reason("RoleBinding", "readers", "Conflict").await;
    let holders = world.holders(id);
    assert_eq!(subject(&world.get("RoleBinding", "readers").await, "Grace@example.com").0, "Conflict");
    assert!(holders.len() == 2 && holders.iter().any(|(who, ..)| *who == grace), "{holders:?}");
    // And it goes with the object.
    world.apply(binding("readers", "reader", &who[1..], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.holders(id).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_in_without_accepting_the_invitation_is_not_said_to_hold_what_it_holds() {
    let world = World::zenml("zm-beside").await;
    world.apply(role("reader", json!({}))).await;
    let who = [("User", "grace@example.com"), ("User", "alice@example.com")];
    world.apply(binding("readers", "reader", &who, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    let member = world.role_id(Level::Organization, "Organization Member").unwrap();
    let since = world.now();
    world.sim.edit(|tenant| {
        let principal = Principal::User(tenant.add_user("grace", "grace", jiff::Timestamp::now()));
        let mut row = tenant.assignments[0];
        (row.role_id, row.principal, row.workspace_id, row.project_id) = (member, principal, None, None);
        tenant.assignments.push(row);
    });
    let grace = world.person("grace");
    let is_told = |it: &kube::api::DynamicObject| subject(it, "grace@example.com").0 == "Conflict";
    let object =
        world.until("RoleBinding", "readers", "not said to be granted to the account", is_told).await;
    assert_eq!(subject(&object, "alice@example.com").0, "Granted");
    assert_eq!(world.writes_since(since), [""; 0]);
    // What goes is what was given, and nothing that the account has.
    world.sim.edit(|tenant| {
        let mut row = *tenant.assignments.iter().find(|row| row.role_id == id).unwrap();
        row.principal = grace;
        tenant.assignments.push(row);
    });
    world.delete("RoleBinding", "readers").await;
    world.gone("RoleBinding", "readers").await;
    let left: Vec<Principal> = world.holders(id).into_iter().map(|(who, ..)| who).collect();
    assert_eq!(left, [grace]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_exactly_and_who_was_never_here_is_to_be_invited() {
    for (entries, paged) in [(MemberEntries::WithRoles, false), (MemberEntries::Plain, true)] {
        let world = World::zenml_with("zm-names", |switches| {
            (switches.member_entries, switches.more_lists_paged) = (entries, paged);
        })
        .await;
        world.apply(role("reader", json!({}))).await;
        let Principal::Team(sre) = world.team("sre") else { unreachable!() };
        let by_id = format!("id:{sre}");
        let subjects = [
            ("User", "ann@example.com"),
            ("User", "Ivan"),
            ("User", "frank@example.com"),
            ("Team", by_id.as_str()),
            ("Team", "sre-on"),
            ("ServiceAccount", "alice"),
        ];
        world.apply(binding("readers", "reader", &subjects, json!({}))).await;
        let message = world.reason("RoleBinding", "readers", "NotFound").await;
        assert!(message.contains("invite"), "{message}");
        let object = world.get("RoleBinding", "readers").await;
        for name in ["frank@example.com", "sre-on", "alice"] {
            assert_eq!(subject(&object, name).0, "NotFound", "{name}");
        }
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        let mut expected = [world.person("ann"), world.person("ivan"), Principal::Team(sre)];
        expected.sort_unstable();
        let holders: Vec<Principal> = world.holders(id).into_iter().map(|(who, ..)| who).collect();
        assert_eq!(holders, expected, "{entries:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_somebody_holds_by_hand_is_not_deleted_and_says_who() {
    for unscoped in [true, false] {
        let world = World::zenml_with("zm-held", |switches| switches.unscoped_lists_all = unscoped).await;
        world.apply(role("reader", json!({}))).await;
        world.ready("Role", "reader").await;
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        let (dave, staging) = (world.person("dave"), world.workspace("staging"));
        world.sim.edit(|tenant| {
            let mut by_hand = tenant.assignments[0];
            (by_hand.role_id, by_hand.principal, by_hand.workspace_id) = (id, dave, Some(staging));
            tenant.assignments.push(by_hand);
        });
        world.swept().await;
        world.delete("Role", "reader").await;
        let message = world.reason("Role", "reader", "DeletionBlocked").await;
        assert!(message.contains("dave@example.com"), "{message}");
        assert!(world.role_id(Level::Workspace, "reader").is_some());
        world.take_all(id);
        let now = world.now().to_string();
        world.annotate("Role", "reader", "rolewright.dev/reconcile-at", now).await;
        world.gone("Role", "reader").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_zenml_refuses_says_why_and_takes_nothing() {
    let world = World::zenml("zm-owner").await;
    let before = world.access();
    let admin = external(
        "owners",
        json!({ "name": "Organization Admin" }),
        &[("User", "erin@example.com")],
        json!({ "scope": null }),
    );
    world.apply(admin).await;
    world.ready("RoleBinding", "owners").await;
    world.delete("RoleBinding", "owners").await;
    let message = world.reason("RoleBinding", "owners", "DeletionBlocked").await;
    assert!(message.contains("IllegalOperationError"), "{message}");
    assert_eq!(world.access(), before);
    world.patch("RoleBinding", "owners", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
    world.gone("RoleBinding", "owners").await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_limit_and_an_unknown_word_are_told_in_zenmls_words() {
    let world = World::zenml("zm-words").await;
    let odd = json!({ "rules": [{ "actions": ["launch"], "resources": ["rocket"] }] });
    world.apply(role("odd", odd)).await;
    let message = world.reason("Role", "odd", "Invalid").await;
    assert!(message.contains("422"), "{message}");
    world.switch(|switches| switches.custom_role_limit = Some(0));
    world.apply(role("reader", json!({}))).await;
    let message = world.reason("Role", "reader", "Denied").await;
    assert!(message.contains("402"), "{message}");
    world.ready("Backend", "zenml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_idle_sweeps_write_nothing_and_ask_once_for_each_role_and_scope() {
    let mut world = World::zenml("zm-idle").await;
    for number in 0..8 {
        world.apply(role(&format!("r{number}"), json!({}))).await;
        world.apply(binding(&format!("b{number}"), &format!("r{number}"), &ALL, json!({}))).await;
    }
    for number in 0..8 {
        world.ready("RoleBinding", &format!("b{number}")).await;
        world
            .until("Role", &format!("r{number}"), "sure of what it can be", |it| verified(it).is_some())
            .await;
    }
    world.swept().await;
    world.operator.kill();
    let (versions, since) = (world.versions().await, world.now());
    world.restart();
    world.swept().await;
    world.operator.kill();
    let asked = world.asked(since);
    let ends = |end: &str| asked.iter().filter(|it| it.path.ends_with(end)).count();
    // Each list is asked for its page and its end.
    let sweeps = ends("/roles").div_ceil(2);
    assert!(ends("/assignments") <= sweeps * 8, "{} in {sweeps} sweeps", ends("/assignments"));
    assert!(asked.len() <= 4 + sweeps * (8 + 10), "{} calls in {sweeps} sweeps", asked.len());
    assert_eq!(ends("/auth/login"), 2, "one for the probe, one for the session");
    assert_eq!((world.versions().await, world.writes_since(since)), (versions, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_end_or_are_short_are_renewed_and_nobody_notices() {
    let world = World::zenml_with("zm-session", |switches| switches.session_seconds = 2).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.until("Role", "reader", "sure of what it can be", |it| verified(it).is_some()).await;
    world.swept().await;
    let (versions, since) = (world.versions().await, world.now());
    for _ in 0..2 {
        world.sim.end_sessions();
        world.swept().await;
    }
    assert_eq!((world.versions().await, world.writes_since(since)), (versions, Vec::new()));
    world.ready("Backend", "zenml").await;
    // Nor did any token come out: a session's has three parts, of which the first two are JSON.
    let readable = world.readable().await;
    assert!(!readable.contains(KEY) && !readable.contains("eyJ"), "a credential was shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_key_is_the_backends_matter_and_its_objects_keep_their_word() {
    let world = World::zenml("zm-dead").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.until("Role", "reader", "sure of what it can be", |it| verified(it).is_some()).await;
    world.swept().await;
    let (versions, access) = (world.versions().await, world.access());
    world.sim.world().credentials.expire("admin").unwrap();
    world.sim.end_sessions();
    world.reason("Backend", "zenml", "Denied").await;
    assert_eq!((world.versions().await, world.access()), (versions.clone(), access.clone()));
    world.sim.world().credentials.revive("admin").unwrap();
    world.ready("Backend", "zenml").await;
    world.swept().await;
    assert_eq!((world.versions().await, world.access()), (versions, access));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_below_a_path_and_another_organization_are_told_apart() {
    let options = Options { prefix: "/pro/api/v1".to_owned(), ..Options::new(KEY) };
    let world: World<ZenMl> = World::unconnected("zm-path", options).await;
    world.secret(KEY).await;
    let host = world.sim.url();
    let connection = |organization: &str| {
        let mut object = backend(&format!("{host}/pro/api/v1/"), json!({}));
        object["spec"]["zenml"]["organization"] = json!(organization);
        object
    };
    world.apply(connection("acme")).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let admin = world.grant();
    let partners = world.sim.edit(|tenant| tenant.organization_by_name("partners")).unwrap();
    let both = rolewright_simulators::zenml::Grant {
        organizations: Some([world.organization(), partners].into()),
        rights: Some(["*".to_owned()].into()),
        ..admin
    };
    world.narrow(ADMIN, both);
    world.apply(connection("partners")).await;
    world.reason("Backend", "zenml", "Conflict").await;
    world.apply(connection("nobody")).await;
    let message = world.until("Backend", "zenml", "told", |it| {
        crate::support::ready_condition(it)["message"]
            .as_str()
            .is_some_and(|text| text.contains("spec.zenml.organization"))
    });
    message.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_at_admission_with_a_word_what_to_write() {
    let world = World::zenml("zm-admit").await;
    world.apply(role("reader", json!({}))).await;
    let connection = |more: Value| {
        let mut object = backend("https://zenml.example.com/api/v1", json!({}));
        object["metadata"]["name"] = json!("other");
        object["spec"]["zenml"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let secret = json!({ "name": "zenml-key", "key": "key" });
    for (object, words) in [
        (connection(json!({ "url": "http://zenml.example.com", "allowInsecure": false })), "allowInsecure"),
        (connection(json!({ "url": "https://zenml.example.com?x=1" })), "url"),
        (connection(json!({ "organization": "" })), "organization"),
        (connection(json!({ "credentials": {} })), "either apiKeySecretRef, or clientId"),
        (connection(json!({ "credentials": { "clientId": "x" } })), "either apiKeySecretRef, or clientId"),
        (
            connection(json!({ "credentials": { "apiKeySecretRef": secret, "audience": "x" } })),
            "either apiKeySecretRef, or clientId",
        ),
        (role("reader", json!({ "zenml": { "level": "Project" } })), "zenml.level cannot be changed"),
        (role("other", json!({ "zenml": { "level": "Organization" } })), "Workspace"),
    ] {
        let refused = world.try_apply(object).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    let client = json!({ "clientId": "x", "clientSecretRef": secret, "audience": "y" });
    world.apply(connection(json!({ "credentials": client }))).await;
    // Only the operator can say this: a Role does not know its Backend's vendor.
    let mut no_level = role("plain", json!({}));
    no_level["spec"].as_object_mut().unwrap().remove("zenml");
    world.apply(no_level).await;
    let message = world.reason("Role", "plain", "Invalid").await;
    assert!(message.contains("zenml: {level: Workspace}"), "{message}");
}
