//! Contract 2.1: roles.

use rolewright_simulators::lenses::switches::RoleDeletion;
use serde_json::{Value, json};

use crate::client::{lenses, lenses_with, names};

fn statement() -> Value {
    json!({"effect": "allow", "action": "kafka:ListTopics", "resource": ["kafka:topic:*"]})
}

#[tokio::test]
async fn a_role_is_made_read_and_listed_without_its_policy() {
    let lenses = lenses().await;
    let role = json!({
        "name": "r", "display_name": "R", "description": "d", "policy": [statement()], "metadata": {"k": "v"},
    });
    let made = lenses.post("/roles", role).await;
    assert_eq!((made.status, &made.body["policy"]), (201, &json!([statement()])));
    assert_eq!(lenses.get("/roles/r").await.body, made.body);
    let list = lenses.get("/roles").await;
    assert_eq!(list.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["items"]);
    let mut compact = made.body.clone();
    compact.as_object_mut().unwrap().remove("policy");
    compact["policy_length"] = 1.into();
    assert_eq!(list.item("r"), &compact);
    for key in ["name", "display_name", "lrn", "description", "id", "created_at"] {
        assert!(compact[key].is_string(), "{key}");
    }
    assert_eq!(compact["lrn"], "iam:role:r");
}

#[tokio::test]
async fn a_name_is_all_that_a_role_needs() {
    let lenses = lenses().await;
    let made = lenses.post("/roles", json!({"name": "r", "description": null})).await;
    assert_eq!((made.status, made.text("display_name")), (201, "r".into()));
    assert_eq!((made.text("description"), &made.body["policy"]), (String::new(), &json!([])));
    assert!(made.body.get("metadata").is_none());
}

#[tokio::test]
async fn a_server_may_want_a_policy_and_may_want_a_statement_in_it() {
    let lenses = lenses_with(|switches| switches.policy_required = true).await;
    assert_eq!(lenses.post("/roles", json!({"name": "r"})).await.status, 400);
    assert_eq!(lenses.post("/roles", json!({"name": "r", "policy": []})).await.status, 201);
    lenses.switch(|switches| switches.empty_policy_refused = true);
    assert_eq!(lenses.post("/roles", json!({"name": "s", "policy": []})).await.status, 400);
    assert_eq!(lenses.patch("/roles/r", json!({"policy": []})).await.status, 400);
    assert_eq!(lenses.patch("/roles/r", json!({"display_name": "R"})).await.status, 200);
}

#[tokio::test]
async fn status_codes_of_success_can_be_others() {
    let lenses = lenses_with(|switches| {
        switches.role_creation_status = 200;
        switches.append_status = 201;
    })
    .await;
    assert_eq!(lenses.post("/roles", json!({"name": "r"})).await.status, 200);
    assert_eq!(lenses.post("/roles/r/policy", statement()).await.status, 201);
}

#[tokio::test]
async fn an_update_replaces_what_it_names_and_leaves_the_rest() {
    let lenses = lenses().await;
    let role = json!({"name": "r", "description": "d", "policy": [statement()]});
    let made = lenses.post("/roles", role).await.body;
    let other = json!({"effect": "deny", "action": "*", "resource": "*"});
    let updated = lenses.patch("/roles/r", json!({"policy": [other]})).await;
    assert_eq!((updated.status, &updated.body["policy"]), (200, &json!([other])));
    assert_eq!((updated.text("description"), &updated.body["id"]), ("d".into(), &made["id"]));
    let updated = lenses.patch("/roles/r", json!({"display_name": "R", "description": ""})).await;
    assert_eq!((updated.text("display_name"), updated.text("description")), ("R".into(), String::new()));
    assert_eq!(updated.body["policy"], json!([other]));
    // The name is no field of an update.
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
    for wrong in ["", "Upper", "-a", "a.b", &"a".repeat(64)] {
        assert_eq!(lenses.post("/roles", json!({"name": wrong})).await.status, 400, "{wrong}");
    }
    assert_eq!(lenses.post("/roles", json!({})).await.status, 400);
    let texts = [("display_name", 150), ("description", 250)];
    for (key, most) in texts {
        // Characters count, not bytes.
        assert_eq!(lenses.patch("/roles/developer", json!({key: "ä".repeat(most)})).await.status, 200);
        assert_eq!(lenses.patch("/roles/developer", json!({key: "a".repeat(most + 1)})).await.status, 400);
    }
    assert_eq!(lenses.patch("/roles/developer", json!({"display_name": ""})).await.status, 400);
    lenses.switch(|switches| switches.role_text_limits = false);
    assert_eq!(lenses.patch("/roles/developer", json!({"description": "a".repeat(999)})).await.status, 200);
}

#[tokio::test]
async fn a_role_that_is_made_again_has_another_id() {
    let lenses = lenses().await;
    let first = lenses.post("/roles", json!({"name": "r"})).await.text("id");
    let deleted = lenses.delete("/roles/r").await;
    assert_eq!((deleted.status, deleted.raw.len()), (204, 0));
    assert_eq!(lenses.delete("/roles/r").await.status, 404);
    assert_eq!(lenses.get("/roles/r").await.status, 404);
    assert_ne!(lenses.post("/roles", json!({"name": "r"})).await.text("id"), first);
}

#[tokio::test]
async fn a_role_in_a_group_stays_or_goes_from_there() {
    let lenses = lenses().await;
    assert_eq!(lenses.delete("/roles/topic-reader").await.status, 409);
    assert_eq!(lenses.get("/roles/topic-reader").await.status, 200);
    lenses.switch(|switches| switches.role_deletion = RoleDeletion::Cascade);
    assert_eq!(lenses.delete("/roles/topic-reader").await.status, 204);
    assert!(names(&lenses.get("/groups/sre").await.body["roles"]).is_empty());
    assert_eq!(lenses.get("/groups").await.item("sre")["role_count"], 0);
}

#[tokio::test]
async fn display_names_may_be_shared() {
    let lenses = lenses().await;
    let list = lenses.get("/roles").await;
    assert_eq!(list.item("topic-reader")["display_name"], list.item("topic-reader-eu")["display_name"]);
    assert_ne!(list.item("topic-reader")["id"], list.item("topic-reader-eu")["id"]);
}
