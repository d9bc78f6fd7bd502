//! Single reads.

use super::*;

#[tokio::test]
async fn an_api_key_is_anchored_in_its_organizations() {
    let (stub, arize) = arize(|seen, _| account(seen)).await;
    let identity = arize.probe().await.expect("an identity");
    assert_eq!(
        identity.description,
        "an API key that sees 1 organization and 2 spaces; it cannot read the audit log, so it is unknown whether it is an account \
         admin's"
    );
    assert_eq!(identity.anchors, BTreeSet::from([raw("AccountOrganization:1")]));
    assert_eq!(stub.calls().len(), 3);
}

#[tokio::test]
async fn an_api_key_that_reads_the_audit_log_is_an_admins() {
    let (_stub, arize) = arize(|seen, _| match seen.path.as_str() {
        "/v2/audit-logs" => page("logs", json!([])),
        _ => account(seen),
    })
    .await;
    let identity = arize.probe().await.expect("an identity");
    assert_eq!(identity.description, "an account admin's API key that sees 1 organization and 2 spaces");
}

#[tokio::test]
async fn an_api_key_without_organizations_uses_its_spaces() {
    let (_stub, arize) =
        arize(|seen, _| if seen.path == "/v2/organizations" { forbidden() } else { account(seen) }).await;
    let identity = arize.probe().await.expect("an identity");
    assert_eq!(identity.anchors, BTreeSet::from([raw("AccountOrganization:1")]));
}

#[tokio::test]
async fn a_probe_fails_if_it_can_read_nothing() {
    for (status, class_of) in
        [(401, Class::Unauthenticated), (403, Class::Denied), (404, Class::Missing), (500, Class::Transient)]
    {
        let (_stub, arize) = arize(move |_, _| Reply::problem(status, "Title", "no")).await;
        assert_eq!(class(arize.probe().await), class_of);
    }
}

#[tokio::test]
async fn a_401_of_one_list_fails_the_probe() {
    for path in ["/v2/organizations", "/v2/spaces"] {
        let (_stub, arize) =
            arize(move |seen, _| if seen.path == path { Reply::problem(401, "x", "") } else { forbidden() })
                .await;
        assert_eq!(class(arize.probe().await), Class::Unauthenticated, "{path}");
    }
}

#[tokio::test]
async fn a_probe_reads_a_bounded_number_of_pages() {
    let (stub, arize) = arize(|seen, before| match seen.path.as_str() {
        "/v2/organizations" => {
            let organization = json!({"id": raw(&format!("AccountOrganization:{before}"))});
            page_before("organizations", json!([organization]), &format!("{before}"))
        }
        _ => account(seen),
    })
    .await;
    let identity = arize.probe().await.expect("an identity");
    assert!(identity.description.starts_with("an API key that sees more than "), "{}", identity.description);
    assert!(stub.calls().len() < 20);
}

#[tokio::test]
async fn a_person_is_found_by_the_whole_address_in_any_case() {
    let (stub, arize) = arize(|seen, _| match seen.param("cursor") {
        None => page_before("users", json!([{"id": raw("User:2"), "email": "malice@example.com"}]), "a"),
        _ => page("users", json!([{"id": raw("User:1"), "email": "Alice@Example.com"}])),
    })
    .await;
    let found = arize.look_up(Level::USER, "alice@example.com", None).await.expect("an answer");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].named.id, id("User:1"));
    assert!(stub.seen().iter().all(|seen| seen.param("email") == Some("alice@example.com")));
}

#[tokio::test]
async fn a_long_address_is_found_by_its_first_part() {
    let address = format!("{}@example.com", "a".repeat(300));
    let listed = address.clone();
    let (stub, arize) =
        arize(move |_, _| page("users", json!([{"id": raw("User:1"), "email": listed.clone()}]))).await;
    let found = arize.look_up(Level::USER, &address, None).await.expect("an answer");
    assert_eq!(found.len(), 1);
    assert!(stub.seen().iter().all(|seen| seen.param("email") == Some(&address[..255])));
}

#[tokio::test]
async fn a_space_is_found_by_its_whole_name_inside_its_organization() {
    let spaces = json!([
        {"id": raw("Space:1"), "name": "research", "organization_id": raw("AccountOrganization:1")},
        {"id": raw("Space:2"), "name": "research", "organization_id": raw("AccountOrganization:2")},
        {"id": raw("Space:3"), "name": "research-old", "organization_id": raw("AccountOrganization:1")},
        {"id": raw("Space:4"), "name": "Research", "organization_id": raw("AccountOrganization:1")},
    ]);
    let (stub, arize) = arize(move |_, _| page("spaces", spaces.clone())).await;
    assert_eq!(arize.look_up(Level::new("space"), "research", None).await.expect("an answer").len(), 2);
    let organization = id("AccountOrganization:2");
    let inside =
        arize.look_up(Level::new("space"), "research", Some(&organization)).await.expect("an answer");
    assert_eq!(inside.len(), 1);
    assert_eq!(inside[0].named.id, id("Space:2"));
    assert_eq!(stub.seen()[1].param("org_id"), Some(organization.as_str()));
}

#[tokio::test]
async fn a_space_of_an_older_server_is_in_the_given_organization() {
    let (_stub, arize) =
        arize(|_, _| page("spaces", json!([{"id": raw("Space:1"), "name": "research"}]))).await;
    let organization = id("AccountOrganization:1");
    let found = arize.look_up(Level::new("space"), "research", Some(&organization)).await.expect("an answer");
    assert_eq!(found[0].parent, Some(organization));
}

