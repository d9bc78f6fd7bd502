//! Writes of grants.

use super::*;

/// The organization, with this answer to writes of assignments and these assignments afterwards.
fn answered(
    method: &'static str,
    reply: impl Fn() -> Reply + Send + Sync + 'static,
    assignments: Option<Value>,
) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| match (&assignments, call(seen)) {
        (_, path) if path == format!("{method} /roles/{READER}/assignments") => reply(),
        (Some(assignments), path) if path == assignments_of(READER) => ok(assignments.clone()),
        (None, path) if path == assignments_of(READER) => error(404, "KeyError", "no such role"),
        _ => organization(seen),
    }
}

fn body() -> Body {
    grant(READER, &alice(), in_production())
}

fn only_alice() -> Value {
    json!([assignment(
        READER,
        json!({"user": user(ALICE, "alice", "alice@example.com", false)}),
        Some(PRODUCTION),
        None
    )])
}

#[tokio::test]
async fn a_grant_is_written_by_one_call_with_a_query() {
    let (production, churn) = (("workspace_id", PRODUCTION), ("project_id", CHURN));
    for (subject, scope, text, expected) in [
        (alice(), in_production(), format!("workspace:{PRODUCTION}"), vec![("user_id", ALICE), production]),
        (
            format!("team:{ML}"),
            in_churn(),
            format!("project:{PRODUCTION}:{CHURN}"),
            vec![("team_id", ML), production, churn],
        ),
        (format!("user:{NIGHTLY}"), None, "organization".to_owned(), vec![("user_id", NIGHTLY)]),
    ] {
        let body = grant(READER, &subject, scope);
        let id = grant_id(READER, &text, &subject);
        for (change, method) in [(create(body.clone()), "POST"), (delete(&id, body.clone()), "DELETE")] {
            let shown = made(&subject, &text);
            let reply = move || ok(if method == "POST" { shown.clone() } else { Value::Null });
            let (done, seen) = write(change, answered(method, reply, None)).await;
            assert_eq!(calls(&seen), [format!("{method} /roles/{READER}/assignments")], "no other call");
            let call = seen.last().expect("a call");
            let query: Vec<(&str, &str)> =
                call.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!((query, &call.body), (expected.clone(), &Value::Null));
            match (method, done.expect("a success")) {
                ("POST", Some(made)) => assert_eq!((made.id, made.body), (Id::new(&id), body.clone())),
                ("DELETE", None) => {}
                (_, other) => panic!("{other:?}"),
            }
        }
    }
}

/// The assignment as the server shows it after a POST.
fn made(subject: &str, scope: &str) -> Value {
    let (kind, id) = subject.split_once(':').expect("a kind");
    let parts: Vec<&str> = scope.split(':').collect();
    assignment(READER, json!({ kind: {"id": id} }), parts.get(1).copied(), parts.get(2).copied())
}

#[tokio::test]
async fn an_answer_that_shows_another_assignment_is_lost() {
    let (here, organization) = (format!("workspace:{PRODUCTION}"), "organization");
    let bob = format!("user:{BOB}");
    let mut other_role = made(&alice(), &here);
    other_role["role"]["id"] = json!(TRAINER);
    for (shown, expected) in [
        (made(&alice(), &here), None),
        (made(&alice(), organization), Some(Class::Lost)),
        (made(&bob, &here), Some(Class::Lost)),
        (other_role, Some(Class::Lost)),
        (Value::Null, Some(Class::Lost)),
    ] {
        let (made, _) = write(create(body()), answered("POST", move || ok(shown.clone()), None)).await;
        assert_eq!(made.err().map(|error| error.class), expected);
    }
}

#[tokio::test]
async fn a_second_equal_assignment_is_a_conflict() {
    let taken = || error(409, "EntityExistsError", "already assigned");
    let (made, seen) = write(create(body()), answered("POST", taken, Some(only_alice()))).await;
    assert_eq!((class(made), writes(&seen).len()), (Class::Conflict, 1));
}

#[tokio::test]
async fn a_deleted_assignment_is_missing() {
    for (reply, assignments, expected) in [
        (200, Some(json!([])), None),
        // The list can be filtered, so only a snapshot shows whether it is deleted.
        (404, Some(json!([])), Some(Class::Missing)),
        (404, Some(only_alice()), Some(Class::Missing)),
        (404, None, Some(Class::Missing)),
    ] {
        let answer =
            move || if reply == 200 { ok(Value::Null) } else { error(reply, "KeyError", "not assigned") };
        let (deleted, _) =
            write(delete(alice_as_reader(), body()), answered("DELETE", answer, assignments)).await;
        assert_eq!(deleted.err().map(|error| error.class), expected, "{reply}");
    }
}

#[tokio::test]
async fn a_refused_revocation_has_the_message_of_zenml() {
    let message = "cannot remove the last role of an organization member";
    let (deleted, _) = write(
        delete(alice_as_reader(), body()),
        answered("DELETE", move || error(403, "IllegalOperationError", message), None),
    )
    .await;
    let refused = deleted.expect_err("a failure");
    assert_eq!(refused.class, Class::Denied);
    assert!(
        refused.message.contains(message) && refused.message.contains("IllegalOperationError"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_unknown_role_or_principal_is_missing() {
    let (made, _) =
        write(create(body()), answered("POST", || error(404, "KeyError", "User not found"), None)).await;
    let refused = made.expect_err("a failure");
    assert_eq!(refused.class, Class::Missing);
    assert!(refused.message.contains("User not found; the role, the subject or the scope"), "{refused}");
}

#[tokio::test]
async fn an_invalid_grant_is_not_sent() {
    let planned = Body::Grant(Grant {
        role: RoleRef::Planned("new".to_owned()),
        subject: named("user", &alice(), "alice"),
        scope: None,
    });
    let bodies = [
        planned,
        grant(READER, "alice", in_production()),
        grant(READER, &alice(), Some(named("workspace", "production", "production"))),
        grant("reader", &alice(), None),
    ];
    for body in bodies {
        for change in [create(body.clone()), delete("x", body.clone())] {
            let (done, seen) = write(change, |seen, _| organization(seen)).await;
            assert_eq!(class(done), Class::Invalid);
            assert!(seen.is_empty());
        }
    }
}
