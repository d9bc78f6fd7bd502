//! Lists, from servers with pages, without pages, and with changes while they are read.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn many(count: usize) -> Vec<Value> {
    let one = |n: usize| {
        role(&format!("10000000-0000-4000-8000-{n:012}"), &format!("role {n}"), "workspace", n == 0)
    };
    (0..count).map(one).collect()
}

/// The number of roles and the proof of a snapshot, and its calls of the list. None if the list is unread.
async fn listed(
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> (Option<(usize, Absence)>, Vec<Seen>) {
    let (stub, zenml) = zenml(answer).await;
    let snapshot = zenml.snapshot(&needs(&[Kind::Role], &[], &[])).await;
    let read = snapshot.map(|it| (it.all(Kind::Role).count(), it.absence(Kind::Role, None)));
    assert!(read.as_ref().err().is_none_or(|error| error.class == Class::Transient));
    let list = stub.seen().into_iter().filter(|seen| call(seen) == of_org("roles")).collect();
    (read.ok(), list)
}

#[tokio::test]
async fn a_list_is_read_to_its_short_page() {
    for (count, calls) in [(0, 1), (1, 1), (99, 1), (100, 2), (101, 2), (198, 2), (199, 3), (250, 3)] {
        let (read, list) = listed(with(of_org("roles"), move |seen| page(seen, &many(count)))).await;
        let proof = if count == 0 { Absence::Unproven } else { Absence::Proven };
        assert_eq!((read, list.len()), (Some((count, proof)), calls), "{count}");
        for seen in &list {
            assert_eq!((seen.param("limit"), seen.param("type")), (Some("100"), Some("normal")));
        }
    }
}

#[tokio::test]
async fn a_list_without_pages_is_read_at_once() {
    for (count, calls) in [(99, 1), (100, 2), (101, 1), (180, 1)] {
        let (read, list) = listed(with(of_org("roles"), move |_| ok(json!(many(count))))).await;
        assert_eq!((read, list.len()), (Some((count, Absence::Proven)), calls), "{count}");
    }
}

#[tokio::test]
async fn a_list_that_changes_between_two_pages_is_unread() {
    // After the first page, a role of it is deleted, or a role is added before it, or the order changes.
    let changes: [fn(Vec<Value>) -> Vec<Value>; 3] = [
        |all| all.into_iter().filter(|role| role["name"] != "role 5").collect(),
        |all| std::iter::once(role(BOB, "new", "workspace", false)).chain(all).collect(),
        |all| all.into_iter().rev().collect(),
    ];
    for change in changes {
        for count in [100, 101, 150, 250] {
            let calls = AtomicUsize::new(0);
            let answer = move |seen: &Seen| match calls.fetch_add(1, Ordering::Relaxed) {
                0 => page(seen, &many(count)),
                _ => page(seen, &change(many(count))),
            };
            let (stub, zenml) = zenml(with(of_org("roles"), answer)).await;
            let found = zenml.find(&Body::Role(desired_role("unknown", "workspace"))).await;
            assert_eq!(class(found), Class::Transient, "nothing is created if a role may exist");
            assert_eq!(calls_of_list(&stub), 2);
        }
    }
    // A change behind the pages that were read moves nothing.
    let calls = AtomicUsize::new(0);
    let (read, _) = listed(with(of_org("roles"), move |seen| {
        let mut all = many(150);
        all.truncate(150 - 10 * calls.fetch_add(1, Ordering::Relaxed));
        page(seen, &all)
    }))
    .await;
    assert_eq!(read, Some((140, Absence::Proven)));
}

fn calls_of_list(stub: &Stub) -> usize {
    stub.seen().iter().filter(|seen| call(seen) == of_org("roles")).count()
}

#[tokio::test]
async fn a_server_with_a_lower_maximum_refuses_the_page() {
    let (snapshot, _) = sweep(
        &[],
        with(of_org("roles"), |_| {
            Reply::json(422, json!({"detail": [{"loc": ["query", "limit"], "msg": "less than 50"}]}))
        }),
    )
    .await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Role, None), Absence::Unproven);
    assert!(!snapshot.failures().is_empty(), "it is an error, and not a short list");
}

#[tokio::test]
async fn a_refusal_after_the_first_page_is_temporary() {
    for status in [403, 404, 400] {
        let (read, _) = listed(with(of_org("roles"), move |seen| match seen.param("offset") {
            Some("0") => page(seen, &many(120)),
            _ => error(status, "IllegalOperationError", "no"),
        }))
        .await;
        assert_eq!(read, None, "{status}");
    }
}

#[tokio::test]
async fn an_invalid_list_is_a_temporary_failure() {
    for body in [json!({"items": [], "total": 0}), Value::Null, json!([{"name": "no id"}]), json!("x")] {
        assert_eq!(listed(with(of_org("roles"), move |_| ok(body.clone()))).await.0, None);
    }
    let html = || Reply::text(200, "text/html", "<html>Please log in");
    assert_eq!(listed(with(of_org("roles"), move |_| html())).await.0, None);
    let cut = || Reply::Cut { body: b"[{\"id\"".to_vec() };
    assert_eq!(listed(with(of_org("roles"), move |_| cut())).await.0, None);
}
