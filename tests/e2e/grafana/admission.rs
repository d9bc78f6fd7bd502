//! What the API server refuses in a Backend for Grafana.

use serde_json::{Value, json};

use crate::support::{admission::Admission, grafana::backend};

#[tokio::test(flavor = "multi_thread")]
async fn backend_that_cannot_connect_is_refused() {
    const URL: &str = "url can only have a scheme, a host with an optional port, and the path of Grafana";
    const ONE: &str = "write either tokenSecretRef, or username and passwordSecretRef";
    let grafana = |field: &str, value: Value| {
        let mut object = backend("https://grafana.example.com/grafana", json!({}));
        object["spec"]["grafana"][field] = value;
        object
    };
    let url = |url: &str| grafana("url", json!(url));
    let credentials = |value: Value| grafana("credentials", value);
    let mut clear_text = url("http://grafana.example.com");
    clear_text["spec"]["grafana"].as_object_mut().unwrap().remove("allowInsecure");
    let secret = json!({ "name": "grafana", "key": "password" });
    let both = json!({ "username": "admin", "passwordSecretRef": secret, "tokenSecretRef": secret });
    Admission::new()
        .await
        .assert_refused(&[
            ("query", url("https://grafana.example.com/?orgId=1"), &[URL]),
            ("user", url("https://admin:secret@grafana.example.com"), &[URL]),
            ("no host", url("https://"), &[URL]),
            ("clear text", clear_text, &["set allowInsecure: true"]),
            ("no credential", credentials(json!({})), &[ONE]),
            ("a user without password", credentials(json!({ "username": "admin" })), &[ONE]),
            ("both", credentials(both), &[ONE]),
            ("organization 0", grafana("orgId", json!(0)), &["orgId"]),
        ])
        .await;
}
