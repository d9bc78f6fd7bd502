//! One thing has one id, whatever an answer shows of it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// What an answer shows of the identity of a thing.
#[derive(Clone, Copy, Debug)]
enum Shown {
    Id,
    Time,
    Neither,
}

fn showing(mut body: Value, shown: Shown) -> Value {
    let fields = body.as_object_mut().expect("an object");
    let name = fields["name"].as_str().expect("a name").to_owned();
    fields.remove("id");
    fields.remove("created_at");
    match shown {
        Shown::Id => body["id"] = json!(format!("id-{name}")),
        Shown::Time => body["created_at"] = json!("2026"),
        Shown::Neither => {}
    }
    body
}

/// The small HQ, with this in its lists and in its single answers.
fn server(lists: Shown, single: Shown) -> impl Fn(&Seen, usize) -> Reply + Clone {
    move |seen, _| match call(seen).as_str() {
        ROLES => {
            ok(json!({"items": [showing(listed("reader", 1), lists), showing(listed("writer", 2), lists)]}))
        }
        GROUPS => ok(json!({"items": [
            showing(item("devs", 0, 0, 2), lists), showing(item(OWNED, 1, 1, 1), lists), showing(item("empty", 3, 0, 0), lists),
        ]})),
        READER => ok(showing(whole(), single)),
        DEVS => ok(showing(json!({"name": "devs", "roles": ["reader", "writer"]}), single)),
        OWN => ok(showing(owned(), single)),
        _ => hq(seen),
    }
}

/// The hints for a role, an owned group and a grant that are recorded under these ids.
fn recorded(role: &str, own: &str, devs: &str) -> Vec<Id> {
    let name = Key::new([("name", "x")]);
    let hint = |kind: Kind, id: &str| ids::hint(kind, &name, Some(&Id::new(id))).expect("an id");
    vec![hint(Kind::Role, role), hint(Kind::Group, own), managed_grant_in(&Id::new(devs))]
}

fn shows(snapshot: &Snapshot, kind: Kind) -> Vec<String> {
    let mut ids: Vec<String> = snapshot.all(kind).map(|seen| seen.id.to_string()).collect();
    ids.sort();
    ids
}

fn place_key(group: &str) -> Key {
    Key::new([("role", "reader"), ("subject", group)])
}

