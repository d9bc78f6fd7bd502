//! Contract 2.1: roles.

use rolewright_simulators::arize::{
    Kind,
    switches::{DuplicatePermissions, PermissionOrder, RoleDeletion},
};
use serde_json::json;

use crate::client::{absent, arize, arize_with};

#[tokio::test]
async fn a_role_is_created_read_updated_and_deleted() {
    let arize = arize().await;
    let body = json!({"name": "reports-writer", "permissions": ["PROJECT_READ", "DATASET_READ"], "description": "d"});
    let created = arize.post("/v2/roles", body).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.body["is_predefined"], false);
    assert_eq!(created.body["permissions"], json!(["DATASET_READ", "PROJECT_READ"]));
    assert_eq!(created.body["created_at"], created.body["updated_at"]);
    let path = format!("/v2/roles/{}", created.text("id"));
    assert_eq!(arize.get(&path).await.body, created.body);

    let updated = arize.patch(&path, json!({"name": "reports", "permissions": ["PROMPT_READ"]})).await;
    assert_eq!(updated.status, 200);
    assert_eq!(updated.body["permissions"], json!(["PROMPT_READ"]));
    assert_eq!((&updated.body["description"], &updated.body["id"]), (&json!("d"), &created.body["id"]));

    let deleted = arize.delete(&path).await;
    assert_eq!((deleted.status, deleted.raw.len()), (204, 0));
    assert_eq!(arize.get(&path).await.status, 404);
    assert_eq!(arize.delete(&path).await.status, 404);
    assert!(!arize.get("/v2/roles").await.names("roles").contains(&"reports".to_owned()));
}

#[tokio::test]
async fn a_description_is_omitted_when_empty_and_cleared_by_null() {
    let arize = arize().await;
    let body = json!({"name": "r", "permissions": ["PROJECT_READ"], "description": "text"});
    let path = format!("/v2/roles/{}", arize.post("/v2/roles", body).await.text("id"));
    let cleared = arize.patch(&path, json!({"description": null})).await;
    assert_eq!(cleared.status, 200);
    assert!(cleared.body.get("description").is_none());
}

#[tokio::test]
async fn names_are_unique_across_custom_and_predefined_roles() {
    let arize = arize().await;
    arize.new_role("writer").await;
    let other = arize.new_role("other").await;
    for name in ["writer", "Project Viewer"] {
        let body = json!({"name": name, "permissions": ["PROJECT_READ"]});
        assert_eq!(arize.post("/v2/roles", body).await.status, 409, "{name}");
    }
    assert_eq!(arize.patch(&format!("/v2/roles/{other}"), json!({"name": "writer"})).await.status, 409);
    assert_eq!(arize.patch(&format!("/v2/roles/{other}"), json!({"name": "other"})).await.status, 200);
    arize.new_role("Writer").await;
}

#[tokio::test]
async fn blanks_around_texts_of_roles_can_be_removed() {
    for (trims, name) in [(false, " reader "), (true, "reader")] {
        let arize = arize_with(move |switches| switches.role_texts_are_trimmed = trims).await;
        let body = json!({"name": " reader ", "description": "Reads\n", "permissions": ["PROJECT_READ"]});
        let role = arize.post("/v2/roles", body).await.body;
        assert_eq!(role["name"], name);
        assert_eq!(role["description"] == "Reads", trims);
    }
}

#[tokio::test]
async fn uniqueness_of_names_can_be_switched() {
    let arize = arize_with(|switches| {
        switches.role_names_case_sensitive = false;
        switches.predefined_names_collide = false;
        switches.deleted_role_names_stay_taken = true;
    })
    .await;
    arize.new_role("Project Viewer").await;
    let id = arize.new_role("writer").await;
    let body = json!({"name": "WRITER", "permissions": ["PROJECT_READ"]});
    assert_eq!(arize.post("/v2/roles", body.clone()).await.status, 409);
    assert_eq!(arize.delete(&format!("/v2/roles/{id}")).await.status, 204);
    assert_eq!(arize.post("/v2/roles", body).await.status, 409);
}

#[tokio::test]
async fn a_deleted_roles_name_is_free_and_its_id_is_never_reused() {
    let arize = arize().await;
    let first = arize.new_role("writer").await;
    assert_eq!(arize.delete(&format!("/v2/roles/{first}")).await.status, 204);
    assert_ne!(arize.new_role("writer").await, first);
}

