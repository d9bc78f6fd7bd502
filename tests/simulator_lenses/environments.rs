//! Contract 2.6, 2.7: environments, and the catalogue of permissions.

use serde_json::{Value, json};

use crate::client::lenses;

#[tokio::test]
async fn creating_an_environment_returns_its_key_once() {
    let lenses = lenses().await;
    let created = lenses.post("/environments", json!({"name": "lab", "tier": "development"})).await;
    assert_eq!((created.status, created.text("display_name")), (201, "lab".into()));
    assert!(created.body["agent_key"].is_string() && created.body.get("status").is_none());
    let read = lenses.get("/environments/lab").await;
    assert!(read.body.get("agent_key").is_none());
    assert_eq!(lenses.get("/environments").await.item("lab"), &read.body);
    let changed = lenses.patch("/environments/lab", json!({"tier": "staging", "display_name": "Lab"})).await;
    assert_eq!((changed.text("tier"), changed.text("display_name")), ("staging".into(), "Lab".into()));
    assert_eq!(lenses.delete("/environments/lab").await.status, 204);
    assert_eq!(lenses.get("/environments/lab").await.status, 404);
    assert_eq!(lenses.post("/environments", json!({"name": "staging", "tier": "staging"})).await.status, 409);
    for invalid in
        [json!({"name": "x"}), json!({"name": "x", "tier": "test"}), json!({"name": "X", "tier": "staging"})]
    {
        assert_eq!(lenses.post("/environments", invalid).await.status, 400);
    }
}

#[tokio::test]
async fn environments_show_their_status_and_metadata() {
    let lenses = lenses().await;
    let staging = lenses.get("/environments/staging").await.body;
    assert_eq!((&staging["status"]["agent_connected"], &staging["metadata"]), (&json!(true), &json!({})));
    assert_eq!(staging["status"]["agent"]["metrics"]["kafka"]["num_brokers"], 3);
    lenses.post("/environments", json!({"name": "lab", "tier": "development"})).await;
    assert_eq!(lenses.get("/environments/lab").await.body["status"], json!({"agent_connected": false}));
}

#[tokio::test]
async fn the_catalogue_has_types_formats_and_actions() {
    let lenses = lenses().await;
    let topic = async || {
        let definitions = lenses.get("/permissions/definitions").await.body["resource_definitions"].clone();
        let found = |one: &&Value| one["full_name"] == "kafka:topic";
        definitions.as_array().unwrap().iter().find(found).cloned().unwrap()
    };
    let shown = topic().await;
    assert_eq!((&shown["service"], &shown["short_name"]), (&json!("kafka"), &json!("topic")));
    assert_eq!(shown["resource_format"], "kafka:topic:${Environment}/kafka/${Topic}");
    let has = |shown: &Value, action: &str| shown["actions"].as_array().unwrap().contains(&json!(action));
    assert!(has(&shown, "kafka:ListTopics") && !has(&shown, "ListTopics"));
    lenses.switch(|switches| {
        switches.bare_actions_in_catalogue = true;
        switches.missing_actions.insert("kafka:ReadTopicData".into());
        switches.extra_actions.insert("kafka:topic".into(), ["FlyTopic".to_owned()].into());
    });
    let shown = topic().await;
    assert!(has(&shown, "ListTopics") && has(&shown, "FlyTopic") && !has(&shown, "ReadTopicData"));
}
