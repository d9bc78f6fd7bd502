//! Changes of what groups that no binding owns have.

use std::sync::Mutex;

use super::*;

const PATCH: &str = "PATCH /groups/devs";

fn create(role: &str) -> Change {
    testing::create(None, grant("devs", role))
}

fn delete(role: &str) -> Change {
    testing::delete(ids::grant(&place("devs"), role), grant("devs", role))
}

/// A server that keeps the roles of one group, and answers as HQ does.
fn keeping(roles: &[&str]) -> impl Fn(&Seen, usize) -> Reply + use<> {
    let kept = Mutex::new(json!(roles));
    move |seen, _| {
        let mut kept = kept.lock().expect("not poisoned");
        match call(seen).as_str() {
            PATCH => {
                *kept = seen.body["roles"].clone();
                ok(json!({"name": "devs", "roles": *kept}))
            }
            DEVS => ok(json!({"name": "devs", "roles": *kept})),
            GROUPS => ok(json!({"items": [item("devs", 0, 0, kept.as_array().map_or(0, Vec::len) as u64)]})),
            _ => hq(seen),
        }
    }
}

#[tokio::test]
async fn a_role_is_put_beside_the_others_and_taken_from_among_them() {
    let (made, seen) = write(create("admin"), keeping(&["writer", "reader"])).await;
    assert_eq!(only_write(&seen), (PATCH.to_owned(), json!({"roles": ["admin", "reader", "writer"]})));
    let made = made.expect("a success").expect("the grant");
    assert_eq!((made.id.as_str(), made.body), ("group:devs#id-devs/admin", grant("devs", "admin")));
    let (gone, seen) = write(delete("reader"), keeping(&["writer", "reader"])).await;
    assert_eq!(gone, Ok(None));
    assert_eq!(only_write(&seen), (PATCH.to_owned(), json!({"roles": ["writer"]})));
}

#[tokio::test]
async fn what_is_so_already_is_not_written_and_whose_it_is_is_not_for_this_to_say() {
    let (made, seen) = write(create("reader"), keeping(&["reader"])).await;
    assert_eq!((class(made), writes(&seen).len()), (Class::Conflict, 0));
    let (gone, seen) = write(delete("admin"), keeping(&["reader"])).await;
    assert!(gone.is_ok() && writes(&seen).is_empty());
}

#[tokio::test]
async fn bindings_that_write_to_one_group_at_one_time_lose_nothing() {
    let (stub, lenses) = lenses(keeping(&["old"])).await;
    let other = connect(&stub, json!({}));
    let roles: Vec<String> = (0..8).map(|n| format!("r{n}")).collect();
    let writes = roles.iter().enumerate().map(|(n, role)| {
        let backend = if n % 2 == 0 { &lenses } else { &other };
        async move { backend.write(&create(role)).await.expect("a success") }
    });
    futures::future::join_all(writes).await;
    let seen = stub.seen();
    let last = seen.iter().rev().find(|seen| seen.method == "PATCH").expect("a write");
    assert_eq!(last.body["roles"], json!(["old", "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7"]));
}

#[tokio::test]
async fn a_set_that_is_not_shown_whole_is_not_written() {
    for change in [create("admin"), delete("reader")] {
        let (refused, seen) = write(change, |seen, _| match call(seen).as_str() {
            DEVS => ok(json!({"name": "devs", "roles": ["reader"]})),
            _ => hq(seen),
        })
        .await;
        let refused = refused.expect_err("a failure");
        assert_eq!(refused.class, Class::Denied);
        assert!(refused.message.contains("would take the rest away"), "{refused}");
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_set_is_not_written_where_the_list_that_counts_may_not_be_read() {
    for change in [create("admin"), delete("reader")] {
        let (refused, seen) = write(change, with(GROUPS, |_| refusal(403))).await;
        assert_eq!(class(refused), Class::Denied);
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_group_that_was_made_again_under_its_name_is_not_written_to() {
    for change in [create("admin"), delete("reader")] {
        let another = ok_devs(json!({"name": "devs", "id": "another", "roles": ["reader", "writer"]}));
        let (refused, seen) = write(change, another).await;
        assert_eq!(class(refused), Class::Missing);
        assert!(writes(&seen).is_empty());
    }
}

fn ok_devs(group: Value) -> impl Fn(&Seen, usize) -> Reply {
    with(DEVS, move |_| ok(group.clone()))
}

#[tokio::test]
async fn an_answer_that_does_not_show_what_was_asked_for_is_doubted() {
    for (answer, expected) in [
        (json!({"name": "devs", "roles": ["reader", "writer"]}), Err(Class::Lost)),
        (json!({}), Err(Class::Lost)),
        (json!({"name": "devs", "roles": [{"name": "admin"}]}), Ok(())),
    ] {
        let (made, _) = write(create("admin"), with(PATCH, move |_| ok(answer.clone()))).await;
        assert_eq!(made.map(|_| ()).map_err(|error| error.class), expected);
    }
}

#[tokio::test]
async fn a_group_that_is_not_there_is_missing_and_one_of_a_binding_is_left_alone() {
    let (refused, seen) = write(create("admin"), with(DEVS, |_| missing())).await;
    assert_eq!(class(refused), Class::Missing);
    assert!(writes(&seen).is_empty());
    let change = testing::create(None, grant(OWNED, "admin"));
    let (refused, seen) = write(change, |seen, _| hq(seen)).await;
    assert!(refused.is_err_and(|error| error.message.contains("mistake")) && seen.is_empty());
}
