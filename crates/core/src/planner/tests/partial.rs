//! Partial knowledge: things that a list shows only in part, fields that a spec leaves out, and chosen ids.

use std::collections::BTreeMap;

use super::support::{
    TestDialect::NoScopes as DIALECT, desired, desired_for, first_id, grant, issues, observed, pending,
    policy, present, role, verbs,
};
use crate::model::{Body, Builder, Change, ChosenId, Id, Kind, Observed, Proof, Snapshot, Verb};
use crate::planner::{Adopt, Cause, Desired, Held, HeldState, Issue, Origin, Plan, Removal, plan};

fn snapshot(things: impl IntoIterator<Item = Observed>) -> Snapshot {
    let mut builder = Builder::new();
    builder.prove(Kind::Role, Proof::Everywhere);
    builder.prove(Kind::Grant, Proof::Everywhere);
    things.into_iter().for_each(|thing| builder.add(thing));
    builder.complete()
}

/// The role `A` as a list shows it: its name and version mark only.
fn outline(mark: &str) -> Observed {
    Observed { revision: Some(mark.to_owned()), outline: true, ..observed(DIALECT, "A", role("a", &[])) }
}

fn whole(mark: &str, actions: &[&str]) -> Observed {
    Observed { revision: Some(mark.to_owned()), ..observed(DIALECT, "A", role("a", actions)) }
}

/// The entry of the role `A`, with the version mark at which it was as applied.
fn applied(mark: Option<&str>) -> Held {
    let state = HeldState::Present { id: Id::new("A"), revision: mark.map(str::to_owned) };
    Held { state, ..present(DIALECT, "A", &role("a", &["read"]), None) }
}

fn items(actions: &[&str]) -> [Desired; 1] {
    [desired(role("a", actions))]
}

fn planned(items: &[Desired], snapshot: &Snapshot, held: &[Held], adopt: Adopt) -> Plan {
    plan(items, snapshot, held, &policy(&DIALECT, adopt, Removal::Delete))
}

/// Whether the plan requests a read of the role `A`.
fn requests_read(plan: &Plan) -> bool {
    assert!(plan.to_read().is_empty() || plan.is_empty(), "nothing is decided before the read");
    plan.to_read() == [(Kind::Role, Id::new("A"))]
}

#[test]
fn outline_with_the_recorded_mark_is_as_applied() {
    let plan = planned(&items(&["read"]), &snapshot([outline("1")]), &[applied(Some("1"))], Adopt::Never);
    assert!(plan.to_read().is_empty() && plan.is_empty() && plan.findings().is_empty());
    assert_eq!(plan.held(), [applied(Some("1"))]);
}

#[test]
fn outline_is_read_if_mark_or_spec_changed_or_no_mark() {
    let without = applied(None);
    for (actions, mark, held) in
        [(["read"], "2", applied(Some("1"))), (["write"], "1", applied(Some("1"))), (["read"], "1", without)]
    {
        let plan = planned(&items(&actions), &snapshot([outline(mark)]), &[held], Adopt::Never);
        assert!(requests_read(&plan), "{actions:?} {mark}");
    }
    let no_mark = Observed { revision: None, ..outline("1") };
    let held = applied(None);
    assert!(requests_read(&planned(&items(&["read"]), &snapshot([no_mark]), &[held], Adopt::Never)));
}

#[test]
fn new_mark_without_a_change_is_recorded_without_write() {
    let plan =
        planned(&items(&["read"]), &snapshot([whole("2", &["read"])]), &[applied(Some("1"))], Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty());
    assert_eq!(plan.held(), [applied(Some("2"))]);
}

#[test]
fn mark_of_drift_is_not_recorded_before_the_update() {
    let plan =
        planned(&items(&["read"]), &snapshot([whole("2", &["write"])]), &[applied(Some("1"))], Adopt::Never);
    assert_eq!((verbs(&plan), plan.steps()[0].cause), (vec![Verb::Update], Cause::Drift));
    assert_eq!(plan.held(), [applied(Some("1"))]);
}

#[test]
fn outline_is_read_before_adoption_deletion_recognition() {
    assert!(requests_read(&planned(&items(&["read"]), &snapshot([outline("1")]), &[], Adopt::IfIdentical)));
    assert!(requests_read(&planned(&[], &snapshot([outline("1")]), &[applied(Some("1"))], Adopt::Never)));
    let intent = pending(DIALECT, &role("a", &["read"]), None);
    let kept = planned(&[], &snapshot([outline("1")]), std::slice::from_ref(&intent), Adopt::Never);
    assert!(requests_read(&kept) && kept.held() == [intent.clone()]);
    assert!(requests_read(&planned(&items(&["read"]), &snapshot([outline("1")]), &[intent], Adopt::Never)));
}

