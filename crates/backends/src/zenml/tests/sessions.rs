//! Sessions: how they are got, how long they serve, and that nothing shows them.

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
async fn a_key_is_exchanged_once_and_its_session_serves_all_calls() {
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
    assert_eq!(logins[0].header("authorization"), None, "the key is in the form alone");
    for seen in seen.iter().filter(|seen| call(seen) != LOGIN) {
        assert_eq!(seen.header("authorization"), Some("Bearer jwt-1"), "{}", call(seen));
    }
}

#[tokio::test]
async fn a_client_asks_with_its_id_its_secret_and_its_audience() {
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
async fn a_session_that_is_not_taken_any_more_is_renewed_once_and_the_call_made_again() {
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
        "the stub knows no such call, and was asked in a new session"
    );
    assert_eq!(logins(&stub.seen()).len(), 2);
    assert_eq!(stub.seen().iter().filter(|seen| posts(seen)).count(), 2);
    // Many that find it ended at once share one renewal.
    let before = stub.seen().len();
    let reads: Vec<_> = (0..8).map(|_| zenml.probe()).collect();
    assert!(join_all(reads).await.into_iter().all(|identity| identity.is_ok()));
    assert_eq!(logins(&stub.seen()[before..]).len(), 0);
}

#[tokio::test]
async fn a_credential_that_is_dead_costs_two_logins_at_most_and_is_the_backends_matter() {
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
async fn a_login_that_fails_is_never_about_what_was_asked_for() {
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
async fn a_401_on_one_path_is_that_paths_refusal_however_often_it_is_asked_and_costs_no_login() {
    let (stub, zenml) =
        zenml(with(format!("GET /roles/{READER}"), |_| Reply::json(401, json!({"detail": "no"})))).await;
    for _ in 0..3 {
        assert_eq!(class(zenml.read(Kind::Role, &Id::new(READER)).await), Class::Denied);
    }
    assert_eq!(logins(&stub.seen()).len(), 1);
    zenml.probe().await.expect("the credential is good");
    // Asked by a client, which is no user: its organization tells.
    let stub =
        Stub::start(with(format!("GET /roles/{READER}"), |_| Reply::json(401, json!({"detail": "no"}))))
            .await;
    let zenml = connect(&stub, json!({"clientId": "ws-1"}));
    assert_eq!(class(zenml.read(Kind::Role, &Id::new(READER)).await), Class::Denied);
    assert!(!calls(&stub.seen()).contains(&"GET /users/me".to_owned()));
}

#[tokio::test]
async fn a_session_that_was_taken_a_moment_ago_and_has_ended_is_renewed_and_refuses_nothing() {
    let (count, ended) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let now = ended.clone();
    let (stub, zenml) = zenml(move |seen, _| match call(seen).as_str() {
        LOGIN => login(&format!("jwt-{}", count.fetch_add(1, Ordering::Relaxed)), json!(3600)),
        _ if seen.header("authorization") == Some("Bearer jwt-0") && now.load(Ordering::Relaxed) > 0 => {
            Reply::json(401, json!({"detail": "Signature has expired"}))
        }
        _ => organization(seen),
    })
    .await;
    zenml.probe().await.expect("an identity");
    ended.fetch_add(1, Ordering::Relaxed);
    assert!(zenml.read(Kind::Role, &Id::new(READER)).await.expect("an answer").is_some());
    assert_eq!(logins(&stub.seen()).len(), 2);
}

#[tokio::test]
async fn a_session_in_which_nothing_is_answered_is_no_session() {
    let (stub, zenml) = zenml(|seen, _| match call(seen).as_str() {
        LOGIN => organization(seen),
        _ => Reply::json(401, json!({"detail": "no"})),
    })
    .await;
    assert_eq!(class(zenml.read(Kind::Role, &Id::new(READER)).await), Class::Unauthenticated);
    assert_eq!(class(zenml.probe().await), Class::Unauthenticated);
    assert!(logins(&stub.seen()).len() <= 3 && stub.seen().len() <= 10, "{:?}", stub.calls());
    // A server that cannot say whether it takes the session says nothing of the thing that was asked for.
    let (_stub, zenml) = super::zenml(|seen, _| match call(seen).as_str() {
        LOGIN => organization(seen),
        "GET /users/me" => Reply::text(502, "text/html", "<html>no"),
        _ => Reply::json(401, json!({"detail": "no"})),
    })
    .await;
    assert_eq!(class(zenml.read(Kind::Role, &Id::new(READER)).await), Class::Transient);
}

#[tokio::test]
async fn many_that_wait_for_a_login_that_fails_share_its_failure() {
    let (stub, zenml) = zenml(|_, _| Reply::json(401, json!({"detail": "no"}))).await;
    let reader = Id::new(READER);
    let all = join_all((0..8).map(|_| zenml.read(Kind::Role, &reader))).await;
    assert!(all.into_iter().all(|read| class(read) == Class::Unauthenticated));
    assert_eq!(logins(&stub.seen()).len(), 1);
    assert_eq!(class(zenml.read(Kind::Role, &reader).await), Class::Unauthenticated);
    assert_eq!(logins(&stub.seen()).len(), 2, "who comes later tries again");
}
