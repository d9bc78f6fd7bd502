//! Contract 2.1, 2.2, 3.2, 3.3: roles.

use rolewright_simulators::grafana::{
    rows::group_mappings::GroupMapping,
    switches::{DisplayNameFallback, DuplicatePermissions, PermissionOrder},
};
use serde_json::json;

use crate::client::{grafana, grafana_of, grafana_with, list};

const ROLES: &str = "/access-control/roles";

#[tokio::test]
async fn a_role_is_created_read_updated_and_deleted() {
    let grafana = grafana().await;
    let role = json!({
        "name": "custom:reports:writer",
        "displayName": "Reports",
        "description": "d",
        "group": "g",
        "permissions": list(&["reports:read@reports:*", "reports:create"]),
    });
    let created = grafana.post(ROLES, role).await;
    assert_eq!(created.status, 201, "{}", created.body);
    assert_eq!(created.permissions(), ["reports:create", "reports:read@reports:*"]);
    assert_eq!((&created.body["global"], &created.body["group"]), (&json!(false), &json!("g")));
    let uid = created.text("uid");
    assert!(uid.len() <= 40 && uid.starts_with(|sign: char| sign.is_ascii_lowercase()), "{uid}");
    let path = format!("{ROLES}/{uid}");
    let read = grafana.get(&path).await;
    assert_eq!((read.permissions(), read.text("displayName")), (created.permissions(), "Reports".into()));

    let update = json!({
        "version": 2,
        "name": "custom:reports",
        "displayName": "",
        "permissions": list(&["reports:read@reports:id:4"]),
    });
    let updated = grafana.put(&path, update).await;
    assert_eq!((updated.status, updated.body["version"].as_i64()), (200, Some(2)), "{}", updated.body);
    assert_eq!(updated.permissions(), ["reports:read@reports:id:4"]);
    // An empty text clears the field. An absent one keeps it.
    assert_eq!(updated.body["displayName"], "");
    assert_eq!(updated.text("description"), "d");

    let deleted = grafana.delete(&path).await;
    assert_eq!((deleted.status, deleted.text("message")), (200, "Role deleted".into()));
    for answer in [grafana.get(&path).await, grafana.delete(&path).await] {
        assert_eq!(answer.status, 404);
    }
    assert!(!grafana.get(ROLES).await.each("name").contains(&"custom:reports".to_owned()));
}

#[tokio::test]
async fn the_status_of_a_created_role_can_be_switched() {
    let grafana = grafana_with(|switches| switches.create_status = 200).await;
    assert_eq!(grafana.post(ROLES, json!({"name": "r"})).await.status, 200);
}

#[tokio::test]
async fn a_role_with_only_a_name_has_the_documented_fields() {
    let grafana = grafana().await;
    let created = grafana.post(ROLES, json!({"NAME": "r", "Permissions": null})).await.body;
    let keys: Vec<&String> = created.as_object().unwrap().keys().collect();
    let expected =
        ["created", "description", "displayName", "global", "group", "name", "uid", "updated", "version"];
    assert_eq!(keys, expected);
    assert_eq!((&created["description"], &created["group"]), (&json!(""), &json!("")));
}

#[tokio::test]
async fn a_switch_omits_empty_texts() {
    let grafana = grafana_with(|switches| switches.empty_texts_omitted = true).await;
    let created = grafana.post(ROLES, json!({"name": "r", "uid": "r", "description": "d"})).await.body;
    assert_eq!((&created["description"], created.get("group")), (&json!("d"), None));
    let listed = grafana.get(ROLES).await.body;
    let listed = listed.as_array().unwrap().iter().find(|role| role["uid"] == "r").unwrap();
    assert_eq!((&listed["description"], listed.get("group")), (&json!("d"), None));
}

