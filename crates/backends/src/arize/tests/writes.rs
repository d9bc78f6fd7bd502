//! Changes: one call each, and the result of its answer.

use super::*;
use rolewright_core::model::{Change, Observed};

async fn write(
    change: Change,
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> (Result<Option<Observed>, Error>, Vec<Seen>) {
    let (stub, arize) = arize(answer).await;
    (arize.write(&change).await, stub.seen())
}

fn create(after: Body) -> Change {
    testing::create(None, after)
}

fn update(thing: &str, before: Body, after: Body) -> Change {
    testing::update(id(thing), before, after)
}

fn delete(thing: &str, before: Body) -> Change {
    testing::delete(id(thing), before)
}

fn path(seen: &[Seen]) -> String {
    assert_eq!(seen.len(), 1, "a change is one call");
    seen[0].call()
}

fn encoded(thing: &str) -> String {
    raw(thing).replace('=', "%3D")
}

#[tokio::test]
async fn a_created_role_is_the_one_in_the_answer() {
    for status in [200, 201] {
        let desired = role("writer", Some("writes"), &["SPACE_READ", "PROJECT_READ"]);
        let (made, seen) = write(create(desired), move |_, _| {
            let mut role = role_json("Role:5", "writer", false);
            role["permissions"] = json!(["PROJECT_READ"]);
            role["description"] = json!("trimmed");
            Reply::json(status, role)
        })
        .await;
        assert_eq!(path(&seen), "POST /v2/roles");
        let body =
            json!({"name": "writer", "permissions": ["PROJECT_READ", "SPACE_READ"], "description": "writes"});
        assert_eq!(seen[0].body, body);
        let made = made.expect("a success").expect("the role");
        assert_eq!(made.id, id("Role:5"));
        assert_eq!(made.body, role("writer", Some("trimmed"), &["PROJECT_READ"]));
    }
}

#[tokio::test]
async fn an_absent_description_is_not_sent() {
    let (_, seen) = write(create(role("writer", None, &["PROJECT_READ"])), |_, _| {
        Reply::json(201, role_json("Role:5", "w", false))
    })
    .await;
    assert_eq!(seen[0].body, json!({"name": "writer", "permissions": ["PROJECT_READ"]}));
}

#[tokio::test]
async fn an_update_of_a_role_sends_only_what_differs() {
    let before = || role("writer", Some("writes"), &["PROJECT_READ", "SPACE_READ"]);
    for (after, body) in [
        (role("author", Some("writes"), &["PROJECT_READ", "SPACE_READ"]), json!({"name": "author"})),
        (role("writer", None, &["PROJECT_READ", "SPACE_READ"]), json!({"description": null})),
        (role("writer", Some("reads"), &["PROJECT_READ", "SPACE_READ"]), json!({"description": "reads"})),
        (role("writer", Some("writes"), &["TAG_READ"]), json!({"permissions": ["TAG_READ"]})),
    ] {
        let (done, seen) = write(update("Role:5", before(), after), |_, _| {
            Reply::json(200, role_json("Role:5", "w", false))
        })
        .await;
        done.expect("a success");
        assert_eq!(path(&seen), format!("PATCH /v2/roles/{}", encoded("Role:5")));
        assert_eq!(seen[0].body, body);
    }
}

#[tokio::test]
async fn a_grant_is_created_with_the_type_in_upper_case() {
    for (scope, resource_type) in
        [(space("Space:1"), "SPACE"), (named("project", "Model:1", "churn"), "PROJECT")]
    {
        let (resource, level) = (scope.id.clone(), scope.level);
        let (made, seen) = write(create(grant("Role:2", scope)), move |seen, _| {
            let mut binding = seen.body.clone();
            binding["id"] = json!(raw("RoleBinding:1"));
            binding["resource_type"] = json!(level.as_str());
            Reply::json(201, binding)
        })
        .await;
        assert_eq!(path(&seen), "POST /v2/role-bindings");
        let body = json!({
            "role_id": raw("Role:2"), "user_id": raw("User:1"), "resource_type": resource_type, "resource_id": resource,
        });
        assert_eq!(seen[0].body, body);
        let made = made.expect("a success").expect("the grant");
        assert_eq!(made.id, id("RoleBinding:1"));
        assert!(made.body.title().starts_with("alice@example.com as writer on "), "{}", made.body.title());
    }
}

#[tokio::test]
async fn a_grant_changes_its_role_in_one_patch() {
    let change =
        update("RoleBinding:1", grant("Role:2", space("Space:1")), grant("Role:3", space("Space:1")));
    let (done, seen) = write(change, |_, _| {
        Reply::json(200, binding_json("RoleBinding:1", "Role:3", "User:1", "SPACE", "Space:1"))
    })
    .await;
    assert_eq!(done.expect("a success").expect("the grant").body, grant("Role:3", space("Space:1")));
    assert_eq!(path(&seen), format!("PATCH /v2/role-bindings/{}", encoded("RoleBinding:1")));
    assert_eq!(seen[0].body, json!({"role_id": raw("Role:3")}));
}

#[tokio::test]
async fn a_resource_is_restricted_by_old_and_new_servers() {
    for wrapped in [false, true] {
        let (made, seen) = write(create(restriction("project", "Model:1")), move |_, _| {
            let bare = json!({"resource_type": "project", "resource_id": raw("Model:1"), "created_at": "x"});
            Reply::json(200, if wrapped { json!({"resource_restriction": bare}) } else { bare })
        })
        .await;
        assert_eq!(path(&seen), "POST /v2/resource-restrictions");
        assert_eq!(seen[0].body, json!({"resource_id": raw("Model:1")}));
        let made = made.expect("a success").expect("the restriction");
        assert_eq!((made.id, made.body), (id("Model:1"), restriction("project", "Model:1")));
    }
}

#[tokio::test]
async fn things_are_deleted_by_their_ids() {
    for (change, path_of) in [
        (delete("Role:5", role("x", None, &[])), "roles"),
        (delete("RoleBinding:5", grant("Role:2", space("Space:1"))), "role-bindings"),
        (delete("Model:1", restriction("project", "Model:1")), "resource-restrictions"),
    ] {
        let expected =
            format!("DELETE /v2/{path_of}/{}", change.id().expect("an id").as_str().replace('=', "%3D"));
        let (done, seen) =
            write(change, |_, _| Reply::Full { status: 204, headers: Vec::new(), body: Vec::new() }).await;
        assert_eq!(done, Ok(None));
        assert_eq!(path(&seen), expected);
    }
}

fn changes() -> Vec<Change> {
    let grants = |role| grant(role, space("Space:1"));
    vec![
        create(role("x", None, &["PROJECT_READ"])),
        update("Role:5", role("x", None, &["PROJECT_READ"]), role("y", None, &["PROJECT_READ"])),
        delete("Role:5", role("x", None, &["PROJECT_READ"])),
        create(grants("Role:2")),
        update("RoleBinding:5", grants("Role:2"), grants("Role:3")),
        delete("RoleBinding:5", grants("Role:2")),
        create(restriction("project", "Model:1")),
        delete("Model:1", restriction("project", "Model:1")),
    ]
}

#[tokio::test]
async fn a_refused_write_has_its_class_and_is_not_repeated() {
    for (status, expected) in [
        (400, Class::Invalid),
        (401, Class::Unauthenticated),
        (403, Class::Denied),
        (404, Class::Missing),
        (409, Class::Conflict),
        (422, Class::Invalid),
        (500, Class::Lost),
        (502, Class::Lost),
    ] {
        for change in changes() {
            let (result, seen) =
                write(change.clone(), move |_, _| Reply::problem(status, "Title", "detail")).await;
            assert_eq!((class(result), seen.len()), (expected, 1), "{} {status}", change.verb());
        }
    }
}

#[tokio::test]
async fn a_write_with_an_invalid_answer_is_lost() {
    for change in changes().into_iter().filter(|change| change.verb() != rolewright_core::model::Verb::Delete)
    {
        for which in 0..4 {
            let (result, seen) = write(change.clone(), move |_, _| match which {
                0 => Reply::text(200, "text/html", "<html>"),
                1 => Reply::json(201, json!({})),
                2 => Reply::Cut { body: b"{\"id\": ".to_vec() },
                _ => Reply::HangUp,
            })
            .await;
            assert_eq!((class(result), seen.len()), (Class::Lost, 1), "{} {which}", change.verb());
        }
    }
    let (result, _) = write(create(role("x", None, &["PROJECT_READ"])), |_, _| {
        Reply::json(201, json!({"id": raw("Role:5"), "name": "x"}))
    })
    .await;
    assert_eq!(class(result), Class::Lost, "a role without its permissions");
}

#[tokio::test]
async fn messages_explain_a_refusal() {
    for (index, status, part) in [
        (0, 403, "ROLE_CREATE"),
        (0, 409, "has the name"),
        (1, 404, "hidden"),
        (2, 409, "role bindings still refer to the role"),
        (
            3,
            403,
            "ROLE_BINDING_CREATE on this space or project; Arize answers the same when that does not exist",
        ),
        (3, 404, "the user or the role is not in this account"),
        (3, 409, "already has a binding on this space or project"),
        (4, 404, "ROLE_BINDING_CREATE or ROLE_BINDING_DELETE"),
        (5, 404, "ROLE_BINDING_DELETE"),
        (6, 403, "PROJECT_RESTRICT"),
        (6, 422, "generative"),
        (7, 404, "not restricted"),
    ] {
        let change = changes().swap_remove(index);
        let (result, _) = write(change, move |_, _| Reply::problem(status, "Title", "detail")).await;
        let message = result.expect_err("a failure").message;
        assert!(message.contains("Title: detail; ") && message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn a_message_shows_the_vendors_fields_and_no_credential() {
    let (result, _) = write(create(role("x", None, &["PROJECT_READ"])), |seen, _| {
        let key = seen.header("authorization").unwrap_or_default().to_owned();
        Reply::json(
            422,
            json!({"title": "Unprocessable Entity", "detail": key, "error_code": "E_1", "secret": key}),
        )
    })
    .await;
    let message = result.expect_err("a failure").message;
    assert_eq!(message, "POST /v2/roles answered 422: Unprocessable Entity: Bearer [credential] (E_1)");
}

#[tokio::test]
async fn a_grant_of_a_planned_role_is_not_sent() {
    let Body::Grant(mut planned) = grant("Role:2", space("Space:1")) else { panic!("not a grant") };
    planned.role = RoleRef::Planned("writer".to_owned());
    let (result, seen) = write(create(Body::Grant(planned)), |_, _| missing()).await;
    assert_eq!((class(result), seen.len()), (Class::Invalid, 0));
}

#[tokio::test]
async fn changes_that_no_plan_contains_are_not_sent() {
    let same = role("x", None, &["PROJECT_READ"]);
    let everywhere = |mut body: Body| {
        if let Body::Grant(grant) = &mut body {
            grant.scope = None;
        }
        body
    };
    for change in [
        update("Role:5", same.clone(), same),
        update("RoleBinding:5", grant("Role:2", space("Space:1")), grant("Role:2", space("Space:2"))),
        update("Model:1", restriction("project", "Model:1"), restriction("project", "Model:2")),
        create(everywhere(grant("Role:2", space("Space:1")))),
        create(grant("Role:2", named("organization", "AccountOrganization:1", "org"))),
    ] {
        let (result, seen) = write(change, |_, _| missing()).await;
        assert_eq!((class(result), seen.len()), (Class::Invalid, 0));
    }
}

#[tokio::test]
async fn an_observed_predefined_role_is_never_written() {
    let (stub, arize) = arize(|seen, _| account(seen)).await;
    arize.snapshot(&needs(&[Kind::Role], &[])).await.expect("a snapshot");
    let before = || role("Project Viewer", None, &["PROJECT_READ"]);
    for change in [delete("Role:1", before()), update("Role:1", before(), role("x", None, &["PROJECT_READ"]))]
    {
        let error = arize.write(&change).await.expect_err("a failure");
        assert_eq!(error.class, Class::Invalid);
        assert!(error.message.contains("which belongs to Arize AX"), "{error}");
    }
    assert_eq!(stub.calls(), ["GET /v2/roles"]);
}