#[test]
fn pending_thing_is_recognized_by_its_chosen_id() {
    let state = HeldState::Pending { chosen: Some(Id::new("A")), unsettled: false };
    let intent = Held { state, ..pending(DIALECT, &role("a", &["read"]), None) };
    let renamed = observed(DIALECT, "A", role("renamed", &["read"]));
    let plan = planned(&items(&["read"]), &snapshot([renamed]), std::slice::from_ref(&intent), Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Update]);
    assert_eq!((first_id(&plan), plan.held()[0].origin), (Some("A"), Origin::Created));
    // The same name with another id is another thing.
    let other = observed(DIALECT, "B", role("a", &["read"]));
    let plan = planned(&items(&["read"]), &snapshot([other]), &[intent], Adopt::Never);
    assert_eq!(issues(&plan), [Issue::Conflict]);
}

#[test]
fn create_and_pending_entry_carry_the_chosen_id() {
    let chosen = ChosenId { id: Id::new("A"), given: false };
    let item = Desired { chosen: Some(chosen), ..desired(role("a", &["read"])) };
    let plan = planned(&[item], &snapshot([]), &[], Adopt::Never);
    let Change::Create { id, .. } = &plan.steps()[0].change else { panic!("no create") };
    assert_eq!((id, plan.held()[0].recorded_id()), (&Some(Id::new("A")), Some(&Id::new("A"))));
    assert!(!plan.held()[0].is_present());
}

#[test]
fn given_id_precedes_the_name_and_derived_id_follows_it() {
    let by_name = || observed(DIALECT, "N", role("a", &["read"]));
    let by_id = || observed(DIALECT, "A", role("other", &["read"]));
    let items = |given| {
        let chosen = ChosenId { id: Id::new("A"), given };
        [Desired { chosen: Some(chosen), ..desired(role("a", &["read"])) }]
    };
    let plan = planned(&items(true), &snapshot([by_id()]), &[], Adopt::Always);
    assert_eq!((verbs(&plan), first_id(&plan)), (vec![Verb::Update], Some("A")));
    let plan = planned(&items(false), &snapshot([by_id(), by_name()]), &[], Adopt::Always);
    assert_eq!((verbs(&plan), first_id(&plan)), (Vec::new(), Some("N")));
    let plan = planned(&items(true), &snapshot([by_id()]), &[], Adopt::IfIdentical);
    assert_eq!(issues(&plan), [Issue::Conflict]);
}

#[test]
fn fields_left_out_in_the_spec_keep_their_values() {
    let shown = |actions: &[&str]| {
        let Body::Role(mut body) = role("a", actions) else { unreachable!() };
        body.display_name = Some("The A".to_owned());
        body.settings = BTreeMap::from([("group".to_owned(), "G".to_owned())]);
        body
    };
    let seen = observed(DIALECT, "A", Body::Role(shown(&["read"])));
    let entry = present(DIALECT, "A", &role("a", &["read"]), None);
    let plan =
        planned(&items(&["read"]), &snapshot([seen.clone()]), std::slice::from_ref(&entry), Adopt::Never);
    assert!(plan.is_empty() && plan.held() == [entry.clone()]);

    let plan =
        planned(&items(&["write"]), &snapshot([seen.clone()]), std::slice::from_ref(&entry), Adopt::Never);
    let Change::Update { after, .. } = &plan.steps()[0].change else { panic!("no update") };
    assert_eq!(*after, Body::Role(shown(&["write"])));
    assert_eq!(plan.steps()[0].fingerprint, role("a", &["write"]).fingerprint());
    assert_eq!(plan.rows()[0].details, ["+ write", "- read"]);

    let mut asked = shown(&["read"]);
    asked.settings.insert("group".to_owned(), "H".to_owned());
    let plan = planned(&[desired(Body::Role(asked))], &snapshot([seen]), &[entry], Adopt::Never);
    assert_eq!(plan.rows()[0].details, ["group: \"G\" -> \"H\""]);
}

#[test]
fn absence_of_an_unscoped_grant_is_proven_by_subject() {
    let body = grant("R", "alice", None);
    let mut builder = Builder::new();
    builder.prove(Kind::Grant, Proof::Within([Id::new("alice")].into()));
    let entry = [present(DIALECT, "G", &body, Some("alice"))];
    let items = [desired_for("alice", body)];
    let plan = planned(&items, &builder.complete(), &entry, Adopt::Never);
    assert_eq!((verbs(&plan), plan.steps()[0].cause), (vec![Verb::Create], Cause::Drift));
    let mut builder = Builder::new();
    builder.prove(Kind::Grant, Proof::Within([Id::new("bob")].into()));
    let plan = planned(&items, &builder.complete(), &entry, Adopt::Never);
    assert_eq!(issues(&plan), [Issue::NotVisible]);
}
