//! People who are only invited, and what becomes of what they hold when they come.

use super::{super::dialect::ZenmlDialect, *};
use rolewright_core::model::{Dialect, NameMatch};

fn invited() -> String {
    format!("invitation:{INVITED}:dave@example.com")
}

fn dave_reads(as_whom: &str) -> String {
    grant_id(READER, &format!("workspace:{PRODUCTION}"), as_whom)
}

fn body() -> Body {
    grant(READER, &invited(), in_production())
}

fn dave() -> Value {
    user(DAVE, "dave", "dave@Example.com", false)
}

/// The organization with an invitation that holds the role.
fn before(seen: &Seen) -> Reply {
    match call(seen).as_str() {
        path if path == holders_of(READER) => {
            ok(json!([assignment(READER, json!({"invitation": invitation()}), Some(PRODUCTION), None),]))
        }
        path if path.ends_with("/assignments") && seen.method != "GET" => ok(Value::Null),
        _ => organization(seen),
    }
}

/// The same after the invitation was accepted.
fn after(seen: &Seen) -> Reply {
    match call(seen).as_str() {
        path if path == of_org("members") => page(seen, &[dave()]),
        path if path == of_org("invitations") => page(seen, &[]),
        path if path == holders_of(READER) => {
            ok(json!([assignment(READER, json!({"user": dave()}), Some(PRODUCTION), None),]))
        }
        path if path.ends_with("/assignments") && seen.method != "GET" => ok(Value::Null),
        _ => organization(seen),
    }
}

