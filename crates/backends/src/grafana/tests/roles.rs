//! Changes of roles.

use super::*;

const R1: &str = "GET /access-control/roles/r1";
const PUT: &str = "PUT /access-control/roles/r1";
const POST: &str = "POST /access-control/roles";
const DELETE: &str = "DELETE /access-control/roles/r1";

fn create(uid: Option<&str>, role: Role) -> Change {
    testing::create(uid.map(Id::new), Body::Role(role))
}

fn update(after: Role) -> Change {
    testing::update(Id::new("r1"), Body::Role(writer()), Body::Role(after))
}

fn renamed() -> Role {
    Role { name: "author".to_owned(), ..writer() }
}

fn delete() -> Change {
    testing::delete(Id::new("r1"), Body::Role(writer()))
}

#[tokio::test]
async fn a_role_is_created_under_its_uid() {
    for status in [200, 201] {
        let mut desired = writer();
        desired.description = Some("writes".to_owned());
        desired.display_name = Some("Writer".to_owned());
        let (made, seen) = write(create(Some("rw-writer-1"), desired), move |_, _| {
            let mut role = whole("rw-writer-1", "writer", 0);
            role["description"] = json!("trimmed");
            role["updated"] = json!("2026-01-01T12:00:00.123456789Z");
            Reply::json(status, role)
        })
        .await;
        assert_eq!(seen.iter().map(call).collect::<Vec<_>>(), [POST]);
        let body = json!({
            "uid": "rw-writer-1", "name": "writer", "displayName": "Writer", "description": "writes", "group": "Reports",
            "hidden": false, "global": false,
            "permissions": [{"action": "licensing:read", "scope": ""}, {"action": "reports:read", "scope": "reports:*"}],
        });
        assert_eq!(seen[0].body, body);
        let made = made.expect("a success").expect("the role");
        assert_eq!(made.id.as_str(), "rw-writer-1");
        assert_eq!(made.body, Body::Role(Role { description: Some("trimmed".to_owned()), ..writer() }));
        assert!(made.revision.is_some() && !made.outline);
    }
}

#[tokio::test]
async fn a_minimal_role_is_created_with_few_fields() {
    let desired = Role { settings: BTreeMap::new(), rules: BTreeSet::new(), ..writer() };
    let (_, seen) = write(create(None, desired), |_, _| Reply::json(201, listed("x", "writer"))).await;
    assert_eq!(seen[0].body, json!({"name": "writer", "hidden": false, "global": false, "permissions": []}));
}

#[tokio::test]
async fn a_taken_name_or_uid_differs_from_an_invalid_role() {
    for (status, uid_taken, name_taken, expected) in [
        (400, true, false, Class::Conflict),
        (400, false, true, Class::Conflict),
        (400, false, false, Class::Invalid),
        (409, true, false, Class::Conflict),
        (409, false, false, Class::Conflict),
        (412, false, true, Class::Conflict),
    ] {
        let (made, seen) = write(create(Some("u1"), writer()), move |seen, _| match call(seen).as_str() {
            POST => error(status, "no"),
            "GET /access-control/roles/u1" if uid_taken => ok(whole("u1", "other", 1)),
            ROLES if !name_taken => ok(json!([listed("x", "other")])),
            _ => organization(seen),
        })
        .await;
        let refused = made.expect_err("a failure");
        assert_eq!(refused.class, expected, "{status}: {refused}");
        assert!(refused.message.contains("no"), "{refused}");
        let there = if uid_taken { "other with the uid u1" } else { "writer with the uid r1" };
        assert_eq!(refused.message.contains(there), uid_taken || name_taken, "{refused}");
        assert_eq!(writes(&seen).len(), 1);
    }
}

#[tokio::test]
async fn a_global_role_does_not_take_a_name_in_this_organization() {
    let (made, _) = write(create(Some("u1"), writer()), |seen, _| match call(seen).as_str() {
        POST => error(400, "no"),
        ROLES => {
            let mut global = listed("r1", "writer");
            global["global"] = json!(true);
            ok(json!([global]))
        }
        R1 => {
            let mut global = whole("r1", "writer", 1);
            global["global"] = json!(true);
            ok(global)
        }
        _ => organization(seen),
    })
    .await;
    assert_eq!(class(made), Class::Invalid);
}

#[tokio::test]
async fn a_refusal_that_could_be_a_duplicate_is_lost() {
    let (made, _) = write(create(Some("u1"), writer()), |seen, _| match call(seen).as_str() {
        POST => error(400, "no"),
        _ => error(403, "hidden"),
    })
    .await;
    assert_eq!(class(made), Class::Lost);
}

