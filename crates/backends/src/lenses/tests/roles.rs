//! Changes of roles.

use super::*;

const POST: &str = "POST /roles";
const PATCH: &str = "PATCH /roles/reader";
const DELETE: &str = "DELETE /roles/reader";

fn create(role: Role) -> Change {
    testing::create(None, Body::Role(role))
}

fn update(after: Role) -> Change {
    testing::update(thing("reader"), Body::Role(reader()), Body::Role(after))
}

fn delete() -> Change {
    testing::delete(thing("reader"), Body::Role(reader()))
}

fn widened() -> Role {
    let mut role = reader();
    role.rules.insert(rule(Effect::Allow, "kafka:CreateTopic", "kafka:topic:*"));
    role.rules.insert(rule(Effect::Deny, "kafka:*", "kafka:topic:prod/*"));
    role
}

fn policy() -> Value {
    json!([
        {"effect": "allow", "action": ["kafka:CreateTopic", "kafka:ListTopics"], "resource": ["kafka:topic:*"]},
        {"effect": "deny", "action": ["kafka:*"], "resource": ["kafka:topic:prod/*"]},
    ])
}

#[tokio::test]
async fn a_role_is_created_with_its_whole_policy() {
    for status in [200, 201] {
        let mut desired = widened();
        desired.description = Some("reads".to_owned());
        let (made, seen) = write(create(desired.clone()), move |seen, _| match call(seen).as_str() {
            POST => {
                let mut role = whole();
                role["policy"] = policy();
                role["description"] = json!("trimmed");
                Reply::json(status, role)
            }
            _ => hq(seen),
        })
        .await;
        let (call, body) = only_write(&seen);
        assert_eq!(call, POST);
        assert_eq!(body["policy"], policy());
        assert_eq!(
            (&body["name"], &body["display_name"], &body["description"]),
            (&json!("reader"), &json!("reader"), &json!("reads"))
        );
        let marks = body["metadata"].as_object().expect("a mark");
        assert!(
            marks
                .iter()
                .all(|(key, value)| key.len() <= 40 && value.as_str().is_some_and(|text| text.len() <= 500))
        );
        let made = made.expect("a success").expect("the role");
        assert_eq!(made.body, Body::Role(Role { description: Some("trimmed".to_owned()), ..desired }));
    }
}

#[tokio::test]
async fn an_answer_without_the_policy_is_followed_by_a_read() {
    for answer in [json!({}), json!({"name": "reader"}), json!(null)] {
        let (made, _) = write(create(reader()), move |seen, _| match call(seen).as_str() {
            POST => Reply::json(201, answer.clone()),
            _ => hq(seen),
        })
        .await;
        assert_eq!(made.expect("a success").expect("the role").body, Body::Role(reader()));
    }
    let (lost, _) = write(create(reader()), |seen, _| match call(seen).as_str() {
        POST => Reply::json(201, json!({})),
        READER => refusal(403),
        _ => hq(seen),
    })
    .await;
    assert_eq!(class(lost), Class::Lost, "it was created, and its state is unknown");
}

#[tokio::test]
async fn a_taken_name_differs_from_an_invalid_role() {
    for (status, there, expected) in [
        (409, true, Class::Conflict),
        (400, true, Class::Conflict),
        (400, false, Class::Invalid),
        (422, false, Class::Invalid),
    ] {
        let (refused, _) = write(create(reader()), move |seen, _| match call(seen).as_str() {
            POST => refusal(status),
            READER if !there => missing(),
            _ => hq(seen),
        })
        .await;
        let refused = refused.expect_err("a failure");
        assert_eq!(refused.class, expected, "{status}: {refused}");
        assert!(refused.message.contains("for a reason"), "{refused}");
    }
}

