//! Contract 1.7, 2.1 to 2.5: what callers with fewer rights see, and when they get 403 or 404.

use serde_json::json;

use crate::client::arize;

#[tokio::test]
async fn a_caller_without_role_read_gets_403_on_roles() {
    let arize = arize().await;
    let caller =
        arize.caller("narrow", json!({"account_role": "ADMIN", "permissions": ["PROJECT_READ"]})).await;
    let path = format!("/v2/roles/{}", arize.role("Legacy reviewer"));
    assert_eq!(caller.get("/v2/roles").await.status, 403);
    assert_eq!(caller.get(&path).await.status, 403);
    let body = json!({"name": "r", "permissions": ["PROJECT_READ"]});
    assert_eq!(caller.post("/v2/roles", body).await.status, 403);
    assert_eq!(caller.patch(&path, json!({"name": "x"})).await.status, 403);
    assert_eq!(caller.delete(&path).await.status, 403);
}

#[tokio::test]
async fn a_member_reads_roles_and_users_and_changes_neither() {
    let arize = arize().await;
    let member =
        arize.caller("member", json!({"account_role": "MEMBER", "user_id": arize.user("alice")})).await;
    assert_eq!(member.get("/v2/roles").await.status, 200);
    assert_eq!(member.get("/v2/users").await.status, 200);
    let body = json!({"name": "r", "permissions": ["PROJECT_READ"]});
    assert_eq!(member.post("/v2/roles", body).await.status, 403);
    assert_eq!(member.delete(&format!("/v2/users/{}", arize.user("bob"))).await.status, 403);
    assert_eq!(member.get("/v2/audit-logs").await.status, 403);
}

#[tokio::test]
async fn bindings_are_listed_only_for_readable_spaces() {
    let arize = arize().await;
    let viewer = arize.role("Project Viewer");
    for (space, project) in [("research", "churn"), ("storefront", "search")] {
        let project = arize.project(space, project);
        assert_eq!(arize.bind(&arize.user("alice"), &viewer, &project).await.status, 201);
    }
    let list = "/v2/role-bindings?resource_type=PROJECT";
    let one_space = json!({"account_role": "ADMIN", "spaces": [arize.space("research")]});
    let seen = arize.caller("one-space", one_space).await.all(list, "role_bindings").await;
    assert_eq!(seen.len(), 1);
    let blind =
        arize.caller("blind", json!({"account_role": "ADMIN", "permissions": ["PROJECT_READ"]})).await;
    let page = blind.get(list).await;
    assert_eq!((page.status, page.body["role_bindings"].clone()), (200, json!([])));
}

#[tokio::test]
async fn a_binding_is_404_without_the_permission_for_the_call() {
    let arize = arize().await;
    let project = arize.project("research", "churn");
    let viewer = arize.role("Project Viewer");
    let id = arize.bind(&arize.user("alice"), &viewer, &project).await.text("id");
    let path = format!("/v2/role-bindings/{id}");
    let grant = |permissions: &[&str]| json!({"account_role": "ADMIN", "permissions": permissions});

    let reader = arize.caller("reader", grant(&["ROLE_BINDING_READ"])).await;
    assert_eq!(reader.get(&path).await.status, 200);
    assert_eq!(reader.patch(&path, json!({"role_id": viewer})).await.status, 404);
    assert_eq!(reader.delete(&path).await.status, 404);
    let creator = arize.caller("creator", grant(&["ROLE_BINDING_CREATE"])).await;
    assert_eq!(creator.get(&path).await.status, 404);
    assert_eq!(creator.patch(&path, json!({"role_id": viewer})).await.status, 404);
    let both = arize.caller("both", grant(&["ROLE_BINDING_CREATE", "ROLE_BINDING_DELETE"])).await;
    assert_eq!(both.patch(&path, json!({"role_id": viewer})).await.status, 200);
    assert_eq!(both.delete(&path).await.status, 204);
}

