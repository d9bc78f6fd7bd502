//! A wrong name or value in a spec: the message names its field with its index, and the nearest existing one.

use serde_json::{Value, json};

use crate::support::{World, binding, grafana, lenses, role, zenml};

const READ: &str = "PROJECT_READ";

/// One rule with one action on one resource.
fn rule(action: &str, resource: &str) -> Value {
    json!({ "rules": [{ "actions": [action], "resources": [resource] }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_names_are_reported_with_field_and_nearest_name() {
    let world = World::new("did-you-mean").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;

    let users = ["alice@example.com", "carol@example.com", "bbo@example.com"];
    world.apply(binding("users", "reader", &users, json!({}))).await;
    let words = r#"spec.subjects[2]: no user "bbo@example.com"; did you mean "bob@example.com"?"#;
    world.reports("RoleBinding", "users", "NotFound", &[words]).await;

    let place = json!({ "scope": { "space": "reserach" } });
    world.apply(binding("spaces", "reader", &users[..1], place)).await;
    let words = r#"spec.scope.space: no space "reserach"; did you mean "research"?"#;
    world.reports("RoleBinding", "spaces", "NotFound", &[words]).await;

    let external = json!({ "roleRef": { "external": { "name": "Legacy reveiwer" } } });
    world.apply(binding("external", "", &users[..1], external)).await;
    let words = r#"spec.roleRef.external.name: no role "Legacy reveiwer"; did you mean "Legacy reviewer"?"#;
    world.reports("RoleBinding", "external", "NotFound", &[words]).await;

    world.apply(binding("roles", "raeder", &users[..1], json!({}))).await;
    let words = r#"spec.roleRef.name: waits for Role raeder, which does not exist; did you mean "reader"?"#;
    world.reports("RoleBinding", "roles", "DependencyNotReady", &[words]).await;

    world.apply(role("elsewhere", &[READ], json!({ "backendRef": { "name": "arzie" } }))).await;
    let words = r#"spec.backendRef.name: there is no Backend arzie in this namespace; did you mean "arize"?"#;
    world.reports("Role", "elsewhere", "BackendNotReady", &[words]).await;

    world.apply(role("action", &[READ, "PROJECT_REED"], json!({}))).await;
    let words =
        r#"spec.rules[0].actions[1]: Arize AX has no action "PROJECT_REED"; did you mean "PROJECT_READ"?"#;
    world.reports("Role", "action", "Invalid", &[words]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grafana_action_and_user_are_suggested() {
    let world = World::grafana("grafana-did-you-mean").await;
    world.apply(grafana::role("odd", rule("report:read", "reports:*"))).await;
    let words =
        r#"spec.rules[0].actions[0]: Grafana has no action "report:read"; did you mean "reports:read"?"#;
    world.reports("Role", "odd", "Invalid", &[words]).await;
    world.apply(grafana::role("reader", json!({}))).await;
    let alise = [("User", "alice@example.com"), ("User", "alise@example.com")];
    world.apply(grafana::binding("readers", "reader", &alise[1..], json!({}))).await;
    let words = r#"spec.subjects[0]: no user "alise@example.com"; did you mean "alice@example.com"?"#;
    world.reports("RoleBinding", "readers", "NotFound", &[words]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zenml_action_workspace_and_user_are_suggested() {
    let world = World::zenml("zenml-did-you-mean").await;
    world.apply(zenml::role("odd", rule("raed", "pipelines"))).await;
    let words = [
        r#"spec.rules[0].actions[0]: the action "raed" is not known; did you mean "read"?"#,
        r#"spec.rules[0].resources[0]: the resource "pipelines" is not known; did you mean "pipeline"?"#,
    ];
    world.reports("Role", "odd", "Invalid", &words).await;
    world.apply(zenml::role("reader", json!({}))).await;
    let place = json!({ "scope": { "workspace": "prodution" } });
    world.apply(zenml::binding("readers", "reader", &[("User", "alise@example.com")], place)).await;
    let words = r#"spec.scope.workspace: no workspace "prodution"; did you mean "production"?"#;
    world.reports("RoleBinding", "readers", "NotFound", &[words]).await;
    world.apply(zenml::binding("users", "reader", &[("User", "alise@example.com")], json!({}))).await;
    let words = [
        r#"spec.subjects[0]: cannot find the user "alise@example.com""#,
        r#"did you mean "alice@example.com"?"#,
    ];
    world.reports("RoleBinding", "users", "NotFound", &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lenses_action_and_group_are_suggested() {
    let world = World::lenses("lenses-did-you-mean").await;
    world.apply(lenses::role("odd", rule("kafka:ListTopic", "kafka:topic:*"))).await;
    let words = r#"spec.rules[0].actions[0]: Lenses HQ has no action "kafka:ListTopic"; did you mean "kafka:ListTopics"?"#;
    world.reports("Role", "odd", "Invalid", &[words]).await;
    // As the identity provider names the group.
    world.sim.edit(|tenant| tenant.groups.get_mut("sre").unwrap().sso_name = "Platform Engineers".to_owned());
    world.apply(lenses::role("reader", json!({}))).await;
    world.apply(lenses::binding("teams", "reader", &[("Group", "Platform Engineers")], json!({}))).await;
    let words = r#"spec.subjects[0]: no group "Platform Engineers"; did you mean "sre"?"#;
    world.reports("RoleBinding", "teams", "NotFound", &[words]).await;
}
