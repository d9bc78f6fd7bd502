//! Contract 2.1, 3.1: roles.

use rolewright_simulators::zenml::switches::{ClientSystemManaged, RoleDeletion};
use serde_json::{Value, json};

use crate::client::{exists, illegal, missing, zenml, zenml_with};

#[tokio::test]
async fn a_role_is_created_read_updated_and_deleted_with_200() {
    let zenml = zenml().await;
    let mut body = zenml.role_body("workspace", "Reporter");
    body["description"] = "Reads pipelines".into();
    let created = zenml.post("/roles", body).await;
    assert_eq!(created.status, 200, "{}", created.body);
    let id = created.text("id");
    let expected = json!({
        "name": "Reporter",
        "description": "Reads pipelines",
        "id": id,
        "organization_id": zenml.organization(),
        "level": "workspace",
        "system_managed": false,
        "type": "normal",
    });
    assert_eq!(created.body, expected);
    let path = format!("/roles/{id}");
    assert_eq!(zenml.get(&path).await.body, expected);

    let renamed = zenml.patch(&path, json!({"name": "Reader", "level": "project"})).await;
    assert_eq!((renamed.status, renamed.text("name"), renamed.text("id")), (200, "Reader".into(), id));
    assert_eq!(
        (renamed.text("description"), renamed.text("level")),
        ("Reads pipelines".into(), "workspace".into())
    );

    let deleted = zenml.delete(&path).await;
    assert_eq!((deleted.status, deleted.raw.as_str()), (200, "null"));
    assert_eq!(deleted.headers["content-type"], "application/json");
    for answer in [zenml.get(&path).await, zenml.delete(&path).await, zenml.patch(&path, json!({})).await] {
        assert_eq!(answer.exception(), missing());
    }
}

#[tokio::test]
async fn only_organizations_have_role_lists() {
    let zenml = zenml().await;
    let answer = zenml.get("/roles").await;
    assert_eq!((answer.status, &answer.body["detail"]), (405, &json!("Method Not Allowed")));
}

#[tokio::test]
async fn every_organization_has_the_fourteen_predefined_roles() {
    let zenml = zenml().await;
    let all = zenml.get("/organizations/acme/roles?system_managed=True").await;
    let levels = all.each("level");
    let count = |level: &str| levels.iter().filter(|text| *text == level).count();
    assert_eq!([count("organization"), count("workspace"), count("project")], [5, 5, 4]);
    assert!(all.each("name").contains(&"Stack Admin".to_owned()));
}

#[tokio::test]
async fn fields_of_a_role_are_validated() {
    let zenml = zenml().await;
    let without = |field: &str| {
        let mut body = zenml.role_body("project", "r");
        body.as_object_mut().unwrap().remove(field);
        body
    };
    for field in ["organization_id", "level", "system_managed"] {
        assert_eq!(zenml.post("/roles", without(field)).await.invalid(), json!(["body", field]));
    }
    let cases = [
        ("name", json!("")),
        ("name", json!("x".repeat(51))),
        ("name", json!(7)),
        ("description", json!("")),
        ("description", json!("x".repeat(257))),
        ("level", json!("team")),
        ("type", json!("special")),
        ("organization_id", json!("acme")),
        ("system_managed", json!("no")),
    ];
    for (field, value) in cases {
        let mut body = zenml.role_body("project", "r");
        body[field] = value.clone();
        assert_eq!(zenml.post("/roles", body).await.invalid(), json!(["body", field]), "{value}");
    }
    assert_eq!(zenml.post("/roles", json!([])).await.status, 422);
    assert_eq!(zenml.post_nothing("/roles").await.status, 422);
    // A role needs no name.
    let nameless = zenml.post("/roles", without("name")).await;
    assert_eq!((nameless.status, &nameless.body["name"]), (200, &Value::Null));
}

#[tokio::test]
async fn a_custom_role_needs_permissions_and_a_lower_level() {
    let zenml = zenml().await;
    let mut empty = zenml.role_body("workspace", "r");
    empty["permissions"] = json!([]);
    let mut nothing = zenml.role_body("workspace", "r");
    nothing["permissions"] = json!([{"resource": "pipeline", "actions": []}]);
    let mut absent = zenml.role_body("workspace", "r");
    absent["permissions"] = Value::Null;
    let mut share = zenml.role_body("workspace", "r");
    share["type"] = "share".into();
    for body in [empty, nothing, absent, share, zenml.role_body("organization", "r")] {
        assert_eq!(zenml.post("/roles", body.clone()).await.exception(), illegal(), "{body}");
    }
    zenml.switch(|switches| switches.custom_organization_roles = true);
    assert_eq!(zenml.post("/roles", zenml.role_body("organization", "r")).await.status, 200);
}

