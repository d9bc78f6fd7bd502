//! Claims between objects that use one account with different credentials: a claim counts only if its object could act on it.

use super::claims::{
    being_deleted, binding, claimant, claims_of, desired_thing, desiring, inactive, managing, other_claims,
    reader, slot, standing, title, writer,
};
use super::support::role;
use crate::model::{Body, Id, Kind};
use crate::planner::{Claim, Claims, DesiredKeys, OtherClaims, Standing};

const ELSEWHERE: &str = "an object in another namespace";

/// The same claim, with a credential of its own and in another namespace.
fn foreign(claim: Claim) -> Claim {
    let object = binding("team-b", &claim.object.name.name);
    Claim { object, credential: Some("two".into()), ..claim }
}

/// The claim of an object whose credential reads the desired thing under this id.
fn seeing(claim: Claim, body: &Body, id: &str) -> Claim {
    Claim { desired: DesiredKeys::from_iter([(slot(body), desired_thing(body, Some(id)))]), ..claim }
}

fn refused(mut claim: Claim, body: &Body) -> Claim {
    claim.desired.refuse(&slot(body));
    claim
}

fn made(name: &str) -> Claim {
    managing(desiring(name, &reader()), &reader(), Some("G"))
}

#[test]
fn unproven_desire_does_not_keep_a_revoked_grant() {
    for desire in [desiring("b", &reader()), desiring("b", &writer())] {
        let claims = claims_of([("a", being_deleted(made("a"))), ("b", foreign(desire.clone()))]);
        assert_eq!(other_claims(&claims, "a", &reader(), Some("G")), OtherClaims::None);
        let own = claims_of([("a", being_deleted(made("a"))), ("b", desire)]);
        assert_eq!(other_claims(&own, "a", &reader(), Some("G")), OtherClaims::Waiting(title("b")));
    }
}

#[test]
fn heir_must_read_that_very_thing() {
    let heir = |id| foreign(seeing(desiring("b", &reader()), &reader(), id));
    for (id, expected) in [("G", OtherClaims::Waiting(ELSEWHERE.to_owned())), ("X", OtherClaims::None)] {
        let claims = claims_of([("a", being_deleted(made("a"))), ("b", heir(id))]);
        assert_eq!(other_claims(&claims, "a", &reader(), Some("G")), expected, "{id}");
    }
    let claims = claims_of([("a", being_deleted(made("a"))), ("b", heir("G"))]);
    assert_eq!(standing(&claims, "b", &reader(), Some("G")), Standing::NextOwner);
}

#[test]
fn record_keeps_a_grant_even_of_an_unready_backend() {
    let record = foreign(made("b"));
    let mut claims = claims_of([("a", being_deleted(made("a"))), ("b", record)]);
    for _ in 0..2 {
        let shared = other_claims(&claims, "a", &reader(), Some("G"));
        assert_eq!(shared, OtherClaims::Shared(ELSEWHERE.to_owned()));
        claims.suspend(&claimant("b"));
    }
}

#[test]
fn refused_or_inactive_desire_blocks_nobody() {
    let first = |claim: Claim| claims_of([("a", claim), ("b", desiring("b", &writer()))]);
    let seen = seeing(desiring("a", &reader()), &reader(), "G");
    for claim in [
        refused(desiring("a", &reader()), &reader()),
        refused(seen.clone(), &reader()),
        foreign(refused(seen.clone(), &reader())),
        foreign(inactive(seen.clone())),
        foreign(desiring("a", &reader())),
    ] {
        let claims = first(claim.clone());
        assert_eq!(standing(&claims, "b", &writer(), Some("G")), Standing::Free, "{claim:?}");
        assert_eq!(standing(&claims, "b", &writer(), None), Standing::Free, "{claim:?}");
    }
    let proven = standing(&first(foreign(seen)), "b", &writer(), Some("G"));
    assert_eq!(proven, Standing::Blocked(ELSEWHERE.to_owned()), "it can adopt the thing, and is older");
}

