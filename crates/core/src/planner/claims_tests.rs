//! Standings and what others have to do with a held thing, case by case.

use super::{
    testing::{TestDialect, grant, held, restriction, role},
    *,
};
use crate::model::{Body, Fingerprint, Id, IdentityRules, Key, Kind};

const DIALECT: TestDialect = TestDialect::OneRoleAScope;

fn claimant(name: &str) -> Claimant {
    Claimant { created: "2026-01-01T00:00:00Z".to_owned(), uid: name.to_owned() }
}

fn slot(body: &Body) -> (Kind, Key) {
    (body.kind(), DIALECT.key(body))
}

/// An active object that asks for one thing.
fn asking(name: &str, body: &Body) -> Claim {
    Claim {
        title: format!("RoleBinding team-a/{name}"),
        namespace: "team-a".to_owned(),
        wants: Asks::from_iter([(slot(body), body.fingerprint())]),
        holds: Vec::new(),
        taken: Box::default(),
        active: true,
        going: false,
    }
}

fn holding(claim: Claim, body: &Body, id: Option<&str>) -> Claim {
    let (kind, key) = slot(body);
    Claim { holds: vec![(kind, key, id.map(Id::new))], ..claim }
}

fn going(claim: Claim) -> Claim {
    Claim { wants: Asks::default(), active: false, going: true, ..claim }
}

fn resting(claim: Claim) -> Claim {
    Claim { active: false, ..claim }
}

