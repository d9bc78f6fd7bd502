//! Comparisons of bodies, lookups by name and key, and absence from a snapshot.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::*;

fn named(id: &str, name: &str) -> Named {
    Named::new(Level::USER, Id::new(id), name)
}

fn role(name: &str, actions: &[&str]) -> Role {
    let rule = |action: &&str| Rule { effect: Effect::Allow, action: (*action).to_owned(), resource: None };
    Role {
        name: name.to_owned(),
        display_name: None,
        description: None,
        rules: actions.iter().map(rule).collect(),
        settings: BTreeMap::new(),
        unreadable: false,
    }
}

fn seen(id: &str, name: &str) -> Observed {
    let body = Body::Role(role(name, &["read"]));
    Observed::new(Id::new(id), Key::new([("name", name)]), body)
}

fn by_name(snapshot: &Snapshot, name: &str) -> Option<String> {
    snapshot.by_key(Kind::Role, &Key::new([("name", name)])).map(|role| role.id.to_string())
}

fn snapshot(things: &[Observed]) -> Snapshot {
    let mut builder = Builder::new();
    things.iter().cloned().for_each(|thing| builder.add(thing));
    builder.complete()
}

#[test]
fn grants_with_other_display_names_are_equal() {
    let grant = |name: &str| {
        let role = RoleRef::Existing(named("R", name));
        Body::Grant(Grant { role, subject: named("1", name), scope: Some(named("p", name)) })
    };
    assert_eq!(grant("before"), grant("after"));
    assert_eq!(grant("before").fingerprint(), grant("after").fingerprint());
}

#[test]
fn planned_role_differs_from_existing_role_of_that_name() {
    let grant = |role: RoleRef| Body::Grant(Grant { role, subject: named("1", "a"), scope: None });
    let (planned, existing) =
        (grant(RoleRef::Planned("R".to_owned())), grant(RoleRef::Existing(named("R", "R"))));
    assert_ne!(planned.fingerprint(), existing.fingerprint());
}

#[test]
fn fingerprints_are_stable_across_versions() {
    let body = Body::Role(role("a", &["write", "read"]));
    assert_eq!(body.fingerprint().as_str(), "94e487c015716987", "statuses record it");
    assert_eq!(body.fingerprint(), Body::Role(role("a", &["read", "write", "read"])).fingerprint());
}

