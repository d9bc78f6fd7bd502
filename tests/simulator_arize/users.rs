//! Contract 2.4, 2.6 and 2.7: users, memberships, keys, audit logs.

use rolewright_simulators::arize::Kind;
use serde_json::{Value, json};

use crate::client::{Login, absent, arize, arize_with};

fn predefined(name: &str) -> Value {
    json!({"type": "PREDEFINED", "name": name})
}

fn invitation(email: &str, invite_mode: &str) -> Value {
    json!({"name": "New", "email": email, "role": predefined("MEMBER"), "invite_mode": invite_mode})
}

#[tokio::test]
async fn users_match_by_substring_in_the_order_of_creation() {
    let arize = arize().await;
    assert_eq!(
        arize.get("/v2/users?email=ANN%40example.com").await.names("users"),
        ["Ann Rossi", "Joann Rossi"]
    );
    assert_eq!(arize.get("/v2/users?email=ann").await.names("users").len(), 3);
    let users = arize.get("/v2/users").await;
    let created: Vec<&Value> =
        users.body["users"].as_array().unwrap().iter().map(|u| &u["created_at"]).collect();
    assert!(created.is_sorted_by_key(|time| time.as_str()));
    assert_eq!(created.len(), 14);
}

#[tokio::test]
async fn the_status_filter_can_be_repeated() {
    let arize = arize().await;
    let path = "/v2/users?status=INVITED&status=EXPIRED";
    assert_eq!(arize.get(path).await.names("users"), ["Grace Petrov", "Heidi Okafor"]);
    assert_eq!(arize.get("/v2/users?status=inactive").await.status, 400);
    assert_eq!(arize.get(&format!("/v2/users?email={}", "x".repeat(256))).await.status, 400);
}

#[tokio::test]
async fn bot_users_are_readable_and_listed_only_if_switched() {
    for listed in [false, true] {
        let arize = arize_with(|switches| switches.bot_users_listed = listed).await;
        let names = arize.get("/v2/users").await.names("users");
        assert_eq!(names.contains(&"nightly-evaluation".to_owned()), listed);
        let bot = arize.simulator.edit(|tenant| tenant.users.iter().find(|user| user.is_bot).unwrap().id);
        assert_eq!(arize.get(&format!("/v2/users/{bot}")).await.status, 200);
    }
}

#[tokio::test]
async fn an_invitation_is_201_once_200_while_open_and_409_afterwards() {
    let arize = arize().await;
    let first = arize.post("/v2/users", invitation("new@example.com", "TEMPORARY_PASSWORD")).await;
    assert_eq!((first.status, first.text("status")), (201, "INVITED".to_owned()));
    assert!(first.body["temporary_password"].is_string());
    let again = arize.post("/v2/users", invitation("NEW@example.com", "EMAIL_LINK")).await;
    assert_eq!((again.status, again.text("id")), (200, first.text("id")));
    assert!(again.body.get("temporary_password").is_none());
    assert_eq!(arize.post("/v2/users", invitation("alice@example.com", "NONE")).await.status, 409);
    assert_eq!(arize.delete(&format!("/v2/users/{}", first.text("id"))).await.status, 204);
    assert_eq!(arize.post("/v2/users", invitation("new@example.com", "NONE")).await.status, 409);
}

#[tokio::test]
async fn invalid_users_are_refused() {
    let arize = arize().await;
    let mut custom = invitation("x@example.com", "NONE");
    custom["role"] = json!({"type": "CUSTOM", "id": arize.role("Legacy reviewer")});
    let cases = [
        (422, custom),
        (422, invitation("no address", "NONE")),
        (422, invitation("x@example.com", "CARRIER_PIGEON")),
        (400, json!({"name": "n", "email": "x@example.com", "invite_mode": "NONE"})),
    ];
    for (status, body) in cases {
        assert_eq!(arize.post("/v2/users", body.clone()).await.status, status, "{body}");
    }
}

