//! The `/_sim` paths with Lenses' grants, tenants and lists; and starting, stopping and path prefixes.

use rolewright::simulators::lenses::{Options, Simulator};
use serde_json::{Value, json};

use crate::client::{Client, Lenses, Login, TOKEN, lenses};

async fn inject(lenses: &Lenses, action: Value, path: &str) {
    let fault = json!({"match": {"path": path}, "times": 1, "action": action});
    assert_eq!(lenses.post("/_sim/faults", fault).await.status, 201);
}

#[tokio::test]
async fn the_log_names_the_credential_and_never_its_value() {
    let lenses = lenses().await;
    let peggy = lenses.session("peggy").await;
    lenses.get("/roles?a=b").await;
    peggy.get("/groups").await;
    lenses.with(Login::Token("guess".into())).get("/users").await;
    let log = lenses.get("/_sim/requests").await.body;
    let line = |entry: &Value| json!([entry["path"], entry["query"], entry["status"], entry["credential"]]);
    let lines: Vec<Value> = log["requests"].as_array().unwrap().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            json!(["/api/v1/roles", "a=b", 200, "admin"]),
            json!(["/api/v1/groups", "", 200, "session-of-peggy"]),
            json!(["/api/v1/users", "", 401, null]),
        ]
    );
    let text = log.to_string();
    assert!(!text.contains(TOKEN) && !text.contains("session_id") && !text.contains("guess"));
}

#[tokio::test]
async fn the_state_is_read_edited_and_put_back_with_its_switches() {
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
    let before = lenses.get("/_sim/state").await.body;
    for wrong in [
        change(|state| state["roles"][1]["name"] = state["roles"][0]["name"].clone()),
        change(|state| state["roles"] = json!([])),
        change(|state| state["users"] = json!([])),
        change(|state| state["users"][0]["name"] = "ci-pipeline".into()),
        change(|state| state["switches"]["validations"] = "Lax".into()),
    ] {
        assert_eq!(lenses.put("/_sim/state", wrong).await.status, 400);
    }
    assert_eq!(lenses.get("/_sim/state").await.body, before);
}

#[tokio::test]
async fn identifiers_and_tokens_are_new_even_if_the_counter_was_put_back() {
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
    assert_eq!(reader.get("/roles").await.status, 200);
    let change = async |body: Value| lenses.post("/_sim/credentials", body).await;
    let narrowed = change(json!({"action": "Narrow", "name": "reader", "grant": {"policy": []}})).await;
    assert_eq!((narrowed.status, reader.get("/roles").await.status), (200, 403));
    change(json!({"action": "Expire", "name": "reader"})).await;
    assert_eq!(reader.get("/roles").await.status, 401);
    change(json!({"action": "Revive", "name": "reader"})).await;
    assert_eq!(reader.get("/roles").await.status, 403);
    let typo = json!({"action": "Narrow", "name": "reader", "grant": {"policies": []}});
    assert_eq!(change(typo).await.status, 400);
    let listed = lenses.get("/_sim/credentials").await.body;
    assert_eq!(listed["credentials"][0]["name"], "admin");
    assert_eq!(listed["credentials"][0]["grant"]["service_account"], "rolewright");
    assert!(!listed.to_string().contains("-token"));
}

#[tokio::test]
async fn a_lost_answer_has_done_its_work_and_a_retried_append_doubles() {
    let lenses = lenses().await;
    inject(&lenses, json!({"kind": "AnswerLost"}), "/api/v1/roles").await;
    let role = json!({"name": "r", "policy": []});
    assert!(lenses.send(reqwest::Method::POST, "/roles", Some(role)).await.is_err());
    assert_eq!(lenses.get("/roles/r").await.status, 200);
    inject(&lenses, json!({"kind": "AnswerLost"}), "/api/v1/roles/r/policy").await;
    let statement = json!({"effect": "allow", "action": "*", "resource": "*"});
    assert!(lenses.send(reqwest::Method::POST, "/roles/r/policy", Some(statement.clone())).await.is_err());
    lenses.post("/roles/r/policy", statement).await;
    assert_eq!(lenses.get("/roles").await.item("r")["policy_length"], 2);
}

#[tokio::test]
async fn injected_errors_have_the_vendors_form_or_any_other() {
    let lenses = lenses().await;
    inject(&lenses, json!({"kind": "Status", "status": 500}), "**").await;
    let answer = lenses.get("/roles").await;
    assert_eq!((answer.status, answer.content_type()), (500, "application/problem+json"));
    assert_eq!(
        (answer.text("title"), answer.text("detail")),
        ("Internal Server Error".into(), "injected fault".into())
    );
    let oauth = json!({"error": "invalid_token", "error_description": "expired"});
    inject(&lenses, json!({"kind": "Status", "status": 401, "body": oauth}), "**").await;
    assert_eq!(lenses.get("/roles").await.body, oauth);
}

#[tokio::test]
async fn lists_can_be_cut_short_and_nothing_else() {
    let lenses = lenses().await;
    inject(&lenses, json!({"kind": "ShortPage", "keep": 2}), "/api/v1/roles").await;
    assert_eq!(lenses.get("/roles").await.names().len(), 2);
    inject(&lenses, json!({"kind": "ShortPage"}), "/api/v1/roles/developer").await;
    assert_eq!(lenses.get("/roles/developer").await.text("name"), "developer");
}

#[tokio::test]
async fn a_server_may_lie_below_a_path() {
    let options = Options { prefix: "/lenses/".into(), ..Options::new(TOKEN) };
    let simulator = Simulator::start(options).await.unwrap();
    let client = Client {
        http: reqwest::Client::new(),
        url: simulator.url(),
        prefix: "/lenses".into(),
        login: Login::Token(TOKEN.into()),
    };
    assert_eq!(client.get("/roles").await.status, 200);
    assert_eq!(client.get("/_sim/state").await.status, 200);
    let outside = Client { prefix: String::new(), ..client };
    assert_eq!(outside.get("/roles").await.status, 404);
    for prefix in ["lenses", "/{lenses}"] {
        let started = Simulator::start(Options { prefix: prefix.into(), ..Options::new(TOKEN) }).await;
        assert_eq!(started.err().unwrap().kind(), std::io::ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn a_stopped_simulator_can_start_there_again_with_its_tenant() {
    let lenses = lenses().await;
    lenses.new_role("kept", "*", "*").await;
    let (listen, tenant) = (lenses.simulator.address(), lenses.simulator.edit(|tenant| tenant.clone()));
    let client = (*lenses).clone();
    lenses.simulator.stop().await;
    assert!(client.send(reqwest::Method::GET, "/roles", None).await.is_err());
    let again = Simulator::start(Options { listen, tenant, ..Options::new(TOKEN) }).await.unwrap();
    assert_eq!(again.address(), listen);
    assert_eq!(client.get("/roles/kept").await.status, 200);
}

#[tokio::test]
async fn a_server_without_a_token_does_not_start() {
    let empty = Simulator::start(Options::new("")).await.err().unwrap();
    assert_eq!(empty.kind(), std::io::ErrorKind::InvalidInput);
}
