//! Contract 2.3: organizations, workspaces and projects.

use rolewright_simulators::zenml;
use serde_json::{Value, json};

use crate::{
    client::{exists, illegal, missing, zenml, zenml_with},
    support::control::lies_below_a_path,
};

#[tokio::test]
async fn organizations_are_found_by_identifier_or_name() {
    let zenml = zenml().await;
    let by_name = zenml.get("/organizations/acme").await;
    assert_eq!((by_name.status, by_name.text("id")), (200, zenml.organization()));
    assert!(by_name.body["created"].is_string() && by_name.body["updated"].is_string());
    assert_eq!(zenml.get(&format!("/organizations/{}", zenml.organization())).await.body, by_name.body);
    assert_eq!(zenml.get("/organizations/acm").await.exception(), missing());
    // The service account belongs to one organization.
    assert_eq!(zenml.get("/organizations").await.each("name"), ["acme"]);
    assert_eq!(zenml.get("/organizations/partners").await.exception(), illegal());
    zenml.switch(|switches| switches.hidden_status = 404);
    assert_eq!(zenml.get("/organizations/partners").await.exception(), missing());
}

#[tokio::test]
async fn a_personal_token_reaches_all_organizations_of_its_user() {
    let zenml = zenml().await;
    let erin = zenml.person("erin").await;
    let created = erin.post("/organizations", json!({"name": "labs", "description": "d"})).await;
    assert_eq!(created.status, 200, "{}", created.body);
    assert_eq!(erin.get("/organizations").await.each("name"), ["acme", "labs"]);
    assert_eq!(erin.get("/organizations/labs/roles").await.body.as_array().unwrap().len(), 14);
    assert_eq!(erin.post("/organizations", json!({"name": "labs"})).await.exception(), exists());
    assert_eq!(zenml.post("/organizations", json!({"name": "other"})).await.exception(), illegal());
    let changed = erin.patch("/organizations/labs", json!({"name": "research"})).await;
    assert_eq!((changed.text("name"), changed.text("description")), ("research".into(), "d".into()));
    assert_eq!(erin.delete("/organizations/research").await.raw, "null");
    assert_eq!(erin.get("/organizations/research").await.exception(), missing());
    assert_eq!(erin.get("/organizations/acme").await.status, 200);
}

#[tokio::test]
async fn deleting_an_organization_deletes_all_its_rows() {
    let zenml = zenml().await;
    let peggy = zenml.person("peggy").await;
    let partners = zenml.partners();
    assert_eq!(peggy.delete("/organizations/partners").await.status, 200);
    let state = zenml.get("/_sim/state").await.body;
    assert!(!state.to_string().contains(&partners));
    assert_eq!(zenml.put("/_sim/state", state).await.status, 204);
}

#[tokio::test]
async fn workspaces_are_listed_filtered_and_have_two_paths() {
    let zenml = zenml().await;
    let names = async |query: &str| zenml.get(&format!("/workspaces{query}")).await.each("name");
    assert_eq!(names("").await, ["production", "staging"]);
    assert_eq!(names("?workspace_name=staging").await, ["staging"]);
    assert_eq!(names("?status=failed").await, [""; 0]);
    assert_eq!(names(&format!("?organization_id={}", zenml.partners())).await, [""; 0]);
    assert_eq!(names("?offset=1&limit=20").await, ["staging"]);
    assert_eq!(zenml.get("/tenants").await.each("name"), ["production", "staging"]);
    let carol = zenml.person("carol").await;
    assert_eq!(carol.get("/workspaces?member_only=True").await.each("name"), ["production"]);
    assert_eq!(carol.get("/workspaces").await.each("name"), ["production", "staging"]);
    zenml.switch(|switches| switches.member_only_by_default = true);
    assert_eq!(carol.get("/workspaces").await.each("name"), ["production"]);
    assert_eq!(carol.get("/workspaces?member_only=False").await.each("name"), ["production", "staging"]);
    zenml.switch(|switches| switches.member_only_by_default = false);

    let read = zenml.get("/workspaces/production").await;
    assert_eq!(read.text("id"), zenml.workspace("production"));
    assert_eq!(read.body["organization"]["id"], zenml.organization());
    let url = read.body["zenml_service"]["status"]["server_url"].as_str().unwrap();
    assert_eq!(zenml.get(&format!("/tenants/{}", read.text("id"))).await.body, read.body);
    assert_eq!(names(&format!("?url={url}")).await, ["production"]);
    assert_eq!(zenml.get("/workspaces/elsewhere").await.exception(), missing());
    // Another organization has a workspace of the same name.
    let theirs = zenml.person("peggy").await.get("/workspaces/production").await;
    assert_eq!(theirs.body["organization"]["id"], zenml.partners());
}

