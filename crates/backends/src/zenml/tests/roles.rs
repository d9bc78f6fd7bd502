//! Writes of roles.

use super::*;

fn described(description: Option<&str>) -> Role {
    Role { description: description.map(str::to_owned), ..desired_role("reader", "workspace") }
}

fn update(before: Role, after: Role) -> Change {
    testing::update(Id::new(READER), Body::Role(before), Body::Role(after))
}

fn deletion() -> Change {
    delete(READER, Body::Role(desired_role("reader", "workspace")))
}

/// A write after a snapshot, which shows the permissions of roles.
async fn shown(
    change: Change,
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> (Result<Option<Observed>, Error>, Vec<Seen>) {
    let (stub, zenml) = zenml(answer).await;
    zenml.snapshot(&needs(&[Kind::Role], &[], &[])).await.expect("a snapshot");
    (zenml.write(&change).await, stub.seen())
}

/// The organization without assignments of the role, and with this answer to every write.
fn unassigned(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| match call(seen) {
        path if path == assignments_of(READER) => ok(json!([])),
        path if path == LOGIN || path.starts_with("GET") => organization(seen),
        _ => reply(seen),
    }
}

#[tokio::test]
async fn a_role_is_created_with_its_permissions() {
    let mut desired = desired_role("reader", "workspace");
    desired.description = Some("Reads".to_owned());
    desired.rules = rules(&[("read", "pipeline"), ("create", "pipeline"), ("read", "model")]);
    let (made, seen) = shown(create(Body::Role(desired)), unassigned(|_| ok(roles()[0].clone()))).await;
    let seen = writes(&seen);
    assert_eq!((seen.len(), call(seen[0]).as_str()), (1, "POST /roles"));
    let expected = json!({"name": "reader", "description": "Reads", "organization_id": ORG, "level": "workspace",
        "system_managed": false, "type": "normal", "permissions": [
            {"resource": "model", "actions": ["read"]}, {"resource": "pipeline", "actions": ["create", "read"]}]});
    assert_eq!(seen[0].body, expected);
    let made = made.expect("a success").expect("the role");
    assert_eq!(
        (made.id.as_str(), made.body),
        (READER, Body::Role(desired_role("reader", "workspace"))),
        "as the server shows it"
    );
}

#[tokio::test]
async fn a_missing_description_is_not_sent() {
    let (_, seen) =
        shown(create(Body::Role(desired_role("reader", "project"))), unassigned(|_| ok(roles()[1].clone())))
            .await;
    let body = &writes(&seen)[0].body;
    assert!(body.get("description").is_none() && body["level"] == "project", "{body}");
}

/// A role that the server shows without its permissions, as it was sent.
fn echo(seen: &Seen) -> Reply {
    let mut shown = hidden(READER, "reader");
    shown["description"] = seen.body["description"].clone();
    ok(shown)
}

#[tokio::test]
async fn a_role_with_hidden_permissions_has_a_mark_of_its_spec() {
    let other = Role { rules: rules(&[("delete", "pipeline")]), ..described(Some("Reads")) };
    let mut marks = BTreeSet::new();
    for desired in [described(None), described(Some("Reads")), other] {
        for change in [create(Body::Role(desired.clone())), update(described(None), desired.clone())] {
            let (stub, zenml) = zenml(move |seen, _| match call(seen) {
                path if path == of_org("roles") => page(seen, &[hidden(READER, "reader")]),
                path if path == LOGIN || path.starts_with("GET") => organization(seen),
                _ => echo(seen),
            })
            .await;
            zenml.snapshot(&needs(&[Kind::Role], &[], &[])).await.expect("a snapshot");
            let made = zenml.write(&change).await.expect("a success").expect("the role");
            assert_eq!(made.applied, Some(Body::Role(desired.clone()).fingerprint()));
            let Body::Role(role) = &made.body else { panic!("not a role") };
            assert_eq!(role.description, desired.description, "without the mark");
            let sent = writes(&stub.seen())[0].body["description"].as_str().expect("a text").to_owned();
            assert!(sent.chars().count() <= 30 + 5 && sent.contains("[rolewright:"), "{sent}");
            marks.insert(sent);
        }
    }
    assert_eq!(marks.len(), 3, "one for each body");
}

#[tokio::test]
async fn an_update_sends_the_differences_and_the_permissions() {
    let permissions = json!([{"resource": "pipeline", "actions": ["read"]}]);
    for (before, after, expected) in [
        (
            described(None),
            Role { name: "writer".to_owned(), ..described(None) },
            json!({"name": "writer", "permissions": permissions}),
        ),
        (described(None), described(Some("x")), json!({"description": "x", "permissions": permissions})),
        (described(Some("x")), described(None), json!({"description": null, "permissions": permissions})),
        (
            Role { rules: BTreeSet::new(), unreadable: true, ..described(None) },
            described(None),
            json!({"permissions": permissions}),
        ),
    ] {
        let (_, seen) = shown(update(before, after), unassigned(|_| ok(roles()[0].clone()))).await;
        let seen = writes(&seen);
        assert_eq!((seen.len(), call(seen[0])), (1, format!("PATCH /roles/{READER}")));
        assert_eq!(seen[0].body, expected);
    }
}

#[tokio::test]
async fn a_description_that_the_server_keeps_is_an_error() {
    let (done, _) = shown(
        update(described(Some("x")), described(None)),
        unassigned(|_| {
            let mut kept = roles()[0].clone();
            kept["description"] = json!("x");
            ok(kept)
        }),
    )
    .await;
    let refused = done.expect_err("a failure");
    assert_eq!(refused.class, Class::Invalid);
    assert!(refused.message.contains("spec.description"), "{refused}");
}

#[tokio::test]
async fn a_role_is_deleted_after_all_scopes_are_read() {
    let (deleted, seen) = write(deletion(), unassigned(|_| ok(Value::Null))).await;
    assert_eq!(deleted, Ok(None));
    let about = |seen: &&Seen| seen.path.contains("/roles/");
    let calls: Vec<String> = seen.iter().filter(about).map(call_with_query).collect();
    assert_eq!(calls.len(), 5);
    assert_eq!(calls[..2], [assignments_of(READER), assignments_of(ADMIN)]);
    for workspace in [PRODUCTION, STAGING] {
        assert!(calls.contains(&format!("{}?workspace_id={workspace}", assignments_of(READER))), "{calls:?}");
    }
    assert_eq!(calls[4], format!("DELETE /roles/{READER}"));
}

#[tokio::test]
async fn a_role_in_use_is_not_deleted() {
    for with_scope in [true, false] {
        let (deleted, seen) = write(deletion(), move |seen, _| match call(seen) {
            path if path == assignments_of(READER) => match seen.param("workspace_id") {
                Some(PRODUCTION) if with_scope => organization(seen),
                None if !with_scope => organization(seen),
                _ => ok(json!([])),
            },
            _ => organization(seen),
        })
        .await;
        let refused = deleted.expect_err("a failure");
        assert_eq!(refused.class, Class::Conflict);
        assert!(
            refused.message.contains("alice@example.com on workspace:") && refused.message.contains("ml on"),
            "{refused}"
        );
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_role_with_hidden_assignments_is_not_deleted() {
    for (status, expected) in [(403, Class::Denied), (500, Class::Transient)] {
        let (deleted, seen) = write(
            deletion(),
            with(assignments_of(READER), move |_| error(status, "IllegalOperationError", "no")),
        )
        .await;
        assert_eq!(class(deleted), expected);
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_deleted_role_is_missing() {
    let (deleted, _) = write(deletion(), |seen, _| match call(seen).as_str() {
        LOGIN => organization(seen),
        _ => error(404, "KeyError", "no such role"),
    })
    .await;
    assert_eq!(class(deleted), Class::Missing);
}

#[tokio::test]
async fn roles_of_the_vendor_are_never_written() {
    let (stub, zenml) = zenml(|seen, _| organization(seen)).await;
    zenml.snapshot(&needs(&BOTH, &[], &[])).await.expect("a snapshot");
    let own = desired_role("Workspace Viewer", "workspace");
    let changes = [
        testing::update(Id::new(VIEWER), Body::Role(own.clone()), Body::Role(desired_role("x", "workspace"))),
        delete(VIEWER, Body::Role(own)),
        delete(ADMIN, Body::Role(desired_role("Organization Admin", "organization"))),
        update(desired_role("reader", "workspace"), desired_role("reader", "project")),
    ];
    for change in changes {
        assert_eq!(class(zenml.write(&change).await), Class::Invalid);
    }
    assert!(writes(&stub.seen()).is_empty());
}

#[tokio::test]
async fn a_name_that_the_server_refuses_is_a_conflict() {
    let (made, _) = write(
        create(Body::Role(desired_role("reader", "workspace"))),
        unassigned(|_| error(409, "EntityExistsError", "taken")),
    )
    .await;
    assert_eq!(class(made), Class::Conflict);
}

#[tokio::test]
async fn permissions_are_sent_in_the_form_of_the_backend() {
    for (form, expected) in [
        (json!({}), json!([{"resource": "pipeline", "actions": ["read"]}])),
        (json!({"permissionForm": "Grouped"}), json!([{"resource": "pipeline", "actions": ["read"]}])),
        (json!({"permissionForm": "Pairs"}), json!([{"resource": "pipeline", "action": "read"}])),
    ] {
        let stub = Stub::start(unassigned(|_| error(422, "ValueError", "no"))).await;
        let zenml = connect(&stub, form);
        let change = update(described(None), described(Some("x")));
        assert_eq!(class(zenml.write(&change).await), Class::Invalid);
        let seen = stub.seen();
        let sent: Vec<&Value> = writes(&seen).iter().map(|seen| &seen.body["permissions"]).collect();
        assert_eq!(sent, [&expected], "the other form is not tried");
    }
}

#[tokio::test]
async fn a_server_that_stores_other_permissions_is_reported() {
    let ignores = |_: &Seen| {
        let mut shown = roles()[0].clone();
        shown["permissions"] = json!([{"resource": "pipeline", "actions": ["delete"]}]);
        ok(shown)
    };
    let (done, _) = shown(update(described(Some("x")), described(None)), unassigned(ignores)).await;
    let error = done.expect_err("a failure");
    assert_eq!(error.class, Class::Invalid);
    for part in ["spec.zenml.permissionForm", "+ read on pipeline", "- delete on pipeline"] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
    // A created role is managed, and its next update reports the difference.
    let (done, _) = shown(create(Body::Role(described(None))), unassigned(ignores)).await;
    let made = done.expect("a success").expect("the role");
    assert!(!made.body.satisfies(&Body::Role(described(None))));
}

#[tokio::test]
async fn a_role_of_the_organization_is_written_like_others() {
    let desired = desired_role("auditor", "organization");
    let echo = |_: &Seen| ok(role(READER, "auditor", "organization", false));
    let (made, seen) = shown(create(Body::Role(desired.clone())), unassigned(echo)).await;
    assert_eq!(made.expect("a success").expect("the role").body, Body::Role(desired.clone()));
    assert_eq!(writes(&seen)[0].body["level"], "organization");
    let refuses = |_: &Seen| error(403, "IllegalOperationError", "no organization roles");
    assert_eq!(class(write(create(Body::Role(desired.clone())), unassigned(refuses)).await.0), Class::Denied);
    // It has no narrower scopes.
    let (deleted, seen) = write(delete(READER, Body::Role(desired)), unassigned(|_| ok(Value::Null))).await;
    assert_eq!(deleted, Ok(None));
    assert!(!calls(&seen).contains(&"GET /workspaces".to_owned()));
}
