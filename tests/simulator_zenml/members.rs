//! Contract 2.3: members, invitations, service accounts and users.

use rolewright_simulators::zenml::switches::MemberEntries;
use serde_json::{Value, json};

use crate::client::{ZenMl, exists, illegal, missing, zenml, zenml_with};

/// The members of the first organization, each with its key and name.
async fn members(zenml: &ZenMl, query: &str) -> Vec<String> {
    let answer = zenml.get(&format!("/organizations/acme/members{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let name = |row: &Value| {
        let keys = [("user", "username"), ("team", "name"), ("invitation", "email")];
        let found = keys.iter().find_map(|(key, field)| Some(format!("{key} {}", row[key][field].as_str()?)));
        found.unwrap()
    };
    let mut names: Vec<String> = answer.body.as_array().unwrap().iter().map(name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn members_are_the_principals_with_an_organization_role() {
    let zenml = zenml().await;
    let query = format!("?team_id={}", zenml.team("sre"));
    let role = zenml.role("Organization Viewer");
    assert_eq!(zenml.post_nothing(&format!("/roles/{role}/assignments{query}")).await.status, 200);
    let all = members(&zenml, "").await;
    assert_eq!(all.len(), 12);
    for name in ["user alice", "user rolewright", "team sre", "invitation grace@example.com"] {
        assert!(all.contains(&name.to_owned()), "{name}");
    }
    for name in ["user frank", "user peggy", "team finance"] {
        assert!(!all.contains(&name.to_owned()), "{name}");
    }
    let query = "?include_users=False&include_teams=False";
    assert_eq!(
        members(&zenml, query).await,
        ["invitation grace@example.com", "user nightly-training", "user rolewright"]
    );
    assert!(
        !members(&zenml, "?include_service_accounts=false").await.contains(&"user rolewright".to_owned())
    );
    assert_eq!(members(&zenml, &format!("?role_id={role}")).await, ["team sre"]);
}

#[tokio::test]
async fn an_entry_has_the_roles_or_is_the_plain_member() {
    let zenml = zenml().await;
    let path = format!("/organizations/acme/members?role_id={}", zenml.role("Organization Admin"));
    let entries = zenml.get(&format!("{path}&include_service_accounts=false")).await.body;
    assert_eq!(entries[0]["user"]["username"], "erin");
    assert_eq!(entries[0]["roles"].as_array().unwrap().len(), 2);
    zenml.switch(|switches| switches.member_entries = MemberEntries::Plain);
    assert_eq!(zenml.get(&format!("{path}&include_service_accounts=false")).await.each("username"), ["erin"]);
    zenml.switch(|switches| switches.member_entries = MemberEntries::ServiceAccountsApart);
    let entries = zenml.get("/organizations/acme/members?include_users=false&include_teams=false").await.body;
    let account = &entries[0]["service_account"];
    assert!(account["username"].is_string() && account.get("is_service_account").is_none(), "{account}");
}

#[tokio::test]
async fn a_member_is_removed_with_all_organization_roles() {
    let zenml = zenml().await;
    let remove = async |id: &str| zenml.delete(&format!("/organizations/acme/members?user_id={id}")).await;
    let carol = zenml.user("carol");
    let removed = remove(&carol).await;
    assert_eq!((removed.status, removed.raw.as_str()), (200, "null"));
    assert!(!members(&zenml, "").await.contains(&"user carol".to_owned()));
    assert_eq!(zenml.roles(&format!("?user_id={carol}")).await, ["legacy-reviewer"]);
    assert_eq!(remove(&carol).await.exception(), missing());
    assert_eq!(remove(&zenml.account("nightly-training")).await.exception(), illegal());
    assert_eq!(remove(&zenml.user("erin")).await.exception(), illegal());
    assert_eq!(zenml.delete("/organizations/acme/members").await.invalid(), json!(["query", "user_id"]));
    zenml.switch(|switches| switches.missing_removal_status = 200);
    assert_eq!(remove(&carol).await.status, 200);
}

#[tokio::test]
async fn accepting_an_invitation_transfers_its_roles_and_teams() {
    let zenml = zenml().await;
    let invited = zenml
        .post(
            "/organizations/acme/invitations",
            json!({"email": "frank@example.com", "role_id": zenml.role("Organization Member")}),
        )
        .await;
    assert_eq!((invited.status, &invited.body["role"]["name"]), (200, &json!("Organization Member")));
    let id = invited.text("id");
    let team = format!("/teams/{}/members?invitation_id={id}", zenml.team("sre"));
    assert_eq!(zenml.post_nothing(&team).await.status, 200);
    let listed = zenml.get("/organizations/acme/invitations?email=frank@example.com&only_pending=True").await;
    assert_eq!(listed.each("id"), std::slice::from_ref(&id));

    let frank = zenml.person("frank").await;
    assert_eq!(frank.get("/organizations/acme").await.exception(), illegal());
    assert_eq!(frank.get("/invitations").await.each("id"), std::slice::from_ref(&id));
    assert_eq!(frank.get(&format!("/invitations/{id}")).await.text("email"), "frank@example.com");
    assert_eq!(
        zenml.person("bob").await.post_nothing(&format!("/invitations/{id}")).await.exception(),
        illegal()
    );
    let accepted = frank.post_nothing(&format!("/invitations/{id}")).await;
    assert_eq!((accepted.status, &accepted.body["accepted"]), (200, &json!(true)));
    assert_eq!(frank.post_nothing(&format!("/invitations/{id}")).await.exception(), illegal());

    assert!(members(&zenml, "").await.contains(&"user frank".to_owned()));
    let team = zenml.get(&format!("/teams/{}/members", zenml.team("sre"))).await;
    assert_eq!(team.each("username"), ["carol", "dave", "frank"]);
    assert_eq!(frank.get("/organizations/acme").await.status, 200);
    let pending = zenml.get("/organizations/acme/invitations?only_pending=true").await;
    assert_eq!(pending.each("email"), ["grace@example.com"]);
}

#[tokio::test]
async fn joining_in_another_way_can_accept_the_invitation() {
    for accepts in [false, true] {
        let zenml = zenml_with(|switches| switches.membership_accepts_invitations = accepts).await;
        let invited = zenml
            .post(
                "/organizations/acme/invitations",
                json!({"email": "frank@example.com", "role_id": zenml.role("Organization Member")}),
            )
            .await
            .text("id");
        let role = zenml.role("Organization Viewer");
        let query = format!("?user_id={}", zenml.user("frank"));
        assert_eq!(zenml.post_nothing(&format!("/roles/{role}/assignments{query}")).await.status, 200);
        let pending = zenml.get("/organizations/acme/invitations?only_pending=true").await.each("id");
        assert_eq!(pending.contains(&invited), !accepts);
        let roles = zenml.roles(&format!("?user_id={}", zenml.user("frank"))).await;
        assert_eq!(roles.contains(&"Organization Member".to_owned()), accepts, "{roles:?}");
        assert!(roles.contains(&"Organization Viewer".to_owned()), "{roles:?}");
    }
}

#[tokio::test]
async fn an_invitation_is_unique_and_needs_an_organization_role() {
    let zenml = zenml().await;
    let path = "/organizations/acme/invitations";
    let body = |role: &str| json!({"email": "grace@example.com", "role_id": zenml.role(role)});
    assert_eq!(zenml.post(path, body("Organization Member")).await.exception(), exists());
    assert_eq!(zenml.post(path, body("Workspace Viewer")).await.exception(), illegal());
    let id = zenml.get(path).await.each("id").remove(0);
    assert_eq!(zenml.delete(&format!("{path}/{id}")).await.raw, "null");
    assert_eq!(zenml.delete(&format!("{path}/{id}")).await.exception(), missing());
    assert_eq!(zenml.post(path, body("Organization Member")).await.status, 200);
}

#[tokio::test]
async fn a_service_account_gets_keys_that_work() {
    let zenml = zenml().await;
    let path = "/organizations/acme/service_accounts";
    let created = zenml.post(path, json!({"username": "reporter", "description": "d"})).await;
    assert_eq!((created.status, &created.body["is_service_account"]), (200, &json!(true)));
    assert_eq!(created.text("organization_id"), zenml.organization());
    assert_eq!(zenml.post(path, json!({"username": "reporter"})).await.exception(), exists());
    assert_eq!(zenml.post(path, json!({"username": "a b"})).await.invalid(), json!(["body", "username"]));
    assert!(members(&zenml, "").await.contains(&"user reporter".to_owned()));
    zenml.switch(|switches| switches.roleless_service_accounts_listed = false);
    assert!(!members(&zenml, "").await.contains(&"user reporter".to_owned()));

    let key =
        zenml.post(&format!("{path}/reporter/api_keys"), json!({"name": "k", "expires_in_minutes": 5})).await;
    assert_eq!(key.status, 200, "{}", key.body);
    assert!(key.text("key").starts_with("ZENPROKEY_") && key.body["expires_at"].is_string());
    let reporter = zenml.with(key.text("key"));
    assert_eq!(reporter.get("/users/me").await.text("id"), created.text("id"));
    assert_eq!(reporter.session().await.get("/users/me").await.status, 200);
    // The account has no roles yet.
    assert_eq!(reporter.get("/organizations/acme/roles").await.exception(), illegal());

    let again = zenml.post(&format!("{path}/{}/api_keys", created.text("id")), json!({"name": "k"})).await;
    assert_eq!(again.exception(), exists());
    assert_eq!(
        zenml.post(&format!("{path}/nobody/api_keys"), json!({"name": "k"})).await.exception(),
        missing()
    );
}

#[tokio::test]
async fn inactive_and_expired_keys_are_refused() {
    let zenml = zenml().await;
    let path = "/organizations/acme/service_accounts/nightly-training/api_keys";
    let key = zenml.post(path, json!({"name": "k"})).await.text("key");
    let account = zenml.with(key.as_str());
    assert_eq!(account.get("/users/me").await.status, 200);
    let set = |change: Value| {
        let zenml = &zenml;
        async move {
            let mut state = zenml.get("/_sim/state").await.body;
            for (field, value) in change.as_object().unwrap() {
                state["api_keys"][0][field] = value.clone();
            }
            assert_eq!(zenml.put("/_sim/state", state).await.status, 204);
        }
    };
    set(json!({"is_active": false})).await;
    assert_eq!(account.get("/users/me").await.status, 401);
    set(json!({"is_active": true, "expires_at": "2020-01-01T00:00:00Z"})).await;
    assert_eq!(account.get("/users/me").await.status, 401);
    set(json!({"expires_at": null})).await;
    assert_eq!(account.get("/users/me").await.status, 200);
}

#[tokio::test]
async fn a_personal_token_acts_as_its_user() {
    let zenml = zenml().await;
    let alice = zenml.person("alice").await;
    let key = alice.post("/users/me/api_keys", json!({"name": "laptop"})).await.text("key");
    assert_eq!(zenml.with(key.as_str()).get("/users/me").await.text("username"), "alice");
}

#[tokio::test]
async fn users_change_within_limits_and_lose_roles_on_deletion() {
    let zenml = zenml().await;
    let path = |login: &str| format!("/users/{}", zenml.user(login));
    assert_eq!(zenml.patch(&path("alice"), json!({"username": "al"})).await.exception(), illegal());
    assert_eq!(zenml.patch(&path("alice"), json!({"name": "Al"})).await.text("name"), "Al");
    zenml.simulator.edit(|tenant| tenant.users.iter_mut().for_each(|user| user.oauth_provider = None));
    assert_eq!(
        zenml.patch(&path("alice"), json!({"username": "a l"})).await.invalid(),
        json!(["body", "username"])
    );
    assert_eq!(
        zenml.patch(&path("alice"), json!({"username": "a_l-1@x.y"})).await.text("username"),
        "a_l-1@x.y"
    );
    // A user of another organization only.
    assert_eq!(zenml.patch(&path("peggy"), json!({"name": "x"})).await.exception(), illegal());
    let bob = zenml.person("bob").await;
    assert_eq!(bob.patch(&path("alice"), json!({"name": "x"})).await.exception(), illegal());
    assert_eq!(bob.patch(&path("bob"), json!({"name": "Bobby"})).await.text("name"), "Bobby");

    let carol = zenml.user("carol");
    assert_eq!(zenml.delete(&path("erin")).await.exception(), illegal());
    assert_eq!(zenml.delete(&path("carol")).await.raw, "null");
    assert!(!zenml.get("/_sim/state").await.body["assignments"].to_string().contains(&carol));
    assert_eq!(zenml.get(&format!("/users/{carol}")).await.status, 405);
}
