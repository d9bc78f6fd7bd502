//! Single reads.

use super::*;

#[tokio::test]
async fn a_token_uses_its_own_organization_by_default() {
    for (block, header, description) in [
        (json!({}), None, "organization Main Org. (1), as a service account token"),
        (json!({"orgId": 1}), Some("1"), "organization Main Org. (1), as a service account token"),
        (json!({"username": "admin"}), Some("1"), "organization Main Org. (1), as user admin"),
    ] {
        let stub = Stub::start(|seen, _| organization(seen)).await;
        let identity = connect(&stub, block).probe().await.expect("an identity");
        assert_eq!(identity.description, description);
        assert_eq!(identity.anchors, BTreeSet::from(["/grafana/org/1".to_owned()]));
        for seen in stub.seen() {
            assert_eq!(seen.header("x-grafana-org-id"), header);
            let scheme = if description.ends_with("admin") { "Basic " } else { "Bearer glsa_" };
            assert!(seen.header("authorization").expect("a credential").starts_with(scheme));
        }
    }
}

#[tokio::test]
async fn a_token_is_described_by_its_owner() {
    let account =
        json!({"id": 0, "uid": "service-account:14", "name": "rolewright", "login": "sa-1-rolewright"});
    for (status, caller, owner) in [
        (200, account, "service account rolewright"),
        (200, json!({"id": 1, "login": "alice", "name": "Alice"}), "the token of user alice"),
        (200, json!({"login": "sa-1-x", "name": ""}), "service account sa-1-x"),
        (200, json!({}), "a service account token"),
        (404, json!({"message": "user not found"}), "a service account token"),
        (403, json!({"message": "no"}), "a service account token"),
        (500, json!({"message": "no"}), "a service account token"),
    ] {
        let answer = with("GET /user", move |_| Reply::json(status, caller.clone()));
        let (_stub, grafana) = grafana(answer).await;
        let identity = grafana.probe().await.expect("an identity");
        assert_eq!(identity.description, format!("organization Main Org. (1), as {owner}"));
    }
}

#[tokio::test]
async fn an_unreadable_organization_is_the_named_one_or_unknown() {
    let answer = || with("GET /org", |_| error(403, "no"));
    let stub = Stub::start(answer()).await;
    let identity = connect(&stub, json!({"orgId": 7})).probe().await.expect("an identity");
    assert_eq!(identity.description, "organization 7, as a service account token");
    assert_eq!(identity.anchors, BTreeSet::from(["/grafana/org/7".to_owned()]));
    let identity = connect(&stub, json!({})).probe().await.expect("an identity");
    assert!(identity.anchors.is_empty() && identity.description.contains("orgs:read"), "{identity:?}");
}

#[tokio::test]
async fn an_answer_for_another_organization_is_an_error() {
    let stub = Stub::start(|seen, _| organization(seen)).await;
    let error = connect(&stub, json!({"orgId": 7})).probe().await.expect_err("a failure");
    assert_eq!(error.class, Class::Invalid);
    assert!(
        error.message.contains("organization 1") && error.message.contains("X-Grafana-Org-Id"),
        "{error}"
    );
}