#[tokio::test]
async fn creating_a_binding_without_the_permission_is_403() {
    let arize = arize().await;
    let caller =
        arize.caller("narrow", json!({"account_role": "ADMIN", "spaces": [arize.space("storefront")]})).await;
    let body = json!({
        "user_id": arize.user("alice"),
        "role_id": arize.role("Project Viewer"),
        "resource_type": "PROJECT",
        "resource_id": arize.project("research", "churn"),
    });
    assert_eq!(caller.post("/v2/role-bindings", body).await.status, 403);
}

#[tokio::test]
async fn restricting_is_404_if_unreadable_else_403_if_not_permitted() {
    let arize = arize().await;
    let path = "/v2/resource-restrictions";
    let body = json!({"resource_id": arize.project("research", "churn")});
    let elsewhere = json!({"account_role": "ADMIN", "spaces": [arize.space("storefront")]});
    let elsewhere = arize.caller("elsewhere", elsewhere).await;
    assert_eq!(elsewhere.post(path, body.clone()).await.status, 404);
    let reader =
        arize.caller("reader", json!({"account_role": "ADMIN", "permissions": ["PROJECT_READ"]})).await;
    assert_eq!(reader.post(path, body.clone()).await.status, 403);
    let closer = arize.caller("closer", json!({"permissions": ["PROJECT_RESTRICT"]})).await;
    assert_eq!(closer.post(path, body).await.status, 200);
}

#[tokio::test]
async fn a_restricted_project_is_visible_to_admins_and_bound_users() {
    let arize = arize().await;
    let project = arize.project("research", "churn");
    let path = format!("/v2/projects/{project}");
    let carol = arize.caller("carol", json!({"user_id": arize.user("carol")})).await;
    assert_eq!(carol.get(&path).await.status, 200);
    let body = json!({"resource_id": project});
    assert_eq!(arize.post("/v2/resource-restrictions", body).await.status, 200);
    assert_eq!(carol.get(&path).await.status, 404);
    assert_eq!(arize.get(&path).await.status, 200);
    let viewer = arize.role("Project Viewer");
    assert_eq!(arize.bind(&arize.user("carol"), &viewer, &project).await.status, 201);
    assert_eq!(carol.get(&path).await.status, 200);
    assert_eq!(carol.delete(&path).await.status, 403);
}

#[tokio::test]
async fn rows_outside_the_visible_spaces_are_404() {
    let arize = arize().await;
    let caller =
        arize.caller("narrow", json!({"account_role": "ADMIN", "spaces": [arize.space("storefront")]})).await;
    assert_eq!(caller.get("/v2/spaces").await.names("spaces"), ["storefront"]);
    assert_eq!(caller.get("/v2/organizations").await.names("organizations"), ["Commerce"]);
    let projects = caller.get("/v2/projects").await.names("projects");
    assert_eq!(projects, ["checkout-assistant", "search", "demand-forecast"]);
    let research = arize.space("research");
    assert_eq!(caller.get(&format!("/v2/spaces/{research}")).await.status, 404);
    assert_eq!(caller.get(&format!("/v2/projects?space_id={research}")).await.status, 404);
    assert_eq!(caller.get(&format!("/v2/projects/{}", arize.project("research", "churn"))).await.status, 404);
}

#[tokio::test]
async fn a_private_space_is_visible_to_its_members_and_admins() {
    let arize = arize().await;
    let alice = arize.caller("alice", json!({"user_id": arize.user("alice")})).await;
    let bob = arize.caller("bob", json!({"user_id": arize.user("bob")})).await;
    let sees = |names: Vec<String>| names.contains(&"operations".to_owned());
    assert!(!sees(alice.get("/v2/spaces").await.names("spaces")));
    assert!(sees(bob.get("/v2/spaces").await.names("spaces")));
    assert!(sees(arize.get("/v2/spaces").await.names("spaces")));
}
