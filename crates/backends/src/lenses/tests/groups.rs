//! Changes of groups that a RoleBinding owns.

use super::*;

const POST: &str = "POST /groups";
const PATCH: &str = "PATCH /groups/rw-readers-0123456789abcdef";
/// Changes of the memberships of a service account and of a user.
const NIGHTLY: &str = "PUT /service-accounts/nightly/groups";
const ROBOT: &str = "PUT /service-accounts/robot/groups";
const DELETE: &str = "DELETE /groups/rw-readers-0123456789abcdef";

fn create(group: Group) -> Change {
    testing::create(Some(Id::new(OWNED)), Body::Group(group))
}

fn update(after: Group) -> Change {
    testing::update(thing(OWNED), Body::Group(readers()), Body::Group(after))
}

fn delete() -> Change {
    testing::delete(thing(OWNED), Body::Group(readers()))
}

#[tokio::test]
async fn a_group_is_created_with_its_role_and_members() {
    let (made, seen) = write(create(readers()), |seen, _| match call(seen).as_str() {
        POST => Reply::json(201, owned()),
        _ => hq(seen),
    })
    .await;
    let (call, body) = only_write(&seen);
    assert_eq!((call.as_str(), &body["name"]), (POST, &json!(OWNED)));
    assert_eq!(
        (&body["roles"], &body["members"]),
        (&json!(["reader"]), &json!(["nightly", "alice@example.com"]))
    );
    assert_eq!(body.get("sso_name"), None, "HQ uses the name");
    assert!(body["description"].as_str().is_some_and(|text| text.chars().count() <= 250));
    assert_eq!(made.expect("a success").expect("the group").body, Body::Group(readers()));
}

#[tokio::test]
async fn members_are_not_sent_with_single_sign_on() {
    let (_, seen) = write(create(group(&["reader"], None)), |seen, _| match call(seen).as_str() {
        POST => Reply::json(201, owned()),
        _ => hq(seen),
    })
    .await;
    assert_eq!(only_write(&seen).1.get("members"), None);
}

#[tokio::test]
async fn an_incomplete_answer_is_followed_by_a_read() {
    let (made, _) = write(create(readers()), |seen, _| match call(seen).as_str() {
        POST => Reply::json(201, json!({"name": OWNED, "roles": ["reader"]})),
        _ => hq(seen),
    })
    .await;
    assert_eq!(made.expect("a success").expect("the group").body, Body::Group(readers()));
}

#[tokio::test]
async fn only_the_difference_is_sent() {
    for (after, expected) in [
        (
            group(&["reader"], Some(&["bob@example.com", "nightly"])),
            vec![(
                PATCH,
                json!({"add_members": ["bob@example.com"], "remove_members": ["alice@example.com"]}),
            )],
        ),
        (group(&["writer"], None), vec![(PATCH, json!({"roles": ["writer"]}))]),
        (
            group(&["writer"], Some(&[])),
            vec![
                (PATCH, json!({"roles": ["writer"], "remove_members": ["alice@example.com"]})),
                (NIGHTLY, json!({"remove_from_groups": [OWNED]})),
            ],
        ),
        (
            group(&["reader"], Some(&["alice@example.com", "nightly", "robot"])),
            vec![(ROBOT, json!({"add_to_groups": [OWNED]}))],
        ),
    ] {
        let (now, seen) = write(update(after), |seen, _| match call(seen).as_str() {
            PATCH => ok(owned()),
            NIGHTLY | ROBOT => ok(json!({})),
            _ => hq(seen),
        })
        .await;
        let sent: Vec<(String, Value)> = writes(&seen).iter().map(|it| (call(it), it.body.clone())).collect();
        let expected: Vec<(String, Value)> =
            expected.into_iter().map(|(call, body)| (call.to_owned(), body)).collect();
        assert_eq!(sent, expected);
        assert!(now.is_ok());
    }
}

/// With the read right before by the caller.
#[tokio::test]
async fn one_member_is_changed_with_at_most_three_calls() {
    for (after, most) in
        [(&["bob@example.com", "alice@example.com", "nightly"][..], 1), (&["alice@example.com"], 2)]
    {
        let (now, seen) =
            write(update(group(&["reader"], Some(after))), |seen, _| match call(seen).as_str() {
                PATCH => ok(owned()),
                NIGHTLY => ok(json!({})),
                _ => hq(seen),
            })
            .await;
        assert!(now.is_ok());
        assert_eq!(seen.len(), most, "{seen:?}");
    }
}

#[tokio::test]
async fn a_taken_name_is_a_conflict() {
    for (status, there, expected) in [
        (409, true, Class::Conflict),
        (400, true, Class::Conflict),
        (400, false, Class::Invalid),
        (403, false, Class::Denied),
    ] {
        let (refused, _) = write(create(readers()), move |seen, _| match call(seen).as_str() {
            POST => refusal(status),
            OWN if !there => missing(),
            _ => hq(seen),
        })
        .await;
        let refused = refused.expect_err("a failure");
        assert_eq!(refused.class, expected, "{status}");
        assert!(there || refused.message.contains("spec.lenses.membership"), "{refused}");
    }
}

