//! The `/_sim` paths (log, state, credentials), and starting and stopping. These tests cover the kit for all
//! vendors.

use std::time::Duration;

use rolewright_simulators::arize::{self, Kind, Options, Simulator};
use serde_json::{Value, json};

use crate::{
    client::{Login, TOKEN, absent, arize},
    support::control::{does_not_start, lies_below_a_path},
};

#[tokio::test]
async fn the_log_has_requests_and_credential_names_but_no_secrets() {
    let arize = arize().await;
    arize.get("/v2/roles?limit=5&is_predefined=true").await;
    let stranger = arize.with(Login::Token("guess".into()));
    stranger.get("/v2/users").await;
    let id = absent(Kind::Role);
    arize.delete(&format!("/v2/roles/{}", id.replace('=', "%3D"))).await;

    let log = arize.get("/_sim/requests").await;
    let entries = log.body["requests"].as_array().unwrap();
    let line = |entry: &Value| {
        json!([
            entry["seq"],
            entry["method"],
            entry["path"],
            entry["query"],
            entry["status"],
            entry["credential"]
        ])
    };
    let lines: Vec<Value> = entries.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            json!([1, "GET", "/v2/roles", "limit=5&is_predefined=true", 200, "admin"]),
            json!([2, "GET", "/v2/users", "", 401, null]),
            json!([3, "DELETE", format!("/v2/roles/{id}"), "", 404, "admin"]),
        ]
    );
    let text = log.body.to_string();
    assert!(!text.contains(TOKEN) && !text.contains("guess"));
    assert!(entries[0]["time"].is_string() && entries[0]["duration_ms"].is_u64());
}

#[tokio::test]
async fn the_log_can_be_read_from_a_number_and_cleared() {
    let arize = arize().await;
    for _ in 0..3 {
        arize.get("/v2/roles").await;
    }
    let rest = arize.get("/_sim/requests?since=2").await.body;
    assert_eq!((rest["last"].as_u64(), rest["requests"].as_array().unwrap().len()), (Some(3), 1));
    assert_eq!(arize.delete("/_sim/requests").await.status, 204);
    arize.get("/v2/users").await;
    let rest = arize.get("/_sim/requests?since=0").await.body;
    assert_eq!((rest["last"].as_u64(), rest["requests"].as_array().unwrap().len()), (Some(4), 1));
    assert_eq!(arize.get("/_sim/requests?since=x").await.status, 400);
}

#[tokio::test]
async fn a_test_can_wait_for_a_request() {
    let arize = arize().await;
    let log = &arize.simulator.world().log;
    let waiting = log.wait_until(0, Duration::from_secs(30), |entries| {
        entries.iter().any(|entry| entry.is_write() && entry.status == Some(201))
    });
    let (seen, _) = tokio::join!(waiting, arize.new_role("awaited"));
    assert_eq!(seen.unwrap().last().unwrap().path, "/v2/roles");
    assert!(log.wait_until(0, Duration::ZERO, |_| false).await.is_err());
}

#[tokio::test]
async fn the_state_can_be_read_edited_and_put_back() {
    let arize = arize().await;
    let mut state = arize.get("/_sim/state").await.body;
    let bindings = state["role_bindings"].as_array_mut().unwrap();
    let mut added = bindings[0].clone();
    added["id"] = rolewright_simulators::arize::Id::issue(Kind::RoleBinding, 41).to_string().into();
    added["user_id"] = arize.user("dave").into();
    bindings.push(added);
    assert_eq!(arize.put("/_sim/state", state.clone()).await.status, 204);
    let list = "/v2/role-bindings?resource_type=PROJECT";
    assert_eq!(arize.all(list, "role_bindings").await.len(), 2);

    // A new row does not get the number of a row that was put.
    let viewer = arize.role("Project Viewer");
    let binding = arize.bind(&arize.user("bob"), &viewer, &arize.project("research", "churn")).await;
    let id: rolewright_simulators::arize::Id = binding.text("id").parse().unwrap();
    assert_eq!(id.serial, 42);
}

