//! Single reads.

use super::*;

#[tokio::test]
async fn a_probe_shows_the_user_and_the_organization() {
    let (stub, zenml) = zenml(|seen, _| organization(seen)).await;
    let identity = zenml.probe().await.expect("an identity");
    assert_eq!(identity.description, format!("organization acme ({ORG}), as service account nightly"));
    assert_eq!(identity.anchors, BTreeSet::from([ORG.to_owned()]));
    assert!(identity.lacks.is_empty());
    assert_eq!(calls(&stub.seen()), ["GET /users/me", ORGANIZATION]);
    let person = |seen: &Seen| match call(seen).as_str() {
        "GET /users/me" => ok(user(ALICE, "alice", "alice@example.com", false)),
        ORGANIZATION => ok(json!({"id": ORG})),
        _ => organization(seen),
    };
    let (_stub, zenml) = super::zenml(move |seen, _| person(seen)).await;
    let identity = zenml.probe().await.expect("an identity");
    assert_eq!(identity.description, format!("organization {ORG}, as alice@example.com"));
}

#[tokio::test]
async fn a_client_is_shown_by_its_id() {
    let stub = Stub::start(|seen, _| organization(seen)).await;
    let identity = connect(&stub, json!({"clientId": "ws-1"})).probe().await.expect("an identity");
    assert!(identity.description.ends_with("as client ws-1"), "{}", identity.description);
    assert_eq!(calls(&stub.seen()), [ORGANIZATION]);
}

#[tokio::test]
async fn a_key_without_a_user_is_an_error() {
    for (status, expected) in [(401, Class::Unauthenticated), (403, Class::Denied), (404, Class::Missing)] {
        let (_stub, zenml) =
            zenml(with("GET /users/me", move |_| error(status, "KeyError", "no user"))).await;
        assert_eq!(class(zenml.probe().await), expected);
    }
}

#[tokio::test]
async fn the_message_about_an_unknown_organization_has_the_field() {
    for status in [403, 404] {
        let (_stub, zenml) =
            zenml(with(ORGANIZATION, move |_| error(status, "KeyError", "No organization acme"))).await;
        let error = zenml.probe().await.expect_err("a failure");
        assert!(
            error.message.contains("No organization acme")
                && error.message.contains("spec.zenml.organization"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_role_is_read_by_its_id() {
    let (_stub, zenml) = zenml(|seen, _| organization(seen)).await;
    let seen = zenml.read(Kind::Role, &Id::new(READER)).await.expect("an answer").expect("the role");
    assert_eq!(seen.body, Body::Role(desired_role("reader", "workspace")));
    assert_eq!(zenml.read(Kind::Role, &Id::new(TRAINER)).await, Ok(None));
    let (_stub, zenml) =
        super::zenml(with(format!("GET /roles/{READER}"), |_| error(403, "IllegalOperationError", "no")))
            .await;
    assert_eq!(class(zenml.read(Kind::Role, &Id::new(READER)).await), Class::Denied);
}

#[tokio::test]
async fn a_grant_is_read_in_its_scope() {
    let (stub, zenml) = zenml(|seen, _| organization(seen)).await;
    assert!(zenml.read(Kind::Grant, &Id::new(alice_as_reader())).await.expect("an answer").is_some());
    let read = call_with_query(stub.seen().last().expect("a call"));
    assert_eq!(read, format!("{}?workspace_id={PRODUCTION}", assignments_of(READER)));
    // The same answer does not count for another scope.
    let elsewhere = grant_id(READER, &format!("workspace:{STAGING}"), &alice());
    assert_eq!(zenml.read(Kind::Grant, &Id::new(elsewhere)).await, Ok(None));
    let team = grant_id(READER, &format!("workspace:{PRODUCTION}"), &format!("team:{ML}"));
    assert!(zenml.read(Kind::Grant, &Id::new(team)).await.expect("an answer").is_some());
    let user_of_that_id = grant_id(READER, &format!("workspace:{PRODUCTION}"), &format!("user:{ML}"));
    assert_eq!(zenml.read(Kind::Grant, &Id::new(user_of_that_id)).await, Ok(None));
}

#[tokio::test]
async fn a_read_that_zenml_does_not_offer_is_a_mistake() {
    let (stub, zenml) = zenml(|seen, _| organization(seen)).await;
    let invalid = grant(READER, "user:x", in_production());
    for error in [
        zenml.read(Kind::Group, &Id::new("x")).await,
        zenml.read(Kind::Grant, &Id::new("x")).await,
        zenml.find(&invalid).await,
    ] {
        let error = error.expect_err("a failure");
        assert!(
            error.class == Class::Invalid && error.message.contains("a mistake in Rolewright"),
            "{error}"
        );
    }
    assert!(stub.seen().is_empty());
}

#[tokio::test]
async fn a_role_is_found_by_its_level_and_whole_name() {
    let (stub, zenml) = zenml(|seen, _| organization(seen)).await;
    let find = async |name: &str, level: &str| zenml.find(&Body::Role(desired_role(name, level))).await;
    let found = find("reader", "workspace").await.expect("an answer").expect("the role");
    assert_eq!(found.id.as_str(), READER);
    let list = stub.seen().into_iter().find(|seen| call(seen) == of_org("roles")).expect("a list");
    assert_eq!((list.param("name"), list.param("level")), (Some("reader"), Some("workspace")));
    assert_eq!(find("read", "workspace").await, Ok(None), "a filter can match parts of names");
    assert_eq!(find("reader", "project").await, Ok(None), "a server can ignore the filter");
}

#[tokio::test]
async fn two_roles_with_one_name_are_a_conflict() {
    let (_stub, zenml) = zenml(with(of_org("roles"), |seen| {
        page(seen, &[role(READER, "reader", "workspace", false), role(TRAINER, "reader", "workspace", false)])
    }))
    .await;
    let error = zenml.find(&Body::Role(desired_role("reader", "workspace"))).await.expect_err("a failure");
    assert_eq!(error.class, Class::Conflict);
    assert!(error.message.contains(READER) && error.message.contains(TRAINER), "{error}");
}

#[tokio::test]
async fn nobody_has_a_planned_role() {
    let (stub, zenml) = zenml(|seen, _| organization(seen)).await;
    let planned = Body::Grant(Grant {
        role: RoleRef::Planned("new".to_owned()),
        subject: named("user", &alice(), "alice"),
        scope: in_production(),
    });
    assert_eq!(zenml.find(&planned).await, Ok(None));
    assert!(stub.seen().is_empty());
}