fn name_of_dave(snapshot: &Snapshot) -> Option<String> {
    match snapshot.directory().find("user", "dave@example.com", None) {
        NameMatch::One(entry) => Some(entry.named.id.to_string()),
        NameMatch::None => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_invitation_is_given_the_role_until_it_is_accepted_and_the_account_afterwards() {
    for (server, parameter, uuid) in
        [(before as fn(&Seen) -> Reply, "invitation_id", INVITED), (after, "user_id", DAVE)]
    {
        for change in [create(body()), delete(dave_reads(&invited()), body())] {
            let (done, seen) = write(change, move |seen, _| server(seen)).await;
            let seen = writes(&seen);
            assert_eq!(seen.len(), 1);
            assert_eq!(
                (seen[0].param(parameter), seen[0].param("workspace_id")),
                (Some(uuid), Some(PRODUCTION))
            );
            assert_eq!(seen[0].query.len(), 2);
            if let Some(made) = done.expect("a success") {
                assert_eq!((made.id, made.body), (Id::new(dave_reads(&invited())), body()));
            }
        }
    }
}

#[tokio::test]
async fn what_is_held_for_an_invitation_is_the_accounts_as_soon_as_it_is_seen() {
    let held = [dave_reads(&invited())];
    let own = format!("user:{DAVE}");
    for (server, whose) in [(before as fn(&Seen) -> Reply, invited()), (after, own.clone())] {
        let (snapshot, _) = sweep(&held, move |seen, _| server(seen)).await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!(name_of_dave(&snapshot), Some(whose.clone()));
        assert_eq!(snapshot.all(Kind::Grant).count(), 1);
        let seen = snapshot.by_id(Kind::Grant, &Id::new(dave_reads(&whose))).expect("the grant");
        let now = snapshot.successor(Kind::Grant, &key_of(&invited()));
        assert_eq!(now.is_some(), whose == own);
        assert!(now.is_none_or(|(id, key)| (id, key) == (&seen.id, &seen.key)), "{now:?}");
        // Until that is recorded it is still read under the old id.
        let (_stub, zenml) = zenml(move |seen, _| server(seen)).await;
        let read = zenml.read(Kind::Grant, &Id::new(&held[0])).await.expect("an answer").expect("the grant");
        assert_eq!(read.id, Id::new(&held[0]));
    }
}

fn key_of(subject: &str) -> Key {
    ZenmlDialect.key(&grant(READER, subject, in_production()))
}

/// An account beside an invitation of its address that is shown, or may not be listed; the role is held by these.
fn beside(seen: &Seen, listed: bool, holders: &[Value]) -> Reply {
    match call(seen).as_str() {
        path if path == of_org("invitations") && !listed => error(403, "IllegalOperationError", "no"),
        path if path == of_org("invitations") => page(seen, &[invitation()]),
        path if path == holders_of(READER) => {
            let row = |holder: &Value| assignment(READER, holder.clone(), Some(PRODUCTION), None);
            ok(holders.iter().map(row).collect())
        }
        _ => after(seen),
    }
}

#[tokio::test]
async fn an_account_has_what_an_invitation_of_its_address_was_given_only_where_it_is_seen_to_hold_it() {
    let held = [dave_reads(&invited())];
    let own = dave_reads(&format!("user:{DAVE}"));
    let (of_invitation, of_account) = (json!({"invitation": invitation()}), json!({"user": dave()}));
    for (listed, holders, handed_over) in [
        // Somebody came in another way, and has not accepted it.
        (true, vec![of_invitation.clone()], false),
        (false, vec![of_invitation.clone()], false),
        // The account was given the role as well.
        (true, vec![of_account.clone(), of_invitation.clone()], false),
        // The server shows invitations that were accepted.
        (true, vec![of_account.clone()], true),
        (false, vec![of_account.clone()], true),
    ] {
        let told = holders.clone();
        let (snapshot, _) = sweep(&held, move |seen, _| beside(seen, listed, &told)).await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!(
            snapshot.successor(Kind::Grant, &key_of(&invited())).is_some(),
            handed_over,
            "{holders:?}"
        );
        assert_eq!(snapshot.by_id(Kind::Grant, &Id::new(&held[0])).is_some(), !handed_over, "{holders:?}");
        let accounts = holders.contains(&of_account);
        assert_eq!(snapshot.by_id(Kind::Grant, &Id::new(&own)).is_some(), accounts, "{holders:?}");
        assert_eq!(name_of_dave(&snapshot), Some(format!("user:{DAVE}")), "a new grant is the account's");
        let (_, seen) = write(delete(&held[0], body()), move |seen, _| beside(seen, listed, &holders)).await;
        let by = if handed_over { ("user_id", DAVE) } else { ("invitation_id", INVITED) };
        assert_eq!(writes(&seen)[0].param(by.0), Some(by.1));
    }
}

#[tokio::test]
async fn a_grant_that_neither_the_invitation_nor_the_account_holds_is_gone_if_the_invitation_is_seen() {
    let held = [dave_reads(&invited())];
    for (listed, expected) in [(true, Absence::Proven), (false, Absence::Unproven)] {
        let (snapshot, _) = sweep(&held, move |seen, _| beside(seen, listed, &[])).await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!(snapshot.absence(Kind::Grant, Some(&Id::new(&held[0]))), expected, "{listed}");
        assert!(snapshot.successor(Kind::Grant, &key_of(&invited())).is_none());
    }
}

#[tokio::test]
async fn what_was_held_for_the_account_follows_it_whatever_its_address_is_by_now() {
    let own = format!("user:{DAVE}");
    let held = [dave_reads(&own)];
    let (snapshot, _) = sweep(&held, |seen, _| match call(seen).as_str() {
        path if path == of_org("members") => page(
            seen,
            &[user(DAVE, "dave", "david@example.com", false), user(BOB, "bob", "dave@example.com", false)],
        ),
        _ => after(seen),
    })
    .await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(snapshot.by_id(Kind::Grant, &Id::new(&held[0])).is_some());
    assert_eq!(name_of_dave(&snapshot), Some(format!("user:{BOB}")), "a name is not a person");
    assert!(snapshot.by_id(Kind::Grant, &Id::new(dave_reads(&format!("user:{BOB}")))).is_none());
}

#[tokio::test]
async fn who_is_held_both_ways_is_one_by_now() {
    let own = format!("user:{DAVE}");
    let held = [dave_reads(&invited()), dave_reads(&own)];
    let (snapshot, _) = sweep(&held, |seen, _| after(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(snapshot.all(Kind::Grant).count(), 1);
    let (now, _) = snapshot.successor(Kind::Grant, &key_of(&invited())).expect("a successor");
    assert_eq!((now.as_str(), snapshot.by_id(Kind::Grant, now).is_some()), (held[1].as_str(), true));
}

#[tokio::test]
async fn a_grant_taken_from_the_account_by_hand_is_gone() {
    let held = [dave_reads(&invited())];
    let (snapshot, _) = sweep(&held, |seen, _| match call(seen).as_str() {
        path if path == holders_of(READER) => ok(json!([])),
        _ => after(seen),
    })
    .await;
    let snapshot = snapshot.expect("a snapshot");
    let (now, _) = snapshot.successor(Kind::Grant, &key_of(&invited())).expect("a successor");
    assert_eq!(snapshot.absence(Kind::Grant, Some(now)), Absence::Proven);
    assert_eq!(snapshot.absence(Kind::Grant, Some(&Id::new(&held[0]))), Absence::Unproven);
}

#[tokio::test]
async fn whoever_accepted_and_goes_by_another_address_is_not_taken_for_gone() {
    let bob = dave_reads(&format!("user:{BOB}"));
    for (held, expected) in [
        (vec![dave_reads(&invited())], Absence::Unproven),
        // Everybody there is accounted for.
        (vec![dave_reads(&invited()), bob], Absence::Proven),
    ] {
        let (snapshot, _) = sweep(&held, |seen, _| match call(seen).as_str() {
            path if path == of_org("invitations") => page(seen, &[]),
            path if path == holders_of(READER) => ok(json!([assignment(
                READER,
                json!({"user": user(BOB, "bob", "bob@example.com", false)}),
                Some(PRODUCTION),
                None
            )])),
            _ => organization(seen),
        })
        .await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!(snapshot.absence(Kind::Grant, Some(&Id::new(&held[0]))), expected, "{held:?}");
    }
}

#[tokio::test]
async fn a_grant_of_an_invitation_is_gone_with_it_only_if_everybody_is_seen() {
    let held = [dave_reads(&invited())];
    for (refused, expected) in
        [("", Absence::Proven), ("members", Absence::Unproven), ("invitations", Absence::Unproven)]
    {
        let (snapshot, _) = sweep(&held, move |seen, _| match call(seen).as_str() {
            path if path == of_org(refused) => error(403, "IllegalOperationError", "no"),
            path if path == of_org("invitations") => page(seen, &[]),
            path if path == holders_of(READER) => ok(json!([])),
            _ => organization(seen),
        })
        .await;
        let snapshot = snapshot.expect("a snapshot");
        assert_eq!(snapshot.absence(Kind::Grant, Some(&Id::new(&held[0]))), expected, "{refused}");
    }
}

#[tokio::test]
async fn a_server_that_shows_accepted_invitations_too_misleads_nobody() {
    let (snapshot, _) = sweep(&[], |seen, _| match call(seen).as_str() {
        path if path == of_org("invitations") => page(seen, &[invitation()]),
        _ => after(seen),
    })
    .await;
    assert_eq!(name_of_dave(&snapshot.expect("a snapshot")), Some(format!("user:{DAVE}")));
}

#[tokio::test]
async fn where_the_server_knows_no_invitations_nobody_of_the_name_is_found() {
    let (snapshot, seen) =
        sweep(&[], with(of_org("invitations"), |_| Reply::json(404, json!({"detail": "Not Found"})))).await;
    assert_eq!(name_of_dave(&snapshot.expect("a snapshot")), None);
    let list = seen.iter().find(|seen| call(seen) == of_org("invitations")).expect("a list");
    assert_eq!(list.param("only_pending"), Some("true"));
}

#[tokio::test]
async fn a_server_that_gives_invitations_no_roles_makes_them_wait_for_their_owners() {
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
