//! Snapshots, their proofs, and wrong pages.

use futures::future::join_all;

use super::*;
use crate::testing::{assert_lacks, failures};
use rolewright_core::model::{Absence, NameMatch, Part};

fn with(
    path: &'static str,
    reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Seen, usize) -> Reply {
    move |seen, _| if seen.path == path { reply(seen) } else { account(seen) }
}

fn absence(snapshot: &Snapshot, kind: Kind, place: &str) -> Absence {
    snapshot.absence(kind, Some(&id(place)))
}

#[tokio::test]
async fn a_snapshot_shows_names_for_ids() {
    let snapshot = sweep(|seen, _| account(seen)).await.expect("a snapshot");
    let grant = snapshot.by_id(Kind::Grant, &id("RoleBinding:1")).expect("the grant");
    assert_eq!(grant.body.title(), "alice@example.com as writer on space research");
    let role = snapshot.by_id(Kind::Role, &id("Role:2")).expect("the role");
    assert_eq!(role.body, self::role("writer", None, &["SPACE_READ", "PROJECT_READ"]));
    assert_eq!(role.read_only, None);
    let predefined = snapshot.by_id(Kind::Role, &id("Role:1")).expect("the role");
    assert_eq!(predefined.read_only.as_deref(), Some("a predefined role"));
    let directory = snapshot.directory();
    let NameMatch::One(alice) = directory.find(Level::USER, "ALICE@example.com", None) else {
        panic!("no Alice")
    };
    assert_eq!(alice.named.id, id("User:1"));
    let NameMatch::One(ci) = directory.find(Level::SERVICE_ACCOUNT, "ci", None) else {
        panic!("no service account")
    };
    assert_eq!(ci.named.id, id("User:9"), "the bot user, not the key");
    assert_eq!(
        directory.find(Level::SERVICE_ACCOUNT, "old", None),
        NameMatch::None,
        "a key without a bot user"
    );
    assert!(matches!(directory.find(Level::new("project"), "churn", None), NameMatch::Many(_)));
    let NameMatch::One(churn) = directory.find(Level::new("project"), "churn", Some(&id("Space:2"))) else {
        panic!("no project")
    };
    assert_eq!(churn.named.id, id("Model:2"));
    assert!(matches!(directory.find(Level::ROLE, "Project Viewer", None), NameMatch::One(_)));
}

#[tokio::test]
async fn what_nothing_needs_is_not_read() {
    let (stub, arize) = arize(|seen, _| account(seen)).await;
    arize.snapshot(&needs(&[Kind::Role], &["space"])).await.expect("a snapshot");
    let mut calls = stub.calls();
    calls.sort();
    assert_eq!(calls, ["GET /v2/roles", "GET /v2/spaces"]);
    assert!(stub.seen().iter().all(|seen| seen.param("limit") == Some("100")));
}

#[tokio::test]
async fn empty_pages_do_not_end_a_list() {
    let snapshot = sweep(with("/v2/roles", |seen| match seen.param("cursor") {
        None => page_before("roles", json!([]), "a"),
        Some("a") => page_before("roles", json!([role_json("Role:1", "Admin", true)]), "b"),
        Some("b") => page_before("roles", json!([]), "c=/+"),
        Some("c=/+") => page("roles", json!([role_json("Role:7", "seven", false)])),
        Some(other) => panic!("unknown cursor {other}"),
    }))
    .await
    .expect("a snapshot");
    assert_eq!(snapshot.all(Kind::Role).count(), 2);
    assert_eq!(snapshot.absence(Kind::Role, None), Absence::Proven);
}

#[tokio::test]
async fn filters_are_sent_with_every_page() {
    let snapshot =
        sweep(with("/v2/role-bindings", |seen| match (seen.param("resource_type"), seen.param("cursor")) {
            (Some("SPACE"), None) => page_before("role_bindings", json!([]), "next"),
            (Some("SPACE"), Some("next")) => page(
                "role_bindings",
                json!([binding_json("RoleBinding:5", "Role:2", "User:1", "SPACE", "Space:1")]),
            ),
            (Some("PROJECT"), None) => page("role_bindings", json!([])),
            _ => Reply::problem(400, "Invalid request parameters", "resource_type is required"),
        }))
        .await
        .expect("a snapshot");
    assert_eq!(snapshot.all(Kind::Grant).count(), 1);
}

