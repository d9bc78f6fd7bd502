//! Changes of grants.

use super::*;
use rolewright_core::model::Restriction;

const ROLES_OF_USER: &str = "GET /access-control/users/1/roles";

fn create(role: &str, subject: &str) -> Change {
    testing::create(None, grant(role, subject))
}

fn delete(role: &str, subject: &str) -> Change {
    testing::delete(Id::new(format!("{subject}/{role}")), grant(role, subject))
}

fn calls_of(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(call).collect()
}

#[tokio::test]
async fn a_role_is_assigned_and_taken_away_by_one_call() {
    for (subject, path) in [("user:1", "users/1"), ("serviceAccount:14", "users/14"), ("team:3", "teams/3")] {
        let (made, seen) = write(create("r1", subject), |_, _| ok(json!({"message": "Role added."}))).await;
        assert_eq!(calls_of(&seen), [format!("POST /access-control/{path}/roles")]);
        assert_eq!(seen[0].body, json!({"roleUid": "r1"}), "in this organization alone");
        let made = made.expect("a success").expect("the grant");
        assert_eq!((made.id, made.body), (Id::new(format!("{subject}/r1")), grant("r1", subject)));
        let (deleted, seen) =
            write(delete("r1", subject), |_, _| ok(json!({"message": "Role removed."}))).await;
        assert_eq!(deleted, Ok(None));
        assert_eq!(calls_of(&seen), [format!("DELETE /access-control/{path}/roles/r1")]);
    }
}

#[tokio::test]
async fn a_created_grant_equals_the_one_in_a_snapshot() {
    let (made, _) = write(create("r1", "user:1"), |_, _| ok(json!({}))).await;
    let made = made.expect("a success").expect("the grant");
    let snapshot = sweep(|seen, _| organization(seen)).await.expect("a snapshot");
    assert_eq!(snapshot.by_id(Kind::Grant, &made.id), Some(&made));
}

