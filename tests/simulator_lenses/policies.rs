//! Contract 2.1, 3.3, 3.4: valid statements, and their form in answers.

use rolewright_simulators::lenses::switches::{Generation, PolicyEcho, Validation};
use serde_json::{Value, json};

use crate::client::{Lenses, lenses, lenses_with};

/// Adds a statement to a policy. Returns the status.
async fn append(lenses: &Lenses, action: Value, resource: Value) -> u16 {
    let statement = json!({"effect": "allow", "action": action, "resource": resource});
    lenses.post("/roles/legacy-auditor/policy", statement).await.status
}

#[tokio::test]
async fn statements_keep_their_form_or_have_one_form() {
    let lenses = lenses().await;
    let policy = json!([
        {"effect": "allow", "action": "kafka:ListTopics", "resource": ["kafka:topic:*"]},
        {"effect": "deny", "action": ["kafka:ListTopics", "kafka:ReadTopicData"], "resource": "*"},
    ]);
    assert_eq!(lenses.post("/roles", json!({"name": "r", "policy": policy})).await.body["policy"], policy);
    let shown = async || lenses.get("/roles/r").await.body["policy"].clone();
    assert_eq!(shown().await, policy);
    lenses.switch(|switches| switches.policy_echo = PolicyEcho::Arrays);
    assert_eq!(shown().await[0]["action"], json!(["kafka:ListTopics"]));
    assert_eq!(shown().await[1]["resource"], json!(["*"]));
    lenses.switch(|switches| switches.policy_echo = PolicyEcho::Scalars);
    assert_eq!(shown().await[0]["resource"], "kafka:topic:*");
    assert_eq!(shown().await[1]["action"], json!(["kafka:ListTopics", "kafka:ReadTopicData"]));
}

#[tokio::test]
async fn statements_need_an_effect_actions_and_resources() {
    let lenses = lenses().await;
    for invalid in [
        json!({"effect": "permit", "action": "*", "resource": "*"}),
        json!({"effect": "Allow", "action": "*", "resource": "*"}),
        json!({"action": "*", "resource": "*"}),
        json!({"effect": "allow", "resource": "*"}),
        json!({"effect": "allow", "action": "*"}),
        json!({"effect": "allow", "action": 1, "resource": "*"}),
        json!({"effect": "allow", "action": ["*", 1], "resource": "*"}),
        json!({"effect": "allow", "action": [], "resource": "*"}),
        json!("allow"),
    ] {
        assert_eq!(
            lenses.post("/roles/legacy-auditor/policy", invalid.clone()).await.status,
            400,
            "{invalid}"
        );
        let role = json!({"name": "r", "policy": [invalid]});
        assert_eq!(lenses.post("/roles", role).await.status, 400, "{invalid}");
    }
    assert_eq!(lenses.get("/roles/legacy-auditor").await.body["policy"].as_array().unwrap().len(), 1);
    assert_eq!(lenses.get("/roles/r").await.status, 404);
    assert_eq!(lenses.post("/roles", json!({"name": "r", "policy": "*"})).await.status, 400);
}

#[tokio::test]
async fn actions_and_resources_must_be_well_formed() {
    let lenses = lenses().await;
    for action in ["kafka", "kafka:L*s", "*:ListTopics"] {
        assert_eq!(append(&lenses, json!(action), json!("*")).await, 400, "{action}");
    }
    for resource in ["kafka:topic", "kafka:topic:a*b", "kafka:*:x", "kafka:topic:a:b"] {
        assert_eq!(append(&lenses, json!("*"), json!(["*", resource])).await, 400, "{resource}");
    }
    for resource in
        ["kafka:*", "kafka:topic:*/*/blue-*", "kafka:acl:*/*/*/user/blue-*", "rockets:rocket:1/2/3/4"]
    {
        assert_eq!(append(&lenses, json!("rockets:Launch"), json!(resource)).await, 200, "{resource}");
    }
}

#[tokio::test]
async fn validation_can_be_lax() {
    let lenses = lenses_with(|switches| switches.validation = Validation::Lax).await;
    assert_eq!(append(&lenses, json!("kaf*"), json!("kafka:topic:a*b")).await, 200);
    assert_eq!(append(&lenses, json!([]), json!("")).await, 200);
}

#[tokio::test]
async fn validation_can_use_the_catalogue() {
    let lenses = lenses_with(|switches| switches.validation = Validation::Strict).await;
    let append = async |action: &str, resource: &str| append(&lenses, json!(action), json!(resource)).await;
    assert_eq!(append("iam:*", "iam:*").await, 200);
    assert_eq!(append("kafka:ReadTopicData", "kafka:topic:*/kafka/blue-*").await, 200);
    assert_eq!(append("rockets:Launch", "*").await, 400);
    assert_eq!(append("kafka:FlyTopics", "*").await, 400);
    assert_eq!(append("*", "rockets:*").await, 400);
    assert_eq!(append("*", "kafka:rocket:*").await, 400);
    assert_eq!(append("*", "administration:connection:prod/kafka/main").await, 400);
    lenses.switch(|switches| {
        switches.generation = Generation::V61;
        switches.extra_actions.insert("rockets:rocket".into(), ["Launch".to_owned()].into());
        switches.missing_actions.insert("kafka:ReadTopicData".into());
    });
    assert_eq!(append("rockets:Launch", "rockets:rocket:1").await, 200);
    assert_eq!(append("kafka:ReadTopicData", "*").await, 400);
    assert_eq!(append("*", "administration:connection:prod/kafka/main").await, 200);
}

#[tokio::test]
async fn unknown_keys_in_bodies_are_ignored_or_refused() {
    let lenses = lenses().await;
    let odd = json!({"effect": "allow", "action": "*", "resource": "*", "condition": {}});
    assert_eq!(
        lenses.post("/roles", json!({"name": "a", "policy": [odd], "colour": "red"})).await.status,
        201
    );
    assert!(lenses.get("/roles/a").await.body.get("colour").is_none());
    lenses.switch(|switches| switches.unknown_keys_refused = true);
    assert_eq!(lenses.post("/roles", json!({"name": "b", "policy": [odd]})).await.status, 400);
    assert_eq!(lenses.post("/roles", json!({"name": "b", "colour": "red"})).await.status, 400);
    assert_eq!(lenses.patch("/roles/a", json!({"name": "a"})).await.status, 400);
    assert_eq!(lenses.patch("/groups/sre", json!({"add_roles": ["developer"]})).await.status, 400);
    assert_eq!(lenses.post("/roles", json!({"name": "b"})).await.status, 201);
}
