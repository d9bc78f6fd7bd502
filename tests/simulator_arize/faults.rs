//! Fault injection: what clients see, and whether the work was done.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Arize, arize};

fn role(name: &str) -> Option<Value> {
    Some(json!({"name": name, "permissions": ["PROJECT_READ"]}))
}

async fn exists(arize: &Arize, name: &str) -> bool {
    arize.all("/v2/roles", "roles").await.iter().any(|role| role["name"] == name)
}

#[tokio::test]
async fn a_status_fault_replaces_the_answer_and_does_no_work() {
    let arize = arize().await;
    arize
        .fault(json!({
            "match": {"methods": ["POST"], "path": "/v2/roles"},
            "times": 1,
            "action": {"kind": "Status", "status": 429, "headers": {"Retry-After": "7"}},
        }))
        .await;
    let first = arize.send(Method::POST, "/v2/roles", role("r")).await.unwrap();
    assert_eq!((first.status, first.headers["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(
        (first.body["status"].as_u64(), first.text("title")),
        (Some(429), "Rate limit exceeded".into())
    );
    assert!(!exists(&arize, "r").await);
    assert_eq!(arize.send(Method::POST, "/v2/roles", role("r")).await.unwrap().status, 201);
}

#[tokio::test]
async fn a_status_fault_can_follow_the_work_and_set_the_body() {
    let arize = arize().await;
    arize
        .fault(json!({
            "match": {"methods": ["POST"]},
            "times": 1,
            "action": {
                "kind": "Status", "status": 502, "after_work": true,
                "headers": {"content-type": "text/html"}, "body": "<html>Bad Gateway</html>",
            },
        }))
        .await;
    let answer = arize.send(Method::POST, "/v2/roles", role("r")).await.unwrap();
    assert_eq!((answer.status, answer.raw.as_str()), (502, "<html>Bad Gateway</html>"));
    assert_eq!(answer.headers["content-type"], "text/html");
    assert!(exists(&arize, "r").await);
    let oauth = json!({"error": "invalid_token", "error_description": "expired"});
    arize.inject(json!({"kind": "Status", "status": 401, "body": oauth}), "**").await;
    let answer = arize.get("/v2/roles").await;
    assert_eq!(
        (answer.status, answer.body, answer.headers["content-type"].as_bytes()),
        (401, oauth, &b"application/json"[..])
    );
}

#[tokio::test]
async fn a_lost_answer_is_a_client_error_after_the_work() {
    let arize = arize().await;
    // The first request opens the connection, so that the fault hits one that is kept alive.
    arize.get("/v2/roles").await;
    arize.fault(json!({"match": {"methods": ["POST"]}, "action": {"kind": "AnswerLost"}})).await;
    let error = arize.send(Method::POST, "/v2/roles", role("r")).await.err().unwrap();
    assert!(!error.is_status() && !error.is_decode(), "{error:?}");
    assert!(exists(&arize, "r").await);
    let log = arize.get("/_sim/requests").await.body;
    let entry = &log["requests"][1];
    assert_eq!((&entry["status"], &entry["faults"]), (&json!(201), &json!(["AnswerLost"])));
}

#[tokio::test]
async fn a_reset_is_a_client_error_without_work() {
    let arize = arize().await;
    arize.fault(json!({"match": {"methods": ["POST"]}, "action": {"kind": "Reset"}})).await;
    assert!(arize.send(Method::POST, "/v2/roles", role("r")).await.is_err());
    assert!(!exists(&arize, "r").await);
    let log = arize.get("/_sim/requests").await.body;
    assert_eq!(
        (&log["requests"][0]["status"], &log["requests"][0]["faults"]),
        (&Value::Null, &json!(["Reset"]))
    );
}

#[tokio::test]
async fn a_cut_body_starts_correctly_and_breaks_off() {
    let arize = arize().await;
    arize.fault(json!({"action": {"kind": "CutBody", "keep_bytes": 20}})).await;
    let request = arize.signed(Method::GET, "/v2/roles");
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.content_length().unwrap() > 20);
    assert_eq!(response.chunk().await.unwrap().unwrap().len(), 20);
    assert!(response.chunk().await.is_err());
}

#[tokio::test]
async fn garbage_claims_to_be_json_and_is_not() {
    let arize = arize().await;
    arize.fault(json!({"action": {"kind": "Garbage"}, "times": 1})).await;
    let answer = arize.get("/v2/roles").await;
    assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (200, "application/json"));
    assert!(answer.body.is_null() && answer.raw.contains("html"));
}

#[tokio::test]
async fn a_huge_body_is_valid_and_huge() {
    let arize = arize().await;
    arize.fault(json!({"action": {"kind": "HugeBody", "megabytes": 8}, "times": 1})).await;
    let answer = arize.get("/v2/roles").await;
    assert!(answer.raw.len() > 8 * 1024 * 1024);
    assert_eq!(answer.names("roles").len(), 8);
}

