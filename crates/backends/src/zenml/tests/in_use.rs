//! The subjects of a role that is about to be deleted, on servers that show more or less of them.

use super::*;

/// What a server shows of assignments in projects.
#[derive(Clone, Copy, Debug, Default)]
struct Server {
    /// The role is assigned in a project.
    assigned: bool,
    /// It lists the projects of its workspaces.
    lists_projects: bool,
    /// An answer without a scope includes all scopes.
    unscoped_is_all: bool,
}

impl Server {
    fn answer(self, seen: &Seen) -> Reply {
        let nightly = || json!({"user": user(NIGHTLY, "nightly", "", true)});
        let in_churn = |role: &str| assignment(role, nightly(), Some(PRODUCTION), Some(CHURN));
        let about_churn = seen.param("project_id") == Some(CHURN);
        let shown = about_churn || self.unscoped_is_all && seen.param("workspace_id").is_none();
        match call(seen).as_str() {
            path if path == assignments_of(TRAINER) => {
                ok((self.assigned && shown).then(|| in_churn(TRAINER)).into_iter().collect())
            }
            path if path == format!("GET /workspaces/{PRODUCTION}/projects") && self.lists_projects => {
                page(seen, &[json!({"id": CHURN, "name": "churn"})])
            }
            path if path == format!("GET /workspaces/{STAGING}/projects") && self.lists_projects => {
                page(seen, &[])
            }
            path if path.starts_with("DELETE") => ok(Value::Null),
            _ => organization(seen),
        }
    }
}

fn deletion() -> Change {
    delete(TRAINER, Body::Role(desired_role("trainer", "project")))
}

