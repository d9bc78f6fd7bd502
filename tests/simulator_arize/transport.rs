//! Contract 1.1, 1.4 to 1.6, 4.9: credentials, error bodies, identifiers in paths.

use reqwest::Method;
use rolewright_simulators::arize::Kind;
use serde_json::json;

use crate::client::{absent, arize};

#[tokio::test]
async fn a_call_without_a_known_bearer_token_is_401() {
    let arize = arize().await;
    let url = format!("{}/v2/roles", arize.url);
    let headers =
        [None, Some("Bearer wrong"), Some("admin-token"), Some("Basic admin-token"), Some("Bearer ")];
    for header in headers {
        let mut request = arize.http.get(&url);
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        assert_eq!(request.send().await.unwrap().status(), 401, "{header:?}");
    }
}

#[tokio::test]
async fn an_error_is_a_problem_document_that_repeats_the_status() {
    let arize = arize().await;
    let path = format!("/v2/roles/{}", absent(Kind::Role));
    let answer = arize.get(&path).await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["status"], 404);
    assert_eq!(answer.body["title"], "Resource not found");
    assert_eq!(answer.body["type"], "https://arize.com/docs/ax/rest-reference/errors#resource-not-found");
    assert_eq!(answer.body["request_id"], answer.headers["x-request-id"].to_str().unwrap());
}

#[tokio::test]
async fn every_success_has_its_own_request_id() {
    let arize = arize().await;
    let (first, second) = (arize.get("/v2/roles").await, arize.get("/v2/roles").await);
    assert_ne!(first.headers["x-request-id"], second.headers["x-request-id"]);
    assert_eq!(first.headers["content-type"], "application/json");
}

#[tokio::test]
async fn identifiers_are_accepted_raw_and_percent_encoded() {
    let arize = arize().await;
    let id = arize.role("Legacy reviewer");
    assert!(id.ends_with('='), "{id}");
    assert_eq!(arize.get(&format!("/v2/roles/{id}")).await.status, 200);
    assert_eq!(arize.get(&format!("/v2/roles/{}", id.replace('=', "%3D"))).await.status, 200);
}

#[tokio::test]
async fn a_malformed_identifier_or_one_of_another_kind_is_400() {
    let arize = arize().await;
    let user = arize.user("alice");
    let unpadded = arize.role("Legacy reviewer").trim_end_matches('=').to_owned();
    for id in ["reviewer", &user, &unpadded] {
        assert_eq!(arize.get(&format!("/v2/roles/{id}")).await.status, 400, "{id}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_return_problem_documents() {
    let arize = arize().await;
    let answer = arize.get("/v2/nothing").await;
    assert_eq!((answer.status, answer.body["status"].as_u64()), (404, Some(404)));
    let answer = arize.put("/v2/roles", json!({})).await;
    assert_eq!((answer.status, answer.body["status"].as_u64()), (405, Some(405)));
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_400() {
    let arize = arize().await;
    for body in ["", "{", "[]", "\"text\"", "null"] {
        let request = arize.signed(Method::POST, "/v2/roles");
        let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
    }
}
