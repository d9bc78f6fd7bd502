//! Single reads.

use jiff::Timestamp;

use super::*;

async fn probe(
    more: Value,
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> Result<String, Error> {
    let stub = Stub::start(answer).await;
    let identity = connect(&stub, more).probe().await?;
    assert_eq!(identity.anchors, BTreeSet::from(["/hq/hq".to_owned()]));
    assert!(identity.lacks.is_empty());
    assert!(stub.seen().iter().all(|seen| seen.header("authorization") == Some("Bearer sa_0123456789")));
    Ok(identity.description)
}

/// A server whose account has these fields.
fn with_fields(fields: Value) -> impl Fn(&Seen, usize) -> Reply {
    let mut body = account(true, &[]);
    for (name, value) in fields.as_object().expect("an object") {
        body[name] = value.clone();
    }
    with(ACCOUNT, move |_| ok(body.clone()))
}

#[tokio::test]
async fn a_credential_is_described_as_far_as_it_is_known() {
    let shown = probe(json!({}), |seen, _| hq(seen)).await.expect("an identity");
    assert!(shown.contains("rolewright") && shown.contains("does not end"), "{shown}");
    for end in [json!("soon"), json!(1_798_761_600)] {
        let shown =
            probe(json!({}), with_fields(json!({"token_expires_at": end}))).await.expect("an identity");
        assert!(shown.contains("rolewright") && shown.contains("makes no sense"), "{shown}");
    }
}

#[tokio::test]
async fn the_expiry_of_the_accounts_token_is_reported() {
    let ends = |at: Value| async move {
        let stub = Stub::start(with_fields(json!({"token_expires_at": at}))).await;
        connect(&stub, json!({})).probe().await.expect("an identity").expires
    };
    let end: Timestamp = "2026-12-24T12:00:00Z".parse().expect("a time");
    assert_eq!(ends(json!("2026-12-24T13:00:00+01:00")).await, Some(end));
    let past: Timestamp = "2020-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(ends(json!("2020-01-01T00:00:00Z")).await, Some(past), "clocks differ");
    for at in [Value::Null, json!(""), json!("soon"), json!(1_798_761_600)] {
        assert_eq!(ends(at).await, None);
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_the_caller_is_invalid() {
    let yesterday = Timestamp::now() - jiff::SignedDuration::from_hours(24);
    for (fields, word) in [
        (json!({"token_expired": true}), "expired"),
        (json!({"last_seen_at": yesterday.to_string()}), "last call"),
    ] {
        let refused = probe(json!({}), with_fields(fields)).await.expect_err("a failure");
        assert_eq!(refused.class, Class::Invalid);
        let words = ["spec.lenses.serviceAccount", "another account's", word];
        assert!(words.iter().all(|word| refused.message.contains(word)), "{refused}");
    }
    for seen in [Value::Null, json!("soon"), json!(Timestamp::now().to_string())] {
        assert!(probe(json!({}), with_fields(json!({"last_seen_at": seen}))).await.is_ok(), "{seen}");
    }
}

#[tokio::test]
async fn an_account_that_is_not_visible_is_refused() {
    let refused = probe(json!({}), with(ACCOUNT, |_| missing())).await.expect_err("a failure");
    assert_eq!(refused.class, Class::Invalid);
    assert!(refused.message.contains("spec.lenses.serviceAccount"), "{refused}");
    let refused = probe(json!({}), with(ACCOUNT, |_| refusal(403))).await.expect_err("a failure");
    assert_eq!(refused.class, Class::Denied);
    assert!(refused.message.contains("iam:*"), "{refused}");
}

#[tokio::test]
async fn a_refused_probe_names_the_needed_rights() {
    let refused = probe(json!({}), with(ROLES, |_| refusal(403))).await.expect_err("a failure");
    assert_eq!(refused.class, Class::Denied);
    assert!(refused.message.contains("iam:*"), "{refused}");
    let refused = probe(json!({}), with(ROLES, |_| missing())).await.expect_err("a failure");
    assert_eq!(refused.class, Class::Transient);
    assert!(refused.message.contains("spec.lenses.url"), "{refused}");
    let refused = probe(json!({}), with(ROLES, |_| refusal(401))).await.expect_err("a failure");
    assert_eq!(refused.class, Class::Unauthenticated);
}

#[tokio::test]
async fn a_name_is_looked_up_with_one_call() {
    let (stub, lenses) = lenses(|seen, _| match call(seen).as_str() {
        "GET /users/alice%40example.com" => ok(user("alice@example.com", &[])),
        "GET /service-accounts/nightly" => ok(account(false, &[])),
        _ => hq(seen),
    })
    .await;
    for (level, name, id) in [
        ("user", "alice@example.com", Some("user:alice@example.com")),
        ("user", "nobody@example.com", None),
        ("serviceAccount", "nightly", Some("service-account:nightly")),
        ("group", "devs", Some("group:devs#id-devs")),
        ("group", OWNED, None),
        ("role", "reader", Some("reader#id-reader")),
        ("role", "none", None),
    ] {
        let found = lenses.look_up(super::level(level), name, None).await.expect("an answer");
        assert_eq!(found.first().map(|entry| entry.named.id.as_str()), id, "{level} {name}");
        assert!(found.iter().all(|entry| entry.named.level.as_str() == level && entry.aliases.is_empty()));
    }
    assert!(!calls(&stub).contains(&OWN.to_owned()), "an owned group is not looked up");
    assert_eq!(class(lenses.look_up(Level::TEAM, "sre", None).await), Class::Invalid);
}

#[tokio::test]
async fn a_thing_is_read_by_its_id_and_found_by_its_key() {
    let (_stub, lenses) = lenses(|seen, _| hq(seen)).await;
    for (kind, id, body) in [
        (Kind::Role, thing("reader"), Body::Role(reader())),
        (Kind::Group, thing(OWNED), Body::Group(readers())),
        (Kind::Grant, ids::grant(&place("devs"), "reader"), grant("devs", "reader")),
    ] {
        let seen = lenses.read(kind, &id).await.expect("an answer").expect("a thing");
        assert_eq!((&seen.id, &seen.body, seen.outline), (&id, &body, false));
        assert_eq!(lenses.find(&body).await.expect("an answer"), Some(seen));
    }
    for (kind, id) in [
        (Kind::Role, "none"),
        (Kind::Group, "rw-0123456789abcdef"),
        (Kind::Grant, "group:devs#id-devs/none"),
        (Kind::Grant, "group:none#1/reader"),
        (Kind::Role, "reader"),
        (Kind::Role, "reader#another"),
        (Kind::Grant, "group:devs#another/reader"),
        (Kind::Group, "rw-readers-0123456789abcdef#another"),
    ] {
        assert_eq!(lenses.read(kind, &Id::new(id)).await.expect("an answer"), None, "{id}");
    }
}

#[tokio::test]
async fn a_foreign_404_is_temporary() {
    let answers: [fn() -> Reply; 3] = [
        || Reply::json(404, json!({"error": "not_found"})),
        || Reply::text(404, "text/html", "<h1>no"),
        || Reply::json(404, json!({"message": "no route"})),
    ];
    for answer in answers {
        for (path, kind, id) in [
            (READER, Kind::Role, "reader"),
            (OWN, Kind::Group, OWNED),
            (DEVS, Kind::Grant, "group:devs#id-devs/reader"),
        ] {
            let (_stub, lenses) = lenses(with(path, move |_| answer())).await;
            assert_eq!(class(lenses.read(kind, &Id::new(id)).await), Class::Transient, "{id}");
        }
    }
}

#[tokio::test]
async fn an_answer_about_another_thing_is_an_error() {
    for body in [
        json!({"name": "writer", "id": "1", "policy": []}),
        json!({"name": "reader", "id": "1"}),
        json!({"policy": []}),
    ] {
        let (_stub, lenses) = lenses(with(READER, move |_| ok(body.clone()))).await;
        assert_eq!(class(lenses.read(Kind::Role, &Id::new("reader")).await), Class::Transient);
    }
}
