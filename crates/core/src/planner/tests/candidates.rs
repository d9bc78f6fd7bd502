//! The existing things that a plan can use for one item.

use super::support::{TestDialect, World, desired, pending, present, refused, role};
use crate::model::{ChosenId, Id, IdentityRules};
use crate::planner::{Desired, Held, candidates};

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
    assert_eq!(ids(&choosing("chosen", true), &[own]), ["own", "chosen", "named"]);
    assert_eq!(ids(&choosing("chosen", false), &[]), ["named", "chosen"]);
    assert_eq!(ids(&choosing("named", true), &[]), ["named"]);
}

#[test]
fn things_that_do_not_exist_are_no_candidates() {
    let item = choosing("missing", true);
    let body = role("x", &["read"]);
    let entries = [present(DIALECT, "deleted", &body, None), pending(DIALECT, &body, None)];
    assert_eq!(ids(&item, &entries), ["named"]);
    assert_eq!(ids(&item, &[refused(DIALECT, &body, None)]), ["named"]);
}
