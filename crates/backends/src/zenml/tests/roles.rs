//! Changes of roles.

use super::*;

fn described(description: Option<&str>) -> Role {
    Role { description: description.map(str::to_owned), ..wish("reader", "workspace") }
}

fn update(before: Role, after: Role) -> Change {
    testing::update(Id::new(READER), Body::Role(before), Body::Role(after))
}

fn remove() -> Change {
    delete(READER, Body::Role(wish("reader", "workspace")))
}

/// The organization with nobody in the role, and one answer to a write of it.
fn unheld(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| match call(seen) {
        path if path == holders_of(READER) => ok(json!([])),
        path if path == LOGIN || path.starts_with("GET") => organization(seen),
        _ => reply(seen),
    }
}

#[tokio::test]
async fn a_role_is_made_in_the_organization_as_a_custom_one_with_its_permissions() {
    let mut wanted = wish("reader", "workspace");
    wanted.description = Some("Reads".to_owned());
    wanted.rules = rules(&[("read", "pipeline"), ("create", "pipeline"), ("read", "model")]);
    let (made, seen) = write(create(Body::Role(wanted)), unheld(|_| ok(roles()[0].clone()))).await;
    let seen = writes(&seen);
    assert_eq!((seen.len(), call(seen[0]).as_str()), (1, "POST /roles"));
    let expected = json!({"name": "reader", "description": "Reads", "organization_id": ORG, "level": "workspace",
        "system_managed": false, "type": "normal", "permissions": [
            {"resource": "model", "actions": ["read"]}, {"resource": "pipeline", "actions": ["create", "read"]}]});
    assert_eq!(seen[0].body, expected);
    let made = made.expect("a success").expect("the role");
    assert_eq!(
        (made.id.as_str(), made.body),
        (READER, Body::Role(wish("reader", "workspace"))),
        "as the server says"
    );
}

#[tokio::test]
async fn a_role_without_a_description_is_made_without_the_field() {
    let (_, seen) =
        write(create(Body::Role(wish("reader", "project"))), unheld(|_| ok(roles()[1].clone()))).await;
    let body = &writes(&seen)[0].body;
    assert!(body.get("description").is_none() && body["level"] == "project", "{body}");
}

#[tokio::test]
async fn an_answer_without_permissions_leaves_open_what_the_role_permits() {
    let changes = [
        create(Body::Role(wish("reader", "workspace"))),
        update(described(None), wish("writer", "workspace")),
    ];
    for change in changes {
        let (done, _) = write(change, unheld(|_| ok(hidden(READER, "reader")))).await;
        let Body::Role(role) = done.expect("a success").expect("the role").body else { panic!("not a role") };
        assert!(role.unreadable && role.rules.is_empty());
    }
}

#[tokio::test]
async fn an_update_sends_what_differs_and_always_the_permissions() {
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
        let (_, seen) = write(update(before, after), unheld(|_| ok(roles()[0].clone()))).await;
        let seen = writes(&seen);
        assert_eq!((seen.len(), call(seen[0])), (1, format!("PATCH /roles/{READER}")));
        assert_eq!(seen[0].body, expected);
    }
}