#[test]
fn refused_desire_inherits_nothing() {
    let heirs = [("b", refused(desiring("b", &reader()), &reader())), ("c", desiring("c", &reader()))];
    let claims = claims_of([("a", being_deleted(made("a")))].into_iter().chain(heirs));
    assert_eq!(other_claims(&claims, "a", &reader(), Some("G")), OtherClaims::Waiting(title("c")));
    assert_eq!(standing(&claims, "c", &reader(), Some("G")), Standing::NextOwner);
}

#[test]
fn intent_counts_elsewhere_only_while_it_can_be_executed() {
    let pending = foreign(managing(desiring("a", &reader()), &reader(), None));
    let both = |claim: Claim| claims_of([("a", claim), ("b", desiring("b", &writer()))]);
    let blocked = Standing::Blocked(ELSEWHERE.to_owned());
    assert_eq!(standing(&both(pending.clone()), "b", &writer(), None), blocked);
    assert_eq!(standing(&both(pending.clone()), "b", &writer(), Some("G")), blocked);
    for existing in [None, Some("G")] {
        assert_eq!(standing(&both(inactive(pending.clone())), "b", &writer(), existing), Standing::Free);
    }
}

#[test]
fn suspended_object_keeps_its_records_and_inherits_nothing() {
    let heir = seeing(desiring("b", &reader()), &reader(), "G");
    let mut claims = claims_of([("a", being_deleted(made("a"))), ("b", heir)]);
    assert_eq!(claims.suspend(&claimant("b")), [claimant("a")]);
    assert!(claims.suspend(&claimant("b")).is_empty(), "nothing changed");
    assert_eq!(other_claims(&claims, "a", &reader(), Some("G")), OtherClaims::None);

    let mut claims = claims_of([("a", made("a")), ("b", desiring("b", &writer()))]);
    claims.suspend(&claimant("a"));
    assert_eq!(standing(&claims, "b", &writer(), Some("G")), Standing::Blocked(title("a")));
    assert!(claims.suspend(&claimant("x")).is_empty());
}

#[test]
fn chosen_id_of_anothers_role_is_blocked() {
    let (theirs, mine) = (role("theirs", &["read"]), role("mine", &["read"]));
    let claims = claims_of([
        ("a", managing(desiring("a", &theirs), &theirs, Some("uid"))),
        ("b", foreign(desiring("b", &mine))),
    ]);
    assert_eq!(standing(&claims, "b", &mine, Some("uid")), Standing::Blocked(ELSEWHERE.to_owned()));
    let (kind, key) = slot(&mine);
    let ids = [Id::new("of-the-name"), Id::new("uid")];
    let any = claims.standing(&claimant("b"), kind, &key, &ids, &mine.fingerprint());
    assert_eq!(any, Standing::Blocked(ELSEWHERE.to_owned()), "each id counts");
}

#[test]
fn next_owner_of_a_role_is_known_by_its_id() {
    let x = role("x", &["read"]);
    let manager = managing(desiring("a", &x), &x, Some("X"));
    let heir = foreign(seeing(desiring("b", &x), &x, "X"));
    let is_next = |claims: &Claims, id| claims.is_next_owner(&claimant("b"), Kind::Role, &Id::new(id));
    let claims = claims_of([("a", manager.clone()), ("b", heir.clone())]);
    assert!(is_next(&claims, "X") && !is_next(&claims, "Y"));
    assert!(!claims.is_next_owner(&claimant("a"), Kind::Role, &Id::new("X")), "it manages the role");
    for claims in [
        claims_of([("a", manager.clone()), ("b", inactive(heir.clone()))]),
        claims_of([("a", manager), ("b", foreign(desiring("b", &x)))]),
        claims_of([("b", heir)]),
    ] {
        assert!(!is_next(&claims, "X"));
    }
}
