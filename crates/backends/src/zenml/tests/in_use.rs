//! The subjects of a role that is about to be deleted, on servers that show more or less of them.

use super::*;

const TESTER: &str = "10000000-0000-4000-8000-000000000005";

/// What a server shows of assignments in projects.
#[derive(Clone, Copy, Debug, Default)]
struct Server {
    /// The role is assigned in a project.
    assigned: bool,
    /// It lists the projects of its workspaces.
    lists_projects: bool,
    /// An answer without a scope includes all scopes.
    unscoped_is_all: bool,
    /// Another role of projects is assigned in a project.
    other_assigned: bool,
}

impl Server {
    fn answer(self, seen: &Seen) -> Reply {
        let nightly = || json!({"user": user(NIGHTLY, "nightly", "", true)});
        let in_churn = |role: &str| assignment(role, nightly(), Some(PRODUCTION), Some(CHURN));
        let about_churn = seen.param("project_id") == Some(CHURN);
        let shown = about_churn || self.unscoped_is_all && seen.param("workspace_id").is_none();
        match call(seen).as_str() {
            path if path == of_org("roles") => {
                let mut all = roles().to_vec();
                all.push(role(TESTER, "tester", "project", false));
                page(seen, &all)
            }
            path if path == assignments_of(TRAINER) => {
                ok((self.assigned && shown).then(|| in_churn(TRAINER)).into_iter().collect())
            }
            path if path == assignments_of(TESTER) => {
                ok((self.other_assigned && shown).then(|| in_churn(TESTER)).into_iter().collect())
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
        // It lists no projects, and nothing shows whether its answers without a scope include them.
        (Server { assigned: true, ..server }, Some(Class::Denied)),
        (Server { unscoped_is_all: true, ..server }, Some(Class::Denied)),
        (Server { other_assigned: true, ..server }, Some(Class::Denied)),
        // Its answer for another role without a scope includes a project.
        (Server { unscoped_is_all: true, other_assigned: true, ..server }, None),
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
async fn a_grant_shows_what_the_server_lists_before_its_deletion() {
    for unscoped_is_all in [true, false] {
        let exists = std::sync::atomic::AtomicBool::new(true);
        let (stub, zenml) = zenml(move |seen, _| {
            let assigned = exists.load(std::sync::atomic::Ordering::Relaxed);
            if call(seen) == format!("DELETE /roles/{TRAINER}/assignments") {
                exists.store(false, std::sync::atomic::Ordering::Relaxed);
            }
            Server { assigned, unscoped_is_all, ..Server::default() }.answer(seen)
        })
        .await;
        let subject = format!("user:{NIGHTLY}");
        let id = grant_id(TRAINER, &format!("project:{PRODUCTION}:{CHURN}"), &subject);
        let revocation = delete(id, grant(TRAINER, &subject, in_churn()));
        for _ in 0..2 {
            zenml.write(&revocation).await.expect("a success");
        }
        let unscoped =
            stub.seen().iter().filter(|seen| call_with_query(seen) == assignments_of(TRAINER)).count();
        assert_eq!(unscoped, 1, "read once");
        let deleted = zenml.write(&deletion()).await;
        assert_eq!(
            deleted.map_err(|error| error.class),
            if unscoped_is_all { Ok(None) } else { Err(Class::Denied) }
        );
    }
}

#[tokio::test]
async fn a_role_stays_if_assignments_or_workspaces_are_hidden() {
    let role = || delete(READER, Body::Role(desired_role("reader", "workspace")));
    for (path, hidden) in [
        (assignments_of(ADMIN), "anybody who has a role"),
        ("GET /workspaces".to_owned(), "any workspace"),
        (of_org("roles"), "anybody who has a role"),
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
