//! Contract 1.3: the form of errors.

use serde_json::json;

use crate::client::{lenses, lenses_with};

#[tokio::test]
async fn errors_are_problem_documents() {
    let lenses = lenses().await;
    let answer = lenses.get("/roles/nothing").await;
    assert_eq!((answer.status, answer.content_type()), (404, "application/problem+json"));
    assert_eq!(
        answer.body,
        json!({ "type": "not_found", "title": "the role nothing does not exist", "status": 404 })
    );
    assert_eq!(lenses.get("/roles").await.content_type(), "application/json");
}

#[tokio::test]
async fn errors_can_be_plain_json_with_only_title_and_status() {
    let lenses = lenses_with(|switches| {
        switches.plain_problem_type = true;
        switches.sparse_problems = true;
    })
    .await;
    let answer = lenses.post("/roles", json!({"name": "developer"})).await;
    assert_eq!((answer.status, answer.content_type()), (409, "application/json"));
    assert_eq!(answer.body, json!({"title": "the role developer exists", "status": 409}));
}

#[tokio::test]
async fn the_status_of_validation_can_be_switched() {
    let lenses = lenses_with(|switches| switches.validation_status = 422).await;
    assert_eq!(lenses.post("/roles", json!({"name": "Up"})).await.status, 422);
    assert_eq!(lenses.patch("/groups/sre", json!({"set_members": [], "add_members": []})).await.status, 422);
    // Bodies that are not JSON objects fail before the validation.
    assert_eq!(lenses.post("/roles", json!([])).await.status, 400);
    let garbage = lenses.signed(reqwest::Method::POST, "/roles").body("{");
    assert_eq!(garbage.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problem_documents() {
    let lenses = lenses().await;
    for (answer, status) in [
        (lenses.get("/nothing").await, 404),
        (lenses.get("/roles/a/b/c").await, 404),
        (lenses.put("/roles/developer", json!({})).await, 405),
        (lenses.post("/service-accounts/ci-pipeline/nothing", json!({})).await, 404),
    ] {
        assert_eq!((answer.status, answer.content_type()), (status, "application/problem+json"));
    }
}