#[test]
fn difference_lists_added_and_removed_parts() {
    let mut to = role("b", &["read", "write"]);
    to.description = Some("says \"more\"".to_owned());
    to.settings.insert("group".to_owned(), "Reports".to_owned());
    to.rules.insert(Rule { effect: Effect::Deny, action: "drop".to_owned(), resource: Some("*".to_owned()) });
    let lines = Body::Role(role("a", &["read", "delete"])).difference(&Body::Role(to));
    let expected = [
        "name: \"a\" -> \"b\"",
        "description: none -> \"says \\\"more\\\"\"",
        "group: none -> \"Reports\"",
        "+ write",
        "+ deny drop on *",
        "- delete",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn absence_needs_a_proof_for_its_place() {
    let place = Id::new("p");
    let absence = |proof: Option<Proof>, place: Option<&Id>| {
        let mut builder = Builder::new();
        if let Some(proof) = proof {
            builder.prove(Kind::Grant, proof);
        }
        builder.complete().absence(Kind::Grant, place)
    };
    let within = Proof::Within([place.clone()].into());
    assert_eq!(absence(Some(Proof::Everywhere), None), Absence::Proven);
    assert_eq!(absence(Some(within.clone()), Some(&place)), Absence::Proven);
    assert_eq!(absence(Some(within.clone()), Some(&Id::new("q"))), Absence::Unproven);
    assert_eq!(absence(Some(within), None), Absence::Unproven);
    assert_eq!(absence(Some(Proof::Nowhere), Some(&place)), Absence::Unproven);
    assert_eq!(absence(None, Some(&place)), Absence::Unproven);
}

#[test]
fn changed_key_replaces_the_old_one() {
    let mut snapshot = snapshot(&[seen("1", "old")]);
    snapshot.put(seen("1", "new"));
    assert_eq!((by_name(&snapshot, "old"), by_name(&snapshot, "new")), (None, Some("1".to_owned())));
    snapshot.remove(Kind::Role, &Id::new("1"));
    assert_eq!((by_name(&snapshot, "new"), snapshot.all(Kind::Role).count()), (None, 0));
}

#[test]
fn two_things_can_swap_keys() {
    let mut snapshot = snapshot(&[seen("1", "a"), seen("2", "b")]);
    snapshot.put(seen("1", "b"));
    snapshot.put(seen("2", "a"));
    assert_eq!(
        (by_name(&snapshot, "a"), by_name(&snapshot, "b")),
        (Some("2".to_owned()), Some("1".to_owned()))
    );
    assert!(!snapshot.is_ambiguous(Kind::Role, &Key::new([("name", "b")])));
}

#[test]
fn duplicate_key_returns_the_lowest_id() {
    let key = Key::new([("name", "a")]);
    for order in [["1", "2", "3"], ["3", "2", "1"], ["2", "3", "1"]] {
        let mut snapshot = snapshot(&order.map(|id| seen(id, "a")));
        assert_eq!(by_name(&snapshot, "a"), Some("1".to_owned()));
        assert!(snapshot.is_ambiguous(Kind::Role, &key));
        snapshot.remove(Kind::Role, &Id::new("1"));
        assert_eq!(by_name(&snapshot, "a"), Some("2".to_owned()));
        snapshot.put(seen("2", "b"));
        assert_eq!(by_name(&snapshot, "a"), Some("3".to_owned()));
        assert!(!snapshot.is_ambiguous(Kind::Role, &key));
        snapshot.remove(Kind::Role, &Id::new("3"));
        assert_eq!(by_name(&snapshot, "a"), None);
    }
}

fn entry(level: &'static str, id: &str, name: &str, parent: Option<&str>) -> Entry {
    let named = Named::new(Level::new(level), Id::new(id), name);
    Entry { named, parent: parent.map(Id::new), aliases: Vec::new() }
}

fn found(directory: &Directory, level: &'static str, name: &str, parent: Option<&str>) -> Vec<String> {
    match directory.find(Level::new(level), name, parent.map(Id::new).as_ref()) {
        NameMatch::None => Vec::new(),
        NameMatch::One(entry) => vec![entry.named.id.to_string()],
        NameMatch::Many(entries) => entries.iter().map(|entry| entry.named.id.to_string()).collect(),
    }
}

#[test]
fn names_match_by_level_parent_and_case() {
    let mut directory = Directory::default();
    for entry in [
        entry("project", "2", "churn", Some("s1")),
        entry("project", "1", "churn", Some("s2")),
        entry("space", "s1", "churn", None),
        entry("user", "u", "Alice@Example.com", None),
    ] {
        directory.insert(entry);
    }
    assert_eq!(found(&directory, "project", "churn", None), ["1", "2"], "several, ordered by id");
    assert_eq!(found(&directory, "project", "churn", Some("s1")), ["2"]);
    assert_eq!(found(&directory, "space", "churn", None), ["s1"]);
    assert_eq!(found(&directory, "space", "Churn", None), [""; 0]);
    assert_eq!(found(&directory, "user", "alice@example.COM", None), ["u"]);
}

#[test]
fn renamed_entry_is_not_found_by_its_old_name() {
    let mut directory = Directory::default();
    directory.insert(entry("user", "u", "old@example.com", None));
    directory.insert(entry("user", "u", "new@example.com", None));
    assert_eq!(found(&directory, "user", "old@example.com", None), [""; 0]);
    assert_eq!(found(&directory, "user", "new@example.com", None), ["u"]);
    assert_eq!(&*directory.named(Level::USER, &Id::new("u")).name, "new@example.com");
    assert_eq!(&*directory.named(Level::USER, &Id::new("x")).name, "x");
}

#[test]
fn entry_is_found_by_its_current_aliases() {
    let mut directory = Directory::default();
    let mut alice = entry("user", "u", "alice@example.com", None);
    alice.aliases = vec!["login:alice".to_owned(), "alice@example.com".to_owned()];
    directory.insert(alice.clone());
    assert_eq!(found(&directory, "user", "login:alice", None), ["u"]);
    assert_eq!(found(&directory, "user", "alice@example.com", None), ["u"], "once, not twice");
    assert_eq!(found(&directory, "team", "login:alice", None), [""; 0]);
    alice.aliases = vec!["login:al".to_owned()];
    directory.insert(alice);
    assert_eq!(found(&directory, "user", "login:alice", None), [""; 0]);
    assert_eq!(found(&directory, "user", "login:al", None), ["u"]);
}

#[test]
fn keys_with_different_fields_are_never_equal() {
    let texts = ["", "a", "b", "ab", "\0", "a\0b", "\u{1}", "ä", "1", "=", ","];
    let pairs = texts.iter().flat_map(|field| texts.iter().map(|value| (*field, *value)));
    let maps: BTreeSet<BTreeMap<&str, &str>> =
        pairs.clone().flat_map(|one| pairs.clone().map(move |two| BTreeMap::from([one, two]))).collect();
    let keys: Vec<Key> =
        maps.iter().map(|map| map.iter().map(|(field, value)| (*field, *value)).collect()).collect();
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), maps.len());
    assert!(keys.is_sorted(), "a key sorts as the map of its fields");
    for (key, map) in keys.iter().zip(&maps) {
        assert_eq!(&key.fields().collect::<BTreeMap<_, _>>(), map);
    }
}