#[tokio::test]
async fn an_update_changes_the_name_but_not_the_account_role() {
    let arize = arize().await;
    let path = format!("/v2/users/{}", arize.user("alice"));
    let updated = arize.patch(&path, json!({"name": "Alice M.", "is_developer": false})).await;
    assert_eq!((updated.text("name"), &updated.body["is_developer"]), ("Alice M.".into(), &json!(false)));
    assert_eq!(arize.patch(&path, json!({"role": predefined("ADMIN")})).await.status, 400);
}

#[tokio::test]
async fn deleting_a_user_is_permanent_and_cascades() {
    let arize = arize().await;
    let alice = arize.user("alice");
    let project = arize.project("research", "churn");
    let binding = arize.bind(&alice, &arize.role("Project Viewer"), &project).await.text("id");
    let path = format!("/v2/users/{alice}");
    assert_eq!(arize.delete(&path).await.status, 204);
    assert_eq!(arize.delete(&path).await.status, 204);
    assert_eq!(arize.get(&path).await.status, 404);
    assert_eq!(arize.get(&format!("/v2/role-bindings/{binding}")).await.status, 404);
    assert_eq!(arize.bind(&alice, &arize.role("Project Viewer"), &project).await.status, 404);
    assert!(arize.get("/v2/users?email=alice").await.names("users").is_empty());
    let state = arize.get("/_sim/state").await.body;
    assert!(!state["space_members"].to_string().contains(&alice));
}

#[tokio::test]
async fn users_cannot_delete_themselves() {
    let arize = arize().await;
    assert_eq!(arize.delete(&format!("/v2/users/{}", arize.user("admin"))).await.status, 400);
    assert_eq!(arize.delete(&format!("/v2/users/{}", absent(Kind::User))).await.status, 404);
}

#[tokio::test]
async fn resend_and_reset_depend_on_the_users_status() {
    let arize = arize().await;
    let path = |user: &str, verb: &str| format!("/v2/users/{}/{verb}", arize.user(user));
    assert_eq!(arize.post(&path("heidi", "resend-invitation"), json!({})).await.status, 204);
    assert_eq!(arize.post(&path("alice", "resend-invitation"), json!({})).await.status, 400);
    assert_eq!(arize.post(&path("alice", "reset-password"), json!({})).await.status, 204);
    assert_eq!(arize.post(&path("grace", "reset-password"), json!({})).await.status, 400);
}

#[tokio::test]
async fn a_space_membership_is_an_upsert() {
    let arize = arize().await;
    let path = format!("/v2/spaces/{}/users", arize.space("storefront"));
    let carol = arize.user("carol");
    let first = arize.post(&path, json!({"user_id": carol, "role": predefined("MEMBER")})).await;
    assert_eq!(first.status, 200);
    let second = arize.post(&path, json!({"user_id": carol, "role": predefined("ADMIN")})).await;
    assert_eq!((second.status, &second.body["id"]), (200, &first.body["id"]));
    assert_eq!(second.body["role"], predefined("ADMIN"));
    assert_eq!(arize.delete(&format!("{path}/{carol}")).await.status, 204);
    assert_eq!(arize.delete(&format!("{path}/{carol}")).await.status, 404);
}

#[tokio::test]
async fn a_custom_space_membership_is_a_role_binding() {
    let arize = arize().await;
    let (space, carol) = (arize.space("storefront"), arize.user("carol"));
    let role = arize.new_role("clerk").await;
    let path = format!("/v2/spaces/{space}/users");
    let member = arize.post(&path, json!({"user_id": carol, "role": {"type": "CUSTOM", "id": role}})).await;
    assert_eq!((member.status, &member.body["role"]["id"]), (200, &json!(role)));
    let bindings = arize.all("/v2/role-bindings?resource_type=SPACE", "role_bindings").await;
    assert_eq!((bindings.len(), &bindings[0]["role_id"]), (1, &json!(role)));
    assert_eq!(arize.delete(&format!("/v2/roles/{role}")).await.status, 409);
    assert_eq!(arize.delete(&format!("{path}/{carol}")).await.status, 204);
    assert!(arize.all("/v2/role-bindings?resource_type=SPACE", "role_bindings").await.is_empty());
}

