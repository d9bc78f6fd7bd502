//! Who would lose a role that is removed, on servers that tell more and less of it: unknown is not nobody.

use super::*;

const TESTER: &str = "10000000-0000-4000-8000-000000000005";

/// What a server tells of who holds roles in projects.
#[derive(Clone, Copy, Debug, Default)]
struct Server {
    /// A grant of the role that goes was made by hand in a project.
    by_hand: bool,
    /// It lists the projects of its workspaces.
    lists_projects: bool,
    /// An answer about no scope is about all.
    unscoped_is_all: bool,
    /// Somebody holds another role of projects.
    another: bool,
}

impl Server {
    fn answer(self, seen: &Seen) -> Reply {
        let nightly = || json!({"user": user(NIGHTLY, "nightly", "", true)});
        let in_churn = |role: &str| assignment(role, nightly(), Some(PRODUCTION), Some(CHURN));
        let about_churn = seen.param("project_id") == Some(CHURN);
        let told = about_churn || self.unscoped_is_all && seen.param("workspace_id").is_none();
        match call(seen).as_str() {
            path if path == of_org("roles") => {
                let mut all = roles().to_vec();
                all.push(role(TESTER, "tester", "project", false));
                page(seen, &all)
            }
            path if path == holders_of(TRAINER) => {
                ok((self.by_hand && told).then(|| in_churn(TRAINER)).into_iter().collect())
            }
            path if path == holders_of(TESTER) => {
                ok((self.another && told).then(|| in_churn(TESTER)).into_iter().collect())
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

fn removal() -> Change {
    delete(TRAINER, Body::Role(wish("trainer", "project")))
}

#[tokio::test]
async fn a_role_of_projects_is_removed_only_where_it_is_seen_that_nobody_holds_it() {
    let server = Server::default();
    for (server, expected) in [
        (Server { by_hand: true, lists_projects: true, ..server }, Some(Class::Conflict)),
        (Server { by_hand: true, unscoped_is_all: true, ..server }, Some(Class::Conflict)),
        (Server { lists_projects: true, ..server }, None),
        // Nothing shows what it tells of projects, and it lists none.
        (Server { by_hand: true, ..server }, Some(Class::Denied)),
        (Server { unscoped_is_all: true, ..server }, Some(Class::Denied)),
        (Server { another: true, ..server }, Some(Class::Denied)),
        // It is seen to tell of a project where it is asked about no scope.
        (Server { unscoped_is_all: true, another: true, ..server }, None),
    ] {
        let (gone, seen) = write(removal(), move |seen, _| server.answer(seen)).await;
        let error = gone.err();
        assert_eq!(error.as_ref().map(|error| error.class), expected, "{server:?}: {error:?}");
        assert_eq!(writes(&seen).len(), usize::from(expected.is_none()), "{server:?}");
        if expected == Some(Class::Denied) {
            let message = error.expect("a refusal").message;
            assert!(message.contains("the projects") && message.contains("by hand"), "{message}");
        }
    }
}

#[tokio::test]
async fn what_a_server_tells_of_projects_is_learned_from_a_grant_before_it_is_taken() {
    for unscoped_is_all in [true, false] {
        let there = std::sync::atomic::AtomicBool::new(true);
        let (stub, zenml) = zenml(move |seen, _| {
            let by_hand = there.load(std::sync::atomic::Ordering::Relaxed);
            if call(seen) == format!("DELETE /roles/{TRAINER}/assignments") {
                there.store(false, std::sync::atomic::Ordering::Relaxed);
            }
            Server { by_hand, unscoped_is_all, ..Server::default() }.answer(seen)
        })
        .await;
        let subject = format!("user:{NIGHTLY}");
        let id = grant_id(TRAINER, &format!("project:{PRODUCTION}:{CHURN}"), &subject);
        let revocation = delete(id, grant(TRAINER, &subject, in_churn()));
        for _ in 0..2 {
            zenml.write(&revocation).await.expect("a success");
        }
        let unscoped = stub.seen().iter().filter(|seen| asked(seen) == holders_of(TRAINER)).count();
        assert_eq!(unscoped, 1, "once is enough");
        let gone = zenml.write(&removal()).await;
        assert_eq!(
            gone.map_err(|error| error.class),
            if unscoped_is_all { Ok(None) } else { Err(Class::Denied) }
        );
    }
}

#[tokio::test]
async fn a_role_is_not_removed_where_nobody_and_no_workspace_is_seen() {
    let role = || delete(READER, Body::Role(wish("reader", "workspace")));
    for (path, unseen) in [
        (holders_of(ADMIN), "anybody who holds a role"),
        ("GET /workspaces".to_owned(), "any workspace"),
        (of_org("roles"), "anybody who holds a role"),
    ] {
        let (gone, seen) = write(role(), move |seen, _| match call(seen) {
            asked if asked == path || asked == holders_of(READER) => ok(json!([])),
            _ => organization(seen),
        })
        .await;
        let error = gone.expect_err("a failure");
        assert_eq!((error.class, writes(&seen).len()), (Class::Denied, 0), "{error}");
        assert!(error.message.contains(unseen), "{error}");
    }
    for (list, unseen) in [(of_org("roles"), "the roles"), ("GET /workspaces".to_owned(), "the workspaces")] {
        let (gone, seen) = write(role(), move |seen, _| match call(seen) {
            asked if asked == list => error(403, "IllegalOperationError", "no"),
            asked if asked == holders_of(READER) => ok(json!([])),
            _ => organization(seen),
        })
        .await;
        let error = gone.expect_err("a failure");
        assert!(error.class == Class::Denied && error.message.contains(unseen), "{error}");
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn more_places_than_are_asked_about_keep_a_role() {
    let (gone, seen) = write(removal(), |seen, _| match call(seen).as_str() {
        path if path == format!("GET /workspaces/{PRODUCTION}/projects") => {
            let id = |n: usize| format!("60000000-0000-4000-8000-{n:012}");
            let all: Vec<Value> = (0..1000).map(|n| json!({"id": id(n), "name": format!("p{n}")})).collect();
            page(seen, &all)
        }
        _ => Server { lists_projects: true, ..Server::default() }.answer(seen),
    })
    .await;
    let error = gone.expect_err("a failure");
    assert!(error.class == Class::Denied && error.message.contains("1002"), "{error}");
    assert!(writes(&seen).is_empty());
}

#[tokio::test]
async fn who_is_told_with_a_wider_scope_and_with_its_own_is_named_once() {
    let (gone, _) = write(removal(), |seen, _| match call(seen).as_str() {
        path if path == holders_of(TRAINER) && seen.param("workspace_id") == Some(PRODUCTION) => {
            let nightly = json!({"user": user(NIGHTLY, "nightly", "", true)});
            ok(json!([assignment(TRAINER, nightly, Some(PRODUCTION), Some(CHURN))]))
        }
        _ => Server { lists_projects: true, ..Server::default() }.answer(seen),
    })
    .await;
    let error = gone.expect_err("a failure");
    assert_eq!(error.class, Class::Conflict);
    assert_eq!(error.message.matches("nightly").count(), 1, "{error}");
}

#[tokio::test]
async fn workspaces_that_the_credential_is_no_member_of_are_asked_about_too() {
    let (gone, seen) = write(delete(READER, Body::Role(wish("reader", "workspace"))), |seen, _| {
        match call(seen).as_str() {
            // Whether that is the default is not published.
            "GET /workspaces" if seen.param("member_only") != Some("false") => {
                page(seen, &[workspace(STAGING, "staging")])
            }
            path if path == holders_of(READER) && seen.param("workspace_id") != Some(PRODUCTION) => {
                ok(json!([]))
            }
            path if path.starts_with("DELETE") => ok(Value::Null),
            _ => organization(seen),
        }
    })
    .await;
    let error = gone.expect_err("a failure");
    assert_eq!((error.class, writes(&seen).len()), (Class::Conflict, 0), "{error}");
}
