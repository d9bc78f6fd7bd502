//! What callers can see and do, by their roles and with narrowed credentials.

use rolewright_simulators::zenml::switches::ForbiddenLists;
use serde_json::{Value, json};

use crate::client::{illegal, missing, zenml, zenml_with};

#[tokio::test]
async fn a_member_can_see_the_organization_but_not_its_roles() {
    let zenml = zenml().await;
    let alice = zenml.person("alice").await;
    for path in ["/organizations/acme", "/organizations/acme/teams", "/workspaces/production", "/users"] {
        assert_eq!(alice.get(path).await.status, 200, "{path}");
    }
    let role = zenml.role("legacy-reviewer");
    for path in ["/organizations/acme/roles", "/organizations/acme/members", &format!("/roles/{role}")] {
        assert_eq!(alice.get(path).await.exception(), illegal(), "{path}");
    }
    assert_eq!(alice.post("/roles", zenml.role_body("workspace", "r")).await.exception(), illegal());
    assert_eq!(alice.delete(&format!("/roles/{role}")).await.exception(), illegal());
}

#[tokio::test]
async fn managers_write_and_viewers_read() {
    let zenml = zenml().await;
    let assign = async |role: &str, login: &str| {
        let query = format!("?user_id={}", zenml.user(login));
        let added = zenml.post_nothing(&format!("/roles/{}/assignments{query}", zenml.role(role))).await;
        assert_eq!(added.status, 200);
    };
    assign("Organization Manager", "alice").await;
    assign("Organization Viewer", "bob").await;
    let (alice, bob) = (zenml.person("alice").await, zenml.person("bob").await);
    assert_eq!(alice.post("/roles", zenml.role_body("workspace", "r")).await.status, 200);
    assert_eq!(alice.delete("/organizations/acme").await.exception(), illegal());
    assert_eq!(bob.get("/organizations/acme/roles").await.status, 200);
    assert_eq!(bob.post("/roles", zenml.role_body("workspace", "r")).await.exception(), illegal());
}

#[tokio::test]
async fn a_workspace_admin_assigns_roles_only_there() {
    let zenml = zenml().await;
    let assign = |role: &str, user: &str, workspace: &str| {
        let (role, user) = (zenml.role(role), zenml.user(user));
        format!("/roles/{role}/assignments?user_id={user}&workspace_id={}", zenml.workspace(workspace))
    };
    assert_eq!(zenml.post_nothing(&assign("Workspace Admin", "alice", "staging")).await.status, 200);
    let alice = zenml.person("alice").await;
    assert_eq!(alice.get("/organizations/acme/roles").await.status, 200);
    assert_eq!(alice.post_nothing(&assign("Workspace Viewer", "bob", "staging")).await.status, 200);
    assert_eq!(
        alice.post_nothing(&assign("Workspace Viewer", "bob", "production")).await.exception(),
        illegal()
    );
}

#[tokio::test]
async fn a_narrowed_credential_has_exactly_its_rights() {
    let zenml = zenml().await;
    let rights = json!({"rights": ["role:read", "organization:*"], "organizations": [zenml.organization()]});
    let reader = zenml.caller("reader", rights).await;
    assert_eq!(reader.get("/organizations/acme/roles").await.status, 200);
    let role = zenml.role("legacy-reviewer");
    let assignments = format!("/roles/{role}/assignments");
    assert_eq!(reader.get(&format!("/roles/{role}")).await.status, 200);
    assert_eq!(reader.get(&assignments).await.exception(), illegal());
    assert_eq!(reader.patch(&format!("/roles/{role}"), json!({"name": "x"})).await.exception(), illegal());
    assert_eq!(reader.get("/organizations/partners/roles").await.exception(), illegal());

    let narrow =
        json!({"action": "Narrow", "name": "reader", "grant": {"rights": ["*"], "organizations": []}});
    zenml.post("/_sim/credentials", narrow).await;
    assert_eq!(reader.get("/organizations/acme/roles").await.exception(), illegal());
    assert_eq!(reader.get("/organizations").await.body, json!([]));
}

#[tokio::test]
async fn forbidden_lists_are_refused_or_empty() {
    let zenml = zenml_with(|switches| switches.forbidden_lists = ForbiddenLists::Empty).await;
    let reader = zenml.caller("reader", json!({"rights": ["organization:read"]})).await;
    let assignments = format!("/roles/{}/assignments", zenml.role("legacy-reviewer"));
    let lists =
        ["roles", "members", "teams", "invitations"].map(|list| format!("/organizations/acme/{list}"));
    for path in lists.iter().chain([&assignments, &"/users".to_owned()]) {
        let answer = reader.get(path).await;
        assert_eq!((answer.status, answer.body), (200, json!([])), "{path}");
    }
    zenml.switch(|switches| switches.forbidden_lists = ForbiddenLists::Refuse);
    for path in lists.iter().chain([&assignments, &"/users".to_owned()]) {
        assert_eq!(reader.get(path).await.exception(), illegal(), "{path}");
    }
}

#[tokio::test]
async fn a_list_of_assignments_can_show_only_those_of_the_caller() {
    let zenml = zenml_with(|switches| switches.forbidden_lists = ForbiddenLists::Own).await;
    let carol = zenml
        .caller("narrow", json!({"rights": ["organization:read"], "user_id": zenml.user("carol")}))
        .await;
    let path = format!("/roles/{}/assignments", zenml.role("legacy-reviewer"));
    let shown = carol.get(&path).await.body;
    let shown: Vec<&Value> = shown.as_array().unwrap().iter().map(|row| &row["user"]["username"]).collect();
    assert_eq!(shown, [&json!("carol")]);
    assert_eq!(carol.get("/organizations/acme/roles").await.body, json!([]));
}

#[tokio::test]
async fn rows_of_invisible_workspaces_are_not_shown() {
    let zenml = zenml().await;
    let staging = zenml.workspace("staging");
    let narrow = zenml.caller("narrow", json!({"rights": ["*"], "workspaces": [staging]})).await;
    assert_eq!(narrow.get("/workspaces").await.each("name"), ["staging"]);
    assert_eq!(narrow.get("/workspaces/production").await.exception(), illegal());
    let role = zenml.role("legacy-reviewer");
    let path = format!("/roles/{role}/assignments");
    assert_eq!(narrow.get(&path).await.body, json!([]));
    assert_eq!(zenml.get(&path).await.body.as_array().unwrap().len(), 2);
    let query = format!("?user_id={}&workspace_id={}", zenml.user("carol"), zenml.workspace("production"));
    assert_eq!(narrow.delete(&format!("{path}{query}")).await.exception(), illegal());
    zenml.switch(|switches| switches.hidden_status = 404);
    assert_eq!(narrow.get("/workspaces/production").await.exception(), missing());
}

#[tokio::test]
async fn an_expired_credential_is_401() {
    let zenml = zenml().await;
    let over = zenml.caller("over", json!({"rights": ["*"], "expires_at": "2020-01-01T00:00:00Z"})).await;
    assert_eq!(over.get("/organizations").await.status, 401);
    assert_eq!(zenml.login("password=ZENPROKEY_over").await.status, 401);
}
