//! Things whose id or key changed: the record follows before the plan is made.

use super::support::{TestDialect, desired_for, first_id, grant, issues, observed, policy, present};
use crate::model::{Builder, Id, IdentityRules, Kind, Proof, Snapshot};
use crate::planner::{Adopt, Desired, Held, Issue, Plan, Removal, plan, rekey};

const DIALECT: TestDialect = TestDialect::NoScopes;

/// Grace accepted an invitation. She still has the role that the invitation had, or has lost it.
fn accepted(has_role: bool) -> Snapshot {
    let (before, now) = (grant("r", "invitation", None), grant("r", "grace", None));
    let mut builder = Builder::new();
    builder.set_successor(Kind::Grant, DIALECT.key(&before), (Id::new("g-2"), DIALECT.key(&now)));
    builder.prove(Kind::Grant, Proof::Everywhere);
    if has_role {
        builder.add(observed(DIALECT, "g-2", now));
    }
    builder.complete()
}

fn recorded() -> Held {
    present(DIALECT, "g-1", &grant("r", "invitation", None), Some("grace@example.com"))
}

fn planned(snapshot: &Snapshot, desired: &[Desired], held: Vec<Held>) -> Plan {
    plan(desired, snapshot, &rekey(held, snapshot), &policy(&DIALECT, Adopt::Never, Removal::Delete))
}

#[test]
fn managed_thing_keeps_its_entry_under_the_new_id() {
    let desired = [desired_for("grace@example.com", grant("r", "grace", None))];
    let plan = planned(&accepted(true), &desired, vec![recorded()]);
    assert!(plan.is_empty() && plan.findings().is_empty(), "{plan:?}");
    assert_eq!(first_id(&plan), Some("g-2"));
    assert_eq!(plan.held()[0].fingerprint, grant("r", "grace", None).fingerprint());
    let again = planned(&accepted(true), &desired, plan.held().to_vec());
    assert_eq!(again.held(), plan.held(), "the next plan changes nothing");
}

#[test]
fn rekeyed_grant_is_restored_if_lost_and_deleted_if_undesired() {
    let desired = [desired_for("grace@example.com", grant("r", "grace", None))];
    let plan = planned(&accepted(false), &desired, vec![recorded()]);
    assert_eq!(plan.steps().len(), 1);
    assert_eq!(plan.steps()[0].change.body(), &grant("r", "grace", None));
    let plan = planned(&accepted(true), &[], vec![recorded()]);
    assert_eq!(plan.steps()[0].change.id(), Some(&Id::new("g-2")));
}

#[test]
fn rekeyed_grant_still_protects_against_reassigned_names() {
    let desired = [desired_for("grace@example.com", grant("r", "another", None))];
    let plan = planned(&accepted(true), &desired, vec![recorded()]);
    assert_eq!((plan.is_empty(), issues(&plan)), (true, vec![Issue::Conflict]));
}

#[test]
fn two_entries_for_one_thing_become_one() {
    let own = present(DIALECT, "g-2", &grant("r", "grace", None), Some("id:grace"));
    let desired = [
        desired_for("grace@example.com", grant("r", "grace", None)),
        desired_for("id:grace", grant("r", "grace", None)),
    ];
    for entries in [vec![recorded(), own.clone()], vec![own, recorded()]] {
        let plan = planned(&accepted(true), &desired, entries);
        assert!(plan.is_empty() && plan.findings().is_empty(), "{plan:?}");
        assert_eq!(plan.held().len(), 1);
    }
}
