//! Objects that only Arize's rules can refuse: they name the field and the rule, and nothing is written.

use serde_json::json;

use crate::support::{World, binding, restriction, role};

const READ: &str = "PROJECT_READ";

#[tokio::test(flavor = "multi_thread")]
async fn role_that_arize_cannot_have_is_invalid() {
    let world = World::new("bad-role").await;
    let rules = |rule| json!({ "rules": [rule] });
    let resource = rules(json!({ "actions": [READ], "resources": ["project:1"] }));
    let deny = rules(json!({ "actions": [READ], "effect": "Deny" }));
    for (object, words) in [
        (role("star", &[READ], json!({ "name": "a*b" })), &["spec.name", "'*'"][..]),
        (role("umlaut", &[READ], json!({ "name": "größe" })), &["spec.name", "'ö'"]),
        (
            role("resources", &[], resource),
            &["spec.rules[0].resources[0]", "leave out the resource", "project:1"],
        ),
        (role("deny", &[], deny), &["spec.rules[0].actions[0]", "only allow"]),
        (
            role("spelling", &["project:read"], json!({})),
            &["spec.rules[0].actions[0]", r#"did you mean "PROJECT_READ"?"#],
        ),
    ] {
        world.apply_invalid(object, words).await;
    }
    world.assert_no_writes_after_sweep(0).await;

    world.apply(role("star", &[READ], json!({ "name": "a-b" }))).await;
    world.ready("Role", "star").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binding_on_an_unsupported_resource_is_invalid() {
    let world = World::new("bad-binding").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let since = world.log_position();
    let on = |name: &str, scope| binding(name, "reader", &["alice@example.com"], json!({ "scope": scope }));
    let organization = world.sim.edit(|tenant| tenant.organizations.iter().next().unwrap().id.to_string());
    let space = world.space_id("research").to_string();
    let churn = world.sim.edit(|tenant| {
        let research = tenant.space_by_name("research").unwrap();
        tenant.project_by_name(research, "churn").unwrap().to_string()
    });
    for (object, words) in [
        (on("nowhere", json!(null)), &["spec.scope", "write space or project"][..]),
        (
            on("organization", json!({ "id": organization })),
            &["spec.scope", "organization", "space, project"],
        ),
        (
            on("ambiguous", json!({ "space": "sandbox" })),
            &["spec.scope.space", "2 spaces are named \"sandbox\"", "ids"],
        ),
        (
            on("workspace", json!({ "workspace": "prod", "project": "churn" })),
            &["spec.scope.workspace", "arize has no workspace here", "write space or project"],
        ),
        (
            on("wrong-level", json!({ "project": space })),
            &["spec.scope.project", "is the id of a space, not of a project"],
        ),
        (
            on("wrong-parent", json!({ "space": "storefront", "project": churn })),
            &["spec.scope.project", "\"churn\" is in space research, not in storefront"],
        ),
        (
            restriction("space", "churn", json!({ "resource": { "id": space } })),
            &["spec.resource", "space", "project"],
        ),
    ] {
        world.apply_invalid(object, words).await;
    }
    world.assert_no_writes_after_sweep(since).await;
}
