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

fn named_account() -> Value {
    json!({"serviceAccount": "rolewright"})
}

/// A server with this account.
fn account(account: Value) -> impl Fn(&Seen, usize) -> Reply {
    with("GET /service-accounts/rolewright", move |_| ok(account.clone()))
}

#[tokio::test]
async fn a_credential_is_described_as_far_as_it_is_known() {
    let shown = probe(json!({"serviceAccount": null}), |seen, _| hq(seen)).await.expect("an identity");
    assert!(shown.contains("spec.lenses.serviceAccount"), "{shown}");
    let shown = probe(named_account(), account(user("rolewright", &[]))).await.expect("an identity");
    assert!(shown.contains("rolewright") && shown.contains("does not end"), "{shown}");
    let shown = probe(named_account(), with(ACCOUNT, |_| missing())).await.expect("an identity");
    assert!(shown.contains("which is not visible"), "{shown}");
    for end in [json!("soon"), json!(1_798_761_600)] {
        let mut seen = user("rolewright", &[]);
        seen["token_expires_at"] = end;
        let shown = probe(named_account(), account(seen)).await.expect("an identity");
        assert!(shown.contains("rolewright") && shown.contains("makes no sense"), "{shown}");
    }
}

#[tokio::test]
async fn the_expiry_of_a_token_needs_a_named_account() {
    let ends = |more: Value, at: Value| async move {
        let mut seen = user("rolewright", &[]);
        (seen["token_expires_at"], seen["token_expired"]) = (at, json!(false));
        let stub = Stub::start(account(seen)).await;
        connect(&stub, more).probe().await.expect("an identity").expires
    };
    let end: Timestamp = "2026-12-24T12:00:00Z".parse().expect("a time");
    assert_eq!(ends(named_account(), json!("2026-12-24T13:00:00+01:00")).await, Some(end));
    let past: Timestamp = "2020-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(ends(named_account(), json!("2020-01-01T00:00:00Z")).await, Some(past), "clocks differ");
    for at in [Value::Null, json!(""), json!("soon"), json!(1_798_761_600)] {
        assert_eq!(ends(named_account(), at).await, None);
    }
    assert_eq!(ends(json!({"serviceAccount": null}), json!("2026-12-24T12:00:00Z")).await, None);
}

#[tokio::test]
async fn an_account_with_an_expired_token_is_not_the_caller() {
    let mut seen = user("rolewright", &[]);
    seen["token_expired"] = json!(true);
    let refused = probe(named_account(), account(seen)).await.expect_err("a failure");
    assert_eq!(refused.class, Class::Invalid);
    assert!(refused.message.contains("spec.lenses.serviceAccount"), "{refused}");
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
        "GET /service-accounts/nightly" => ok(user("nightly", &[])),
        _ => hq(seen),
    })
    .await;
    for (level, name, id) in [
        ("user", "alice@example.com", Some("principal:alice@example.com")),
        ("user", "nobody@example.com", None),
        ("serviceAccount", "nightly", Some("principal:nightly")),
        ("group", "devs", Some("group:devs")),
        ("group", OWNED, None),
        ("role", "reader", Some("reader")),
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
        (Kind::Grant, "group:devs/none"),
        (Kind::Grant, "group:none/reader"),
        (Kind::Role, "reader#another"),
        (Kind::Group, "rw-readers-0123456789abcdef#another"),
    ] {
        assert_eq!(lenses.read(kind, &Id::new(id)).await.expect("an answer"), None, "{id}");
    }
}

#[tokio::test]
async fn a_grant_to_a_recreated_group_is_another_grant() {
    let (_stub, lenses) =
        lenses(with(DEVS, |_| ok(json!({"name": "devs", "id": 7, "roles": ["reader"]})))).await;
    let exists = async |id: &str| lenses.read(Kind::Grant, &Id::new(id)).await.expect("an answer").is_some();
    assert!(exists("group:devs#7/reader").await && exists("group:devs/reader").await);
    assert!(!exists("group:devs#6/reader").await);
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
            (DEVS, Kind::Grant, "group:devs/reader"),
        ] {
            let (_stub, lenses) = lenses(with(path, move |_| answer())).await;
            assert_eq!(class(lenses.read(kind, &Id::new(id)).await), Class::Transient, "{id}");
        }
    }
}

#[tokio::test]
async fn a_group_is_incomplete_without_the_list_of_groups() {
    for (list, expected) in
        [(refusal as fn(u16) -> Reply, Class::Denied), (|_| ok(json!({"items": []})), Class::Transient)]
    {
        let (_stub, lenses) = lenses(with(GROUPS, move |_| list(403))).await;
        assert_eq!(class(lenses.read(Kind::Group, &Id::new(OWNED)).await), expected);
    }
    let uncounted = json!({"items": [{"name": OWNED, "id": "1"}]});
    let (_stub, lenses) = lenses(with(GROUPS, move |_| ok(uncounted.clone()))).await;
    assert_eq!(class(lenses.read(Kind::Group, &Id::new(OWNED)).await), Class::Denied);
}

#[tokio::test]
async fn a_group_that_shows_less_than_its_counts_is_denied() {
    let answers: [fn(&Seen, usize) -> Reply; 2] = [
        |seen, _| match call(seen).as_str() {
            OWN => ok(json!({"name": OWNED, "roles": ["reader"], "users": ["alice@example.com"]})),
            _ => hq(seen),
        },
        |seen, _| match call(seen).as_str() {
            OWN => ok(json!({"name": OWNED, "roles": [], "users": ["alice@example.com", "nightly"]})),
            _ => hq(seen),
        },
    ];
    for answer in answers {
        let (_stub, lenses) = lenses(answer).await;
        let refused = lenses.read(Kind::Group, &Id::new(OWNED)).await.expect_err("a failure");
        assert_eq!(refused.class, Class::Denied, "{refused}");
    }
}

#[tokio::test]
async fn a_group_that_changes_between_two_calls_is_read_again() {
    let (_stub, lenses) = lenses(|seen, before| match call(seen).as_str() {
        OWN if before == 0 => ok(json!({"name": OWNED, "roles": ["reader"], "users": []})),
        _ => hq(seen),
    })
    .await;
    let seen = lenses.read(Kind::Group, &Id::new(OWNED)).await.expect("an answer").expect("the group");
    assert_eq!(seen.body, Body::Group(readers()));
}

#[tokio::test]
async fn an_answer_about_another_thing_is_an_error() {
    for body in [json!({"name": "writer", "policy": []}), json!({"name": "reader"}), json!({"policy": []})] {
        let (_stub, lenses) = lenses(with(READER, move |_| ok(body.clone()))).await;
        assert_eq!(class(lenses.read(Kind::Role, &Id::new("reader")).await), Class::Transient);
    }
}