#[test]
fn a_level_can_ignore_the_case_of_names() {
    let mut directory = Directory::default();
    directory.ignore_case(Level::USER);
    let user = |id: &str, alias: &str| Entry {
        named: Named::new(Level::USER, Id::new(id), format!("{id}@example.com")),
        parent: None,
        aliases: vec![alias.to_owned()],
    };
    directory.insert(user("1", "login:Ivan"));
    directory.insert(Entry {
        named: Named::new(Level::TEAM, Id::new("t"), "SRE"),
        parent: None,
        aliases: Vec::new(),
    });
    for name in ["login:Ivan", "login:ivan", "login:IVAN"] {
        assert_eq!(found(&directory, "user", name, None), ["1"], "{name}");
    }
    assert_eq!(found(&directory, "team", "sre", None), [""; 0], "another level");
    // Two that differ in case are two.
    directory.insert(user("2", "login:ivan"));
    assert_eq!(found(&directory, "user", "login:Ivan", None), ["1"]);
    assert_eq!(found(&directory, "user", "login:ivan", None), ["2"]);
    assert_eq!(found(&directory, "user", "login:IVAN", None), ["1", "2"]);
    // A new name replaces the old one in every case.
    directory.insert(user("1", "login:Other"));
    assert_eq!(found(&directory, "user", "login:IVAN", None), ["2"]);
}

#[test]
fn case_is_ignored_in_ascii_letters_of_addresses_only() {
    for (level, a, b, same) in [
        (Level::USER, "Alice@Example.com", "alice@example.COM", true),
        (Level::USER, "\u{212a}im@example.com", "kim@example.com", false),
        (Level::USER, "\u{c4}nne@example.com", "\u{e4}nne@example.com", false),
        (Level::USER, "Alice", "alice", false),
        (Level::SERVICE_ACCOUNT, "CI@example.com", "ci@example.com", false),
        (Level::TEAM, "SRE@night", "sre@night", false),
    ] {
        assert_eq!(same_name(level, a, b), same, "{level} {a} {b}");
    }
}
