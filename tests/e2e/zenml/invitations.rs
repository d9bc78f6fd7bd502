//! Invitations to a ZenML organization: a user can be granted a role before the first login.

use kube::api::DynamicObject;
use rolewright_simulators::zenml::{Principal, roles::Level};
use serde_json::json;

use crate::support::{
    World, managed_ids, subject_status,
    zenml::{SUBJECTS, binding, role},
};

const GRACE_AND_ALICE: [(&str, &str); 2] = [("User", "grace@example.com"), SUBJECTS[0]];

#[tokio::test(flavor = "multi_thread")]
async fn invitation_has_the_role_until_the_user_accepts_it() {
    let world = World::zenml("zenml-invitation").await;
    let subjects = [("User", "Grace@example.com"), SUBJECTS[0]];
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &subjects, json!({}))]).await;
    world.full_sweep().await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    assert!(world.principals_of(id).iter().any(|who| matches!(who, Principal::Invitation(_))));

    let since = world.log_position();
    let grace = world.accept_invitation("grace");
    let Principal::User(uuid) = grace else { unreachable!() };
    let end = format!("user:{uuid}");
    let has_user = |it: &DynamicObject| managed_ids(it).iter().any(|id| id.ends_with(&end));
    let object = world.until("RoleBinding", "readers", "recorded with the user", has_user).await;
    assert!(managed_ids(&object).iter().all(|id| !id.contains("invitation:")));
    // The object changes once, and the account not at all.
    let versions = world.resource_versions().await;
    world.assert_no_writes_after_sweep(since).await;
    assert_eq!(world.resource_versions().await, versions);
    // Drift of the user's grant is corrected for the user.
    world.sim.edit(|tenant| tenant.assignments.retain(|row| (row.role_id, row.principal) != (id, grace)));
    world.event("readers", "DriftCorrected").await;
    world.ready("RoleBinding", "readers").await;
    assert!(world.principals_of(id).contains(&grace));

    // Another user gets the address. That user gets no role, and the object still manages the first user's grant.
    let bob = world.user("bob");
    world.sim.edit(|tenant| {
        let mut set = |user: Principal, email: &str| {
            let Principal::User(id) = user else { unreachable!() };
            tenant.users.get_mut(id).unwrap().email = Some(email.to_owned());
        };
        set(grace, "grace.hopper@example.com");
        set(bob, "grace@example.com");
    });
    let object = world.reports("RoleBinding", "readers", "Conflict", &[]).await;
    assert_eq!(subject_status(&object, "Grace@example.com").0, "Conflict");
    let principals = world.principals_of(id);
    assert!(principals.len() == 2 && principals.contains(&grace), "{principals:?}");
    // The grant is removed with the subject.
    world.apply(binding("readers", "reader", &subjects[1..], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.principals_of(id).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn member_who_did_not_accept_the_invitation_is_a_conflict() {
    let world = World::zenml("zenml-not-accepted").await;
    world
        .apply_all(&[role("reader", json!({})), binding("readers", "reader", &GRACE_AND_ALICE, json!({}))])
        .await;
    world.full_sweep().await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    let member = world.role_id(Level::Organization, "Organization Member").unwrap();
    let since = world.log_position();
    // Grace becomes a member in another way, and the invitation still has the role.
    world.sim.edit(|tenant| tenant.add_user("grace", "grace", jiff::Timestamp::now()));
    let grace = world.user("grace");
    world.grant_by_hand(member, grace, None, None);
    let in_conflict = |it: &DynamicObject| subject_status(it, "grace@example.com").0 == "Conflict";
    let object = world.until("RoleBinding", "readers", "in conflict for grace", in_conflict).await;
    assert_eq!(subject_status(&object, "alice@example.com").0, "Granted");
    world.assert_no_writes(since);
    // The deletion removes the invitation's grant, and not the one that grace gets by hand.
    world.grant_by_hand(id, grace, Some(world.workspace_id("production")), None);
    world.delete_and_wait("RoleBinding", "readers").await;
    assert_eq!(world.principals_of(id), [grace]);
}

#[tokio::test(flavor = "multi_thread")]
async fn grant_waits_for_the_login_if_invitations_have_no_roles() {
    let world = World::zenml_with("zenml-no-roles", |it| it.invitations_are_principals = false).await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &GRACE_AND_ALICE, json!({}))).await;
    let waiting = |it: &DynamicObject| subject_status(it, "grace@example.com").1.contains("sign in first");
    let object = world.until("RoleBinding", "readers", "waiting for grace", waiting).await;
    assert_eq!(subject_status(&object, "alice@example.com").0, "Granted");
    // The role in the invitation makes the user a member.
    let grace = world.accept_invitation("grace");
    world.request_reconcile("RoleBinding", "readers", world.log_position()).await;
    world.ready("RoleBinding", "readers").await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    assert!(world.principals_of(id).contains(&grace));
}
