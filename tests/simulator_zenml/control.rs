//! The `/_sim` paths with grants and tenants of ZenML.

use serde_json::json;

use crate::client::{TOKEN, zenml};

#[tokio::test]
async fn the_state_can_be_read_edited_and_replaced() {
    let zenml = zenml().await;
    let mut state = zenml.get("/_sim/state").await.body;
    let id = "0b8e4cd6-6a4c-4d0a-9d2f-3f1f6a1f0001";
    state["switches"]["value_error_status"] = 422.into();
    state["teams"].as_array_mut().unwrap().push(json!({
        "id": id,
        "organization_id": zenml.organization(),
        "name": "put",
        "created": "2026-01-01T00:00:00Z",
        "updated": "2026-01-01T00:00:00Z",
    }));
    assert_eq!(zenml.put("/_sim/state", state.clone()).await.status, 204);
    assert_eq!(zenml.get(&format!("/teams/{id}")).await.text("name"), "put");

    let mut typo = state.clone();
    typo["switches"]["value_errors"] = 422.into();
    let mut twice = state.clone();
    let first = twice["assignments"][0].clone();
    twice["assignments"].as_array_mut().unwrap().push(first);
    let mut stray = state.clone();
    stray["assignments"][0]["principal"]["user"] = id.into();
    let mut homeless = state.clone();
    homeless["workspaces"] = json!([]);
    let mut nowhere = state;
    nowhere["teams"][0]["organization_id"] = id.into();
    zenml.refuses_states([typo, twice, stray, homeless, nowhere]).await;
}

#[tokio::test]
async fn credentials_are_shown_without_their_secrets() {
    let zenml = zenml().await;
    zenml.person("alice").await;
    let admin = zenml.first_grant(&["pat-alice"]).await;
    assert_eq!(admin["user_id"], zenml.account("rolewright"));
    let typo = json!({"action": "Narrow", "name": "pat-alice", "grant": {"right": []}});
    assert_eq!(zenml.post("/_sim/credentials", typo).await.status, 400);
}

#[tokio::test]
async fn state_log_and_credentials_have_no_secrets() {
    let zenml = zenml().await;
    let session = zenml.session().await;
    let key = session.post("/users/me/api_keys", json!({"name": "k"})).await.text("key");
    zenml.with(key.as_str()).get("/users/me").await;
    for path in ["/_sim/state", "/_sim/requests", "/_sim/credentials"] {
        let text = zenml.get(path).await.raw;
        for secret in [TOKEN, &key, session.token()] {
            assert!(!text.contains(secret), "{path}");
        }
    }
}