#[tokio::test]
async fn a_role_needs_an_organization_of_the_caller() {
    let zenml = zenml().await;
    let mut body = zenml.role_body("workspace", "r");
    body["organization_id"] = zenml.user("alice").into();
    assert_eq!(zenml.post("/roles", body.clone()).await.exception(), missing());
    body["organization_id"] = zenml.partners().into();
    assert_eq!(zenml.post("/roles", body).await.exception(), illegal());
}

#[tokio::test]
async fn role_names_are_unique_only_if_switched() {
    let zenml = zenml().await;
    let first = zenml.new_role("workspace", "Reader").await;
    assert_ne!(zenml.new_role("workspace", "Reader").await, first);
    zenml.switch(|switches| switches.unique_role_names = true);
    assert_eq!(zenml.post("/roles", zenml.role_body("workspace", "Reader")).await.exception(), exists());
    let other = zenml.new_role("project", "Reader").await;
    let renamed = zenml.patch(&format!("/roles/{other}"), json!({"name": "Project Viewer"})).await;
    assert_eq!(renamed.exception(), exists());
    assert_eq!(zenml.patch(&format!("/roles/{other}"), json!({"name": "Reader"})).await.status, 200);
}

#[tokio::test]
async fn predefined_roles_cannot_be_deleted_or_changed() {
    let zenml = zenml().await;
    let path = format!("/roles/{}", zenml.role("Workspace Viewer"));
    assert_eq!(zenml.delete(&path).await.exception(), illegal());
    assert_eq!(zenml.patch(&path, json!({"description": "mine"})).await.exception(), illegal());
    zenml.switch(|switches| switches.system_roles_editable = true);
    assert_eq!(zenml.patch(&path, json!({"description": "mine"})).await.text("description"), "mine");
    assert_eq!(zenml.delete(&path).await.exception(), illegal());
}

#[tokio::test]
async fn a_switch_handles_system_managed_from_clients() {
    let zenml = zenml().await;
    let mut body = zenml.role_body("workspace", "r");
    body["system_managed"] = true.into();
    assert_eq!(zenml.post("/roles", body.clone()).await.exception(), illegal());
    for (switch, stored) in [(ClientSystemManaged::Ignore, false), (ClientSystemManaged::Store, true)] {
        zenml.switch(|switches| switches.client_system_managed = switch);
        assert_eq!(zenml.post("/roles", body.clone()).await.body["system_managed"], stored);
    }
}

#[tokio::test]
async fn null_keeps_or_clears_a_description() {
    let zenml = zenml().await;
    let path = format!("/roles/{}", zenml.new_role("workspace", "r").await);
    zenml.patch(&path, json!({"description": "d"})).await;
    assert_eq!(zenml.patch(&path, json!({"description": null})).await.text("description"), "d");
    zenml.switch(|switches| switches.null_clears = true);
    assert_eq!(zenml.patch(&path, json!({})).await.text("description"), "d");
    let cleared = zenml.patch(&path, json!({"description": null})).await;
    assert_eq!((&cleared.body["description"], &cleared.body["name"]), (&Value::Null, &json!("r")));
}

#[tokio::test]
async fn a_plan_can_limit_custom_roles() {
    let zenml = zenml_with(|switches| switches.custom_role_limit = Some(5)).await;
    // Four exist already.
    zenml.new_role("workspace", "r").await;
    let refused = zenml.post("/roles", zenml.role_body("workspace", "s")).await;
    assert_eq!(refused.exception(), (402, "SubscriptionUpgradeRequiredError".into()));
}

#[tokio::test]
async fn deleting_an_assigned_role_cascades_or_is_refused() {
    let zenml = zenml_with(|switches| switches.role_deletion = RoleDeletion::Refuse).await;
    let role = zenml.role("legacy-reviewer");
    let path = format!("/roles/{role}");
    assert_eq!(zenml.delete(&path).await.exception(), illegal());
    zenml.switch(|switches| switches.role_deletion = RoleDeletion::Cascade);
    assert_eq!(zenml.delete(&path).await.status, 200);
    let left = zenml.get("/_sim/state").await.body["assignments"].to_string();
    assert!(!left.contains(&role));
}

#[tokio::test]
async fn a_share_role_is_read_only_and_not_listed_by_default() {
    let zenml = zenml().await;
    assert!(!zenml.roles("").await.contains(&String::new()));
    let shares = zenml.get("/organizations/acme/roles?type=share").await;
    assert_eq!(
        (shares.each("type"), shares.each("level")),
        (vec!["share".to_owned()], vec!["project".to_owned()])
    );
    let path = format!("/roles/{}", shares.each("id")[0]);
    assert_eq!(zenml.patch(&path, json!({"name": "mine"})).await.exception(), illegal());
}
