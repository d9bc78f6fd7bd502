//! Invited people, and their grants before and after they accept.

use super::{super::dialect::ZenmlDialect, *};
use rolewright_core::model::{IdentityRules, NameMatch};

fn invited() -> String {
    format!("invitation:{INVITED}:dave@example.com")
}

fn dave_as_reader(as_whom: &str) -> String {
    grant_id(READER, &format!("workspace:{PRODUCTION}"), as_whom)
}

fn body() -> Body {
    grant(READER, &invited(), in_production())
}

fn dave() -> Value {
    user(DAVE, "dave", "dave@Example.com", false)
}

/// The organization with an invitation that has the role.
fn before(seen: &Seen) -> Reply {
    match call(seen).as_str() {
        path if path == assignments_of(READER) => {
            ok(json!([assignment(READER, json!({"invitation": invitation()}), Some(PRODUCTION), None),]))
        }
        path if path.starts_with("POST /roles") => {
            ok(assignment(READER, json!({"invitation": invitation()}), Some(PRODUCTION), None))
        }
        path if path.starts_with("DELETE /roles") => ok(Value::Null),
        _ => organization(seen),
    }
}

/// The same after the invitation was accepted.
fn after(seen: &Seen) -> Reply {
    match call(seen).as_str() {
        path if path == of_org("members") => page(seen, &[dave()]),
        path if path == of_org("invitations") => page(seen, &[]),
        path if path == assignments_of(READER) => {
            ok(json!([assignment(READER, json!({"user": dave()}), Some(PRODUCTION), None),]))
        }
        path if path.starts_with("POST /roles") => {
            ok(assignment(READER, json!({"user": dave()}), Some(PRODUCTION), None))
        }
        path if path.starts_with("DELETE /roles") => ok(Value::Null),
        _ => organization(seen),
    }
}