#[tokio::test]
async fn a_repeated_cursor_is_an_error() {
    let (stub, arize) = arize(with("/v2/roles", |seen| match seen.param("cursor") {
        Some("a") => page_before("roles", json!([]), "b"),
        _ => page_before("roles", json!([]), "a"),
    }))
    .await;
    let error = arize.snapshot(&needs(&[Kind::Role], &[])).await.expect_err("a failure");
    assert_eq!(error.class, Class::Transient);
    assert!(error.message.contains("already read"), "{error}");
    assert_eq!(stub.calls().len(), 3);
}

#[tokio::test]
async fn an_invalid_list_is_unread() {
    for which in 0..4 {
        let answer = with("/v2/roles", move |_| match which {
            0 => Reply::text(200, "text/html", "<html>Log in</html>"),
            1 => Reply::json(200, json!({"pagination": {"has_more": false}})),
            2 => Reply::json(200, json!({"roles": []})),
            _ => Reply::Full { status: 200, headers: Vec::new(), body: vec![b' '; 20 * 1024 * 1024] },
        });
        let snapshot = sweep(answer).await.expect("a snapshot");
        assert!(snapshot.failures().of(&Part::Kind(Kind::Role)).is_some(), "{which}");
        assert_eq!(snapshot.all(Kind::Grant).count(), 1, "{which}");
    }
}

#[tokio::test]
async fn a_role_without_its_permissions_is_unread() {
    let role = json!({"id": raw("Role:3"), "name": "no permissions", "is_predefined": false});
    let admin = role_json("Role:1", "Admin", true);
    let answer = with("/v2/roles", move |_| page("roles", json!([role, admin])));
    let snapshot = sweep(answer).await.expect("a snapshot");
    assert_eq!(snapshot.failures().iter().count(), 1);
    let id = id("Role:3");
    assert!(snapshot.unread_thing(Kind::Role, &id).is_some());
    assert!(snapshot.by_id(Kind::Role, &id).is_some_and(|seen| seen.outline));
    assert_eq!(snapshot.absence(Kind::Role, None), Absence::Proven, "the list shows all others");
}

/// Every call of a sweep, and what is unread while it fails.
#[tokio::test]
async fn each_call_fails_alone() {
    let whole = &sweep(|seen, _| account(seen)).await.expect("a snapshot");
    let each = [
        ("/v2/roles", None, vec!["all roles", "role names"]),
        ("/v2/role-bindings", Some("SPACE"), vec!["grants by space"]),
        ("/v2/role-bindings", Some("PROJECT"), vec!["grants by project"]),
        ("/v2/resource-restrictions", None, vec!["all restrictions"]),
        ("/v2/users", None, vec!["user names"]),
        ("/v2/api-keys", None, vec!["serviceAccount names"]),
        ("/v2/organizations", None, vec!["organization names"]),
        ("/v2/spaces", None, vec!["space names"]),
        ("/v2/projects", None, vec!["project names", "rights of the credential"]),
    ];
    let each = each.into_iter().flat_map(|row| failures().map(move |failure| (row.clone(), failure)));
    join_all(each.map(|((path, of, parts), failure)| async move {
        let answer = with(path, move |seen| match seen.param("resource_type") == of {
            true => failure(),
            false => account(seen),
        });
        let partial = sweep(answer).await.expect(path);
        let proves = |kind| partial.absence(kind, Some(&id("Space:1"))) == Absence::Proven;
        assert!(!path.contains("bindings") || !proves(Kind::Grant), "{path}");
        assert_lacks(&partial, whole, &format!("GET {path}"), &parts);
    }))
    .await;
}

