//! What a RoleBinding desires, case by case.

use std::{cell::Cell, sync::Arc};

use serde_json::json;

use super::{super::MAX_SUGGESTIONS, *};
use rolewright_backends::lenses::VENDOR;
use rolewright_core::model::{Builder, Observed, Snapshot};
use rolewright_core::planner::DesiredBody;

/// A snapshot of HQ with a role `reader` of this id, if any.
fn shown(id: Option<&str>) -> Builder {
    let mut builder = Builder::new();
    let role = |id: &str| {
        let body = Body::Role(Role {
            name: "reader".to_owned(),
            display_name: None,
            description: None,
            rules: BTreeSet::new(),
            settings: BTreeMap::new(),
            unreadable: false,
        });
        Observed::new(Id::new(id), VENDOR.dialect.key(&body), body)
    };
    id.map(role).into_iter().for_each(|role| builder.add(role));
    let devs = Named::new(Level::GROUP, Id::new("group:devs#1"), "devs");
    builder.directory().insert(rolewright_core::model::Entry {
        named: devs,
        parent: None,
        aliases: Vec::new(),
    });
    builder
}

/// The role of a binding of the group devs by this reference, while the Role `reader` manages `held`; or the problem.
fn resolved_role(
    reference: serde_json::Value,
    held: &str,
    snapshot: &Snapshot,
) -> Result<String, (Issue, String)> {
    let role: api::Role = serde_json::from_value(json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "Role", "metadata": {"name": "reader", "namespace": "team-a"},
        "spec": {"backendRef": {"name": "lenses"}, "rules": []},
        "status": {"held": [{"kind": "Role", "id": held, "key": {"name": "reader"}, "origin": "Created", "state": "Present",
            "fingerprint": "0"}]},
    }))
    .expect("a Role");
    let binding: api::RoleBinding = serde_json::from_value(json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "RoleBinding", "metadata": {"name": "readers", "namespace": "team-a"},
        "spec": {"backendRef": {"name": "lenses"}, "roleRef": reference, "subjects": [{"kind": "Group", "name": "devs"}]},
    }))
    .expect("a RoleBinding");
    let role = std::sync::Arc::new(role);
    match &resolved(&binding, Some(role), snapshot).desired[0].body {
        DesiredBody::Resolved(Body::Grant(grant)) => Ok(grant.role.text().to_owned()),
        DesiredBody::AllUnresolved(problem, _) => Err((problem.issue, problem.message.clone())),
        other => panic!("{other:?}"),
    }
}

fn resolved(binding: &api::RoleBinding, role: Option<Arc<api::Role>>, snapshot: &Snapshot) -> Resolved {
    binding.resolve(&Surroundings {
        dialect: VENDOR.dialect,
        snapshot,
        role: &|_| role.clone(),
        nearest_role: &|_| Some("reader".to_owned()),
        suggestions: Cell::new(MAX_SUGGESTIONS),
        account: "hq",
        lacks: &BTreeMap::new(),
        plans_only: false,
        bounds: None,
        is_exclusive: false,
        now: Timestamp::UNIX_EPOCH,
    })
}

/// A binding of users to the external role `reader`.
fn users(names: &[&str]) -> api::RoleBinding {
    let subjects: Vec<_> = names.iter().map(|name| json!({"kind": "User", "name": name})).collect();
    serde_json::from_value(json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "RoleBinding", "metadata": {"name": "readers", "namespace": "team-a"},
        "spec": {"backendRef": {"name": "lenses"}, "roleRef": {"external": {"name": "reader"}}, "subjects": subjects},
    }))
    .expect("a RoleBinding")
}

/// The members of the group that a binding of these users desires. Only alice is known.
fn user(name: &str) -> Named {
    Named::new(Level::USER, Id::new(format!("principal:{name}")), name)
}

/// The group of the binding in the account.
fn own_group(members: Option<&[&str]>) -> Observed {
    let body = Body::Group(Group {
        name: VENDOR.dialect.group_of("hq\nteam-a\nreaders").expect("a group").to_string(),
        roles: BTreeSet::new(),
        members: members.map(|members| members.iter().map(|name| user(name)).collect()),
    });
    Observed::new(Id::new("group#1"), VENDOR.dialect.key(&body), body)
}

