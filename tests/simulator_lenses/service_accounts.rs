//! Contract 2.4: service accounts and their tokens.

use std::time::Duration;

use jiff::Timestamp;
use rolewright_simulators::lenses::switches::TokenEnd;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Lenses, Login, lenses};

const ACCOUNTS: &str = "/service-accounts";

async fn new(lenses: &Lenses, body: Value) -> (Answer, Client) {
    let created = lenses.post(ACCOUNTS, body).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let client = lenses.with(Login::Token(created.text("token")));
    (created, client)
}

/// The status of an operation that needs only a valid token.
async fn status(client: &Client) -> u16 {
    client.get("/permissions/definitions").await.status
}

#[tokio::test]
async fn a_token_is_shown_once_and_works() {
    let lenses = lenses().await;
    let (created, robot) = new(&lenses, json!({"name": "robot", "description": "d"})).await;
    assert_eq!(
        (created.text("display_name"), created.text("lrn")),
        ("robot".into(), "iam:service-account:robot".into())
    );
    assert_eq!((&created.body["token_expired"], created.body.get("token_expires_at")), (&json!(false), None));
    let read = lenses.get("/service-accounts/robot").await;
    assert!(
        read.body.get("token").is_none()
            && read.body["groups"] == json!([])
            && read.body["is_admin"] == false
    );
    assert!(lenses.get(ACCOUNTS).await.item("robot").get("token").is_none());
    assert_eq!((status(&robot).await, robot.get("/roles").await.status), (200, 403));
    lenses.patch("/groups/administrators", json!({"add_members": ["robot"]})).await;
    assert_eq!(robot.get("/roles").await.status, 200);
    let text = lenses.get("/_sim/state").await.body.to_string()
        + &lenses.get("/_sim/credentials").await.body.to_string()
        + &lenses.get("/_sim/requests").await.body.to_string();
    assert!(!text.contains(&created.text("token")));
}

#[tokio::test]
async fn an_account_is_changed_and_deleted_with_its_token() {
    let lenses = lenses().await;
    let (created, robot) = new(&lenses, json!({"name": "robot"})).await;
    let changed =
        lenses.patch("/service-accounts/robot", json!({"display_name": "R", "metadata": {"k": "v"}})).await;
    assert_eq!((changed.status, changed.text("display_name")), (200, "R".into()));
    assert_eq!((&changed.body["id"], &changed.body["metadata"]), (&created.body["id"], &json!({"k": "v"})));
    assert_eq!(lenses.delete("/service-accounts/robot").await.status, 204);
    assert_eq!(status(&robot).await, 401);
    // A new account with the same name does not revive the old token.
    let (_, other) = new(&lenses, json!({"name": "robot"})).await;
    assert_eq!((status(&robot).await, status(&other).await), (401, 200));
    for invalid in [json!({"name": "R"}), json!({}), json!({"name": "r", "token_expires_at": "tomorrow"})] {
        assert_eq!(lenses.post(ACCOUNTS, invalid).await.status, 400);
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_and_shown_as_expired() {
    let lenses = lenses().await;
    let soon = Timestamp::now() + Duration::from_millis(200);
    let (_, robot) = new(&lenses, json!({"name": "robot", "token_expires_at": soon.to_string()})).await;
    let ended = async { while status(&robot).await != 401 {} };
    tokio::time::timeout(Duration::from_secs(30), ended).await.unwrap();
    assert!(Timestamp::now() >= soon);
    let read = lenses.get("/service-accounts/robot").await;
    assert_eq!(
        (&read.body["token_expired"], read.body["token_expires_at"].is_string()),
        (&json!(true), true)
    );
    let future = json!({"token_expires_at": "2999-01-01T00:00:00Z"});
    let renewed = lenses.post("/service-accounts/robot/renew-token", future).await;
    assert_eq!((renewed.status, &renewed.body["token_expired"]), (200, &json!(false)));
    assert_eq!(status(&lenses.with(Login::Token(renewed.text("token")))).await, 200);
}

#[tokio::test]
async fn renewing_ends_the_old_token_at_once() {
    let lenses = lenses().await;
    let (_, robot) = new(&lenses, json!({"name": "robot", "token_expires_at": "2999-01-01T00:00:00Z"})).await;
    let renewed = lenses.post("/service-accounts/robot/renew-token", json!({})).await;
    assert_eq!((renewed.status, renewed.body.get("token_expires_at")), (200, None));
    assert_eq!(status(&robot).await, 401);
    assert_eq!(status(&lenses.with(Login::Token(renewed.text("token")))).await, 200);
    // The start token belongs to a service account too.
    let own = lenses.post("/service-accounts/rolewright/renew-token", json!({})).await;
    assert_eq!((own.status, lenses.get("/roles").await.status), (200, 401));
    assert_eq!(lenses.with(Login::Token(own.text("token"))).get("/roles").await.status, 200);
}

#[tokio::test]
async fn the_renewal_path_can_be_switched() {
    let lenses = lenses().await;
    lenses.switch(|switches| switches.token_renewal_name = "token".into());
    assert_eq!(lenses.post("/service-accounts/ci-pipeline/renew-token", json!({})).await.status, 404);
    assert_eq!(lenses.post("/service-accounts/ci-pipeline/token", json!({})).await.status, 200);
    assert_eq!(lenses.post("/service-accounts/nobody/token", json!({})).await.status, 404);
}

#[tokio::test]
async fn the_form_of_token_expires_at_can_be_switched() {
    let lenses = lenses().await;
    new(&lenses, json!({"name": "robot", "token_expires_at": "2999-01-01T00:00:00Z"})).await;
    let shown = async |end: TokenEnd| {
        lenses.switch(|switches| switches.token_end = end);
        lenses.get("/service-accounts/robot").await.body.get("token_expires_at").cloned()
    };
    assert_eq!(shown(TokenEnd::Shown).await, Some(json!("2999-01-01T00:00:00Z")));
    assert_eq!(shown(TokenEnd::Seconds).await, Some(json!(32_472_144_000_u64)));
    assert_eq!(shown(TokenEnd::Absent).await, None);
}
