//! Contract 2.2: groups.

use rolewright_simulators::lenses::switches::Generation;
use serde_json::json;

use crate::client::{lenses, lenses_with, names};

#[tokio::test]
async fn a_group_is_created_with_members_roles_and_counts() {
    let lenses = lenses().await;
    let group = json!({
        "name": "g", "display_name": "G", "sso_name": "okta-g", "description": "d",
        "members": ["alice@example.com", "ci-pipeline", "peggy"], "roles": ["developer", "topic-reader"],
        "metadata": {"k": "v"},
    });
    let created = lenses.post("/groups", group).await;
    assert_eq!(
        (created.status, created.text("lrn"), created.text("sso_name")),
        (201, "iam:group:g".into(), "okta-g".into())
    );
    assert_eq!(names(&created.body["roles"]), ["developer", "topic-reader"]);
    assert_eq!(created.body["roles"][0]["policy_length"], 1);
    assert_eq!(lenses.get("/groups/g").await.body, created.body);
    let list = lenses.get("/groups").await;
    let compact = list.item("g");
    assert_eq!([&compact["user_count"], &compact["sa_count"], &compact["role_count"]], [2, 1, 2]);
    assert!(compact.get("roles").is_none() && compact["metadata"] == json!({"k": "v"}));
    // Deleted principals are not counted.
    lenses.delete("/users/peggy").await;
    lenses.delete("/service-accounts/ci-pipeline").await;
    let list = lenses.get("/groups").await;
    assert_eq!((&list.item("g")["user_count"], &list.item("g")["sa_count"]), (&json!(1), &json!(0)));
    let deleted = lenses.delete("/groups/g").await;
    assert_eq!((deleted.status, deleted.raw.len()), (204, 0));
    assert_eq!(lenses.get("/groups/g").await.status, 404);
    assert!(!lenses.groups_of("/users/alice@example.com").await.contains(&"g".to_owned()));
}

#[tokio::test]
async fn absent_display_and_sso_names_default_to_the_name() {
    let lenses = lenses().await;
    let created = lenses.post("/groups", json!({"name": "g"})).await;
    assert_eq!((created.text("display_name"), created.text("sso_name")), ("g".into(), "g".into()));
    assert_eq!(lenses.patch("/groups/g", json!({"sso_name": "okta"})).await.text("sso_name"), "okta");
}

#[tokio::test]
async fn early_servers_have_no_sso_name() {
    let lenses = lenses_with(|switches| switches.generation = Generation::V60).await;
    let created = lenses.post("/groups", json!({"name": "g", "sso_name": "okta"})).await;
    assert_eq!((created.status, created.body.get("sso_name")), (201, None));
    assert!(lenses.get("/groups").await.item("sre").get("sso_name").is_none());
    lenses.switch(|switches| switches.unknown_keys_refused = true);
    assert_eq!(lenses.patch("/groups/g", json!({"sso_name": "okta"})).await.status, 400);
}

#[tokio::test]
async fn roles_of_a_group_are_set_as_a_whole() {
    let lenses = lenses().await;
    let set = async |roles: serde_json::Value| lenses.patch("/groups/sre", json!({"roles": roles})).await;
    let updated = set(json!(["developer", "legacy-auditor", "developer"])).await;
    assert_eq!(
        (updated.status, names(&updated.body["roles"])),
        (200, vec!["developer".into(), "legacy-auditor".into()])
    );
    assert_eq!(lenses.get("/groups").await.item("sre")["role_count"], 2);
    assert_eq!(set(json!(["developer", "nothing"])).await.status, 400);
    assert_eq!(names(&lenses.get("/groups/sre").await.body["roles"]).len(), 2);
    // Absent fields stay.
    let updated =
        lenses.patch("/groups/sre", json!({"description": "d", "add_roles": ["administrator"]})).await;
    assert_eq!((updated.text("description"), names(&updated.body["roles"]).len()), ("d".into(), 2));
    assert!(names(&set(json!([])).await.body["roles"]).is_empty());
    lenses.switch(|switches| switches.unknown_reference_status = 404);
    assert_eq!(set(json!(["nothing"])).await.status, 404);
}

#[tokio::test]
async fn members_are_shown_by_kind() {
    let lenses = lenses().await;
    let shown = async || lenses.get("/groups/data-platform").await.body;
    let by_kind = shown().await;
    assert_eq!(names(&by_kind["users"]), ["alice@example.com", "bob@example.com"]);
    assert_eq!(names(&by_kind["service_accounts"]), ["ci-pipeline"]);
    assert_eq!(by_kind["users"][0]["lrn"], "iam:user:alice@example.com");
    assert_eq!(lenses.groups_of("/users/bob@example.com").await, ["data-platform"]);
}

#[tokio::test]
async fn invalid_groups_are_refused() {
    let lenses = lenses().await;
    assert_eq!(lenses.post("/groups", json!({"name": "sre"})).await.status, 409);
    for invalid in [
        json!({"name": "Up"}),
        json!({"name": "g", "members": ["nobody@example.com"]}),
        json!({"name": "g", "members": ["iam:user:alice@example.com"]}),
        json!({"name": "g", "members": "peggy"}),
        json!({"name": "g", "roles": ["nothing"]}),
        json!({"name": "g", "display_name": ""}),
        json!({"name": "g", "description": "a".repeat(251)}),
    ] {
        assert_eq!(lenses.post("/groups", invalid.clone()).await.status, 400, "{invalid}");
    }
    assert_eq!(lenses.get("/groups/g").await.status, 404);
    lenses.switch(|switches| switches.duplicate_status = 400);
    assert_eq!(lenses.post("/groups", json!({"name": "sre"})).await.status, 400);
}

#[tokio::test]
async fn recreated_rows_have_another_id_and_time() {
    let lenses = lenses().await;
    for (list, path) in [("/roles", "/roles/topic-reader-eu"), ("/groups", "/groups/newcomers")] {
        let name = path.rsplit('/').next().unwrap();
        let before = lenses.get(path).await.body;
        assert_eq!(lenses.get(list).await.item(name)["id"], before["id"]);
        lenses.delete(path).await;
        lenses.post(list, json!({"name": name, "policy": []})).await;
        let after = lenses.get(path).await.body;
        assert!(before["id"] != after["id"] && before["created_at"] != after["created_at"]);
    }
}
