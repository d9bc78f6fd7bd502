//! The class and the message of each failure of a write.

use std::time::Duration;

use futures::future::join_all;

use super::*;

fn changes() -> Vec<Change> {
    let (role, grant) =
        (Body::Role(desired_role("reader", "workspace")), grant(READER, &alice(), in_production()));
    vec![
        create(role.clone()),
        testing::update(Id::new(READER), role.clone(), Body::Role(desired_role("writer", "workspace"))),
        delete(READER, role),
        create(grant.clone()),
        delete(alice_as_reader(), grant),
    ]
}

/// The organization without assignments of the role, and with this answer to every write.
async fn refused(change: Change, reply: impl Fn() -> Reply + Send + Sync + 'static) -> (Error, usize) {
    let (done, seen) = write(change, move |seen, _| match call(seen) {
        path if path == assignments_of(READER) => ok(json!([])),
        path if path == LOGIN || path.starts_with("GET") => organization(seen),
        _ => reply(),
    })
    .await;
    (done.expect_err("a failure"), writes(&seen).len())
}

#[tokio::test]
async fn every_status_has_its_class_and_a_write_is_sent_once() {
    for (status, expected) in [
        (400, Class::Invalid),
        (402, Class::Denied),
        (403, Class::Denied),
        (409, Class::Conflict),
        (422, Class::Invalid),
        (405, Class::Unsupported),
        (501, Class::Unsupported),
        (408, Class::Lost),
        (500, Class::Lost),
        (502, Class::Lost),
        (503, Class::Lost),
        (504, Class::Lost),
    ] {
        join_all(changes().into_iter().map(|change| async move {
            let (error, sent) = refused(change, move || error(status, "SomeError", "the reason")).await;
            assert_eq!((error.class, sent), (expected, 1), "{error}");
            assert!(error.message.contains("SomeError: the reason"), "{error}");
        }))
        .await;
    }
}

#[tokio::test]
async fn a_401_in_a_new_session_concerns_the_credential() {
    for change in changes() {
        let (error, sent) = refused(change, || Reply::json(401, json!({"detail": "no"}))).await;
        assert_eq!((error.class, sent), (Class::Unauthenticated, 2), "{error}");
    }
}

#[tokio::test]
async fn a_throttled_write_waits_for_the_retry_after_time() {
    for change in changes() {
        let (error, sent) =
            refused(change, || Reply::json(429, json!({"detail": "slow"})).with("retry-after", "7")).await;
        assert_eq!((error.class, sent), (Class::Throttled(Duration::from_secs(7)), 1), "{error}");
    }
}

#[tokio::test]
async fn a_write_with_a_lost_or_invalid_answer_is_lost() {
    for change in changes() {
        for reply in [
            || Reply::HangUp,
            || Reply::Cut { body: b"{".to_vec() },
            // A proxy's page is no success.
            || Reply::text(200, "text/html", "<html>Please log in"),
            || Reply::text(200, "text/html", ""),
        ] {
            let (error, sent) = refused(change.clone(), reply).await;
            assert_eq!((error.class, sent), (Class::Lost, 1), "{error}");
            assert!(!error.message.contains("Please"), "{error}");
        }
    }
}

#[tokio::test]
async fn the_message_about_an_html_page_has_only_status_and_type() {
    let (error, _) =
        refused(changes().remove(0), || Reply::text(502, "text/html", "<html>nginx says no")).await;
    assert!(error.message.ends_with("answered 502 with text/html"), "{error}");
}

#[tokio::test]
async fn a_message_is_bounded_and_has_no_credential() {
    let long = format!("{} jwt-1 {KEY}", "x".repeat(5000));
    for body in [
        json!({"detail": ["IllegalOperationError", format!("the key {KEY} or token jwt-1"), long]}),
        json!({"detail": format!("Bearer jwt-1 of {KEY}")}),
        json!({"detail": [{"loc": ["body", "name", 0], "msg": format!("{KEY} jwt-1"), "input": "unseen", "type": "x"}]}),
    ] {
        let (error, _) = refused(changes().remove(0), move || Reply::json(422, body.clone())).await;
        for secret in [KEY, "jwt-1", "unseen"] {
            assert!(!error.message.contains(secret), "{error}");
        }
        assert!(error.message.len() < 800, "{} bytes", error.message.len());
    }
}
