//! Changes of groups that a binding owns.

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
async fn a_group_is_made_with_its_role_and_members_and_no_way_in_from_outside() {
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
async fn members_that_single_sign_on_says_are_not_named() {
    let (_, seen) = write(create(group(&["reader"], None)), |seen, _| match call(seen).as_str() {
        POST => Reply::json(201, owned()),
        _ => hq(seen),
    })
    .await;
    assert_eq!(only_write(&seen).1.get("members"), None);
}

#[tokio::test]
async fn an_answer_that_does_not_show_all_is_followed_by_a_look() {
    let (made, _) = write(create(readers()), |seen, _| match call(seen).as_str() {
        POST => Reply::json(201, json!({"name": OWNED, "roles": ["reader"]})),
        _ => hq(seen),
    })
    .await;
    assert_eq!(made.expect("a success").expect("the group").body, Body::Group(readers()));
}

#[tokio::test]
async fn a_group_that_was_made_and_hides_its_members_is_known_to_be_there() {
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
async fn members_and_roles_are_set_as_a_whole_and_only_what_changes() {
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
async fn a_way_in_that_somebody_opened_at_the_identity_provider_is_closed() {
    let mut before = readers();
    let outsiders = named("", &ids::outsiders("everyone"), "everybody");
    before.members.as_mut().expect("members").insert(outsiders);
    let change = testing::update(thing(OWNED), Body::Group(before), Body::Group(readers()));
    let (closed, seen) = write(change, |seen, _| match call(seen).as_str() {
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
    assert_eq!(closed.expect("a success").expect("the group").body, Body::Group(readers()));
}

#[tokio::test]
async fn a_group_that_was_made_again_under_its_name_is_not_written_to() {
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
async fn a_name_that_is_taken_is_a_conflict_and_refused_members_get_a_word_on_single_sign_on() {
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
async fn a_group_is_removed_and_no_other_ever_is() {
    let (gone, seen) = write(delete(), |seen, _| match call(seen).as_str() {
        DELETE => Reply::text(204, "", ""),
        _ => hq(seen),
    })
    .await;
    assert_eq!(gone, Ok(None));
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
async fn a_role_that_is_only_planned_is_in_no_group() {
    let mut wanted = readers();
    wanted.roles = [RoleRef::Planned("reader".to_owned())].into();
    let (refused, seen) = write(create(wanted), |seen, _| hq(seen)).await;
    assert!(refused.is_err_and(|error| error.message.contains("mistake")) && seen.is_empty());
}

#[tokio::test]
async fn a_name_that_a_user_and_a_service_account_have_is_nobodys() {
    let both = |seen: &Seen, _: usize| match call(seen).as_str() {
        "GET /service-accounts/nightly" => ok(user("nightly", &[])),
        POST => Reply::json(201, owned()),
        _ => hq(seen),
    };
    let (refused, seen) = write(create(readers()), both).await;
    let refused = refused.expect_err("a failure");
    assert_eq!(refused.class, Class::Invalid);
    assert!(refused.message.contains("nightly"), "{refused}");
    assert!(writes(&seen).is_empty());
    assert!(!seen.iter().any(|seen| call(seen).contains("alice")), "no service account has such a name");
}

#[tokio::test]
async fn a_name_of_which_nobody_can_tell_who_has_it_is_nobodys() {
    for (answer, expected) in [
        (refusal as fn(u16) -> Reply, Class::Denied),
        (|_| Reply::text(404, "text/html", "<h1>no"), Class::Transient),
    ] {
        let (refused, seen) =
            write(create(readers()), with("GET /service-accounts/nightly", move |_| answer(403))).await;
        assert_eq!(class(refused), expected);
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn what_an_early_server_does_not_know_is_left_out() {
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