#[tokio::test]
async fn names_are_unique_per_organization_and_uids_per_server() {
    let grafana = grafana().await;
    grafana.new_role("writer", &[]).await;
    assert_eq!(grafana.post(ROLES, json!({"name": "writer"})).await.status, 400);
    assert_eq!(grafana.post(ROLES, json!({"uid": "writer", "name": "other"})).await.status, 400);

    let partners = grafana.login("admin").await.in_org(2);
    assert_eq!(partners.post(ROLES, json!({"name": "writer"})).await.status, 201);
    assert_eq!(partners.post(ROLES, json!({"name": "third", "uid": "writer"})).await.status, 400);

    let other = grafana.new_role("other", &[]).await;
    assert_eq!(grafana.put(&format!("{ROLES}/{other}"), json!({"name": "writer"})).await.status, 400);
    assert_eq!(grafana.put(&format!("{ROLES}/{other}"), json!({"name": "other"})).await.status, 200);
}

#[tokio::test]
async fn a_chosen_uid_makes_creation_idempotent() {
    let grafana = grafana_with(|switches| switches.duplicate_role_status = 409).await;
    let role = json!({"uid": "rw-1", "name": "r", "permissions": list(&["teams:create"])});
    assert_eq!(grafana.post(ROLES, role.clone()).await.status, 201);
    assert_eq!(grafana.post(ROLES, role).await.status, 409);
    assert_eq!(grafana.get(&format!("{ROLES}/rw-1")).await.permissions(), ["teams:create"]);
}

#[tokio::test]
async fn names_and_uids_have_limits_and_reserved_prefixes() {
    let grafana = grafana().await;
    let long = |length| "x".repeat(length);
    let cases = [
        json!({}),
        json!({"name": ""}),
        json!({"name": 7}),
        json!({"name": long(191)}),
        json!({"name": "r", "displayName": long(191)}),
        json!({"name": "r", "group": long(191)}),
        json!({"name": "r", "uid": long(41)}),
        json!({"name": "r", "uid": "a b"}),
        json!({"name": "r", "uid": "a:b"}),
        json!({"name": "fixed:r"}),
        json!({"name": "basic:viewer"}),
        json!({"name": "managed:r"}),
        json!({"name": "plugins:x:r"}),
        json!({"name": "extsvc:r"}),
        json!({"name": "r", "uid": "fixed_r"}),
        json!({"name": "r", "uid": "basic_r"}),
        json!({"name": "r", "permissions": "all"}),
        json!({"name": "r", "permissions": [{"scope": "*"}]}),
        json!({"name": "r", "permissions": [{"action": long(191)}]}),
    ];
    for role in cases {
        let answer = grafana.post(ROLES, role.clone()).await;
        assert_eq!(answer.status, 400, "{role}");
        assert!(answer.body["message"].is_string());
    }
    let role = json!({"name": long(190), "uid": long(40), "displayName": long(190), "group": long(190)});
    assert_eq!(grafana.post(ROLES, role).await.status, 201);
    assert_eq!(grafana.post(ROLES, json!({"name": "custom:fixed", "uid": "a_B-9"})).await.status, 201);
}

#[tokio::test]
async fn changing_a_built_in_role_has_the_switched_status() {
    let grafana = grafana_with(|switches| switches.protected_role_status = 403).await;
    let brought =
        ["fixed:reports:reader", "plugins:grafana-oncall-app:schedules-reader", "extsvc:grafana-oncall-app"];
    for name in brought {
        let path = format!("{ROLES}/{}", grafana.role(name));
        let update = json!({"name": name, "global": true, "version": 9});
        assert_eq!(grafana.put(&path, update).await.status, 403, "{name}");
        assert_eq!(grafana.delete(&format!("{path}?global=true")).await.status, 403, "{name}");
    }
    assert_eq!(grafana.delete(&format!("{ROLES}/basic_viewer?global=true")).await.status, 403);
}

#[tokio::test]
async fn a_basic_role_takes_permissions_but_none_stays_empty() {
    let grafana = grafana().await;
    let path = format!("{ROLES}/basic_viewer");
    let update = json!({
        "name": "basic:viewer",
        "global": true,
        "hidden": false,
        "permissions": list(&["teams:read@teams:*", "orgs:read"]),
    });
    let updated = grafana.put(&path, update.clone()).await;
    assert_eq!((updated.status, &updated.body["hidden"]), (200, &json!(true)), "{}", updated.body);
    assert_eq!(updated.permissions(), ["orgs:read", "teams:read@teams:*"]);
    let mut renamed = update.clone();
    renamed["name"] = "basic:watcher".into();
    assert_eq!(grafana.put(&path, renamed).await.status, 400);
    let mut none = update;
    none["name"] = "basic:none".into();
    assert_eq!(grafana.put(&format!("{ROLES}/basic_none"), none).await.status, 400);
}

