//! The main job on Lenses HQ: roles, the roles of groups, and the groups that Rolewright creates for bindings.

use rolewright_simulators::lenses::{
    self, Lenses, Options,
    policy::{Effect, Statement},
    principals::Principal,
    switches::PolicyEcho,
};
use serde_json::json;

use crate::support::{
    ADMIN_CREDENTIAL, World,
    lenses::{GROUPS, MEMBERS, backend, binding, role},
    managed_ids, subject_status,
};

const OBJECTS: [(&str, &str); 3] = [("Role", "reader"), ("RoleBinding", "teams"), ("RoleBinding", "readers")];

/// A world in which the role `reader` is granted to members and to groups.
async fn with_readers(name: &str) -> World<Lenses> {
    let world = World::lenses(name).await;
    world
        .apply_all(&[
            role("reader", json!({})),
            binding("readers", "reader", &MEMBERS, json!({})),
            binding("teams", "reader", &GROUPS, json!({})),
        ])
        .await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_appear_in_the_account_and_are_deleted_with_yaml() {
    let world = World::lenses("lenses-main").await;
    let before = world.access();
    // The bindings wait for their role.
    world.apply(binding("readers", "reader", &MEMBERS, json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.apply(role("reader", json!({ "displayName": "Reader", "description": "Reads" }))).await;
    let role_ids = managed_ids(&world.ready("Role", "reader").await);
    let role_id = world.sim.edit(|tenant| tenant.roles.get("reader").unwrap().id.clone());
    assert_eq!(role_ids, [format!("reader#{role_id}")]);
    let teams = world.ready("RoleBinding", "teams").await;
    let ids = ["newcomers", "sre"].map(|group| {
        let id = world.sim.edit(|tenant| tenant.groups.get(group).unwrap().id.clone());
        format!("group:{group}#{id}/reader")
    });
    assert_eq!(managed_ids(&teams), ids);
    assert_eq!(world.roles_of("sre"), ["reader", "topic-reader"].map(str::to_owned).into());
    let readers = world.ready("RoleBinding", "readers").await;
    let group = world.owned_group("readers").unwrap();
    assert_eq!(managed_ids(&readers), [format!("{}#{}", group.name, group.id)]);
    assert_eq!(world.members(&group.name), ["alice@example.com", "peggy", "nightly-reports"]);
    assert_eq!(group.roles, ["reader".to_owned()].into());

    world.apply(binding("readers", "reader", &MEMBERS[1..], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.members(&group.name), ["peggy", "nightly-reports"]);

    world.delete_all(&OBJECTS).await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn steady_state_writes_nothing() {
    let world = with_readers("lenses-steady").await;
    world.full_sweep().await;
    let (versions, checkpoint) = (world.resource_versions().await, world.checkpoint());
    world.full_sweep().await;
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions);
    world.assert_unchanged(&checkpoint, "sweeps in steady state");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_policy_is_one_patch_that_replaces_it() {
    for echo in [PolicyEcho::AsSent, PolicyEcho::Arrays, PolicyEcho::Scalars] {
        let world =
            World::lenses_with("lenses-patch", json!({}), |switches| switches.policy_echo = echo).await;
        world.apply(role("reader", json!({}))).await;
        world.ready("Role", "reader").await;
        world.sim.edit(|tenant| {
            let role = tenant.roles.get_mut("reader").unwrap();
            role.metadata.insert("team".to_owned(), "data".to_owned());
        });
        let since = world.log_position();
        let rules = json!([
            { "actions": ["kafka:ListTopics", "kafka:GetTopicDetails"], "resources": ["kafka:topic:*"] },
            { "effect": "Deny", "actions": ["kafka:*"], "resources": ["kafka:topic:production/*"] },
        ]);
        world.apply(role("reader", json!({ "rules": rules }))).await;
        world.ready("Role", "reader").await;
        assert_eq!(world.writes_since(since), ["PATCH /api/v1/roles/reader"]);
        let metadata = world.sim.edit(|tenant| tenant.roles.get("reader").unwrap().metadata.clone());
        assert_eq!(metadata.get("team").map(String::as_str), Some("data"));
        assert_eq!(metadata.len(), 2);
        let policy = world.sim.edit(|tenant| tenant.roles.get("reader").unwrap().policy.len());
        assert_eq!(policy, 2, "{}", world.policy("reader"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_of_a_policy_is_corrected() {
    let world = World::lenses("lenses-drift").await;
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    world.full_sweep().await;
    let policy = world.policy("reader");
    // The list does not show policies, so it stays the same.
    world.replace_policy("reader");
    let note = world.event("reader", "DriftCorrected").await;
    assert!(note.contains("+ kafka:ListTopics on kafka:topic:*"), "{note}");
    world.ready("Role", "reader").await;
    assert_eq!(world.policy("reader"), policy);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_of_groups_is_corrected_and_roles_of_others_stay() {
    let world = with_readers("lenses-groups").await;
    let group = world.owned_group("readers").unwrap().name;
    world.full_sweep().await;
    world.sim.edit(|tenant| {
        let owned = tenant.groups.get_mut(&group).unwrap();
        owned.members.remove(&Principal::user("peggy"));
        owned.members.insert(Principal::user("joann@example.com"));
        owned.roles.insert("administrator".to_owned());
        let sre = tenant.groups.get_mut("sre").unwrap();
        sre.roles = ["topic-reader-eu".to_owned()].into();
    });
    let note = world.event("readers", "DriftCorrected").await;
    assert!(note.contains("- joann@example.com") && note.contains("+ peggy"), "{note}");
    world.event("teams", "DriftCorrected").await;
    world.all_ready(&OBJECTS).await;
    assert_eq!(world.members(&group), ["alice@example.com", "peggy", "nightly-reports"]);
    assert_eq!(world.roles_of(&group), ["reader".to_owned()].into());
    assert_eq!(world.roles_of("sre"), ["reader", "topic-reader-eu"].map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn role_and_group_deleted_by_hand_are_created_again() {
    let world = World::lenses("lenses-again").await;
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &MEMBERS, json!({}))]).await;
    world.full_sweep().await;
    let group = world.owned_group("readers").unwrap().name;
    world.sim.edit(|tenant| {
        tenant.groups.remove(&group);
        tenant.roles.remove("reader");
    });
    world
        .until_account("both exist again", |tenant| {
            tenant.groups.contains(&group) && tenant.roles.contains("reader")
        })
        .await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.members(&group).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_another_account_is_invalid() {
    let world = World::lenses_with("lenses-another", json!({ "serviceAccount": "nobody" }), |_| {}).await;
    world.reports("Backend", "lenses", "Invalid", &["spec.lenses.serviceAccount", "\"nobody\""]).await;
    world.sim.edit(|tenant| {
        let account = tenant.service_accounts.get_mut("nightly-reports").unwrap();
        account.last_seen_at = Some(jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24));
    });
    world.apply(backend(&world.sim.url(), json!({ "serviceAccount": "nightly-reports" }))).await;
    world.reports("Backend", "lenses", "Invalid", &["nightly-reports", "another account's"]).await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.ready("Backend", "lenses").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_member_is_changed_with_at_most_three_calls() {
    let world = with_readers("lenses-member").await;
    world.full_sweep().await;
    for (members, write) in [
        (&MEMBERS[1..], "PATCH /api/v1/groups/"),
        (&MEMBERS[1..2], "PUT /api/v1/service-accounts/nightly-reports/groups"),
    ] {
        let since = world.log_position();
        world.apply(binding("readers", "reader", members, json!({}))).await;
        world.ready("RoleBinding", "readers").await;
        let group = world.owned_group("readers").unwrap().name;
        let writes = world.writes_since(since);
        assert!(writes.len() == 1 && writes[0].starts_with(write), "{writes:?}");
        let own = format!("/api/v1/groups/{group}");
        let sweeps = world.requests_since(since).iter().filter(|it| it.path == "/api/v1/groups").count();
        let about_it =
            world.requests_since(since).iter().filter(|it| it.path == own || it.is_write()).count();
        assert!(about_it <= 3 + sweeps, "{about_it} calls, {sweeps} sweeps");
        assert_eq!(world.members(&group), members.iter().map(|(_, name)| *name).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn action_that_hq_renamed_does_not_stop_corrections() {
    let mut world = World::lenses("lenses-renamed-action").await;
    let rules =
        json!([{ "actions": ["kafka:ListTopics", "kafka:GetTopicDetails"], "resources": ["kafka:topic:*"] }]);
    world.apply(role("reader", json!({ "rules": rules }))).await;
    world.ready("Role", "reader").await;
    // An upgrade of HQ renames the action, and the operator starts again.
    world.set_switches(|switches| switches.missing_actions = ["kafka:GetTopicDetails".to_owned()].into());
    world.restart();
    let policy = world.policy("reader");
    world.sim.edit(|tenant| {
        let role = tenant.roles.get_mut("reader").unwrap();
        role.policy.push(Statement::new(Effect::Allow, &["kafka:*"], &["*"]));
    });
    world.event("reader", "DriftCorrected").await;
    world.ready("Role", "reader").await;
    assert_eq!(world.policy("reader"), policy);
    // A rule can be taken away too.
    world
        .apply(role(
            "reader",
            json!({ "rules": [{ "actions": ["kafka:GetTopicDetails"], "resources": ["kafka:topic:*"] }] }),
        ))
        .await;
    world.ready("Role", "reader").await;
    assert!(!world.policy("reader").to_string().contains("ListTopics"));
}

#[tokio::test(flavor = "multi_thread")]
async fn path_prefix_works_and_an_expired_token_is_denied() {
    let options = Options { prefix: "/lenses".to_owned(), ..Options::new(ADMIN_CREDENTIAL) };
    let world = World::unconnected("lenses-path", options).await;
    world.apply_secret(ADMIN_CREDENTIAL).await;
    let url = format!("{}/lenses/", world.sim.url().trim_end_matches('/').trim_end_matches("/lenses"));
    world.apply(backend(&url, json!({ "serviceAccount": "rolewright" }))).await;
    let ready = world.ready("Backend", "lenses").await;
    let identity = ready.data["status"]["identity"].as_str().unwrap().to_owned();
    assert!(identity.contains("rolewright"), "{identity}");
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    world.sim.world().credentials.expire(lenses::ADMIN).unwrap();
    world.reports("Backend", "lenses", "Denied", &[]).await;
    assert!(world.has_role("reader"));
}

#[tokio::test(flavor = "multi_thread")]
async fn identical_role_is_adopted_and_a_different_one_on_request() {
    let world = World::lenses("lenses-adopt").await;
    let rules = json!([{ "actions": ["audit:List*", "audit:Get*"], "resources": ["*"] }]);
    let auditor = json!({ "displayName": "Legacy auditor", "rules": rules });
    world.apply(role("legacy-auditor", auditor)).await;
    let ready = world.ready("Role", "legacy-auditor").await;
    assert_eq!(ready.data["status"]["held"][0]["origin"], "Adopted");
    world.apply(role("developer", json!({}))).await;
    world.reports("Role", "developer", "Conflict", &[]).await;
    let since = world.log_position();
    world.apply(role("developer", json!({ "adopt": "Always" }))).await;
    world.ready("Role", "developer").await;
    assert_eq!(world.writes_since(since), ["PATCH /api/v1/roles/developer"]);
    // The seeded group already has the role, so the binding writes nothing.
    let since = world.log_position();
    world.apply(binding("platform", "developer", &[("Group", "data-platform")], json!({}))).await;
    world.ready("RoleBinding", "platform").await;
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_bindings_to_one_group_lose_no_role() {
    let world = World::lenses("lenses-race").await;
    for n in 0..8 {
        world.apply(role(&format!("reader-{n}"), json!({}))).await;
        world.apply(binding(&format!("b-{n}"), &format!("reader-{n}"), &[("Group", "sre")], json!({}))).await;
    }
    for n in 0..8 {
        world.ready("RoleBinding", &format!("b-{n}")).await;
    }
    assert_eq!(world.roles_of("sre").len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_specs_are_reported_with_a_fix() {
    let world = World::lenses("lenses-invalid").await;
    let rule =
        |action: &str, resource: &str| json!({ "rules": [{ "actions": [action], "resources": [resource] }] });
    for (more, words) in [
        (json!({ "name": "Has.Dots" }), "small letters"),
        (json!({ "rules": [{ "actions": ["kafka:ListTopics"] }] }), "resource"),
        (rule("kafka:LaunchRockets", "*"), "kafka:ListTopics"),
        (rule("kafka:ListTopics", "kafka:topics:*"), "kafka:topic"),
    ] {
        world.apply(role("faulty", more)).await;
        world.reports("Role", "faulty", "Invalid", &[words]).await;
    }
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    world.apply(role("reader", json!({ "name": "another" }))).await;
    world.reports("Role", "reader", "Invalid", &[]).await;
    world.apply(role("writer", json!({}))).await;
    world.apply(binding("mixed", "writer", &[("Group", "sre"), ("User", "peggy")], json!({}))).await;
    world.reports("RoleBinding", "mixed", "Invalid", &[]).await;
    // The message names the group that the identity provider calls so.
    let called = world.sim.edit(|tenant| tenant.groups.get("data-platform").unwrap().sso_name.clone());
    world.apply(binding("called", "writer", &[("Group", &called)], json!({}))).await;
    world.reports("RoleBinding", "called", "NotFound", &["data-platform"]).await;
    let subjects = [("User", "peggy"), ("User", "nobody@example.com")];
    world.apply(binding("nobody", "writer", &subjects, json!({}))).await;
    let object = world.reports("RoleBinding", "nobody", "NotFound", &[]).await;
    assert_eq!(subject_status(&object, "nobody@example.com").0, "NotFound");
    let group = world.owned_group("nobody").unwrap();
    assert_eq!(world.members(&group.name), ["peggy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_service_as_resource_is_in_sync_with_a_warning() {
    let world = World::lenses("lenses-wide").await;
    let rules = json!([{ "actions": ["kafka:*"], "resources": ["kafka:*"] }]);
    world.apply(role("wide", json!({ "rules": rules }))).await;
    world.reports("Role", "wide", "InSync", &["6.2.8"]).await;
    world.full_sweep().await;
    let versions = world.resource_versions().await;
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_from_single_sign_on_are_left_alone() {
    let world = World::lenses_with("lenses-sso", json!({ "membership": "Sso" }), |_| {}).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &MEMBERS, json!({}))).await;
    let words = &["spec.subjects[2]", "service account never logs in"];
    let object = world.reports("RoleBinding", "readers", "Invalid", words).await;
    assert_eq!(subject_status(&object, "alice@example.com").0, "Pending", "the identity provider decides");
    world.apply(binding("readers", "reader", &[MEMBERS[0], ("User", "alise@example.com")], json!({}))).await;
    world.reports("RoleBinding", "readers", "NotFound", &["alice@example.com"]).await;
    world.apply(binding("readers", "reader", &MEMBERS[..2], json!({}))).await;
    world.reports("RoleBinding", "readers", "InSync", &["single sign-on"]).await;
    let group = world.owned_group("readers").unwrap();
    assert!(group.members.is_empty());
    world.sim.edit(|tenant| {
        tenant.groups.get_mut(&group.name).unwrap().members.insert(Principal::user("joann@example.com"));
    });
    let since = world.log_position();
    world.full_sweep().await;
    world.assert_no_writes_after_sweep(since).await;
    assert_eq!(world.members(&group.name), ["joann@example.com"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn restriction_is_unsupported_and_the_message_names_deny() {
    let world = World::lenses("lenses-restriction").await;
    world
        .apply(json!({
            "apiVersion": "rolewright.dev/v1alpha1",
            "kind": "ResourceRestriction",
            "metadata": { "name": "closed" },
            "spec": { "backendRef": { "name": "lenses" }, "resource": { "id": "x" } },
        }))
        .await;
    world.reports("ResourceRestriction", "closed", "Unsupported", &["Deny"]).await;
}
