//! Contract 1.1, 1.2, 3.10: credentials, organizations and the form of refusals.

use serde_json::{Value, json};

use crate::client::{Login, grafana, grafana_of, grafana_with};

const ROLES: &str = "/access-control/roles";

fn id_of(body: &Value) -> &Value {
    &body["messageId"]
}

#[tokio::test]
async fn a_call_without_a_known_credential_is_401() {
    let grafana = grafana().await;
    grafana.login("alice").await;
    let token = |text: &str| Login::Token(text.to_owned());
    let basic = |user: &str, password: &str| Login::Basic(user.to_owned(), password.to_owned());
    let cases = [
        (Login::None, Value::Null, "Unauthorized"),
        (token("guess"), json!("api-key.invalid"), "Invalid API key"),
        // A login with its password is not a token, and a token is not a password.
        (token("alice:secret"), json!("api-key.invalid"), "Invalid API key"),
        (basic("alice", "guess"), Value::Null, "Invalid username or password"),
        (basic("admin", "admin-token"), Value::Null, "Invalid username or password"),
    ];
    for (login, id, message) in cases {
        let answer = grafana.with(login).get(ROLES).await;
        assert_eq!((answer.status, id_of(&answer.body)), (401, &id), "{message}");
        assert_eq!(answer.text("message"), message);
    }
    let plain = grafana_with(|switches| switches.plain_unauthorized = true).await;
    let answer = plain.with(token("guess")).get(ROLES).await;
    assert_eq!((answer.status, id_of(&answer.body)), (401, &Value::Null));
    assert_eq!(answer.text("message"), "Unauthorized");
}

#[tokio::test]
async fn expired_revoked_and_disabled_tokens_have_distinct_errors() {
    let grafana = grafana().await;
    let account = grafana.account("nightly-reports");
    let past = json!({"expires_at": "2020-01-01T00:00:00Z"});
    let cases = [
        ("past", past, "api-key.expired"),
        ("revoked", json!({"revoked": true}), "api-key.revoked"),
        ("gone", json!({"service_account_id": 999}), "api-key.invalid"),
    ];
    for (name, grant, id) in cases {
        let answer = grafana.caller(name, grant).await.get("/org").await;
        assert_eq!((answer.status, id_of(&answer.body)), (401, &json!(id)));
    }
    let caller = grafana.caller("account", json!({"service_account_id": account})).await;
    assert_eq!(caller.get("/org").await.status, 200);
    grafana.post("/_sim/credentials", json!({"action": "Expire", "name": "account"})).await;
    assert_eq!(id_of(&caller.get("/org").await.body), "api-key.expired");
    grafana.post("/_sim/credentials", json!({"action": "Revive", "name": "account"})).await;
    assert_eq!(
        grafana.patch(&format!("/serviceaccounts/{account}"), json!({"isDisabled": true})).await.status,
        200
    );
    assert_eq!(id_of(&caller.get("/org").await.body), "api-key.invalid");
}

#[tokio::test]
async fn a_token_is_bound_to_its_organization() {
    let grafana = grafana().await;
    assert_eq!(grafana.in_org(1).get(ROLES).await.status, 200);
    let answer = grafana.in_org(2).get(ROLES).await;
    assert_eq!((answer.status, id_of(&answer.body)), (401, &json!("api-key.organization-mismatch")));
    let partner = grafana.caller("partner", json!({"org_id": 2, "permissions": {"orgs:read": [""]}})).await;
    assert_eq!(partner.get("/org").await.text("name"), "Partners");
}

#[tokio::test]
async fn the_header_selects_the_organization_of_a_user() {
    let grafana = grafana().await;
    let admin = grafana.login("admin").await;
    assert_eq!(admin.get("/org").await.text("name"), "Main Org.");
    assert_eq!(admin.in_org(2).get("/org").await.text("name"), "Partners");
    // Only a server admin reaches organizations without being a member.
    let created = admin.post("/orgs", json!({"name": "Third"})).await;
    let third = created.body["orgId"].as_i64().unwrap();
    let erin = grafana.login("erin").await;
    assert_eq!((erin.get("/org").await.status, erin.in_org(third).get("/org").await.status), (200, 401));
    grafana.simulator.edit(|tenant| tenant.org_users.retain(|row| row.org_id != third));
    assert_eq!(admin.in_org(third).get("/org").await.text("name"), "Third");
    assert_eq!(admin.in_org(third).get(ROLES).await.status, 200);
    assert_eq!(admin.in_org(999).get("/org").await.status, 401);
}