#[tokio::test]
async fn predefined_memberships_are_bindings_only_if_switched() {
    for shown in [false, true] {
        let arize = arize_with(|switches| switches.predefined_memberships_are_bindings = shown).await;
        let path = format!("/v2/spaces/{}/users", arize.space("storefront"));
        let body = json!({"user_id": arize.user("carol"), "role": predefined("READ_ONLY")});
        assert_eq!(arize.post(&path, body).await.status, 200);
        let bindings = arize.all("/v2/role-bindings?resource_type=SPACE", "role_bindings").await;
        let expected = shown.then(|| json!(arize.role("Read-only")));
        assert_eq!(bindings.first().map(|binding| binding["role_id"].clone()), expected);
    }
}

#[tokio::test]
async fn leaving_an_organization_ends_spaces_and_bindings_in_it() {
    let arize = arize().await;
    let (space, alice) = (arize.space("research"), arize.user("alice"));
    let body = json!({
        "user_id": alice, "role_id": arize.role("Member"), "resource_type": "SPACE", "resource_id": space,
    });
    assert_eq!(arize.post("/v2/role-bindings", body).await.status, 201);
    let space_row = arize.get(&format!("/v2/spaces/{space}")).await;
    let path = format!("/v2/organizations/{}/users", space_row.text("organization_id"));
    assert_eq!(arize.delete(&format!("{path}/{alice}")).await.status, 204);
    assert!(arize.all("/v2/role-bindings?resource_type=SPACE", "role_bindings").await.is_empty());
    let outside = json!({"user_id": alice, "role": predefined("MEMBER")});
    assert_eq!(arize.post(&format!("/v2/spaces/{space}/users"), outside.clone()).await.status, 400);
    assert_eq!(arize.post(&path, outside.clone()).await.status, 200);
    assert_eq!(arize.post(&format!("/v2/spaces/{space}/users"), outside).await.status, 200);
}

#[tokio::test]
async fn only_annotator_accounts_have_the_annotator_role() {
    let arize = arize().await;
    let path = format!("/v2/spaces/{}/users", arize.space("storefront"));
    let body = |user: String, role: &str| json!({"user_id": user, "role": predefined(role)});
    assert_eq!(arize.post(&path, body(arize.user("carol"), "ANNOTATOR")).await.status, 422);
    let ivan = arize.simulator.edit(|tenant| tenant.user_by_email("Ivan@example.com")).unwrap().to_string();
    assert_eq!(arize.post(&path, body(ivan.clone(), "MEMBER")).await.status, 422);
    assert_eq!(arize.post(&path, body(ivan, "ANNOTATOR")).await.status, 200);
}

fn service_key(arize: &crate::client::Arize, role: Value) -> Value {
    let space = arize.space("research");
    let organization = arize.simulator.edit(|tenant| {
        tenant.spaces.get(tenant.space_by_name("research").unwrap()).unwrap().organization_id.to_string()
    });
    json!({
        "key_type": "SERVICE",
        "name": "robot",
        "organizations": [{"org_id": organization, "spaces": [{"space_id": space, "role": role}]}],
    })
}

