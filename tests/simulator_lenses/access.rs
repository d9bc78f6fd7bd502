//! Contract 1.2: credentials, and what a caller can do on HQ.

use serde_json::json;

use crate::client::{Login, lenses, lenses_with, session};

#[tokio::test]
async fn a_call_without_a_known_credential_is_401() {
    let lenses = lenses().await;
    let token = |text: &str| Login::Token(text.to_owned());
    let guess = session("guess");
    // A token is not a session, and a session is not a token.
    let swapped = session("admin-token");
    for login in [Login::None, token(""), token("guess"), guess, swapped] {
        let answer = lenses.with(login).get("/roles").await;
        assert_eq!((answer.status, answer.text("title")), (401, "a valid token or session is needed".into()));
    }
    assert_eq!(lenses.get("/roles").await.status, 200);
}

#[tokio::test]
async fn tokens_that_expired_or_lost_their_principal_are_401() {
    let lenses = lenses().await;
    let past = json!({"service_account": "ci-pipeline", "expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(lenses.caller("past", past).await.get("/roles").await.status, 401);
    let gone = json!({"service_account": "nobody"});
    assert_eq!(lenses.caller("gone", gone).await.get("/roles").await.status, 401);
    let alice = lenses.session("alice@example.com").await;
    assert_eq!(alice.get("/permissions/definitions").await.status, 200);
    assert_eq!(lenses.delete("/users/alice@example.com").await.status, 204);
    assert_eq!(alice.get("/permissions/definitions").await.status, 401);
}

#[tokio::test]
async fn rights_follow_the_groups_and_admins_can_do_everything() {
    let lenses = lenses().await;
    let alice = lenses.session("alice@example.com").await;
    let admin = lenses.session("admin").await;
    assert_eq!((alice.get("/roles").await.status, admin.get("/roles").await.status), (403, 200));
    assert_eq!(alice.get("/environments").await.names(), ["development"]);
    lenses.new_role("role-reader", "iam:ListRoles", "iam:role:*").await;
    let roles = json!({"roles": ["developer", "role-reader"]});
    assert_eq!(lenses.patch("/groups/data-platform", roles).await.status, 200);
    assert_eq!(alice.get("/roles").await.status, 200);
    assert_eq!(alice.get("/roles/developer").await.status, 403);
    assert_eq!(
        lenses.patch("/groups/data-platform", json!({"remove_members": ["alice@example.com"]})).await.status,
        200
    );
    assert_eq!(alice.get("/roles").await.status, 403);
}

#[tokio::test]
async fn a_narrowed_token_is_403_for_existing_and_missing_rows() {
    let lenses = lenses().await;
    let reader = lenses.holder("reader", &["iam:Get*", "iam:List*"], &["iam:role:topic-*"]).await;
    assert_eq!(reader.get("/roles/topic-reader").await.status, 200);
    assert_eq!(reader.get("/roles/topic-writer").await.status, 404);
    for path in ["/roles/developer", "/roles/nothing", "/groups/sre", "/users/peggy", "/service-accounts/x"] {
        assert_eq!(reader.get(path).await.status, 403, "{path}");
    }
    let named = json!({"name": "topic-x", "policy": []});
    assert_eq!(reader.post("/roles", named.clone()).await.status, 403);
    assert_eq!(reader.patch("/roles/topic-reader", json!({})).await.status, 403);
    assert_eq!(reader.post("/roles/topic-reader/policy", json!({})).await.status, 403);
    assert_eq!(reader.delete("/roles/topic-reader").await.status, 403);
    let writer = lenses.holder("writer", &["iam:CreateRole"], &["iam:role:topic-*"]).await;
    assert_eq!(writer.post("/roles", named).await.status, 201);
    assert_eq!(writer.post("/roles", json!({"name": "other", "policy": []})).await.status, 403);
}

#[tokio::test]
async fn a_denied_read_can_be_404() {
    let lenses = lenses_with(|switches| switches.denied_read_status = 404).await;
    let nobody = lenses.caller("nobody", json!({})).await;
    let hidden = nobody.get("/roles/developer").await;
    assert_eq!((hidden.status, hidden.text("title")), (404, "does not exist".into()));
    // Other operations are still 403.
    assert_eq!(nobody.delete("/roles/developer").await.status, 403);
}

#[tokio::test]
async fn a_list_is_partial_forbidden_or_empty() {
    use rolewright_simulators::lenses::switches::Lists;
    let lenses = lenses().await;
    let some = lenses.holder("some", &["iam:List*"], &["iam:role:topic-*"]).await;
    let none = lenses.holder("none", &["iam:Get*"], &["*"]).await;
    assert_eq!(some.get("/roles").await.names(), ["topic-reader", "topic-reader-eu"]);
    assert_eq!((some.get("/groups").await.status, none.get("/roles").await.status), (403, 403));
    lenses.switch(|switches| switches.lists = Lists::Filtered);
    assert_eq!(some.get("/roles").await.names().len(), 2);
    assert!(none.get("/roles").await.names().is_empty() && some.get("/groups").await.names().is_empty());
    lenses.switch(|switches| switches.lists = Lists::AllOrForbidden);
    assert_eq!((some.get("/roles").await.status, lenses.get("/roles").await.status), (403, 200));
}

#[tokio::test]
async fn a_deny_statement_hides_rows_of_an_allowed_list() {
    let lenses = lenses().await;
    let allow = json!({"effect": "allow", "action": "*", "resource": "*"});
    let deny = |resource: &str| json!({"effect": "deny", "action": "iam:ListRoles", "resource": resource});
    let but_one = lenses.caller("but-one", json!({"policy": [allow, deny("iam:role:developer")]})).await;
    let names = but_one.get("/roles").await.names();
    assert_eq!((names.len(), names.contains(&"developer".to_owned())), (4, false));
    let but_all = lenses.caller("but-all", json!({"policy": [allow, deny("iam:*")]})).await;
    assert_eq!((but_all.get("/roles").await.status, but_all.get("/groups").await.status), (403, 200));
}

#[tokio::test]
async fn the_caller_is_shown_under_the_switched_name() {
    let lenses = lenses().await;
    let alice = lenses.session("alice@example.com").await;
    assert_eq!(lenses.get("/users/current").await.status, 404);
    lenses.switch(|switches| switches.current_user_name = Some("current".into()));
    let shown = alice.get("/users/current").await;
    assert_eq!((shown.status, shown.text("name")), (200, "alice@example.com".into()));
    assert_eq!(lenses.get("/users/current").await.text("lrn"), "iam:service-account:rolewright");
    let stated = lenses.holder("stated", &["*"], &["*"]).await;
    assert_eq!(stated.get("/users/current").await.status, 404);
}

#[tokio::test]
async fn a_call_sets_last_seen_at() {
    let lenses = lenses().await;
    let seen = async || lenses.get("/users/alice@example.com").await.body["last_seen_at"].clone();
    assert!(seen().await.is_null());
    lenses.session("alice@example.com").await.get("/environments").await;
    assert!(seen().await.is_string());
    assert!(lenses.get("/service-accounts/rolewright").await.body["last_seen_at"].is_string());
}
