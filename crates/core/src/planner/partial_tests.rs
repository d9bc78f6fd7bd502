//! What is known in part: things seen in outline, wishes that are silent about a field, ids that are chosen.

use std::collections::BTreeMap;

use super::{
    testing::{TestDialect::NoScopes as DIALECT, grant, held, issues, observed, policy, role, verbs},
    *,
};
use crate::model::{Body, Builder, Change, ChosenId, Id, Kind, Observed, Proof, Snapshot, Verb};

fn view(things: impl IntoIterator<Item = Observed>) -> Snapshot {
    let mut view = Builder::new();
    view.prove(Kind::Role, Proof::Everywhere);
    view.prove(Kind::Grant, Proof::Everywhere);
    things.into_iter().for_each(|thing| view.add(thing));
    view.complete()
}

/// A role of id `A` as a list shows it: nothing but its name and its mark.
fn outline(mark: &str) -> Observed {
    Observed { revision: Some(mark.to_owned()), outline: true, ..observed(DIALECT, "A", role("a", &[])) }
}

fn whole(mark: &str, actions: &[&str]) -> Observed {
    Observed { revision: Some(mark.to_owned()), ..observed(DIALECT, "A", role("a", actions)) }
}

fn applied(mark: &str) -> Held {
    Held { revision: Some(mark.to_owned()), ..held(DIALECT, Some("A"), &role("a", &["read"]), None) }
}

fn wanted(actions: &[&str]) -> [Want; 1] {
    [Want::new(None, role("a", actions))]
}

fn planned(wants: &[Want], view: &Snapshot, held: &[Held], adopt: Adopt) -> Plan {
    plan(wants, view, held, &policy(&DIALECT, adopt, Removal::Delete))
}

fn unread(plan: &Plan) -> bool {
    assert!(plan.unread().is_empty() || plan.is_empty(), "nothing is decided before it is read");
    plan.unread() == [(Kind::Role, Id::new("A"))]
}

#[test]
fn as_long_as_its_mark_is_the_recorded_one_an_outline_is_what_was_applied() {
    let plan = planned(&wanted(&["read"]), &view([outline("1")]), &[applied("1")], Adopt::Never);
    assert!(plan.unread().is_empty() && plan.is_empty() && plan.findings().is_empty());
    assert_eq!(plan.held(), [applied("1")]);
}

#[test]
fn an_outline_is_read_whole_when_its_mark_moved_the_spec_changed_or_no_mark_is_recorded() {
    let without = Held { revision: None, ..applied("1") };
    for (actions, mark, held) in
        [(["read"], "2", applied("1")), (["write"], "1", applied("1")), (["read"], "1", without)]
    {
        let plan = planned(&wanted(&actions), &view([outline(mark)]), &[held], Adopt::Never);
        assert!(unread(&plan), "{actions:?} {mark}");
    }
    let no_mark = Observed { revision: None, ..outline("1") };
    let held = Held { revision: None, ..applied("1") };
    assert!(unread(&planned(&wanted(&["read"]), &view([no_mark]), &[held], Adopt::Never)));
}

#[test]
fn a_mark_that_moved_without_a_change_is_recorded_and_nothing_is_written() {
    let plan = planned(&wanted(&["read"]), &view([whole("2", &["read"])]), &[applied("1")], Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty());
    assert_eq!(plan.held(), [applied("2")]);
}

#[test]
fn what_somebody_changed_is_put_right_and_its_mark_is_not_recorded_before() {
    let plan = planned(&wanted(&["read"]), &view([whole("2", &["write"])]), &[applied("1")], Adopt::Never);
    assert_eq!((verbs(&plan), plan.steps()[0].cause), (vec![Verb::Update], Cause::Drift));
    assert_eq!(plan.held()[0].revision.as_deref(), Some("1"));
}

#[test]
fn an_outline_is_neither_taken_over_nor_removed_nor_known_again_unread() {
    assert!(unread(&planned(&wanted(&["read"]), &view([outline("1")]), &[], Adopt::IfIdentical)));
    assert!(unread(&planned(&[], &view([outline("1")]), &[applied("1")], Adopt::Never)));
    let intent = held(DIALECT, None, &role("a", &["read"]), None);
    let kept = planned(&[], &view([outline("1")]), std::slice::from_ref(&intent), Adopt::Never);
    assert!(unread(&kept) && kept.held() == [intent.clone()]);
    assert!(unread(&planned(&wanted(&["read"]), &view([outline("1")]), &[intent], Adopt::Never)));
}