#[tokio::test]
async fn only_an_owned_group_is_written_or_deleted() {
    let (deleted, seen) = write(delete(), |seen, _| match call(seen).as_str() {
        DELETE => Reply::text(204, "", ""),
        _ => hq(seen),
    })
    .await;
    assert_eq!(deleted, Ok(None));
    assert_eq!(only_write(&seen).0, DELETE);
    let devs = Body::Group(Group { name: "devs".to_owned(), ..readers() });
    for change in [
        testing::delete(Id::new("devs"), devs.clone()),
        testing::update(Id::new("devs"), devs.clone(), devs.clone()),
        testing::create(Some(Id::new("devs")), devs),
    ] {
        let (refused, seen) = write(change, |seen, _| hq(seen)).await;
        assert!(refused.is_err_and(|error| error.message.contains("mistake")) && writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_planned_role_is_not_sent() {
    let mut planned = readers();
    planned.roles = [RoleRef::Planned("reader".to_owned())].into();
    let (refused, seen) = write(create(planned), |seen, _| hq(seen)).await;
    assert!(refused.is_err_and(|error| error.message.contains("mistake")) && seen.is_empty());
}

/// A server that refuses a principal of this name as a member.
fn refusing(name: &'static str) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| match call(seen).as_str() {
        POST | PATCH if seen.body.to_string().contains(name) => refusal(400),
        it if it.starts_with("PUT ") => {
            if it.contains(name) {
                refusal(400)
            } else {
                ok(json!({}))
            }
        }
        POST => Reply::json(201, owned()),
        PATCH => ok(owned()),
        _ => hq(seen),
    }
}

#[tokio::test]
async fn a_refused_member_keeps_nobody_else_in_or_out() {
    let after = group(&["reader"], Some(&["alice@example.com", "bob@example.com", "ghost@example.com"]));
    let (refused, seen) = write(update(after), refusing("ghost")).await;
    let refused = refused.expect_err("a failure");
    assert_eq!(refused.class, Class::Invalid);
    assert!(refused.message.contains("ghost@example.com") && !refused.message.contains("bob"), "{refused}");
    let sent: Vec<Value> = writes(&seen).iter().map(|seen| seen.body.clone()).collect();
    let expected = [
        json!({"add_members": ["bob@example.com", "ghost@example.com"]}),
        json!({"remove_from_groups": [OWNED]}),
        json!({"add_to_groups": [OWNED]}),
        json!({"add_to_groups": [OWNED]}),
    ];
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn one_refused_change_of_one_member_is_not_divided() {
    let after = group(&["reader"], Some(&["alice@example.com", "nightly", "ghost@example.com"]));
    let (refused, seen) = write(update(after), refusing("ghost")).await;
    assert_eq!(class(refused), Class::Invalid);
    assert_eq!(writes(&seen).len(), 1);
}

#[tokio::test]
async fn a_group_with_a_refused_member_is_created_without_members() {
    let spec = group(&["reader"], Some(&["alice@example.com", "ghost@example.com"]));
    let (made, seen) = write(create(spec), |seen, turn| match call(seen).as_str() {
        OWN => missing(),
        POST if seen.body["members"] == json!([]) => Reply::json(201, group_of(OWNED, &["reader"], &[], &[])),
        _ => refusing("ghost")(seen, turn),
    })
    .await;
    assert!(made.expect("a success").is_some());
    assert_eq!(writes(&seen).last().expect("a write").body["members"], json!([]));
}

/// HQ takes the members of a new group by name.
#[tokio::test]
async fn the_wrong_one_of_two_with_a_name_is_removed_at_once() {
    let twin = "PUT /users/nightly/groups";
    let (made, seen) = write(create(readers()), move |seen, _| match call(seen).as_str() {
        POST => Reply::json(201, group_of(OWNED, &["reader"], &["alice@example.com", "nightly"], &[])),
        OWN => ok(group_of(OWNED, &["reader"], &["alice@example.com"], &[])),
        it if it == twin => ok(json!({})),
        _ => hq(seen),
    })
    .await;
    let made = made.expect("a success").expect("the group");
    assert_eq!(made.body, Body::Group(group(&["reader"], Some(&["alice@example.com"]))));
    let last = writes(&seen).last().map(|it| (call(it), it.body.clone()));
    assert_eq!(last, Some((twin.to_owned(), json!({"remove_from_groups": [OWNED]}))));
}

#[tokio::test]
async fn a_member_that_was_deleted_is_refused_or_no_member() {
    let gone = |seen: &Seen, _: usize| match call(seen).as_str() {
        it if it.starts_with("PUT ") => missing(),
        _ => hq(seen),
    };
    let (refused, _) =
        write(update(group(&["reader"], Some(&["alice@example.com", "nightly", "robot"]))), gone).await;
    let refused = refused.expect_err("a failure");
    assert!(refused.class == Class::Invalid && refused.message.contains("robot"), "{refused}");
    let (removed, _) = write(update(group(&["reader"], Some(&["alice@example.com"]))), gone).await;
    assert!(removed.is_ok());
}
