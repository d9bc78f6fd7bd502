//! Contract 6.1: how servers before 11.40 differ.

use rolewright_simulators::arize::{Switches, switches::Generation};
use serde_json::json;

use crate::client::{arize_of, arize_with};

fn old(switches: &mut Switches) {
    switches.generation = Generation::Before1140;
}

#[tokio::test]
async fn enumerations_are_lower_case_but_resource_types_are_not() {
    let arize = arize_with(old).await;
    let users = arize.get("/v2/users?status=active&email=alice").await;
    assert_eq!(users.body["users"][0]["status"], "active");
    assert_eq!(users.body["users"][0]["role"], json!({"type": "predefined", "name": "member"}));
    assert_eq!(arize.get("/v2/users?status=ACTIVE").await.status, 400);
    let keys = arize.get("/v2/api-keys?key_type=service").await;
    assert_eq!(keys.body["api_keys"][0]["status"], "active");
    assert!(keys.body["api_keys"][0].get("bot_user").is_none());
    assert_eq!(arize.get("/v2/api-keys?status=deleted").await.status, 200);
    assert_eq!(arize.get("/v2/role-bindings?resource_type=PROJECT").await.status, 200);
}

#[tokio::test]
async fn restricting_has_a_wrapped_answer_and_takes_only_projects() {
    let arize = arize_with(old).await;
    let project = arize.project("research", "churn");
    let answer = arize.post("/v2/resource-restrictions", json!({"resource_id": project})).await;
    assert_eq!(answer.body["resource_restriction"]["resource_id"], project);
    let dashboard = arize.simulator.edit(|tenant| tenant.dashboards.iter().next().unwrap().id);
    let answer = arize.post("/v2/resource-restrictions", json!({"resource_id": dashboard})).await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn spaces_do_not_show_their_organization() {
    let arize = arize_with(old).await;
    assert!(arize.get("/v2/spaces").await.body["spaces"][0].get("organization_id").is_none());
}

#[tokio::test]
async fn role_permissions_do_not_exist_and_are_not_checked() {
    let arize = arize_with(old).await;
    let body = json!({"name": "r", "permissions": ["ROLE_READ"]});
    assert_eq!(arize.post("/v2/roles", body).await.status, 422);
    let narrow = arize.caller("narrow", json!({"permissions": ["PROJECT_READ"]})).await;
    assert_eq!(narrow.get("/v2/roles").await.status, 200);
}

#[tokio::test]
async fn binding_lists_are_unfiltered_and_bound_roles_deletable() {
    let arize = arize_with(old).await;
    let role = arize.new_role("writer").await;
    let project = arize.project("research", "churn");
    assert_eq!(arize.bind(&arize.user("alice"), &role, &project).await.status, 201);
    let narrow = arize.caller("narrow", json!({"permissions": ["PROJECT_READ"]})).await;
    let list = "/v2/role-bindings?resource_type=PROJECT";
    assert_eq!(narrow.all(list, "role_bindings").await.len(), 2);
    assert_eq!(arize.delete(&format!("/v2/roles/{role}")).await.status, 204);
    assert_eq!(arize.all(list, "role_bindings").await.len(), 2);
}

#[tokio::test]
async fn a_server_can_be_updated_while_it_runs() {
    let arize = arize_of(|tenant| old(&mut tenant.switches)).await;
    assert_eq!(arize.get("/v2/users?status=active").await.status, 200);
    let mut state = arize.get("/_sim/state").await.body;
    state["switches"]["generation"] = "Current".into();
    assert_eq!(arize.put("/_sim/state", state).await.status, 204);
    assert_eq!(arize.get("/v2/users?status=active").await.status, 400);
    assert_eq!(arize.get("/v2/users?status=ACTIVE").await.status, 200);
}
