//! Contract 2.3: teams and their members.

use serde_json::json;

use crate::client::{exists, illegal, missing, zenml, zenml_with};

#[tokio::test]
async fn a_team_is_created_read_updated_and_deleted() {
    let zenml = zenml().await;
    let body = json!({"name": "ml", "description": "d", "organization_id": zenml.organization()});
    let created = zenml.post("/teams", body.clone()).await;
    assert_eq!((created.status, &created.body["member_count"]), (200, &json!(0)));
    assert!(created.body["created"].is_string() && created.body["updated"].is_string());
    let path = format!("/teams/{}", created.text("id"));
    assert_eq!(zenml.post("/teams", body).await.exception(), exists());
    assert_eq!(zenml.get(&path).await.body, created.body);
    let changed = zenml.patch(&path, json!({"name": "ml-platform"})).await;
    assert_eq!((changed.text("name"), changed.text("description")), ("ml-platform".into(), "d".into()));
    assert_eq!(zenml.patch(&path, json!({"name": "sre"})).await.exception(), exists());
    assert!(zenml.get("/organizations/acme/teams").await.each("name").contains(&"ml-platform".to_owned()));
    assert_eq!(zenml.delete(&path).await.raw, "null");
    assert_eq!(zenml.get(&path).await.exception(), missing());
}

#[tokio::test]
async fn names_and_descriptions_have_limits() {
    let zenml = zenml().await;
    let organization = zenml.organization();
    for (field, value) in [("name", "x".repeat(51)), ("name", String::new()), ("description", String::new())]
    {
        let mut body = json!({"name": "t", "organization_id": organization});
        body[field] = value.into();
        assert_eq!(zenml.post("/teams", body).await.invalid(), json!(["body", field]));
    }
    assert_eq!(
        zenml.post("/teams", json!({"name": "t"})).await.invalid(),
        json!(["body", "organization_id"])
    );
}

#[tokio::test]
async fn members_are_added_and_removed_by_query() {
    let zenml = zenml().await;
    let path = format!("/teams/{}/members", zenml.team("finance"));
    let alice = format!("{path}?user_id={}", zenml.user("alice"));
    let account = format!("{path}?user_id={}", zenml.account("nightly-training"));
    for member in [&alice, &account] {
        assert_eq!(zenml.post_nothing(member).await.status, 200);
    }
    assert_eq!(zenml.post_nothing(&alice).await.exception(), exists());
    assert_eq!(zenml.get(&path).await.each("username"), ["alice", "nightly-training"]);
    assert_eq!(zenml.delete(&alice).await.raw, "null");
    assert_eq!(zenml.delete(&alice).await.exception(), missing());
    assert_eq!(zenml.get(&path).await.each("username"), ["nightly-training"]);
}

#[tokio::test]
async fn outsiders_and_unclear_members_are_refused() {
    let zenml = zenml().await;
    let path = format!("/teams/{}/members", zenml.team("finance"));
    for login in ["frank", "peggy"] {
        let answer = zenml.post_nothing(&format!("{path}?user_id={}", zenml.user(login))).await;
        assert_eq!(answer.exception(), illegal());
    }
    assert_eq!(zenml.post_nothing(&path).await.exception(), (400, "ValueError".into()));
    let nobody = format!("{path}?user_id={}", zenml.team("finance"));
    assert_eq!(zenml.post_nothing(&nobody).await.exception(), missing());
}

#[tokio::test]
async fn invitations_are_members_in_newer_revisions_only() {
    let zenml = zenml_with(|switches| switches.invitations_are_principals = false).await;
    let invitation = zenml.get("/organizations/acme/invitations").await.each("id").remove(0);
    let path = format!("/teams/{}/members?invitation_id={invitation}", zenml.team("finance"));
    assert_eq!(zenml.post_nothing(&path).await.exception(), (400, "ValueError".into()));
    zenml.switch(|switches| switches.invitations_are_principals = true);
    assert_eq!(zenml.post_nothing(&path).await.status, 200);
}

#[tokio::test]
async fn deleting_a_team_removes_its_assignments() {
    let zenml = zenml().await;
    let finance = zenml.team("finance");
    assert_eq!(zenml.delete(&format!("/teams/{finance}")).await.status, 200);
    let assignments = zenml.get(&format!("/roles/{}/assignments", zenml.role("legacy-reviewer"))).await;
    assert_eq!(assignments.body.as_array().unwrap().len(), 1);
}
