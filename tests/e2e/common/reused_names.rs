//! A name is not a thing: the name of a scope or of a role comes to mean another one, on every vendor. The text in the spec does not
//! change, so no grant moves.

use rolewright_simulators::{
    arize::{self, Arize},
    grafana::{self, Grafana},
    kit::Vendor,
    lenses::{self, Lenses},
    zenml::{self, ORGANIZATION, ZenMl, roles::Level},
};
use serde_json::{Value, json};

use crate::support::{self, Account, World, binding, managed_ids, subject_status, trial::vendor_name};

/// One way in which a name comes to mean another thing.
struct Case<V: Vendor> {
    what: &'static str,
    /// The role and the scope of the binding.
    refers: Value,
    /// The field whose name is reused.
    field: &'static str,
    /// Reuses the name, and returns the id that it means then.
    reuse: fn(&mut V::Tenant) -> String,
    /// The change of the spec that writes the new id instead of the name.
    by_id: fn(String) -> Value,
}

/// Runs each case, while the operator runs and while it does not. `object`: a binding `readers` that refers to what is given.
async fn run<V: Account>(cases: &[Case<V>], object: impl Fn(Value) -> Value, subject: &str) {
    for case in cases {
        for is_down in [false, true] {
            let what = format!("{}, down: {is_down}", case.what);
            let mut world = World::<V>::with_switches(&vendor_name::<V>("reused"), |_| {}).await;
            world.apply_all(&[object(case.refers.clone())]).await;
            world.full_sweep().await;
            let managed = managed_ids(&world.get("RoleBinding", "readers").await);
            if is_down {
                world.operator.kill();
            }
            let id = world.sim.edit(|tenant| (case.reuse)(tenant));
            let checkpoint = world.checkpoint();
            if is_down {
                world.restart();
            }
            let words = [case.field, "now means", "although the text did not change", "Write the id"];
            let found = world.reports("RoleBinding", "readers", "Conflict", &words).await;
            assert_eq!(subject_status(&found, subject).0, "Conflict", "{what}");
            world.full_sweep().await;
            world.restart();
            world.full_sweep().await;
            world.assert_unchanged(&checkpoint, &what);
            let found = world.reports("RoleBinding", "readers", "Conflict", &words).await;
            assert_eq!(managed_ids(&found), managed, "{what}");
            // The remedy in the message works.
            world.patch("RoleBinding", "readers", json!({ "spec": (case.by_id)(id) })).await;
            world.ready("RoleBinding", "readers").await;
            world.delete_and_wait("RoleBinding", "readers").await;
        }
    }
}

fn scope_by_id(id: String) -> Value {
    json!({ "scope": { "space": null, "workspace": null, "project": null, "id": id } })
}

fn role_by_id(id: String) -> Value {
    json!({ "roleRef": { "external": { "name": null, "id": id } } })
}

