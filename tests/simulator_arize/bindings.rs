//! Contract 2.2: role bindings.

use rolewright_simulators::arize::Kind;
use serde_json::json;

use crate::client::{absent, arize, arize_with};

#[tokio::test]
async fn a_binding_is_created_read_updated_and_deleted() {
    let arize = arize().await;
    let (user, project) = (arize.user("alice"), arize.project("research", "churn"));
    let role = arize.new_role("writer").await;
    let created = arize.bind(&user, &role, &project).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.body["resource_type"], "PROJECT");
    let path = format!("/v2/role-bindings/{}", created.text("id"));
    assert_eq!(arize.get(&path).await.body, created.body);

    let viewer = arize.role("Project Viewer");
    let updated = arize.patch(&path, json!({"role_id": viewer})).await;
    assert_eq!((updated.status, updated.text("role_id")), (200, viewer));
    assert_eq!(updated.body["updated_at"], created.body["updated_at"]);

    assert_eq!(arize.delete(&path).await.status, 204);
    assert_eq!(arize.delete(&path).await.status, 404);
    assert_eq!(arize.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_second_binding_of_a_user_on_a_resource_is_409() {
    let arize = arize().await;
    let (user, project) = (arize.user("alice"), arize.project("research", "churn"));
    let (viewer, editor) = (arize.role("Project Viewer"), arize.role("Project Editor"));
    assert_eq!(arize.bind(&user, &viewer, &project).await.status, 201);
    for role in [&viewer, &editor] {
        let again = arize.bind(&user, role, &project).await;
        assert_eq!(again.status, 409);
        assert!(again.body.get("id").is_none());
    }
    let elsewhere = arize.project("research", "summaries");
    assert_eq!(arize.bind(&user, &viewer, &elsewhere).await.status, 201);
    assert_eq!(arize.bind(&arize.user("bob"), &viewer, &project).await.status, 201);
}

#[tokio::test]
async fn a_missing_resource_is_403_and_a_missing_user_or_role_404() {
    let arize = arize().await;
    let (user, project) = (arize.user("alice"), arize.project("research", "churn"));
    let role = arize.role("Project Viewer");
    assert_eq!(arize.bind(&user, &role, &absent(Kind::Model)).await.status, 403);
    assert_eq!(arize.bind(&absent(Kind::User), &role, &project).await.status, 404);
    assert_eq!(arize.bind(&user, &absent(Kind::Role), &project).await.status, 404);
    assert_eq!(arize.bind("alice@example.com", &role, &project).await.status, 400);
}

#[tokio::test]
async fn the_resource_type_is_upper_case_and_must_match_the_id() {
    let arize = arize().await;
    let (user, role) = (arize.user("alice"), arize.role("Project Viewer"));
    let (project, space) = (arize.project("research", "churn"), arize.space("research"));
    let cases = [
        (201, "SPACE", &space),
        (422, "project", &project),
        (422, "DASHBOARD", &project),
        (400, "SPACE", &project),
        (400, "PROJECT", &space),
        (201, "PROJECT", &project),
    ];
    for (status, resource_type, resource) in cases {
        let body = json!({
            "user_id": user, "role_id": role, "resource_type": resource_type, "resource_id": resource,
        });
        let answer = arize.post("/v2/role-bindings", body).await;
        assert_eq!(answer.status, status, "{resource_type} {}", answer.body);
    }
}

#[tokio::test]
async fn incomplete_and_extra_body_fields_are_400() {
    let arize = arize().await;
    let (user, project) = (arize.user("alice"), arize.project("research", "churn"));
    let role = arize.role("Project Viewer");
    let id = arize.bind(&user, &role, &project).await.text("id");
    let path = format!("/v2/role-bindings/{id}");
    for body in [json!({}), json!({"role_id": role, "user_id": user}), json!({"updated_at": "now"})] {
        assert_eq!(arize.patch(&path, body.clone()).await.status, 400, "{body}");
    }
    assert_eq!(arize.post("/v2/role-bindings", json!({"user_id": user})).await.status, 400);
}

#[tokio::test]
async fn a_switch_makes_an_unknown_field_422() {
    let arize = arize_with(|switches| switches.unknown_body_field_status = 422).await;
    let body = json!({"name": "r", "permissions": ["PROJECT_READ"], "colour": "red"});
    assert_eq!(arize.post("/v2/roles", body).await.status, 422);
}

#[tokio::test]
async fn a_patch_changes_updated_at_only_if_switched() {
    for moves in [false, true] {
        let arize = arize_with(|switches| switches.binding_update_moves_updated_at = moves).await;
        let role = arize.role("Project Viewer");
        let project = arize.project("research", "churn");
        let created = arize.bind(&arize.user("alice"), &role, &project).await;
        let path = format!("/v2/role-bindings/{}", created.text("id"));
        let same = arize.patch(&path, json!({"role_id": role})).await;
        assert_eq!(same.status, 200);
        assert_eq!(same.body["updated_at"] != created.body["updated_at"], moves);
    }
}

#[tokio::test]
async fn the_list_requires_a_resource_type_and_filters_by_user() {
    let arize = arize().await;
    let viewer = arize.role("Project Viewer");
    let (alice, bob) = (arize.user("alice"), arize.user("bob"));
    for (user, project) in [(&alice, "churn"), (&alice, "summaries"), (&bob, "churn")] {
        assert_eq!(arize.bind(user, &viewer, &arize.project("research", project)).await.status, 201);
    }
    assert_eq!(arize.get("/v2/role-bindings").await.status, 400);
    assert_eq!(arize.get("/v2/role-bindings?resource_type=project").await.status, 400);
    assert_eq!(arize.all("/v2/role-bindings?resource_type=SPACE", "role_bindings").await.len(), 0);
    // The seed has one binding.
    assert_eq!(arize.all("/v2/role-bindings?resource_type=PROJECT", "role_bindings").await.len(), 4);
    let of_alice = format!("/v2/role-bindings?resource_type=PROJECT&user_id={alice}");
    assert_eq!(arize.all(&of_alice, "role_bindings").await.len(), 2);
    let of_nobody = format!("/v2/role-bindings?resource_type=PROJECT&user_id={}", absent(Kind::User));
    assert_eq!(arize.get(&of_nobody).await.status, 404);
    assert_eq!(arize.get("/v2/role-bindings?resource_type=PROJECT&user_id=alice").await.status, 400);
}

#[tokio::test]
async fn the_bot_user_of_a_service_key_can_have_a_binding() {
    let arize = arize().await;
    let keys = arize.get("/v2/api-keys?key_type=SERVICE").await;
    let bot = keys.body["api_keys"][0]["bot_user"]["id"].as_str().unwrap().to_owned();
    let answer = arize.bind(&bot, &arize.role("Project Viewer"), &arize.project("research", "churn")).await;
    assert_eq!(answer.status, 201);
    let of_bot = format!("/v2/role-bindings?resource_type=PROJECT&user_id={bot}");
    assert_eq!(arize.all(&of_bot, "role_bindings").await.len(), 1);
}

#[tokio::test]
async fn listing_ten_thousand_bindings_is_fast() {
    let arize = crate::client::arize_of(|tenant| {
        let user = tenant.user_by_email("bob@example.com").unwrap();
        let role = tenant.role_by_name("Project Viewer").unwrap();
        let created_at = tenant.roles.get(role).unwrap().created_at;
        for _ in 0..10_000 {
            let id = tenant.issue(Kind::RoleBinding);
            // Each binding has its own project: a user has at most one on each.
            let project = tenant.issue(Kind::Model);
            let mut row = tenant.projects.iter().next().unwrap().clone();
            row.id = project;
            tenant.projects.insert(row);
            tenant.role_bindings.insert(rolewright_simulators::arize::rows::role_bindings::RoleBinding {
                id,
                role_id: role,
                user_id: user,
                resource_id: project,
                created_at,
                updated_at: created_at,
            });
        }
    })
    .await;
    let started = std::time::Instant::now();
    let all = arize.all("/v2/role-bindings?resource_type=PROJECT", "role_bindings").await;
    assert_eq!(all.len(), 10_001);
    // A hundred pages. Quadratic work would take minutes in a debug build.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