#[tokio::test]
async fn invalid_forms_are_400_and_invalid_values_422() {
    let arize = arize().await;
    let too_long = "x".repeat(256);
    let cases = [
        (400, json!({"permissions": ["PROJECT_READ"]})),
        (400, json!({"name": "r"})),
        (400, json!({"name": 7, "permissions": ["PROJECT_READ"]})),
        (400, json!({"name": "r", "permissions": "PROJECT_READ"})),
        (400, json!({"name": "r", "permissions": [1]})),
        (400, json!({"name": "r", "permissions": ["PROJECT_READ"], "is_predefined": false})),
        (400, json!({"name": "r", "permissions": ["PROJECT_READ"], "id": "x"})),
        (422, json!({"name": "", "permissions": ["PROJECT_READ"]})),
        (422, json!({"name": too_long, "permissions": ["PROJECT_READ"]})),
        (422, json!({"name": "a*b", "permissions": ["PROJECT_READ"]})),
        (422, json!({"name": "r\u{e9}", "permissions": ["PROJECT_READ"]})),
        (422, json!({"name": "r", "permissions": []})),
        (422, json!({"name": "r", "permissions": ["PROJECT_FLY"]})),
        (422, json!({"name": "r", "permissions": ["project_read"]})),
        (422, json!({"name": "r", "permissions": ["PROJECT_READ"], "description": "x".repeat(1001)})),
    ];
    for (status, body) in cases {
        let answer = arize.post("/v2/roles", body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
    }
    let every_sign = " -_.,()[]'\"/:\\&@#$%!?+=Az09";
    arize.new_role(every_sign).await;
}

#[tokio::test]
async fn an_empty_update_is_refused() {
    let arize = arize().await;
    let path = format!("/v2/roles/{}", arize.new_role("r").await);
    assert_eq!(arize.patch(&path, json!({})).await.status, 422);
    assert_eq!(arize.patch(&path, json!({"permissions": []})).await.status, 422);
    assert_eq!(arize.patch(&path, json!({"name": null})).await.status, 400);
    assert_eq!(arize.patch(&path, json!({"created_at": "2026-01-01T00:00:00Z"})).await.status, 400);
}

#[tokio::test]
async fn changing_a_predefined_role_has_the_switched_status() {
    for status in [403, 400, 422] {
        let arize = arize_with(|switches| switches.predefined_mutation_status = status).await;
        let path = format!("/v2/roles/{}", arize.role("Project Viewer"));
        assert_eq!(arize.patch(&path, json!({"name": "x"})).await.status, status);
        assert_eq!(arize.delete(&path).await.status, status);
        assert_eq!(arize.get(&path).await.body["is_predefined"], true);
    }
}

#[tokio::test]
async fn a_role_with_bindings_cannot_be_deleted() {
    let arize = arize().await;
    let role = arize.new_role("writer").await;
    let project = arize.project("research", "churn");
    let binding = arize.bind(&arize.user("alice"), &role, &project).await.text("id");
    let path = format!("/v2/roles/{role}");
    assert_eq!(arize.delete(&path).await.status, 409);
    assert_eq!(arize.delete(&format!("/v2/role-bindings/{binding}")).await.status, 204);
    assert_eq!(arize.delete(&path).await.status, 204);
}

#[tokio::test]
async fn deleting_a_role_with_bindings_can_be_switched() {
    for (deletion, status) in [(RoleDeletion::Cascade, 404), (RoleDeletion::LeaveBindings, 200)] {
        let arize = arize_with(|switches| switches.role_deletion = Some(deletion)).await;
        let role = arize.new_role("writer").await;
        let project = arize.project("research", "churn");
        let binding = arize.bind(&arize.user("alice"), &role, &project).await.text("id");
        assert_eq!(arize.delete(&format!("/v2/roles/{role}")).await.status, 204);
        assert_eq!(arize.get(&format!("/v2/role-bindings/{binding}")).await.status, status, "{deletion:?}");
    }
}

#[tokio::test]
async fn duplicate_permissions_are_merged_kept_or_refused() {
    let cases = [
        (DuplicatePermissions::Merge, 201, 1),
        (DuplicatePermissions::Keep, 201, 2),
        (DuplicatePermissions::Refuse, 422, 0),
    ];
    for (duplicates, status, count) in cases {
        let arize = arize_with(|switches| switches.duplicate_permissions = duplicates).await;
        let body = json!({"name": "r", "permissions": ["PROJECT_READ", "PROJECT_READ"]});
        let answer = arize.post("/v2/roles", body).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.body["permissions"].as_array().map_or(0, Vec::len), count);
    }
}

#[tokio::test]
async fn the_order_of_permissions_can_be_switched() {
    let cases = [
        (PermissionOrder::Sorted, json!(["A", "B"])),
        (PermissionOrder::AsSent, json!(["B", "A"])),
        (PermissionOrder::Reversed, json!(["B", "A"])),
    ];
    for (order, expected) in cases {
        let arize = arize_with(|switches| {
            switches.permission_order = order;
            switches.extra_permissions = ["A", "B"].map(str::to_owned).into();
        })
        .await;
        let answer = arize.post("/v2/roles", json!({"name": "r", "permissions": ["B", "A"]})).await;
        assert_eq!(answer.body["permissions"], expected, "{order:?}");
    }
}

#[tokio::test]
async fn a_new_permission_appears_in_predefined_roles() {
    let arize = arize_with(|switches| {
        switches.extra_permissions.insert("ROCKET_LAUNCH".into());
        switches.missing_permissions.insert("PROJECT_READ".into());
    })
    .await;
    let path = format!("/v2/roles/{}", arize.role("Project Viewer"));
    let permissions = arize.get(&path).await.body["permissions"].to_string();
    assert!(permissions.contains("ROCKET_LAUNCH") && !permissions.contains("\"PROJECT_READ\""));
    let body = |permission: &str| json!({"name": permission, "permissions": [permission]});
    assert_eq!(arize.post("/v2/roles", body("ROCKET_LAUNCH")).await.status, 201);
    assert_eq!(arize.post("/v2/roles", body("PROJECT_READ")).await.status, 422);
}

#[tokio::test]
async fn the_list_filters_predefined_and_custom_roles() {
    let arize = arize().await;
    let predefined = arize.get("/v2/roles?is_predefined=true").await.names("roles");
    let custom = arize.get("/v2/roles?is_predefined=false").await.names("roles");
    assert_eq!(predefined.len(), 7);
    assert_eq!(custom, ["Legacy reviewer"]);
    assert_eq!(arize.get("/v2/roles?is_predefined=maybe").await.status, 400);
    assert_eq!(arize.get(&format!("/v2/roles/{}", absent(Kind::Role))).await.status, 404);
}
