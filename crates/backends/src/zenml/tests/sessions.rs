//! Sessions: the login, the renewal, and that no message shows them.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures::future::join_all;

use super::*;

fn logins(seen: &[Seen]) -> Vec<&Seen> {
    seen.iter().filter(|seen| call(seen) == LOGIN).collect()
}

fn form(seen: &Seen) -> Vec<(&str, &str)> {
    seen.form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test]
async fn all_calls_share_one_login() {
    let (stub, zenml) = zenml(|seen, _| organization(seen)).await;
    let needs = needs(&BOTH, &LEVELS, &[]);
    let (first, second) = (needs.clone(), needs);
    join_all([zenml.snapshot(&first), zenml.snapshot(&second)])
        .await
        .into_iter()
        .for_each(|it| drop(it.expect("a snapshot")));
    let seen = stub.seen();
    let logins = logins(&seen);
    assert_eq!(logins.len(), 1);
    assert_eq!(form(logins[0]), [("password", KEY)]);
    assert_eq!(logins[0].header("authorization"), None, "the key is only in the form");
    for seen in seen.iter().filter(|seen| call(seen) != LOGIN) {
        assert_eq!(seen.header("authorization"), Some("Bearer jwt-1"), "{}", call(seen));
    }
}

#[tokio::test]
async fn a_client_logs_in_with_id_secret_and_audience() {
    for (more, audience) in [
        (json!({"clientId": "ws-1", "audience": "cloud"}), Some("cloud")),
        (json!({"clientId": "ws-1"}), None),
    ] {
        let stub = Stub::start(|seen, _| organization(seen)).await;
        connect(&stub, more).probe().await.expect("an identity");
        let mut expected = vec![("grant_type", "client_credentials"), ("client_id", "ws-1")];
        expected.extend(audience.map(|audience| ("audience", audience)));
        expected.push(("client_secret", KEY));
        assert_eq!(form(logins(&stub.seen())[0]), expected);
    }
}

#[tokio::test]
async fn a_rejected_session_is_renewed_and_the_call_repeated() {
    let count = AtomicUsize::new(0);
    let (stub, zenml) = zenml(move |seen, _| match call(seen).as_str() {
        LOGIN => login(&format!("jwt-{}", count.fetch_add(1, Ordering::Relaxed)), json!(3600)),
        _ if seen.header("authorization") == Some("Bearer jwt-0") => {
            Reply::json(401, json!({"detail": "token expired"})).with("www-authenticate", "Bearer")
        }
        _ => organization(seen),
    })
    .await;
    let body = grant(READER, &alice(), in_production());
    let posts = |seen: &Seen| call(seen).starts_with("POST /roles");
    assert!(
        zenml.write(&create(body)).await.is_err(),
        "the stub does not have this call, and was called in a new session"
    );
    assert_eq!(logins(&stub.seen()).len(), 2);
    assert_eq!(stub.seen().iter().filter(|seen| posts(seen)).count(), 2);
    // Calls that find it rejected at the same time share one renewal.
    let before = stub.seen().len();
    let reads: Vec<_> = (0..8).map(|_| zenml.probe()).collect();
    assert!(join_all(reads).await.into_iter().all(|identity| identity.is_ok()));
    assert_eq!(logins(&stub.seen()[before..]).len(), 0);
}

#[tokio::test]
async fn a_revoked_credential_costs_at_most_two_logins() {
    for refused in [LOGIN, "GET /users/me"] {
        let (stub, zenml) = zenml(with(refused, |_| {
            Reply::json(
                401,
                json!({"detail": ["CredentialsNotValid", format!("{KEY} and jwt-1 are not valid")]}),
            )
        }))
        .await;
        let error = zenml.probe().await.expect_err("a failure");
        assert_eq!(error.class, Class::Unauthenticated);
        assert!(!error.message.contains(KEY), "{error}");
        assert!(refused == LOGIN || !error.message.contains("jwt-1"), "{error}");
        assert!(logins(&stub.seen()).len() <= 2 && stub.seen().len() <= 4, "{:?}", stub.calls());
    }
}

