//! Changes of groups that a RoleBinding owns.

use super::*;

const POST: &str = "POST /groups";
const PATCH: &str = "PATCH /groups/rw-readers-0123456789abcdef";
const DELETE: &str = "DELETE /groups/rw-readers-0123456789abcdef";

fn create(group: Group) -> Change {
    testing::create(Some(Id::new(OWNED)), Body::Group(group))
}

fn update(after: Group) -> Change {
    testing::update(Id::new(OWNED), Body::Group(readers()), Body::Group(after))
}

fn delete() -> Change {
    testing::delete(Id::new(OWNED), Body::Group(readers()))
}

#[tokio::test]
async fn a_group_is_created_closed_to_identity_providers() {
    let (made, seen) = write(create(readers()), |seen, _| match call(seen).as_str() {
        POST => Reply::json(201, owned()),
        _ => hq(seen),
    })
    .await;
    let (call, body) = only_write(&seen);
    assert_eq!((call.as_str(), &body["name"]), (POST, &json!(OWNED)));
    assert_eq!(
        (&body["roles"], &body["members"]),
        (&json!(["reader"]), &json!(["alice@example.com", "nightly"]))
    );
    let sso_name = body["sso_name"].as_str().expect("a name");
    assert!(sso_name != OWNED && sso_name == ids::sso_name(OWNED));
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
async fn a_created_group_with_hidden_members_is_an_outline() {
    let bare = || json!({"name": OWNED, "id": "id-rw-readers-0123456789abcdef", "roles": ["reader"]});
    let (made, _) = write(create(readers()), move |seen, _| match call(seen).as_str() {
        POST => Reply::json(201, bare()),
        OWN => ok(bare()),
        USERS => refusal(403),
        _ => hq(seen),
    })
    .await;
    let made = made.expect("a success").expect("the group");
    assert_eq!((&made.id, made.outline), (&thing(OWNED), true));
}

#[tokio::test]
async fn changed_members_and_roles_are_set_as_a_whole() {
    for (after, body) in [
        (
            group(&["reader"], Some(&["bob@example.com", "alice@example.com"])),
            json!({"set_members": ["alice@example.com", "bob@example.com"]}),
        ),
        (group(&["writer"], Some(&["alice@example.com", "nightly"])), json!({"roles": ["writer"]})),
        (group(&["writer"], Some(&[])), json!({"roles": ["writer"], "set_members": []})),
        (group(&["writer"], None), json!({"roles": ["writer"]})),
    ] {
        let (now, seen) = write(update(after), |seen, _| match call(seen).as_str() {
            PATCH => ok(owned()),
            _ => hq(seen),
        })
        .await;
        assert_eq!(only_write(&seen), (PATCH.to_owned(), body));
        assert!(now.is_ok());
    }
}

#[tokio::test]
async fn a_mapping_to_an_identity_provider_is_removed() {
    let mut before = readers();
    let outsiders = named("", &ids::outsiders("everyone"), "everybody");
    before.members.as_mut().expect("members").insert(outsiders);
    let change = testing::update(thing(OWNED), Body::Group(before), Body::Group(readers()));
    let (result, seen) = write(change, |seen, _| match call(seen).as_str() {
        OWN => {
            let mut open = owned();
            open["sso_name"] = json!("everyone");
            ok(open)
        }
        PATCH => {
            let mut closed = owned();
            closed["id"] = json!("id-rw-readers-0123456789abcdef");
            ok(closed)
        }
        _ => hq(seen),
    })
    .await;
    assert_eq!(only_write(&seen), (PATCH.to_owned(), json!({"sso_name": ids::sso_name(OWNED)})));
    assert_eq!(result.expect("a success").expect("the group").body, Body::Group(readers()));
}

#[tokio::test]
async fn a_recreated_group_is_not_written_to() {
    let another = Id::new(format!("{OWNED}#another"));
    let change = testing::update(another, Body::Group(readers()), Body::Group(group(&["writer"], None)));
    let (refused, seen) = write(change, |seen, _| hq(seen)).await;
    assert_eq!(class(refused), Class::Missing);
    assert!(writes(&seen).is_empty());
}

#[tokio::test]
async fn a_group_that_changed_since_the_plan_is_not_overwritten() {
    let (refused, seen) = write(update(group(&["writer"], None)), |seen, _| match call(seen).as_str() {
        OWN => ok(json!({"name": OWNED, "roles": ["reader"], "members": ["alice@example.com", "mallory@example.com"]})),
        _ => hq(seen),
    })
    .await;
    assert_eq!(class(refused), Class::Transient);
    assert!(writes(&seen).is_empty());
    let (refused, seen) = write(update(group(&["writer"], None)), with(OWN, |_| missing())).await;
    assert_eq!(class(refused), Class::Missing);
    assert!(writes(&seen).is_empty());
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
    let bodies: Vec<Value> = writes(&seen).iter().map(|seen| seen.body.clone()).collect();
    let expected = [
        json!({"set_members": ["alice@example.com", "bob@example.com", "ghost@example.com"]}),
        json!({"remove_members": ["nightly"]}),
        json!({"add_members": ["bob@example.com"]}),
        json!({"add_members": ["ghost@example.com"]}),
    ];
    assert_eq!(bodies, expected);
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
        POST if seen.body["members"] == json!([]) => {
            let mut made = owned();
            made["id"] = json!("id-rw-readers-0123456789abcdef");
            Reply::json(201, made)
        }
        _ => refusing("ghost")(seen, turn),
    })
    .await;
    assert!(made.expect("a success").is_some());
    assert_eq!(writes(&seen).last().expect("a write").body["members"], json!([]));
}

