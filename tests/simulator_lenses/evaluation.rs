//! Contract 3.2: effective access, by `/_sim/permits`.

use serde_json::json;

use crate::client::{Lenses, lenses, lenses_with};

const ALICE: &str = "alice@example.com";

/// Starts a simulator in which the one group of Alice has new roles with these policies. All environments are open to her.
async fn with_policies(policies: &[(&str, serde_json::Value)]) -> Lenses {
    let lenses = lenses_with(|switches| switches.environments_are_gates = false).await;
    let mut roles = Vec::new();
    for (name, policy) in policies {
        let created = lenses.post("/roles", json!({"name": name, "policy": policy})).await;
        assert_eq!(created.status, 201, "{}", created.body);
        roles.push(*name);
    }
    assert_eq!(lenses.patch("/groups/data-platform", json!({"roles": roles})).await.status, 200);
    lenses
}

#[tokio::test]
async fn access_is_denied_by_default_and_deny_beats_allow() {
    let lenses = with_policies(&[
        ("all", json!([{"effect": "allow", "action": "kafka:*", "resource": "kafka:topic:*"}])),
        (
            "none",
            json!([{"effect": "deny", "action": "kafka:Write*", "resource": "kafka:topic:production/*"}]),
        ),
    ])
    .await;
    assert!(lenses.permits(ALICE, "kafka:WriteTopicData", "kafka:topic:staging/kafka/a").await);
    assert!(lenses.permits(ALICE, "kafka:ReadTopicData", "kafka:topic:production/kafka/a").await);
    assert!(!lenses.permits(ALICE, "iam:ListRoles", "iam:role:developer").await);
    assert!(!lenses.permits("dave@example.com", "kafka:WriteTopicData", "kafka:topic:staging/kafka/a").await);
    let decision = lenses.decision(ALICE, "kafka:WriteTopicData", "kafka:topic:production/kafka/a").await;
    assert_eq!(
        decision,
        json!({
            "permitted": false,
            "is_admin": false,
            "allowed_by": ["all"],
            "denied_by": ["none"],
            "closed_environment": null,
        })
    );
}

#[tokio::test]
async fn patterns_cover_only_matching_actions_and_resources() {
    let policy =
        json!([{"effect": "allow", "action": "kafka:ListTopics", "resource": ["kafka:topic:*/*/blue-*"]}]);
    let lenses = with_policies(&[("blue", policy)]).await;
    assert!(lenses.permits(ALICE, "kafka:ListTopics", "kafka:topic:staging/kafka/blue-1").await);
    for (action, resource) in [
        ("kafka:ListTopics", "kafka:topic:staging/kafka/red-1"),
        ("kafka:ListTopics", "kafka:topic:blue-1"),
        ("kafka:ListTopics", "kafka:acl:staging/kafka/blue-1"),
        ("kafka:ListTopicDependants", "kafka:topic:staging/kafka/blue-1"),
    ] {
        assert!(!lenses.permits(ALICE, action, resource).await, "{action} {resource}");
    }
}

#[tokio::test]
async fn access_follows_group_membership() {
    let lenses =
        with_policies(&[("r", json!([{"effect": "allow", "action": "*", "resource": "iam:user:*"}]))]).await;
    let robot = "iam:service-account:ci-pipeline";
    assert!(lenses.permits(robot, "iam:ListUsers", "iam:user:peggy").await);
    lenses.patch("/groups/data-platform", json!({"remove_members": ["ci-pipeline"]})).await;
    assert!(!lenses.permits(robot, "iam:ListUsers", "iam:user:peggy").await);
    assert!(lenses.permits(ALICE, "iam:ListUsers", "iam:user:peggy").await);
    lenses.delete("/groups/data-platform").await;
    assert!(!lenses.permits(ALICE, "iam:ListUsers", "iam:user:peggy").await);
}

#[tokio::test]
async fn resources_in_an_environment_need_access_to_it() {
    let lenses = lenses().await;
    assert!(lenses.permits(ALICE, "kafka:ListTopics", "kafka:topic:development/kafka/a").await);
    let (carol, topic) = ("carol@example.com", "kafka:topic:production/kafka/a");
    let decision = lenses.decision(carol, "kafka:ListTopics", topic).await;
    assert_eq!(
        (&decision["permitted"], &decision["closed_environment"]),
        (&json!(false), &json!("production"))
    );
    lenses.new_role("opener", "environments:AccessEnvironment", "environments:*").await;
    lenses.patch("/groups/sre", json!({"roles": ["topic-reader", "opener"]})).await;
    assert!(lenses.permits(carol, "kafka:ListTopics", topic).await);
    assert!(lenses.permits("admin", "kafka:WriteTopicData", topic).await);
}

#[tokio::test]
async fn agents_can_ignore_service_wildcards() {
    let lenses = with_policies(&[
        ("kafka", json!([{"effect": "allow", "action": "kafka:*", "resource": "kafka:*"}])),
        ("iam", json!([{"effect": "allow", "action": "iam:*", "resource": "iam:*"}])),
        ("all", json!([{"effect": "allow", "action": "alerts:*", "resource": "*"}])),
    ])
    .await;
    let topic = ("kafka:ListTopics", "kafka:topic:staging/kafka/a");
    assert!(lenses.permits(ALICE, topic.0, topic.1).await);
    lenses.switch(|switches| switches.service_wildcards_ignored = true);
    assert!(!lenses.permits(ALICE, topic.0, topic.1).await);
    assert!(lenses.permits(ALICE, "iam:ListRoles", "iam:role:developer").await);
    assert!(lenses.permits(ALICE, "alerts:ListAlertEvents", "alerts:event:staging/kafka/a").await);
}

#[tokio::test]
async fn a_question_needs_all_parameters_and_a_known_principal() {
    let lenses = lenses().await;
    assert_eq!(lenses.get("/_sim/permits?principal=peggy&action=x").await.status, 400);
    let nobody = lenses.get("/_sim/permits?principal=nobody&action=x&resource=y").await;
    assert_eq!((nobody.status, nobody.body["error"].is_string()), (404, true));
}
