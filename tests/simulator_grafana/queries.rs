//! Contract 2.3, 2.5, 3.6: who may do what, and when the server believes it.

use std::time::Duration;

use serde_json::json;

use crate::client::{grafana, grafana_with};

#[tokio::test]
async fn a_caller_sees_the_own_permissions_and_actions() {
    let grafana = grafana().await;
    let holder = grafana.holder("holder", &["folders:read@folders:*", "teams:create"]).await;
    let own = holder.get("/access-control/user/permissions").await.body;
    assert_eq!(own, json!({"folders:read": ["folders:*"], "teams:create": [""]}));
    let actions = holder.get("/access-control/user/actions").await.body;
    assert_eq!(actions, json!({"folders:read": true, "teams:create": true}));
    let admin = grafana.get("/access-control/user/permissions").await.body;
    assert_eq!(admin["roles:write"], json!(["permissions:type:delegate"]));
    assert!(admin.get("users:create").is_none());
}

#[tokio::test]
async fn the_permissions_of_a_user_are_a_flat_list_with_those_of_teams() {
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
async fn a_search_needs_one_action_or_the_start_of_one() {
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
async fn permissions_are_remembered_until_they_are_reloaded() {
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
    // What was taken away is believed to be there just as long.
    assert_eq!(grafana.delete(&format!("{roles}/{role}")).await.status, 200);
    assert_eq!(dave.post("/teams", json!({"name": "newer"})).await.status, 200);
    grafana.switch(|switches| switches.permission_cache_ms = 0);
    assert_eq!(dave.post("/teams", json!({"name": "newest"})).await.status, 403);
}

#[tokio::test]
async fn a_remembered_permission_ends_by_itself() {
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
