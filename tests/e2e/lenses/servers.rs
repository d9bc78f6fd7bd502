//! Servers that differ: whatever the contract leaves open is turned, and the main job is done all the same, or people are told why it cannot
//! be. One table of servers; a switch that none of them turns fails a test by its name.

use kube::api::DynamicObject;
use rolewright_simulators::lenses::{
    Lenses,
    policy::{Effect, Statement},
    principals::Principal,
    switches::{
        Generation, GroupMembers, Ids, Lists, MembershipMode, MetadataPatch, PolicyEcho, RoleDeletion,
        Switches, TokenEnd, Validation,
    },
};
use serde_json::{Value, json};

use crate::support::{
    World, every_switch_is_turned, held_ids,
    lenses::{binding, role},
    ready_condition,
};

const PEOPLE: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("User", "peggy"), ("ServiceAccount", "nightly-reports")];
const GROUPS: [(&str, &str); 2] = [("Group", "sre"), ("Group", "newcomers")];
const OBJECTS: [(&str, &str); 3] = [("RoleBinding", "readers"), ("RoleBinding", "teams"), ("Role", "reader")];

/// Servers by the name of the test of each: how it differs, and what is tried on it.
macro_rules! servers {
    ($($name:ident: $turn:expr => $tried:path;)*) => {
        const SERVERS: &[(&str, fn(&mut Switches))] = &[$((stringify!($name), $turn)),*];

        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                $tried($turn).await;
            }
        )*
    };
}

servers! {
    an_early_server_is_served_alike: |it| {
        it.generation = Generation::V60;
        it.unknown_keys_refused = true;
        it.metadata_supported = false;
        it.ids = Ids::TimesOnly;
        it.role_text_limits = false;
        it.token_end = TokenEnd::Absent;
    } => life;

    a_server_of_6_1_with_statuses_of_its_own_is_served_alike: |it| {
        it.generation = Generation::V61;
        it.role_creation_status = 200;
        it.append_status = 201;
        it.validation_status = 422;
        it.duplicate_status = 400;
        it.unknown_reference_status = 404;
        it.unknown_removals_refused = true;
        it.sparse_problems = true;
        it.plain_problem_type = true;
        it.ids = Ids::Number;
    } => life;

    a_server_that_is_strict_about_policies_is_served_alike: |it| {
        it.validation = Validation::Strict;
        it.bare_actions_in_catalogue = true;
        it.extra_actions = [("kafka:topic".to_owned(), ["FlyTopic".to_owned()].into())].into();
        it.missing_actions = ["kafka:DeleteTopic".to_owned()].into();
        it.policy_required = true;
        it.empty_policy_refused = true;
        it.policy_echo = PolicyEcho::Scalars;
        it.service_wildcards_ignored = true;
        it.environments_are_gates = false;
    } => life;

    a_server_that_takes_anything_and_merges_is_served_alike: |it| {
        it.validation = Validation::Lax;
        it.policy_echo = PolicyEcho::Arrays;
        it.metadata_patch = MetadataPatch::Merge;
        it.group_members = GroupMembers::OneList;
        it.principals_share_names = false;
        it.user_names_are_resource_names = true;
        it.current_user_name = Some("me".to_owned());
        it.token_renewal_name = "token".to_owned();
        it.token_end = TokenEnd::Seconds;
        it.role_deletion = RoleDeletion::Cascade;
    } => life;

    a_server_whose_groups_do_not_show_their_members_is_served_alike: |it| {
        it.group_members = GroupMembers::Absent;
        it.ids = Ids::Absent;
        it.lists = Lists::AllOrForbidden;
    } => life;

    a_server_whose_lists_show_no_ids_is_served_alike: |it| {
        it.ids_in_lists = Some(Ids::Absent);
    } => life;

    a_server_whose_lists_alone_show_ids_is_served_alike: |it| {
        it.ids = Ids::Absent;
        it.ids_in_lists = Some(Ids::Text);
    } => life;

    a_server_that_shows_times_in_lists_and_ids_elsewhere_is_served_alike: |it| {
        it.ids = Ids::IdsOnly;
        it.ids_in_lists = Some(Ids::TimesOnly);
    } => life;

    two_replicas_of_which_one_shows_no_ids_change_nothing: |it| {
        it.ids = Ids::Alternating;
    } => replicas;

    a_server_that_hides_what_is_forbidden_is_served_alike: |it| {
        it.lists = Lists::Filtered;
        it.denied_read_status = 404;
        it.role_deletion = RoleDeletion::Cascade;
    } => life;

    a_server_that_tells_nobody_who_is_in_a_group_gets_roles_and_groups_and_says_so_of_people: |it| {
        it.group_members = GroupMembers::Hidden;
    } => hidden_members;

    a_server_whose_identity_provider_says_who_is_in_groups_is_left_to_it: |it| {
        it.membership_mode = MembershipMode::Sso;
    } => single_sign_on;

    a_login_that_puts_somebody_out_of_a_bindings_group_is_drift_where_members_are_ours: |it| {
        it.membership_mode = MembershipMode::Sso;
    } => fought_over;

    a_role_that_others_have_is_not_deleted_where_that_is_refused: |it| {
        it.role_deletion = RoleDeletion::Refuse;
    } => roles_of_others;

    a_role_that_others_have_is_not_deleted_where_they_would_lose_it: |it| {
        it.role_deletion = RoleDeletion::Cascade;
    } => roles_of_others;
}

