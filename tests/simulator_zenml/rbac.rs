//! Contract 2.3: permission checks and shares of workspace servers.

use serde_json::json;

use crate::client::{ZenMl, illegal, zenml};

async fn assign(zenml: &ZenMl, role: &str, login: &str, scope: &str) {
    let query = format!("?user_id={}{scope}", zenml.user(login));
    let added = zenml.post_nothing(&format!("/roles/{role}/assignments{query}")).await;
    assert_eq!(added.status, 200, "{}", added.body);
}

#[tokio::test]
async fn permissions_follow_roles_and_their_scopes() {
    let zenml = zenml().await;
    let (workspace, project) = (zenml.workspace("production"), zenml.project("production", "churn"));
    let other = zenml.project("production", "default");
    let reader = zenml.new_role("project", "Reader").await;
    assign(&zenml, &reader, "alice", &format!("&workspace_id={workspace}&project_id={project}")).await;
    let path = format!("/rbac/check_permissions?user_id={}&action=read", zenml.user("alice"));
    let resources = [
        format!("{project}:pipeline"),
        format!("{project}:pipeline/one"),
        format!("{project}:model"),
        format!("{other}:pipeline"),
        format!("{workspace}@server:stack"),
    ];
    let answer = zenml.post(&path, json!(resources)).await;
    let expected = json!({ &resources[0]: true, &resources[1]: true, &resources[2]: false, &resources[3]: false, &resources[4]: false });
    assert_eq!(answer.body, expected);
    let older = zenml.get(&format!("{path}&resources={}&resources={}", resources[0], resources[2])).await;
    assert_eq!(older.body, json!({ &resources[0]: true, &resources[2]: false }));

    assign(&zenml, &zenml.role("Workspace Viewer"), "alice", &format!("&workspace_id={workspace}")).await;
    let answer = zenml.post(&path, json!(resources)).await;
    assert!(answer.body.as_object().unwrap().values().all(|may| may == true), "{}", answer.body);
}

#[tokio::test]
async fn a_share_permits_its_actions_on_one_resource() {
    let zenml = zenml().await;
    let project = zenml.project("production", "churn");
    let resource = format!("{project}:schedule/s-1");
    let (alice, sre) = (zenml.user("alice"), zenml.team("sre"));
    let share = |principal: &str, actions: &str| {
        format!("/rbac/resource_members?{principal}&sharing_user_id={alice}&resource={resource}{actions}")
    };
    let shared = zenml.post_nothing(&share(&format!("team_id={sre}"), "&actions=read&actions=update")).await;
    assert_eq!(shared.status, 200, "{}", shared.body);
    let members = zenml.get(&format!("/rbac/resource_members?resource={resource}")).await;
    assert_eq!(
        (&members.body[0]["team"]["name"], &members.body[0]["actions"]),
        (&json!("sre"), &json!(["read", "update"]))
    );
    let allowed = async |action: &str| {
        let query = format!("?user_id={}&resource={project}:schedule&action={action}", zenml.user("carol"));
        zenml.get(&format!("/rbac/allowed_resource_ids{query}")).await.body
    };
    assert_eq!(allowed("read").await, json!({"full_access": false, "ids": ["s-1"]}));
    assert_eq!(allowed("delete").await, json!({"full_access": false, "ids": []}));
    assert_eq!(zenml.get("/organizations/acme/roles?type=share").await.each("type").len(), 2);

    // New actions replace the old ones; without actions the share ends.
    zenml.post_nothing(&share(&format!("team_id={sre}"), "&actions=read")).await;
    let members = zenml.get(&format!("/rbac/resource_members?resource={resource}")).await;
    assert_eq!(members.body[0]["actions"], json!(["read"]));
    zenml.post_nothing(&share(&format!("team_id={sre}"), "")).await;
    assert_eq!(allowed("read").await, json!({"full_access": false, "ids": []}));

    zenml.post_nothing(&share(&format!("user_id={}", zenml.user("carol")), "&actions=read")).await;
    assert_eq!(zenml.delete(&format!("/rbac/resources?resources={resource}")).await.raw, "null");
    assert_eq!(zenml.get("/organizations/acme/roles?type=share").await.each("type").len(), 1);
    let unclear = zenml.post_nothing(&share("user=x", "&actions=read")).await;
    assert_eq!(unclear.exception(), (400, "ValueError".into()));
}

#[tokio::test]
async fn admins_have_full_access_and_team_ids_are_listed() {
    let zenml = zenml().await;
    let workspace = zenml.workspace("production");
    let query = format!("?user_id={}&resource={workspace}@server:secret&action=delete", zenml.user("erin"));
    let answer = zenml.get(&format!("/rbac/allowed_resource_ids{query}")).await;
    assert_eq!(answer.body, json!({"full_access": true, "ids": []}));
    let teams = zenml.get(&format!("/rbac/user_team_ids?user_id={}", zenml.user("carol"))).await;
    assert_eq!(teams.body, json!([zenml.team("sre"), zenml.team("sre-oncall")]));
}

#[tokio::test]
async fn a_workspace_server_checks_its_own_resources() {
    let zenml = zenml().await;
    let id = zenml.workspace("staging");
    let add =
        json!({"action": "Add", "name": "server", "token": format!("{id}:s"), "grant": {"client_of": id}});
    zenml.post("/_sim/credentials", add).await;
    let token = zenml.login(&format!("client_id={id}&client_secret=s")).await.text("access_token");
    let server = zenml.with(token.as_str());
    let path = format!("/rbac/check_permissions?user_id={}&action=read", zenml.user("erin"));
    assert_eq!(server.post(&path, json!(["secret"])).await.body, json!({"secret": true}));
    assert_eq!(zenml.post(&path, json!(["secret"])).await.exception(), (400, "ValueError".into()));
    assert_eq!(
        zenml.person("bob").await.post(&path, json!([format!("{id}@server:tag")])).await.exception(),
        illegal()
    );
    assert_eq!(server.post(&path, json!("secret")).await.status, 422);
}

#[tokio::test]
async fn a_switch_lets_deactivated_users_pass() {
    let zenml = zenml().await;
    let workspace = zenml.workspace("production");
    let erin = zenml.user("erin");
    zenml.patch(&format!("/users/{erin}"), json!({"is_active": false})).await;
    let path = format!("/rbac/check_permissions?user_id={erin}&action=read");
    let resource = format!("{workspace}@server:secret");
    assert_eq!(zenml.post(&path, json!([resource])).await.body[&resource], true);
    zenml.switch(|switches| switches.inactive_users_pass_checks = false);
    assert_eq!(zenml.post(&path, json!([resource])).await.body[&resource], false);
}