#[tokio::test]
async fn an_existing_assignment_is_a_success() {
    for status in [400, 409] {
        for there in [true, false] {
            let (made, seen) = write(create("r1", "user:1"), move |seen, _| match call(seen).as_str() {
                ROLES_OF_USER if there => ok(json!([listed("r1", "writer")])),
                ROLES_OF_USER => ok(json!([])),
                _ => error(status, "already assigned"),
            })
            .await;
            assert_eq!(made.is_ok(), there);
            assert_eq!(writes(&seen).len(), 1);
            if let Err(refused) = made {
                assert_eq!(refused.class, if status == 400 { Class::Invalid } else { Class::Conflict });
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_role_or_principal_is_missing() {
    let (made, _) = write(create("r1", "team:1"), |seen, _| match seen.method.as_str() {
        "POST" => error(404, "Team not found"),
        _ => organization(seen),
    })
    .await;
    let refused = made.expect_err("a failure");
    assert_eq!(refused.class, Class::Missing);
    assert!(
        refused.message.contains("Team not found; the role or the principal is not in this organization"),
        "{refused}"
    );
    for change in [create("r1", "team:1"), delete("r1", "team:1")] {
        assert_eq!(class(write(change, |_, _| error(404, "Not found")).await.0), Class::Unsupported);
    }
}

#[tokio::test]
async fn an_absent_assignment_counts_as_deleted() {
    for (assigned, absent) in [
        (ok(json!([])), true),
        (error(404, "User not found"), true),
        (ok(json!([listed("r1", "writer")])), false),
    ] {
        let assigned = std::sync::Mutex::new(Some(assigned));
        let (result, _) = write(delete("r1", "user:1"), move |seen, _| match call(seen).as_str() {
            ROLES_OF_USER => assigned.lock().expect("not poisoned").take().expect("asked once"),
            STATUS => organization(seen),
            _ => error(404, "Role not found"),
        })
        .await;
        match absent {
            true => assert_eq!(result, Ok(None)),
            false => {
                let refused = result.expect_err("a failure");
                assert_eq!(refused.class, Class::Missing);
                assert!(refused.message.contains("one for all organizations"), "{refused}");
            }
        }
    }
}

#[tokio::test]
async fn a_refused_delete_fails_only_if_it_is_still_assigned() {
    for (status, assigned, expected) in [
        (400, json!([]), None),
        (409, json!([]), None),
        (400, json!([listed("r1", "writer")]), Some(Class::Invalid)),
        (409, json!([listed("r1", "writer")]), Some(Class::Conflict)),
    ] {
        let (result, _) = write(delete("r1", "user:1"), move |seen, _| match call(seen).as_str() {
            ROLES_OF_USER => ok(assigned.clone()),
            _ => error(status, "no"),
        })
        .await;
        assert_eq!(result.err().map(|error| error.class), expected, "{status}");
    }
}

#[tokio::test]
async fn a_refused_assignment_names_the_missing_permissions() {
    for change in [create("r1", "user:1"), delete("r1", "user:1")] {
        let (result, seen) = write(change, |seen, _| match call(seen).as_str() {
            OWN => ok(json!({"reports:read": ["reports:id:1"]})),
            "GET /access-control/roles/r1" => organization(seen),
            _ => error(403, "Forbidden"),
        })
        .await;
        let refused = result.expect_err("a failure");
        assert_eq!((refused.class, writes(&seen).len()), (Class::Denied, 1));
        assert!(
            refused.message.ends_with("it lacks: licensing:read, reports:read on reports:*"),
            "{refused}"
        );
    }
    let (result, _) = write(create("r1", "user:1"), |_, _| error(403, "Forbidden")).await;
    assert!(result.expect_err("a failure").message.ends_with("answered 403: Forbidden"));
}

#[tokio::test]
async fn a_write_without_an_answer_is_lost() {
    for change in [create("r1", "user:1"), delete("r1", "team:1")] {
        for which in 0..4 {
            let (result, seen) = write(change.clone(), move |_, _| match which {
                0 => Reply::HangUp,
                1 => error(500, "no"),
                2 => Reply::Cut { body: b"{".to_vec() },
                _ => Reply::text(503, "text/html", "<h1>paused"),
            })
            .await;
            assert_eq!((class(result), seen.len()), (Class::Lost, 1), "{which}");
        }
        assert_eq!(class(write(change, |_, _| error(401, "no")).await.0), Class::Unauthenticated);
    }
}

#[tokio::test]
async fn changes_that_no_plan_contains_are_not_sent() {
    let edited = |edit: fn(&mut Grant)| {
        let Body::Grant(mut grant) = grant("r1", "user:1") else { unreachable!() };
        edit(&mut grant);
        testing::create(None, Body::Grant(grant))
    };
    let restriction = || Body::Restriction(Restriction::new(named("folder", "f", "f")));
    for change in [
        // Grafana would answer 200 and do nothing.
        create("basic_admin", "user:1"),
        edited(|grant| grant.role = RoleRef::Existing(named("role", "managed_x", "managed_x"))),
        edited(|grant| grant.role = RoleRef::Existing(named("role", "x", "basic:admin"))),
        edited(|grant| grant.role = RoleRef::Existing(named("role", "x", "extsvc:y"))),
        edited(|grant| grant.role = RoleRef::Planned("writer".to_owned())),
        edited(|grant| grant.scope = Some(named("folder", "f", "f"))),
        edited(|grant| grant.subject = named("user", "1", "x")),
        testing::update(Id::new("user:1/r1"), grant("r1", "user:1"), grant("r2", "user:1")),
        testing::create(None, restriction()),
        testing::delete(Id::new("f"), restriction()),
    ] {
        let (result, seen) = write(change, |_, _| error(500, "no")).await;
        assert_eq!((class(result), seen.len()), (Class::Invalid, 0));
    }
}

/// A grant to a subject that only its number names.
fn to_number(subject: &str) -> Change {
    let Body::Grant(mut grant) = grant("r1", subject) else { unreachable!() };
    grant.subject = Named::unnamed(grant.subject.level, grant.subject.id);
    testing::create(None, Body::Grant(grant))
}

#[tokio::test]
async fn number_without_a_name_must_be_of_the_kind() {
    const ACCOUNT: &str = "GET /serviceaccounts/14";
    for (subject, status, expected) in [
        ("user:14", 404, None),
        ("user:14", 200, Some(Class::Invalid)),
        ("user:14", 403, Some(Class::Denied)),
        ("user:14", 500, Some(Class::Transient)),
        ("serviceAccount:14", 200, None),
        ("serviceAccount:14", 404, Some(Class::Invalid)),
        ("serviceAccount:14", 403, Some(Class::Denied)),
        ("team:14", 500, None),
    ] {
        let (result, seen) = write(to_number(subject), move |seen, _| match call(seen).as_str() {
            ACCOUNT => Reply::json(status, json!({})),
            _ => ok(json!({})),
        })
        .await;
        assert_eq!(result.err().map(|error| error.class), expected, "{subject} {status}");
        assert_eq!(writes(&seen).len(), usize::from(expected.is_none()), "{subject} {status}");
    }
}

#[tokio::test]
async fn fixed_and_plugin_roles_can_be_assigned() {
    for role in ["fixed_r", "plugins_r"] {
        assert!(write(create(role, "user:1"), |_, _| ok(json!({}))).await.0.is_ok());
    }
}