/// A switch that is new fails this by its name, until a server above turns it.
#[test]
fn every_switch_is_turned_on_some_server() {
    every_switch_is_turned::<Lenses>(SERVERS.iter().map(|(_, turn)| *turn), &[]);
}

async fn started(turn: fn(&mut Switches), more: Value) -> World<Lenses> {
    World::lenses_with("lh-servers", more, turn).await
}

/// The main job: a role, groups that have it, a group of a binding's own; what is done by hand put right; all of it gone again in the end.
async fn life(turn: fn(&mut Switches)) {
    let world = started(turn, json!({})).await;
    let before = world.access();
    world.apply(role("reader", json!({ "description": "Reads" }))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.each_ready(&OBJECTS).await;
    world.quiet().await;

    let (owned, policy) = (world.owned("readers").unwrap(), world.policy("reader"));
    assert_eq!(world.members(&owned.name), PEOPLE.map(|(_, name)| name));
    world.sim.edit(|tenant| {
        let developer = tenant.roles.get("developer").unwrap().policy.clone();
        tenant.roles.get_mut("reader").unwrap().policy = developer;
        let group = tenant.groups.get_mut(&owned.name).unwrap();
        group.members.remove(&Principal::user("peggy"));
        group.members.insert(Principal::user("joann@example.com"));
        group.roles.insert("administrator".to_owned());
        tenant.groups.get_mut("sre").unwrap().roles.remove("reader");
    });
    for name in ["reader", "readers", "teams"] {
        world.event(name, "DriftCorrected").await;
    }
    world.each_ready(&OBJECTS).await;
    assert_eq!(world.policy("reader"), policy);
    assert_eq!(world.members(&owned.name), PEOPLE.map(|(_, name)| name));
    assert_eq!(world.roles_of(&owned.name), ["reader".to_owned()].into());
    assert_eq!(world.roles_of("sre"), ["reader", "topic-reader"].map(str::to_owned).into());

    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE[1..], json!({}))).await;
    world.each_ready(&OBJECTS).await;
    assert_eq!(world.members(&owned.name), ["peggy", "nightly-reports"]);
    world.quiet().await;
    world.each_deleted(&OBJECTS).await;
    assert_eq!(world.access(), before);
}

/// Once an id was shown of everything that is held, nothing moves any more, whichever replica answers, and whoever asks.
async fn replicas(turn: fn(&mut Switches)) {
    let mut world = started(turn, json!({})).await;
    let before = world.access();
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.each_ready(&OBJECTS).await;
    for (kind, name) in OBJECTS {
        let known = |object: &DynamicObject| held_ids(object).iter().all(|id| id.contains('#'));
        let object = world.until(kind, name, "recorded by its ids", known).await;
        assert_eq!(object.data["status"]["held"][0]["origin"], "Created");
    }
    world.quiet().await;
    world.quiet().await;
    world.restart();
    world.quiet().await;
    world.each_deleted(&OBJECTS).await;
    assert_eq!(world.access(), before);
}

/// Whether an object says this of what keeps it from being ready.
fn says(object: &DynamicObject, words: &str) -> bool {
    let ready = ready_condition(object);
    ready["status"] == "False" && ready["message"].as_str().is_some_and(|message| message.contains(words))
}