#[tokio::test]
async fn an_invalid_state_is_refused_and_the_old_one_stays() {
    let arize = arize().await;
    let state = arize.get("/_sim/state").await.body;
    let mut twice = state.clone();
    let role = twice["roles"][0].clone();
    twice["roles"].as_array_mut().unwrap().push(role);
    let mut stray = state.clone();
    stray["roles"][0]["id"] = arize.user("alice").into();
    let mut typo = state.clone();
    typo["switches"]["generatoin"] = "Current".into();
    arize.refuses_states([twice, stray, typo, json!("tenant")]).await;
    assert_eq!(arize.put("/_sim/state", json!({})).await.status, 204);
    assert!(arize.get("/v2/roles").await.names("roles").is_empty());
}

#[tokio::test]
async fn a_token_is_added_narrowed_expired_and_revived() {
    let arize = arize().await;
    let reader = arize.caller("reader", json!({"account_role": "ADMIN"})).await;
    let change = async |body: Value| arize.post("/_sim/credentials", body).await;

    let less = json!({"permissions": ["USER_READ"]});
    let (grant, _) = arize.narrowed_expired_and_revived(&reader, "/v2/roles", less, "permission").await;
    assert_eq!(grant["permissions"], json!(["USER_READ"]));
    assert_eq!(reader.get("/v2/users").await.status, 200);

    assert_eq!(change(json!({"action": "Expire", "name": "nobody"})).await.status, 404);
    assert_eq!(change(json!({"action": "Promote", "name": "reader"})).await.status, 400);
    let again = json!({"action": "Add", "name": "reader", "token": "other", "grant": {}});
    assert_eq!(change(again).await.status, 409);
}

#[tokio::test]
async fn credentials_are_listed_without_secrets() {
    let arize = arize().await;
    arize.caller("reader", json!({})).await;
    let list = arize.get("/_sim/credentials").await.body;
    let admin = arize.first_grant(&["reader"]).await;
    assert_eq!(admin["user_id"], arize.user("admin"));
    assert_eq!(
        list["credentials"][1],
        json!({
            "name": "reader",
            "expired": false,
            "grant": {
                "account_role": "MEMBER",
                "user_id": null,
                "permissions": null,
                "spaces": null,
                "api_key": null,
                "expires_at": null,
            },
        })
    );
    assert!(!list.to_string().contains("token"));
}

#[tokio::test]
async fn control_paths_are_not_logged_and_not_hit_by_faults() {
    let arize = arize().await;
    let fault = json!({"match": {"path": "**"}, "action": {"kind": "Reset"}});
    assert_eq!(arize.post("/_sim/faults", fault).await.status, 201);
    assert_eq!(arize.get("/_sim/state").await.status, 200);
    assert_eq!(arize.get("/_sim/nothing").await.status, 404);
    assert_eq!(arize.get("/_sim/requests").await.body["last"], 0);
}

#[tokio::test]
async fn a_stopped_simulator_can_restart_on_its_port_with_its_tenant() {
    let arize = arize().await;
    let id = arize.new_role("kept").await;
    let (listen, tenant) = (arize.simulator.address(), arize.simulator.edit(|tenant| tenant.clone()));
    let client = (*arize).clone();
    arize.simulator.stop().await;
    let error = client.send(reqwest::Method::GET, "/v2/roles", None).await.err().unwrap();
    assert!(error.is_connect() || error.is_request(), "{error:?}");
    let again = Simulator::start(Options { listen, tenant, ..Options::new(TOKEN) }).await.unwrap();
    assert_eq!(again.address(), listen);
    assert_eq!(client.get(&format!("/v2/roles/{id}")).await.status, 200);
}

#[tokio::test]
async fn an_empty_token_bad_tenant_or_bad_prefix_prevents_the_start() {
    does_not_start::<arize::Arize>(Options::new("")).await;
    let mut broken = Options::new(TOKEN);
    let stray = broken.tenant.user_by_email("alice@example.com").unwrap();
    broken.tenant.roles.iter_mut().next().unwrap().id = stray;
    does_not_start(broken).await;
    for prefix in ["arize", "/{arize}", "/arize/*"] {
        does_not_start::<arize::Arize>(Options { prefix: prefix.into(), ..Options::new(TOKEN) }).await;
    }
}

#[tokio::test]
async fn a_server_can_be_below_a_path() {
    lies_below_a_path::<arize::Arize>("/v2/roles").await;
}