fn desired_members(names: &[&str], group: Option<Option<&[&str]>>) -> Option<Vec<String>> {
    let binding = users(names);
    let mut builder = shown(Some("reader#5f0c"));
    builder.directory().insert(rolewright_core::model::Entry {
        named: user("alice"),
        parent: None,
        aliases: Vec::new(),
    });
    group.into_iter().for_each(|members| builder.add(own_group(members)));
    resolved(&binding, None, &builder.complete()).desired.into_iter().find_map(|item| match item.body {
        DesiredBody::Resolved(Body::Group(group)) => {
            Some(group.members?.into_iter().map(|member| member.name.to_string()).collect())
        }
        _ => None,
    })
}

#[test]
fn wrong_subjects_are_reported_by_index_with_suggestions() {
    let mut builder = shown(Some("reader#5f0c"));
    builder.directory().insert(rolewright_core::model::Entry {
        named: Named::new(Level::USER, Id::new("principal:alice"), "alice"),
        parent: None,
        aliases: Vec::new(),
    });
    let wrong = ["alise", "alcie", "alic", "alicee", "alica", "elice"];
    let names: Vec<&str> = ["alice"].into_iter().chain(wrong).collect();
    let desired = resolved(&users(&names), None, &builder.complete()).desired;
    let messages: Vec<String> = desired
        .into_iter()
        .filter_map(|item| match item.body {
            DesiredBody::Unresolved(problem) => Some(problem.message),
            _ => None,
        })
        .collect();
    let message = "spec.subjects[1]: no user \"alise\"; did you mean \"alice\"?";
    assert_eq!((messages.len(), messages[0].as_str()), (6, message));
    let suggested = messages.iter().filter(|message| message.contains("did you mean")).count();
    assert_eq!(suggested, MAX_SUGGESTIONS, "the cost of one object is bounded");
}

#[test]
fn only_subjects_that_can_be_looked_up_are_awaited() {
    let awaited = |missing_subjects, is_refused: bool| {
        let mut binding = users(&["alice", "alice", "zoe"]);
        binding.spec.missing_subjects = missing_subjects;
        let mut builder = shown(Some("reader#5f0c"));
        builder.directory().insert(rolewright_core::model::Entry {
            named: Named::new(Level::USER, Id::new("principal:alice"), "alice"),
            parent: None,
            aliases: Vec::new(),
        });
        if is_refused {
            builder.directory().refuse(Level::USER, "answered 403");
        }
        Vec::from_iter(resolved(&binding, None, &builder.complete()).awaited)
    };
    let wait = Some(api::MissingSubjects::Wait);
    assert_eq!(awaited(wait, false), ["zoe"], "alice is listed twice");
    assert_eq!(awaited(wait, true), [""; 0], "zoe can exist");
    assert_eq!(awaited(Some(api::MissingSubjects::Fail), false), [""; 0]);
    assert_eq!(awaited(None, false), [""; 0]);
}

#[test]
fn subject_that_has_the_role_already_is_not_awaited() {
    let mut binding = users(&["alice", "zoe"]);
    binding.spec.missing_subjects = Some(api::MissingSubjects::Wait);
    let awaited = |binding: &api::RoleBinding, builder: Builder| {
        Vec::from_iter(resolved(binding, None, &builder.complete()).awaited)
    };
    assert_eq!(awaited(&binding, shown(Some("reader#5f0c"))), ["alice", "zoe"]);
    // The vendor renamed alice, or does not show her any more.
    let names = resolved(&binding, None, &shown(Some("reader#5f0c")).complete()).names;
    let status = json!({"names": names, "held": [{
        "kind": "Grant", "id": "grant#1", "key": {}, "name": "alice", "origin": "Created", "state": "Present", "fingerprint": "0",
    }]});
    binding.status = Some(serde_json::from_value(status).expect("a status"));
    assert_eq!(awaited(&binding, shown(Some("reader#5f0c"))), ["zoe"]);
}

#[test]
fn members_of_the_own_group_and_of_a_hidden_one_are_not_awaited() {
    let mut binding = users(&["alice", "zoe"]);
    binding.spec.missing_subjects = Some(api::MissingSubjects::Wait);
    let awaited = |members: Option<&[&str]>| {
        let mut builder = shown(Some("reader#5f0c"));
        builder.add(own_group(members));
        Vec::from_iter(resolved(&binding, None, &builder.complete()).awaited)
    };
    assert_eq!(awaited(Some(&["bob"])), ["alice", "zoe"]);
    assert_eq!(awaited(Some(&["alice"])), ["zoe"]);
    assert_eq!(awaited(None), [""; 0], "the members are hidden");
}

