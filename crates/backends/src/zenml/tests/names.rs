//! Names, in snapshots and by look-up.

use super::*;
use rolewright_core::model::{Entry, NameMatch};

fn one(snapshot: &Snapshot, level: &str, name: &str, parent: Option<&str>) -> Option<String> {
    match snapshot.directory().find(super::level(level), name, parent.map(Id::new).as_ref()) {
        NameMatch::One(entry) => Some(entry.named.id.to_string()),
        NameMatch::None => None,
        other => panic!("{level} {name}: {other:?}"),
    }
}

async fn looked_up(
    level: &str,
    name: &str,
    parent: Option<&str>,
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
) -> Result<Vec<String>, Error> {
    let (_stub, zenml) = zenml(answer).await;
    let ids = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.named.id.to_string()).collect();
    zenml.look_up(super::level(level), name, parent.map(Id::new).as_ref()).await.map(ids)
}

#[tokio::test]
async fn a_snapshot_and_a_look_up_find_the_same_names() {
    let (snapshot, _) = sweep(&[], |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    for (level, name, id) in [
        ("user", "Alice@Example.com", Some(alice())),
        ("user", "alice", Some(alice())),
        ("user", "nightly", None),
        ("user", "dave@example.com", Some(format!("invitation:{INVITED}:dave@example.com"))),
        ("user", "carol@example.com", None),
        ("serviceAccount", "nightly", Some(format!("user:{NIGHTLY}"))),
        ("serviceAccount", "alice", None),
        ("team", "ml", Some(format!("team:{ML}"))),
        ("team", "m", None),
        ("workspace", "production", Some(format!("workspace:{PRODUCTION}"))),
        ("workspace", PRODUCTION, Some(format!("workspace:{PRODUCTION}"))),
        ("workspace", &PRODUCTION.to_uppercase(), Some(format!("workspace:{PRODUCTION}"))),
        ("workspace", "prod", None),
        ("role", "Workspace Viewer", Some(VIEWER.to_owned())),
    ] {
        assert_eq!(one(&snapshot, level, name, None), id, "{level} {name}");
        let found = looked_up(level, name, None, |seen, _| organization(seen)).await;
        assert_eq!(found, Ok(id.into_iter().collect()), "{level} {name}");
    }
}

#[tokio::test]
async fn two_things_with_one_name_have_different_ids() {
    let (snapshot, _) =
        sweep(&[], with(of_org("teams"), |seen| page(seen, &[team(), json!({"id": BOB, "name": "ml"})])))
            .await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(
        matches!(snapshot.directory().find(Level::TEAM, "ml", None), NameMatch::Many(both) if both.len() == 2)
    );
}

#[tokio::test]
async fn a_member_can_be_inside_a_membership() {
    let (snapshot, _) = sweep(
        &[],
        with(of_org("members"), |seen| {
            page(
                seen,
                &[
                    json!({"user": user(ALICE, "alice", "alice@example.com", false), "roles": []}),
                    json!({"team": team()}),
                    json!({"id": INVITED, "email": "dave@example.com"}),
                ],
            )
        }),
    )
    .await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(one(&snapshot, "user", "alice@example.com", None), Some(alice()));
}

#[tokio::test]
async fn a_member_below_service_account_is_one_without_a_flag() {
    let (snapshot, _) = sweep(
        &[],
        with(of_org("members"), |seen| {
            let mut account = user(NIGHTLY, "nightly", "", true);
            account.as_object_mut().expect("an object").remove("is_service_account");
            page(seen, &[json!({"user": null, "service_account": account, "roles": []})])
        }),
    )
    .await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(one(&snapshot, "serviceAccount", "nightly", None), Some(format!("user:{NIGHTLY}")));
    assert_eq!(one(&snapshot, "user", "nightly", None), None);
}

#[tokio::test]
async fn the_name_of_a_deleted_workspace_is_free() {
    let workspaces = |seen: &Seen| {
        let mut gone = workspace(STAGING, "production");
        gone["status"] = json!("deleted");
        page(seen, &[gone, workspace(PRODUCTION, "production")])
    };
    let (snapshot, _) = sweep(&[], with("GET /workspaces", workspaces)).await;
    let expected = format!("workspace:{PRODUCTION}");
    assert_eq!(one(&snapshot.expect("a snapshot"), "workspace", "production", None), Some(expected.clone()));
    let found = looked_up("workspace", "production", None, with("GET /workspaces", workspaces)).await;
    assert_eq!(found, Ok(vec![expected]));
}

#[tokio::test]
async fn a_project_is_found_by_id_and_on_some_servers_by_name() {
    let (workspace, churn) = (format!("workspace:{PRODUCTION}"), format!("project:{PRODUCTION}:{CHURN}"));
    let projects = format!("GET /workspaces/{PRODUCTION}/projects");
    const UPPER: &str = "6A000000-0000-4000-8000-00000000000F";
    let churn_upper = format!("project:{PRODUCTION}:{}", UPPER.to_lowercase());
    for (name, id) in [
        (format!("id:{CHURN}"), &churn),
        (CHURN.to_owned(), &churn),
        (format!("id:{UPPER}"), &churn_upper),
        (UPPER.to_owned(), &churn_upper),
    ] {
        let found = looked_up("project", &name, Some(&workspace), |_, _| panic!("a call")).await;
        assert_eq!(found, Ok(vec![id.clone()]));
    }
    let lists = |seen: &Seen| {
        page(seen, &[json!({"id": CHURN, "name": "churn"}), json!({"id": BOB, "name": "churn-2"})])
    };
    assert_eq!(
        looked_up("project", "churn", Some(&workspace), with(projects.clone(), lists)).await,
        Ok(vec![churn.clone()])
    );
    assert_eq!(
        looked_up("project", "churn", Some(&workspace), |seen, _| organization(seen)).await,
        Ok(vec![])
    );
    assert_eq!(looked_up("project", "churn", None, |seen, _| organization(seen)).await, Ok(vec![]));
}

#[tokio::test]
async fn projects_with_managed_grants_are_in_the_snapshot() {
    let hints = [grant_id(TRAINER, &format!("project:{PRODUCTION}:{CHURN}"), &format!("user:{NIGHTLY}"))];
    let (workspace, churn) = (format!("workspace:{PRODUCTION}"), format!("project:{PRODUCTION}:{CHURN}"));
    let (snapshot, _) = sweep(&hints, |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(one(&snapshot, "project", &format!("id:{CHURN}"), Some(&workspace)), Some(churn.clone()));
    let why = snapshot.directory().refusal(Level::new("project")).expect("a refusal");
    assert!(why.contains("id:"), "{why}");
    let (snapshot, _) = sweep(
        &hints,
        with(format!("GET /workspaces/{PRODUCTION}/projects"), |seen| {
            page(seen, &[json!({"id": CHURN, "name": "churn"})])
        }),
    )
    .await;
    let snapshot = snapshot.expect("a snapshot");
    for name in ["churn", &format!("id:{CHURN}"), &format!("id:{}", CHURN.to_uppercase())] {
        assert_eq!(one(&snapshot, "project", name, Some(&workspace)), Some(churn.clone()));
    }
}

#[tokio::test]
async fn workspaces_of_other_organizations_are_ignored() {
    let (snapshot, seen) = sweep(
        &[],
        with("GET /workspaces", |seen| {
            let mut other = workspace(STAGING, "production");
            other["organization"]["id"] = json!(BOB);
            page(seen, &[workspace(PRODUCTION, "production"), other])
        }),
    )
    .await;
    assert_eq!(
        one(&snapshot.expect("a snapshot"), "workspace", "production", None),
        Some(format!("workspace:{PRODUCTION}"))
    );
    let list = seen.iter().find(|seen| call(seen) == "GET /workspaces").expect("a list");
    assert_eq!(list.param("organization_id"), Some(ORG));
}

#[tokio::test]
async fn the_message_about_an_unknown_person_mentions_invitations() {
    let (snapshot, _) = sweep(&[], |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    let advice = snapshot.directory().advice(Level::USER).expect("advice");
    assert!(advice.contains("invite"), "{advice}");
    assert_eq!(snapshot.directory().refusal(Level::USER), None, "people were listed");
}

#[tokio::test]
async fn a_forbidden_look_up_is_denied_and_not_empty() {
    let refused = |list: &str| with(of_org(list), |_| error(403, "IllegalOperationError", "not for you"));
    assert_eq!(class(looked_up("user", "alice", None, refused("members")).await), Class::Denied);
    assert_eq!(class(looked_up("team", "ml", None, refused("teams")).await), Class::Denied);
    assert_eq!(class(looked_up("planet", "mars", None, |seen, _| organization(seen)).await), Class::Invalid);
}
