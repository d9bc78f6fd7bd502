//! Contract 3.7: which permissions a role can have.

use rolewright_simulators::grafana::rows::plugins::Plugin;
use serde_json::{Value, json};

use crate::client::{Answer, Grafana, grafana, grafana_with, list};

const ROLES: &str = "/access-control/roles";

async fn create(grafana: &Grafana, name: &str, permissions: &[&str]) -> Answer {
    grafana.post(ROLES, json!({"uid": name, "name": name, "permissions": list(permissions)})).await
}

#[tokio::test]
async fn an_unknown_action_is_refused_with_its_details() {
    let grafana = grafana().await;
    let answer = create(&grafana, "r", &["teams:create", "dashboards:fly@dashboards:*"]).await;
    assert_eq!((answer.status, answer.body["statusCode"].as_u64()), (400, Some(400)));
    assert_eq!(answer.text("messageId"), "accesscontrol.permission-invalid-action");
    assert_eq!(answer.body["traceID"], "");
    let detail = answer.body["extra"]["validationError"].as_str().unwrap();
    assert!(detail.starts_with("unknown action: dashboards:fly"), "{detail}");
}

#[tokio::test]
async fn an_invalid_scope_is_refused_with_the_valid_forms() {
    let grafana = grafana().await;
    let answer = create(&grafana, "r", &["serviceaccounts:read@users:id:1"]).await;
    assert_eq!(
        (answer.status, answer.text("messageId")),
        (400, "accesscontrol.permission-invalid-scope".into())
    );
    assert_eq!(
        answer.body["extra"]["validationError"],
        "invalid scope: users:id:1, for action: serviceaccounts:read, expected prefixes are \
         [* serviceaccounts:* serviceaccounts:id:*]"
    );
    for wrong in ["teams:create@teams:*", "serviceaccounts:read", "serviceaccounts:read@serviceaccounts:id:"]
    {
        assert_eq!(create(&grafana, "r", &[wrong]).await.status, 400, "{wrong}");
    }
    for (index, right) in
        ["serviceaccounts:read@serviceaccounts:id:7", "folders:read@folders:uid:*", "reports:create"]
            .into_iter()
            .enumerate()
    {
        assert_eq!(create(&grafana, &format!("right-{index}"), &[right]).await.status, 201, "{right}");
    }
}

#[tokio::test]
async fn scopes_of_annotations_have_a_type_or_a_number() {
    let grafana = grafana().await;
    for (name, scope, status) in [
        ("type", "annotations:type:dashboard", 201),
        ("id", "annotations:id:7", 201),
        ("none", "annotations:id:", 400),
    ] {
        let answer = create(&grafana, name, &[&format!("annotations:read@{scope}")]).await;
        assert_eq!(answer.status, status, "{scope}");
    }
}

#[tokio::test]
async fn a_switch_sends_message_ids_of_the_open_registry() {
    let grafana = grafana_with(|switches| switches.registry_message_ids = true).await;
    let cases = [
        ("dashboards:fly@dashboards:*", "permreg.unknown-action"),
        ("dashboards:read@dashboards:uid:", "permreg.invalid-scope"),
        ("dashboards:read", "permreg.invalid-scope"),
        ("dashboards:read@spaceships:uid:x", "permreg.unknown-kind"),
    ];
    for (permission, id) in cases {
        let answer = create(&grafana, "r", &[permission]).await;
        assert_eq!((answer.status, answer.text("messageId")), (400, id.to_owned()), "{permission}");
        assert!(answer.body["extra"]["validationError"].is_string());
    }
}

#[tokio::test]
async fn the_first_bad_permission_is_reported_before_delegation() {
    let grafana = grafana().await;
    let answer = create(&grafana, "r", &["users:create", "a:b", "c:d"]).await;
    let detail = answer.body["extra"]["validationError"].as_str().unwrap();
    assert!(detail.contains("a:b") && !detail.contains("c:d"), "{detail}");
    assert_eq!(create(&grafana, "r", &["users:create"]).await.status, 403);
}

#[tokio::test]
async fn an_update_is_validated_too() {
    let grafana = grafana().await;
    let role = grafana.new_role("r", &["teams:create"]).await;
    let update = json!({"name": "r", "permissions": list(&["a:b"])});
    assert_eq!(grafana.put(&format!("{ROLES}/{role}"), update).await.status, 400);
    assert_eq!(grafana.get(&format!("{ROLES}/{role}")).await.permissions(), ["teams:create"]);
}

#[tokio::test]
async fn switches_turn_validation_or_its_details_off() {
    let grafana = grafana_with(|switches| switches.permission_validation = false).await;
    let writer = ["roles:write@permissions:type:delegate", "a:b@c:d"];
    let writer = grafana.caller_with("writer", &writer).await;
    let role = json!({"name": "r", "permissions": list(&["a:b@c:d"])});
    assert_eq!(writer.post(ROLES, role).await.status, 201);

    let silent = grafana_with(|switches| switches.opaque_validation_errors = true).await;
    let answer = create(&silent, "r", &["a:b"]).await;
    assert_eq!(
        (answer.status, answer.body.get("extra"), answer.body.get("messageId")),
        (400, None::<&Value>, None)
    );
}

#[tokio::test]
async fn actions_of_a_plugin_are_known_once_it_is_installed() {
    let grafana = grafana().await;
    let writer = ["roles:write@permissions:type:delegate", "grafana-k6-app.tests:read"];
    let writer = grafana.caller_with("writer", &writer).await;
    let role = json!({"name": "r", "permissions": list(&["grafana-k6-app.tests:read"])});
    assert_eq!(writer.post(ROLES, role.clone()).await.status, 400);
    let actions = ["grafana-k6-app.tests:read".to_owned()].into();
    grafana.simulator.edit(|tenant| tenant.plugins.push(Plugin { id: "grafana-k6-app".into(), actions }));
    assert_eq!(writer.post(ROLES, role).await.status, 201);
}

#[tokio::test]
async fn a_server_can_know_more_actions_or_fewer() {
    let grafana = grafana_with(|switches| {
        switches.extra_actions.insert("rockets:launch".into(), ["rockets:uid:".to_owned()].into());
        switches.missing_actions.insert("teams:create".into());
    })
    .await;
    assert_eq!(create(&grafana, "r", &["teams:create"]).await.status, 400);
    assert_eq!(create(&grafana, "r", &["rockets:launch@folders:*"]).await.status, 400);
    // The action is known, but the admin does not have the permission.
    assert_eq!(create(&grafana, "r", &["rockets:launch@rockets:uid:1"]).await.status, 403);
}
