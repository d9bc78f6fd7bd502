//! Contract 1.2: logins, sessions and API keys.

use rolewright_simulators::zenml::switches::UnauthorizedForm;
use serde_json::json;

use crate::client::{Login, TOKEN, zenml, zenml_with};

#[tokio::test]
async fn a_key_starts_a_session_of_its_account() {
    let zenml = zenml().await;
    let answer = zenml.login(&format!("password={TOKEN}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["token_type"], "bearer");
    assert_eq!(answer.body["expires_in"], 3600);
    assert!(answer.body["device_id"].is_null() && answer.body["device_metadata"].is_null());
    let token = answer.text("access_token");
    assert_eq!(token.split('.').count(), 3);
    let me = zenml.with(token.as_str()).get("/users/me").await;
    assert_eq!((me.status, me.text("username")), (200, "rolewright".into()));
    assert_eq!((&me.body["is_service_account"], &me.body["password"]), (&json!(true), &json!(null)));
}

#[tokio::test]
async fn a_key_is_a_bearer_token_unless_switched_off() {
    let zenml = zenml().await;
    assert_eq!(zenml.get("/users/me").await.status, 200);
    zenml.switch(|switches| switches.raw_keys_as_bearer = false);
    assert_eq!(zenml.get("/users/me").await.status, 401);
    assert_eq!(zenml.session().await.get("/users/me").await.status, 200);
}

#[tokio::test]
async fn a_login_needs_a_valid_key() {
    let zenml = zenml().await;
    assert_eq!(zenml.login("password=ZENPROKEY_other").await.status, 401);
    assert_eq!(zenml.login("").await.invalid(), json!(["body", "password"]));
    assert_eq!(zenml.login("password=").await.invalid(), json!(["body", "password"]));
    assert_eq!(zenml.login("client_id=x").await.invalid(), json!(["body", "client_secret"]));
}

#[tokio::test]
async fn a_workspace_server_logs_in_with_client_credentials() {
    let zenml = zenml().await;
    let id = zenml.workspace("production");
    let grant = json!({"client_of": id});
    let add = json!({"action": "Add", "name": "server", "token": format!("{id}:s3cret"), "grant": grant});
    assert_eq!(zenml.post("/_sim/credentials", add).await.status, 200);
    let form = format!("client_id={id}&client_secret=s3cret");
    for more in ["&grant_type=client_credentials&audience=zenml", "&grant_type=", ""] {
        let answer = zenml.login(&format!("{form}{more}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let server = zenml.with(answer.text("access_token"));
        assert_eq!(server.get("/organizations").await.each("name"), ["acme"]);
        assert_eq!(server.get("/users/me").await.status, 401);
    }
    assert_eq!(
        zenml.login(&format!("{form}&grant_type=password")).await.invalid(),
        json!(["body", "grant_type"])
    );
    assert_eq!(zenml.login(&format!("client_id={id}&client_secret=wrong")).await.status, 401);
    // Client credentials are not an API key.
    assert_eq!(zenml.login(&format!("password={id}:s3cret")).await.status, 401);
    assert_eq!(zenml.with(format!("{id}:s3cret")).get("/organizations").await.status, 401);

    zenml.switch(|switches| switches.audience = Some("acme-cloud".into()));
    assert_eq!(zenml.login(&format!("{form}&audience=zenml")).await.status, 401);
    assert_eq!(zenml.login(&format!("{form}&audience=acme-cloud")).await.status, 200);
}

#[tokio::test]
async fn a_key_starts_a_new_session_after_the_old_one_ended() {
    let zenml = zenml().await;
    let session = zenml.session().await;
    zenml.simulator.end_sessions();
    let refused = session.get("/users/me").await;
    assert_eq!(refused.status, 401);
    assert!(refused.headers.contains_key("www-authenticate"));
    assert!(refused.body["detail"].is_string(), "{}", refused.body);
    assert_eq!(zenml.session().await.get("/users/me").await.status, 200);
}

#[tokio::test]
async fn a_session_can_end_before_expires_in() {
    let zenml = zenml_with(|switches| switches.session_seconds = 900).await;
    assert_eq!(zenml.login(&format!("password={TOKEN}")).await.body["expires_in"], 900);
    let session = zenml.session().await;
    zenml.switch(|switches| switches.session_ends_after_ms = Some(0));
    assert_eq!(session.get("/users/me").await.status, 401);
    zenml.switch(|switches| switches.session_ends_after_ms = None);
    assert_eq!(session.get("/users/me").await.status, 200);
}

#[tokio::test]
async fn a_session_ends_with_its_key() {
    let zenml = zenml().await;
    let alice = zenml.person("alice").await;
    let session = alice.session().await;
    assert_eq!(session.get("/users/me").await.text("email"), "alice@example.com");
    zenml.post("/_sim/credentials", json!({"action": "Expire", "name": "pat-alice"})).await;
    for client in [&alice, &session] {
        assert_eq!(client.get("/users/me").await.status, 401);
    }
    assert_eq!(zenml.login("password=ZENPROKEY_pat-alice").await.status, 401);
}

#[tokio::test]
async fn sessions_are_logged_with_the_name_of_their_key() {
    let zenml = zenml().await;
    let session = zenml.session().await;
    session.get("/organizations").await;
    zenml.simulator.end_sessions();
    session.get("/organizations").await;
    let log = zenml.get("/_sim/requests").await.body;
    let named: Vec<_> =
        log["requests"].as_array().unwrap().iter().map(|entry| entry["credential"].clone()).collect();
    assert_eq!(named, [json!(null), json!("admin"), json!("admin")]);
    assert!(!log.to_string().contains(TOKEN));
}

#[tokio::test]
async fn api_token_returns_a_bare_session_token() {
    let zenml = zenml().await;
    let answer = zenml.get("/auth/api_token").await;
    let token = answer.body.as_str().unwrap();
    assert_eq!(zenml.with(token).get("/users/me").await.text("username"), "rolewright");
    assert_eq!(zenml.with(Login::None).get("/auth/api_token").await.status, 401);
}

#[tokio::test]
async fn missing_and_unknown_tokens_are_401() {
    let zenml = zenml().await;
    for client in [zenml.with(Login::None), zenml.with("guess")] {
        let refused = client.get("/organizations").await;
        assert_eq!(refused.status, 401);
        assert!(refused.body["detail"].is_string() && refused.headers.contains_key("www-authenticate"));
    }
    zenml.switch(|switches| switches.unauthorized_form = UnauthorizedForm::Exception);
    let refused = zenml.with(Login::None).get("/organizations").await;
    assert_eq!(refused.exception(), (401, "CredentialsNotValid".into()));
}

#[tokio::test]
async fn a_deactivated_user_is_401() {
    let zenml = zenml().await;
    let alice = zenml.person("alice").await;
    let off = zenml.patch(&format!("/users/{}", zenml.user("alice")), json!({"is_active": false})).await;
    assert_eq!((off.status, &off.body["is_active"]), (200, &json!(false)));
    assert_eq!(alice.get("/users/me").await.status, 401);
}