fn name_of_dave(snapshot: &Snapshot) -> Option<String> {
    match snapshot.directory().find(Level::USER, "dave@example.com", None) {
        NameMatch::One(entry) => Some(entry.named.id.to_string()),
        NameMatch::None => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_grant_is_for_the_invitation_until_it_is_accepted() {
    for (server, parameter, uuid) in
        [(before as fn(&Seen) -> Reply, "invitation_id", INVITED), (after, "user_id", DAVE)]
    {
        for change in [create(body()), delete(dave_as_reader(&invited()), body())] {
            let (done, seen) = write(change, move |seen, _| server(seen)).await;
            let seen = writes(&seen);
            assert_eq!(seen.len(), 1);
            assert_eq!(
                (seen[0].param(parameter), seen[0].param("workspace_id")),
                (Some(uuid), Some(PRODUCTION))
            );
            assert_eq!(seen[0].query.len(), 2);
            if let Some(made) = done.expect("a success") {
                assert_eq!((made.id, made.body), (Id::new(dave_as_reader(&invited())), body()));
            }
        }
    }
}

#[tokio::test]
async fn the_grant_of_an_accepted_invitation_moves_to_the_account() {
    let hints = [dave_as_reader(&invited())];
    let own = format!("user:{DAVE}");
    for (server, whose) in [(before as fn(&Seen) -> Reply, invited()), (after, own.clone())] {
        let (snapshot, _) = sweep(&hints, move |seen, _| server(seen)).await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!(name_of_dave(&snapshot), Some(whose.clone()));
        assert_eq!(snapshot.all(Kind::Grant).count(), 1);
        let seen = snapshot.by_id(Kind::Grant, &Id::new(dave_as_reader(&whose))).expect("the grant");
        let now = snapshot.successor(Kind::Grant, &key_of(&invited()));
        assert_eq!(now.is_some(), whose == own);
        assert!(now.is_none_or(|(id, key)| (id, key) == (&seen.id, &seen.key)), "{now:?}");
        // It can be read under its old id until the new one is recorded.
        let (_stub, zenml) = zenml(move |seen, _| server(seen)).await;
        let read = zenml.read(Kind::Grant, &Id::new(&hints[0])).await.expect("an answer").expect("the grant");
        assert_eq!(read.id, Id::new(&hints[0]));
    }
}

fn key_of(subject: &str) -> Key {
    ZenmlDialect.key(&grant(READER, subject, in_production()))
}

/// An account beside an invitation with its address, which is listed or may not be listed. These have the role.
fn beside(seen: &Seen, listed: bool, subjects: &[Value]) -> Reply {
    match call(seen).as_str() {
        path if path == of_org("invitations") && !listed => error(403, "IllegalOperationError", "no"),
        path if path == of_org("invitations") => page(seen, &[invitation()]),
        path if path == assignments_of(READER) => {
            let row = |subject: &Value| assignment(READER, subject.clone(), Some(PRODUCTION), None);
            ok(subjects.iter().map(row).collect())
        }
        _ => after(seen),
    }
}

#[tokio::test]
async fn an_account_alone_does_not_prove_an_acceptance() {
    let hints = [dave_as_reader(&invited())];
    let own = dave_as_reader(&format!("user:{DAVE}"));
    let (of_invitation, of_account) = (json!({"invitation": invitation()}), json!({"user": dave()}));
    for (listed, subjects) in [
        // The person signed in another way and has not accepted it.
        (true, vec![of_invitation.clone()]),
        (false, vec![of_invitation.clone()]),
        // The account has the role as well.
        (true, vec![of_account.clone(), of_invitation.clone()]),
        // Only the list shows that the invitation is not pending (contract 6).
        (true, vec![of_account.clone()]),
        (false, vec![of_account.clone()]),
    ] {
        let shown = subjects.clone();
        let (snapshot, _) = sweep(&hints, move |seen, _| beside(seen, listed, &shown)).await;
        let snapshot = snapshot.expect("a snapshot");
        assert!(snapshot.successor(Kind::Grant, &key_of(&invited())).is_none(), "{subjects:?}");
        let invitation = subjects.contains(&of_invitation);
        assert_eq!(snapshot.by_id(Kind::Grant, &Id::new(&hints[0])).is_some(), invitation, "{subjects:?}");
        let accounts = subjects.contains(&of_account);
        assert_eq!(snapshot.by_id(Kind::Grant, &Id::new(&own)).is_some(), accounts, "{subjects:?}");
        assert_eq!(name_of_dave(&snapshot), Some(format!("user:{DAVE}")), "a new grant is for the account");
        let (_, seen) =
            write(delete(&hints[0], body()), move |seen, _| beside(seen, listed, &subjects)).await;
        assert_eq!(writes(&seen)[0].param("invitation_id"), Some(INVITED));
    }
}

#[tokio::test]
async fn a_grant_of_a_visible_invitation_can_be_proven_absent() {
    let hints = [dave_as_reader(&invited())];
    for (listed, expected) in [(true, Absence::Proven), (false, Absence::Unproven)] {
        let (snapshot, _) = sweep(&hints, move |seen, _| beside(seen, listed, &[])).await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!(snapshot.absence(Kind::Grant, Some(&Id::new(&hints[0]))), expected, "{listed}");
        assert!(snapshot.successor(Kind::Grant, &key_of(&invited())).is_none());
    }
}

#[tokio::test]
async fn a_grant_stays_with_the_account_if_its_address_changes() {
    let own = format!("user:{DAVE}");
    let hints = [dave_as_reader(&own)];
    let (snapshot, _) = sweep(&hints, |seen, _| match call(seen).as_str() {
        path if path == of_org("members") => page(
            seen,
            &[user(DAVE, "dave", "david@example.com", false), user(BOB, "bob", "dave@example.com", false)],
        ),
        _ => after(seen),
    })
    .await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(snapshot.by_id(Kind::Grant, &Id::new(&hints[0])).is_some());
    assert_eq!(name_of_dave(&snapshot), Some(format!("user:{BOB}")), "the address is another person's now");
    assert!(snapshot.by_id(Kind::Grant, &Id::new(dave_as_reader(&format!("user:{BOB}")))).is_none());
}

#[tokio::test]
async fn grants_of_an_invitation_and_its_account_become_one() {
    let own = format!("user:{DAVE}");
    let hints = [dave_as_reader(&invited()), dave_as_reader(&own)];
    let (snapshot, _) = sweep(&hints, |seen, _| after(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(snapshot.all(Kind::Grant).count(), 1);
    let (now, _) = snapshot.successor(Kind::Grant, &key_of(&invited())).expect("a successor");
    assert_eq!((now.as_str(), snapshot.by_id(Kind::Grant, now).is_some()), (hints[1].as_str(), true));
}

#[tokio::test]
async fn a_grant_deleted_after_acceptance_is_proven_absent() {
    let hints = [dave_as_reader(&invited())];
    let (snapshot, _) = sweep(&hints, |seen, _| match call(seen).as_str() {
        path if path == assignments_of(READER) => ok(json!([])),
        _ => after(seen),
    })
    .await;
    let snapshot = snapshot.expect("a snapshot");
    let (now, _) = snapshot.successor(Kind::Grant, &key_of(&invited())).expect("a successor");
    assert_eq!(snapshot.absence(Kind::Grant, Some(now)), Absence::Proven);
    assert_eq!(snapshot.absence(Kind::Grant, Some(&Id::new(&hints[0]))), Absence::Unproven);
}

#[tokio::test]
async fn an_unmanaged_user_can_be_the_invited_person() {
    let bob = dave_as_reader(&format!("user:{BOB}"));
    for (hints, expected) in [
        (vec![dave_as_reader(&invited())], Absence::Unproven),
        // Every user with the role has a managed grant.
        (vec![dave_as_reader(&invited()), bob], Absence::Proven),
    ] {
        let (snapshot, _) = sweep(&hints, |seen, _| match call(seen).as_str() {
            path if path == of_org("invitations") => page(seen, &[]),
            path if path == assignments_of(READER) => ok(json!([assignment(
                READER,
                json!({"user": user(BOB, "bob", "bob@example.com", false)}),
                Some(PRODUCTION),
                None
            )])),
            _ => organization(seen),
        })
        .await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!(snapshot.absence(Kind::Grant, Some(&Id::new(&hints[0]))), expected, "{hints:?}");
    }
}

#[tokio::test]
async fn the_absence_of_an_invitation_needs_both_lists() {
    let hints = [dave_as_reader(&invited())];
    for (refused, expected) in
        [("", Absence::Proven), ("members", Absence::Unproven), ("invitations", Absence::Unproven)]
    {
        let (snapshot, _) = sweep(&hints, move |seen, _| match call(seen).as_str() {
            path if path == of_org(refused) => error(403, "IllegalOperationError", "no"),
            path if path == of_org("invitations") => page(seen, &[]),
            path if path == assignments_of(READER) => ok(json!([])),
            _ => organization(seen),
        })
        .await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!(snapshot.absence(Kind::Grant, Some(&Id::new(&hints[0]))), expected, "{refused}");
    }
}

#[tokio::test]
async fn an_accepted_invitation_in_the_list_is_ignored() {
    let (snapshot, _) = sweep(&[], |seen, _| match call(seen).as_str() {
        path if path == of_org("invitations") => page(seen, &[invitation()]),
        _ => after(seen),
    })
    .await;
    assert_eq!(name_of_dave(&snapshot.expect("a snapshot")), Some(format!("user:{DAVE}")));
}

#[tokio::test]
async fn without_invitations_an_unknown_person_is_not_found() {
    let (snapshot, seen) =
        sweep(&[], with(of_org("invitations"), |_| Reply::json(404, json!({"detail": "Not Found"})))).await;
    assert_eq!(name_of_dave(&snapshot.expect("a snapshot")), None);
    let list = seen.iter().find(|seen| call(seen) == of_org("invitations")).expect("a list");
    assert_eq!(list.param("only_pending"), Some("true"));
}

#[tokio::test]
async fn some_servers_cannot_assign_roles_to_invitations() {
    for status in [400, 404, 422] {
        let (made, _) = write(create(body()), move |seen, _| match call(seen).as_str() {
            path if path.starts_with("POST /roles") => error(status, "ValueError", "neither user nor team"),
            _ => before(seen),
        })
        .await;
        let refused = made.expect_err("a failure");
        assert_eq!(refused.class, Class::Missing);
        assert!(
            refused.message.contains("neither user nor team") && refused.message.contains("sign in first"),
            "{refused}"
        );
    }
}
