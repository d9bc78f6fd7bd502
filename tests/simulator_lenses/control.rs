//! The `/_sim` paths with grants, tenants and lists of Lenses, and path prefixes.

use rolewright_simulators::lenses;
use serde_json::{Value, json};

use crate::{
    client::{Login, lenses},
    support::control::lies_below_a_path,
};

#[tokio::test]
async fn the_log_has_credential_names_and_no_secrets() {
    let lenses = lenses().await;
    let peggy = lenses.session("peggy").await;
    lenses.get("/roles?a=b").await;
    peggy.get("/groups").await;
    lenses.with(Login::Token("guess".into())).get("/users").await;
    let lines = lenses.logged(&["session_id", "guess"]).await;
    assert_eq!(
        lines,
        [
            json!(["/api/v1/roles", "a=b", 200, "admin"]),
            json!(["/api/v1/groups", "", 200, "session-of-peggy"]),
            json!(["/api/v1/users", "", 401, null]),
        ]
    );
}

#[tokio::test]
async fn the_state_can_be_read_edited_and_replaced() {
    let lenses = lenses().await;
    let mut state = lenses.get("/_sim/state").await.body;
    state["switches"]["duplicate_status"] = 422.into();
    let roles = state["roles"].as_array_mut().unwrap();
    let mut role = roles[0].clone();
    role["name"] = "put".into();
    role["id"] = "b7d0c1d2-0000-4000-8000-000000000001".into();
    roles.push(role);
    assert_eq!(lenses.put("/_sim/state", state.clone()).await.status, 204);
    assert_eq!(lenses.get("/roles/put").await.text("id"), "b7d0c1d2-0000-4000-8000-000000000001");
    assert_eq!(lenses.post("/roles", json!({"name": "put"})).await.status, 422);

    let change = |change: fn(&mut Value)| {
        let mut state = state.clone();
        change(&mut state);
        state
    };
    lenses
        .refuses_states([
            change(|state| state["roles"][1]["name"] = state["roles"][0]["name"].clone()),
            change(|state| state["roles"] = json!([])),
            change(|state| state["users"] = json!([])),
            change(|state| state["users"][0]["name"] = "ci-pipeline".into()),
            change(|state| state["switches"]["validations"] = "Lax".into()),
        ])
        .await;
}

#[tokio::test]
async fn new_identifiers_are_unique_after_a_counter_reset() {
    let lenses = lenses().await;
    let mut state = lenses.get("/_sim/state").await.body;
    state["last_number"] = 0.into();
    assert_eq!(lenses.put("/_sim/state", state).await.status, 204);
    let before = lenses.get("/_sim/state").await.body.to_string();
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let id = lenses.post("/roles", json!({"name": name})).await.text("id");
        assert!(!before.contains(&id));
    }
}

#[tokio::test]
async fn a_token_is_added_narrowed_expired_and_revived() {
    let lenses = lenses().await;
    let reader = lenses.holder("reader", &["iam:*"], &["*"]).await;
    let less = json!({"policy": []});
    lenses.narrowed_expired_and_revived(&reader, "/roles", less, "policies").await;
    assert_eq!(lenses.first_grant(&["reader"]).await["service_account"], "rolewright");
}

#[tokio::test]
async fn retrying_an_append_after_a_lost_answer_duplicates_it() {
    let lenses = lenses().await;
    lenses.post("/roles", json!({"name": "r", "policy": []})).await;
    lenses.inject(json!({"kind": "AnswerLost"}), "/api/v1/roles/r/policy").await;
    let statement = json!({"effect": "allow", "action": "*", "resource": "*"});
    assert!(lenses.send(reqwest::Method::POST, "/roles/r/policy", Some(statement.clone())).await.is_err());
    lenses.post("/roles/r/policy", statement).await;
    assert_eq!(lenses.get("/roles").await.item("r")["policy_length"], 2);
}

#[tokio::test]
async fn injected_errors_have_the_form_of_the_vendor() {
    let lenses = lenses().await;
    lenses.inject(json!({"kind": "Status", "status": 500}), "**").await;
    let answer = lenses.get("/roles").await;
    assert_eq!((answer.status, answer.content_type()), (500, "application/problem+json"));
    assert_eq!(
        (answer.text("type"), answer.text("title")),
        ("internal_server_error".into(), "injected fault".into())
    );
}

#[tokio::test]
async fn only_lists_can_be_shortened() {
    let lenses = lenses().await;
    lenses.inject(json!({"kind": "ShortPage", "keep": 2}), "/api/v1/roles").await;
    assert_eq!(lenses.get("/roles").await.names().len(), 2);
    lenses.inject(json!({"kind": "ShortPage"}), "/api/v1/roles/developer").await;
    assert_eq!(lenses.get("/roles/developer").await.text("name"), "developer");
}

#[tokio::test]
async fn a_server_can_be_below_a_path() {
    lies_below_a_path::<lenses::Lenses>("/roles").await;
}
