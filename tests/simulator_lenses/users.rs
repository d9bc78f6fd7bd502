//! Contract 2.3: users.

use serde_json::json;

use crate::client::{lenses, names};

#[tokio::test]
async fn a_user_shows_its_groups_and_its_profile() {
    let lenses = lenses().await;
    let alice = lenses.get("/users/alice@example.com").await;
    assert_eq!((alice.status, alice.text("lrn")), (200, "iam:user:alice@example.com".into()));
    assert_eq!(
        alice.body["profile"],
        json!({"full_name": "Alice Moreau", "email_address": "alice@example.com"})
    );
    assert_eq!(
        (names(&alice.body["groups"]), &alice.body["is_admin"]),
        (vec!["data-platform".into()], &json!(false))
    );
    assert_eq!(alice.body["groups"][0]["user_count"], 2);
    // A name in the path can be percent-encoded.
    assert_eq!(lenses.get("/users/alice%40example.com").await.body, alice.body);
    let list = lenses.get("/users").await;
    assert_eq!((list.item("alice@example.com"), list.names().len()), (&alice.body, 9));
    assert_eq!(list.item("admin")["is_admin"], true);
    assert_eq!(list.item("ann@example.com")["display_name"], list.item("joann@example.com")["display_name"]);
}

#[tokio::test]
async fn a_user_is_created_changed_and_deleted() {
    let lenses = lenses().await;
    let created = lenses.post("/users", json!({"name": "Zoë@example.com", "metadata": {"k": "v"}})).await;
    assert_eq!((created.status, created.text("display_name")), (201, "Zoë@example.com".into()));
    assert_eq!((&created.body["groups"], &created.body["metadata"]), (&json!([]), &json!({"k": "v"})));
    let path = "/users/Zo%C3%AB%40example.com";
    assert_eq!(lenses.patch(path, json!({"display_name": "Zoë"})).await.text("display_name"), "Zoë");
    assert_eq!(lenses.post("/users", json!({"name": "Zoë@example.com"})).await.status, 409);
    assert_eq!(lenses.post("/users", json!({"name": "ci-pipeline"})).await.status, 409);
    assert_eq!((lenses.delete(path).await.status, lenses.get(path).await.status), (204, 404));
    for invalid in ["", &"a".repeat(101)] {
        assert_eq!(lenses.post("/users", json!({"name": invalid})).await.status, 400);
    }
}

#[tokio::test]
async fn user_names_can_be_limited_to_resource_names() {
    let lenses = lenses().await;
    lenses.switch(|switches| switches.user_names_are_resource_names = true);
    assert_eq!(lenses.post("/users", json!({"name": "zoe@example.com"})).await.status, 400);
    assert_eq!(lenses.post("/users", json!({"name": "zoe"})).await.status, 201);
    assert_eq!(lenses.get("/users/alice@example.com").await.status, 200);
}