#[tokio::test]
async fn a_recorded_name_follows_to_the_id() {
    let hints = recorded("reader", OWNED, "group:devs");
    for (lists, single) in [(Shown::Id, Shown::Id), (Shown::Id, Shown::Neither), (Shown::Neither, Shown::Id)]
    {
        let snapshot = sweep(&hints, server(lists, single)).await.expect("a snapshot");
        assert_eq!(snapshot.current(Kind::Role, Id::new("reader")), thing("reader"));
        assert_eq!(snapshot.current(Kind::Group, Id::new(OWNED)), thing(OWNED));
        let (id, key) = snapshot.successor(Kind::Grant, &place_key("group:devs")).expect("a successor");
        assert_eq!((id.as_str(), key), ("group:devs#id-devs/reader", &place_key("group:devs#id-devs")));
        assert!(snapshot.by_id(Kind::Role, &thing("reader")).is_some_and(|seen| !seen.outline));
        assert!(snapshot.by_id(Kind::Grant, id).is_some());
        assert_eq!(snapshot.absence(Kind::Grant, Some(&place("devs"))), Absence::Proven);
    }
    // So does a record with only the time of creation, if that is the same.
    let snapshot =
        sweep(&recorded("reader@2026", OWNED, "group:devs@2026"), server(Shown::Time, Shown::Id)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(snapshot.current(Kind::Role, Id::new("reader@2026")), thing("reader"));
    assert!(snapshot.successor(Kind::Grant, &place_key("group:devs@2026")).is_some());
}

#[tokio::test]
async fn another_thing_with_the_name_is_not_the_recorded_one() {
    let hints = recorded("reader#old", "rw-readers-0123456789abcdef#old", "group:devs#old");
    let snapshot = sweep(&hints, server(Shown::Id, Shown::Neither)).await.expect("a snapshot");
    assert_eq!(snapshot.current(Kind::Role, Id::new("reader#old")), Id::new("reader#old"));
    assert_eq!(snapshot.successor(Kind::Grant, &place_key("group:devs#old")), None);
    assert_eq!(shows(&snapshot, Kind::Role), ["reader#id-reader", "writer#id-writer"]);
    assert_eq!(snapshot.absence(Kind::Grant, Some(&Id::new("group:devs#old"))), Absence::Proven);
}

#[tokio::test]
async fn a_recorded_id_stays_if_an_answer_shows_none() {
    let hints = recorded("reader#1", "rw-readers-0123456789abcdef#2", "group:devs#3");
    for (lists, single) in [(Shown::Neither, Shown::Neither), (Shown::Time, Shown::Neither)] {
        let snapshot = sweep(&hints, server(lists, single)).await.expect("a snapshot");
        assert!(snapshot.by_id(Kind::Role, &Id::new("reader#1")).is_some_and(|seen| !seen.outline));
        assert_eq!(shows(&snapshot, Kind::Group), ["rw-readers-0123456789abcdef#2"]);
        assert_eq!(shows(&snapshot, Kind::Grant), ["group:devs#3/reader", "group:devs#3/writer"]);
        let names = snapshot.directory().find(Level::GROUP, "devs", None);
        assert!(
            matches!(names, rolewright_core::model::NameMatch::One(entry) if entry.named.id.as_str() == "group:devs#3")
        );
        assert_eq!(snapshot.current(Kind::Role, Id::new("reader#1")), Id::new("reader#1"));
        assert_eq!(snapshot.successor(Kind::Grant, &place_key("group:devs#3")), None);
    }
}

#[tokio::test]
async fn two_records_with_one_name_are_unclear_without_an_id() {
    let mut hints = recorded("reader#1", "rw-readers-0123456789abcdef#1", "group:devs#1");
    hints.extend(recorded("reader#2", "rw-readers-0123456789abcdef#2", "group:devs#2"));
    let snapshot = sweep(&hints, server(Shown::Neither, Shown::Neither)).await.expect("a snapshot");
    assert_eq!(shows(&snapshot, Kind::Role), ["writer"]);
    assert!(shows(&snapshot, Kind::Group).is_empty() && shows(&snapshot, Kind::Grant).is_empty());
    for (kind, place) in
        [(Kind::Role, None), (Kind::Group, None), (Kind::Grant, Some(Id::new("group:devs#1")))]
    {
        assert_eq!(snapshot.absence(kind, place.as_ref()), Absence::Unproven, "{kind}");
    }
    let snapshot = sweep(&hints, server(Shown::Neither, Shown::Neither)).await.expect("a snapshot");
    assert_eq!(snapshot.absence(Kind::Role, None), Absence::Unproven);
}

#[tokio::test]
async fn a_single_read_returns_the_expected_id() {
    for (lists, single) in
        [(Shown::Neither, Shown::Id), (Shown::Id, Shown::Neither), (Shown::Time, Shown::Id)]
    {
        let (_stub, lenses) = lenses(server(lists, single)).await;
        let snapshot = lenses.snapshot(&needs(&[])).await.expect("a snapshot");
        for (kind, name) in [(Kind::Role, "reader"), (Kind::Group, OWNED), (Kind::Grant, "group:devs")] {
            let shown = snapshot.all(kind).find(|seen| seen.id.as_str().starts_with(name)).expect("a thing");
            for id in
                [shown.id.clone(), Id::new(if kind == Kind::Grant { "group:devs/reader" } else { name })]
            {
                let seen = lenses.read(kind, &id).await.expect("an answer");
                assert_eq!(seen.map(|seen| seen.id), Some(id), "{lists:?} {single:?}");
            }
            let another =
                if kind == Kind::Grant { "group:devs#x/reader".to_owned() } else { format!("{name}#x") };
            let seen = lenses.read(kind, &Id::new(another)).await.expect("an answer");
            assert!(seen.is_none(), "{lists:?} {single:?} {name}");
        }
        // A thing that is found by its key has the same id in a snapshot.
        let found = lenses.find(&Body::Role(reader())).await.expect("an answer").expect("the role");
        let snapshot = lenses.snapshot(&needs(&[])).await.expect("a snapshot");
        assert!(snapshot.by_id(Kind::Role, &found.id).is_some(), "{found:?}");
    }
}

#[tokio::test]
async fn a_replica_without_ids_changes_no_id_and_costs_no_call() {
    let nameless = Arc::new(AtomicBool::new(false));
    let now = nameless.clone();
    let (stub, lenses) = lenses(move |seen, before| {
        let shown = if now.load(Ordering::SeqCst) { Shown::Neither } else { Shown::Id };
        server(shown, shown)(seen, before)
    })
    .await;
    let needs = needs(&[managed_role("reader"), managed_group(OWNED), managed_grant("devs")]);
    let (mut before, mut costs) = (Vec::new(), Vec::new());
    for sweep in 0..4 {
        nameless.store(sweep % 2 == 1, Ordering::SeqCst);
        let calls = stub.seen().len();
        let snapshot = lenses.snapshot(&needs).await.expect("a snapshot");
        before.push(ALL.map(|kind| shows(&snapshot, kind)));
        costs.push(stub.seen().len() - calls);
    }
    assert!(before.windows(2).all(|two| two[0] == two[1]), "{before:?}");
    assert!(costs.windows(2).all(|two| two[0] == two[1]), "{costs:?}");
}

#[tokio::test]
async fn an_update_keeps_the_id_and_a_create_does_not() {
    let nameless = Arc::new(AtomicBool::new(false));
    let now = nameless.clone();
    let (_stub, lenses) = lenses(move |seen, _| {
        let shown = if now.load(Ordering::SeqCst) { Shown::Neither } else { Shown::Id };
        match call(seen).as_str() {
            "PATCH /roles/reader" => ok(showing(whole(), shown)),
            "POST /roles" => Reply::json(201, showing(whole(), shown)),
            READER => ok(showing(whole(), shown)),
            _ => hq(seen),
        }
    })
    .await;
    let changed = Role { display_name: Some("x".to_owned()), ..reader() };
    let update = |id: &str| testing::update(Id::new(id), Body::Role(reader()), Body::Role(changed.clone()));
    for (bare, id) in [(false, "reader"), (false, "reader#id-reader"), (true, "reader#id-reader")] {
        nameless.store(bare, Ordering::SeqCst);
        let now = lenses.write(&update(id)).await.expect("a success").expect("the role");
        assert_eq!(now.id.as_str(), id);
    }
    let create = testing::create(None, Body::Role(reader()));
    let made = lenses.write(&create).await.expect("a success").expect("the role");
    assert_eq!(made.id.as_str(), "reader", "nothing shows that it is the earlier one with this name");
}
