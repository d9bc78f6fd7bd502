//! Every kind of failure, for every kind of call.

use super::*;

/// The result of each kind of call, if every call with the method `fails` has this answer.
async fn outcomes(fails: &'static str, reply: fn() -> Reply) -> [(&'static str, Option<Error>); 5] {
    let answer = move |seen: &Seen, _: usize| match (seen.method.as_str(), call(seen).as_str()) {
        (method, _) if method == fails => reply(),
        ("POST", _) => Reply::json(201, whole()),
        ("PATCH" | "DELETE", _) => ok(json!({})),
        (_, GROUPS) => ok(json!({"items": [item("devs", 0, 0, 1)]})),
        (_, DEVS) => ok(devs(&["writer"])),
        _ => hq(seen),
    };
    let (_stub, lenses) = lenses(answer).await;
    let id = thing("reader");
    let create = testing::create(None, Body::Role(reader()));
    let changed = Body::Role(Role { description: Some("x".to_owned()), ..reader() });
    let update = testing::update(id.clone(), Body::Role(reader()), changed);
    let needs = needs(&[]);
    let (probe, sweep, read, create, update) = tokio::join!(
        lenses.probe(),
        lenses.snapshot(&needs),
        lenses.read(Kind::Role, &id),
        lenses.write(&create),
        lenses.write(&update),
    );
    [
        ("probe", probe.err()),
        ("sweep", sweep.err()),
        ("read", read.err()),
        ("create", create.err()),
        ("update", update.err()),
    ]
}

fn check_message(error: &Error) {
    assert!(!error.message.contains(TOKEN) && error.message.len() < 1000, "{error}");
}

#[tokio::test]
async fn a_failed_read_has_its_class_and_makes_no_snapshot() {
    let failures: [(fn() -> Reply, Class); 8] = [
        (|| refusal(401), Class::Unauthenticated),
        (
            || Reply::json(401, json!({"error": "invalid_token", "error_description": "expired"})),
            Class::Unauthenticated,
        ),
        (|| refusal(500), Class::Transient),
        (|| refusal(502), Class::Transient),
        (|| refusal(503), Class::Transient),
        (|| Reply::text(200, "text/html", "<h1>Sign in</h1>"), Class::Transient),
        (|| Reply::Cut { body: br#"{"items": [{"name": "#.to_vec() }, Class::Transient),
        (|| Reply::HangUp, Class::Transient),
    ];
    let each = failures.map(|(reply, expected)| async move {
        for (what, error) in outcomes("GET", reply).await {
            let Some(error) = error else {
                assert!(what == "create", "{what} succeeds with {expected:?}");
                continue;
            };
            // The write itself succeeded.
            let expected = if what == "update" { Class::Lost } else { expected };
            check_message(&error);
            assert_eq!(error.class, expected, "{what}: {error}");
        }
    });
    futures::future::join_all(each).await;
}

#[tokio::test]
async fn a_requested_pause_is_in_the_class() {
    let (_stub, lenses) = lenses(with(ROLES, |_| refusal(429).with("retry-after", "120"))).await;
    let class = class(lenses.snapshot(&needs(&[])).await);
    assert_eq!(class, Class::Throttled(std::time::Duration::from_secs(120)));
}

#[tokio::test]
async fn a_failed_write_is_lost_unless_it_was_refused() {
    let failures: [(fn() -> Reply, Class); 10] = [
        (|| refusal(400), Class::Invalid),
        (|| refusal(401), Class::Unauthenticated),
        (|| refusal(403), Class::Denied),
        (|| refusal(404), Class::Missing),
        (|| refusal(409), Class::Conflict),
        (|| refusal(422), Class::Invalid),
        (|| refusal(500), Class::Lost),
        (|| refusal(503), Class::Lost),
        (|| Reply::Cut { body: b"{".to_vec() }, Class::Lost),
        (|| Reply::HangUp, Class::Lost),
    ];
    for (reply, expected) in failures {
        for (method, what) in [("POST", "create"), ("PATCH", "update")] {
            let outcomes = outcomes(method, reply).await;
            for (kind, error) in outcomes {
                match error {
                    Some(error) if kind == what => {
                        check_message(&error);
                        // A role with this name exists: whatever the status, the name is taken.
                        let taken = method == "POST" && expected == Class::Invalid;
                        assert_eq!(
                            error.class,
                            if taken { Class::Conflict } else { expected },
                            "{kind}: {error}"
                        );
                    }
                    other => assert!(other.is_none() && kind != what, "{kind} {method}: {other:?}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn messages_show_hqs_errors_and_no_other_body() {
    for (reply, shown, hidden) in [
        (refusal as fn(u16) -> Reply, "Refused: for a reason", ""),
        (|status| Reply::json(status, json!({"title": "Only a title"})), "Only a title", ""),
        (|status| Reply::text(status, "text/html", "<h1>secret page</h1>"), "with text/html", "secret"),
        (|status| Reply::text(status, "text/plain", "secret words"), "with text/plain", "secret"),
        (|status| Reply::json(status, json!({"detail": "secret"})), "with application/json", "secret"),
    ] {
        let (_stub, lenses) = lenses(with(ROLES, move |_| reply(403))).await;
        let error = lenses.probe().await.expect_err("a failure");
        assert!(error.message.contains(shown), "{error}");
        assert!(hidden.is_empty() || !error.message.contains(hidden), "{error}");
    }
}