#[tokio::test]
async fn a_project_in_a_deleted_space_is_not_found() {
    let (_stub, arize) = arize(|_, _| missing()).await;
    assert_eq!(arize.look_up(Level::new("project"), "churn", Some(&id("Space:8"))).await, Ok(Vec::new()));
    assert_eq!(class(arize.look_up(Level::new("project"), "churn", None).await), Class::Missing);
}

#[tokio::test]
async fn an_id_is_looked_up_directly() {
    let (stub, arize) = arize(|seen, _| match seen.path.starts_with("/v2/users/") {
        true => Reply::json(200, json!({"id": raw("User:1"), "email": "alice@example.com"})),
        false => missing(),
    })
    .await;
    let found = arize.look_up(Level::USER, &raw("User:1"), None).await.expect("an answer");
    assert_eq!(&*found[0].named.name, "alice@example.com");
    assert_eq!(arize.look_up(Level::new("space"), &raw("Space:1"), None).await, Ok(Vec::new()));
    let encoded = |text: &str| raw(text).replace('=', "%3D");
    let calls =
        [format!("GET /v2/users/{}", encoded("User:1")), format!("GET /v2/spaces/{}", encoded("Space:1"))];
    assert_eq!(stub.calls(), calls);
}

#[tokio::test]
async fn service_accounts_and_roles_are_found_by_name() {
    let (_stub, arize) = arize(|seen, _| account(seen)).await;
    for (level, name, expected) in [
        ("serviceAccount", "ci", "User:9"),
        ("role", "Project Viewer", "Role:1"),
        ("organization", "org", "AccountOrganization:1"),
    ] {
        let found = arize.look_up(super::level(level), name, None).await.expect("an answer");
        assert_eq!(found.len(), 1, "{level}");
        assert_eq!(found[0].named.id, id(expected));
        assert_eq!(arize.look_up(super::level(level), "nobody", None).await, Ok(Vec::new()));
    }
    assert_eq!(class(arize.look_up(Level::TEAM, "x", None).await), Class::Invalid);
}

#[tokio::test]
async fn a_refused_look_up_is_an_error_not_an_absence() {
    let (_stub, arize) = arize(|_, _| forbidden()).await;
    assert_eq!(class(arize.look_up(Level::USER, "alice@example.com", None).await), Class::Denied);
}

#[tokio::test]
async fn a_thing_is_read_by_its_id_and_a_404_is_not_visible() {
    let (_stub, arize) = arize(|seen, _| match seen.path.as_str() {
        path if path.starts_with("/v2/roles/") => Reply::json(200, role_json("Role:1", "Admin", true)),
        _ => missing(),
    })
    .await;
    let role = arize.read(Kind::Role, &id("Role:1")).await.expect("an answer").expect("the role");
    assert_eq!(role.read_only.as_deref(), Some("a predefined role"));
    assert_eq!(arize.read(Kind::Grant, &id("RoleBinding:1")).await, Ok(None));
}

#[tokio::test]
async fn a_refused_read_is_an_error_not_an_absence() {
    for (status, expected) in [(401, Class::Unauthenticated), (403, Class::Denied)] {
        let (_stub, arize) = arize(move |_, _| Reply::problem(status, "Title", "")).await;
        for kind in EVERYTHING {
            assert_eq!(class(arize.read(kind, &id("Model:1")).await), expected, "{kind} {status}");
        }
    }
}

#[tokio::test]
async fn a_restriction_is_read_through_the_list_of_its_type() {
    let (stub, arize) = arize(|seen, _| match seen.param("cursor") {
        None => page_before("resource_restrictions", json!([]), "a"),
        _ => page(
            "resource_restrictions",
            json!([{"resource_type": "PROJECT", "resource_id": raw("Model:1")}]),
        ),
    })
    .await;
    let found =
        arize.read(Kind::Restriction, &id("Model:1")).await.expect("an answer").expect("the restriction");
    assert_eq!(found.id, id("Model:1"));
    assert_eq!(arize.find(&restriction("project", "Model:2")).await, Ok(None));
    assert!(stub.seen().iter().all(|seen| seen.param("resource_type") == Some("PROJECT")));
}

#[tokio::test]
async fn a_role_is_found_by_its_exact_name() {
    let (stub, arize) = arize(|_, _| {
        page_before(
            "roles",
            json!([role_json("Role:1", "Writer", false), role_json("Role:2", "writer", false)]),
            "a",
        )
    })
    .await;
    let found = arize.find(&role("writer", None, &[])).await.expect("an answer").expect("the role");
    assert_eq!(found.id, id("Role:2"));
    assert_eq!(stub.calls().len(), 1);
}

#[tokio::test]
async fn a_grant_is_found_by_user_and_resource_with_any_role() {
    let (stub, arize) = arize(|seen, _| match seen.param("cursor") {
        None => page_before(
            "role_bindings",
            json!([binding_json("RoleBinding:1", "Role:2", "User:1", "SPACE", "Space:2")]),
            "a",
        ),
        _ => page(
            "role_bindings",
            json!([binding_json("RoleBinding:2", "Role:3", "User:1", "SPACE", "Space:1")]),
        ),
    })
    .await;
    let found = arize.find(&grant("Role:2", space("Space:1"))).await.expect("an answer").expect("the grant");
    assert_eq!(found.id, id("RoleBinding:2"));
    assert_eq!(found.body.title(), format!("alice@example.com as {} on space research", raw("Role:3")));
    let user = raw("User:1");
    assert!(stub.seen().iter().all(|seen| seen.param("user_id") == Some(&user)));
    assert_eq!(arize.find(&grant("Role:2", space("Space:9"))).await, Ok(None));
}

#[tokio::test]
async fn the_grants_of_an_unknown_user_are_not_visible() {
    let (_stub, arize) = arize(|_, _| missing()).await;
    assert_eq!(arize.find(&grant("Role:2", space("Space:1"))).await, Ok(None));
}
