//! Contract 3.4, 3.6: delegation of permissions, and global roles.

use rolewright_simulators::grafana::switches::Generation;
use serde_json::json;

use crate::client::{Client, Grafana, grafana, grafana_with, list};

const ROLES: &str = "/access-control/roles";

/// A caller with all rights on roles and, in addition, these permissions.
async fn writer(grafana: &Grafana, permissions: &[&str]) -> Client {
    let mut all = vec![
        "roles:read@roles:*",
        "roles:write@permissions:type:delegate",
        "roles:delete@permissions:type:delegate",
        "users.roles:add@permissions:type:delegate",
        "users.roles:remove@permissions:type:delegate",
        "teams.roles:add@permissions:type:delegate",
        "teams.roles:remove@permissions:type:delegate",
    ];
    all.extend(permissions);
    grafana.caller_with("writer", &all).await
}

#[tokio::test]
async fn a_new_role_cannot_exceed_the_callers_permissions() {
    let grafana = grafana().await;
    let writer = writer(&grafana, &["reports:read@reports:*", "folders:read@folders:uid:sre"]).await;
    let create = async |uid: &str, permissions: &[&str]| {
        writer.post(ROLES, json!({"uid": uid, "name": uid, "permissions": list(permissions)})).await
    };
    assert_eq!(create("empty", &[]).await.status, 201);
    assert_eq!(
        create("narrower", &["reports:read@reports:id:1", "folders:read@folders:uid:sre"]).await.status,
        201
    );
    for wider in [
        "folders:read@folders:*",
        "folders:read@folders:uid:data",
        "reports:send@reports:*",
        "reports:read@*",
    ] {
        let answer = create("wider", &[wider]).await;
        assert_eq!(
            (answer.status, answer.body),
            (403, json!({"message": "Forbidden", "traceID": ""})),
            "{wider}"
        );
    }
}

#[tokio::test]
async fn a_role_beyond_the_callers_permissions_is_read_only() {
    let grafana = grafana().await;
    let writer = writer(&grafana, &["teams:create"]).await;
    let big = grafana.new_role("big", &["teams:create", "reports:create"]).await;
    let (user, team) = (grafana.user("alice"), grafana.team("sre"));
    let add = json!({"roleUid": big});
    let of_user = format!("/access-control/users/{user}/roles");
    let of_team = format!("/access-control/teams/{team}/roles");
    let path = format!("{ROLES}/{big}");
    let assignments = format!("{path}/assignments");
    // The caller can neither reduce, assign, unassign nor delete it.
    assert_eq!(writer.put(&path, json!({"name": "big"})).await.status, 403);
    assert_eq!(writer.put(&assignments, json!({"users": [user]})).await.status, 403);
    assert_eq!(writer.post(&of_user, add.clone()).await.status, 403);
    assert_eq!(writer.post(&of_team, add.clone()).await.status, 403);
    assert_eq!(writer.put(&of_user, json!({"roleUids": [big]})).await.status, 403);
    assert_eq!(writer.put(&of_team, json!({"roleUids": [big]})).await.status, 403);
    assert_eq!(writer.delete(&path).await.status, 403);
    assert_eq!(grafana.post(&of_user, add.clone()).await.status, 200);
    assert_eq!(grafana.post(&of_team, add).await.status, 200);
    assert_eq!(writer.put(&of_user, json!({"roleUids": []})).await.status, 403);
    assert_eq!(writer.put(&of_team, json!({"roleUids": []})).await.status, 403);
    assert_eq!(writer.delete(&format!("{of_user}/{big}")).await.status, 403);
    assert_eq!(writer.delete(&format!("{of_team}/{big}")).await.status, 403);
    assert_eq!(grafana.assigned(&big).await, [vec![user], vec![team], vec![]]);
}