#[tokio::test]
async fn a_failed_login_does_not_concern_the_thing() {
    for (reply, expected) in [
        (error(400, "ValueError", "no"), Class::Unauthenticated),
        (error(403, "IllegalOperationError", "no"), Class::Unauthenticated),
        (Reply::json(404, json!({"detail": "Not Found"})), Class::Transient),
        (
            Reply::json(422, json!({"detail": [{"loc": ["body", "password"], "msg": "too long"}]})),
            Class::Unauthenticated,
        ),
        (Reply::text(200, "text/html", "<html>log in"), Class::Transient),
        (Reply::text(405, "text/html", "<html>no"), Class::Transient),
        (Reply::text(500, "text/html", "<html>no"), Class::Transient),
        (
            Reply::json(429, json!({"detail": "slow down"})).with("retry-after", "600"),
            Class::Throttled(Duration::from_secs(600)),
        ),
        (ok(json!({"access_token": "jwt-1", "token_type": "bearer"})), Class::Transient),
        (ok(json!({"access_token": "jwt-1", "expires_in": 0})), Class::Transient),
        (ok(json!({"access_token": "two words", "expires_in": 3600})), Class::Transient),
        (ok(json!({"access_token": "", "expires_in": 3600})), Class::Transient),
        (Reply::HangUp, Class::Transient),
        (Reply::Cut { body: b"{\"access_token\": \"jwt-1\"".to_vec() }, Class::Transient),
    ] {
        let reply = std::sync::Mutex::new(Some(reply));
        let (stub, zenml) =
            zenml(move |_, _| reply.lock().expect("not poisoned").take().unwrap_or(Reply::HangUp)).await;
        let result = zenml.read(Kind::Role, &Id::new(READER)).await;
        let error = result.expect_err("nothing is known of the role");
        assert_eq!(error.class, expected, "{error}");
        assert!(!error.message.contains("jwt-1") && !error.message.contains("two words"), "{error}");
        assert!(stub.seen().iter().all(|seen| call(seen) == LOGIN), "nothing was sent without a session");
    }
}

#[tokio::test]
async fn a_session_that_expired_early_is_renewed() {
    let (count, expired) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let now = expired.clone();
    let (stub, zenml) = zenml(move |seen, _| match call(seen).as_str() {
        LOGIN => login(&format!("jwt-{}", count.fetch_add(1, Ordering::Relaxed)), json!(3600)),
        _ if seen.header("authorization") == Some("Bearer jwt-0") && now.load(Ordering::Relaxed) > 0 => {
            Reply::json(401, json!({"detail": "Signature has expired"}))
        }
        _ => organization(seen),
    })
    .await;
    zenml.probe().await.expect("an identity");
    expired.fetch_add(1, Ordering::Relaxed);
    assert!(zenml.read(Kind::Role, &Id::new(READER)).await.expect("an answer").is_some());
    assert_eq!(logins(&stub.seen()).len(), 2);
}

#[tokio::test]
async fn a_session_that_is_never_accepted_is_unauthenticated() {
    let (stub, zenml) = zenml(|seen, _| match call(seen).as_str() {
        LOGIN => organization(seen),
        _ => Reply::json(401, json!({"detail": "no"})),
    })
    .await;
    assert_eq!(class(zenml.read(Kind::Role, &Id::new(READER)).await), Class::Unauthenticated);
    assert_eq!(class(zenml.probe().await), Class::Unauthenticated);
    assert_eq!(logins(&stub.seen()).len(), 1 + 2, "each call is repeated once in a new session");
}

#[tokio::test]
async fn calls_that_wait_for_one_login_share_its_failure() {
    let (stub, zenml) = zenml(|_, _| Reply::json(401, json!({"detail": "no"}))).await;
    let reader = Id::new(READER);
    let all = join_all((0..8).map(|_| zenml.read(Kind::Role, &reader))).await;
    assert!(all.into_iter().all(|read| class(read) == Class::Unauthenticated));
    assert_eq!(logins(&stub.seen()).len(), 1);
    assert_eq!(class(zenml.read(Kind::Role, &reader).await), Class::Unauthenticated);
    assert_eq!(logins(&stub.seen()).len(), 2, "later calls try again");
}
