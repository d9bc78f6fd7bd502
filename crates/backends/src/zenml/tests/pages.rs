//! Lists, from servers with correct pages, wrong pages and no pages.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn many(count: usize) -> Vec<Value> {
    let one = |n: usize| {
        role(&format!("10000000-0000-4000-8000-{n:012}"), &format!("role {n}"), "workspace", n == 0)
    };
    (0..count).map(one).collect()
}

async fn listed(
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> (Result<(usize, Absence), Error>, Vec<Seen>) {
    let (stub, zenml) = zenml(answer).await;
    let snapshot = zenml.snapshot(&needs(&[Kind::Role], &[], &[])).await;
    let read = snapshot.map(|it| (it.all(Kind::Role).count(), it.absence(Kind::Role, None)));
    let list = stub.seen().into_iter().filter(|seen| call(seen) == of_org("roles")).collect();
    (read, list)
}

#[tokio::test]
async fn all_pages_are_read_whatever_their_size() {
    for size in [100, 99, 30, 7] {
        let (read, list) = listed(with(of_org("roles"), move |seen| {
            let offset: usize = seen.param("offset").expect("an offset").parse().expect("a number");
            ok(many(250).into_iter().skip(offset).take(size).collect())
        }))
        .await;
        assert_eq!(read, Ok((250, Absence::Proven)), "{size}");
        for seen in &list {
            assert_eq!((seen.param("limit"), seen.param("type")), (Some("100"), Some("normal")));
        }
    }
}

#[tokio::test]
async fn a_short_list_takes_two_calls_and_an_empty_one_takes_one() {
    let (read, list) = listed(|seen, _| organization(seen)).await;
    assert_eq!((read, list.len()), (Ok((4, Absence::Proven)), 2));
    let (read, list) = listed(with(of_org("roles"), |_| ok(json!([])))).await;
    assert_eq!((read, list.len()), (Ok((0, Absence::Unproven)), 1));
}

#[tokio::test]
async fn a_list_without_pages_takes_two_calls() {
    let (read, list) = listed(with(of_org("roles"), |_| ok(json!(many(180))))).await;
    assert_eq!((read, list.len()), (Ok((180, Absence::Proven)), 2));
}

#[tokio::test]
async fn a_short_page_is_not_always_the_last() {
    let count = AtomicUsize::new(0);
    let (read, _) = listed(with(of_org("roles"), move |seen| {
        let offset: usize = seen.param("offset").expect("an offset").parse().expect("a number");
        let most = if count.fetch_add(1, Ordering::Relaxed) == 0 { 3 } else { 100 };
        ok(many(60).into_iter().skip(offset).take(most).collect())
    }))
    .await;
    assert_eq!(read, Ok((60, Absence::Proven)));
}

#[tokio::test]
async fn an_empty_page_is_not_always_the_end() {
    let count = AtomicUsize::new(0);
    let (read, _) = listed(with(of_org("roles"), move |seen| {
        let offset: usize = seen.param("offset").expect("an offset").parse().expect("a number");
        let most = [3, 0].get(count.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or(100);
        ok(many(60).into_iter().skip(offset).take(most).collect())
    }))
    .await;
    assert_eq!(read, Ok((60, Absence::Proven)));
}

#[tokio::test]
async fn a_list_that_changes_is_read_again() {
    let count = AtomicUsize::new(0);
    let (read, _) = listed(with(of_org("roles"), move |seen| {
        // After the first page, a role of that page is deleted.
        let deleted = usize::from(count.fetch_add(1, Ordering::Relaxed) > 0);
        let left: Vec<Value> =
            many(150).into_iter().filter(|role| deleted == 0 || role["name"] != "role 5").collect();
        page(seen, &left)
    }))
    .await;
    let (seen, absence) = read.expect("a list");
    assert!(seen >= 149, "{seen}");
    assert_eq!(absence, Absence::Proven, "the last two readings are equal");
}

#[tokio::test]
async fn a_role_that_moves_to_a_read_page_is_not_missed() {
    for (size, count, deleted_at, calls) in [
        (100, 101, 1, 3 + 2),
        (100, 100, usize::MAX, 2),
        (100, 99, usize::MAX, 2),
        (100, 2, usize::MAX, 2),
        (100, 1, usize::MAX, 2),
        (50, 51, 1, 3 + 2),
        (50, 50, usize::MAX, 2),
        (7, 8, 1, 3 + 2),
    ] {
        let pages = AtomicUsize::new(0);
        let (stub, zenml) = zenml(with(of_org("roles"), move |seen| {
            // After the first page, a role of that page is deleted, and the last one moves to that page.
            let deleted = pages.fetch_add(1, Ordering::Relaxed) >= deleted_at;
            let left = many(count).into_iter().filter(|role| !deleted || role["name"] != "role 5");
            let offset: usize = seen.param("offset").expect("an offset").parse().expect("a number");
            ok(left.skip(offset).take(size).collect())
        }))
        .await;
        let snapshot = zenml.snapshot(&needs(&[Kind::Role], &[], &[])).await.expect("a snapshot");
        let last = Id::new(format!("10000000-0000-4000-8000-{:012}", count - 1));
        assert!(snapshot.by_id(Kind::Role, &last).is_some(), "{count} roles, {size} on a page");
        assert_eq!(snapshot.absence(Kind::Role, None), Absence::Proven);
        let list = stub.seen().into_iter().filter(|seen| call(seen) == of_org("roles")).count();
        assert_eq!(list, calls, "{count} roles, {size} on a page");
    }
}

#[tokio::test]
async fn a_list_that_keeps_changing_proves_nothing() {
    let count = AtomicUsize::new(0);
    let (read, _) = listed(with(of_org("roles"), move |seen| {
        let at = count.fetch_add(1, Ordering::Relaxed);
        let left: Vec<Value> =
            many(150).into_iter().filter(|role| role["name"] != format!("role {}", 1 + at)).collect();
        page(seen, &left)
    }))
    .await;
    assert_eq!(read.expect("a list").1, Absence::Unproven);
    let desired = Body::Role(desired_role("unknown", "workspace"));
    let count = AtomicUsize::new(0);
    let (_stub, zenml) = zenml(with(of_org("roles"), move |seen| {
        let at = count.fetch_add(1, Ordering::Relaxed);
        let left: Vec<Value> =
            many(150).into_iter().filter(|role| role["name"] != format!("role {}", 1 + at)).collect();
        page(seen, &left)
    }))
    .await;
    assert_eq!(class(zenml.find(&desired).await), Class::Transient, "nothing is created if a role may exist");
}

#[tokio::test]
async fn a_refusal_after_the_first_page_is_temporary() {
    for (status, expected) in
        [(403, Class::Transient), (404, Class::Transient), (400, Class::Transient), (401, Class::Transient)]
    {
        let (read, _) = listed(with(of_org("roles"), move |seen| match seen.param("offset") {
            Some("0") => page(seen, &many(120)),
            _ => error(status, "IllegalOperationError", "no"),
        }))
        .await;
        assert_eq!(class(read), expected, "{status}");
    }
}

#[tokio::test]
async fn an_invalid_list_is_a_temporary_failure() {
    for body in [json!({"items": [], "total": 0}), Value::Null, json!([{"name": "no id"}]), json!("x")] {
        let (read, _) = listed(with(of_org("roles"), move |_| ok(body.clone()))).await;
        assert_eq!(class(read), Class::Transient);
    }
    let (read, _) =
        listed(with(of_org("roles"), |_| Reply::text(200, "text/html", "<html>Please log in"))).await;
    assert_eq!(class(read), Class::Transient);
    let (read, _) = listed(with(of_org("roles"), |_| Reply::Cut { body: b"[{\"id\"".to_vec() })).await;
    assert_eq!(class(read), Class::Transient);
}
