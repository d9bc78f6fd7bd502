//! Contract 1.3: the three forms of a detail, also of injected errors.

use serde_json::json;

use crate::client::{Login, zenml};

#[tokio::test]
async fn details_are_texts_exceptions_or_lists_of_objects() {
    let zenml = zenml().await;
    let unknown = zenml.get("/nowhere").await;
    assert_eq!((unknown.status, unknown.body), (404, json!({"detail": "Not Found"})));
    let missing = zenml.get("/organizations/nowhere").await;
    assert_eq!((missing.status, missing.body["detail"].as_array().unwrap().len()), (404, 2));
    assert_eq!(zenml.get("/roles/not-a-uuid").await.invalid(), json!(["path", "role_id"]));
    for answer in [zenml.get("/nowhere").await, zenml.with(Login::None).get("/users/me").await] {
        assert!(answer.headers.contains_key("x-request-id"));
        assert_eq!(answer.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn injected_errors_have_the_usual_form_of_their_status() {
    let zenml = zenml().await;
    let classes = [
        (400, "ValueError"),
        (402, "SubscriptionUpgradeRequiredError"),
        (403, "IllegalOperationError"),
        (404, "KeyError"),
        (409, "EntityExistsError"),
        (500, "RuntimeError"),
    ];
    for (status, class) in classes {
        zenml.inject(json!({"kind": "Status", "status": status}), "/organizations**").await;
        assert_eq!(zenml.get("/organizations").await.exception(), (status, class.into()));
    }
    for status in [401, 429, 502, 503] {
        zenml.inject(json!({"kind": "Status", "status": status}), "/organizations**").await;
        let answer = zenml.get("/organizations").await;
        assert_eq!((answer.status, answer.body["detail"].is_string()), (status, true));
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
    }
    zenml.inject(json!({"kind": "Status", "status": 422}), "/organizations**").await;
    assert_eq!(zenml.get("/organizations").await.invalid()[0], "body");
}

#[tokio::test]
async fn throttling_has_a_retry_after_header_or_none() {
    let zenml = zenml().await;
    zenml.inject(json!({"kind": "Throttle", "per_second": 0, "retry_after": 7}), "/organizations**").await;
    let answer = zenml.get("/organizations").await;
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (429, "7"));
    zenml.inject(json!({"kind": "Throttle", "per_second": 0, "retry_after": null}), "/organizations**").await;
    let answer = zenml.get("/organizations").await;
    assert_eq!((answer.status, answer.headers.contains_key("retry-after")), (429, false));
}

#[tokio::test]
async fn a_page_can_be_shortened() {
    let zenml = zenml().await;
    zenml.inject(json!({"kind": "ShortPage", "keep": 3}), "/organizations**").await;
    assert_eq!(zenml.roles("").await.len(), 3);
    assert_eq!(zenml.roles("").await.len(), 18);
}

#[tokio::test]
async fn faults_hit_a_key_and_its_sessions() {
    let zenml = zenml().await;
    let session = zenml.session().await;
    zenml.fault(json!({"match": {"credential": "admin"}, "action": {"kind": "Status", "status": 503}})).await;
    assert_eq!(session.get("/users/me").await.status, 503);
    assert_eq!(zenml.get("/users/me").await.status, 503);
}