#[tokio::test]
async fn a_hard_reset_restores_basic_roles_and_needs_escalation() {
    let grafana = grafana().await;
    let path = format!("{ROLES}/basic_viewer");
    let before = grafana.get(&path).await;
    let empty = json!({"name": "basic:viewer", "global": true});
    assert_eq!(grafana.put(&path, empty).await.status, 200);
    let reset = format!("{ROLES}/hard-reset");
    assert_eq!(grafana.post(&reset, json!({"BasicRoles": true})).await.status, 403);
    let escalator = grafana.caller_with("escalator", &["roles:write@permissions:type:escalate"]).await;
    let answer = escalator.post(&reset, json!({"BasicRoles": true})).await;
    assert_eq!((answer.status, answer.text("message")), (200, "Reset performed".into()));
    let after = grafana.get(&path).await;
    assert_eq!(after.permissions(), before.permissions());
    assert!(after.body["version"].as_i64() > before.body["version"].as_i64());
}

#[tokio::test]
async fn lists_omit_permissions_managed_roles_and_hidden_roles() {
    let grafana = grafana().await;
    let hidden = json!({"name": "secret", "uid": "secret", "hidden": true});
    assert_eq!(grafana.post(ROLES, hidden).await.status, 201);
    let plain = grafana.get(ROLES).await;
    let all = grafana.get(&format!("{ROLES}?includeHidden=true")).await;
    for name in ["secret", "basic:admin", "basic:grafana_admin"] {
        assert!(!plain.each("name").contains(&name.to_owned()), "{name}");
        assert!(all.each("name").contains(&name.to_owned()), "{name}");
    }
    assert!(plain.each("name").contains(&"fixed:reports:reader".to_owned()));
    assert!(!all.each("name").iter().any(|name| name.starts_with("managed:")));
    assert!(all.body.as_array().unwrap().iter().all(|role| role.get("permissions").is_none()));
    assert_eq!(grafana.get(&format!("{ROLES}/secret")).await.body["hidden"], true);
}

#[tokio::test]
async fn an_update_without_hidden_clears_it_unless_switched() {
    for (keeps, expected) in [(false, json!(null)), (true, json!(true))] {
        let grafana = grafana_with(|switches| switches.absent_hidden_keeps = keeps).await;
        grafana.post(ROLES, json!({"name": "r", "uid": "r", "hidden": true})).await;
        assert_eq!(grafana.put(&format!("{ROLES}/r"), json!({"name": "r"})).await.body["hidden"], expected);
    }
}

#[tokio::test]
async fn a_switch_makes_absent_texts_clear() {
    let grafana = grafana_with(|switches| switches.absent_texts_clear = true).await;
    grafana.post(ROLES, json!({"name": "r", "uid": "r", "description": "d"})).await;
    assert_eq!(grafana.put(&format!("{ROLES}/r"), json!({"name": "r"})).await.text("description"), "");
}

#[tokio::test]
async fn an_update_without_permissions_removes_all() {
    let grafana = grafana().await;
    let uid = grafana.new_role("r", &["teams:create"]).await;
    let updated = grafana.put(&format!("{ROLES}/{uid}"), json!({"name": "r", "permissions": null})).await;
    assert!(updated.permissions().is_empty() && updated.status == 200);
}

#[tokio::test]
async fn fixed_roles_have_hashed_uids_or_random_ones_if_old() {
    let grafana = grafana().await;
    assert_eq!(grafana.role("fixed:datasources:reader"), "fixed_C2x8IxkiBc1KZVjyYH775T9jNMQ");
    let old = grafana_of(|tenant| {
        let role_uids = vec![tenant.role_by_name("fixed:datasources:reader").unwrap()];
        tenant.group_mappings.push(GroupMapping { org_id: 1, group_id: "g".into(), role_uids });
        tenant.randomize_fixed_uids(7);
    })
    .await;
    let uid = old.role("fixed:datasources:reader");
    assert_eq!(old.get("/groupsync/groups/g/roles").await.each("uid"), [uid.as_str()]);
    assert_eq!(uid.len(), 9);
    assert_eq!(old.get(&format!("{ROLES}/{uid}")).await.text("name"), "fixed:datasources:reader");
}

