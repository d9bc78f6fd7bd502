//! The `/_sim` paths with Grafana's grants, tenants and lists; and starting and stopping.

use rolewright::simulators::grafana::{Options, Simulator};
use serde_json::{Value, json};

use crate::client::{Grafana, Login, TOKEN, grafana};

const ROLES: &str = "/access-control/roles";

async fn inject(grafana: &Grafana, action: Value, path: &str) {
    let fault = json!({"match": {"path": path}, "times": 1, "action": action});
    assert_eq!(grafana.post("/_sim/faults", fault).await.status, 201);
}

#[tokio::test]
async fn the_log_names_the_credential_of_either_scheme_and_never_its_value() {
    let grafana = grafana().await;
    let alice = grafana.login("alice").await;
    grafana.get(&format!("{ROLES}?includeHidden=true")).await;
    alice.get("/org").await;
    grafana.with(Login::Token("guess".into())).get("/org").await;
    let log = grafana.get("/_sim/requests").await.body;
    let line = |entry: &Value| json!([entry["path"], entry["query"], entry["status"], entry["credential"]]);
    let lines: Vec<Value> = log["requests"].as_array().unwrap().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            json!(["/api/access-control/roles", "includeHidden=true", 200, "admin"]),
            json!(["/api/org", "", 200, "login-alice"]),
            json!(["/api/org", "", 401, null]),
        ]
    );
    let text = log.to_string();
    assert!(!text.contains(TOKEN) && !text.contains("secret") && !text.contains("guess"));
}

#[tokio::test]
async fn the_state_is_read_edited_and_put_back_with_its_switches() {
    let grafana = grafana().await;
    let mut state = grafana.get("/_sim/state").await.body;
    state["switches"]["licence"] = "Absent".into();
    state["teams"].as_array_mut().unwrap().push(json!({"id": 41, "uid": "put", "org_id": 1, "name": "put"}));
    assert_eq!(grafana.put("/_sim/state", state.clone()).await.status, 204);
    assert_eq!(grafana.get("/access-control/status").await.status, 404);
    assert_eq!(grafana.get("/teams/put").await.body["id"], 41);
    // Numbers of rows that were put are not given out again.
    assert_eq!(grafana.post("/teams", json!({"name": "next"})).await.body["teamId"], 42);

    let mut twice = state.clone();
    let mut role = twice["roles"][0].clone();
    role["id"] = json!(900);
    twice["roles"].as_array_mut().unwrap().push(role);
    let mut both = state.clone();
    both["service_accounts"][0]["id"] = both["users"][0]["id"].clone();
    let mut typo = state;
    typo["switches"]["license"] = "Valid".into();
    let before = grafana.get("/_sim/state").await.body;
    for wrong in [twice, both, typo] {
        assert_eq!(grafana.put("/_sim/state", wrong).await.status, 400);
    }
    assert!(grafana.get("/_sim/state").await.body == before);
}

#[tokio::test]
async fn a_token_is_added_narrowed_expired_and_revived() {
    let grafana = grafana().await;
    let reader = grafana.holder("reader", &["roles:read@roles:*"]).await;
    assert_eq!(reader.get(ROLES).await.status, 200);
    let change = async |body: Value| grafana.post("/_sim/credentials", body).await;
    let narrowed = change(json!({"action": "Narrow", "name": "reader", "grant": {"permissions": {}}})).await;
    assert_eq!((narrowed.status, &narrowed.body["grant"]["org_id"]), (200, &json!(1)));
    assert_eq!(reader.get(ROLES).await.status, 403);
    change(json!({"action": "Expire", "name": "reader"})).await;
    assert_eq!(reader.get(ROLES).await.text("messageId"), "api-key.expired");
    change(json!({"action": "Revive", "name": "reader"})).await;
    assert_eq!(reader.get(ROLES).await.status, 403);
    let typo = json!({"action": "Narrow", "name": "reader", "grant": {"permission": {}}});
    assert_eq!(change(typo).await.status, 400);
    let listed = grafana.get("/_sim/credentials").await.body;
    assert_eq!(listed["credentials"][0]["name"], "admin");
    assert_eq!(listed["credentials"][0]["grant"]["service_account_id"], grafana.account("rolewright"));
    assert!(!listed.to_string().contains("-token"));
}