#[tokio::test]
async fn the_fault_of_a_permission_is_in_the_message() {
    let (made, _) = write(create(Some("u1"), Role { name: "new".to_owned(), ..writer() }), |seen, _| match call(seen).as_str() {
        POST => Reply::json(
            400,
            json!({"statusCode": 400, "messageId": "accesscontrol.permission-invalid-scope", "message": "Invalid scope",
                "extra": {"validationError": "reports:read has no scope folders:*"}, "traceID": "1"}),
        ),
        _ => organization(seen),
    })
    .await;
    let refused = made.expect_err("a failure");
    assert_eq!(refused.class, Class::Invalid);
    assert_eq!(
        refused.message,
        "POST /grafana/api/access-control/roles answered 400: Invalid scope: reports:read has no scope folders:* \
         (accesscontrol.permission-invalid-scope)"
    );
}

#[tokio::test]
async fn an_update_replaces_the_role_under_the_next_version() {
    for stored in [0, 3, 1000] {
        let after = Role { description: None, display_name: None, ..renamed() };
        let (now, seen) = write(update(after), move |seen, _| match call(seen).as_str() {
            R1 => ok(whole("r1", "writer", stored)),
            // Some servers add one to the stored version, whatever was sent.
            PUT => ok(whole("r1", "author", 7)),
            other => panic!("{other}"),
        })
        .await;
        assert_eq!(seen.iter().map(call).collect::<Vec<_>>(), [R1, PUT]);
        let body = json!({
            "name": "author", "displayName": "", "description": "", "group": "Reports", "hidden": false, "global": false,
            "version": stored + 1,
            "permissions": [{"action": "licensing:read", "scope": ""}, {"action": "reports:read", "scope": "reports:*"}],
        });
        assert_eq!(seen[1].body, body);
        let now = now.expect("a success").expect("the role");
        assert_eq!(now.body, Body::Role(renamed()));
        assert!(now.revision.expect("a mark").starts_with("7/"), "the version is the answer's");
    }
}

#[tokio::test]
async fn a_role_that_changed_since_the_plan_is_not_overwritten() {
    let (result, seen) = write(update(renamed()), |seen, _| match call(seen).as_str() {
        R1 => ok(listed("r1", "writer")),
        other => panic!("{other}"),
    })
    .await;
    assert_eq!((class(result), writes(&seen).len()), (Class::Transient, 0));
}

#[tokio::test]
async fn a_stale_version_differs_from_an_invalid_role() {
    for status in [400, 409, 412] {
        for (again, expected) in
            [(4, Class::Transient), (3, if status == 400 { Class::Invalid } else { Class::Conflict })]
        {
            let (result, seen) =
                write(update(renamed()), move |seen, before| match (call(seen).as_str(), before) {
                    (R1, 0) => ok(whole("r1", "writer", 3)),
                    (R1, _) => ok(whole("r1", "writer", again)),
                    (PUT, _) => error(status, "no"),
                    (other, _) => panic!("{other}"),
                })
                .await;
            assert_eq!(class(result), expected, "{status} {again}");
            assert_eq!(writes(&seen).len(), 1);
        }
    }
    for (again, expected) in [(404, Class::Missing), (500, Class::Transient)] {
        let (result, _) = write(update(renamed()), move |seen, before| match (call(seen).as_str(), before) {
            (R1, 1..) => error(again, "no"),
            (PUT, _) => error(400, "no"),
            _ => organization(seen),
        })
        .await;
        assert_eq!(class(result), expected);
    }
}

#[tokio::test]
async fn a_role_cannot_become_global() {
    let mut after = writer();
    after.settings.insert("global".to_owned(), "true".to_owned());
    let (result, seen) = write(update(after), |seen, _| organization(seen)).await;
    let refused = result.expect_err("a failure");
    assert_eq!((refused.class, writes(&seen).len()), (Class::Invalid, 0));
    assert!(
        refused.message.contains("spec.grafana.global")
            && refused.message.contains("this organization alone")
    );
}

#[tokio::test]
async fn a_role_is_deleted_without_force() {
    for global in ["false", "true"] {
        let mut before = writer();
        before.settings.insert("global".to_owned(), global.to_owned());
        let change = testing::delete(Id::new("r1"), Body::Role(before));
        let (result, seen) = write(change, |_, _| ok(json!({"message": "Role deleted"}))).await;
        assert_eq!(result, Ok(None));
        assert_eq!(seen.iter().map(call).collect::<Vec<_>>(), [DELETE]);
        assert_eq!(seen[0].query, [("global".to_owned(), global.to_owned())]);
    }
}

#[tokio::test]
async fn an_assigned_role_is_not_deleted() {
    for status in [400, 409, 412] {
        let (result, _) = write(delete(), move |_, _| error(status, "role in use")).await;
        let refused = result.expect_err("a failure");
        assert_eq!(refused.class, Class::Conflict);
        assert!(
            refused.message.contains("role in use; Grafana refuses")
                && refused.message.contains("may not see")
        );
    }
}