#[tokio::test]
async fn workspaces_are_created_and_changed() {
    let zenml = zenml().await;
    let organization = zenml.organization();
    let body =
        json!({"name": "qa", "display_name": "QA", "organization_id": organization, "zenml_service": {}});
    let created = zenml.post("/workspaces", body.clone()).await;
    assert_eq!(
        (created.status, created.text("status"), created.text("display_name")),
        (200, "available".into(), "QA".into())
    );
    assert_eq!(zenml.post("/workspaces", body).await.exception(), exists());
    let bare = zenml
        .post("/workspaces", json!({"display_name": "Load Test", "organization_id": organization}))
        .await;
    assert_eq!((bare.text("name"), bare.text("status")), ("load-test".into(), "not_initialized".into()));
    assert_eq!(
        zenml.patch("/workspaces/qa", json!({"name": "quality"})).await.text("id"),
        created.text("id")
    );
    assert_eq!(zenml.patch("/workspaces/quality", json!({"name": "staging"})).await.exception(), exists());
}

#[tokio::test]
async fn projects_are_listed_only_on_some_servers() {
    let zenml = zenml_with(|switches| switches.project_paths = false).await;
    let list = zenml.get("/workspaces/production/projects").await;
    assert_eq!((list.status, &list.body["detail"]), (404, &json!("Not Found")));
    zenml.switch(|switches| switches.project_paths = true);
    assert_eq!(zenml.get("/workspaces/staging/projects").await.each("name"), ["default", "churn"]);
    let churn = zenml.project("staging", "churn");
    for name in ["churn", &churn] {
        let project = zenml.get(&format!("/workspaces/staging/projects/{name}")).await;
        assert_eq!(
            (project.text("id"), project.text("workspace_id")),
            (churn.clone(), zenml.workspace("staging"))
        );
    }
    assert_eq!(zenml.get("/workspaces/staging/projects/fraud-detection").await.exception(), missing());
}

#[tokio::test]
async fn a_deleted_workspace_is_a_row_or_none_and_has_no_assignments() {
    let zenml = zenml().await;
    let production = zenml.workspace("production");
    let path = format!("/roles/{}/assignments?workspace_id={production}", zenml.role("legacy-reviewer"));
    assert_eq!(zenml.get(&path).await.body.as_array().unwrap().len(), 2);
    zenml.simulator.edit(|tenant| tenant.delete_workspace(production.parse().unwrap(), true));
    assert_eq!(zenml.get("/workspaces?status=deleted").await.each("name"), ["production"]);
    assert_eq!(zenml.get(&format!("/workspaces/{production}")).await.text("status"), "deleted");
    assert_eq!(zenml.get(&path).await.exception(), missing());
    zenml.simulator.edit(|tenant| tenant.delete_workspace(production.parse().unwrap(), false));
    assert_eq!(zenml.get("/workspaces").await.each("name"), ["staging"]);
    assert_eq!(zenml.get(&format!("/workspaces/{production}")).await.exception(), missing());
    assert_eq!(zenml.get(&path).await.exception(), missing());
    zenml.switch(|switches| switches.missing_scope_status = 200);
    assert_eq!(zenml.get(&path).await.body, json!([]));
}

#[tokio::test]
async fn scope_members_are_the_principals_with_a_role_there() {
    let zenml = zenml().await;
    let names = |body: &Value| -> Vec<Value> {
        let rows = body.as_array().unwrap().iter();
        rows.map(|row| {
            if row["user"].is_null() { row["team"]["name"].clone() } else { row["user"]["username"].clone() }
        })
        .collect()
    };
    let members = zenml.get("/tenants/production/members").await.body;
    let mut found = names(&members);
    found.sort_by_key(Value::to_string);
    assert_eq!(found, ["carol", "finance"]);
    let members = zenml.get("/workspaces/production/projects/churn/members").await.body;
    assert_eq!(names(&members), ["dave"]);
}

#[tokio::test]
async fn a_server_can_be_below_a_path() {
    let below = lies_below_a_path::<zenml::ZenMl>("/users/me").await;
    assert_eq!(below.session().await.get("/users/me").await.status, 200);
}

#[tokio::test]
async fn hidden_rows_can_be_404() {
    let zenml = zenml_with(|switches| switches.hidden_status = 404).await;
    let role = zenml.partners_role("Workspace Viewer");
    assert_eq!(zenml.get(&format!("/roles/{role}")).await.exception(), missing());
    zenml.switch(|switches| switches.hidden_status = 403);
    assert_eq!(zenml.get(&format!("/roles/{role}")).await.exception(), illegal());
}
