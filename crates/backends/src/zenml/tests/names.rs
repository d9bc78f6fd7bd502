//! Names: in the directory of a sweep, and looked up by themselves.

use super::*;
use rolewright_core::model::{Entry, NameMatch};

fn one(snapshot: &Snapshot, level: &str, name: &str, parent: Option<&str>) -> Option<String> {
    match snapshot.directory().find(level, name, parent.map(Id::new).as_ref()) {
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
    zenml.look_up(level, name, parent.map(Id::new).as_ref()).await.map(ids)
}

#[tokio::test]
async fn a_sweep_and_a_look_up_know_the_same_names() {
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
        ("workspace", "prod", None),
        ("role", "Workspace Viewer", Some(VIEWER.to_owned())),
    ] {
        assert_eq!(one(&snapshot, level, name, None), id, "{level} {name}");
        let found = looked_up(level, name, None, |seen, _| organization(seen)).await;
        assert_eq!(found, Ok(id.into_iter().collect()), "{level} {name}");
    }
}

#[tokio::test]
async fn two_of_one_name_are_told_apart_by_id() {
    let (snapshot, _) =
        sweep(&[], with(of_org("teams"), |seen| page(seen, &[team(), json!({"id": BOB, "name": "ml"})])))
            .await;
    let snapshot = snapshot.expect("a snapshot");
    assert!(
        matches!(snapshot.directory().find("team", "ml", None), NameMatch::Many(both) if both.len() == 2)
    );
}

#[tokio::test]
async fn members_inside_memberships_are_known_too() {
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
async fn a_project_is_named_by_id_on_every_server_and_by_name_where_it_is_known() {
    let (workspace, churn) = (format!("workspace:{PRODUCTION}"), format!("project:{PRODUCTION}:{CHURN}"));
    let projects = format!("GET /workspaces/{PRODUCTION}/projects");
    let given = format!("id:{CHURN}");
    for name in [given.as_str(), CHURN] {
        let found = looked_up("project", name, Some(&workspace), |_, _| panic!("nobody is asked")).await;
        assert_eq!(found, Ok(vec![churn.clone()]));
    }
    let lists = |seen: &Seen| {
        page(seen, &[json!({"id": CHURN, "name": "churn"}), json!({"id": BOB, "name": "churn-2"})])
    };
    assert_eq!(
        looked_up("project", "churn", Some(&workspace), with(projects.clone(), lists)).await,
        Ok(vec![churn.clone()])
    );
    let single = with(format!("{projects}/churn"), |_| ok(json!({"id": CHURN, "name": "churn"})));
    assert_eq!(looked_up("project", "churn", Some(&workspace), single).await, Ok(vec![churn.clone()]));
    assert_eq!(
        looked_up("project", "churn", Some(&workspace), |seen, _| organization(seen)).await,
        Ok(vec![])
    );
    assert_eq!(looked_up("project", "churn", None, |seen, _| organization(seen)).await, Ok(vec![]));
}

#[tokio::test]
async fn projects_that_something_is_held_in_are_known_after_a_restart() {
    let held = [grant_id(TRAINER, &format!("project:{PRODUCTION}:{CHURN}"), &format!("user:{NIGHTLY}"))];
    let (workspace, churn) = (format!("workspace:{PRODUCTION}"), format!("project:{PRODUCTION}:{CHURN}"));
    let (snapshot, _) = sweep(&held, |seen, _| organization(seen)).await;
    let snapshot = snapshot.expect("a snapshot");
    assert_eq!(one(&snapshot, "project", &format!("id:{CHURN}"), Some(&workspace)), Some(churn.clone()));
    let why = snapshot.directory().refusal("project").expect("a word on how to name projects");
    assert!(why.contains("id:"), "{why}");
    let (snapshot, _) = sweep(
        &held,
        with(format!("GET /workspaces/{PRODUCTION}/projects"), |seen| {
            page(seen, &[json!({"id": CHURN, "name": "churn"})])
        }),
    )
    .await;
    let snapshot = snapshot.expect("a snapshot");
    for name in ["churn", &format!("id:{CHURN}")] {
        assert_eq!(one(&snapshot, "project", name, Some(&workspace)), Some(churn.clone()));
    }
}

#[tokio::test]
async fn workspaces_of_other_organizations_are_not_among_them() {
    let (snapshot, seen) = sweep(
        &[],
        with("GET /workspaces", |seen| {
            let mut other = workspace(STAGING, "production");
            other["organization_id"] = json!(BOB);
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
async fn a_name_that_nobody_has_comes_with_a_word_on_inviting() {
    let (snapshot, _) = sweep(&[], |seen, _| organization(seen)).await;
    let why = snapshot.expect("a snapshot").directory().refusal("user").map(str::to_owned).expect("a word");
    assert!(why.contains("invite"), "{why}");
}

#[tokio::test]
async fn names_that_may_not_be_looked_up_are_refused_and_not_missing() {
    let refused = |list: &str| with(of_org(list), |_| error(403, "IllegalOperationError", "not for you"));
    assert_eq!(class(looked_up("user", "alice", None, refused("members")).await), Class::Denied);
    assert_eq!(class(looked_up("team", "ml", None, refused("teams")).await), Class::Denied);
    assert_eq!(class(looked_up("planet", "mars", None, |seen, _| organization(seen)).await), Class::Invalid);
}
