//! A role or a group is identified by its name and HQ's id.

use super::*;

/// The hints for a role, an owned group and a grant that are recorded under another id.
fn old() -> Vec<Id> {
    let hint = |kind, name: &str| ids::hint(kind, &Key::new([("name", "x")]), Some(&ids::thing(name, "old")));
    let grant = managed_grant_in(&ids::group("devs", "old"));
    vec![hint(Kind::Role, "reader").expect("an id"), hint(Kind::Group, OWNED).expect("an id"), grant]
}

#[tokio::test]
async fn another_thing_with_the_name_is_not_the_recorded_one() {
    let snapshot = sweep(&old(), |seen, _| hq(seen)).await.expect("a snapshot");
    for (kind, id) in [(Kind::Role, thing("reader")), (Kind::Group, thing(OWNED))] {
        assert!(snapshot.by_id(kind, &id).is_some_and(|seen| !seen.outline), "{id}");
        assert_eq!(snapshot.absence(kind, None), Absence::Proven);
    }
    let subject = ids::group("devs", "old");
    assert_eq!(snapshot.absence(Kind::Grant, Some(&subject)), Absence::Proven);
    assert!(snapshot.all(Kind::Grant).all(|seen| seen.key.get("subject") != Some(subject.as_str())));
}

#[tokio::test]
async fn an_answer_without_an_id_shows_nothing_and_proves_nothing() {
    let without_id = |mut body: Value| {
        body.as_object_mut().expect("an object").remove("id");
        body
    };
    let hints = [managed_role("reader"), managed_group(OWNED), managed_grant("devs")];
    for (path, body, kind, place) in [
        (ROLES, json!({"items": [without_id(listed("reader", 1))]}), Kind::Role, None),
        (GROUPS, json!({"items": [without_id(item("devs", 0, 0, 2))]}), Kind::Grant, Some(place("devs"))),
        (DEVS, without_id(devs(&["reader", "writer"])), Kind::Grant, Some(place("devs"))),
    ] {
        let snapshot = sweep(&hints, with(path, move |_| ok(body.clone()))).await.expect("a snapshot");
        assert_eq!(snapshot.all(kind).count(), 0, "{path}");
        assert!(snapshot.unread(kind, None, place.as_ref(), None).is_some(), "{path}");
        assert_eq!(snapshot.absence(kind, place.as_ref()), Absence::Unproven, "{path}");
    }
    let (_stub, lenses) = lenses(with(READER, move |_| ok(without_id(whole())))).await;
    assert_eq!(class(lenses.read(Kind::Role, &thing("reader")).await), Class::Transient);
}

/// The list shows the recorded group, and the read after it another one with as many roles.
#[tokio::test]
async fn a_group_that_is_recreated_during_a_sweep_is_unread() {
    let mut another = devs(&["reader", "writer"]);
    another["id"] = json!("another");
    let snapshot = sweep(&[managed_grant("devs")], with(DEVS, move |_| ok(another.clone()))).await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Grant, Some(&place("devs"))), Absence::Unproven);
    assert!(snapshot.unread(Kind::Grant, None, Some(&place("devs")), None).is_some());
    assert_eq!(snapshot.all(Kind::Grant).count(), 0);
}
