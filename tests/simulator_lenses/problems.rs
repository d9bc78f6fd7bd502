//! Contract 1: what errors look like.

use serde_json::json;

use crate::client::{lenses, lenses_with};

#[tokio::test]
async fn an_error_is_a_problem_document() {
    let lenses = lenses().await;
    let answer = lenses.get("/roles/nothing").await;
    assert_eq!((answer.status, answer.content_type()), (404, "application/problem+json"));
    assert_eq!(
        answer.body,
        json!({
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": "the role nothing does not exist",
            "instance": "/api/v1/roles/nothing",
        })
    );
    assert_eq!(lenses.get("/roles").await.content_type(), "application/json");
}

#[tokio::test]
async fn an_error_may_be_plain_json_and_may_have_nothing_but_a_title() {
    let lenses = lenses_with(|switches| {
        switches.plain_problem_type = true;
        switches.sparse_problems = true;
    })
    .await;
    let answer = lenses.post("/roles", json!({"name": "developer"})).await;
    assert_eq!((answer.status, answer.content_type()), (409, "application/json"));
    assert_eq!(answer.body, json!({"title": "Conflict"}));
}

#[tokio::test]
async fn validation_may_have_another_status() {
    let lenses = lenses_with(|switches| switches.validation_status = 422).await;
    assert_eq!(lenses.post("/roles", json!({"name": "Up"})).await.status, 422);
    assert_eq!(lenses.patch("/groups/sre", json!({"set_members": [], "add_members": []})).await.status, 422);
    // What is no JSON object does not get that far.
    assert_eq!(lenses.post("/roles", json!([])).await.status, 400);
    let garbage = lenses.signed(reqwest::Method::POST, "/roles").body("{");
    assert_eq!(garbage.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
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
