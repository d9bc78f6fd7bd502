//! Contract 2.1 (gap): the form of permissions, and the answers that show them.

use rolewright_simulators::zenml::switches::{PermissionForm, PermissionsShown};
use serde_json::json;

use crate::client::{illegal, zenml, zenml_with};

#[tokio::test]
async fn permissions_are_not_shown_unless_switched_on() {
    let zenml = zenml().await;
    let role = zenml.new_role("workspace", "Reader").await;
    let single = async || zenml.get(&format!("/roles/{role}")).await.body["permissions"].clone();
    let listed =
        async || zenml.get("/organizations/acme/roles?name=Reader").await.body[0]["permissions"].clone();
    assert!(single().await.is_null() && listed().await.is_null());
    let shown = json!([{"resource": "pipeline", "actions": ["read"]}]);
    zenml.switch(|switches| switches.permissions_shown = PermissionsShown::OnSingleRoles);
    assert_eq!(single().await, shown);
    assert!(listed().await.is_null());
    zenml.switch(|switches| switches.permissions_shown = PermissionsShown::Always);
    assert_eq!(listed().await, shown);
}

#[tokio::test]
async fn permissions_are_grouped_or_in_pairs() {
    let zenml = zenml_with(|switches| switches.permissions_shown = PermissionsShown::Always).await;
    let grouped = json!([
        {"resource": "model", "actions": ["read", "create"]},
        {"resource": "model", "actions": ["read", "update"]},
    ]);
    let pairs = json!([{"resource": "model", "action": "read"}, {"resource": "model", "action": "update"}]);
    let mut body = zenml.role_body("project", "r");
    body["permissions"] = pairs.clone();
    assert_eq!(zenml.post("/roles", body.clone()).await.invalid(), json!(["body", "permissions"]));
    body["permissions"] = grouped.clone();
    let created = zenml.post("/roles", body.clone()).await;
    assert_eq!(
        created.body["permissions"],
        json!([{"resource": "model", "actions": ["create", "read", "update"]}])
    );

    zenml.switch(|switches| switches.permission_form = PermissionForm::Pairs);
    assert_eq!(zenml.post("/roles", body.clone()).await.invalid(), json!(["body", "permissions"]));
    body["permissions"] = pairs.clone();
    assert_eq!(zenml.post("/roles", body).await.body["permissions"], pairs);
}

#[tokio::test]
async fn an_update_replaces_or_keeps_the_permissions() {
    let zenml = zenml_with(|switches| switches.permissions_shown = PermissionsShown::Always).await;
    let path = format!("/roles/{}", zenml.new_role("workspace", "r").await);
    let updated = json!([{"resource": "stack", "actions": ["delete"]}]);
    assert_eq!(zenml.patch(&path, json!({"permissions": updated})).await.body["permissions"], updated);
    assert_eq!(zenml.patch(&path, json!({"name": "s"})).await.body["permissions"], updated);
    assert_eq!(zenml.patch(&path, json!({"permissions": []})).await.exception(), illegal());
    zenml.switch(|switches| switches.update_requires_permissions = true);
    assert_eq!(zenml.patch(&path, json!({"name": "t"})).await.exception(), illegal());
    assert_eq!(zenml.get(&path).await.text("name"), "s");
}

#[tokio::test]
async fn unknown_words_are_refused_unless_switched() {
    let zenml = zenml().await;
    let create = async |resource: &str, action: &str| {
        let mut body = zenml.role_body("workspace", "r");
        body["permissions"] = json!([{"resource": resource, "actions": [action]}]);
        zenml.post("/roles", body).await
    };
    for (resource, action) in [("rocket", "read"), ("pipeline", "launch")] {
        assert_eq!(create(resource, action).await.invalid(), json!(["body", "permissions"]));
    }
    zenml.switch(|switches| {
        switches.extra_resources.insert("rocket".into());
        switches.extra_actions.insert("launch".into());
    });
    assert_eq!(create("rocket", "launch").await.status, 200);
    assert_eq!(create("moon", "launch").await.status, 422);
    zenml.switch(|switches| switches.permission_validation = false);
    assert_eq!(create("moon", "visit").await.status, 200);
    for invalid in [json!("all"), json!(["pipeline:read"]), json!([{"actions": ["read"]}])] {
        let mut body = zenml.role_body("workspace", "r");
        body["permissions"] = invalid;
        assert_eq!(zenml.post("/roles", body).await.status, 422);
    }
}

#[tokio::test]
async fn lists_filter_by_permissions_that_they_do_not_show() {
    let zenml = zenml().await;
    let custom = async |query: &str| zenml.roles(&format!("?system_managed=false{query}")).await;
    zenml.new_role("workspace", "Reader").await;
    assert_eq!(custom("&resource=pipeline").await, ["Reader"]);
    assert_eq!(custom("&resource=pipeline&action=delete").await, [""; 0]);
    assert_eq!(custom("&action=read").await.len(), 5);
}
