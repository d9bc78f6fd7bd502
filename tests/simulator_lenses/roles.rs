//! Contract 2.1: roles.

use rolewright_simulators::lenses::switches::RoleDeletion;
use serde_json::{Value, json};

use crate::client::{lenses, lenses_with, names};

fn statement() -> Value {
    json!({"effect": "allow", "action": "kafka:ListTopics", "resource": ["kafka:topic:*"]})
}

#[tokio::test]
async fn a_role_is_created_read_and_listed_without_its_policy() {
    let lenses = lenses().await;
    let role = json!({
        "name": "r", "display_name": "R", "description": "d", "policy": [statement()], "metadata": {"k": "v"},
    });
    let created = lenses.post("/roles", role).await;
    assert_eq!((created.status, &created.body["policy"]), (201, &json!([statement()])));
    assert_eq!(lenses.get("/roles/r").await.body, created.body);
    let list = lenses.get("/roles").await;
    assert_eq!(list.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["items"]);
    let mut compact = created.body.clone();
    compact.as_object_mut().unwrap().remove("policy");
    compact["policy_length"] = 1.into();
    assert_eq!(list.item("r"), &compact);
    for key in ["name", "display_name", "lrn", "description", "id", "created_at"] {
        assert!(compact[key].is_string(), "{key}");
    }
    assert_eq!(compact["lrn"], "iam:role:r");
}

#[tokio::test]
async fn a_role_needs_only_a_name() {
    let lenses = lenses().await;
    let created = lenses.post("/roles", json!({"name": "r", "description": null})).await;
    assert_eq!((created.status, created.text("display_name")), (201, "r".into()));
    assert_eq!((created.text("description"), &created.body["policy"]), (String::new(), &json!([])));
    assert!(created.body.get("metadata").is_none());
}

#[tokio::test]
async fn policies_and_statements_can_be_required() {
    let lenses = lenses_with(|switches| switches.policy_required = true).await;
    assert_eq!(lenses.post("/roles", json!({"name": "r"})).await.status, 400);
    assert_eq!(lenses.post("/roles", json!({"name": "r", "policy": []})).await.status, 201);
    lenses.switch(|switches| switches.empty_policy_refused = true);
    assert_eq!(lenses.post("/roles", json!({"name": "s", "policy": []})).await.status, 400);
    assert_eq!(lenses.patch("/roles/r", json!({"policy": []})).await.status, 400);
    assert_eq!(lenses.patch("/roles/r", json!({"display_name": "R"})).await.status, 200);
}

#[tokio::test]
async fn success_statuses_can_be_switched() {
    let lenses = lenses_with(|switches| {
        switches.role_creation_status = 200;
        switches.append_status = 201;
    })
    .await;
    assert_eq!(lenses.post("/roles", json!({"name": "r"})).await.status, 200);
    assert_eq!(lenses.post("/roles/r/policy", statement()).await.status, 201);
}

#[tokio::test]
async fn an_update_changes_only_the_fields_that_it_has() {
    let lenses = lenses().await;
    let role = json!({"name": "r", "description": "d", "policy": [statement()]});
    let created = lenses.post("/roles", role).await.body;
    let other = json!({"effect": "deny", "action": "*", "resource": "*"});
    let updated = lenses.patch("/roles/r", json!({"policy": [other]})).await;
    assert_eq!((updated.status, &updated.body["policy"]), (200, &json!([other])));
    assert_eq!((updated.text("description"), &updated.body["id"]), ("d".into(), &created["id"]));
    let updated = lenses.patch("/roles/r", json!({"display_name": "R", "description": ""})).await;
    assert_eq!((updated.text("display_name"), updated.text("description")), ("R".into(), String::new()));
    assert_eq!(updated.body["policy"], json!([other]));
    // An update cannot change the name.
    assert_eq!(lenses.patch("/roles/r", json!({"name": "s"})).await.text("name"), "r");
    assert_eq!(lenses.get("/roles/s").await.status, 404);
    assert_eq!(lenses.patch("/roles/s", json!({})).await.status, 404);
}

#[tokio::test]
async fn an_append_keeps_duplicates_and_their_order() {
    let lenses = lenses().await;
    lenses.post("/roles", json!({"name": "r"})).await;
    for length in 1..=2 {
        let appended = lenses.post("/roles/r/policy", statement()).await;
        assert_eq!((appended.status, appended.body["policy"].as_array().unwrap().len()), (200, length));
        assert_eq!(lenses.get("/roles").await.item("r")["policy_length"], length);
    }
    assert_eq!(lenses.post("/roles/r/policy", json!([statement()])).await.status, 400);
    assert_eq!(lenses.post("/roles/none/policy", statement()).await.status, 404);
}

#[tokio::test]
async fn names_are_unique_and_well_formed() {
    let lenses = lenses().await;
    assert_eq!(lenses.post("/roles", json!({"name": "developer"})).await.status, 409);
    for invalid in ["", "Upper", "-a", "a.b", &"a".repeat(64)] {
        assert_eq!(lenses.post("/roles", json!({"name": invalid})).await.status, 400, "{invalid}");
    }
    assert_eq!(lenses.post("/roles", json!({})).await.status, 400);
    let texts = [("display_name", 150), ("description", 280)];
    for (key, most) in texts {
        // The limit is in characters, not bytes.
        assert_eq!(lenses.patch("/roles/developer", json!({key: "ä".repeat(most)})).await.status, 200);
        assert_eq!(lenses.patch("/roles/developer", json!({key: "a".repeat(most + 1)})).await.status, 400);
    }
    assert_eq!(lenses.patch("/roles/developer", json!({"display_name": ""})).await.status, 400);
    lenses.switch(|switches| switches.role_text_limits = false);
    assert_eq!(lenses.patch("/roles/developer", json!({"description": "a".repeat(999)})).await.status, 200);
}

#[tokio::test]
async fn a_recreated_role_has_another_id() {
    let lenses = lenses().await;
    let first = lenses.post("/roles", json!({"name": "r"})).await.text("id");
    let deleted = lenses.delete("/roles/r").await;
    assert_eq!((deleted.status, deleted.raw.len()), (204, 0));
    assert_eq!(lenses.delete("/roles/r").await.status, 404);
    assert_eq!(lenses.get("/roles/r").await.status, 404);
    assert_ne!(lenses.post("/roles", json!({"name": "r"})).await.text("id"), first);
}

#[tokio::test]
async fn deleting_a_role_of_a_group_is_refused_or_cascades() {
    let lenses = lenses().await;
    assert_eq!(lenses.delete("/roles/topic-reader").await.status, 409);
    assert_eq!(lenses.get("/roles/topic-reader").await.status, 200);
    lenses.switch(|switches| switches.role_deletion = RoleDeletion::Cascade);
    assert_eq!(lenses.delete("/roles/topic-reader").await.status, 204);
    assert!(names(&lenses.get("/groups/sre").await.body["roles"]).is_empty());
    assert_eq!(lenses.get("/groups").await.item("sre")["role_count"], 0);
}

#[tokio::test]
async fn display_names_are_not_unique() {
    let lenses = lenses().await;
    let list = lenses.get("/roles").await;
    assert_eq!(list.item("topic-reader")["display_name"], list.item("topic-reader-eu")["display_name"]);
    assert_ne!(list.item("topic-reader")["id"], list.item("topic-reader-eu")["id"]);
}