#[tokio::test]
async fn a_project_role_is_deleted_only_if_visibly_unused() {
    let server = Server::default();
    for (server, expected) in [
        (Server { assigned: true, lists_projects: true, ..server }, Some(Class::Conflict)),
        (Server { assigned: true, unscoped_is_all: true, ..server }, Some(Class::Conflict)),
        (Server { lists_projects: true, ..server }, None),
        // It lists no projects (contract 6).
        (Server { assigned: true, ..server }, Some(Class::Denied)),
        (Server { unscoped_is_all: true, ..server }, Some(Class::Denied)),
    ] {
        let (deleted, seen) = write(deletion(), move |seen, _| server.answer(seen)).await;
        let error = deleted.err();
        assert_eq!(error.as_ref().map(|error| error.class), expected, "{server:?}: {error:?}");
        assert_eq!(writes(&seen).len(), usize::from(expected.is_none()), "{server:?}");
        if expected == Some(Class::Denied) {
            let message = error.expect("a refusal").message;
            assert!(message.contains("the projects") && message.contains("by hand"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_role_stays_if_assignments_or_workspaces_are_hidden() {
    let role = || delete(READER, Body::Role(desired_role("reader", "workspace")));
    for (path, hidden) in [
        (assignments_of(ADMIN), "which other users have roles"),
        ("GET /workspaces".to_owned(), "any workspace"),
        (of_org("roles"), "which other users have roles"),
    ] {
        let (deleted, seen) = write(role(), move |seen, _| match call(seen) {
            made if made == path || made == assignments_of(READER) => ok(json!([])),
            _ => organization(seen),
        })
        .await;
        let error = deleted.expect_err("a failure");
        assert_eq!((error.class, writes(&seen).len()), (Class::Denied, 0), "{error}");
        assert!(error.message.contains(hidden), "{error}");
    }
    for (list, hidden) in [(of_org("roles"), "the roles"), ("GET /workspaces".to_owned(), "the workspaces")] {
        let (deleted, seen) = write(role(), move |seen, _| match call(seen) {
            made if made == list => error(403, "IllegalOperationError", "no"),
            made if made == assignments_of(READER) => ok(json!([])),
            _ => organization(seen),
        })
        .await;
        let error = deleted.expect_err("a failure");
        assert!(error.class == Class::Denied && error.message.contains(hidden), "{error}");
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_server_that_shows_only_own_assignments_proves_nothing() {
    let own = || json!({"user": user(NIGHTLY, "nightly", "", true)});
    for row in [own(), json!({"team": team()})] {
        let (deleted, seen) = write(
            delete(READER, Body::Role(desired_role("reader", "workspace"))),
            move |seen, _| match call(seen) {
                path if path == assignments_of(ADMIN) => {
                    ok(json!([assignment(ADMIN, row.clone(), None, None)]))
                }
                path if path == assignments_of(READER) => ok(json!([])),
                _ => organization(seen),
            },
        )
        .await;
        assert_eq!((class(deleted), writes(&seen).len()), (Class::Denied, 0));
    }
}

#[tokio::test]
async fn a_role_is_deleted_although_a_workspace_was_deleted() {
    let (deleted, _) =
        write(delete(READER, Body::Role(desired_role("reader", "workspace"))), |seen, _| match call(seen) {
            path if path == "GET /workspaces" => {
                let mut gone = workspace(PRODUCTION, "production");
                gone["status"] = json!("deleted");
                page(seen, &[gone, workspace(STAGING, "staging")])
            }
            path if path == assignments_of(READER) => match seen.param("workspace_id") {
                Some(PRODUCTION) => error(404, "KeyError", "no such workspace"),
                _ => ok(json!([])),
            },
            path if path.starts_with("DELETE") => ok(Value::Null),
            _ => organization(seen),
        })
        .await;
    assert_eq!(deleted, Ok(None));
}

#[tokio::test]
async fn a_role_with_too_many_scopes_is_not_deleted() {
    let (deleted, seen) = write(deletion(), |seen, _| match call(seen).as_str() {
        path if path == format!("GET /workspaces/{PRODUCTION}/projects") => {
            let id = |n: usize| format!("60000000-0000-4000-8000-{n:012}");
            let all: Vec<Value> = (0..1000).map(|n| json!({"id": id(n), "name": format!("p{n}")})).collect();
            page(seen, &all)
        }
        _ => Server { lists_projects: true, ..Server::default() }.answer(seen),
    })
    .await;
    let error = deleted.expect_err("a failure");
    assert!(error.class == Class::Denied && error.message.contains("1002"), "{error}");
    assert!(writes(&seen).is_empty());
}

#[tokio::test]
async fn a_subject_in_two_answers_is_named_once() {
    let (deleted, _) = write(deletion(), |seen, _| match call(seen).as_str() {
        path if path == assignments_of(TRAINER) && seen.param("workspace_id") == Some(PRODUCTION) => {
            let nightly = json!({"user": user(NIGHTLY, "nightly", "", true)});
            ok(json!([assignment(TRAINER, nightly, Some(PRODUCTION), Some(CHURN))]))
        }
        _ => Server { lists_projects: true, ..Server::default() }.answer(seen),
    })
    .await;
    let error = deleted.expect_err("a failure");
    assert_eq!(error.class, Class::Conflict);
    assert_eq!(error.message.matches("nightly").count(), 1, "{error}");
}

#[tokio::test]
async fn workspaces_of_which_the_user_is_no_member_are_read() {
    let (deleted, seen) =
        write(delete(READER, Body::Role(desired_role("reader", "workspace"))), |seen, _| {
            match call(seen).as_str() {
                // The default is not published.
                "GET /workspaces" if seen.param("member_only") != Some("false") => {
                    page(seen, &[workspace(STAGING, "staging")])
                }
                path if path == assignments_of(READER) && seen.param("workspace_id") != Some(PRODUCTION) => {
                    ok(json!([]))
                }
                path if path.starts_with("DELETE") => ok(Value::Null),
                _ => organization(seen),
            }
        })
        .await;
    let error = deleted.expect_err("a failure");
    assert_eq!((error.class, writes(&seen).len()), (Class::Conflict, 0), "{error}");
}
