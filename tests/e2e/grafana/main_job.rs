//! The main job on Grafana: roles and who holds them.

use rolewright_simulators::grafana::switches::{DisplayNameFallback, Generation, Licence};
use serde_json::json;

use crate::support::{
    World,
    grafana::{backend, binding, role},
    held_ids, subject,
};

const ALL: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("ServiceAccount", "nightly-reports"), ("Team", "sre")];

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_their_holders_come_to_be_in_grafana_and_go_with_their_yaml() {
    let world = World::grafana("gf-life").await;
    let before = world.access();
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.apply(role("reader", json!({ "displayName": "Reader", "grafana": { "group": "Reports" } }))).await;
    world.ready("Role", "reader").await;
    let readers = world.ready("RoleBinding", "readers").await;
    assert_eq!(held_ids(&readers).len(), 3);
    let mut users = vec![world.user("alice"), world.service_account("nightly-reports")];
    users.sort_unstable();
    assert_eq!(world.holders("reader"), (users, vec![world.team("sre")]));
    assert_eq!(world.permits("reader"), [("reports:read".to_owned(), "reports:*".to_owned())]);

    world.each_deleted(&[("Role", "reader"), ("RoleBinding", "readers")]).await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_role_is_one_put_and_keeps_its_uid_in_every_generation() {
    for generation in [Generation::V11, Generation::V12, Generation::V13] {
        let world = World::grafana_with("gf-put", |switches| switches.generation = generation).await;
        world.apply(role("reader", json!({}))).await;
        let before = held_ids(&world.ready("Role", "reader").await);
        for description in ["one", "two"] {
            let since = world.now();
            world.apply(role("reader", json!({ "description": description }))).await;
            let after = world.ready("Role", "reader").await;
            assert_eq!(held_ids(&after), before);
            let puts = world.writes_since(since);
            assert_eq!(puts, [format!("PUT /api/access-control/roles/{}", before[0])], "{generation:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_in_what_no_list_shows_is_found_by_the_version_and_put_back() {
    let world = World::grafana("gf-drift").await;
    world.apply(role("reader", json!({}))).await;
    let uid = held_ids(&world.ready("Role", "reader").await).remove(0);
    world.swept().await;
    world.sim.edit(|tenant| {
        let id = tenant.roles.iter().find(|role| role.uid == uid).unwrap().id;
        let role = tenant.roles.get_mut(id).unwrap();
        role.permissions.clear();
        role.version += 1;
    });
    let note = world.event("reader", "DriftCorrected").await;
    assert!(note.contains("+ reports:read on reports:*"), "{note}");
    assert_eq!(world.permits("reader"), [("reports:read".to_owned(), "reports:*".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assignment_removed_by_hand_comes_back_even_when_the_search_omits_who_has_none() {
    let world = World::grafana_with("gf-omit", |switches| switches.search_lists_roleless = false).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let held = world.holders("reader");
    world.sim.edit(|tenant| {
        tenant
            .user_roles
            .retain(|it| it.role_uid != tenant.roles.iter().find(|r| r.name == "reader").unwrap().uid);
        tenant
            .team_roles
            .retain(|it| it.role_uid != tenant.roles.iter().find(|r| r.name == "reader").unwrap().uid);
    });
    world.event("readers", "DriftCorrected").await;
    world.ready("RoleBinding", "readers").await;
    world.account("all three hold it again", |_| true).await;
    assert_eq!(world.holders("reader"), held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_omits_somebody_who_has_roles_changes_nothing() {
    let world = World::grafana("gf-short").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let (alice, sre) = (world.user("alice"), world.team("sre"));
    let (versions, access, since) = (world.versions().await, world.access(), world.now());
    world.switch(|switches| {
        switches.search_omits_users.insert(alice);
        switches.search_omits_teams.insert(sre);
    });
    world.swept().await;
    world.swept().await;
    assert_eq!((world.versions().await, world.access()), (versions, access));
    let writes = world.writes_since(since);
    assert!(writes.is_empty(), "{writes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_that_lapses_makes_objects_wait_and_takes_nothing() {
    for licence in [Licence::Disabled, Licence::Absent] {
        let world = World::grafana("gf-lapse").await;
        world.apply(role("reader", json!({}))).await;
        world.apply(binding("readers", "reader", &ALL, json!({}))).await;
        world.ready("RoleBinding", "readers").await;
        world.swept().await;
        let (versions, access) = (world.versions().await, world.access());
        world.switch(|switches| switches.licence = licence);
        let message = world.reason("Backend", "grafana", "Unsupported").await;
        assert!(message.contains("licence"), "{message}");
        assert_eq!(
            (world.versions().await, world.access()),
            (versions.clone(), access.clone()),
            "{licence:?}"
        );
        world.switch(|switches| switches.licence = Licence::Valid);
        world.ready("Backend", "grafana").await;
        world.swept().await;
        assert_eq!((world.versions().await, world.access()), (versions, access), "{licence:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_name_that_grafana_makes_up_is_no_drift() {
    let world = World::grafana_with("gf-fallback", |switches| {
        switches.display_name_fallback = DisplayNameFallback::AllRoles;
        switches.zero_created = true;
    })
    .await;
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    world.swept().await;
    let (versions, since) = (world.versions().await, world.now());
    world.swept().await;
    assert_eq!(world.versions().await, versions);
    assert_eq!(world.writes_since(since), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_token_may_not_hand_on_is_denied_on_that_object_alone_and_named() {
    let world = World::grafana("gf-delegate").await;
    world.apply(role("reader", json!({}))).await;
    let far = json!({ "rules": [{ "actions": ["grafana-oncall-app.schedules:read"] }] });
    world.apply(role("far", far)).await;
    world.ready("Role", "reader").await;
    let message = world.reason("Role", "far", "Denied").await;
    assert!(message.contains("grafana-oncall-app.schedules:read"), "{message}");
    world.ready("Backend", "grafana").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_grafana_does_not_know_is_told_in_full() {
    let world = World::grafana("gf-valid").await;
    world.apply(role("odd", json!({ "rules": [{ "actions": ["rockets:launch"] }] }))).await;
    let message = world.reason("Role", "odd", "Invalid").await;
    assert!(message.contains("accesscontrol.permission-invalid-action"), "{message}");
    assert!(message.contains("rockets:launch"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_of_the_vendor_are_bound_by_name_and_basic_ones_are_refused_with_a_word_how() {
    let world = World::grafana("gf-fixed").await;
    let external = |name: &str| json!({ "roleRef": { "external": { "name": name } } });
    let one = [("User", "alice@example.com")];
    let fixed = {
        let mut object = binding("fixed", "x", &one, external("fixed:reports:reader"));
        object["spec"]["roleRef"].as_object_mut().unwrap().remove("name");
        object
    };
    world.apply(fixed).await;
    world.ready("RoleBinding", "fixed").await;
    assert_eq!(world.holders("fixed:reports:reader").0, [world.user("alice")]);
    let mut basic = binding("basic", "x", &one, external("basic:editor"));
    basic["spec"]["roleRef"].as_object_mut().unwrap().remove("name");
    world.apply(basic).await;
    let message = world.reason("RoleBinding", "basic", "Invalid").await;
    assert!(message.contains("basic"), "{message}");
    for name in ["fixed:reports:reader", "basic:viewer", "plugins:x:y", "managed:users:1:permissions"] {
        let object = role("reserved", json!({ "name": name }));
        world.apply(object).await;
        world.reason("Role", "reserved", "Invalid").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_exactly_and_what_is_not_there_is_said_of_that_subject() {
    let world = World::grafana("gf-names").await;
    world.apply(role("reader", json!({}))).await;
    let sre = world.team("sre");
    let by_id = format!("id:{sre}");
    let subjects = [
        ("User", "ann@example.com"),
        ("User", "login:Ivan"),
        ("Team", by_id.as_str()),
        ("Team", "sre-on"),
        ("ServiceAccount", "sre"),
    ];
    world.apply(binding("readers", "reader", &subjects, json!({}))).await;
    world.reason("RoleBinding", "readers", "NotFound").await;
    let object = world.get("RoleBinding", "readers").await;
    assert_eq!(subject(&object, "sre-on").0, "NotFound");
    assert_eq!(subject(&object, "sre").0, "NotFound");
    let mut users = vec![world.user("ann"), world.user("Ivan")];
    users.sort_unstable();
    assert_eq!(world.holders("reader"), (users, vec![sre]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_somebody_holds_by_hand_is_not_deleted_and_says_who() {
    let world = World::grafana("gf-held").await;
    world.apply(role("reader", json!({}))).await;
    let uid = held_ids(&world.ready("Role", "reader").await).remove(0);
    let dave = world.user("dave");
    world.sim.edit(|tenant| {
        let mut by_hand = tenant.user_roles[0].clone();
        (by_hand.user_id, by_hand.role_uid) = (dave, uid);
        tenant.user_roles.push(by_hand);
    });
    world.delete("Role", "reader").await;
    let message = world.reason("Role", "reader", "DeletionBlocked").await;
    assert!(message.contains("dave@example.com"), "{message}");
    world.sim.edit(|tenant| tenant.user_roles.retain(|it| it.user_id != dave));
    world.gone("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_there_is_taken_over_by_its_name_or_by_the_uid_that_the_spec_gives() {
    let world = World::grafana("gf-adopt").await;
    let by_name = json!({
        "name": "Legacy reviewer",
        "description": "Reads what finance reports",
        "rules": [
            { "actions": ["reports:read"], "resources": ["reports:*"] },
            { "actions": ["dashboards:read"], "resources": ["folders:uid:finance"] },
        ],
        "deletionPolicy": "Retain",
    });
    world.apply(role("by-name", by_name.clone())).await;
    assert_eq!(held_ids(&world.ready("Role", "by-name").await), ["legacy-reviewer"]);
    world.delete("Role", "by-name").await;
    world.gone("Role", "by-name").await;

    let by_uid = json!({ "name": "Reviewer", "adopt": "Always", "grafana": { "uid": "legacy-reviewer" } });
    world.apply(role("by-uid", by_uid)).await;
    assert_eq!(held_ids(&world.ready("Role", "by-uid").await), ["legacy-reviewer"]);
    assert_eq!(world.sim.edit(|tenant| tenant.role_by_name("Reviewer")).as_deref(), Some("legacy-reviewer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_idle_sweeps_read_no_role_one_by_one_beyond_the_one_in_turn() {
    let mut world = World::grafana("gf-idle").await;
    for number in 0..12 {
        world.apply(role(&format!("r{number}"), json!({}))).await;
    }
    for number in 0..12 {
        world.ready("Role", &format!("r{number}")).await;
    }
    world.operator.kill();
    let (versions, since) = (world.versions().await, world.now());
    world.restart();
    world.swept().await;
    let asked = world.asked(since);
    let sweeps = asked.iter().filter(|entry| entry.path == "/api/access-control/roles").count();
    let details = asked.iter().filter(|entry| entry.path.starts_with("/api/access-control/roles/")).count();
    assert!(details <= sweeps, "{details} roles were read in {sweeps} sweeps");
    assert_eq!(world.versions().await, versions);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_mapping_of_groups_gives_is_left_alone_and_hidden_roles_are_seen() {
    let world = World::grafana("gf-mapped").await;
    world.apply(role("reader", json!({ "grafana": { "hidden": true } }))).await;
    let uid = held_ids(&world.ready("Role", "reader").await).remove(0);
    let (bob, dave) = (world.user("bob"), world.user("dave"));
    world.sim.edit(|tenant| {
        let mut mapped = tenant.user_roles[0].clone();
        (mapped.user_id, mapped.role_uid, mapped.mapped) = (dave, uid, true);
        tenant.user_roles.push(mapped);
    });
    let given = [("User", "bob@example.com"), ("User", "dave@example.com")];
    world.apply(binding("readers", "reader", &given, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.delete("RoleBinding", "readers").await;
    world.gone("RoleBinding", "readers").await;
    let left = world.sim.edit(|tenant| {
        let of_it = tenant.user_roles.iter().filter(|it| it.mapped || it.user_id == bob);
        of_it.map(|it| (it.user_id, it.mapped)).collect::<Vec<_>>()
    });
    assert_eq!(left, [(dave, true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_organization_is_told_as_what_it_is() {
    let world = World::grafana("gf-org").await;
    world.ready("Backend", "grafana").await;
    let mut other = backend(&world.sim.url(), json!({}));
    other["metadata"]["name"] = json!("other");
    other["spec"]["grafana"]["orgId"] = json!(2);
    world.apply(other).await;
    let message = world.reason("Backend", "other", "Denied").await;
    assert!(message.contains("spec.grafana.orgId"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_grafana_remembers_for_a_minute_do_not_make_it_flap() {
    let world = World::grafana_with("gf-cache", |switches| switches.permission_cache_ms = 60_000).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &ALL, json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let versions = world.versions().await;
    world.swept().await;
    assert_eq!(world.versions().await, versions);
    world.delete("RoleBinding", "readers").await;
    world.delete("Role", "reader").await;
    world.gone("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_on_grafana_is_told_with_the_field() {
    let world = World::grafana("gf-invalid").await;
    let rules = json!([{ "actions": ["reports:read"], "resources": ["reports:*"], "effect": "Deny" }]);
    world.apply(role("deny", json!({ "rules": rules }))).await;
    assert!(world.reason("Role", "deny", "Invalid").await.contains("spec.rules"));
    let scope = json!({ "scope": { "space": "research" } });
    world.apply(binding("scoped", "deny", &[("Team", "sre")], scope)).await;
    assert!(world.reason("RoleBinding", "scoped", "Invalid").await.contains("spec.scope"));
    let mut changed = role("deny", json!({ "grafana": { "uid": "x" } }));
    let refused = world.try_apply(changed.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("grafana.uid cannot be changed"), "{refused}");
    changed["metadata"]["name"] = json!("fresh");
    changed["spec"]["grafana"] = json!({ "uid": "x y" });
    assert!(world.try_apply(changed).await.is_err());
}