#[tokio::test]
async fn an_unknown_action_is_refused_before_a_write() {
    let mut odd = reader();
    odd.rules.insert(rule(Effect::Allow, "kafka:LaunchRockets", "kafka:topic:*"));
    for change in [create(odd.clone()), update(odd)] {
        let (refused, seen) = write(change, |seen, _| hq(seen)).await;
        let refused = refused.expect_err("a failure");
        assert_eq!(refused.class, Class::Invalid);
        assert!(
            refused.message.contains("kafka:LaunchRockets") && refused.message.contains("kafka:CreateTopic"),
            "{refused}"
        );
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn definitions_are_read_again_for_an_unknown_action() {
    let (stub, lenses) = lenses(|seen, before| match call(seen).as_str() {
        POST => Reply::json(201, whole()),
        DEFINITIONS if before > 2 => {
            ok(json!({"resource_definitions": [{"service": "kafka", "actions": ["ListTopics", "LaunchRockets"]}]}))
        }
        _ => hq(seen),
    })
    .await;
    let reads = || calls(&stub).iter().filter(|call| *call == DEFINITIONS).count();
    lenses.write(&create(reader())).await.expect("a success");
    lenses.write(&create(reader())).await.expect("a success");
    assert_eq!(reads(), 1);
    let mut new = reader();
    new.rules.insert(rule(Effect::Allow, "kafka:LaunchRockets", "kafka:topic:*"));
    lenses.write(&create(new)).await.expect("HQ was upgraded");
    assert_eq!(reads(), 2);
}

#[tokio::test]
async fn without_definitions_the_server_checks_the_rules() {
    let mut odd = reader();
    odd.rules.insert(rule(Effect::Allow, "kafka:LaunchRockets", "kafka:topic:*"));
    let answers: [fn() -> Reply; 5] = [
        || refusal(403),
        || refusal(404),
        || Reply::HangUp,
        || ok(json!({})),
        || ok(json!({"resource_definitions": []})),
    ];
    for answer in answers {
        let (made, _) = write(create(odd.clone()), move |seen, _| match call(seen).as_str() {
            DEFINITIONS => answer(),
            POST => Reply::json(201, whole()),
            _ => hq(seen),
        })
        .await;
        assert!(made.is_ok(), "{made:?}");
    }
    let (refused, _) = write(create(odd), with(DEFINITIONS, |_| refusal(401))).await;
    assert_eq!(class(refused), Class::Unauthenticated);
}

#[tokio::test]
async fn a_policy_is_replaced_as_a_whole() {
    let (now, seen) = write(update(widened()), |seen, _| match call(seen).as_str() {
        PATCH => {
            let mut role = whole();
            role["policy"] = policy();
            ok(role)
        }
        _ => hq(seen),
    })
    .await;
    // Without `metadata`, HQ keeps what others wrote there.
    assert_eq!(only_write(&seen), (PATCH.to_owned(), json!({"policy": policy()})));
    assert_eq!(now.expect("a success").expect("the role").body, Body::Role(widened()));
}

#[tokio::test]
async fn only_changed_fields_are_sent() {
    let before = Role { description: Some("old".to_owned()), ..reader() };
    let change = testing::update(
        thing("reader"),
        Body::Role(before),
        Body::Role(Role { display_name: Some("Reader".to_owned()), ..reader() }),
    );
    let (_, seen) = write(change, with(PATCH, |_| ok(whole()))).await;
    assert_eq!(seen.len(), 1, "the caller read the role right before");
    let (_, body) = only_write(&seen);
    assert_eq!(body, json!({"display_name": "Reader", "description": ""}));
    assert!(!seen.iter().any(|seen| call(seen) == DEFINITIONS), "the rules stay as they are");
}

#[tokio::test]
async fn a_role_cannot_get_another_name() {
    let renamed = Role { name: "author".to_owned(), ..reader() };
    let (refused, seen) = write(update(renamed), |seen, _| hq(seen)).await;
    assert!(refused.is_err_and(|error| error.message.contains("mistake")) && seen.is_empty());
}

#[tokio::test]
async fn an_action_that_hq_renamed_stops_no_correction() {
    let mut before = reader();
    before.rules.insert(rule(Effect::Allow, "kafka:OldName", "kafka:topic:*"));
    let drifted = Role {
        rules: before.rules.iter().cloned().chain([rule(Effect::Allow, "kafka:*", "*")]).collect(),
        ..before.clone()
    };
    let correct = testing::update(thing("reader"), Body::Role(drifted), Body::Role(before));
    let (_, seen) = write(correct, with(PATCH, |_| ok(whole()))).await;
    let (_, body) = only_write(&seen);
    assert!(body["policy"].to_string().contains("kafka:OldName"), "{body}");
    assert!(!body["policy"].to_string().contains("kafka:*"), "{body}");
}

/// The HQ, without a group that has the role.
fn unused(seen: &Seen) -> Reply {
    match call(seen).as_str() {
        GROUPS => ok(json!({"items": [item("devs", 0, 0, 1), item("empty", 1, 0, 0)]})),
        DEVS => ok(devs(&["writer"])),
        _ => hq(seen),
    }
}

#[tokio::test]
async fn a_role_that_no_group_has_is_deleted() {
    let (deleted, seen) = write(delete(), |seen, _| match call(seen).as_str() {
        DELETE => Reply::text(204, "", ""),
        _ => unused(seen),
    })
    .await;
    assert_eq!(deleted, Ok(None));
    assert_eq!(only_write(&seen).0, DELETE);
}

#[tokio::test]
async fn a_role_that_a_group_got_since_the_sweep_is_not_deleted() {
    let (stub, lenses) = lenses(|seen, before| match (call(seen).as_str(), before) {
        (_, 0..=3) => unused(seen),
        _ => hq(seen),
    })
    .await;
    lenses.snapshot(&Needs { kinds: [Kind::Group].into(), ..Needs::default() }).await.expect("a snapshot");
    while stub.seen().len() < 4 {
        lenses.read(Kind::Role, &thing("reader")).await.expect("an answer");
    }
    let refused = lenses.write(&delete()).await.expect_err("a failure");
    assert_eq!(refused.class, Class::Conflict);
    assert!(refused.message.contains("devs") && refused.message.contains(OWNED), "{refused}");
    assert!(writes(&stub.seen()).is_empty());
}

/// The list of groups shows which of them changed since the sweep.
#[tokio::test]
async fn groups_as_in_the_last_sweep_are_not_read_to_delete_a_role() {
    let (stub, lenses) = lenses(|seen, _| match call(seen).as_str() {
        DELETE => Reply::text(204, "", ""),
        _ => unused(seen),
    })
    .await;
    lenses.snapshot(&needs(&[])).await.expect("a snapshot");
    let before = stub.seen().len();
    lenses.write(&delete()).await.expect("a success");
    assert_eq!(calls(&stub)[before..], [GROUPS, ACCOUNT, DELETE]);
}

#[tokio::test]
async fn a_role_is_not_deleted_if_groups_cannot_be_read() {
    for path in [GROUPS, DEVS] {
        let (refused, seen) = write(delete(), move |seen, _| match call(seen).as_str() {
            it if it == path => refusal(403),
            _ => unused(seen),
        })
        .await;
        assert_eq!(class(refused), Class::Denied, "{path}");
        assert!(writes(&seen).is_empty());
    }
}

#[tokio::test]
async fn a_role_is_not_deleted_if_groups_may_be_hidden() {
    let (refused, seen) = write(delete(), |seen, _| match call(seen).as_str() {
        ACCOUNT => ok(account(false, &[])),
        _ => unused(seen),
    })
    .await;
    let refused = refused.expect_err("a failure");
    assert_eq!(refused.class, Class::Denied);
    assert!(refused.message.contains("spec.lenses.serviceAccount"), "{refused}");
    assert!(writes(&seen).is_empty());
}

#[tokio::test]
async fn a_known_group_with_the_role_is_named() {
    let (refused, _) = write(delete(), with(DEVS, |_| refusal(403))).await;
    let refused = refused.expect_err("a failure");
    assert_eq!(refused.class, Class::Conflict);
    assert!(refused.message.contains(OWNED), "{refused}");
}

#[tokio::test]
async fn a_role_in_use_is_refused_with_any_status() {
    for (status, expected) in [
        (400, Class::Conflict),
        (409, Class::Conflict),
        (403, Class::Denied),
        (404, Class::Missing),
        (500, Class::Lost),
    ] {
        let (refused, _) = write(delete(), move |seen, _| match call(seen).as_str() {
            DELETE => refusal(status),
            _ => unused(seen),
        })
        .await;
        assert_eq!(class(refused), expected, "{status}");
    }
}
