//! The standing of objects, and what other objects claim of a managed thing, case by case.

use super::support::{TestDialect, desired_for, grant, present, restriction, role, unresolved};
use crate::model::{Body, Fingerprint, Id, IdentityRules, Key, Kind, Snapshot};
use crate::planner::{
    Claim, Claimant, Claims, Desired, DesiredKeys, DesiredThing, Held, ObjectKind, ObjectName, ObjectRef,
    OtherClaims, Standing, desired_keys,
};

const DIALECT: TestDialect = TestDialect::OneRoleAScope;

pub fn claimant(name: &str) -> Claimant {
    Claimant { created: 1, uid: name.into() }
}

pub fn binding(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef { kind: ObjectKind::RoleBinding, name: ObjectName::new(namespace, name) }
}

pub fn slot(body: &Body) -> (Kind, Key) {
    (body.kind(), DIALECT.key(body))
}

pub fn desired_thing(body: &Body, seen: Option<&str>) -> DesiredThing {
    DesiredThing { fingerprint: body.fingerprint(), seen: seen.map(Id::new), refused: false }
}

/// The claim of an active object that desires one thing.
pub fn desiring(name: &str, body: &Body) -> Claim {
    Claim {
        object: binding("team-a", name),
        backend: ObjectName::new("team-a", "backend"),
        credential: Some("one".into()),
        desired: DesiredKeys::from_iter([(slot(body), desired_thing(body, None))]),
        managed: Vec::new(),
        taken: Box::default(),
        reach: Box::default(),
        active: true,
        is_being_deleted: false,
        is_requested: false,
        complete: None,
    }
}

pub fn managing(claim: Claim, body: &Body, id: Option<&str>) -> Claim {
    let (kind, key) = slot(body);
    Claim { managed: vec![(kind, key, id.map(Id::new))], ..claim }
}

pub fn being_deleted(claim: Claim) -> Claim {
    Claim { desired: DesiredKeys::default(), active: false, is_being_deleted: true, ..claim }
}

pub fn inactive(claim: Claim) -> Claim {
    Claim { active: false, ..claim }
}

