//! Contract 2.5: organizations, spaces, projects.

use rolewright_simulators::arize::Kind;
use serde_json::json;

use crate::client::{absent, arize};

#[tokio::test]
async fn names_match_as_substrings_in_any_case() {
    let arize = arize().await;
    assert_eq!(arize.get("/v2/spaces?name=RESEARCH").await.names("spaces"), ["research", "research-archive"]);
    assert_eq!(arize.get("/v2/spaces?name=sandbox").await.names("spaces"), ["sandbox", "sandbox"]);
    assert_eq!(arize.get("/v2/organizations?name=SEA").await.names("organizations"), ["Research"]);
    assert_eq!(arize.get("/v2/projects?name=churn&space_name=archive").await.names("projects"), ["churn"]);
    assert_eq!(arize.get("/v2/projects?name=churn").await.names("projects").len(), 3);
    assert_eq!(arize.get(&format!("/v2/spaces?name={}", "x".repeat(256))).await.status, 400);
}

#[tokio::test]
async fn a_list_below_a_missing_parent_is_404() {
    let arize = arize().await;
    let organization = absent(Kind::AccountOrganization);
    assert_eq!(arize.get(&format!("/v2/spaces?org_id={organization}")).await.status, 404);
    assert_eq!(arize.get(&format!("/v2/projects?space_id={}", absent(Kind::Space))).await.status, 404);
    assert_eq!(arize.get(&format!("/v2/projects?space_id={}", arize.space("research"))).await.status, 200);
    assert_eq!(arize.get("/v2/projects?project_type=TOY").await.status, 400);
    assert_eq!(arize.get("/v2/projects?project_type=HARNESS").await.names("projects").len(), 0);
}

#[tokio::test]
async fn names_are_unique_only_within_the_parent() {
    let arize = arize().await;
    let organization = arize.post("/v2/organizations", json!({"name": "New"})).await;
    assert_eq!((organization.status, organization.text("description")), (201, String::new()));
    assert_eq!(arize.post("/v2/organizations", json!({"name": "New"})).await.status, 409);
    let body = json!({"name": "sandbox", "organization_id": organization.text("id")});
    let space = arize.post("/v2/spaces", body.clone()).await;
    assert_eq!((space.status, &space.body["is_private"]), (201, &json!(false)));
    assert_eq!(arize.post("/v2/spaces", body).await.status, 409);
    let body = json!({"name": "churn", "space_id": space.text("id")});
    assert_eq!(arize.post("/v2/projects", body.clone()).await.status, 201);
    assert_eq!(arize.post("/v2/projects", body).await.status, 409);
}

#[tokio::test]
async fn identifiers_have_the_vendors_kinds() {
    let arize = arize().await;
    let organizations = arize.get("/v2/organizations").await;
    // base64 of "AccountOrganization:" and "Model:".
    let id = organizations.body["organizations"][0]["id"].as_str().unwrap();
    assert!(id.starts_with("QWNjb3VudE9yZ2FuaXphdGlvbj"), "{id}");
    assert!(arize.project("research", "churn").starts_with("TW9kZWw6"));
}

#[tokio::test]
async fn a_space_refuses_an_empty_description_and_null_clears_it() {
    let arize = arize().await;
    let path = format!("/v2/spaces/{}", arize.space("research"));
    assert_eq!(arize.patch(&path, json!({"description": "text"})).await.text("description"), "text");
    assert_eq!(arize.patch(&path, json!({"description": ""})).await.status, 422);
    assert_eq!(arize.patch(&path, json!({"description": null})).await.text("description"), "");
    assert_eq!(arize.patch(&path, json!({"name": "research-archive"})).await.status, 409);
}

#[tokio::test]
async fn deleting_a_project_deletes_its_bindings_and_restriction() {
    let arize = arize().await;
    let project = arize.project("operations", "payroll-assistant");
    assert_eq!(arize.delete(&format!("/v2/projects/{project}")).await.status, 204);
    assert!(arize.all("/v2/role-bindings?resource_type=PROJECT", "role_bindings").await.is_empty());
    assert!(arize.all("/v2/resource-restrictions", "resource_restrictions").await.is_empty());
    assert_eq!(arize.get(&format!("/v2/projects/{project}")).await.status, 404);
}

#[tokio::test]
async fn deleting_a_space_or_organization_deletes_everything_in_it() {
    let arize = arize().await;
    let operations = arize.get(&format!("/v2/spaces/{}", arize.space("operations"))).await;
    assert_eq!(arize.delete(&format!("/v2/spaces/{}", operations.text("id"))).await.status, 204);
    assert!(arize.all("/v2/role-bindings?resource_type=PROJECT", "role_bindings").await.is_empty());
    let platform = operations.text("organization_id");
    assert_eq!(arize.delete(&format!("/v2/organizations/{platform}")).await.status, 204);
    assert_eq!(arize.all("/v2/spaces", "spaces").await.len(), 4);
    assert_eq!(arize.all("/v2/projects", "projects").await.len(), 11);
    assert_eq!(arize.get(&format!("/v2/organizations/{platform}")).await.status, 404);
}

#[tokio::test]
async fn a_project_can_be_renamed() {
    let arize = arize().await;
    let path = format!("/v2/projects/{}", arize.project("research", "churn"));
    assert_eq!(arize.patch(&path, json!({"name": "churn-v2"})).await.status, 409);
    assert_eq!(arize.patch(&path, json!({"name": "churn-v3"})).await.text("name"), "churn-v3");
    assert_eq!(arize.patch(&path, json!({})).await.status, 400);
}