#[tokio::test]
async fn a_page_can_be_short_empty_or_falsely_the_last() {
    let arize = arize().await;
    arize.fault(json!({"action": {"kind": "ShortPage", "keep": 1}, "times": 1})).await;
    let short = arize.get("/v2/roles?limit=4").await;
    assert_eq!((short.names("roles").len(), &short.body["pagination"]["has_more"]), (1, &json!(true)));
    arize.fault(json!({"action": {"kind": "ShortPage", "last": true}, "times": 1})).await;
    let last = arize.get("/v2/roles?limit=4").await;
    assert_eq!((last.names("roles").len(), &last.body["pagination"]), (0, &json!({"has_more": false})));
    assert_eq!(arize.get("/v2/roles").await.names("roles").len(), 8);
}

#[tokio::test]
async fn a_fault_can_hit_only_the_second_page() {
    let arize = arize().await;
    arize
        .fault(json!({
            "match": {"path": "/v2/roles", "query": "cursor="},
            "action": {"kind": "Status", "status": 500},
        }))
        .await;
    let first = arize.get("/v2/roles?limit=4").await;
    let cursor = first.body["pagination"]["next_cursor"].as_str().unwrap();
    assert_eq!(arize.get(&format!("/v2/roles?limit=4&cursor={cursor}")).await.status, 500);
}

#[tokio::test]
async fn a_throttle_passes_its_rate_and_sends_retry_after() {
    let arize = arize().await;
    arize.fault(json!({"action": {"kind": "Throttle", "per_second": 2, "retry_after": 3}})).await;
    let mut statuses = Vec::new();
    let started = Instant::now();
    for _ in 0..5 {
        statuses.push(arize.get("/v2/roles").await);
    }
    // On a slow machine a new second begins, and with it a new allowance.
    if started.elapsed() < Duration::from_secs(1) {
        let codes: Vec<u16> = statuses.iter().map(|answer| answer.status).collect();
        assert_eq!(codes, [200, 200, 429, 429, 429]);
        assert_eq!(statuses[2].headers["retry-after"], "3");
    }
}

#[tokio::test]
async fn a_delay_fault_delays_the_answer() {
    let arize = arize().await;
    arize.fault(json!({"action": {"kind": "Delay", "millis": 200}})).await;
    let started = Instant::now();
    assert_eq!(arize.get("/v2/roles").await.status, 200);
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn the_work_finishes_after_the_client_disconnects() {
    let arize = arize().await;
    arize.fault(json!({"match": {"methods": ["POST"]}, "action": {"kind": "Hold"}})).await;
    let client = (*arize).clone();
    let impatient = tokio::spawn(async move { client.send(Method::POST, "/v2/roles", role("r")).await });
    let log = &arize.simulator.world().log;
    let wait = Duration::from_secs(30);
    log.wait_until(0, wait, |entries| entries.iter().any(|entry| !entry.faults.is_empty())).await.unwrap();
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    arize.simulator.world().faults.clear();
    log.wait_until(0, wait, |entries| entries[0].status == Some(201)).await.unwrap();
    assert!(exists(&arize, "r").await);
}

#[tokio::test]
async fn a_held_request_waits_until_the_faults_are_cleared() {
    let arize = arize().await;
    arize.fault(json!({"match": {"methods": ["POST"]}, "action": {"kind": "Hold"}})).await;
    let client = (*arize).clone();
    let request = tokio::spawn(async move { client.send(Method::POST, "/v2/roles", role("r")).await });
    let log = &arize.simulator.world().log;
    log.wait_until(0, Duration::from_secs(30), |entries| entries.iter().any(|e| !e.faults.is_empty()))
        .await
        .unwrap();
    assert!(!exists(&arize, "r").await);
    assert_eq!(arize.get("/_sim/faults").await.body["faults"][0]["hits"], 1);
    assert_eq!(arize.delete("/_sim/faults").await.status, 204);
    assert_eq!(request.await.unwrap().unwrap().status, 201);
}

#[tokio::test]
async fn a_fault_can_hit_only_one_credential() {
    let arize = arize().await;
    let reader = arize.caller("reader", json!({})).await;
    arize
        .fault(json!({
            "match": {"credential": "reader", "path": "/v2/*"},
            "action": {"kind": "Status", "status": 401},
        }))
        .await;
    assert_eq!(reader.get("/v2/roles").await.status, 401);
    assert_eq!(arize.get("/v2/roles").await.status, 200);
}

#[tokio::test]
async fn faults_are_removed_singly_or_together_and_validated() {
    let arize = arize().await;
    let fault = json!({"action": {"kind": "Status", "status": 503}});
    let id = arize.post("/_sim/faults", fault.clone()).await.body["id"].as_u64().unwrap();
    arize.post("/_sim/faults", fault).await;
    assert_eq!(arize.delete(&format!("/_sim/faults/{id}")).await.status, 204);
    assert_eq!(arize.delete(&format!("/_sim/faults/{id}")).await.status, 404);
    assert_eq!(arize.get("/v2/roles").await.status, 503);
    assert_eq!(arize.delete("/_sim/faults").await.status, 204);
    assert_eq!(arize.get("/v2/roles").await.status, 200);
    let wrong = [
        json!({"action": {"kind": "Explode"}}),
        json!({"match": {"method": "GET"}, "action": {"kind": "Reset"}}),
        json!({"probability": 2, "action": {"kind": "Reset"}}),
        json!({}),
    ];
    for fault in wrong {
        assert_eq!(arize.post("/_sim/faults", fault.clone()).await.status, 400, "{fault}");
    }
}
