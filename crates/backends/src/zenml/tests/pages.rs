//! Lists in pages, from servers that page well, badly, or not at all.

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
    let told = snapshot.map(|it| (it.all(Kind::Role).count(), it.absence(Kind::Role, None)));
    let list = stub.seen().into_iter().filter(|seen| call(seen) == of_org("roles")).collect();
    (told, list)
}

#[tokio::test]
async fn all_pages_are_read_whatever_number_the_server_gives_on_one() {
    for most in [100, 99, 30, 7] {
        let (told, list) = listed(with(of_org("roles"), move |seen| {
            let offset: usize = seen.param("offset").expect("an offset").parse().expect("a number");
            ok(many(250).into_iter().skip(offset).take(most).collect())
        }))
        .await;
        assert_eq!(told, Ok((250, Absence::Proven)), "{most}");
        for seen in &list {
            assert_eq!((seen.param("limit"), seen.param("type")), (Some("100"), Some("normal")));
        }
    }
}

#[tokio::test]
async fn a_list_of_one_page_takes_two_calls_and_an_empty_one_a_single() {
    let (told, list) = listed(|seen, _| organization(seen)).await;
    assert_eq!((told, list.len()), (Ok((4, Absence::Proven)), 2));
    let (told, list) = listed(with(of_org("roles"), |_| ok(json!([])))).await;
    assert_eq!((told, list.len()), (Ok((0, Absence::Unproven)), 1));
}

#[tokio::test]
async fn a_server_that_knows_no_pages_is_read_once_and_asked_once_more() {
    let (told, list) = listed(with(of_org("roles"), |_| ok(json!(many(180))))).await;
    assert_eq!((told, list.len()), (Ok((180, Absence::Proven)), 2));
}

#[tokio::test]
async fn a_short_page_in_the_middle_is_not_the_end() {
    let count = AtomicUsize::new(0);
    let (told, _) = listed(with(of_org("roles"), move |seen| {
        let offset: usize = seen.param("offset").expect("an offset").parse().expect("a number");
        let most = if count.fetch_add(1, Ordering::Relaxed) == 0 { 3 } else { 100 };
        ok(many(60).into_iter().skip(offset).take(most).collect())
    }))
    .await;
    assert_eq!(told, Ok((60, Absence::Proven)));
}

#[tokio::test]
async fn a_page_that_comes_empty_once_is_not_the_end() {
    let count = AtomicUsize::new(0);
    let (told, _) = listed(with(of_org("roles"), move |seen| {
        let offset: usize = seen.param("offset").expect("an offset").parse().expect("a number");
        let most = [3, 0].get(count.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or(100);
        ok(many(60).into_iter().skip(offset).take(most).collect())
    }))
    .await;
    assert_eq!(told, Ok((60, Absence::Proven)));
}

#[tokio::test]
async fn what_slips_to_a_page_that_was_read_already_is_found_by_reading_again() {
    let count = AtomicUsize::new(0);
    let (told, _) = listed(with(of_org("roles"), move |seen| {
        // After the first page somebody removes a role that was on it.
        let gone = usize::from(count.fetch_add(1, Ordering::Relaxed) > 0);
        let left: Vec<Value> =
            many(150).into_iter().filter(|role| gone == 0 || role["name"] != "role 5").collect();
        page(seen, &left)
    }))
    .await;
    let (seen, absence) = told.expect("a list");
    assert!(seen >= 149, "{seen}");
    assert_eq!(absence, Absence::Proven, "the last two readings show the same");
}

#[tokio::test]
async fn a_page_with_nothing_after_it_is_the_whole_only_if_its_edge_stayed_where_it_was() {
    for (most, there, gone_at, calls) in [
        (100, 101, 1, 3 + 2),
        (100, 100, usize::MAX, 2),
        (100, 99, usize::MAX, 2),
        (100, 2, usize::MAX, 2),
        (100, 1, usize::MAX, 2),
        (50, 51, 1, 3 + 2),
        (50, 50, usize::MAX, 2),
        (7, 8, 1, 3 + 2),
    ] {
        let count = AtomicUsize::new(0);
        let (stub, zenml) = zenml(with(of_org("roles"), move |seen| {
            // After the first page somebody removes a role that was on it: the last one slips to the page that was read.
            let gone = count.fetch_add(1, Ordering::Relaxed) >= gone_at;
            let left = many(there).into_iter().filter(|role| !gone || role["name"] != "role 5");
            let offset: usize = seen.param("offset").expect("an offset").parse().expect("a number");
            ok(left.skip(offset).take(most).collect())
        }))
        .await;
        let snapshot = zenml.snapshot(&needs(&[Kind::Role], &[], &[])).await.expect("a snapshot");
        let last = Id::new(format!("10000000-0000-4000-8000-{:012}", there - 1));
        assert!(snapshot.by_id(Kind::Role, &last).is_some(), "{there} of {most} a page");
        assert_eq!(snapshot.absence(Kind::Role, None), Absence::Proven);
        let list = stub.seen().into_iter().filter(|seen| call(seen) == of_org("roles")).count();
        assert_eq!(list, calls, "{there} of {most} a page");
    }
}

#[tokio::test]
async fn a_list_that_never_holds_still_proves_nothing() {
    let count = AtomicUsize::new(0);
    let (told, _) = listed(with(of_org("roles"), move |seen| {
        let at = count.fetch_add(1, Ordering::Relaxed);
        let left: Vec<Value> =
            many(150).into_iter().filter(|role| role["name"] != format!("role {}", 1 + at)).collect();
        page(seen, &left)
    }))
    .await;
    assert_eq!(told.expect("a list").1, Absence::Unproven);
    let wanted = Body::Role(wish("nobody's", "workspace"));
    let count = AtomicUsize::new(0);
    let (_stub, zenml) = zenml(with(of_org("roles"), move |seen| {
        let at = count.fetch_add(1, Ordering::Relaxed);
        let left: Vec<Value> =
            many(150).into_iter().filter(|role| role["name"] != format!("role {}", 1 + at)).collect();
        page(seen, &left)
    }))
    .await;
    assert_eq!(class(zenml.find(&wanted).await), Class::Transient, "nothing is made on a guess");
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_list_makes_no_snapshot() {
    for (status, expected) in
        [(403, Class::Transient), (404, Class::Transient), (400, Class::Transient), (401, Class::Transient)]
    {
        let (told, _) = listed(with(of_org("roles"), move |seen| match seen.param("offset") {
            Some("0") => page(seen, &many(120)),
            _ => error(status, "IllegalOperationError", "no"),
        }))
        .await;
        assert_eq!(class(told), expected, "{status}");
    }
}

#[tokio::test]
async fn what_is_no_list_is_no_snapshot() {
    for body in [json!({"items": [], "total": 0}), Value::Null, json!([{"name": "no id"}]), json!("x")] {
        let (told, _) = listed(with(of_org("roles"), move |_| ok(body.clone()))).await;
        assert_eq!(class(told), Class::Transient);
    }
    let (told, _) =
        listed(with(of_org("roles"), |_| Reply::text(200, "text/html", "<html>Please log in"))).await;
    assert_eq!(class(told), Class::Transient);
    let (told, _) = listed(with(of_org("roles"), |_| Reply::Cut { body: b"[{\"id\"".to_vec() })).await;
    assert_eq!(class(told), Class::Transient);
}