#[tokio::test]
async fn the_list_marks_roles_that_the_caller_can_delegate() {
    let grafana = grafana().await;
    let listed = grafana.get(&format!("{ROLES}?delegatable=true")).await.body;
    let role = |name: &str| listed.as_array().unwrap().iter().find(|role| role["name"] == name).unwrap();
    assert_eq!(role("fixed:reports:reader")["delegatable"], true);
    // It has an action of a plugin, which admins do not have.
    assert!(role("plugins:grafana-oncall-app:schedules-reader").get("delegatable").is_none());
}

#[tokio::test]
async fn duplicate_permissions_are_merged_refused_or_fail() {
    let cases = [
        (DuplicatePermissions::Merge, 201),
        (DuplicatePermissions::Refuse, 400),
        (DuplicatePermissions::Fail, 500),
    ];
    for (duplicates, status) in cases {
        let grafana = grafana_with(|switches| switches.duplicate_permissions = duplicates).await;
        // A missing scope and an empty one are the same.
        let twice = json!([{"action": "teams:create"}, {"action": "teams:create", "scope": ""}]);
        let answer = grafana.post(ROLES, json!({"name": "r", "permissions": twice})).await;
        assert_eq!(answer.status, status);
        if status == 201 {
            assert_eq!(answer.permissions(), ["teams:create"]);
        }
    }
}

#[tokio::test]
async fn permissions_are_shuffled_unless_switched() {
    let sent = ["teams:create", "orgs:read", "reports:create", "datasources:create", "datasources:explore"];
    let grafana = grafana().await;
    let uid = grafana.new_role("r", &sent).await;
    let mut orders = Vec::new();
    for _ in 0..8 {
        orders.push(grafana.get(&format!("{ROLES}/{uid}")).await.shown_permissions());
    }
    assert!(orders.iter().any(|order| *order != orders[0]));
    grafana.switch(|switches| switches.permission_order = PermissionOrder::AsSent);
    assert_eq!(grafana.get(&format!("{ROLES}/{uid}")).await.shown_permissions(), sent);
    grafana.switch(|switches| switches.permission_order = PermissionOrder::Sorted);
    let sorted = grafana.get(&format!("{ROLES}/{uid}")).await;
    assert_eq!(sorted.shown_permissions(), sorted.permissions());
}

#[tokio::test]
async fn a_display_name_can_be_made_from_the_name() {
    let cases = [
        (DisplayNameFallback::None, json!(""), json!("")),
        (DisplayNameFallback::FixedRoles, json!("datasources.permissions writer"), json!("")),
        (DisplayNameFallback::AllRoles, json!("datasources.permissions writer"), json!("custom r")),
    ];
    for (fallback, fixed, custom) in cases {
        let grafana = grafana_with(|switches| switches.display_name_fallback = fallback).await;
        let created = grafana.post(ROLES, json!({"name": "custom:r"})).await;
        assert_eq!(created.body["displayName"], custom, "{fallback:?}");
        let uid = grafana.role("fixed:datasources.permissions:writer");
        assert_eq!(grafana.get(&format!("{ROLES}/{uid}")).await.body["displayName"], fixed, "{fallback:?}");
    }
}

#[tokio::test]
async fn a_body_must_be_json_and_declared_as_json() {
    let grafana = grafana().await;
    for (kind, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
        ("text/plain", r#"{"name": "r"}"#, 400),
        ("application/json; charset=utf-8", r#"{"name": "r"}"#, 201),
    ] {
        let request = grafana.signed(reqwest::Method::POST, ROLES);
        let response = request.header("content-type", kind).body(body).send().await.unwrap();
        assert_eq!(response.status(), status, "{kind} {body}");
    }
}
