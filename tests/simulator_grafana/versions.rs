//! Contract 3.1: versions of roles, which differ between generations.

use rolewright_simulators::grafana::switches::Generation;
use serde_json::{Value, json};

use crate::client::{Grafana, grafana, grafana_with};

const ROLES: &str = "/access-control/roles";

async fn create(grafana: &Grafana, version: Option<i64>) -> Option<i64> {
    let mut role = json!({"uid": "r", "name": "r"});
    if let Some(version) = version {
        role["version"] = version.into();
    }
    grafana.post(ROLES, role).await.body["version"].as_i64()
}

/// The status, and the version after it.
async fn update(grafana: &Grafana, version: Value) -> (u16, Option<i64>) {
    let path = format!("{ROLES}/r");
    let answer = grafana.put(&path, json!({"name": "r", "version": version})).await;
    (answer.status, grafana.get(&path).await.body["version"].as_i64())
}

#[tokio::test]
async fn before_13_a_sent_version_is_stored_and_must_be_greater() {
    for generation in [Generation::V11, Generation::V12] {
        let grafana = grafana_with(|switches| switches.generation = generation).await;
        assert_eq!(create(&grafana, None).await, Some(0));
        assert_eq!(update(&grafana, Value::Null).await, (200, Some(1)));
        assert_eq!(update(&grafana, json!(0)).await, (200, Some(2)));
        assert_eq!(update(&grafana, json!(2)).await, (400, Some(2)));
        assert_eq!(update(&grafana, json!(3)).await, (200, Some(3)));
        assert_eq!(update(&grafana, json!(1000)).await, (200, Some(1000)));
        assert_eq!(update(&grafana, json!(4)).await, (400, Some(1000)));
    }
    let grafana = grafana_with(|switches| switches.generation = Generation::V12).await;
    assert_eq!(create(&grafana, Some(5)).await, Some(5));
}

#[tokio::test]
async fn since_13_a_sent_version_is_only_compared() {
    let grafana = grafana().await;
    assert_eq!(create(&grafana, Some(5)).await, Some(1));
    assert_eq!(update(&grafana, Value::Null).await, (200, Some(2)));
    assert_eq!(update(&grafana, json!(2)).await, (400, Some(2)));
    assert_eq!(update(&grafana, json!(1000)).await, (200, Some(3)));
    assert_eq!(update(&grafana, json!(4)).await, (200, Some(4)));
}

#[tokio::test]
async fn the_second_of_two_writers_with_one_version_is_refused() {
    for generation in [Generation::V11, Generation::V12, Generation::V13] {
        let grafana = grafana_with(|switches| switches.generation = generation).await;
        let next = create(&grafana, None).await.unwrap() + 1;
        assert_eq!(update(&grafana, json!(next)).await.0, 200, "{generation:?}");
        assert_eq!(update(&grafana, json!(next)).await, (400, Some(next)), "{generation:?}");
    }
}

#[tokio::test]
async fn a_stale_version_is_refused_with_the_switched_status() {
    let grafana = grafana_with(|switches| switches.stale_version_status = 412).await;
    create(&grafana, None).await;
    let answer = grafana.put(&format!("{ROLES}/r"), json!({"name": "r", "version": 1})).await;
    assert_eq!(answer.status, 412);
    assert!(answer.body.get("messageId").is_none());
    assert!(answer.text("message").contains("smaller than or equal to"), "{}", answer.body);
}

#[tokio::test]
async fn a_version_can_be_required() {
    let grafana = grafana_with(|switches| switches.version_required = true).await;
    create(&grafana, None).await;
    for absent in [Value::Null, json!(0)] {
        assert_eq!(update(&grafana, absent).await, (400, Some(1)));
    }
    assert_eq!(update(&grafana, json!(2)).await, (200, Some(2)));
}

#[tokio::test]
async fn a_switch_accepts_the_stored_version_and_it_still_grows() {
    for generation in [Generation::V12, Generation::V13] {
        let grafana = grafana_with(|switches| {
            switches.generation = generation;
            switches.same_version_passes = true;
        })
        .await;
        create(&grafana, None).await;
        let (_, version) = update(&grafana, Value::Null).await;
        let version = version.unwrap();
        assert_eq!(update(&grafana, json!(version)).await, (200, Some(version + 1)), "{generation:?}");
        assert_eq!(update(&grafana, json!(version)).await, (400, Some(version + 1)), "{generation:?}");
    }
}

#[tokio::test]
async fn grafana_11_needs_team_numbers_and_the_roles_wildcard() {
    for (generation, status) in [(Generation::V11, 404), (Generation::V12, 200), (Generation::V13, 200)] {
        let grafana = grafana_with(|switches| switches.generation = generation).await;
        let id = grafana.team("sre");
        let team = grafana.get(&format!("/teams/{id}")).await;
        assert_eq!(team.text("name"), "sre");
        assert_eq!(
            grafana.get(&format!("/teams/{}", team.text("uid"))).await.status,
            status,
            "{generation:?}"
        );
        let reader = grafana.caller_with("reader", &["roles:read@roles:uid:legacy-reviewer"]).await;
        let refused = if generation == Generation::V11 { 403 } else { 200 };
        assert_eq!(reader.get(&format!("{ROLES}/legacy-reviewer")).await.status, refused, "{generation:?}");
    }
}