#[tokio::test]
async fn a_grafana_without_the_rbac_api_has_restrictions_only() {
    for (reply, part) in
        [(error(404, "Not found"), "Amazon Managed Grafana"), (ok(json!({"enabled": false})), "RBAC is off")]
    {
        let reply = std::sync::Mutex::new(Some(reply));
        let (_stub, grafana) =
            grafana(with(STATUS, move |_| reply.lock().expect("not poisoned").take().expect("asked once")))
                .await;
        let identity = grafana.probe().await.expect("an identity");
        assert!(identity.description.ends_with("no RBAC API, so ResourceRestrictions only"), "{identity:?}");
        assert_eq!(identity.lacks.keys().collect::<Vec<_>>(), [&Kind::Role, &Kind::Grant]);
        for why in identity.lacks.values() {
            assert!(why.contains(part) && why.contains("Grafana Enterprise"), "{why}");
        }
    }
    let (_stub, hidden) = grafana(|seen, _| match call(seen).as_str() {
        "GET /org" => error(403, "no"),
        _ => error(404, "Not found"),
    })
    .await;
    assert!(
        !hidden.probe().await.expect("an identity").lacks.is_empty(),
        "a refusal shows that it is a Grafana"
    );
    // If the organization is not found either, it may not be a Grafana.
    let (_stub, nothing) = grafana(|_, _| error(404, "Not found")).await;
    assert_eq!(nothing.probe().await.expect_err("a failure").class, Class::Unsupported);
    // A role of Grafana's own shows that there are roles, as the answer to the refused question would.
    for (list, expected) in [
        (ok(json!([listed("fixed_r", "fixed:reports:reader")])), None),
        (ok(json!([listed("r1", "writer")])), Some(Class::Denied)),
        (ok(json!([])), Some(Class::Denied)),
        (error(403, "no"), Some(Class::Denied)),
        (error(404, "Not found"), Some(Class::Denied)),
        (error(500, "no"), Some(Class::Transient)),
    ] {
        let list = std::sync::Mutex::new(Some(list));
        let (_stub, grafana) = grafana(move |seen, _| match call(seen).as_str() {
            STATUS => error(403, "no"),
            ROLES => list.lock().expect("not poisoned").take().unwrap_or_else(|| error(500, "no")),
            _ => organization(seen),
        })
        .await;
        let failure = grafana.probe().await.err();
        assert_eq!(failure.as_ref().map(|error| error.class), expected);
        if let Some(error) = failure.filter(|error| error.class == Class::Denied) {
            assert!(
                error.message.contains("needs roles:read on roles:*, or status:accesscontrol"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_of_another_organization_has_its_own_message() {
    let refused = |id: &'static str| {
        with(STATUS, move |_| {
            Reply::json(
                401,
                json!({"statusCode": 401, "messageId": id, "message": "Unauthorized", "traceID": ""}),
            )
        })
    };
    let (_stub, backend) = grafana(refused("api-key.organization-mismatch")).await;
    let error = backend.probe().await.expect_err("a failure");
    assert_eq!(error.class, Class::Unauthenticated);
    assert!(error.message.contains("another organization than spec.grafana.orgId"), "{error}");
    let (_stub, backend) = grafana(refused("api-key.expired")).await;
    let error = backend.probe().await.expect_err("a failure");
    assert_eq!(error.class, Class::Unauthenticated);
    assert!(error.message.contains("(api-key.expired)") && !error.message.contains("orgId"), "{error}");
}

#[tokio::test]
async fn a_password_never_shows_in_a_message() {
    let stub = Stub::start(|seen, _| {
        let header = seen.header("authorization").unwrap_or_default().to_owned();
        error(400, &format!("{header} {TOKEN}"))
    })
    .await;
    let error = connect(&stub, json!({"username": "admin"})).probe().await.expect_err("a failure");
    assert!(error.message.contains("Basic [credential] [credential]"), "{error}");
}

#[tokio::test]
async fn a_failed_probe_shows_no_page_of_a_proxy() {
    for (status, expected) in
        [(401, Class::Unauthenticated), (500, Class::Transient), (502, Class::Transient)]
    {
        let (_stub, grafana) = grafana(move |_, _| Reply::text(status, "text/html", "<h1>secret page")).await;
        let error = grafana.probe().await.expect_err("a failure");
        assert_eq!(error.class, expected);
        assert!(!error.message.contains("secret page"), "{error}");
    }
}

#[tokio::test]
async fn a_person_is_found_by_whole_address_or_login() {
    let (stub, grafana) = grafana(with(USERS, |_| {
        ok(json!({"totalCount": 4, "orgUsers": [
            {"userId": 1, "login": "alice", "email": "Alice@Example.com"},
            {"userId": 2, "login": "malice", "email": "malice@example.com"},
            {"userId": 3, "login": "alice@example.com", "email": ""},
            {"userId": 4, "login": "Ivan", "email": "ivan@example.com"},
        ]}))
    }))
    .await;
    let found = async |name: &str| {
        let mut ids: Vec<String> = grafana
            .look_up(Level::USER, name, None)
            .await
            .expect("an answer")
            .into_iter()
            .map(|entry| entry.named.id.to_string())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(found("alice@example.com").await, ["user:1", "user:3"], "both, so the name is ambiguous");
    assert_eq!(found("MALICE@example.com").await, ["user:2"]);
    assert_eq!(found("login:alice").await, ["user:1"]);
    assert_eq!(found("alice").await, [""; 0]);
    assert_eq!(found("login:IVAN").await, ["user:4"]);
    let queries: Vec<Option<String>> =
        stub.seen().iter().map(|seen| seen.param("query").map(str::to_owned)).collect();
    assert_eq!(queries[2].as_deref(), Some("alice"));
}

#[tokio::test]
async fn names_are_matched_whole_at_their_level() {
    let (stub, grafana) = grafana(|seen, _| match call(seen).as_str() {
        ACCOUNTS => ok(json!({"totalCount": 2, "serviceAccounts": [{"id": 14, "name": "nightly"}, {"id": 15, "name": "nightly-2"}]})),
        TEAMS => ok(json!({"totalCount": 2, "teams": [{"id": 1, "uid": "t1", "name": "sre"}, {"id": 2, "uid": "t2", "name": "SRE"}]})),
        _ => organization(seen),
    })
    .await;
    for (level, name, id) in [
        ("serviceAccount", "nightly", Some("serviceAccount:14")),
        ("serviceAccount", "night", None),
        ("team", "sre", Some("team:1")),
        ("team", "uid:t2", Some("team:2")),
        ("team", "uid:t3", None),
        ("role", "fixed:reports:reader", Some("fixed_r")),
        ("role", "fixed:reports", None),
    ] {
        let found = grafana.look_up(super::level(level), name, None).await.expect("an answer");
        let ids: Vec<&str> = found.iter().map(|entry| entry.named.id.as_str()).collect();
        assert_eq!(ids, id.into_iter().collect::<Vec<_>>(), "{level} {name}");
    }
    let seen = stub.seen();
    assert_eq!(seen[0].param("query"), Some("nightly"));
    assert_eq!(seen[2].param("name"), Some("sre"));
    assert_eq!(seen[3].param("name"), None, "a uid is not a name");
    assert_eq!(class(grafana.look_up(Level::new("space"), "x", None).await), Class::Invalid);
}

#[tokio::test]
async fn a_404_means_not_found_only_with_the_rbac_api() {
    let things = [(Kind::Role, "r7"), (Kind::Grant, "user:7/r1"), (Kind::Grant, "team:7/r1")];
    for (kind, id) in things {
        let (stub, backend) = grafana(|seen, _| organization(seen)).await;
        assert_eq!(backend.read(kind, &Id::new(id)).await.expect("an answer"), None);
        assert_eq!(calls(&stub)[1], STATUS);
        let (_stub, backend) = grafana(|_, _| error(404, "Not found")).await;
        assert_eq!(class(backend.read(kind, &Id::new(id)).await), Class::Unsupported, "{id}");
        let (_stub, backend) = grafana(with(STATUS, |_| error(403, "no"))).await;
        assert_eq!(backend.read(kind, &Id::new(id)).await, Ok(None), "{id}: a fixed role shows the API");
        let refused = |seen: &Seen, _: usize| match call(seen).as_str() {
            STATUS | ROLES => error(403, "no"),
            _ => organization(seen),
        };
        let (_stub, backend) = grafana(refused).await;
        assert_eq!(class(backend.read(kind, &Id::new(id)).await), Class::Denied, "{id}");
    }
}

#[tokio::test]
async fn a_grant_is_read_from_the_roles_of_its_subject() {
    let (stub, grafana) = grafana(|seen, _| match call(seen).as_str() {
        "GET /access-control/users/14/roles" => {
            let mut mapped = listed("m", "mapped");
            mapped["mapped"] = json!(true);
            ok(json!([listed("r1", "writer"), mapped]))
        }
        // Grafana answers with an empty list for an unknown team.
        "GET /access-control/teams/1/roles" => ok(json!([])),
        _ => organization(seen),
    })
    .await;
    let read = async |id: &str| grafana.read(Kind::Grant, &Id::new(id)).await.expect("an answer");
    let seen = read("serviceAccount:14/r1").await.expect("the grant");
    assert_eq!((seen.id.as_str(), &seen.body), ("serviceAccount:14/r1", &grant("r1", "serviceAccount:14")));
    assert_eq!(seen.body.title(), "serviceAccount:14 as writer");
    assert_eq!(read("serviceAccount:14/r2").await, None);
    assert_eq!(read("serviceAccount:14/m").await, None, "assigned by an external group");
    assert_eq!(read("team:1/r1").await, None);
    assert!(stub.seen().iter().all(|seen| seen.param("includeHidden") == Some("true")));
    assert_eq!(class(grafana.read(Kind::Grant, &Id::new("r1")).await), Class::Invalid);
    assert_eq!(class(grafana.read(Kind::Restriction, &Id::new("r1")).await), Class::Invalid);
}

#[tokio::test]
async fn a_thing_is_found_by_its_natural_key() {
    let (_stub, grafana) = grafana(|seen, _| match call(seen).as_str() {
        ROLES => {
            let mut global = listed("a0", "writer");
            global["global"] = json!(true);
            ok(json!([listed("r2", "writer-2"), global, listed("r1", "writer")]))
        }
        "GET /access-control/roles/a0" => ok(whole("a0", "writer", 1)),
        "GET /access-control/users/1/roles" => ok(json!([listed("r1", "writer")])),
        _ => organization(seen),
    })
    .await;
    let found = async |body: &Body| grafana.find(body).await.expect("an answer");
    let seen = found(&role_body("writer", &[])).await.expect("the role");
    assert_eq!((seen.id.as_str(), seen.outline), ("r1", false), "that of this organization");
    assert_eq!(seen.body, Body::Role(writer()));
    let Body::Role(mut global) = role_body("writer", &[]) else { unreachable!() };
    global.settings.insert("global".to_owned(), "true".to_owned());
    assert_eq!(found(&Body::Role(global)).await.expect("the role").id.as_str(), "a0");
    assert_eq!(found(&role_body("write", &[])).await, None);
    let seen = found(&grant("r1", "user:1")).await.expect("the grant");
    assert_eq!(seen.body.title(), "alice@example.com as writer");
    assert_eq!(found(&grant("r2", "user:1")).await, None);
    let Body::Grant(mut planned) = grant("r1", "user:1") else { unreachable!() };
    planned.role = RoleRef::Planned("writer".to_owned());
    assert_eq!(found(&Body::Grant(planned)).await, None);
}

#[tokio::test]
async fn a_failed_read_keeps_its_class() {
    let each = async |status: u16, expected: Class| {
        let (_stub, grafana) = grafana(move |seen, _| match call(seen).as_str() {
            STATUS => organization(seen),
            _ => error(status, "no"),
        })
        .await;
        let (user, team, role) = (Id::new("user:1/r1"), Id::new("team:1/r1"), Id::new("r1"));
        let desired = role_body("writer", &[]);
        let (user, team, role, found, known) = tokio::join!(
            grafana.read(Kind::Grant, &user),
            grafana.read(Kind::Grant, &team),
            grafana.read(Kind::Role, &role),
            grafana.find(&desired),
            grafana.look_up(Level::USER, "alice@example.com", None),
        );
        let classes = [class(user), class(team), class(role), class(found), class(known)];
        assert_eq!(classes, [expected; 5], "{status}");
    };
    tokio::join!(
        each(400, Class::Invalid),
        each(401, Class::Unauthenticated),
        each(403, Class::Denied),
        each(500, Class::Transient),
        each(503, Class::Transient),
    );
    let (_stub, grafana) = grafana(|_, _| error(404, "Not found")).await;
    assert_eq!(class(grafana.find(&role_body("writer", &[])).await), Class::Unsupported);
}