#[test]
fn an_intent_is_known_again_by_the_id_that_was_chosen_for_it_whatever_it_says_now() {
    let intent = Held { chosen: Some(Id::new("A")), ..held(DIALECT, None, &role("a", &["read"]), None) };
    let renamed = observed(DIALECT, "A", role("renamed", &["read"]));
    let plan = planned(&wanted(&["read"]), &view([renamed]), std::slice::from_ref(&intent), Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Update]);
    assert_eq!((plan.held()[0].id.as_ref(), plan.held()[0].origin), (Some(&Id::new("A")), Origin::Created));
    // The same name under another id is somebody else's.
    let other = observed(DIALECT, "B", role("a", &["read"]));
    let plan = planned(&wanted(&["read"]), &view([other]), &[intent], Adopt::Never);
    assert_eq!(issues(&plan), [Issue::Conflict]);
}

#[test]
fn a_create_carries_the_chosen_id_and_the_intent_records_it() {
    let chosen = ChosenId { id: Id::new("A"), given: false };
    let want = Want { chosen: Some(chosen), ..Want::new(None, role("a", &["read"])) };
    let plan = planned(&[want], &view([]), &[], Adopt::Never);
    let Change::Create { id, .. } = &plan.steps()[0].change else { panic!("no create") };
    assert_eq!((id, &plan.held()[0].chosen), (&Some(Id::new("A")), &Some(Id::new("A"))));
    assert!(plan.held()[0].pending());
}

#[test]
fn an_id_that_the_spec_gives_is_meant_whatever_its_name_and_a_derived_one_comes_after_the_name() {
    let by_name = || observed(DIALECT, "N", role("a", &["read"]));
    let by_id = || observed(DIALECT, "A", role("other", &["read"]));
    let want = |given| {
        let chosen = ChosenId { id: Id::new("A"), given };
        [Want { chosen: Some(chosen), ..Want::new(None, role("a", &["read"])) }]
    };
    let taken = |plan: &Plan| plan.held()[0].id.as_ref().map(ToString::to_string);
    let plan = planned(&want(true), &view([by_id()]), &[], Adopt::Always);
    assert_eq!((verbs(&plan), taken(&plan)), (vec![Verb::Update], Some("A".to_owned())));
    let plan = planned(&want(false), &view([by_id(), by_name()]), &[], Adopt::Always);
    assert_eq!((verbs(&plan), taken(&plan)), (Vec::new(), Some("N".to_owned())));
    let plan = planned(&want(true), &view([by_id()]), &[], Adopt::IfIdentical);
    assert_eq!(issues(&plan), [Issue::Conflict]);
}

#[test]
fn what_a_wish_is_silent_about_is_no_drift_and_stays_when_something_else_changes() {
    let shown = |actions: &[&str]| {
        let Body::Role(mut body) = role("a", actions) else { unreachable!() };
        body.display_name = Some("The A".to_owned());
        body.settings = BTreeMap::from([("group".to_owned(), "G".to_owned())]);
        body
    };
    let seen = observed(DIALECT, "A", Body::Role(shown(&["read"])));
    let entry = held(DIALECT, Some("A"), &role("a", &["read"]), None);
    let plan = planned(&wanted(&["read"]), &view([seen.clone()]), std::slice::from_ref(&entry), Adopt::Never);
    assert!(plan.is_empty() && plan.held() == [entry.clone()]);

    let plan =
        planned(&wanted(&["write"]), &view([seen.clone()]), std::slice::from_ref(&entry), Adopt::Never);
    let Change::Update { after, .. } = &plan.steps()[0].change else { panic!("no update") };
    assert_eq!(*after, Body::Role(shown(&["write"])));
    assert_eq!(plan.steps()[0].wish, role("a", &["write"]).fingerprint());
    assert_eq!(plan.rows()[0].details, ["+ write", "- read"]);

    let mut asked = shown(&["read"]);
    asked.settings.insert("group".to_owned(), "H".to_owned());
    let plan = planned(&[Want::new(None, Body::Role(asked))], &view([seen]), &[entry], Adopt::Never);
    assert_eq!(plan.rows()[0].details, ["group: \"G\" -> \"H\""]);
}

#[test]
fn the_absence_of_a_grant_without_a_scope_is_proven_for_its_subject() {
    let body = grant("R", "alice", None);
    let mut builder = Builder::new();
    builder.prove(Kind::Grant, Proof::Within([Id::new("alice")].into()));
    let entry = [held(DIALECT, Some("G"), &body, Some("alice"))];
    let want = [Want::new(Some("alice".to_owned()), body)];
    let plan = planned(&want, &builder.complete(), &entry, Adopt::Never);
    assert_eq!((verbs(&plan), plan.steps()[0].cause), (vec![Verb::Create], Cause::Drift));
    let mut builder = Builder::new();
    builder.prove(Kind::Grant, Proof::Within([Id::new("bob")].into()));
    let plan = planned(&want, &builder.complete(), &entry, Adopt::Never);
    assert_eq!(issues(&plan), [Issue::NotVisible]);
}