#[tokio::test]
async fn a_server_that_keeps_a_description_is_not_asked_for_ever() {
    let (done, _) = write(
        update(described(Some("x")), described(None)),
        unheld(|_| {
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
async fn a_role_that_nobody_holds_is_removed_after_everybody_was_asked() {
    let (gone, seen) = write(remove(), unheld(|_| ok(Value::Null))).await;
    assert_eq!(gone, Ok(None));
    let about = |seen: &&Seen| seen.path.contains("/roles/");
    let asked: Vec<String> = seen.iter().filter(about).map(asked).collect();
    assert_eq!(asked.len(), 5);
    assert_eq!(asked[..2], [holders_of(READER), holders_of(ADMIN)]);
    for workspace in [PRODUCTION, STAGING] {
        assert!(asked.contains(&format!("{}?workspace_id={workspace}", holders_of(READER))), "{asked:?}");
    }
    assert_eq!(asked[4], format!("DELETE /roles/{READER}"));
}

#[tokio::test]
async fn a_role_that_somebody_holds_is_not_removed_wherever_it_is_told() {
    for with_scope in [true, false] {
        let (gone, seen) = write(remove(), move |seen, _| match call(seen) {
            path if path == holders_of(READER) => match seen.param("workspace_id") {
                Some(PRODUCTION) if with_scope => organization(seen),
                None if !with_scope => organization(seen),
                _ => ok(json!([])),
            },
            _ => organization(seen),
        })
        .await;
        let refused = gone.expect_err("a failure");
        assert_eq!(refused.class, Class::Conflict);
        assert!(
            refused.message.contains("alice@example.com on workspace:") && refused.message.contains("ml on"),
            "{refused}"
        );
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_role_whose_holders_may_not_be_seen_is_not_removed() {
    for (status, expected) in [(403, Class::Denied), (500, Class::Transient)] {
        let (gone, seen) =
            write(remove(), with(holders_of(READER), move |_| error(status, "IllegalOperationError", "no")))
                .await;
        assert_eq!(class(gone), expected);
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_role_that_is_gone_already_is_missing() {
    let (gone, _) = write(remove(), |seen, _| match call(seen).as_str() {
        LOGIN => organization(seen),
        _ => error(404, "KeyError", "no such role"),
    })
    .await;
    assert_eq!(class(gone), Class::Missing);
}

#[tokio::test]
async fn zenmls_own_roles_are_never_written() {
    let (stub, zenml) = zenml(|seen, _| organization(seen)).await;
    zenml.snapshot(&needs(&BOTH, &[], &[])).await.expect("a snapshot");
    let own = wish("Workspace Viewer", "workspace");
    let changes = [
        testing::update(Id::new(VIEWER), Body::Role(own.clone()), Body::Role(wish("x", "workspace"))),
        delete(VIEWER, Body::Role(own)),
        delete(ADMIN, Body::Role(wish("Organization Admin", "organization"))),
        create(Body::Role(wish("x", "organization"))),
        update(wish("reader", "workspace"), wish("reader", "project")),
    ];
    for change in changes {
        assert_eq!(class(zenml.write(&change).await), Class::Invalid);
    }
    assert!(writes(&stub.seen()).is_empty());
}

#[tokio::test]
async fn a_name_that_is_taken_is_a_conflict_where_the_server_says_so() {
    let (made, _) = write(
        create(Body::Role(wish("reader", "workspace"))),
        unheld(|_| error(409, "EntityExistsError", "taken")),
    )
    .await;
    assert_eq!(class(made), Class::Conflict);
}

#[tokio::test]
async fn a_form_of_permissions_that_is_refused_gives_way_to_the_other_which_is_kept() {
    let pairs = json!([{"resource": "pipeline", "action": "read"}]);
    let taken = pairs.clone();
    let stub = Stub::start(unheld(move |seen| {
        if seen.body["permissions"] == taken {
            ok(hidden(READER, "reader"))
        } else {
            error(422, "ValueError", "no")
        }
    }))
    .await;
    let zenml = connect(&stub, json!({}));
    for _ in 0..2 {
        zenml.write(&update(described(None), described(Some("x")))).await.expect("a success");
    }
    let seen = stub.seen();
    let sent: Vec<bool> = writes(&seen).iter().map(|seen| seen.body["permissions"] == pairs).collect();
    assert_eq!(sent, [false, true, true]);
}

#[tokio::test]
async fn what_neither_form_mends_is_the_first_refusal() {
    let (done, seen) = write(
        update(described(None), described(Some("x"))),
        unheld(|seen| match seen.body["permissions"][0].get("actions") {
            Some(_) => error(422, "ValueError", "unknown action"),
            None => error(400, "ValueError", "another"),
        }),
    )
    .await;
    let error = done.expect_err("a failure");
    assert!(error.class == Class::Invalid && error.message.contains("unknown action"), "{error}");
    assert_eq!(writes(&seen).len(), 2);
}