#[tokio::test]
async fn an_ambiguous_member_is_left_out() {
    let both = |seen: &Seen, _: usize| match call(seen).as_str() {
        "GET /service-accounts/nightly" => ok(user("nightly", &[])),
        POST => Reply::json(201, owned()),
        PATCH => ok(owned()),
        _ => hq(seen),
    };
    let (made, seen) = write(create(readers()), both).await;
    assert!(made.is_ok());
    assert_eq!(only_write(&seen).1["members"], json!(["alice@example.com"]));
    assert!(!seen.iter().any(|seen| call(seen).contains("alice")), "no service account has such a name");
    let (refused, seen) = write(create(group(&["reader"], Some(&["nightly"]))), both).await;
    let refused = refused.expect_err("a failure");
    assert_eq!(refused.class, Class::Invalid);
    assert!(refused.message.contains("nightly"), "{refused}");
    assert!(writes(&seen).is_empty());
    // An existing group is changed for the others.
    let robot = move |seen: &Seen, turn: usize| match call(seen).as_str() {
        "GET /service-accounts/robot" => ok(user("robot", &[])),
        _ => both(seen, turn),
    };
    let after = group(&["reader"], Some(&["alice@example.com", "robot"]));
    let (refused, seen) = write(update(after), robot).await;
    assert!(refused.is_err_and(|error| error.message.contains("robot")));
    assert_eq!(only_write(&seen).1, json!({"set_members": ["alice@example.com"]}));
}

#[tokio::test]
async fn a_member_that_could_be_ambiguous_is_refused() {
    for (answer, expected) in [
        (refusal as fn(u16) -> Reply, Class::Denied),
        (|_| Reply::text(404, "text/html", "<h1>no"), Class::Transient),
    ] {
        let spec = group(&["reader"], Some(&["nightly"]));
        let (refused, seen) =
            write(create(spec), with("GET /service-accounts/nightly", move |_| answer(403))).await;
        assert_eq!(class(refused), expected);
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_field_that_an_early_server_rejects_is_left_out() {
    let early = |seen: &Seen, _: usize| {
        let unknown = ["metadata", "sso_name"].into_iter().find(|field| seen.body.get(*field).is_some());
        match (call(seen).as_str(), unknown) {
            (POST, Some(field)) => Reply::problem(400, "Bad Request", &format!("unknown field {field}")),
            (POST, None) => Reply::json(201, owned()),
            _ => hq(seen),
        }
    };
    let (made, seen) = write(create(readers()), early).await;
    assert_eq!(made.expect("a success").expect("the group").body, Body::Group(readers()));
    assert_eq!(writes(&seen).len(), 3);
}
