//! Changes of grants: roles of groups that no RoleBinding owns.

use std::sync::Mutex;

use super::*;

const PATCH: &str = "PATCH /groups/devs";

fn create(role: &str) -> Change {
    testing::create(None, grant("devs", role))
}

fn delete(role: &str) -> Change {
    testing::delete(ids::grant(&place("devs"), role), grant("devs", role))
}

fn stored_devs(roles: &Value) -> Value {
    devs(&roles.as_array().expect("a list").iter().filter_map(Value::as_str).collect::<Vec<_>>())
}

/// A server that stores the roles of one group.
fn storing(roles: &[&str]) -> impl Fn(&Seen, usize) -> Reply + use<> {
    let stored = Mutex::new(json!(roles));
    move |seen, _| {
        let mut stored = stored.lock().expect("not poisoned");
        match call(seen).as_str() {
            PATCH => {
                *stored = seen.body["roles"].clone();
                ok(stored_devs(&stored))
            }
            DEVS => ok(stored_devs(&stored)),
            GROUPS => {
                ok(json!({"items": [item("devs", 0, 0, stored.as_array().map_or(0, Vec::len) as u64)]}))
            }
            _ => hq(seen),
        }
    }
}

#[tokio::test]
async fn a_role_is_added_to_a_set_and_removed_from_it() {
    let (made, seen) = write(create("admin"), storing(&["writer", "reader"])).await;
    assert_eq!(only_write(&seen), (PATCH.to_owned(), json!({"roles": ["admin", "reader", "writer"]})));
    let made = made.expect("a success").expect("the grant");
    assert_eq!((made.id.as_str(), made.body), ("group:devs#id-devs/admin", grant("devs", "admin")));
    let (deleted, seen) = write(delete("reader"), storing(&["writer", "reader"])).await;
    assert_eq!(deleted, Ok(None));
    assert_eq!(only_write(&seen), (PATCH.to_owned(), json!({"roles": ["writer"]})));
}

#[tokio::test]
async fn an_unchanged_set_is_not_written() {
    let (made, seen) = write(create("reader"), storing(&["reader"])).await;
    assert_eq!((class(made), writes(&seen).len()), (Class::Conflict, 0));
    let (deleted, seen) = write(delete("admin"), storing(&["reader"])).await;
    assert!(deleted.is_ok() && writes(&seen).is_empty());
}

#[tokio::test]
async fn concurrent_writes_to_one_group_lose_nothing() {
    let (stub, lenses) = lenses(storing(&["old"])).await;
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
async fn an_incomplete_set_is_not_written() {
    for change in [create("admin"), delete("reader")] {
        let (refused, seen) = write(change, |seen, _| match call(seen).as_str() {
            DEVS => ok(devs(&["reader"])),
            _ => hq(seen),
        })
        .await;
        let refused = refused.expect_err("a failure");
        assert_eq!(refused.class, Class::Denied);
        assert!(refused.message.contains("the list of groups counts 2"), "{refused}");
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_set_is_not_written_without_the_list_of_groups() {
    for change in [create("admin"), delete("reader")] {
        let (refused, seen) = write(change, with(GROUPS, |_| refusal(403))).await;
        assert_eq!(class(refused), Class::Denied);
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_recreated_group_is_not_written_to() {
    for change in [create("admin"), delete("reader")] {
        let mut another = item("devs", 0, 0, 2);
        another["id"] = json!("another");
        let (refused, seen) =
            write(change, with(GROUPS, move |_| ok(json!({"items": [another.clone()]})))).await;
        assert_eq!(class(refused), Class::Missing);
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_write_with_a_contradicting_answer_is_lost() {
    for (answer, expected) in [
        (devs(&["reader", "writer"]), Err(Class::Lost)),
        (json!({}), Err(Class::Lost)),
        (devs(&["admin"]), Ok(())),
    ] {
        let (made, _) = write(create("admin"), with(PATCH, move |_| ok(answer.clone()))).await;
        assert_eq!(made.map(|_| ()).map_err(|error| error.class), expected);
    }
}

#[tokio::test]
async fn a_grant_needs_an_existing_group_that_is_not_owned() {
    for (shown, expected) in [(false, Class::Missing), (true, Class::Denied)] {
        let (refused, seen) = write(create("admin"), move |seen, _| match call(seen).as_str() {
            GROUPS => ok(json!({"items": []})),
            DEVS if !shown => missing(),
            _ => hq(seen),
        })
        .await;
        assert_eq!(class(refused), expected);
        assert!(writes(&seen).is_empty());
    }
    let change = testing::create(None, grant(OWNED, "admin"));
    let (refused, seen) = write(change, |seen, _| hq(seen)).await;
    assert!(refused.is_err_and(|error| error.message.contains("mistake")) && seen.is_empty());
}

#[tokio::test]
async fn a_grant_takes_three_calls() {
    for change in [create("admin"), delete("reader")] {
        let (_, seen) = write(change, storing(&["writer", "reader"])).await;
        assert_eq!(seen.len(), 3, "{seen:?}");
    }
}