#[tokio::test]
async fn a_user_who_is_disabled_or_deleted_is_401() {
    let grafana = grafana().await;
    let (alice, bob) = (grafana.login("alice").await, grafana.login("bob").await);
    assert_eq!(alice.get("/org").await.status, 200);
    let id = grafana.user("alice");
    grafana.simulator.edit(|tenant| tenant.users.get_mut(id).unwrap().is_disabled = true);
    assert_eq!(alice.get("/org").await.status, 401);
    let admin = grafana.login("admin").await;
    assert_eq!(admin.delete(&format!("/admin/users/{}", grafana.user("bob"))).await.status, 200);
    assert_eq!(bob.get("/org").await.status, 401);
}

#[tokio::test]
async fn a_missing_action_is_refused_by_the_middleware() {
    let grafana = grafana().await;
    let answer = grafana.login("alice").await.get(ROLES).await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.text("title"), "Access denied");
    assert!(answer.text("message").ends_with("Permissions needed: roles:read"));
    let id = answer.text("accessErrorId");
    assert!(
        id.len() == 13 && id.starts_with("ACE") && id[3..].bytes().all(|sign| sign.is_ascii_digit()),
        "{id}"
    );
}

#[tokio::test]
async fn every_operation_on_roles_requires_its_permission() {
    let grafana = grafana().await;
    let role = grafana.new_role("r", &[]).await;
    let (user, team) = (grafana.user("alice"), grafana.team("sre"));
    let (path, assignments) = (format!("{ROLES}/{role}"), format!("{ROLES}/{role}/assignments"));
    let (of_user, of_team) =
        (format!("/access-control/users/{user}/roles"), format!("/access-control/teams/{team}/roles"));
    let add = json!({"roleUid": role});
    let all = json!({"name": "r", "roleUids": [], "userIds": [], "teamIds": []});
    let one_of = |path: &str| format!("{path}/{role}");
    let cases = [
        ("GET", ROLES.to_owned(), None, vec!["roles:read@roles:*"]),
        ("GET", path.clone(), None, vec!["roles:read@roles:uid:r"]),
        ("POST", ROLES.to_owned(), Some(json!({"name": "s"})), vec!["roles:write@permissions:type:delegate"]),
        ("PUT", path.clone(), Some(all.clone()), vec!["roles:write@permissions:type:delegate"]),
        (
            "GET",
            assignments.clone(),
            None,
            vec!["users.roles:read@users:id:*", "teams.roles:read@teams:id:*"],
        ),
        (
            "PUT",
            assignments,
            Some(json!({})),
            vec![
                "users.roles:add@permissions:type:delegate",
                "users.roles:remove@permissions:type:delegate",
                "teams.roles:add@permissions:type:delegate",
                "teams.roles:remove@permissions:type:delegate",
            ],
        ),
        ("GET", of_user.clone(), None, vec!["users.roles:read@users:id:2"]),
        ("POST", of_user.clone(), Some(add.clone()), vec!["users.roles:add@permissions:type:delegate"]),
        ("DELETE", one_of(&of_user), None, vec!["users.roles:remove@permissions:type:delegate"]),
        (
            "PUT",
            of_user,
            Some(all.clone()),
            vec!["users.roles:add@permissions:type:delegate", "users.roles:remove@permissions:type:delegate"],
        ),
        ("GET", of_team.clone(), None, vec!["teams.roles:read@teams:id:2"]),
        ("POST", of_team.clone(), Some(add), vec!["teams.roles:add@permissions:type:delegate"]),
        ("DELETE", one_of(&of_team), None, vec!["teams.roles:remove@permissions:type:delegate"]),
        (
            "PUT",
            of_team,
            Some(all.clone()),
            vec!["teams.roles:add@permissions:type:delegate", "teams.roles:remove@permissions:type:delegate"],
        ),
        (
            "POST",
            "/access-control/users/roles/search".into(),
            Some(all.clone()),
            vec!["users.roles:read@users:*"],
        ),
        ("POST", "/access-control/teams/roles/search".into(), Some(all), vec!["teams.roles:read@teams:*"]),
        ("GET", "/access-control/status".into(), None, vec!["status:accesscontrol@services:accesscontrol"]),
        (
            "GET",
            format!("/access-control/users/{user}/permissions"),
            None,
            vec!["users.permissions:read@users:id:2"],
        ),
        ("DELETE", path, None, vec!["roles:delete@permissions:type:delegate"]),
    ];
    let caller = grafana.caller_with("caller", &[]).await;
    assert_eq!((user, team), (2, 2));
    for (method, path, body, needed) in cases {
        let ask = async || caller.send(method.parse().unwrap(), &path, body.clone()).await.unwrap().status;
        let narrow = async |permissions: &[&str]| {
            let grant = json!({"permissions": crate::client::scopes_by_action(permissions)});
            let change = json!({"action": "Narrow", "name": "caller", "grant": grant});
            assert_eq!(grafana.post("/_sim/credentials", change).await.status, 200);
        };
        for left_out in 0..needed.len() {
            let mut most = needed.clone();
            most.remove(left_out);
            narrow(&most).await;
            assert_eq!(ask().await, 403, "{method} {path} with {most:?}");
        }
        narrow(&needed).await;
        assert!(ask().await < 300, "{method} {path} with {needed:?}");
    }
}

