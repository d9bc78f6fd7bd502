//! Contract 2.2, 3.1: role assignments.

use rolewright_simulators::zenml::switches::LastRole;
use serde_json::{Value, json};

use crate::client::{ZenMl, exists, illegal, missing, zenml, zenml_with};

fn path(role: &str, query: &str) -> String {
    format!("/roles/{role}/assignments{query}")
}

/// The names of the principals in the assignments of a role.
async fn principals(zenml: &ZenMl, role: &str, query: &str) -> Vec<String> {
    let answer = zenml.get(&path(role, query)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let name = |row: &Value| {
        let found = [&row["user"]["username"], &row["team"]["name"], &row["invitation"]["email"]];
        found.iter().find_map(|text| text.as_str()).unwrap_or_default().to_owned()
    };
    answer.body.as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn a_role_is_assigned_and_unassigned_by_query() {
    let zenml = zenml().await;
    let role = zenml.new_role("workspace", "Reader").await;
    let workspace = zenml.workspace("production");
    let query = format!("?user_id={}&workspace_id={workspace}", zenml.user("alice"));
    let added = zenml.post_nothing(&path(&role, &query)).await;
    assert_eq!(added.status, 200, "{}", added.body);
    assert_eq!(added.body["user"]["email"], "alice@example.com");
    assert_eq!(added.body["user"]["password"], Value::Null);
    assert_eq!(added.body["role"]["id"], role.as_str());
    assert_eq!(added.text("organization_id"), zenml.organization());
    assert_eq!((added.text("workspace_id"), &added.body["project_id"]), (workspace, &Value::Null));
    assert!(
        added.body["team"].is_null() && added.body["invitation"].is_null() && added.body.get("id").is_none()
    );
    assert_eq!(principals(&zenml, &role, "").await, ["alice"]);

    let removed = zenml.delete(&path(&role, &query)).await;
    assert_eq!((removed.status, removed.raw.as_str()), (200, "null"));
    assert_eq!(principals(&zenml, &role, "").await, [""; 0]);
}

#[tokio::test]
async fn an_empty_object_as_body_is_ignored() {
    let zenml = zenml().await;
    let role = zenml.new_role("workspace", "Reader").await;
    let query = format!("?team_id={}&workspace_id={}", zenml.team("sre"), zenml.workspace("production"));
    let added = zenml.post(&path(&role, &query), json!({})).await;
    assert_eq!((added.status, &added.body["team"]["member_count"]), (200, &json!(2)));
    assert_eq!(principals(&zenml, &role, "").await, ["sre"]);
}

#[tokio::test]
async fn each_level_needs_exactly_its_scope() {
    let zenml = zenml().await;
    let (workspace, project) = (zenml.workspace("production"), zenml.project("production", "churn"));
    let scopes = [
        "".to_owned(),
        format!("&workspace_id={workspace}"),
        format!("&workspace_id={workspace}&project_id={project}"),
    ];
    let roles = ["Organization Viewer", "Workspace Viewer", "Project Viewer"];
    let alice = zenml.user("alice");
    for (level, role) in roles.into_iter().enumerate() {
        for (scope, query) in scopes.iter().enumerate() {
            let added =
                zenml.post_nothing(&path(&zenml.role(role), &format!("?user_id={alice}{query}"))).await;
            if level == scope {
                assert_eq!(added.status, 200, "{role} {query} {}", added.body);
            } else {
                assert_eq!(added.exception(), illegal(), "{role} {query}");
            }
        }
    }
}

#[tokio::test]
async fn a_project_of_another_workspace_is_refused() {
    let zenml = zenml().await;
    let role = zenml.role("Project Viewer");
    let alice = zenml.user("alice");
    let (staging, churn) = (zenml.workspace("staging"), zenml.project("production", "churn"));
    let added = zenml
        .post_nothing(&path(&role, &format!("?user_id={alice}&workspace_id={staging}&project_id={churn}")))
        .await;
    assert_eq!(added.exception(), illegal());
    for query in [
        format!("?user_id={alice}&workspace_id={alice}"),
        format!("?user_id={alice}&workspace_id={staging}&project_id={alice}"),
        format!("?user_id={staging}&workspace_id={staging}&project_id={}", zenml.project("staging", "churn")),
        format!("?team_id={alice}&workspace_id={staging}&project_id={}", zenml.project("staging", "churn")),
    ] {
        assert_eq!(zenml.post_nothing(&path(&role, &query)).await.exception(), missing(), "{query}");
    }
    assert_eq!(zenml.post_nothing(&path(&alice, &format!("?user_id={alice}"))).await.exception(), missing());
}

#[tokio::test]
async fn queries_need_one_principal_and_a_consistent_scope() {
    let zenml = zenml().await;
    let role = zenml.role("Project Viewer");
    let (user, team) = (zenml.user("alice"), zenml.team("sre"));
    let project = zenml.project("production", "churn");
    let queries = [
        String::new(),
        format!("?user_id={user}&team_id={team}"),
        format!("?user_id={user}&project_id={project}"),
    ];
    let value_error = |status| (status, "ValueError".to_owned());
    for query in &queries {
        assert_eq!(zenml.post_nothing(&path(&role, query)).await.exception(), value_error(400));
        assert_eq!(zenml.delete(&path(&role, query)).await.exception(), value_error(400));
    }
    zenml.switch(|switches| switches.value_error_status = 422);
    for query in &queries {
        assert_eq!(zenml.post_nothing(&path(&role, query)).await.exception(), value_error(422));
    }
    let malformed = zenml.post_nothing(&path(&role, "?user_id=alice")).await;
    assert_eq!(malformed.invalid(), json!(["query", "user_id"]));
}

#[tokio::test]
async fn a_duplicate_assignment_is_a_conflict() {
    let zenml = zenml().await;
    let role = zenml.role("Organization Member");
    let query = format!("?user_id={}", zenml.user("alice"));
    assert_eq!(zenml.post_nothing(&path(&role, &query)).await.exception(), exists());
    zenml.switch(|switches| switches.repeated_assignment_status = 200);
    let again = zenml.post_nothing(&path(&role, &query)).await;
    assert_eq!((again.status, &again.body["user"]["username"]), (200, &json!("alice")));
    assert_eq!(principals(&zenml, &role, "").await.iter().filter(|name| *name == "alice").count(), 1);
}

#[tokio::test]
async fn removing_a_missing_assignment_is_404_or_200() {
    let zenml = zenml().await;
    let role = zenml.role("Organization Viewer");
    let query = format!("?user_id={}", zenml.user("alice"));
    assert_eq!(zenml.delete(&path(&role, &query)).await.exception(), missing());
    zenml.switch(|switches| switches.missing_removal_status = 200);
    let removed = zenml.delete(&path(&role, &query)).await;
    assert_eq!((removed.status, removed.raw.as_str()), (200, "null"));
}

#[tokio::test]
async fn principals_of_other_organizations_are_refused() {
    let zenml = zenml().await;
    let (role, workspace) = (zenml.role("Workspace Viewer"), zenml.workspace("production"));
    let theirs = zenml.simulator.edit(|tenant| {
        let partners = tenant.organization_by_name("partners").unwrap();
        let account = tenant.service_account_by_name(partners, "nightly-training").unwrap();
        (account.to_string(), tenant.team_by_name(partners, "sre").unwrap().to_string())
    });
    for query in [format!("?user_id={}", theirs.0), format!("?team_id={}", theirs.1)] {
        let added = zenml.post_nothing(&path(&role, &format!("{query}&workspace_id={workspace}"))).await;
        assert_eq!(added.exception(), illegal());
    }
}

#[tokio::test]
async fn other_roles_need_a_member_of_the_organization() {
    let zenml = zenml().await;
    let (viewer, workspace) = (zenml.role("Workspace Viewer"), zenml.workspace("production"));
    let query = format!("?user_id={}&workspace_id={workspace}", zenml.user("frank"));
    assert_eq!(zenml.post_nothing(&path(&viewer, &query)).await.exception(), illegal());
    let joined = path(&zenml.role("Organization Member"), &format!("?user_id={}", zenml.user("frank")));
    assert_eq!(zenml.post_nothing(&joined).await.status, 200);
    assert_eq!(zenml.post_nothing(&path(&viewer, &query)).await.status, 200);

    let zenml = zenml_with(|switches| switches.roles_for_non_members = true).await;
    let query = format!("?user_id={}&workspace_id={}", zenml.user("frank"), zenml.workspace("production"));
    assert_eq!(zenml.post_nothing(&path(&zenml.role("Workspace Viewer"), &query)).await.status, 200);
}

#[tokio::test]
async fn share_roles_cannot_be_assigned() {
    let zenml = zenml().await;
    let role = zenml.get("/organizations/acme/roles?type=share").await.each("id").remove(0);
    let scope = format!(
        "&workspace_id={}&project_id={}",
        zenml.workspace("production"),
        zenml.project("production", "churn")
    );
    let added = zenml.post_nothing(&path(&role, &format!("?user_id={}{scope}", zenml.user("alice")))).await;
    assert_eq!(added.exception(), illegal());
    assert_eq!(principals(&zenml, &role, "").await, ["dave"]);
}

#[tokio::test]
async fn the_owner_cannot_lose_the_admin_role() {
    let zenml = zenml().await;
    let admin = zenml.role("Organization Admin");
    let owner = format!("?user_id={}", zenml.user("erin"));
    assert_eq!(zenml.delete(&path(&admin, &owner)).await.exception(), illegal());
    assert_eq!(zenml.delete(&path(&zenml.role("Organization Member"), &owner)).await.status, 200);
    let alice = format!("?user_id={}", zenml.user("alice"));
    assert_eq!(zenml.post_nothing(&path(&admin, &alice)).await.status, 200);
    assert_eq!(zenml.delete(&path(&admin, &alice)).await.status, 200);
}

#[tokio::test]
async fn a_member_cannot_lose_the_last_role() {
    let zenml = zenml().await;
    let (member, viewer) = (zenml.role("Organization Member"), zenml.role("Workspace Viewer"));
    let alice = format!("?user_id={}", zenml.user("alice"));
    let there = format!("{alice}&workspace_id={}", zenml.workspace("staging"));
    assert_eq!(zenml.delete(&path(&member, &alice)).await.exception(), illegal());
    zenml.post_nothing(&path(&viewer, &there)).await;

    // The switch decides whether a role of any level counts, or only one of the level organization.
    zenml.switch(|switches| switches.last_role = LastRole::OfTheOrganization);
    assert_eq!(zenml.delete(&path(&member, &alice)).await.exception(), illegal());
    zenml.switch(|switches| switches.last_role = LastRole::OfAnyLevel);
    assert_eq!(zenml.delete(&path(&member, &alice)).await.status, 200);
    assert_eq!(zenml.delete(&path(&viewer, &there)).await.exception(), illegal());
    zenml.switch(|switches| switches.last_role = LastRole::OfTheOrganization);
    assert_eq!(zenml.delete(&path(&viewer, &there)).await.status, 200);
}

#[tokio::test]
async fn a_team_can_lose_its_last_role_unless_protected() {
    let zenml = zenml_with(|switches| switches.last_role_protects_teams = true).await;
    let role = zenml.role("legacy-reviewer");
    let query = format!("?team_id={}&workspace_id={}", zenml.team("finance"), zenml.workspace("production"));
    assert_eq!(zenml.delete(&path(&role, &query)).await.exception(), illegal());
    zenml.switch(|switches| switches.last_role_protects_teams = false);
    assert_eq!(zenml.delete(&path(&role, &query)).await.status, 200);
}

#[tokio::test]
async fn unscoped_lists_have_all_or_only_unscoped_assignments() {
    let zenml = zenml().await;
    let role = zenml.role("legacy-reviewer");
    let here = format!("?workspace_id={}", zenml.workspace("production"));
    let elsewhere = format!("?workspace_id={}", zenml.workspace("staging"));
    let both = ["carol", "finance"];
    assert_eq!(principals(&zenml, &role, "").await, both);
    assert_eq!(principals(&zenml, &role, &here).await, both);
    assert_eq!(principals(&zenml, &role, &elsewhere).await, [""; 0]);

    let project = zenml.role("Project Viewer");
    let scope = format!("{here}&project_id={}", zenml.project("production", "churn"));
    let query = format!("{scope}&user_id={}", zenml.user("bob"));
    assert_eq!(zenml.post_nothing(&path(&project, &query)).await.status, 200);
    assert_eq!(principals(&zenml, &project, &here).await, ["bob"]);

    zenml.switch(|switches| switches.unscoped_lists_all = false);
    assert_eq!(principals(&zenml, &role, "").await, [""; 0]);
    assert_eq!(principals(&zenml, &role, &here).await, both);
    assert_eq!(principals(&zenml, &project, &here).await, [""; 0]);
    assert_eq!(principals(&zenml, &project, &scope).await, ["bob"]);
}

#[tokio::test]
async fn invitations_can_have_roles_in_newer_revisions() {
    let zenml = zenml().await;
    let invitation = zenml.get("/organizations/acme/invitations").await.each("id").remove(0);
    let (role, workspace) = (zenml.role("Workspace Viewer"), zenml.workspace("production"));
    let query = format!("?invitation_id={invitation}&workspace_id={workspace}");
    let added = zenml.post_nothing(&path(&role, &query)).await;
    assert_eq!((added.status, &added.body["invitation"]["email"]), (200, &json!("grace@example.com")));
    assert_eq!(principals(&zenml, &role, "").await, ["grace@example.com"]);

    zenml.switch(|switches| switches.invitations_are_principals = false);
    assert_eq!(zenml.delete(&path(&role, &query)).await.exception(), (400, "ValueError".into()));
    let listed = zenml.get(&path(&role, "")).await;
    assert_eq!(listed.body, json!([]));
    zenml.switch(|switches| switches.invitations_are_principals = true);
    assert_eq!(zenml.delete(&path(&role, &query)).await.status, 200);
}
