//! Changes of grants.

use super::*;

/// The organization, in which writes of assignments are answered so, and those who hold the role afterwards are these.
fn answered(
    method: &'static str,
    reply: impl Fn() -> Reply + Send + Sync + 'static,
    holders: Option<Value>,
) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| match (&holders, call(seen)) {
        (_, path) if path == format!("{method} /roles/{READER}/assignments") => reply(),
        (Some(holders), path) if path == holders_of(READER) => ok(holders.clone()),
        (None, path) if path == holders_of(READER) => error(404, "KeyError", "no such role"),
        _ => organization(seen),
    }
}

fn body() -> Body {
    grant(READER, &alice(), in_production())
}

fn alice_holds() -> Value {
    json!([assignment(
        READER,
        json!({"user": user(ALICE, "alice", "alice@example.com", false)}),
        Some(PRODUCTION),
        None
    )])
}

#[tokio::test]
async fn a_role_is_given_and_taken_by_one_call_that_says_all_in_its_query() {
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
            let (done, seen) = write(change, answered(method, || ok(Value::Null), None)).await;
            let mut expected_calls = vec![format!("{method} /roles/{READER}/assignments")];
            if method == "DELETE" && text.starts_with("project") {
                // Once: what the server tells of projects is not to be seen without anything there.
                expected_calls.insert(0, holders_of(READER));
            }
            assert_eq!(calls(&seen), expected_calls, "nothing else is asked");
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

#[tokio::test]
async fn a_role_that_is_given_already_is_a_conflict_whose_it_is_is_not_for_this_to_say() {
    let taken = || error(409, "EntityExistsError", "already assigned");
    let (made, seen) = write(create(body()), answered("POST", taken, Some(alice_holds()))).await;
    assert_eq!((class(made), writes(&seen).len()), (Class::Conflict, 1));
}

#[tokio::test]
async fn what_is_not_held_any_more_is_taken() {
    for (reply, holders, expected) in [
        (200, Some(json!([])), None),
        (404, Some(json!([])), None),
        (404, Some(alice_holds()), Some(Class::Missing)),
        (404, None, Some(Class::Missing)),
        (404, Some(Value::Null), Some(Class::Transient)),
    ] {
        let answer =
            move || if reply == 200 { ok(Value::Null) } else { error(reply, "KeyError", "not assigned") };
        let (gone, _) = write(delete(alice_reads(), body()), answered("DELETE", answer, holders)).await;
        assert_eq!(gone.err().map(|error| error.class), expected, "{reply}");
    }
}

#[tokio::test]
async fn a_refused_revocation_says_what_zenml_says() {
    let words = "cannot remove the last role of an organization member";
    let (gone, _) = write(
        delete(alice_reads(), body()),
        answered("DELETE", move || error(403, "IllegalOperationError", words), None),
    )
    .await;
    let refused = gone.expect_err("a failure");
    assert_eq!(refused.class, Class::Denied);
    assert!(
        refused.message.contains(words) && refused.message.contains("IllegalOperationError"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_role_or_principal_that_is_not_there_is_missing() {
    let (made, _) =
        write(create(body()), answered("POST", || error(404, "KeyError", "User not found"), None)).await;
    let refused = made.expect_err("a failure");
    assert_eq!(refused.class, Class::Missing);
    assert!(refused.message.contains("User not found; the role, the one it is to be given to"), "{refused}");
}

#[tokio::test]
async fn a_grant_that_makes_no_sense_is_not_sent() {
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