#[tokio::test]
async fn effective_permissions_come_from_all_sources() {
    let grafana = grafana().await;
    let dave = grafana.login("dave").await;
    let can = async || {
        let permissions = dave.get("/access-control/user/permissions").await.body;
        ["reports:read", "datasources:query", "datasources:explore", "folders:read"]
            .map(|action| permissions.get(action).is_some())
    };
    assert_eq!(can().await, [false; 4]);
    let id = grafana.user("dave");
    let role = json!({"roleUid": grafana.role("fixed:reports:reader")});
    assert_eq!(grafana.post(&format!("/access-control/users/{id}/roles"), role).await.status, 200);
    let role = json!({"roleUid": grafana.role("fixed:datasources:reader")});
    let team = grafana.team("sre");
    assert_eq!(grafana.post(&format!("/access-control/teams/{team}/roles"), role).await.status, 200);
    assert_eq!(can().await, [true, true, false, false]);
    assert_eq!(grafana.patch(&format!("/org/users/{id}"), json!({"role": "Editor"})).await.status, 200);
    // Editors have the default permissions on folders.
    assert_eq!(can().await, [true; 4]);
    assert_eq!(grafana.patch(&format!("/org/users/{id}"), json!({"role": "None"})).await.status, 200);
    let path = format!("/access-control/folders/sre/users/{id}");
    assert_eq!(grafana.post(&path, json!({"permission": "View"})).await.status, 200);
    assert_eq!(can().await, [true, true, false, true]);
    let permissions = dave.get("/access-control/user/permissions").await.body;
    assert_eq!(permissions["folders:read"], json!(["folders:uid:sre"]));
    // Without a licence, assigned roles have no effect.
    grafana.switch(|switches| switches.licence = rolewright_simulators::grafana::switches::Licence::Absent);
    assert_eq!(can().await, [false, false, false, true]);
}

#[tokio::test]
async fn in_development_mode_legacy_errors_have_a_cause() {
    for (mode, has_cause) in [(false, false), (true, true)] {
        let grafana = grafana_with(|switches| switches.development_mode = mode).await;
        let answer = grafana.get(&format!("{ROLES}/nothing")).await;
        assert_eq!((answer.status, answer.body.get("error").is_some()), (404, has_cause));
        assert_eq!(answer.body["traceID"], "");
    }
}

#[tokio::test]
async fn only_server_admins_reach_other_organizations() {
    let grafana = grafana_of(|tenant| {
        let mut role = tenant.roles.iter().find(|role| role.uid == "legacy-reviewer").unwrap().clone();
        (role.id, role.uid, role.org_id) = (900, "theirs".into(), 2);
        tenant.roles.insert(role);
    })
    .await;
    let path = format!("{ROLES}?targetOrgId=2");
    assert_eq!(grafana.get(&path).await.status, 403);
    let seen = grafana.login("admin").await.get(&path).await;
    assert!(seen.each("uid").contains(&"theirs".to_owned()));
    assert!(!seen.each("uid").contains(&"legacy-reviewer".to_owned()));
    assert_eq!(grafana.get(&format!("{ROLES}/theirs")).await.status, 404);
}

#[tokio::test]
async fn fixed_roles_of_roles_do_not_include_the_status() {
    let grafana = grafana().await;
    for name in ["fixed:roles:reader", "fixed:roles:writer"] {
        let permissions =
            grafana.get(&format!("/access-control/roles/{}", grafana.role(name))).await.permissions();
        assert!(permissions.contains(&"roles:read@roles:*".to_owned()), "{permissions:?}");
        assert!(!permissions.iter().any(|it| it.starts_with("status:accesscontrol")), "{name}");
    }
}