async fn hidden_members(turn: fn(&mut Switches)) {
    let world = started(turn, json!({})).await;
    let before = world.access();
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "teams").await;
    let hidden = |object: &DynamicObject| says(object, "has more than Lenses shows of it");
    world.until("RoleBinding", "readers", "told that members are hidden", hidden).await;
    let made = world.owned("readers").unwrap();
    assert_eq!(world.members(&made.name), PEOPLE.map(|(_, name)| name));
    // Who is in it cannot be told, so it is neither changed nor removed, and a role that it has is not either.
    for (kind, name) in OBJECTS {
        world.delete(kind, name).await;
    }
    world.gone("RoleBinding", "teams").await;
    let hidden = |object: &DynamicObject| {
        object.metadata.deletion_timestamp.is_some() && says(object, "has more than Lenses shows of it")
    };
    world.until("RoleBinding", "readers", "kept with what it has", hidden).await;
    assert_eq!(world.owned("readers").map(|group| group.members), Some(made.members));
    world.switch(|switches| switches.group_members = GroupMembers::ByKind);
    world.annotate("RoleBinding", "readers", "rolewright.dev/reconcile-at", "now").await;
    world.gone("RoleBinding", "readers").await;
    world.gone("Role", "reader").await;
    assert_eq!(world.access(), before);
}

async fn single_sign_on(turn: fn(&mut Switches)) {
    let world = started(turn, json!({ "membership": "Sso" })).await;
    let before = world.access();
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.each_ready(&OBJECTS).await;
    let told = ready_condition(&world.get("RoleBinding", "readers").await)["message"].to_string();
    assert!(told.contains("single sign-on") && told.contains("sso_name"), "{told}");
    let owned = world.owned("readers").unwrap();
    assert!(owned.members.is_empty());
    // An administrator does what the message says, and people log in.
    world.sim.edit(|tenant| {
        tenant.groups.get_mut(&owned.name).unwrap().sso_name = "sre".to_owned();
        tenant.log_in("carol@example.com").unwrap();
    });
    assert_eq!(world.members(&owned.name), ["carol@example.com"]);
    world.quiet().await;
    assert_eq!(world.members(&owned.name), ["carol@example.com"]);
    // Its role is ours all the same.
    world.sim.edit(|tenant| tenant.groups.get_mut(&owned.name).unwrap().roles.clear());
    world.event("readers", "DriftCorrected").await;
    world.each_ready(&OBJECTS).await;
    assert_eq!(world.roles_of(&owned.name), ["reader".to_owned()].into());
    assert_eq!(world.members(&owned.name), ["carol@example.com"]);
    world.each_deleted(&OBJECTS).await;
    assert_eq!(world.access()[0], before[0]);
    assert!(world.owned("readers").is_none());
}

async fn fought_over(turn: fn(&mut Switches)) {
    let world = started(turn, json!({})).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let owned = world.owned("readers").unwrap().name;
    world.sim.edit(|tenant| tenant.log_in("alice@example.com").unwrap());
    assert_eq!(world.members(&owned), ["peggy", "nightly-reports"]);
    let note = world.event("readers", "DriftCorrected").await;
    assert!(note.contains("+ alice@example.com"), "{note}");
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.members(&owned), PEOPLE.map(|(_, name)| name));
    world.quiet().await;
}

async fn roles_of_others(turn: fn(&mut Switches)) {
    let world = started(turn, json!({})).await;
    let before = world.access();
    for list in [Lists::AllOrForbidden, Lists::SomeOrForbidden, Lists::Filtered] {
        world.switch(|switches| switches.lists = list);
        world.apply(role("reader", json!({}))).await;
        world.ready("Role", "reader").await;
        world.sim.edit(|tenant| {
            tenant.groups.get_mut("finance").unwrap().roles.insert("reader".to_owned());
        });
        world.swept().await;
        world.delete("Role", "reader").await;
        let told = world.reason("Role", "reader", "DeletionBlocked").await;
        assert!(told.contains("finance"), "{list:?}: {told}");
        // The group is hidden from the operator: nobody can tell any more.
        world.sim.edit(|tenant| {
            let role = tenant.roles.get_mut("administrator").unwrap();
            role.policy.push(Statement::new(Effect::Deny, &["iam:*"], &["iam:group:finance"]));
        });
        let since = world.now();
        let untold = |object: &DynamicObject| !says(object, "finance") && says(object, "");
        world.until("Role", "reader", "told that it cannot be told", untold).await;
        world.swept_or_refused(since).await;
        assert!(world.sim.edit(|tenant| tenant.roles.contains("reader")), "{list:?}");
        assert!(world.roles_of("finance").contains("reader"), "{list:?}");
        assert_eq!(world.writes_since(since), [""; 0], "{list:?}");
        world.sim.edit(|tenant| {
            tenant.roles.get_mut("administrator").unwrap().policy.pop();
            tenant.groups.get_mut("finance").unwrap().roles.remove("reader");
        });
        world.annotate("Role", "reader", "rolewright.dev/reconcile-at", "now").await;
        world.gone("Role", "reader").await;
        assert_eq!(world.access(), before, "{list:?}");
    }
}
