//! Contract 2.3: resource restrictions.

use rolewright_simulators::arize::{Kind, switches::ResourceType};
use serde_json::json;

use crate::client::{Arize, absent, arize, arize_with};

const PATH: &str = "/v2/resource-restrictions";

fn asset(arize: &Arize, kind: Kind) -> String {
    arize.simulator.edit(|tenant| {
        let table = if kind == Kind::Dashboard { &tenant.dashboards } else { &tenant.prompts };
        table.iter().next().unwrap().id.to_string()
    })
}

#[tokio::test]
async fn restricting_is_idempotent_and_unrestricting_is_not() {
    let arize = arize().await;
    let project = arize.project("research", "churn");
    let first = arize.post(PATH, json!({"resource_id": project})).await;
    assert_eq!(first.status, 200);
    assert_eq!((first.text("resource_type"), first.text("resource_id")), ("PROJECT".into(), project.clone()));
    let second = arize.post(PATH, json!({"resource_id": project})).await;
    assert_eq!((second.status, second.body), (200, first.body));
    let path = format!("{PATH}/{}", project.replace('=', "%3D"));
    assert_eq!(arize.delete(&path).await.status, 204);
    assert_eq!(arize.delete(&path).await.status, 404);
}

#[tokio::test]
async fn dashboards_and_prompts_can_be_restricted() {
    let arize = arize().await;
    for (kind, name) in [(Kind::Dashboard, "DASHBOARD"), (Kind::Prompt, "PROMPT")] {
        let answer = arize.post(PATH, json!({"resource_id": asset(&arize, kind)})).await;
        assert_eq!((answer.status, answer.text("resource_type")), (200, name.to_owned()));
        let listed = arize.all(&format!("{PATH}?resource_type={name}"), "resource_restrictions").await;
        assert_eq!(listed.len(), 1);
    }
    assert_eq!(arize.all(PATH, "resource_restrictions").await.len(), 3);
    assert_eq!(arize.get(&format!("{PATH}?resource_type=SPACE")).await.status, 400);
}

#[tokio::test]
async fn resources_that_cannot_be_restricted_are_refused() {
    let arize = arize().await;
    let cases = [
        (400, "churn".to_owned()),
        (400, arize.space("research")),
        (404, absent(Kind::Model)),
        (404, absent(Kind::Dashboard)),
        (422, arize.project("research", "fraud-scores")),
    ];
    for (status, resource) in cases {
        let answer = arize.post(PATH, json!({"resource_id": resource})).await;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    assert_eq!(arize.delete(&format!("{PATH}/{}", arize.space("research"))).await.status, 400);
    assert_eq!(arize.delete(&format!("{PATH}/{}", absent(Kind::Prompt))).await.status, 404);
    assert_eq!(arize.post(PATH, json!({})).await.status, 400);
}

#[tokio::test]
async fn a_server_can_know_fewer_resource_types() {
    let arize = arize_with(|switches| switches.restrictable = [ResourceType::Project].into()).await;
    let dashboard = asset(&arize, Kind::Dashboard);
    assert_eq!(arize.post(PATH, json!({"resource_id": dashboard})).await.status, 400);
    assert_eq!(arize.get(&format!("{PATH}?resource_type=DASHBOARD")).await.status, 400);
}

#[tokio::test]
async fn pages_are_cut_before_they_are_filtered() {
    let arize = arize().await;
    for project in ["churn", "churn-v2", "summaries"] {
        let resource = arize.project("research", project);
        assert_eq!(arize.post(PATH, json!({"resource_id": resource})).await.status, 200);
    }
    // The seed's restriction, in the space "operations", is the last of four.
    let grant = json!({"permissions": ["PROJECT_RESTRICT"], "spaces": [arize.space("operations")]});
    let reader = arize
        .caller(
            "reader",
            json!({"account_role": "ADMIN", "permissions": grant["permissions"], "spaces": grant["spaces"]}),
        )
        .await;
    let first = reader.get(&format!("{PATH}?limit=2")).await;
    assert_eq!(first.body["resource_restrictions"], json!([]));
    assert_eq!(first.body["pagination"]["has_more"], true);
    let cursor = first.body["pagination"]["next_cursor"].as_str().unwrap();
    let second = reader.get(&format!("{PATH}?limit=2&cursor={cursor}")).await;
    assert_eq!(second.body["resource_restrictions"].as_array().unwrap().len(), 1);
    assert_eq!(second.body["pagination"], json!({"has_more": false}));
}