#[tokio::test]
async fn a_service_key_works_until_it_is_revoked_and_has_a_bot_user() {
    let arize = arize().await;
    let created = arize.post("/v2/api-keys", service_key(&arize, predefined("ADMIN"))).await;
    assert_eq!(created.status, 201);
    let organizations = &created.body["bot_user"]["organizations"];
    assert_eq!(organizations[0]["role"], predefined("READ_ONLY"));
    assert_eq!(organizations[0]["spaces"][0]["role"], predefined("ADMIN"));
    let robot = arize.with(Login::Token(created.text("key")));
    assert_eq!(robot.get("/v2/spaces").await.names("spaces"), ["research"]);

    let listed = arize.get("/v2/api-keys?key_type=SERVICE").await;
    let robot_row = listed.body["api_keys"].as_array().unwrap().iter().find(|key| key["name"] == "robot");
    assert_eq!(robot_row.unwrap()["bot_user"]["id"], created.body["bot_user"]["id"]);
    assert!(!listed.body.to_string().contains(&created.text("key")));
    let in_space = arize.get(&format!("/v2/api-keys?space_id={}", arize.space("research"))).await;
    assert_eq!(in_space.names("api_keys"), ["nightly-evaluation", "robot"]);
    assert_eq!(in_space.body["api_keys"][1]["bot_user"]["organizations"], json!([]));

    let path = format!("/v2/api-keys/{}", created.text("id"));
    for _ in 0..2 {
        assert_eq!(arize.put(&format!("{path}/revoke"), json!({})).await.status, 204);
    }
    assert_eq!(robot.get("/v2/spaces").await.status, 401);
    assert_eq!(arize.get("/v2/api-keys?status=REVOKED").await.names("api_keys"), ["robot"]);
}

#[tokio::test]
async fn a_refreshed_key_has_a_new_secret_and_the_same_identifier() {
    let arize = arize().await;
    let created = arize.post("/v2/api-keys", json!({"key_type": "USER", "name": "mine"})).await;
    assert_eq!(created.status, 201);
    let path = format!("/v2/api-keys/{}/refresh", created.text("id"));
    let refreshed = arize.post(&path, json!({})).await;
    assert_eq!((refreshed.status, refreshed.text("id")), (200, created.text("id")));
    let with = |token: String| arize.with(Login::Token(token));
    assert_eq!(with(created.text("key")).get("/v2/roles").await.status, 401);
    assert_eq!(with(refreshed.text("key")).get("/v2/roles").await.status, 200);
    let graceful = arize.post(&path, json!({"grace_period_seconds": 600})).await;
    assert_eq!(with(refreshed.text("key")).get("/v2/roles").await.status, 200);
    assert_eq!(with(graceful.text("key")).get("/v2/roles").await.status, 200);
}

#[tokio::test]
async fn a_service_key_cannot_exceed_its_creators_account_role() {
    let arize = arize().await;
    let grant = json!({"account_role": "MEMBER", "user_id": arize.user("alice")});
    let member = arize.caller("member", grant).await;
    let mut body = service_key(&arize, predefined("MEMBER"));
    assert_eq!(member.post("/v2/api-keys", body.clone()).await.status, 201);
    body["account_role"] = predefined("ADMIN");
    assert_eq!(member.post("/v2/api-keys", body.clone()).await.status, 422);
    body["account_role"] = json!({"type": "CUSTOM", "id": arize.role("Legacy reviewer")});
    assert_eq!(arize.post("/v2/api-keys", body).await.status, 422);
}

#[tokio::test]
async fn audit_logs_list_writes_newest_first_in_pages() {
    let arize = arize().await;
    arize.new_role("a").await;
    arize.bind(&arize.user("bob"), &arize.role("a"), &arize.project("research", "churn")).await;
    arize.bind(&arize.user("bob"), &arize.role("a"), &arize.project("research", "churn")).await;
    let page = arize.get("/v2/audit-logs?limit=1").await;
    assert_eq!(page.body["logs"][0]["operation_name"], "POST /v2/role-bindings");
    assert_eq!(page.body["logs"][0]["user_id"], arize.user("admin"));
    assert_eq!(page.body["pagination"]["has_more"], true);
    assert_eq!(arize.all("/v2/audit-logs", "logs").await.len(), 2);
    assert_eq!(arize.all("/v2/audit-logs?operation_name=POST%20%2Fv2%2Froles", "logs").await.len(), 1);
    assert_eq!(arize.all("/v2/audit-logs?end_time=2020-01-01T00%3A00%3A00Z", "logs").await.len(), 0);
    arize.simulator.edit(|tenant| tenant.switches.audit_logs = false);
    assert_eq!(arize.get("/v2/audit-logs").await.status, 403);
}