/// Renames a role of Arize, or deletes it, and gives its name to another one.
fn another_arize_role(tenant: &mut arize::Tenant, rename: bool) -> String {
    let old = tenant.role_by_name("Legacy reviewer").unwrap();
    let id = tenant.issue(arize::Kind::Role);
    let role = tenant.roles.get_mut(old).unwrap();
    let made = arize::rows::roles::Role { id, ..role.clone() };
    if rename {
        role.name = "Old reviewer".to_owned();
    } else {
        role.deleted_at = Some(role.created_at);
        tenant.role_bindings.retain(|binding| binding.role_id != old);
    }
    tenant.roles.insert(made);
    id.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn reused_names_move_no_grant_on_arize() {
    let role = json!({ "external": { "name": "Legacy reviewer" } });
    let cases = [
        Case::<Arize> {
            what: "space",
            refers: json!({ "roleRef": role, "scope": { "space": "research" } }),
            field: "spec.scope.space",
            reuse: |tenant| {
                let [old, new] =
                    ["research", "research-archive"].map(|name| tenant.space_by_name(name).unwrap());
                tenant.spaces.get_mut(old).unwrap().name = "archived".to_owned();
                tenant.spaces.get_mut(new).unwrap().name = "research".to_owned();
                new.to_string()
            },
            by_id: scope_by_id,
        },
        Case {
            what: "project",
            refers: json!({ "roleRef": role, "scope": { "space": "research", "project": "churn" } }),
            field: "spec.scope.project",
            reuse: |tenant| {
                let space = tenant.space_by_name("research").unwrap();
                let [old, new] =
                    ["churn", "churn-v2"].map(|name| tenant.project_by_name(space, name).unwrap());
                tenant.projects.get_mut(old).unwrap().name = "churn-v2".to_owned();
                tenant.projects.get_mut(new).unwrap().name = "churn".to_owned();
                new.to_string()
            },
            by_id: scope_by_id,
        },
        Case {
            what: "renamed role",
            refers: json!({ "roleRef": role, "scope": { "space": "research" } }),
            field: "spec.roleRef.external.name",
            reuse: |tenant| another_arize_role(tenant, true),
            by_id: role_by_id,
        },
        Case {
            what: "deleted role",
            refers: json!({ "roleRef": role, "scope": { "space": "research" } }),
            field: "spec.roleRef.external.name",
            reuse: |tenant| another_arize_role(tenant, false),
            by_id: role_by_id,
        },
    ];
    run(&cases, |refers| binding("readers", "", &["alice@example.com"], refers), "alice@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reused_names_move_no_grant_on_grafana() {
    let cases = [Case::<Grafana> {
        what: "role",
        refers: json!({ "roleRef": { "external": { "name": "Legacy reviewer" } } }),
        field: "spec.roleRef.external.name",
        reuse: |tenant| {
            let id = tenant.issue(grafana::Kind::Role);
            let mut roles: Vec<_> = tenant.roles.iter().cloned().collect();
            let old = roles.iter_mut().find(|role| role.name == "Legacy reviewer").unwrap();
            let made = grafana::rows::roles::Role { id, uid: "other-reviewer".to_owned(), ..old.clone() };
            tenant.roles.get_mut(old.id).unwrap().name = "Old reviewer".to_owned();
            tenant.roles.insert(made);
            "other-reviewer".to_owned()
        },
        by_id: role_by_id,
    }];
    let subjects = [("User", "alice@example.com")];
    let object = |refers| support::grafana::binding("readers", "", &subjects, refers);
    run(&cases, object, "alice@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reused_names_move_no_grant_on_zenml() {
    let role = json!({ "external": { "name": "legacy-reviewer" } });
    let cases = [
        Case::<ZenMl> {
            what: "workspace",
            refers: json!({ "roleRef": role }),
            field: "spec.scope.workspace",
            reuse: |tenant| {
                let acme = tenant.organization_by_name(ORGANIZATION).unwrap();
                let [old, new] =
                    ["production", "staging"].map(|name| tenant.workspace_by_name(acme, name).unwrap());
                tenant.workspaces.get_mut(old).unwrap().name = "staging".to_owned();
                tenant.workspaces.get_mut(new).unwrap().name = "production".to_owned();
                new.to_string()
            },
            by_id: |id| json!({ "scope": { "workspace": format!("id:{id}") } }),
        },
        Case {
            what: "role",
            refers: json!({ "roleRef": role }),
            field: "spec.roleRef.external.name",
            reuse: |tenant| {
                let id = tenant.issue();
                let mut roles: Vec<_> = tenant.roles.iter().cloned().collect();
                let is_meant = |role: &&mut zenml::rows::roles::Role| {
                    role.name.as_deref() == Some("legacy-reviewer") && role.level == Level::Workspace
                };
                let old = roles.iter_mut().find(is_meant).unwrap();
                let made = zenml::rows::roles::Role { id, ..old.clone() };
                tenant.roles.get_mut(old.id).unwrap().name = Some("old-reviewer".to_owned());
                tenant.roles.insert(made);
                id.to_string()
            },
            by_id: role_by_id,
        },
    ];
    let subjects = [("User", "alice@example.com")];
    let object = |refers| support::zenml::binding("readers", "", &subjects, refers);
    run(&cases, object, "alice@example.com").await;
}

/// HQ cannot rename roles, but a role can be deleted and created again.
fn recreate_lenses_role(tenant: &mut lenses::Tenant) -> String {
    let id = tenant.issue_id();
    let old = tenant.roles.remove("topic-reader").unwrap();
    tenant.roles.insert(lenses::rows::roles::Role { id, ..old });
    "topic-reader".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn reused_names_move_no_grant_on_lenses() {
    let case = || Case::<Lenses> {
        what: "role",
        refers: json!({ "roleRef": { "external": { "name": "topic-reader" } } }),
        field: "spec.roleRef.external.name",
        reuse: recreate_lenses_role,
        by_id: role_by_id,
    };
    for subject in [("Group", "newcomers"), ("User", "alice@example.com")] {
        let object = |refers| support::lenses::binding("readers", "", &[subject], refers);
        run(&[case()], object, subject.1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_text_is_carried_out_after_a_conflict() {
    let world = World::new("renamed-scope").await;
    let external = json!({ "external": { "name": "Legacy reviewer" } });
    let reads = |scope: Value| {
        binding("readers", "", &["alice@example.com"], json!({ "roleRef": external, "scope": scope }))
    };
    world.apply_all(&[reads(json!({ "space": "research" }))]).await;
    let user = world.user_id("alice");
    world.sim.edit(|tenant| {
        let [old, new] = ["research", "storefront"].map(|name| tenant.space_by_name(name).unwrap());
        tenant.spaces.get_mut(old).unwrap().name = "archived".to_owned();
        tenant.spaces.get_mut(new).unwrap().name = "research".to_owned();
    });
    world.reports("RoleBinding", "readers", "Conflict", &["spec.scope.space"]).await;
    // The present name of the recorded space changes nothing, and another name moves the grant.
    let since = world.log_position();
    world.apply(reads(json!({ "space": "archived" }))).await;
    world.ready("RoleBinding", "readers").await;
    world.assert_no_writes(since);
    world.apply(reads(json!({ "space": "operations" }))).await;
    world.ready("RoleBinding", "readers").await;
    assert!(world.roles_by_user("operations").contains_key(&user));
    assert!(!world.roles_by_user("archived").contains_key(&user));
    // The name that was in conflict is a new text now.
    world.apply(reads(json!({ "space": "research" }))).await;
    world.ready("RoleBinding", "readers").await;
    assert!(world.roles_by_user("research").contains_key(&user));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_without_names_is_completed_and_moves_nothing() {
    let mut world = World::new("unrecorded").await;
    let external = json!({ "external": { "name": "Legacy reviewer" } });
    let more = json!({ "roleRef": external });
    world.apply_all(&[binding("readers", "", &["alice@example.com"], more)]).await;
    let recorded = world.get("RoleBinding", "readers").await.data["status"]["names"].clone();
    assert_eq!(recorded[0]["field"], "spec.scope.space");
    // As an older version left it.
    world.operator.kill();
    world.patch_status("RoleBinding", "readers", json!({ "names": null })).await;
    let since = world.log_position();
    world.restart();
    let is_recorded = |object: &kube::api::DynamicObject| object.data["status"]["names"] == recorded;
    world.until("RoleBinding", "readers", "recorded", is_recorded).await;
    world.operator.kill();
    world.patch_status("RoleBinding", "readers", json!({ "names": null })).await;
    world.sim.edit(|tenant| another_arize_role(tenant, true));
    world.restart();
    world.reports("RoleBinding", "readers", "Conflict", &["spec.roleRef.external.name"]).await;
    world.full_sweep().await;
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn recreated_role_object_is_granted_again() {
    let world = World::new("recreated-object").await;
    let reader = support::role("reader", &["PROJECT_READ"], json!({}));
    world.apply_all(&[reader.clone(), binding("readers", "reader", &["alice@example.com"], json!({}))]).await;
    let retain = json!({ "spec": { "deletionPolicy": "Retain" } });
    world.patch("Role", "reader", retain).await;
    world.ready("Role", "reader").await;
    world.delete_and_wait("Role", "reader").await;
    let other = support::role("reader", &["PROJECT_READ"], json!({ "name": "Other reader" }));
    world.apply(other).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    let granted = world.roles_by_user("research");
    assert_eq!(granted.get(&world.user_id("alice")), world.role_id("Other reader").as_ref());
}
