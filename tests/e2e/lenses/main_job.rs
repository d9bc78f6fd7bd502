//! The main job on Lenses HQ: roles, the groups that have them, and the groups that bindings own.

use kube::api::DynamicObject;
use rolewright_simulators::lenses::{
    principals::Principal,
    switches::{MetadataPatch, PolicyEcho},
};
use serde_json::json;

use crate::support::{
    World, held_ids,
    lenses::{backend, binding, role},
    ready_condition, subject,
};

const PEOPLE: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("User", "peggy"), ("ServiceAccount", "nightly-reports")];
const GROUPS: [(&str, &str); 2] = [("Group", "sre"), ("Group", "newcomers")];

/// Whether an object has this reason, and its message these words.
fn said(object: &DynamicObject, reason: &str, words: &str) -> bool {
    let ready = ready_condition(object);
    ready["reason"] == reason && ready["message"].as_str().is_some_and(|message| message.contains(words))
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_their_holders_come_to_be_in_lenses_and_go_with_their_yaml() {
    let world = World::lenses("lh-life").await;
    let before = world.access();
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.apply(role("reader", json!({ "displayName": "Reader", "description": "Reads" }))).await;
    let held = held_ids(&world.ready("Role", "reader").await);
    let made = world.sim.edit(|tenant| tenant.roles.get("reader").unwrap().id.clone());
    assert_eq!(held, [format!("reader#{made}")]);
    let teams = world.ready("RoleBinding", "teams").await;
    let ids = ["newcomers", "sre"].map(|group| {
        let made = world.sim.edit(|tenant| tenant.groups.get(group).unwrap().id.clone());
        format!("group:{group}#{made}/reader")
    });
    assert_eq!(held_ids(&teams), ids);
    assert_eq!(world.roles_of("sre"), ["reader", "topic-reader"].map(str::to_owned).into());
    let readers = world.ready("RoleBinding", "readers").await;
    let owned = world.owned("readers").unwrap();
    assert_eq!(held_ids(&readers), [format!("{}#{}", owned.name, owned.id)]);
    assert_eq!(world.members(&owned.name), ["alice@example.com", "peggy", "nightly-reports"]);
    assert_eq!(owned.roles, ["reader".to_owned()].into());
    assert_ne!(owned.sso_name, owned.name, "no identity provider sends this");

    world.apply(binding("readers", "reader", &PEOPLE[1..], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.members(&owned.name), ["peggy", "nightly-reports"]);

    world.each_deleted(&[("Role", "reader"), ("RoleBinding", "teams"), ("RoleBinding", "readers")]).await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_steady_state_writes_nothing_anywhere() {
    let world = World::lenses("lh-steady").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("RoleBinding", "teams").await;
    world.swept().await;
    let (versions, access, since) = (world.versions().await, world.access(), world.now());
    world.swept().await;
    world.swept().await;
    assert_eq!((world.versions().await, world.access()), (versions, access));
    assert_eq!(world.writes_since(since), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_policy_is_one_patch_and_nothing_is_ever_appended() {
    for (echo, merge) in [
        (PolicyEcho::AsSent, MetadataPatch::Replace),
        (PolicyEcho::Arrays, MetadataPatch::Merge),
        (PolicyEcho::Scalars, MetadataPatch::Merge),
    ] {
        let world = World::lenses_with("lh-patch", json!({}), |switches| {
            (switches.policy_echo, switches.metadata_patch) = (echo, merge);
        })
        .await;
        world.apply(role("reader", json!({}))).await;
        world.ready("Role", "reader").await;
        world.sim.edit(|tenant| {
            let role = tenant.roles.get_mut("reader").unwrap();
            role.metadata.insert("team".to_owned(), "data".to_owned());
        });
        let since = world.now();
        let rules = json!([
            { "actions": ["kafka:ListTopics", "kafka:GetTopicDetails"], "resources": ["kafka:topic:*"] },
            { "effect": "Deny", "actions": ["kafka:*"], "resources": ["kafka:topic:production/*"] },
        ]);
        world.apply(role("reader", json!({ "rules": rules }))).await;
        world.ready("Role", "reader").await;
        assert_eq!(world.writes_since(since), ["PATCH /api/v1/roles/reader"]);
        let kept = world.sim.edit(|tenant| tenant.roles.get("reader").unwrap().metadata.clone());
        assert_eq!(kept.get("team").map(String::as_str), Some("data"));
        assert_eq!(kept.len(), 2);
        let policy = world.sim.edit(|tenant| tenant.roles.get("reader").unwrap().policy.len());
        assert_eq!(policy, 2, "{}", world.policy("reader"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_in_a_policy_is_found_even_where_the_list_shows_the_same_and_put_back() {
    let world = World::lenses("lh-drift").await;
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    world.swept().await;
    let policy = world.policy("reader");
    world.sim.edit(|tenant| {
        let developer = tenant.roles.get("developer").unwrap().policy.clone();
        tenant.roles.get_mut("reader").unwrap().policy = developer;
    });
    let note = world.event("reader", "DriftCorrected").await;
    assert!(note.contains("+ kafka:ListTopics on kafka:topic:*"), "{note}");
    world.ready("Role", "reader").await;
    assert_eq!(world.policy("reader"), policy);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_or_added_by_hand_is_put_right_and_what_is_nobodys_stays() {
    let world = World::lenses("lh-hand").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("RoleBinding", "teams").await;
    let owned = world.owned("readers").unwrap().name;
    world.swept().await;
    world.sim.edit(|tenant| {
        let group = tenant.groups.get_mut(&owned).unwrap();
        group.members.remove(&Principal::user("peggy"));
        group.members.insert(Principal::user("joann@example.com"));
        group.roles.insert("administrator".to_owned());
        let sre = tenant.groups.get_mut("sre").unwrap();
        sre.roles = ["topic-reader-eu".to_owned()].into();
    });
    let note = world.event("readers", "DriftCorrected").await;
    assert!(note.contains("- joann@example.com") && note.contains("+ peggy"), "{note}");
    world.event("teams", "DriftCorrected").await;
    world.ready("RoleBinding", "readers").await;
    world.ready("RoleBinding", "teams").await;
    assert_eq!(world.members(&owned), ["alice@example.com", "peggy", "nightly-reports"]);
    assert_eq!(world.roles_of(&owned), ["reader".to_owned()].into());
    assert_eq!(world.roles_of("sre"), ["reader", "topic-reader-eu"].map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_removed_by_hand_is_made_again() {
    let world = World::lenses("lh-again").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let owned = world.owned("readers").unwrap().name;
    world.sim.edit(|tenant| {
        tenant.groups.remove(&owned);
        tenant.roles.remove("reader");
    });
    world
        .account("both are there again", |tenant| {
            tenant.groups.contains(&owned) && tenant.roles.contains("reader")
        })
        .await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.members(&owned).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_says_whose_the_token_is_nothing_is_taken_to_be_gone_and_no_role_is_deleted() {
    let world = World::lenses_with("lh-unnamed", json!({ "serviceAccount": null }), |_| {}).await;
    for name in ["reader", "writer"] {
        world.apply(role(name, json!({}))).await;
        world.ready("Role", name).await;
    }
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let ready = world.ready("Backend", "lenses").await;
    assert!(ready.data["status"]["identity"].as_str().unwrap().contains("spec.lenses.serviceAccount"));
    world.swept().await;
    world.sim.edit(|tenant| {
        tenant.roles.remove("writer");
    });
    let since = world.now();
    let unseen = |object: &DynamicObject| said(object, "Denied", "is not visible");
    world.until("Role", "writer", "neither there nor gone", unseen).await;
    world.swept().await;
    assert_eq!(world.writes_since(since), [""; 0]);
    world.delete("RoleBinding", "readers").await;
    world.gone("RoleBinding", "readers").await;
    world.delete("Role", "reader").await;
    let told = world.reason("Role", "reader", "DeletionBlocked").await;
    assert!(told.contains("spec.lenses.serviceAccount"), "{told}");
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.ready("Role", "writer").await;
    // A change of the Backend tries again what had failed.
    world.gone("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_role_is_taken_over_when_it_is_the_same_and_else_only_when_asked_for() {
    let world = World::lenses("lh-adopt").await;
    let rules = json!([{ "actions": ["audit:List*", "audit:Get*"], "resources": ["*"] }]);
    let auditor = json!({ "displayName": "Legacy auditor", "rules": rules });
    world.apply(role("legacy-auditor", auditor)).await;
    let held = world.ready("Role", "legacy-auditor").await;
    assert_eq!(held.data["status"]["held"][0]["origin"], "Adopted");
    world.apply(role("developer", json!({}))).await;
    world.reason("Role", "developer", "Conflict").await;
    let since = world.now();
    world.apply(role("developer", json!({ "adopt": "Always" }))).await;
    world.ready("Role", "developer").await;
    assert_eq!(world.writes_since(since), ["PATCH /api/v1/roles/developer"]);
    // A role's place in a group that is there is the very same: nothing is written.
    let since = world.now();
    world.apply(binding("platform", "developer", &[("Group", "data-platform")], json!({}))).await;
    world.ready("RoleBinding", "platform").await;
    assert_eq!(world.writes_since(since), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bindings_that_give_roles_to_one_group_at_one_time_lose_nothing() {
    let world = World::lenses("lh-race").await;
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
async fn what_cannot_be_is_told_with_what_to_write() {
    let world = World::lenses("lh-invalid").await;
    let cases = [
        (json!({ "name": "Has.Dots" }), "small letters"),
        (json!({ "rules": [{ "actions": ["kafka:ListTopics"] }] }), "resource"),
        (
            json!({ "rules": [{ "actions": ["kafka:LaunchRockets"], "resources": ["*"] }] }),
            "kafka:ListTopics",
        ),
        (
            json!({ "rules": [{ "actions": ["kafka:ListTopics"], "resources": ["kafka:topics:*"] }] }),
            "kafka:topic",
        ),
    ];
    for (more, told) in cases {
        world.apply(role("faulty", more)).await;
        world.until("Role", "faulty", told, |object| said(object, "Invalid", told)).await;
    }
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    world.apply(role("reader", json!({ "name": "another" }))).await;
    world.reason("Role", "reader", "Invalid").await;
    world.apply(role("writer", json!({}))).await;
    world.apply(binding("mixed", "writer", &[("Group", "sre"), ("User", "peggy")], json!({}))).await;
    world.reason("RoleBinding", "mixed", "Invalid").await;
    world
        .apply(binding("nobody", "writer", &[("User", "peggy"), ("User", "nobody@example.com")], json!({})))
        .await;
    world.reason("RoleBinding", "nobody", "NotFound").await;
    let object = world.get("RoleBinding", "nobody").await;
    assert_eq!(subject(&object, "nobody@example.com").0, "NotFound");
    let owned = world.owned("nobody").unwrap();
    assert_eq!(world.members(&owned.name), ["peggy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_service_as_a_resource_is_in_sync_with_a_word_of_warning() {
    let world = World::lenses("lh-wide").await;
    let rules = json!([{ "actions": ["kafka:*"], "resources": ["kafka:*"] }]);
    world.apply(role("wide", json!({ "rules": rules }))).await;
    world.until("Role", "wide", "in sync with a warning", |object| said(object, "InSync", "6.2.8")).await;
    world.swept().await;
    let versions = world.versions().await;
    world.swept().await;
    assert_eq!(world.versions().await, versions);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_single_sign_on_has_are_left_alone() {
    let world = World::lenses_with("lh-sso", json!({ "membership": "Sso" }), |_| {}).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    let remarked = |object: &DynamicObject| said(object, "InSync", "single sign-on");
    world.until("RoleBinding", "readers", "in sync with a remark", remarked).await;
    let owned = world.owned("readers").unwrap();
    assert!(owned.members.is_empty());
    world.sim.edit(|tenant| {
        tenant.groups.get_mut(&owned.name).unwrap().members.insert(Principal::user("joann@example.com"));
    });
    let since = world.now();
    world.swept().await;
    world.swept().await;
    assert_eq!(world.members(&owned.name), ["joann@example.com"]);
    assert_eq!(world.writes_since(since), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn restrictions_are_refused_with_a_word_on_what_does_their_job() {
    let world = World::lenses("lh-restrict").await;
    world
        .apply(json!({
            "apiVersion": "rolewright.dev/v1alpha1",
            "kind": "ResourceRestriction",
            "metadata": { "name": "closed" },
            "spec": { "backendRef": { "name": "lenses" }, "resource": { "id": "x" } },
        }))
        .await;
    let message = world.reason("ResourceRestriction", "closed", "Unsupported").await;
    assert!(message.contains("Deny"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_makes_no_sense_is_refused_with_what_to_write() {
    let world = World::lenses("lh-admit").await;
    let url = |url: &str, insecure: bool| {
        let mut object = backend(url, json!({ "allowInsecure": insecure }));
        object["metadata"]["name"] = json!("other");
        object
    };
    for (object, told) in [
        (url("http://hq.example.com", false), "allowInsecure"),
        (url("https://hq.example.com/api/v1", false), "without /api"),
        (url("https://hq.example.com?x=1", false), "url"),
        (backend("https://hq.example.com", json!({ "serviceAccount": "Not one" })), "serviceAccount"),
        (backend("https://hq.example.com", json!({ "membership": "Scim" })), "membership"),
    ] {
        let refused = world.try_apply(object).await.unwrap_err().to_string();
        assert!(refused.contains(told), "{refused}");
    }
    let mut two = url("https://hq.example.com", false);
    two["spec"]["grafana"] = json!({
        "url": "https://grafana.example.com",
        "credentials": { "tokenSecretRef": { "name": "x", "key": "y" } },
    });
    let refused = world.try_apply(two).await.unwrap_err().to_string();
    assert!(refused.contains("exactly one"), "{refused}");
}