#[tokio::test]
async fn a_refused_write_names_the_missing_permissions() {
    let many: Vec<String> = (1..=7).map(|n| format!("x:{n}")).collect();
    let mut rules = writer().rules;
    rules.extend(many.iter().map(|action| rule(action, None)));
    let wide = Role { rules, ..writer() };
    let answer = |seen: &Seen, _: usize| match call(seen).as_str() {
        "PUT /access-control/roles/r1" | "POST /access-control/roles" => error(403, "Forbidden"),
        _ => organization(seen),
    };
    for change in [create(Some("u1"), wide.clone()), update(wide)] {
        let (result, _) = write(change, answer).await;
        let refused = result.expect_err("a failure");
        assert_eq!(refused.class, Class::Denied);
        assert!(refused.message.ends_with("it lacks: x:1, x:2, x:3, x:4, x:5 and 2 more"), "{refused}");
    }
    let (result, _) = write(create(Some("u1"), writer()), answer).await;
    assert!(
        result.expect_err("a failure").message.ends_with("answered 403: Forbidden"),
        "it lacks nothing of the role"
    );
    let (result, _) = write(create(Some("u1"), writer()), |_, _| error(403, "Forbidden")).await;
    assert_eq!(class(result), Class::Denied, "even if the missing permissions cannot be found");
}

#[tokio::test]
async fn a_404_of_a_write_checks_for_the_rbac_api() {
    for change in [create(Some("u1"), writer()), update(renamed()), delete()] {
        let missing = |with_status: bool| {
            move |seen: &Seen, _: usize| match call(seen).as_str() {
                STATUS if with_status => error(404, "Not found"),
                POST | PUT | DELETE => error(404, "Not found"),
                _ => organization(seen),
            }
        };
        assert_eq!(
            class(write(change.clone(), missing(true)).await.0),
            Class::Unsupported,
            "{}",
            change.verb()
        );
        assert_eq!(class(write(change.clone(), missing(false)).await.0), Class::Missing, "{}", change.verb());
    }
}

#[tokio::test]
async fn a_write_with_an_unknown_outcome_is_lost() {
    for change in [create(Some("u1"), writer()), update(renamed()), delete()] {
        for which in 0..6 {
            if matches!(change, Change::Delete { .. }) && which < 2 {
                continue;
            }
            let (result, seen) = write(change.clone(), move |seen, _| match (seen.method.as_str(), which) {
                ("GET", _) => organization(seen),
                (_, 0) => Reply::text(200, "text/html", "<html>"),
                (_, 1) => ok(json!({"message": "Role created"})),
                (_, 2) => Reply::Cut { body: b"{\"uid\": ".to_vec() },
                (_, 3) => Reply::HangUp,
                (_, 4) => error(500, "no"),
                _ => Reply::text(502, "text/html", "<h1>Bad gateway"),
            })
            .await;
            let refused = result.expect_err("a failure");
            assert_eq!((refused.class, writes(&seen).len()), (Class::Lost, 1), "{} {which}", change.verb());
            assert!(!refused.message.contains("Bad gateway"), "{refused}");
        }
    }
}

#[tokio::test]
async fn refusals_of_the_credential_keep_their_class() {
    for change in [create(Some("u1"), writer()), update(renamed()), delete()] {
        for (status, expected) in
            [(401, Class::Unauthenticated), (403, Class::Denied), (405, Class::Unsupported)]
        {
            let (result, seen) = write(change.clone(), move |seen, _| match seen.method.as_str() {
                "GET" => organization(seen),
                _ => error(status, "no"),
            })
            .await;
            assert_eq!((class(result), writes(&seen).len()), (expected, 1), "{} {status}", change.verb());
        }
        let (result, _) = write(change, |seen, _| match seen.method.as_str() {
            "GET" => organization(seen),
            _ => error(429, "slow down").with("retry-after", "3"),
        })
        .await;
        assert_eq!(class(result), Class::Throttled(std::time::Duration::from_secs(3)));
    }
}

#[tokio::test]
async fn reserved_roles_are_never_written() {
    let fixed = || Body::Role(Role { name: "fixed:reports:reader".to_owned(), ..writer() });
    let role = || Body::Role(writer());
    for change in [
        testing::create(None, fixed()),
        testing::create(Some(Id::new("extsvc_x")), role()),
        testing::update(Id::new("x"), fixed(), fixed()),
        testing::update(Id::new("x"), role(), fixed()),
        testing::update(Id::new("basic_admin"), role(), role()),
        testing::delete(Id::new("x"), fixed()),
        testing::delete(Id::new("basic_x"), role()),
    ] {
        let (result, seen) = write(change, |_, _| error(500, "no")).await;
        assert_eq!((class(result), seen.len()), (Class::Invalid, 0));
    }
}