#[tokio::test]
async fn a_full_admin_lacks_the_actions_of_plugins() {
    let grafana = grafana().await;
    let plugin = grafana.role("plugins:grafana-oncall-app:schedules-reader");
    let user = grafana.user("alice");
    let path = format!("{ROLES}/{plugin}/assignments");
    let answer = grafana.put(&path, json!({"users": [user]})).await;
    assert_eq!((answer.status, answer.text("message")), (403, "Forbidden".into()));
}

#[tokio::test]
async fn the_right_to_escalate_allows_more_permissions() {
    let grafana = grafana().await;
    let writer = writer(&grafana, &["roles:write@permissions:type:escalate"]).await;
    let role = json!({"name": "r", "permissions": list(&["reports:create"])});
    assert_eq!(writer.post(ROLES, role).await.status, 201);
}

#[tokio::test]
async fn a_global_role_is_in_all_organizations_and_global_is_checked() {
    let grafana = grafana().await;
    let role = json!({"uid": "g", "name": "g", "global": true, "permissions": list(&["teams:create"])});
    let created = grafana.post(ROLES, role).await;
    assert_eq!((created.status, &created.body["global"]), (201, &json!(true)));
    let partners = grafana.login("admin").await.in_org(2);
    let path = format!("{ROLES}/g");
    assert_eq!(partners.get(&path).await.status, 200);
    assert_eq!(grafana.put(&path, json!({"name": "g", "version": 2})).await.status, 404);
    let update = json!({"name": "g", "version": 2, "global": true});
    assert_eq!(grafana.put(&path, update).await.status, 200);
    assert_eq!(grafana.delete(&path).await.status, 404);
    assert_eq!(grafana.delete(&format!("{path}?global=false")).await.status, 404);
    assert_eq!(grafana.delete(&format!("{path}?global=true")).await.status, 200);
}

#[tokio::test]
async fn switches_change_the_check_of_global() {
    let grafana = grafana_with(|switches| {
        switches.update_checks_global = false;
        switches.global_mismatch_status = 403;
    })
    .await;
    grafana.post(ROLES, json!({"uid": "g", "name": "g", "global": true})).await;
    assert_eq!(grafana.put(&format!("{ROLES}/g"), json!({"name": "g"})).await.body["global"], true);
    assert_eq!(grafana.delete(&format!("{ROLES}/g")).await.status, 403);
    let local = grafana.new_role("local", &[]).await;
    assert_eq!(grafana.delete(&format!("{ROLES}/{local}?global=true")).await.status, 403);
}

#[tokio::test]
async fn since_13_a_global_role_cannot_name_one_data_source() {
    for (generation, status) in [(Generation::V13, 400), (Generation::V12, 201)] {
        let grafana = grafana_with(|switches| switches.generation = generation).await;
        for scope in
            ["datasources:query@datasources:uid:loki-main", "annotations:read@annotations:type:dashboard"]
        {
            let role = json!({"name": scope, "global": true, "permissions": list(&[scope])});
            assert_eq!(grafana.post(ROLES, role.clone()).await.status, status, "{generation:?} {scope}");
            let mut local = role;
            local["global"] = false.into();
            assert_eq!(grafana.post(ROLES, local).await.status, 201, "{generation:?} {scope}");
        }
        let all = json!({"name": "all", "global": true, "permissions": list(&["datasources:query@datasources:uid:*"])});
        assert_eq!(grafana.post(ROLES, all).await.status, 201);
    }
}

#[tokio::test]
async fn after_an_upgrade_some_global_roles_cannot_be_deleted() {
    let grafana = grafana_with(|switches| switches.generation = Generation::V12).await;
    let permissions = list(&["datasources:query@datasources:uid:loki-main"]);
    let role = json!({"uid": "g", "name": "g", "global": true, "permissions": permissions});
    assert_eq!(grafana.post(ROLES, role).await.status, 201);
    grafana.switch(|switches| switches.generation = Generation::V13);
    let users = json!({"users": [grafana.user("alice")]});
    assert_eq!(grafana.put(&format!("{ROLES}/g/assignments"), users).await.status, 400);
    assert_eq!(grafana.delete(&format!("{ROLES}/g?global=true")).await.status, 400);
}
