//! Lenses servers that differ: generations, and answers to what the contract leaves open.

use kube::api::DynamicObject;
use rolewright_simulators::{
    kit::log::Entry,
    lenses::{
        Lenses,
        policy::{Effect, Statement},
        principals::Principal,
        switches::{
            Generation, Lists, MembershipMode, PolicyEcho, RoleDeletion, Switches, TokenEnd, Validation,
        },
        users::User,
    },
};
use serde_json::{Value, json};

use crate::support::{
    World,
    lenses::{GROUPS, MEMBERS, binding, role},
    ready_condition,
    servers::servers,
};

const OBJECTS: [(&str, &str); 3] = [("RoleBinding", "readers"), ("RoleBinding", "teams"), ("Role", "reader")];

servers! {
    Lenses, elsewhere: [];

    lenses_6_0_is_supported: |it| {
        it.generation = Generation::V60;
        it.unknown_keys_refused = true;
        it.role_text_limits = false;
        it.token_end = TokenEnd::Absent;
    } => lifecycle;

    lenses_6_1_with_other_statuses_is_supported: |it| {
        it.generation = Generation::V61;
        it.role_creation_status = 200;
        it.append_status = 201;
        it.validation_status = 422;
        it.duplicate_status = 400;
        it.unknown_reference_status = 404;
        it.unknown_removals_refused = true;
        it.sparse_problems = true;
        it.plain_problem_type = true;
    } => lifecycle;

    server_with_strict_policies_is_supported: |it| {
        it.validation = Validation::Strict;
        it.bare_actions_in_catalogue = true;
        it.extra_actions = [("kafka:topic".to_owned(), ["FlyTopic".to_owned()].into())].into();
        it.missing_actions = ["kafka:DeleteTopic".to_owned()].into();
        it.policy_required = true;
        it.empty_policy_refused = true;
        it.policy_echo = PolicyEcho::Scalars;
        it.service_wildcards_ignored = true;
        it.environments_are_gates = false;
    } => lifecycle;

    server_with_lax_policies_is_supported: |it| {
        it.validation = Validation::Lax;
        it.policy_echo = PolicyEcho::Arrays;
        it.principals_share_names = false;
        it.user_names_are_resource_names = true;
        it.current_user_name = Some("me".to_owned());
        it.token_renewal_name = "token".to_owned();
        it.token_end = TokenEnd::Seconds;
        it.role_deletion = RoleDeletion::Cascade;
    } => lifecycle;

    server_that_shows_all_of_a_list_or_nothing_is_supported: |it| {
        it.lists = Lists::AllOrForbidden;
    } => lifecycle;

    server_that_hides_forbidden_things_is_supported: |it| {
        it.lists = Lists::Filtered;
        it.denied_read_status = 404;
        it.hidden_members = true;
        it.role_deletion = RoleDeletion::Cascade;
    } => lifecycle;

    twins_of_one_name_are_two_members: |it| {
        it.principals_share_names = false;
    } => twins;

    members_from_an_identity_provider_are_left_alone: |it| {
        it.membership_mode = MembershipMode::Sso;
    } => identity_provider;

    login_that_removes_a_member_is_drift: |it| {
        it.membership_mode = MembershipMode::Sso;
    } => removed_member;

    role_of_other_groups_stays_if_deletion_is_refused: |it| {
        it.role_deletion = RoleDeletion::Refuse;
    } => roles_of_others;

    role_of_other_groups_stays_if_deletion_cascades: |it| {
        it.role_deletion = RoleDeletion::Cascade;
    } => roles_of_others;
}

/// A world on a server with these switches, after the objects were applied, and the account before that. The Backend's block has the
/// fields of `more`.
async fn started(switches: fn(&mut Switches), more: Value) -> (World<Lenses>, Value) {
    let world = World::lenses_with("lenses-servers", more, switches).await;
    let before = world.access();
    world.apply(role("reader", json!({ "description": "Reads" }))).await;
    world.apply(binding("readers", "reader", &MEMBERS, json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    (world, before)
}

/// A role, groups that have it, and a group for a binding are created, corrected, changed and deleted.
async fn lifecycle(switches: fn(&mut Switches)) {
    let (world, before) = started(switches, json!({})).await;
    world.all_ready(&OBJECTS).await;
    world.assert_steady().await;

    let (group, policy) = (world.owned_group("readers").unwrap().name, world.policy("reader"));
    assert_eq!(world.members(&group), MEMBERS.map(|(_, name)| name));
    world.replace_policy("reader");
    world.sim.edit(|tenant| {
        let owned = tenant.groups.get_mut(&group).unwrap();
        owned.members.remove(&Principal::user("peggy"));
        owned.members.insert(Principal::user("joann@example.com"));
        owned.roles.insert("administrator".to_owned());
        tenant.groups.get_mut("sre").unwrap().roles.remove("reader");
    });
    for name in ["reader", "readers", "teams"] {
        world.event(name, "DriftCorrected").await;
    }
    world.all_ready(&OBJECTS).await;
    assert_eq!(world.policy("reader"), policy);
    assert_eq!(world.members(&group), MEMBERS.map(|(_, name)| name));
    assert_eq!(world.roles_of(&group), ["reader".to_owned()].into());
    assert_eq!(world.roles_of("sre"), ["reader", "topic-reader"].map(str::to_owned).into());

    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &MEMBERS[1..], json!({}))).await;
    world.all_ready(&OBJECTS).await;
    assert_eq!(world.members(&group), ["peggy", "nightly-reports"]);
    world.assert_steady().await;
    world.delete_all(&OBJECTS).await;
    assert_eq!(world.access(), before);
}

