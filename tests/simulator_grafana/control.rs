//! The `/_sim` paths with Grafana's grants, tenants and lists.

use serde_json::json;

use crate::client::{Login, grafana};

const ROLES: &str = "/access-control/roles";

#[tokio::test]
async fn the_log_has_credential_names_of_both_schemes_and_no_secret() {
    let grafana = grafana().await;
    let alice = grafana.login("alice").await;
    grafana.get(&format!("{ROLES}?includeHidden=true")).await;
    alice.get("/org").await;
    grafana.with(Login::Token("guess".into())).get("/org").await;
    let lines = grafana.logged(&["secret", "guess"]).await;
    assert_eq!(
        lines,
        [
            json!(["/api/access-control/roles", "includeHidden=true", 200, "admin"]),
            json!(["/api/org", "", 200, "login-alice"]),
            json!(["/api/org", "", 401, null]),
        ]
    );
}

#[tokio::test]
async fn the_state_can_be_read_edited_and_put_with_its_switches() {
    let grafana = grafana().await;
    let mut state = grafana.get("/_sim/state").await.body;
    state["switches"]["licence"] = "Absent".into();
    state["teams"].as_array_mut().unwrap().push(json!({"id": 41, "uid": "put", "org_id": 1, "name": "put"}));
    assert_eq!(grafana.put("/_sim/state", state.clone()).await.status, 204);
    assert_eq!(grafana.get("/access-control/status").await.status, 404);
    assert_eq!(grafana.get("/teams/put").await.body["id"], 41);
    // A new row does not get the number of a row that was put.
    assert_eq!(grafana.post("/teams", json!({"name": "next"})).await.body["teamId"], 42);

    let mut twice = state.clone();
    let mut role = twice["roles"][0].clone();
    role["id"] = json!(900);
    twice["roles"].as_array_mut().unwrap().push(role);
    let mut both = state.clone();
    both["service_accounts"][0]["id"] = both["users"][0]["id"].clone();
    let mut typo = state;
    typo["switches"]["license"] = "Valid".into();
    grafana.refuses_states([twice, both, typo]).await;
}

#[tokio::test]
async fn a_token_is_added_narrowed_expired_and_revived() {
    let grafana = grafana().await;
    let reader = grafana.caller_with("reader", &["roles:read@roles:*"]).await;
    let less = json!({"permissions": {}});
    let (grant, expired) = grafana.narrowed_expired_and_revived(&reader, ROLES, less, "permission").await;
    assert_eq!((grant["org_id"].as_i64(), expired.text("messageId")), (Some(1), "api-key.expired".into()));
    let admin = grafana.first_grant(&["reader"]).await;
    assert_eq!(admin["service_account_id"], grafana.account("rolewright"));
}

#[tokio::test]
async fn injected_errors_have_the_vendors_form() {
    let grafana = grafana().await;
    grafana.inject(json!({"kind": "Status", "status": 503}), "**").await;
    let answer = grafana.get("/org").await;
    assert_eq!((answer.status, answer.text("message")), (503, "injected fault".into()));
}

#[tokio::test]
async fn plain_lists_envelopes_and_maps_can_be_cut_short() {
    let grafana = grafana().await;
    let cut = json!({"kind": "ShortPage", "keep": 1});
    grafana.inject(cut.clone(), "/api/access-control/roles").await;
    assert_eq!(grafana.get(ROLES).await.each("uid").len(), 1);
    grafana.inject(cut.clone(), "/api/teams/search").await;
    let teams = grafana.get("/teams/search").await;
    assert_eq!((teams.each_of("teams", "name").len(), teams.body["totalCount"].as_i64()), (1, Some(4)));
    grafana.inject(json!({"kind": "ShortPage", "keep": 1, "last": true}), "/api/teams/search").await;
    assert_eq!(grafana.get("/teams/search").await.body["totalCount"], 1);
    grafana.inject(cut.clone(), "/api/access-control/users/roles/search").await;
    let found = grafana.post("/access-control/users/roles/search", json!({"userIds": [2, 3, 4]})).await;
    assert_eq!(found.body.as_object().unwrap().len(), 1);
    assert_eq!(grafana.post("/groupsync/groups/engineering", json!({"roles": []})).await.status, 201);
    grafana.inject(json!({"kind": "ShortPage", "last": true}), "/api/groupsync/groups").await;
    assert_eq!(grafana.get("/groupsync/groups").await.body, json!({"groups": [], "total": 0}));
    // A body that is not a list stays the same.
    grafana.inject(cut, "/api/org").await;
    assert_eq!(grafana.get("/org").await.text("name"), "Main Org.");
}