#[tokio::test]
async fn a_body_that_is_always_cut_makes_no_snapshot() {
    let (stub, arize) = arize(|_, _| Reply::Cut { body: b"{\"roles\": [],".to_vec() }).await;
    assert_eq!(class(arize.snapshot(&needs(&[Kind::Role], &[])).await), Class::Transient);
    assert_eq!(stub.calls().len(), 3);
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_list_is_a_failure() {
    for status in [400, 403, 404] {
        let answer = with("/v2/users", move |seen| match seen.param("cursor") {
            None => page_before("users", json!([]), "a"),
            Some(_) => Reply::problem(status, "Title", "no"),
        });
        let snapshot = sweep(answer).await.expect("a snapshot");
        assert!(snapshot.unread_names(Level::USER).is_some(), "{status}");
    }
}

#[tokio::test]
async fn a_401_makes_no_snapshot() {
    for path in ["/v2/roles", "/v2/users", "/v2/audit-logs", "/v2/role-bindings"] {
        let answer = with(path, |_| Reply::problem(401, "Authentication required", ""));
        assert_eq!(class(sweep(answer).await), Class::Unauthenticated, "{path}");
    }
}

#[tokio::test]
async fn a_refused_list_of_names_does_not_stop_the_rest() {
    for path in ["/v2/users", "/v2/api-keys", "/v2/organizations", "/v2/spaces", "/v2/projects"] {
        let snapshot = sweep(with(path, |_| forbidden())).await.expect(path);
        assert_eq!(snapshot.all(Kind::Grant).count(), 1, "{path}");
        let refused: Vec<&str> = LEVELS
            .into_iter()
            .filter(|level| snapshot.directory().refusal(super::level(level)).is_some())
            .collect();
        assert_eq!(refused.len(), 1, "{path}: {refused:?}");
        assert_eq!(
            snapshot.directory().refusal(super::level(refused[0])),
            Some(format!("GET {path} answered 403: Access forbidden: no").as_str())
        );
    }
}

#[tokio::test]
async fn roles_are_proven_only_if_a_predefined_one_is_visible() {
    let absence = async |answer: Reply| {
        let answer = std::sync::Mutex::new(Some(answer));
        let snapshot =
            sweep(with("/v2/roles", move |_| answer.lock().expect("not poisoned").take().expect("one call")))
                .await
                .expect("a snapshot");
        assert_eq!(snapshot.all(Kind::Grant).count(), 1, "grants are read whether roles are or not");
        snapshot.absence(Kind::Role, None)
    };
    assert_eq!(absence(page("roles", json!([role_json("Role:1", "Admin", true)]))).await, Absence::Proven);
    assert_eq!(absence(page("roles", json!([]))).await, Absence::Unproven);
    assert_eq!(absence(page("roles", json!([role_json("Role:2", "own", false)]))).await, Absence::Unproven);
    assert_eq!(absence(forbidden()).await, Absence::Unproven);
    assert_eq!(absence(missing()).await, Absence::Unproven);
}

#[tokio::test]
async fn an_account_admin_proves_absence_everywhere() {
    let snapshot = sweep(with("/v2/audit-logs", |seen| {
        assert_eq!(seen.param("limit"), Some("1"));
        page("logs", json!([{"id": "x"}]))
    }))
    .await
    .expect("a snapshot");
    for place in ["Space:1", "Space:77", "Model:77"] {
        assert_eq!(absence(&snapshot, Kind::Grant, place), Absence::Proven);
        assert_eq!(absence(&snapshot, Kind::Restriction, place), Absence::Proven);
    }
}

#[tokio::test]
async fn an_unreadable_audit_log_proves_nothing() {
    for which in 0..4 {
        let snapshot = sweep(with("/v2/audit-logs", move |_| match which {
            0 => forbidden(),
            1 => missing(),
            2 => Reply::problem(400, "Invalid request parameters", ""),
            _ => Reply::text(200, "text/html", "<html>"),
        }))
        .await
        .expect("a snapshot");
        assert_eq!(absence(&snapshot, Kind::Grant, "Space:2"), Absence::Unproven, "{which}");
    }
}

#[tokio::test]
async fn a_visible_grant_proves_its_space_and_its_projects() {
    let snapshot = sweep(|seen, _| account(seen)).await.expect("a snapshot");
    assert_eq!(absence(&snapshot, Kind::Grant, "Space:1"), Absence::Proven);
    assert_eq!(absence(&snapshot, Kind::Grant, "Model:1"), Absence::Proven);
    assert_eq!(absence(&snapshot, Kind::Grant, "Space:2"), Absence::Unproven);
    assert_eq!(absence(&snapshot, Kind::Grant, "Model:2"), Absence::Unproven);
}

#[tokio::test]
async fn a_grant_on_a_project_proves_the_project_alone() {
    let (_stub, arize) = arize(with("/v2/role-bindings", |seen| match seen.param("resource_type") {
        Some("PROJECT") => page(
            "role_bindings",
            json!([binding_json("RoleBinding:2", "Role:2", "User:1", "project", "Model:2")]),
        ),
        _ => page("role_bindings", json!([])),
    }))
    .await;
    let snapshot = arize.snapshot(&needs(&[Kind::Grant], &[])).await.expect("a snapshot");
    assert_eq!(absence(&snapshot, Kind::Grant, "Model:2"), Absence::Proven);
    for place in ["Space:2", "Model:3", "Space:1"] {
        assert_eq!(absence(&snapshot, Kind::Grant, place), Absence::Unproven, "{place}");
    }
    let seen = snapshot.by_id(Kind::Grant, &id("RoleBinding:2")).expect("the grant");
    let Body::Grant(grant) = &seen.body else { panic!("not a grant") };
    assert_eq!(grant.scope.as_ref().expect("a scope").level, level("project"), "a type in lower case");
}

#[tokio::test]
async fn an_empty_list_of_grants_proves_nothing() {
    let snapshot =
        sweep(with("/v2/role-bindings", |_| page("role_bindings", json!([])))).await.expect("a snapshot");
    assert_eq!(absence(&snapshot, Kind::Grant, "Space:1"), Absence::Unproven);
}

#[tokio::test]
async fn half_of_the_grants_proves_none_of_them() {
    let snapshot = sweep(with("/v2/role-bindings", |seen| match seen.param("resource_type") {
        Some("PROJECT") => forbidden(),
        _ => account(seen),
    }))
    .await
    .expect("a snapshot");
    assert_eq!(snapshot.all(Kind::Grant).count(), 1);
    assert_eq!(absence(&snapshot, Kind::Grant, "Space:1"), Absence::Unproven);
}

#[tokio::test]
async fn a_visible_restriction_proves_no_other_one() {
    let snapshot = sweep(with("/v2/resource-restrictions", |_| {
        page(
            "resource_restrictions",
            json!([
                {"resource_type": "PROJECT", "resource_id": raw("Model:1"), "created_at": "2026-01-01T12:00:00Z"},
                {"resource_type": "DASHBOARD", "resource_id": raw("Dashboard:5")},
                {"resource_type": "NOTEBOOK", "resource_id": raw("Notebook:5")},
            ]),
        )
    }))
    .await
    .expect("a snapshot");
    for place in ["Model:2", "Model:3", "Dashboard:6"] {
        assert_eq!(absence(&snapshot, Kind::Restriction, place), Absence::Unproven, "{place}");
    }
    let titles: BTreeSet<String> = snapshot.all(Kind::Restriction).map(|seen| seen.body.title()).collect();
    assert!(titles.contains("project churn") && titles.len() == 3, "{titles:?}");
}

#[tokio::test]
async fn a_server_without_some_lists_is_read_without_them() {
    let snapshot = sweep(|seen, _| match seen.path.as_str() {
        "/v2/role-bindings" | "/v2/resource-restrictions" => missing(),
        _ => account(seen),
    })
    .await
    .expect("a snapshot");
    assert_eq!(snapshot.all(Kind::Role).count(), 2);
    assert_eq!(absence(&snapshot, Kind::Grant, "Space:1"), Absence::Unproven);
    assert_eq!(absence(&snapshot, Kind::Restriction, "Model:1"), Absence::Unproven);
}