/// Whether an object is not ready and its message contains these words.
fn is_blocked(object: &DynamicObject, words: &str) -> bool {
    let ready = ready_condition(object);
    ready["status"] == "False" && ready["message"].as_str().is_some_and(|message| message.contains(words))
}

/// A user and a service account share a name: each is the one that a binding lists.
async fn twins(switches: fn(&mut Switches)) {
    let (world, _) = started(switches, json!({})).await;
    world.sim.edit(|tenant| {
        let user = tenant.users.get("peggy").unwrap().clone();
        tenant.users.insert(User { name: "nightly-reports".to_owned(), ..user });
    });
    for kind in ["User", "ServiceAccount"] {
        let name = format!("only-{}", kind.to_lowercase());
        let twin = (kind, "nightly-reports");
        world.apply(binding(&name, "reader", &[twin], json!({}))).await;
        world.ready("RoleBinding", &name).await;
        let group = world.owned_group(&name).unwrap();
        let expected = match kind {
            "User" => Principal::user("nightly-reports"),
            _ => Principal::service_account("nightly-reports"),
        };
        assert_eq!(group.members, [expected].into());
    }
    world.assert_steady().await;
}

async fn identity_provider(switches: fn(&mut Switches)) {
    let world = World::lenses_with("lenses-servers", json!({ "membership": "Sso" }), switches).await;
    let before = world.access();
    world.apply(role("reader", json!({ "description": "Reads" }))).await;
    world.apply(binding("readers", "reader", &MEMBERS[..2], json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.all_ready(&OBJECTS).await;
    world.reports("RoleBinding", "readers", "InSync", &["single sign-on", "sso_name"]).await;
    let group = world.owned_group("readers").unwrap();
    assert!(group.members.is_empty());
    // An admin follows the message, and a user logs in.
    world.sim.edit(|tenant| {
        tenant.groups.get_mut(&group.name).unwrap().sso_name = "sre".to_owned();
        tenant.log_in("carol@example.com").unwrap();
    });
    assert_eq!(world.members(&group.name), ["carol@example.com"]);
    world.reports("RoleBinding", "readers", "InSync", &["\"sre\" of the identity provider"]).await;
    world.assert_steady().await;
    assert_eq!(world.members(&group.name), ["carol@example.com"]);
    // Rolewright still manages the group's role.
    world.sim.edit(|tenant| tenant.groups.get_mut(&group.name).unwrap().roles.clear());
    world.event("readers", "DriftCorrected").await;
    world.all_ready(&OBJECTS).await;
    assert_eq!(world.roles_of(&group.name), ["reader".to_owned()].into());
    assert_eq!(world.members(&group.name), ["carol@example.com"]);
    // A group that is created again has the default mapping, and the message says so.
    world.sim.edit(|tenant| tenant.groups.remove(&group.name));
    world.until_account("the group exists again", |tenant| tenant.groups.contains(&group.name)).await;
    world.reports("RoleBinding", "readers", "InSync", &["its own name"]).await;
    world.delete_all(&OBJECTS).await;
    assert_eq!(world.access()[0], before[0]);
    assert!(world.owned_group("readers").is_none());
}

async fn removed_member(switches: fn(&mut Switches)) {
    let (world, _) = started(switches, json!({})).await;
    world.all_ready(&OBJECTS).await;
    world.full_sweep().await;
    let group = world.owned_group("readers").unwrap().name;
    world.sim.edit(|tenant| tenant.log_in("alice@example.com").unwrap());
    assert_eq!(world.members(&group), ["peggy", "nightly-reports"]);
    let note = world.event("readers", "DriftCorrected").await;
    assert!(note.contains("+ alice@example.com"), "{note}");
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.members(&group), MEMBERS.map(|(_, name)| name));
    world.assert_steady().await;
}

async fn roles_of_others(switches: fn(&mut Switches)) {
    let world = World::lenses_with("lenses-others", json!({}), switches).await;
    let before = world.access();
    for list in [Lists::AllOrForbidden, Lists::SomeOrForbidden, Lists::Filtered] {
        world.set_switches(|switches| switches.lists = list);
        world.apply(role("reader", json!({}))).await;
        world.ready("Role", "reader").await;
        world.sim.edit(|tenant| {
            tenant.groups.get_mut("finance").unwrap().roles.insert("reader".to_owned());
        });
        world.full_sweep().await;
        world.delete("Role", "reader").await;
        world.reports("Role", "reader", "DeletionBlocked", &["finance"]).await;
        // The operator loses access to the group, so it cannot know whether the group still has the role.
        world.sim.edit(|tenant| {
            let role = tenant.roles.get_mut("administrator").unwrap();
            role.policy.push(Statement::new(Effect::Deny, &["iam:*"], &["iam:group:finance"]));
        });
        let since = world.log_position();
        let unknown = |object: &DynamicObject| !is_blocked(object, "finance") && is_blocked(object, "");
        world.until("Role", "reader", "blocked without a group's name", unknown).await;
        // Requests for the list count even if they are refused.
        let group_lists =
            |entries: &[Entry]| entries.iter().filter(|it| it.path.ends_with("/groups")).count();
        world.until_requests(since, "four lists of groups", |entries| group_lists(entries) > 3).await;
        assert!(world.has_role("reader"), "{list:?}");
        assert!(world.roles_of("finance").contains("reader"), "{list:?}");
        assert_eq!(world.writes_since(since), [""; 0], "{list:?}");
        world.sim.edit(|tenant| {
            tenant.roles.get_mut("administrator").unwrap().policy.pop();
            tenant.groups.get_mut("finance").unwrap().roles.remove("reader");
        });
        world.request_reconcile("Role", "reader", "now").await;
        world.wait_deleted("Role", "reader").await;
        assert_eq!(world.access(), before, "{list:?}");
    }
}
