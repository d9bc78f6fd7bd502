//! What is held may come to be known by another id: the back end says so, and the record follows before anything is compared.

use std::collections::HashSet;

use super::input::Held;
use crate::model::{Key, Kind, Snapshot};

/// Puts what is held under the ids and keys that it has by now. Of two entries that turn out to be for one thing the one that was recorded
/// so stays.
pub fn follow(held: Vec<Held>, observed: &Snapshot) -> Vec<Held> {
    // Every object is followed at each sweep, and hardly ever is there anything to follow.
    if !observed.has_rekeyed() {
        return held;
    }
    let moved = |held: &Held| observed.successor(held.kind, &held.key).is_some();
    let mut known: HashSet<(Kind, Key)> =
        held.iter().filter(|held| !moved(held)).map(|held| (held.kind, held.key.clone())).collect();
    let follow = |mut held: Held| {
        held.id = held.id.map(|id| observed.current(held.kind, id));
        let Some((id, key)) = observed.successor(held.kind, &held.key) else { return Some(held) };
        held.id = held.id.map(|_| id.clone());
        held.key = key.clone();
        known.insert((held.kind, held.key.clone())).then_some(held)
    };
    held.into_iter().filter_map(follow).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Builder, Dialect, Id, Proof};
    use crate::planner::{
        Adopt, Issue, Plan, Removal, Want, plan,
        testing::{TestDialect, grant, held, issues, observed, policy, want},
    };

    const DIALECT: TestDialect = TestDialect::NoScopes;

    /// Grace was invited, came, and has the role or has lost it.
    fn came(has_it: bool) -> Snapshot {
        let (before, now) = (grant("r", "invitation", None), grant("r", "grace", None));
        let mut builder = Builder::new();
        builder.set_successor(Kind::Grant, DIALECT.key(&before), (Id::new("g-2"), DIALECT.key(&now)));
        builder.prove(Kind::Grant, Proof::Everywhere);
        if has_it {
            builder.add(observed(DIALECT, "g-2", now));
        }
        builder.complete()
    }

    fn recorded() -> Held {
        held(DIALECT, Some("g-1"), &grant("r", "invitation", None), Some("grace@example.com"))
    }

    fn planned(snapshot: &Snapshot, wants: &[Want], held: Vec<Held>) -> Plan {
        plan(wants, snapshot, &follow(held, snapshot), &policy(&DIALECT, Adopt::Never, Removal::Delete))
    }

    #[test]
    fn what_is_held_goes_on_under_the_new_id_without_a_change() {
        let wants = [want("grace@example.com", grant("r", "grace", None))];
        let plan = planned(&came(true), &wants, vec![recorded()]);
        assert!(plan.is_empty() && plan.findings().is_empty(), "{plan:?}");
        assert_eq!(plan.held()[0].id, Some(Id::new("g-2")));
        assert_eq!(plan.held()[0].fingerprint, grant("r", "grace", None).fingerprint());
        let again = planned(&came(true), &wants, plan.held().to_vec());
        assert_eq!(again.held(), plan.held(), "and it stays so");
    }

    #[test]
    fn what_was_taken_meanwhile_is_given_back_and_what_is_not_wanted_goes() {
        let wants = [want("grace@example.com", grant("r", "grace", None))];
        let plan = planned(&came(false), &wants, vec![recorded()]);
        assert_eq!(plan.steps().len(), 1);
        assert_eq!(plan.steps()[0].change.body(), &grant("r", "grace", None));
        let plan = planned(&came(true), &[], vec![recorded()]);
        assert_eq!(plan.steps()[0].change.id(), Some(&Id::new("g-2")));
    }

    #[test]
    fn a_name_that_somebody_else_has_by_now_is_a_conflict_all_the_same() {
        let wants = [want("grace@example.com", grant("r", "another", None))];
        let plan = planned(&came(true), &wants, vec![recorded()]);
        assert_eq!((plan.is_empty(), issues(&plan)), (true, vec![Issue::Conflict]));
    }

    #[test]
    fn what_is_shown_under_another_id_goes_on_under_that_and_what_is_another_thing_does_not() {
        let body = grant("r", "grace", None);
        let mut builder = Builder::new();
        builder.set_current_id(Kind::Grant, Id::new("g"), Id::new("g#1"));
        builder.add(observed(DIALECT, "g#1", body.clone()));
        builder.prove(Kind::Grant, Proof::Everywhere);
        let snapshot = builder.complete();
        let followed = |id: &str| follow(vec![held(DIALECT, Some(id), &body, None)], &snapshot)[0].id.clone();
        assert_eq!(followed("g"), Some(Id::new("g#1")));
        assert_eq!(followed("g#2"), Some(Id::new("g#2")));
    }

    #[test]
    fn two_entries_that_turn_out_to_be_for_one_thing_become_one() {
        let own = held(DIALECT, Some("g-2"), &grant("r", "grace", None), Some("id:grace"));
        let wants = [
            want("grace@example.com", grant("r", "grace", None)),
            want("id:grace", grant("r", "grace", None)),
        ];
        for entries in [vec![recorded(), own.clone()], vec![own, recorded()]] {
            let plan = planned(&came(true), &wants, entries);
            assert!(plan.is_empty() && plan.findings().is_empty(), "{plan:?}");
            assert_eq!(plan.held().len(), 1);
        }
    }
}