pub fn claims_of(objects: impl IntoIterator<Item = (&'static str, Claim)>) -> Claims {
    let mut claims = Claims::default();
    for (name, claim) in objects {
        claims.set(claimant(name), claim);
    }
    claims
}

pub fn standing(claims: &Claims, name: &str, body: &Body, existing: Option<&str>) -> Standing {
    let (kind, key) = slot(body);
    let existing: Vec<Id> = existing.map(Id::new).into_iter().collect();
    claims.standing(&claimant(name), kind, &key, &existing, &body.fingerprint())
}

pub fn other_claims(claims: &Claims, name: &str, body: &Body, id: Option<&str>) -> OtherClaims {
    let (kind, key) = slot(body);
    claims.other_claims(&claimant(name), kind, &key, id.map(Id::new).as_ref())
}

pub fn title(name: &str) -> String {
    format!("RoleBinding team-a/{name}")
}

pub fn reader() -> Body {
    grant("reader", "alice", Some("p"))
}

pub fn writer() -> Body {
    grant("writer", "alice", Some("p"))
}

#[test]
fn single_object_is_free() {
    let claims = claims_of([("a", desiring("a", &reader()))]);
    assert_eq!(standing(&claims, "a", &reader(), None), Standing::Free);
    assert_eq!(standing(&claims, "a", &reader(), Some("outside")), Standing::Free);
}

#[test]
fn oldest_object_goes_first_if_none_manages_the_thing() {
    let claims = claims_of([
        ("a", desiring("a", &reader())),
        ("b", desiring("b", &reader())),
        ("c", desiring("c", &writer())),
    ]);
    assert_eq!(standing(&claims, "a", &reader(), None), Standing::Free);
    assert_eq!(standing(&claims, "b", &reader(), None), Standing::Waiting(title("a")));
    assert_eq!(standing(&claims, "c", &writer(), None), Standing::Blocked(title("a")));
}

#[test]
fn age_precedes_the_uid() {
    let mut claims = Claims::default();
    let young = Claimant { created: 2, uid: "a".into() };
    claims.set(young.clone(), desiring("young", &reader()));
    claims.set(claimant("z"), desiring("old", &reader()));
    let (kind, key) = slot(&reader());
    let standing = claims.standing(&young, kind, &key, &[], &reader().fingerprint());
    assert_eq!(standing, Standing::Waiting(title("old")));
}

#[test]
fn inactive_object_without_the_thing_blocks_nobody() {
    let claims = claims_of([("a", inactive(desiring("a", &reader()))), ("b", desiring("b", &reader()))]);
    assert_eq!(standing(&claims, "b", &reader(), None), Standing::Free);
    assert_eq!(standing(&claims, "a", &reader(), None), Standing::Free, "its standing if it becomes active");
}

#[test]
fn manager_keeps_the_thing_from_an_older_object() {
    let claims = claims_of([
        ("a", desiring("a", &writer())),
        ("b", managing(desiring("b", &reader()), &reader(), Some("G"))),
    ]);
    assert_eq!(standing(&claims, "b", &reader(), Some("G")), Standing::Free);
    assert_eq!(standing(&claims, "a", &writer(), Some("G")), Standing::Blocked(title("b")));
}

#[test]
fn equal_grants_are_shared_but_not_roles_or_restrictions() {
    let manager = |body: &Body| ("a", managing(desiring("a", body), body, Some("G")));
    let both = |body: &Body| claims_of([manager(body), ("b", desiring("b", body))]);
    assert_eq!(standing(&both(&reader()), "b", &reader(), Some("G")), Standing::Shared(title("a")));
    for body in [restriction("p"), role("x", &["read"])] {
        assert_eq!(standing(&both(&body), "b", &body, Some("G")), Standing::Blocked(title("a")));
    }
}

#[test]
fn grant_that_its_manager_must_create_is_awaited() {
    let claims = claims_of([
        ("b", managing(desiring("b", &reader()), &reader(), None)),
        ("a", desiring("a", &reader())),
    ]);
    for existing in [None, Some("G")] {
        assert_eq!(standing(&claims, "a", &reader(), existing), Standing::Waiting(title("b")));
    }
    assert_eq!(standing(&claims, "b", &reader(), None), Standing::Free);
}

#[test]
fn one_sharer_recreates_a_shared_grant() {
    let sharer = |name| managing(desiring(name, &reader()), &reader(), Some("deleted"));
    let both = claims_of([("a", sharer("a")), ("b", sharer("b"))]);
    assert_eq!(standing(&both, "a", &reader(), None), Standing::Free);
    assert_eq!(standing(&both, "b", &reader(), None), Standing::Waiting(title("a")));
    let one_inactive = claims_of([("a", inactive(sharer("a"))), ("b", sharer("b"))]);
    assert_eq!(standing(&one_inactive, "b", &reader(), None), Standing::Free);
}

#[test]
fn active_object_creates_what_an_inactive_one_does_not() {
    let sharer = inactive(managing(desiring("a", &reader()), &reader(), Some("deleted")));
    let claims = claims_of([("a", sharer), ("b", desiring("b", &reader())), ("c", desiring("c", &writer()))]);
    assert_eq!(standing(&claims, "b", &reader(), None), Standing::NextOwner);
    assert_eq!(standing(&claims, "c", &writer(), None), Standing::Blocked(title("a")));
}

#[test]
fn sharers_that_disagree_are_both_blocked() {
    let claims = claims_of([
        ("a", managing(desiring("a", &reader()), &reader(), Some("G"))),
        ("b", managing(desiring("b", &writer()), &reader(), Some("G"))),
    ]);
    assert_eq!(standing(&claims, "a", &reader(), Some("G")), Standing::Blocked(title("b")));
    assert_eq!(standing(&claims, "b", &writer(), Some("G")), Standing::Blocked(title("a")));
}

#[test]
fn older_of_two_pending_managers_goes_first() {
    let pending = |name, body: &Body| managing(desiring(name, body), body, None);
    let (one, other) = (role("x", &["read"]), role("x", &["write"]));
    let claims = claims_of([("a", pending("a", &one)), ("b", pending("b", &other))]);
    assert_eq!(standing(&claims, "a", &one, None), Standing::Free);
    assert_eq!(standing(&claims, "b", &other, None), Standing::Blocked(title("a")));
}

#[test]
fn deleted_manager_hands_over_to_the_oldest_active_object() {
    let claims = claims_of([
        ("a", being_deleted(managing(desiring("a", &reader()), &reader(), Some("G")))),
        ("b", inactive(desiring("b", &reader()))),
        ("c", desiring("c", &writer())),
        ("d", desiring("d", &writer())),
    ]);
    assert_eq!(standing(&claims, "b", &reader(), Some("G")), Standing::Blocked(title("a")));
    assert_eq!(standing(&claims, "c", &writer(), Some("G")), Standing::NextOwner);
    assert_eq!(standing(&claims, "d", &writer(), Some("G")), Standing::Waiting(title("c")));
    assert_eq!(other_claims(&claims, "a", &reader(), Some("G")), OtherClaims::Waiting(title("c")));
}

#[test]
fn manager_with_a_changed_spec_hands_over() {
    let elsewhere = grant("reader", "alice", Some("q"));
    let claims = claims_of([
        ("a", managing(desiring("a", &elsewhere), &reader(), Some("G"))),
        ("b", desiring("b", &reader())),
    ]);
    assert_eq!(standing(&claims, "b", &reader(), Some("G")), Standing::NextOwner);
    assert_eq!(other_claims(&claims, "a", &reader(), Some("G")), OtherClaims::Waiting(title("b")));
}

#[test]
fn inactive_manager_releases_nothing() {
    let elsewhere = grant("reader", "alice", Some("q"));
    let claims = claims_of([
        ("a", inactive(managing(desiring("a", &elsewhere), &reader(), Some("G")))),
        ("b", desiring("b", &reader())),
    ]);
    assert_eq!(standing(&claims, "b", &reader(), Some("G")), Standing::Blocked(title("a")));
}

#[test]
fn role_to_be_renamed_is_not_released() {
    let (old, new) = (role("old", &["read"]), role("new", &["read"]));
    let claims =
        claims_of([("b", managing(desiring("b", &new), &old, Some("R"))), ("a", desiring("a", &old))]);
    assert_eq!(standing(&claims, "a", &old, Some("R")), Standing::Blocked(title("b")));
    assert_eq!(standing(&claims, "b", &new, None), Standing::Free);
}

#[test]
fn role_is_not_renamed_to_the_name_of_a_missing_role() {
    let (own, wanted) = (role("writer", &["read"]), role("reader", &["read"]));
    let renamed = managing(desiring("renamed", &wanted), &own, Some("r-2"));
    let owner = managing(desiring("owner", &wanted), &wanted, Some("r-1"));
    let claims = claims_of([("owner", owner.clone()), ("renamed", renamed.clone())]);
    assert_eq!(standing(&claims, "renamed", &wanted, Some("r-2")), Standing::Blocked(title("owner")));
    assert_eq!(standing(&claims, "owner", &wanted, None), Standing::Free);

    let claims = claims_of([("owner", inactive(owner)), ("renamed", renamed)]);
    assert_eq!(standing(&claims, "renamed", &wanted, Some("r-2")), Standing::Blocked(title("owner")));
}

#[test]
fn role_is_not_handed_to_an_object_with_its_own_role() {
    let (mine, name) = (role("mine", &["read"]), role("name", &["read"]));
    let claims = claims_of([
        ("a", being_deleted(managing(desiring("a", &name), &name, Some("N")))),
        ("b", managing(desiring("b", &name), &mine, Some("M"))),
    ]);
    assert_eq!(
        other_claims(&claims, "a", &name, Some("N")),
        OtherClaims::None,
        "it is deleted, and the name becomes free"
    );
    assert_eq!(standing(&claims, "b", &name, Some("N")), Standing::Blocked(title("a")));
}

#[test]
fn foreign_thing_is_not_handed_over() {
    let claims = claims_of([
        ("a", being_deleted(managing(desiring("a", &reader()), &reader(), Some("G")))),
        ("b", desiring("b", &writer())),
    ]);
    assert_eq!(
        standing(&claims, "b", &writer(), Some("outside")),
        Standing::Free,
        "the adopt policy decides"
    );
}

#[test]
fn new_owner_keeps_it_before_the_old_one_releases_it() {
    let claims = claims_of([
        ("a", desiring("a", &writer())),
        ("b", being_deleted(managing(desiring("b", &reader()), &reader(), Some("G")))),
        ("c", managing(desiring("c", &reader()), &reader(), Some("G"))),
    ]);
    assert_eq!(standing(&claims, "c", &reader(), Some("G")), Standing::NextOwner);
    assert_eq!(standing(&claims, "a", &writer(), Some("G")), Standing::Blocked(title("c")));
    assert_eq!(other_claims(&claims, "b", &reader(), Some("G")), OtherClaims::Shared(title("c")));
}

#[test]
fn another_thing_with_the_same_key_is_not_shared() {
    let renamed = role("x", &["read"]);
    let claims = claims_of([
        ("a", being_deleted(managing(desiring("a", &renamed), &renamed, Some("R1")))),
        ("b", managing(desiring("b", &renamed), &renamed, Some("R2"))),
    ]);
    assert_eq!(other_claims(&claims, "a", &renamed, Some("R1")), OtherClaims::None);
}

#[test]
fn recorded_thing_waits_for_a_pending_manager() {
    let claims = claims_of([
        ("a", being_deleted(managing(desiring("a", &reader()), &reader(), Some("G")))),
        ("b", managing(desiring("b", &reader()), &reader(), None)),
    ]);
    assert_eq!(other_claims(&claims, "a", &reader(), Some("G")), OtherClaims::Waiting(title("b")));
    assert_eq!(standing(&claims, "b", &reader(), Some("G")), Standing::NextOwner);
}

#[test]
fn manager_in_another_namespace_is_not_named() {
    let mut claims = claims_of([("a", managing(desiring("a", &reader()), &reader(), Some("G")))]);
    claims.set(claimant("b"), Claim { object: binding("team-b", "b"), ..desiring("b", &writer()) });
    let blocked = standing(&claims, "b", &writer(), Some("G"));
    assert_eq!(blocked, Standing::Blocked("an object in another namespace".to_owned()));
}

#[test]
fn affected_objects_are_returned() {
    let mut claims = claims_of([
        ("a", managing(desiring("a", &reader()), &reader(), Some("G"))),
        ("b", desiring("b", &writer())),
        ("c", desiring("c", &grant("reader", "bob", Some("p")))),
    ]);
    let claim = desiring("a", &reader());
    assert_eq!(claims.set(claimant("a"), claim.clone()), [claimant("b")], "a manages the thing no longer");
    assert!(claims.set(claimant("a"), claim).is_empty(), "nothing changed");
    assert_eq!(claims.remove(&claimant("a")), [claimant("b")]);
    assert!(claims.remove(&claimant("a")).is_empty());
}

#[test]
fn managed_ids_are_known_until_released() {
    let mut claims = claims_of([("a", managing(desiring("a", &reader()), &reader(), Some("G")))]);
    assert!(claims.is_managed(Kind::Grant, &Id::new("G")));
    assert!(!claims.is_managed(Kind::Role, &Id::new("G")));
    claims.remove(&claimant("a"));
    assert!(!claims.is_managed(Kind::Grant, &Id::new("G")));
}

fn desired_of(items: &[Desired], held: &[Held]) -> DesiredKeys {
    desired_keys(items, held, &DIALECT, &Snapshot::default())
}

#[test]
fn things_under_unresolved_names_count_as_desired() {
    let (alice, bob) = (grant("R", "alice", Some("p")), grant("R", "bob", Some("p")));
    let entries = [present(DIALECT, "1", &alice, Some("alice")), present(DIALECT, "2", &bob, Some("bob"))];
    let keys = |items: &[Desired]| desired_of(items, &entries).keys().cloned().collect::<Vec<_>>();
    let carol = grant("R", "carol", Some("p"));
    let one = [unresolved(Some("alice")), desired_for("carol", carol.clone())];
    assert_eq!(keys(&one), [slot(&alice), slot(&carol)]);
    assert_eq!(keys(&[unresolved(None)]), [slot(&alice), slot(&bob)]);
    assert!(keys(&[]).is_empty(), "without desired items nothing is retained");
    let retained = desired_of(&[unresolved(None)], &entries[..1]);
    let fingerprints: Vec<&Fingerprint> = retained.iter().map(|(_, thing)| &thing.fingerprint).collect();
    assert_eq!(fingerprints, [&alice.fingerprint()]);
}

#[test]
fn thing_is_claimed_if_an_object_manages_or_desires_it() {
    let (kind, key) = slot(&reader());
    let claimed =
        |claims: &Claims, id: &str| claims.is_claimed_by_others(&claimant("p"), kind, &key, &Id::new(id));
    assert!(!claimed(&Claims::default(), "G"));
    // Also one that cannot act, and one whose own credential cannot see the thing.
    let desires = claims_of([("a", inactive(desiring("a", &reader())))]);
    assert!(claimed(&desires, "G"));
    assert!(!desires.is_claimed_by_others(&claimant("a"), kind, &key, &Id::new("G")), "its own");
    let nothing = Claim { desired: DesiredKeys::default(), ..desiring("a", &reader()) };
    let pending = claims_of([("a", managing(nothing.clone(), &reader(), None))]);
    assert!(claimed(&pending, "G"));
    let other_key = slot(&grant("R", "bob", Some("p")));
    let by_id = Claim { managed: vec![(kind, other_key.1, Some(Id::new("G")))], ..nothing };
    let by_id = claims_of([("a", by_id)]);
    assert!(claimed(&by_id, "G") && !claimed(&by_id, "H"));
}

#[test]
fn requested_thing_is_managed_for_requests_only() {
    let (kind, key) = slot(&reader());
    let requested = |claims: &Claims| claims.is_requested(kind, &key, &Id::new("G"));
    assert!(!requested(&Claims::default()));
    let one = managing(desiring("a", &reader()), &reader(), Some("G"));
    let for_request = Claim { is_requested: true, ..one.clone() };
    assert!(requested(&claims_of([("a", for_request.clone())])));
    assert!(!requested(&claims_of([("a", one.clone())])));
    assert!(!requested(&claims_of([("a", for_request), ("b", one)])), "it is shared");
}
