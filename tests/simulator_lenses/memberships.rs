//! Contract 2.2, 2.5, 3.8: changes of memberships from the group, from the principal, and by the identity provider.

use rolewright_simulators::lenses::switches::MembershipMode;
use serde_json::json;

use crate::client::{Lenses, lenses, names};

const ALICE: &str = "alice@example.com";
const CAROL: &str = "carol@example.com";
const DAVE: &str = "dave@example.com";

async fn members(lenses: &Lenses, group: &str) -> Vec<String> {
    names(&lenses.get(&format!("/groups/{group}")).await.body["users"])
}

#[tokio::test]
async fn members_are_added_and_removed_and_removals_win() {
    let lenses = lenses().await;
    let change = json!({"add_members": [ALICE, CAROL, "peggy"], "remove_members": [DAVE, "peggy"]});
    let updated = lenses.patch("/groups/sre", change).await;
    assert_eq!(
        (updated.status, names(&updated.body["users"])),
        (200, vec![ALICE.to_owned(), CAROL.to_owned()])
    );
    assert_eq!(members(&lenses, "sre").await, [ALICE, CAROL]);
    // The same change again has no effect.
    let again = lenses.patch("/groups/sre", json!({"add_members": [ALICE], "remove_members": [DAVE]})).await;
    assert_eq!((again.status, members(&lenses, "sre").await.len()), (200, 2));
}

#[tokio::test]
async fn setting_members_excludes_adding_and_removing() {
    let lenses = lenses().await;
    let updated = lenses.patch("/groups/sre", json!({"set_members": [ALICE, "ci-pipeline"]})).await;
    assert_eq!(
        (names(&updated.body["users"]), names(&updated.body["service_accounts"])),
        (vec![ALICE.to_owned()], vec!["ci-pipeline".to_owned()])
    );
    for other in ["add_members", "remove_members"] {
        let mixed = json!({"set_members": [CAROL], other: []});
        assert_eq!(lenses.patch("/groups/sre", mixed).await.status, 400, "{other}");
    }
    assert_eq!(members(&lenses, "sre").await, [ALICE]);
    lenses.patch("/groups/sre", json!({"set_members": []})).await;
    assert!(members(&lenses, "sre").await.is_empty());
}

#[tokio::test]
async fn unknown_principals_can_be_removed_but_not_added() {
    let lenses = lenses().await;
    let change = |key: &str| json!({key: [ALICE, "nobody@example.com"]});
    for key in ["add_members", "set_members"] {
        assert_eq!(lenses.patch("/groups/sre", change(key)).await.status, 400, "{key}");
    }
    assert_eq!(members(&lenses, "sre").await, [CAROL, DAVE]);
    assert_eq!(lenses.patch("/groups/sre", change("remove_members")).await.status, 200);
    lenses.switch(|switches| switches.unknown_removals_refused = true);
    assert_eq!(lenses.patch("/groups/sre", change("remove_members")).await.status, 400);
    let groups = json!({"remove_from_groups": ["nothing"]});
    assert_eq!(lenses.put("/users/peggy/groups", groups).await.status, 400);
}

#[tokio::test]
async fn a_put_of_groups_is_a_delta_unless_it_sets() {
    let lenses = lenses().await;
    for (path, before) in
        [("/users/carol@example.com", "sre"), ("/service-accounts/ci-pipeline", "data-platform")]
    {
        let groups = format!("{path}/groups");
        let change = json!({"add_to_groups": ["newcomers", "finance"], "remove_from_groups": ["finance"]});
        let changed = lenses.put(&groups, change).await;
        assert_eq!((changed.status, changed.body["name"].is_string()), (200, true));
        let now = names(&changed.body["groups"]);
        assert!(now.contains(&before.to_owned()) && now.contains(&"newcomers".to_owned()), "{now:?}");
        assert!(!now.contains(&"finance".to_owned()));
        let set = lenses.put(&groups, json!({"set_groups": ["finance"]})).await;
        assert_eq!(names(&set.body["groups"]), ["finance"]);
        assert_eq!(lenses.groups_of(path).await, ["finance"]);
        assert_eq!(
            lenses.put(&groups, json!({"set_groups": [], "add_to_groups": ["sre"]})).await.status,
            400
        );
        assert_eq!(lenses.put(&groups, json!({"add_to_groups": ["nothing"]})).await.status, 400);
        assert_eq!(lenses.groups_of(path).await, ["finance"]);
    }
    assert_eq!(lenses.put("/users/nobody/groups", json!({"set_groups": []})).await.status, 404);
}

#[tokio::test]
async fn a_name_of_both_kinds_means_the_user() {
    let lenses = lenses().await;
    let peggy = json!({"name": "peggy"});
    assert_eq!(lenses.post("/service-accounts", peggy.clone()).await.status, 409);
    lenses.switch(|switches| switches.principals_share_names = false);
    assert_eq!(lenses.post("/service-accounts", peggy).await.status, 201);
    lenses.patch("/groups/sre", json!({"add_members": ["peggy"]})).await;
    assert!(lenses.groups_of("/users/peggy").await.contains(&"sre".to_owned()));
    assert!(lenses.groups_of("/service-accounts/peggy").await.is_empty());
}

#[tokio::test]
async fn in_sso_mode_a_login_reverts_changes_through_the_api() {
    let lenses = lenses().await;
    let log_in = async |user: &str| lenses.post("/_sim/logins", json!({"user": user})).await.status;
    let path = "/users/alice@example.com";
    lenses.put(&format!("{path}/groups"), json!({"set_groups": ["sre"]})).await;
    assert_eq!(log_in(ALICE).await, 204);
    assert_eq!(lenses.groups_of(path).await, ["sre"]);
    lenses.switch(|switches| switches.membership_mode = MembershipMode::Sso);
    // The API accepts changes, which last until the next login. Groups are matched by `sso_name`.
    assert_eq!(lenses.groups_of(path).await, ["sre"]);
    assert_eq!(log_in(ALICE).await, 204);
    assert_eq!(lenses.groups_of(path).await, ["data-platform"]);
    assert_eq!(members(&lenses, "sre").await, [CAROL, DAVE]);
    assert_eq!((log_in("nobody").await, lenses.post("/_sim/logins", json!({})).await.status), (404, 400));
}
