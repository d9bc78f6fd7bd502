//! What the API server refuses in a Backend and a Role for ZenML Pro.

use serde_json::{Value, json};

use crate::support::{
    admission::Admission,
    zenml::{backend, role},
};

#[tokio::test(flavor = "multi_thread")]
async fn backend_that_cannot_connect_is_refused() {
    const ONE: &str = "either apiKeySecretRef, or clientId";
    let zenml = |fields: Value| {
        let mut object = backend("https://zenml.example.com/api/v1", json!({}));
        object["spec"]["zenml"].as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        object
    };
    let credentials = |value: Value| zenml(json!({ "credentials": value }));
    let clear_text = json!({ "url": "http://zenml.example.com", "allowInsecure": false });
    let secret = json!({ "name": "zenml-key", "key": "key" });
    let admission = Admission::new().await;
    admission
        .assert_refused(&[
            ("clear text", zenml(clear_text), &["allowInsecure"]),
            ("query", zenml(json!({ "url": "https://zenml.example.com?x=1" })), &["url"]),
            ("unknown form", zenml(json!({ "permissionForm": "Nested" })), &["Grouped", "Pairs"]),
            ("empty organization", zenml(json!({ "organization": "" })), &["organization"]),
            ("no credential", credentials(json!({})), &[ONE]),
            ("a client without secret", credentials(json!({ "clientId": "x" })), &[ONE]),
            ("both", credentials(json!({ "apiKeySecretRef": secret, "audience": "x" })), &[ONE]),
        ])
        .await;
    let client = json!({ "clientId": "x", "clientSecretRef": secret, "audience": "y" });
    admission.apply(&credentials(client)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn level_of_a_role_is_one_of_three_and_immutable() {
    let admission = Admission::new().await;
    admission.apply(&role("reader", json!({}))).await.unwrap();
    let level = |name: &str, level: &str| role(name, json!({ "zenml": { "level": level } }));
    admission
        .assert_refused(&[
            ("another level", level("reader", "Project"), &["zenml.level cannot be changed"]),
            ("an unknown level", level("other", "Planet"), &["Workspace"]),
        ])
        .await;
    admission.apply(&level("other", "Organization")).await.unwrap();
}
