//! Contract 2.3, 2.5, 3.6: permissions of users, and the cache of permissions.

use std::time::Duration;

use rolewright_simulators::grafana::{
    rows::role_assignments::UserRole,
    switches::{Generation, Licence},
};
use serde_json::{Value, json};

use crate::client::{Login, grafana, grafana_with};

#[tokio::test]
async fn callers_read_their_own_permissions_and_actions() {
    let grafana = grafana().await;
    let caller = grafana.caller_with("caller", &["folders:read@folders:*", "teams:create"]).await;
    let own = caller.get("/access-control/user/permissions").await.body;
    assert_eq!(own, json!({"folders:read": ["folders:*"], "teams:create": [""]}));
    let actions = caller.get("/access-control/user/actions").await.body;
    assert_eq!(actions, json!({"folders:read": true, "teams:create": true}));
    let admin = grafana.get("/access-control/user/permissions").await.body;
    assert_eq!(admin["roles:write"], json!(["permissions:type:delegate"]));
    assert!(admin.get("users:create").is_none());
}

#[tokio::test]
async fn a_users_permissions_are_a_flat_list_with_those_of_teams() {
    let grafana = grafana().await;
    let role = grafana.new_role("r", &["reports:create", "reports:read@reports:id:4"]).await;
    let team = format!("/access-control/teams/{}/roles", grafana.team("sre"));
    assert_eq!(grafana.post(&team, json!({"roleUid": role})).await.status, 200);
    let list = grafana.get(&format!("/access-control/users/{}/permissions", grafana.user("dave"))).await.body;
    for permission in [
        json!({"action": "reports:create", "scope": ""}),
        json!({"action": "reports:read", "scope": "reports:id:4"}),
    ] {
        assert!(list.as_array().unwrap().contains(&permission), "{list}");
    }
}

#[tokio::test]
async fn a_search_requires_an_action_or_an_action_prefix() {
    let grafana = grafana().await;
    let search = "/access-control/users/permissions/search";
    for wrong in ["", "?action=reports:read&actionPrefix=reports", "?scope=reports:*"] {
        assert_eq!(grafana.get(&format!("{search}{wrong}")).await.status, 400, "{wrong}");
    }
    let (carol, erin) = (grafana.user("carol").to_string(), grafana.user("erin").to_string());
    let found = grafana.get(&format!("{search}?actionPrefix=reports:re")).await.body;
    assert_eq!(found[&carol], json!({"reports:read": ["reports:*"]}));
    assert!(found.get(grafana.user("dave").to_string()).is_none());
    let found = grafana.get(&format!("{search}?action=dashboards:read&scope=folders:uid:finance")).await.body;
    assert!(found.get(&carol).is_some() && found.get(&erin).is_some());
    for path in ["user", "users"] {
        let path = format!("/access-control/{path}/{carol}/permissions/search?action=reports:read");
        assert_eq!(grafana.get(&path).await.body, json!({"reports:read": ["reports:*"]}));
    }
}

#[tokio::test]
async fn permissions_are_cached_until_they_are_reloaded() {
    let grafana = grafana_with(|switches| switches.permission_cache_ms = 3_600_000).await;
    let dave = grafana.login("dave").await;
    let role = grafana.new_role("r", &["teams:create"]).await;
    let own = "/access-control/user/permissions";
    assert!(dave.get(own).await.body.get("teams:create").is_none());
    let roles = format!("/access-control/users/{}/roles", grafana.user("dave"));
    assert_eq!(grafana.post(&roles, json!({"roleUid": role})).await.status, 200);
    assert_eq!(dave.post("/teams", json!({"name": "new"})).await.status, 403);
    assert!(dave.get(own).await.body.get("teams:create").is_none());
    assert!(dave.get(&format!("{own}?reloadcache=true")).await.body.get("teams:create").is_some());
    assert_eq!(dave.post("/teams", json!({"name": "new"})).await.status, 200);
    // A removed permission stays in the cache just as long.
    assert_eq!(grafana.delete(&format!("{roles}/{role}")).await.status, 200);
    assert_eq!(dave.post("/teams", json!({"name": "newer"})).await.status, 200);
    grafana.switch(|switches| switches.permission_cache_ms = 0);
    assert_eq!(dave.post("/teams", json!({"name": "newest"})).await.status, 403);
}

#[tokio::test]
async fn a_cached_permission_expires() {
    let grafana = grafana_with(|switches| switches.permission_cache_ms = 20).await;
    let dave = grafana.login("dave").await;
    let own = "/access-control/user/permissions";
    assert!(dave.get(own).await.body.get("teams:create").is_none());
    let role = grafana.new_role("r", &["teams:create"]).await;
    let roles = format!("/access-control/users/{}/roles", grafana.user("dave"));
    assert_eq!(grafana.post(&roles, json!({"roleUid": role})).await.status, 200);
    let seen = async { while dave.get(own).await.body.get("teams:create").is_none() {} };
    tokio::time::timeout(Duration::from_secs(30), seen).await.unwrap();
}

#[tokio::test]
async fn before_13_a_search_lists_all_assigned_permissions() {
    for generation in [Generation::V11, Generation::V12] {
        let grafana = grafana_with(|switches| switches.generation = generation).await;
        let path = "/access-control/assignments/search";
        let answer = grafana.send(reqwest::Method::POST, path, None).await.unwrap();
        assert_eq!(answer.status, 200, "{generation:?}");
        let entries = answer.body["result"].as_array().unwrap();
        let entry = |key: &str, whom: Value, action: &str, scope: &str, role: &str| {
            json!({
                key: whom, "action": action, "scope": scope, "roleName": role, "orgId": 1, "version": 1,
            })
        };
        let (carol, finance) = (json!(grafana.user("carol")), json!(grafana.team("finance")));
        let folder = "folders:uid:finance";
        for expected in [
            entry("userId", carol, "reports:read", "reports:*", "Legacy reviewer"),
            entry("teamId", finance, "dashboards:read", folder, "Legacy reviewer"),
            entry("basicRole", json!("Viewer"), "orgs:read", "", "basic:viewer"),
        ] {
            assert!(entries.contains(&expected), "{expected}");
        }
        // Mapped assignments are included.
        let (role_uid, user_id) = (grafana.role("fixed:reports:reader"), grafana.user("alice"));
        grafana.simulator.edit(|tenant| {
            tenant.user_roles.push(UserRole { org_id: 1, user_id, role_uid, mapped: true });
        });
        let found = grafana.post(path, json!({})).await.body;
        assert_eq!(found["result"].as_array().unwrap().len(), entries.len() + 3);
    }
}

#[tokio::test]
async fn the_assignment_search_needs_rights_licence_and_before_13() {
    let path = "/access-control/assignments/search";
    let grafana = grafana_with(|switches| switches.generation = Generation::V12).await;
    let (users, teams) = ("users.roles:read@users:*", "teams.roles:read@teams:*");
    for (index, permissions) in [vec![users], vec![teams], vec![users, teams]].iter().enumerate() {
        let caller = grafana.caller_with(&format!("caller-{index}"), permissions).await;
        let status = if permissions.len() == 2 { 200 } else { 403 };
        assert_eq!(caller.post(path, json!({})).await.status, status, "{permissions:?}");
    }
    grafana.switch(|switches| switches.licence = Licence::Absent);
    assert_eq!(grafana.post(path, json!({})).await.status, 404);
    grafana.switch(|switches| *switches = Default::default());
    for client in [(*grafana).clone(), grafana.with(Login::None)] {
        let answer = client.post(path, json!({})).await;
        assert_eq!((answer.status, answer.text("message")), (404, "Not found".into()));
    }
}