#[test]
fn planned_role_that_exists_is_bound_by_its_id() {
    let role: api::Role = serde_json::from_value(json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "Role", "metadata": {"name": "reader", "namespace": "team-a"},
        "spec": {"backendRef": {"name": "lenses"}, "rules": []},
        "status": {"plan": {"hash": "0", "serial": 0, "summary": "+0 ~0 -0, adopts 1", "total": 1, "changes": []}},
    }))
    .expect("a Role");
    let mut binding = users(&["alice"]);
    binding.spec.role_ref = serde_json::from_value(json!({"name": "reader"})).expect("a reference");
    binding.spec.subjects =
        serde_json::from_value(json!([{"kind": "Group", "name": "devs"}])).expect("subjects");
    for (id, is_planned) in [(Some("reader#5f0c"), false), (None, true)] {
        let resolved = resolved(&binding, Some(Arc::new(role.clone())), &shown(id).complete());
        let DesiredBody::Resolved(Body::Grant(grant)) = &resolved.desired[0].body else { panic!("no grant") };
        assert!(resolved.role_is_planned, "nothing is executed before the Role manages the role");
        assert_eq!(matches!(grant.role, RoleRef::Planned(_)), is_planned);
    }
}

#[test]
fn unresolved_members_stay_and_dropped_ones_leave() {
    let members = |names: &[&str], group| desired_members(names, group);
    let expect = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let there: Option<Option<&[&str]>> = Some(Some(&["bob", "carol"]));
    assert_eq!(members(&["alice", "bob"], there), expect(&["alice", "bob"]));
    assert_eq!(members(&["bob"], there), expect(&["bob"]), "no subject is resolved");
    assert_eq!(members(&["zoe"], there), expect(&[]));
    assert_eq!(members(&["zoe"], None), None, "there is no group yet");
    assert_eq!(members(&["alice", "zoe"], None), expect(&["alice"]));
    assert_eq!(members(&["alice", "zoe"], Some(None)), None, "the members are hidden");
    assert_eq!(members(&["alice"], Some(None)), expect(&["alice"]));
}

#[test]
fn recreated_external_role_is_a_conflict_and_stays_recorded() {
    let mut binding = users(&["alice"]);
    let first = resolved(&binding, None, &shown(Some("reader#1")).complete());
    assert_eq!(first.names[0].id, "reader#1");
    binding.status = Some(api::RoleBindingStatus { names: first.names.clone(), ..Default::default() });
    let another = shown(Some("reader#2")).complete();
    let second = resolved(&binding, None, &another);
    let DesiredBody::AllUnresolved(problem, names) = &second.desired[0].body else { panic!("resolved") };
    assert_eq!((problem.issue, names.len()), (Issue::Conflict, 1));
    assert_eq!(second.names, first.names);
    let hidden = resolved(&binding, None, &shown(None).complete());
    assert_eq!(hidden.names, first.names, "a name that is not found keeps its record");
}

#[test]
fn a_role_recreated_under_a_managed_name_is_not_granted() {
    let another = shown(Some("reader#another")).complete();
    for reference in [json!({"name": "reader"}), json!({"external": {"id": "reader#5f0c"}})] {
        let (issue, message) = resolved_role(reference, "reader#5f0c", &another).expect_err("a problem");
        assert!(issue == Issue::Waiting && message.contains("another role has its name"), "{message}");
    }
    // A role whose id is not shown is not the same role either.
    let nameless = shown(Some("reader")).complete();
    assert!(resolved_role(json!({"name": "reader"}), "reader#5f0c", &nameless).is_err());
}

#[test]
fn the_managed_role_is_used_while_nothing_speaks_against_it() {
    for (held, snapshot) in
        [("reader#5f0c", shown(Some("reader#5f0c")).complete()), ("reader#5f0c", shown(None).complete())]
    {
        assert_eq!(
            resolved_role(json!({"name": "reader"}), held, &snapshot),
            Ok("reader".to_owned()),
            "{held}"
        );
    }
    let there = shown(Some("reader#5f0c")).complete();
    assert_eq!(
        resolved_role(json!({"external": {"id": "reader"}}), "reader#5f0c", &there),
        Ok("reader".to_owned())
    );
}