#[tokio::test]
async fn a_lost_answer_has_done_its_work() {
    let grafana = grafana().await;
    inject(&grafana, json!({"kind": "AnswerLost"}), "/api/access-control/roles").await;
    let role = json!({"uid": "r", "name": "r"});
    assert!(grafana.send(reqwest::Method::POST, ROLES, Some(role)).await.is_err());
    assert_eq!(grafana.get(&format!("{ROLES}/r")).await.status, 200);
}

#[tokio::test]
async fn injected_errors_have_the_vendors_form_or_any_other() {
    let grafana = grafana().await;
    inject(&grafana, json!({"kind": "Status", "status": 503}), "**").await;
    let answer = grafana.get("/org").await;
    assert_eq!((answer.status, answer.text("message")), (503, "injected fault".into()));
    inject(&grafana, json!({"kind": "Status", "status": 502, "body": "<html>Bad Gateway</html>"}), "**")
        .await;
    let answer = grafana.get("/org").await;
    assert_eq!((answer.status, answer.body), (502, Value::Null));
    inject(&grafana, json!({"kind": "Throttle", "per_second": 0, "retry_after": 7}), "**").await;
    let answer = grafana.get("/org").await;
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (429, "7"));
}

#[tokio::test]
async fn plain_lists_envelopes_and_maps_can_be_cut_short() {
    let grafana = grafana().await;
    let cut = json!({"kind": "ShortPage", "keep": 1});
    inject(&grafana, cut.clone(), "/api/access-control/roles").await;
    assert_eq!(grafana.get(ROLES).await.each("uid").len(), 1);
    inject(&grafana, cut.clone(), "/api/teams/search").await;
    let teams = grafana.get("/teams/search").await;
    assert_eq!((teams.each_of("teams", "name").len(), teams.body["totalCount"].as_i64()), (1, Some(4)));
    inject(&grafana, json!({"kind": "ShortPage", "keep": 1, "last": true}), "/api/teams/search").await;
    assert_eq!(grafana.get("/teams/search").await.body["totalCount"], 1);
    inject(&grafana, cut.clone(), "/api/access-control/users/roles/search").await;
    let found = grafana.post("/access-control/users/roles/search", json!({"userIds": [2, 3, 4]})).await;
    assert_eq!(found.body.as_object().unwrap().len(), 1);
    assert_eq!(grafana.post("/groupsync/groups/engineering", json!({"roles": []})).await.status, 201);
    inject(&grafana, json!({"kind": "ShortPage", "last": true}), "/api/groupsync/groups").await;
    assert_eq!(grafana.get("/groupsync/groups").await.body, json!({"groups": [], "total": 0}));
    // What is no list stays as it is.
    inject(&grafana, cut, "/api/org").await;
    assert_eq!(grafana.get("/org").await.text("name"), "Main Org.");
}

#[tokio::test]
async fn a_stopped_simulator_can_start_there_again_with_its_tenant() {
    let grafana = grafana().await;
    let role = grafana.new_role("kept", &[]).await;
    let (listen, tenant) = (grafana.simulator.address(), grafana.simulator.edit(|tenant| tenant.clone()));
    let client = (*grafana).clone();
    grafana.simulator.stop().await;
    assert!(client.send(reqwest::Method::GET, ROLES, None).await.is_err());
    let again = Simulator::start(Options { listen, tenant, ..Options::new(TOKEN) }).await.unwrap();
    assert_eq!(again.address(), listen);
    assert_eq!(client.get(&format!("{ROLES}/{role}")).await.status, 200);
}

#[tokio::test]
async fn a_server_without_a_token_does_not_start() {
    let empty = Simulator::start(Options::new("")).await.err().unwrap();
    assert_eq!(empty.kind(), std::io::ErrorKind::InvalidInput);
}