fn town(claims: impl IntoIterator<Item = (&'static str, Claim)>) -> Claims {
    let mut town = Claims::default();
    for (name, claim) in claims {
        town.set(claimant(name), claim);
    }
    town
}

fn standing(town: &Claims, name: &str, body: &Body, there: Option<&str>) -> Standing {
    let (kind, key) = slot(body);
    town.standing(&claimant(name), kind, &key, there.map(Id::new).as_ref(), &body.fingerprint())
}

fn others(town: &Claims, name: &str, body: &Body, id: Option<&str>) -> Others {
    let (kind, key) = slot(body);
    town.others(&claimant(name), kind, &key, id.map(Id::new).as_ref())
}

fn title(name: &str) -> String {
    format!("RoleBinding team-a/{name}")
}

fn reader() -> Body {
    grant("reader", "alice", Some("p"))
}

fn writer() -> Body {
    grant("writer", "alice", Some("p"))
}

#[test]
fn who_is_alone_is_free() {
    let town = town([("a", asking("a", &reader()))]);
    assert_eq!(standing(&town, "a", &reader(), None), Standing::Free);
    assert_eq!(standing(&town, "a", &reader(), Some("stranger")), Standing::Free);
}

#[test]
fn of_those_that_hold_nothing_the_oldest_goes_first() {
    let town =
        town([("a", asking("a", &reader())), ("b", asking("b", &reader())), ("c", asking("c", &writer()))]);
    assert_eq!(standing(&town, "a", &reader(), None), Standing::Free);
    assert_eq!(standing(&town, "b", &reader(), None), Standing::Behind(title("a")));
    assert_eq!(standing(&town, "c", &writer(), None), Standing::Blocked(title("a")));
}

#[test]
fn age_decides_before_the_uid() {
    let mut town = Claims::default();
    let young = Claimant { created: "2026-02-01T00:00:00Z".to_owned(), uid: "a".to_owned() };
    town.set(young.clone(), asking("young", &reader()));
    town.set(claimant("z"), asking("old", &reader()));
    let (kind, key) = slot(&reader());
    let standing = town.standing(&young, kind, &key, None, &reader().fingerprint());
    assert_eq!(standing, Standing::Behind(title("old")));
}

#[test]
fn who_does_not_write_stands_in_nobodys_way_unless_it_holds() {
    let town = town([("a", resting(asking("a", &reader()))), ("b", asking("b", &reader()))]);
    assert_eq!(standing(&town, "b", &reader(), None), Standing::Free);
    assert_eq!(standing(&town, "a", &reader(), None), Standing::Free, "what it would do if it did");
}

#[test]
fn the_holder_keeps_a_thing_from_an_older_object() {
    let town =
        town([("a", asking("a", &writer())), ("b", holding(asking("b", &reader()), &reader(), Some("G")))]);
    assert_eq!(standing(&town, "b", &reader(), Some("G")), Standing::Free);
    assert_eq!(standing(&town, "a", &writer(), Some("G")), Standing::Blocked(title("b")));
}

#[test]
fn equal_grants_are_shared_and_restrictions_and_roles_are_not() {
    let holder = |body: &Body| ("a", holding(asking("a", body), body, Some("G")));
    let both = |body: &Body| town([holder(body), ("b", asking("b", body))]);
    assert_eq!(standing(&both(&reader()), "b", &reader(), Some("G")), Standing::Shared(title("a")));
    for body in [restriction("p"), role("x", &["read"])] {
        assert_eq!(standing(&both(&body), "b", &body, Some("G")), Standing::Blocked(title("a")));
    }
}

#[test]
fn a_grant_that_its_holder_has_yet_to_make_is_waited_for() {
    let town = town([("b", holding(asking("b", &reader()), &reader(), None)), ("a", asking("a", &reader()))]);
    for there in [None, Some("G")] {
        assert_eq!(standing(&town, "a", &reader(), there), Standing::Behind(title("b")));
    }
    assert_eq!(standing(&town, "b", &reader(), None), Standing::Free);
}

#[test]
fn one_of_those_that_share_a_grant_makes_it_again() {
    let sharer = |name| holding(asking(name, &reader()), &reader(), Some("gone"));
    let both = town([("a", sharer("a")), ("b", sharer("b"))]);
    assert_eq!(standing(&both, "a", &reader(), None), Standing::Free);
    assert_eq!(standing(&both, "b", &reader(), None), Standing::Behind(title("a")));
    let one_rests = town([("a", resting(sharer("a"))), ("b", sharer("b"))]);
    assert_eq!(standing(&one_rests, "b", &reader(), None), Standing::Free);
}

#[test]
fn what_a_resting_holder_will_not_make_again_another_makes() {
    let sharer = resting(holding(asking("a", &reader()), &reader(), Some("gone")));
    let town = town([("a", sharer), ("b", asking("b", &reader())), ("c", asking("c", &writer()))]);
    assert_eq!(standing(&town, "b", &reader(), None), Standing::Heir);
    assert_eq!(standing(&town, "c", &writer(), None), Standing::Blocked(title("a")));
}

#[test]
fn two_sharers_that_fall_out_are_both_blocked() {
    let town = town([
        ("a", holding(asking("a", &reader()), &reader(), Some("G"))),
        ("b", holding(asking("b", &writer()), &reader(), Some("G"))),
    ]);
    assert_eq!(standing(&town, "a", &reader(), Some("G")), Standing::Blocked(title("b")));
    assert_eq!(standing(&town, "b", &writer(), Some("G")), Standing::Blocked(title("a")));
}

#[test]
fn of_two_intents_for_one_thing_the_older_objects_holds() {
    let intent = |name, body: &Body| holding(asking(name, body), body, None);
    let (one, other) = (role("x", &["read"]), role("x", &["write"]));
    let town = town([("a", intent("a", &one)), ("b", intent("b", &other))]);
    assert_eq!(standing(&town, "a", &one, None), Standing::Free);
    assert_eq!(standing(&town, "b", &other, None), Standing::Blocked(title("a")));
}

#[test]
fn a_holder_that_goes_hands_over_to_the_oldest_that_writes() {
    let town = town([
        ("a", going(holding(asking("a", &reader()), &reader(), Some("G")))),
        ("b", resting(asking("b", &reader()))),
        ("c", asking("c", &writer())),
        ("d", asking("d", &writer())),
    ]);
    assert_eq!(standing(&town, "b", &reader(), Some("G")), Standing::Blocked(title("a")));
    assert_eq!(standing(&town, "c", &writer(), Some("G")), Standing::Heir);
    assert_eq!(standing(&town, "d", &writer(), Some("G")), Standing::Behind(title("c")));
    assert_eq!(others(&town, "a", &reader(), Some("G")), Others::Wait(title("c")));
}

#[test]
fn a_holder_that_asks_for_something_else_now_hands_over_too() {
    let elsewhere = grant("reader", "alice", Some("q"));
    let town =
        town([("a", holding(asking("a", &elsewhere), &reader(), Some("G"))), ("b", asking("b", &reader()))]);
    assert_eq!(standing(&town, "b", &reader(), Some("G")), Standing::Heir);
    assert_eq!(others(&town, "a", &reader(), Some("G")), Others::Wait(title("b")));
}

#[test]
fn a_resting_holder_gives_up_nothing() {
    let elsewhere = grant("reader", "alice", Some("q"));
    let town = town([
        ("a", resting(holding(asking("a", &elsewhere), &reader(), Some("G")))),
        ("b", asking("b", &reader())),
    ]);
    assert_eq!(standing(&town, "b", &reader(), Some("G")), Standing::Blocked(title("a")));
}

#[test]
fn a_role_that_is_to_be_renamed_is_not_given_up() {
    let (old, new) = (role("old", &["read"]), role("new", &["read"]));
    let town = town([("b", holding(asking("b", &new), &old, Some("R"))), ("a", asking("a", &old))]);
    assert_eq!(standing(&town, "a", &old, Some("R")), Standing::Blocked(title("b")));
    assert_eq!(standing(&town, "b", &new, None), Standing::Free);
}

#[test]
fn a_role_is_not_handed_to_an_object_that_has_one() {
    let (mine, name) = (role("mine", &["read"]), role("name", &["read"]));
    let town = town([
        ("a", going(holding(asking("a", &name), &name, Some("N")))),
        ("b", holding(asking("b", &name), &mine, Some("M"))),
    ]);
    assert_eq!(
        others(&town, "a", &name, Some("N")),
        Others::None,
        "it is removed, and the name is free then"
    );
    assert_eq!(standing(&town, "b", &name, Some("N")), Standing::Blocked(title("a")));
}

#[test]
fn what_is_not_the_leaving_holders_is_not_inherited() {
    let town = town([
        ("a", going(holding(asking("a", &reader()), &reader(), Some("G")))),
        ("b", asking("b", &writer())),
    ]);
    assert_eq!(standing(&town, "b", &writer(), Some("strange")), Standing::Free, "its adopt policy decides");
}

#[test]
fn who_took_over_keeps_it_while_the_former_holder_has_yet_to_let_go() {
    let town = town([
        ("a", asking("a", &writer())),
        ("b", going(holding(asking("b", &reader()), &reader(), Some("G")))),
        ("c", holding(asking("c", &reader()), &reader(), Some("G"))),
    ]);
    assert_eq!(standing(&town, "c", &reader(), Some("G")), Standing::Heir);
    assert_eq!(standing(&town, "a", &writer(), Some("G")), Standing::Blocked(title("c")));
    assert_eq!(others(&town, "b", &reader(), Some("G")), Others::Hold(title("c")));
}

#[test]
fn another_thing_of_the_same_key_is_not_held_in_common() {
    let renamed = role("x", &["read"]);
    let town = town([
        ("a", going(holding(asking("a", &renamed), &renamed, Some("R1")))),
        ("b", holding(asking("b", &renamed), &renamed, Some("R2"))),
    ]);
    assert_eq!(others(&town, "a", &renamed, Some("R1")), Others::None);
}

#[test]
fn what_is_recorded_is_not_let_go_for_an_intent() {
    let town = town([
        ("a", going(holding(asking("a", &reader()), &reader(), Some("G")))),
        ("b", holding(asking("b", &reader()), &reader(), None)),
    ]);
    assert_eq!(others(&town, "a", &reader(), Some("G")), Others::Wait(title("b")));
    assert_eq!(standing(&town, "b", &reader(), Some("G")), Standing::Heir);
}

#[test]
fn a_holder_of_another_namespace_is_not_named() {
    let mut town = town([("a", holding(asking("a", &reader()), &reader(), Some("G")))]);
    town.set(claimant("b"), Claim { namespace: "team-b".to_owned(), ..asking("b", &writer()) });
    let blocked = standing(&town, "b", &writer(), Some("G"));
    assert_eq!(blocked, Standing::Blocked("an object of another namespace".to_owned()));
}

#[test]
fn whose_standing_may_have_changed_is_told() {
    let mut town = town([
        ("a", holding(asking("a", &reader()), &reader(), Some("G"))),
        ("b", asking("b", &writer())),
        ("c", asking("c", &grant("reader", "bob", Some("p")))),
    ]);
    let claim = asking("a", &reader());
    assert_eq!(town.set(claimant("a"), claim.clone()), [claimant("b")], "it held, and does not");
    assert!(town.set(claimant("a"), claim).is_empty(), "nothing changed");
    assert_eq!(town.remove(&claimant("a")), [claimant("b")]);
    assert!(town.remove(&claimant("a")).is_empty());
}

#[test]
fn held_things_are_known_by_id_until_they_are_let_go() {
    let mut town = town([("a", holding(asking("a", &reader()), &reader(), Some("G")))]);
    assert!(town.is_held(Kind::Grant, &Id::new("G")));
    assert!(!town.is_held(Kind::Role, &Id::new("G")));
    town.remove(&claimant("a"));
    assert!(!town.is_held(Kind::Grant, &Id::new("G")));
}

#[test]
fn an_object_asks_for_what_it_keeps_holding_under_names_that_cannot_be_resolved() {
    let (alice, bob) = (grant("R", "alice", Some("p")), grant("R", "bob", Some("p")));
    let entries =
        [held(DIALECT, Some("1"), &alice, Some("alice")), held(DIALECT, Some("2"), &bob, Some("bob"))];
    let unresolved = |name: Option<&str>| Want::unresolved(name.map(str::to_owned), Issue::NotFound, "who?");
    let keys = |wants: &[Want]| asks(wants, &entries, &DIALECT).keys().cloned().collect::<Vec<_>>();
    let carol = grant("R", "carol", Some("p"));
    let one = [unresolved(Some("alice")), Want::new(Some("carol".to_owned()), carol.clone())];
    assert_eq!(keys(&one), [slot(&alice), slot(&carol)]);
    assert_eq!(keys(&[unresolved(None)]), [slot(&alice), slot(&bob)]);
    assert!(keys(&[]).is_empty(), "who asks for nothing keeps nothing");
    let wish: Vec<Fingerprint> =
        asks(&[unresolved(None)], &entries[..1], &DIALECT).fingerprints().cloned().collect();
    assert_eq!(wish, [alice.fingerprint()]);
}
