//! What goes by a name on Lenses HQ and is somebody else's: roles and groups that were removed and made again by hand, groups under the name
//! of one of ours, and a token whose end is near, past, or not to be read.

use kube::api::DynamicObject;
use rolewright_simulators::lenses::{
    self, ADMIN_ACCOUNT, Lenses,
    groups::Group,
    principals::Principal,
    switches::{Ids, TokenEnd},
};
use serde_json::{Value, json};

use crate::support::{
    KEY, Setting, World, held_ids,
    lenses::{backend, binding, role},
    ready_condition, subject,
};

const PEOPLE: [(&str, &str); 2] = [("User", "alice@example.com"), ("User", "peggy")];

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_somebody_made_again_under_our_name_is_not_ours() {
    for ids in [Ids::Text, Ids::Number, Ids::TimesOnly] {
        let world = World::lenses_with("lh-another", json!({}), |switches| switches.ids = ids).await;
        world.apply(role("reader", json!({}))).await;
        let first = held_ids(&world.ready("Role", "reader").await);
        world.swept().await;
        let since = world.now();
        world.make_again("reader", "legacy-auditor");
        let told = world.reason("Role", "reader", "Conflict").await;
        assert!(told.contains("audit:List*"), "{told}");
        world.swept().await;
        assert_eq!(world.writes_since(since), [""; 0], "{ids:?}");
        // The object goes, and what it never held stays.
        world.delete("Role", "reader").await;
        world.gone("Role", "reader").await;
        assert!(world.sim.edit(|tenant| tenant.roles.contains("reader")), "{ids:?}");
        // Taken over when somebody says so.
        world.apply(role("reader", json!({ "adopt": "Always" }))).await;
        assert_ne!(held_ids(&world.ready("Role", "reader").await), first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_under_the_name_of_the_held_one_is_given_to_nobody_and_taken_from_nobody() {
    let world = World::lenses("lh-lookalike").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &[("Group", "sre"), ("Group", "newcomers")], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("RoleBinding", "teams").await;
    world.swept().await;
    let (owned, since) = (world.owned("readers").unwrap().name, world.now());
    world.make_again("reader", "legacy-auditor");
    world.reason("Role", "reader", "Conflict").await;
    world.apply(binding("late", "reader", &PEOPLE, json!({}))).await;
    for name in ["readers", "teams", "late"] {
        let told = world.reason("RoleBinding", name, "DependencyNotReady").await;
        assert!(told.contains("another has its name: see Role reader"), "{told}");
    }
    // As where HQ took the old one from all groups but one.
    world.sim.edit(|tenant| {
        for group in [owned.as_str(), "sre"] {
            tenant.groups.get_mut(group).unwrap().roles.remove("reader");
        }
    });
    world.swept().await;
    assert_eq!(world.writes_since(since), [""; 0]);
    assert!(world.owned("late").is_none());
    assert!(world.roles_of("newcomers").contains("reader"));
    // Whoever says that the other one is to be the Role's gives it to them.
    world.apply(role("reader", json!({ "adopt": "Always" }))).await;
    for name in ["readers", "teams", "late"] {
        world.ready("RoleBinding", name).await;
    }
    assert!(world.roles_of(&owned).contains("reader") && world.roles_of("sre").contains("reader"));
}

/// The objects that hold something, and the Backend, each with since when it has been ready and how it came to hold the first thing.
async fn since_when(world: &World<Lenses>) -> Vec<(Value, Value)> {
    let mut all = Vec::new();
    for (kind, name) in OBJECTS.into_iter().chain([("Backend", "lenses")]) {
        let object = world.get(kind, name).await;
        let ready = ready_condition(&object)["lastTransitionTime"].clone();
        all.push((ready, object.data["status"]["held"][0]["origin"].clone()));
    }
    all
}

const OBJECTS: [(&str, &str); 3] = [("RoleBinding", "readers"), ("RoleBinding", "teams"), ("Role", "reader")];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_by_name_is_held_by_its_id_once_that_is_shown_and_stays_so_when_it_is_not() {
    const TEAMS: [(&str, &str); 2] = [("Group", "sre"), ("Group", "newcomers")];
    let mut world = World::lenses_with("lh-follows", json!({}), |switches| switches.ids = Ids::Absent).await;
    let before = world.access();
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &TEAMS, json!({}))).await;
    for (kind, name) in OBJECTS {
        let object = world.ready(kind, name).await;
        assert!(held_ids(&object).iter().all(|id| !id.contains('#')), "{:?}", held_ids(&object));
    }
    world.swept().await;
    let (standing, since) = (since_when(&world).await, world.now());
    world.switch(|switches| switches.ids = Ids::Text);
    for (kind, name) in OBJECTS {
        let known = |object: &DynamicObject| held_ids(object).iter().all(|id| id.contains('#'));
        world.until(kind, name, "held by its ids", known).await;
    }
    world.swept().await;
    let versions = world.versions().await;
    world.swept().await;
    assert_eq!(world.versions().await, versions);
    // Another operator, which has seen no id.
    world.switch(|switches| switches.ids = Ids::Absent);
    world.restart();
    world.swept().await;
    assert_eq!((world.versions().await, since_when(&world).await), (versions, standing));
    assert_eq!(world.writes_since(since), [""; 0]);
    for (kind, name) in OBJECTS {
        world.delete(kind, name).await;
    }
    for (kind, name) in OBJECTS {
        world.gone(kind, name).await;
    }
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_held_by_name_goes_where_its_id_is_shown_by_now() {
    let world = World::lenses_with("lh-goes", json!({}), |switches| switches.ids = Ids::Absent).await;
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    world.swept().await;
    world.switch(|switches| switches.ids = Ids::Text);
    world.delete("Role", "reader").await;
    world.gone("Role", "reader").await;
    assert!(!world.sim.edit(|tenant| tenant.roles.contains("reader")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_somebody_made_again_just_the_same_is_taken_over_and_the_grants_stand() {
    let world = World::lenses("lh-same").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(role("model", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.apply(binding("teams", "reader", &[("Group", "sre")], json!({}))).await;
    for (kind, name) in [("Role", "model"), ("RoleBinding", "readers"), ("RoleBinding", "teams")] {
        world.ready(kind, name).await;
    }
    let first = held_ids(&world.get("Role", "reader").await);
    world.swept().await;
    let since = world.now();
    world.make_again("reader", "model");
    let taken_over = |object: &DynamicObject| {
        held_ids(object) != first && object.data["status"]["held"][0]["origin"] == "Adopted"
    };
    world.until("Role", "reader", "the other one is held", taken_over).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("RoleBinding", "teams").await;
    world.swept().await;
    assert_eq!(world.writes_since(since), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_somebody_made_again_is_not_the_one_that_was_given_a_role() {
    let world = World::lenses("lh-groups").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("teams", "reader", &[("Group", "sre"), ("Group", "newcomers")], json!({}))).await;
    world.ready("RoleBinding", "teams").await;
    world.swept().await;
    let since = world.now();
    // With the role in it, by somebody's hand.
    world.make_group_again("sre", |_| {});
    let object = world
        .until("RoleBinding", "teams", "a conflict for the one", |object| {
            subject(object, "sre").0 == "Conflict"
        })
        .await;
    assert_eq!(subject(&object, "newcomers").0, "Granted");
    world.swept().await;
    assert_eq!(world.writes_since(since), [""; 0]);
    world.delete("RoleBinding", "teams").await;
    world.gone("RoleBinding", "teams").await;
    assert!(world.roles_of("sre").contains("reader"), "it is not the binding's");
    assert!(!world.roles_of("newcomers").contains("reader"));
}

type Change = fn(&mut Group);

/// A binding's own group was removed, and another one is under its name.
async fn squatted(name: &str, change: Change) -> World<Lenses> {
    let world = World::lenses(name).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let owned = world.owned("readers").unwrap().name;
    world.make_group_again(&owned, change);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_somebody_elses_under_the_name_of_ours_is_a_conflict_until_it_may_be_taken_over() {
    let changes: [(Change, &str); 2] = [
        (|group| group.sso_name = "everyone".to_owned(), "everyone"),
        (|group| group.members.extend([Principal::user("joann@example.com")]), "joann@example.com"),
    ];
    for (change, named) in changes {
        let world = squatted("lh-squat", change).await;
        let since = world.now();
        let told = world.reason("RoleBinding", "readers", "Conflict").await;
        assert!(told.contains(named), "{told}");
        world.swept().await;
        assert_eq!(world.writes_since(since), [""; 0]);
        world.apply(binding("readers", "reader", &PEOPLE, json!({ "adopt": "Always" }))).await;
        world.ready("RoleBinding", "readers").await;
        let owned = world.owned("readers").unwrap();
        assert!(owned.sso_name.starts_with("rw-no-sso-"), "{}", owned.sso_name);
        assert_eq!(world.members(&owned.name), ["alice@example.com", "peggy"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_in_by_single_sign_on_that_somebody_opens_is_closed_again() {
    let world = World::lenses("lh-door").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &PEOPLE, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.swept().await;
    let before = world.owned("readers").unwrap();
    world.sim.edit(|tenant| tenant.groups.get_mut(&before.name).unwrap().sso_name = "everyone".to_owned());
    let note = world.event("readers", "DriftCorrected").await;
    assert!(note.contains("everyone"), "{note}");
    world.ready("RoleBinding", "readers").await;
    let after = world.owned("readers").unwrap();
    assert_eq!((after.sso_name, after.id, after.members), (before.sso_name, before.id, before.members));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_a_user_and_a_service_account_have_is_refused_with_what_to_do() {
    let world =
        World::lenses_with("lh-twins", json!({}), |switches| switches.principals_share_names = false).await;
    world.sim.edit(|tenant| {
        let user = tenant.users.get("peggy").unwrap().clone();
        tenant.users.insert(rolewright_simulators::lenses::users::User {
            name: "nightly-reports".to_owned(),
            ..user
        });
    });
    world.apply(role("reader", json!({}))).await;
    for (name, kind) in [("user", "User"), ("account", "ServiceAccount")] {
        world.apply(binding(name, "reader", &[(kind, "nightly-reports")], json!({}))).await;
        let told = world.reason("RoleBinding", name, "Invalid").await;
        assert!(told.contains("both a user and a service account"), "{told}");
        assert!(world.owned(name).is_none());
    }
}

/// Lets the account's token end at a time, while the operator's own goes on, and has the Backend looked at anew.
async fn ends(world: &World<Lenses>, step: usize, hours: Option<i64>, end: TokenEnd) {
    world.limit(None);
    world.switch(|switches| switches.token_end = end);
    let at = hours.map(|hours| jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours));
    world.sim.edit(|tenant| {
        tenant.service_accounts.get_mut(ADMIN_ACCOUNT).unwrap().token_expires_at = at;
    });
    // Another generation is connected anew.
    let mut again = backend(&world.sim.url(), json!({}));
    again["spec"]["requests"]["burst"] = json!(999 - step);
    let asked = world.apply(again).await.metadata.generation;
    let seen = |object: &DynamicObject| object.data["status"]["observedGeneration"].as_i64() == asked;
    world.until("Backend", "lenses", "looked at anew", seen).await;
}

fn warned(object: &DynamicObject) -> bool {
    let conditions = object.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.iter().any(|one: &Value| one["type"] == "CredentialExpiring" && one["status"] == "True")
}

async fn measured(world: &World<Lenses>) -> bool {
    world.operator.ask("/metrics").await.1.contains("credential_expiry_timestamp_seconds{")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_token_is_told_two_weeks_ahead_where_it_is_shown() {
    let sim = lenses::Simulator::start(lenses::Options::new(KEY)).await.unwrap();
    let world = Setting::new("lh-ends").args(["--listen", "127.0.0.1:0"]).around(sim).await;
    world.secret(KEY).await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.ready("Backend", "lenses").await;
    let cases = [
        (Some(24 * 13), TokenEnd::Shown, true, true, "service account rolewright"),
        (Some(24 * 15), TokenEnd::Shown, false, true, "service account rolewright"),
        (Some(24 * 3), TokenEnd::Shown, true, true, "service account rolewright"),
        (Some(24 * 3), TokenEnd::Absent, false, false, "does not end"),
        (Some(24 * 4), TokenEnd::Seconds, false, false, "makes no sense"),
        (None, TokenEnd::Shown, false, false, "does not end"),
    ];
    for (step, (hours, end, warns, measures, said)) in cases.into_iter().enumerate() {
        ends(&world, step, hours, end).await;
        let what = format!("{hours:?} {end:?}");
        let object = world.until("Backend", "lenses", &what, |object| warned(object) == warns).await;
        let identity = object.data["status"]["identity"].as_str().unwrap().to_owned();
        assert!(identity.contains(said), "{what}: {identity}");
        assert_eq!(measured(&world).await, measures, "{what}");
    }
    // A token that has ended makes no call: the one in the Secret is another account's.
    ends(&world, cases.len(), Some(-1), TokenEnd::Shown).await;
    let told = world.reason("Backend", "lenses", "Invalid").await;
    assert!(told.contains("another account's"), "{told}");
}
