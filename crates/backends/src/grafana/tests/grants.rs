//! Changes of grants.

use super::*;
use rolewright_core::model::Restriction;

const HELD_BY_USER: &str = "GET /access-control/users/1/roles";

fn create(role: &str, subject: &str) -> Change {
    testing::create(None, grant(role, subject))
}

fn delete(role: &str, subject: &str) -> Change {
    testing::delete(Id::new(format!("{subject}/{role}")), grant(role, subject))
}

fn told(seen: &[Seen]) -> Vec<String> {
    seen.iter().map(call).collect()
}

#[tokio::test]
async fn a_role_is_given_and_taken_by_one_call_that_touches_nobody_else() {
    for (subject, path) in [("user:1", "users/1"), ("serviceAccount:14", "users/14"), ("team:3", "teams/3")] {
        let (made, seen) = write(create("r1", subject), |_, _| ok(json!({"message": "Role added."}))).await;
        assert_eq!(told(&seen), [format!("POST /access-control/{path}/roles")]);
        assert_eq!(seen[0].body, json!({"roleUid": "r1"}), "in this organization alone");
        let made = made.expect("a success").expect("the grant");
        assert_eq!((made.id, made.body), (Id::new(format!("{subject}/r1")), grant("r1", subject)));
        let (gone, seen) = write(delete("r1", subject), |_, _| ok(json!({"message": "Role removed."}))).await;
        assert_eq!(gone, Ok(None));
        assert_eq!(told(&seen), [format!("DELETE /access-control/{path}/roles/r1")]);
    }
}

#[tokio::test]
async fn what_is_seen_after_a_grant_is_what_a_sweep_shows() {
    let (made, _) = write(create("r1", "user:1"), |_, _| ok(json!({}))).await;
    let made = made.expect("a success").expect("the grant");
    let snapshot = sweep(|seen, _| organization(seen)).await.expect("a snapshot");
    assert_eq!(snapshot.by_id(Kind::Grant, &made.id), Some(&made));
}

#[tokio::test]
async fn a_role_that_is_given_already_is_given() {
    for status in [400, 409] {
        for there in [true, false] {
            let (made, seen) = write(create("r1", "user:1"), move |seen, _| match call(seen).as_str() {
                HELD_BY_USER if there => ok(json!([listed("r1", "writer")])),
                HELD_BY_USER => ok(json!([])),
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
async fn a_role_or_principal_that_is_not_there_is_missing() {
    let (made, _) = write(create("r1", "team:1"), |seen, _| match seen.method.as_str() {
        "POST" => error(404, "Team not found"),
        _ => organization(seen),
    })
    .await;
    let refused = made.expect_err("a failure");
    assert_eq!(refused.class, Class::Missing);
    assert!(
        refused.message.contains("Team not found; the role, or the one it is to be given to"),
        "{refused}"
    );
    for change in [create("r1", "team:1"), delete("r1", "team:1")] {
        assert_eq!(class(write(change, |_, _| error(404, "Not found")).await.0), Class::Unsupported);
    }
}

#[tokio::test]
async fn a_role_that_is_not_held_any_more_is_taken() {
    for (held, gone) in [
        (ok(json!([])), true),
        (error(404, "User not found"), true),
        (ok(json!([listed("r1", "writer")])), false),
    ] {
        let held = std::sync::Mutex::new(Some(held));
        let (result, _) = write(delete("r1", "user:1"), move |seen, _| match call(seen).as_str() {
            HELD_BY_USER => held.lock().expect("not poisoned").take().expect("asked once"),
            STATUS => organization(seen),
            _ => error(404, "Role not found"),
        })
        .await;
        match gone {
            true => assert_eq!(result, Ok(None)),
            false => {
                let refused = result.expect_err("a failure");
                assert_eq!(refused.class, Class::Missing);
                assert!(refused.message.contains("all organizations at once"), "{refused}");
            }
        }
    }
}

#[tokio::test]
async fn a_refusal_to_take_a_role_is_one_only_while_it_is_held() {
    for (status, held, expected) in [
        (400, json!([]), None),
        (409, json!([]), None),
        (400, json!([listed("r1", "writer")]), Some(Class::Invalid)),
        (409, json!([listed("r1", "writer")]), Some(Class::Conflict)),
    ] {
        let (result, _) = write(delete("r1", "user:1"), move |seen, _| match call(seen).as_str() {
            HELD_BY_USER => ok(held.clone()),
            _ => error(status, "no"),
        })
        .await;
        assert_eq!(result.err().map(|error| error.class), expected, "{status}");
    }
}

#[tokio::test]
async fn a_role_that_permits_more_than_the_credential_may_is_told_by_what_is_missing() {
    for change in [create("r1", "user:1"), delete("r1", "user:1")] {
        let (result, seen) = write(change, |seen, _| match call(seen).as_str() {
            RIGHTS => ok(json!({"reports:read": ["reports:id:1"]})),
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
async fn an_answer_that_is_lost_is_lost() {
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
async fn changes_that_no_plan_should_hold_are_not_sent() {
    let edited = |edit: fn(&mut Grant)| {
        let Body::Grant(mut grant) = grant("r1", "user:1") else { unreachable!() };
        edit(&mut grant);
        testing::create(None, Body::Grant(grant))
    };
    let restriction = || Body::Restriction(Restriction::new(named("folder", "f", "f")));
    for change in [
        // Grafana would answer 200 and do nothing.
        create("basic_admin", "user:1"),
        delete("managed_x", "team:1"),
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

#[tokio::test]
async fn fixed_and_plugins_roles_can_be_given() {
    for role in ["fixed_r", "plugins_r"] {
        assert!(write(create(role, "user:1"), |_, _| ok(json!({}))).await.0.is_ok());
    }
}
