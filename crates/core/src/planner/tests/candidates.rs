//! The existing things that a plan can use for one item.

use super::support::{
    TestDialect, World, desired, issues, message, pending, planned, present, refused, role, verbs,
};
use crate::model::{ChosenId, Id, IdentityRules, Verb};
use crate::planner::{Adopt, Desired, Held, Issue, candidates};

const DIALECT: TestDialect = TestDialect::NoScopes;

fn ids(item: &Desired, held: &[Held]) -> Vec<String> {
    let world = World::new(DIALECT)
        .with("own", role("renamed", &["read"]))
        .with("named", role("x", &["read"]))
        .with("chosen", role("other", &["read"]));
    let key = DIALECT.key(&role("x", &["read"]));
    candidates(item, &key, held, &world.snapshot()).iter().map(ToString::to_string).collect()
}

fn choosing(id: &str, given: bool) -> Desired {
    Desired { chosen: Some(ChosenId { id: Id::new(id), given }), ..desired(role("x", &["read"])) }
}

#[test]
fn each_existing_thing_that_can_be_used_is_a_candidate() {
    let plain = desired(role("x", &["read"]));
    let own = present(DIALECT, "own", &role("before", &["read"]), None);
    assert_eq!(ids(&plain, &[]), ["named"]);
    assert_eq!(ids(&plain, std::slice::from_ref(&own)), ["own", "named"]);
    assert_eq!(ids(&choosing("chosen", true), &[own]), ["own", "chosen"]);
    assert_eq!(ids(&choosing("chosen", false), &[]), ["named", "chosen"]);
    assert_eq!(ids(&choosing("named", true), &[]), ["named"]);
}

#[test]
fn things_that_do_not_exist_are_no_candidates() {
    let item = choosing("missing", true);
    let body = role("x", &["read"]);
    let entries = [present(DIALECT, "deleted", &body, None), pending(DIALECT, &body, None)];
    assert_eq!(ids(&item, &entries), [""; 0], "a name does not stand for another id than the spec's");
    assert_eq!(ids(&item, &[refused(DIALECT, &body, None)]), [""; 0]);
    assert_eq!(ids(&choosing("missing", false), &[refused(DIALECT, &body, None)]), ["named"]);
}

#[test]
fn given_id_is_never_another_thing_with_the_name() {
    let world = World::new(DIALECT).with("named", role("x", &["read"]));
    for adopt in [Adopt::Never, Adopt::IfIdentical, Adopt::Always] {
        let plan = planned(&world, &[choosing("missing", true)], &[], adopt);
        assert!(plan.is_empty() && plan.held().is_empty(), "{plan:?}");
        assert_eq!(issues(&plan), [Issue::Conflict]);
        assert!(message(&plan).contains("with the id named, and the spec names the id missing"), "{plan:?}");
    }
    let plan = planned(&World::new(DIALECT), &[choosing("missing", true)], &[], Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Create]);
}
