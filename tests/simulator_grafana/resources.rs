//! Contract 2.5: permissions on single resources.

use rolewright_simulators::grafana::switches::{Licence, MissingResources};
use serde_json::{Value, json};

use crate::client::{Client, grafana, grafana_with};

/// The permissions of a resource, one line each: subject, level, and where it comes from.
async fn shown(client: &Client, path: &str) -> Vec<String> {
    let answer = client.get(&format!("/access-control/{path}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let line = |entry: &Value| {
        let who = match (entry["userLogin"].as_str(), entry["team"].as_str(), entry["builtInRole"].as_str()) {
            (Some(login), None, None) => login.to_owned(),
            (None, Some(team), None) => format!("team {team}"),
            (None, None, Some(role)) => format!("every {role}"),
            _ => panic!("{entry}"),
        };
        let origin = match (entry["isManaged"].as_bool().unwrap(), entry["isInherited"].as_bool().unwrap()) {
            (true, false) => "own",
            (false, true) => "inherited",
            (false, false) => "fixed",
            (true, true) => panic!("{entry}"),
        };
        format!("{who}: {} {origin}", entry["permission"].as_str().unwrap())
    };
    let mut lines: Vec<String> = answer.body.as_array().unwrap().iter().map(line).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn the_description_lists_levels_and_kinds_of_subjects() {
    let grafana = grafana().await;
    let cases = [
        ("folders", json!(["View", "Edit", "Admin"]), true),
        ("dashboards", json!(["View", "Edit", "Admin"]), true),
        ("datasources", json!(["Query", "Edit", "Admin"]), true),
        ("serviceaccounts", json!(["Edit", "Admin"]), false),
        ("teams", json!(["Member", "Admin"]), false),
        ("receivers", json!(["View", "Edit", "Admin"]), true),
    ];
    for (kind, levels, roles) in cases {
        let answer = grafana.get(&format!("/access-control/{kind}/description")).await;
        assert_eq!(answer.body["permissions"], levels, "{kind}");
        assert_eq!(answer.body["assignments"]["builtInRoles"], roles, "{kind}");
        assert_eq!(answer.body["assignments"]["users"], true);
    }
    assert_eq!(grafana.get("/access-control/spaceships/description").await.status, 404);
}

#[tokio::test]
async fn a_new_folder_has_default_permissions_and_children_inherit() {
    let grafana = grafana().await;
    let erin = grafana.login("erin").await;
    let create = async |body: Value| {
        let answer = erin.post("/folders", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    create(json!({"uid": "top", "title": "Top"})).await;
    create(json!({"uid": "child", "title": "Child", "parentUid": "top"})).await;
    create(json!({"uid": "grandchild", "title": "Grandchild", "parentUid": "child"})).await;
    let dashboard = json!({"dashboard": {"uid": "board", "title": "Board"}, "folderUid": "grandchild"});
    assert_eq!(erin.post("/dashboards/db", dashboard).await.status, 200);

    let top =
        ["erin: Admin own", "every Admin: Admin fixed", "every Editor: Edit own", "every Viewer: View own"];
    assert_eq!(shown(&grafana, "folders/top").await, top);
    let inherits = [
        "erin: Admin inherited",
        "erin: Admin own",
        "every Admin: Admin fixed",
        "every Editor: Edit inherited",
        "every Viewer: View inherited",
    ];
    for path in ["folders/child", "folders/grandchild", "dashboards/board"] {
        assert_eq!(shown(&grafana, path).await, inherits, "{path}");
    }
    // Of several inherited levels, the highest counts.
    let path = "/access-control/folders/child/builtInRoles/Viewer";
    assert_eq!(grafana.post(path, json!({"permission": "Edit"})).await.status, 200);
    let lines = shown(&grafana, "folders/grandchild").await;
    assert!(lines.contains(&"every Viewer: Edit inherited".to_owned()), "{lines:?}");
    // After the move to the root it inherits nothing.
    assert_eq!(erin.post("/folders/child/move", json!({"parentUid": ""})).await.status, 200);
    assert_eq!(
        shown(&grafana, "folders/child").await,
        ["erin: Admin own", "every Admin: Admin fixed", "every Viewer: Edit own"]
    );
}

#[tokio::test]
async fn new_resources_of_a_token_without_account_have_no_owner() {
    let grafana = grafana().await;
    let maker = grafana.caller_with("maker", &["dashboards:create@folders:*", "datasources:create"]).await;
    let dashboard = json!({"dashboard": {"uid": "board", "title": "Board"}});
    assert_eq!(maker.post("/dashboards/db", dashboard).await.status, 200);
    let open = ["every Admin: Admin fixed", "every Editor: Edit own", "every Viewer: View own"];
    assert_eq!(shown(&grafana, "dashboards/board").await, open);
    let source = json!({"uid": "tempo", "name": "Tempo", "type": "tempo"});
    assert_eq!(maker.post("/datasources", source).await.status, 200);
    let open = ["every Admin: Admin fixed", "every Editor: Query own", "every Viewer: Query own"];
    assert_eq!(shown(&grafana, "datasources/tempo").await, open);
}

#[tokio::test]
async fn a_patch_changes_only_the_subjects_that_it_names() {
    let grafana = grafana().await;
    let (alice, sre) = (grafana.user("alice"), grafana.team("sre"));
    let account = grafana.account("nightly-reports");
    let path = "/access-control/folders/sre";
    let patch = json!({"permissions": [
        {"userId": alice, "permission": "Edit"},
        {"userId": account, "permission": "View"},
        {"teamId": sre, "permission": "Admin"},
        {"builtInRole": "Editor", "permission": ""},
    ]});
    let answer = grafana.post(path, patch).await;
    assert_eq!((answer.status, answer.text("message")), (200, "Permissions updated".into()));
    let expected = [
        "admin: Admin own",
        "alice: Edit own",
        "every Admin: Admin fixed",
        "every Viewer: View own",
        "sa-1-nightly-reports: View own",
        "team sre: Admin own",
    ];
    assert_eq!(shown(&grafana, "folders/sre").await, expected);
    assert_eq!(
        grafana.post(path, json!({"permissions": [{"userId": alice, "permission": "View"}]})).await.status,
        200
    );
    let lines = shown(&grafana, "folders/sre").await;
    assert!(lines.contains(&"alice: View own".to_owned()) && lines.len() == 6, "{lines:?}");

    let entries = grafana.get(path).await.body;
    let of = |key: &str, value: Value| {
        entries.as_array().unwrap().iter().find(|entry| entry[key] == value).unwrap().clone()
    };
    assert_eq!(of("userId", json!(account))["isServiceAccount"], true);
    assert!(of("userId", json!(account))["userAvatarUrl"].is_string());
    assert_eq!(of("userId", json!(alice))["roleName"], format!("managed:users:{alice}:permissions"));
    assert_eq!(of("teamId", json!(sre))["roleName"], format!("managed:teams:{sre}:permissions"));
    assert_eq!(of("builtInRole", json!("Viewer"))["roleName"], "managed:builtins:viewer:permissions");
    assert!(
        of("teamId", json!(sre))["actions"].as_array().unwrap().contains(&json!("folders.permissions:write"))
    );
    assert!(of("teamId", json!(sre)).get("userId").is_none());
}

#[tokio::test]
async fn one_subject_is_set_and_removed_with_its_own_path() {
    let grafana = grafana().await;
    let (alice, sre) = (grafana.user("alice"), grafana.team("sre"));
    let cases = [
        ("dashboards/home", format!("users/{alice}"), "Edit", "alice: Edit own"),
        ("datasources/loki-main", format!("teams/{sre}"), "Query", "team sre: Query own"),
        ("folders/data", "builtInRoles/Viewer".to_owned(), "Admin", "every Viewer: Admin own"),
        ("serviceaccounts/12", format!("users/{alice}"), "Edit", "alice: Edit own"),
        ("receivers/pager-sre", format!("teams/{sre}"), "Admin", "team sre: Admin own"),
    ];
    assert_eq!(grafana.account("nightly-reports"), 12);
    for (resource, subject, level, line) in cases {
        let path = format!("/access-control/{resource}/{subject}");
        let set = grafana.post(&path, json!({"permission": level})).await;
        assert_eq!((set.status, set.text("message")), (200, "Permission updated".into()), "{path}");
        assert!(shown(&grafana, resource).await.contains(&line.to_owned()), "{path}");
        let removed = grafana.post(&path, json!({"permission": ""})).await;
        assert_eq!((removed.status, removed.text("message")), (200, "Permission removed".into()), "{path}");
        assert!(!shown(&grafana, resource).await.contains(&line.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_level_on_a_team_is_membership() {
    let grafana = grafana().await;
    let (alice, team) = (grafana.user("alice"), grafana.team("finance"));
    let path = format!("/access-control/teams/{team}/users/{alice}");
    let members = async || grafana.get(&format!("/teams/{team}/members")).await.each("login");
    for level in ["Member", "Admin"] {
        assert_eq!(grafana.post(&path, json!({"permission": level})).await.status, 200);
        assert_eq!(members().await, ["alice"]);
        assert_eq!(shown(&grafana, &format!("teams/{team}")).await, [format!("alice: {level} own")]);
    }
    assert_eq!(grafana.post(&path, json!({"permission": ""})).await.status, 200);
    assert!(members().await.is_empty());
    let add = json!({"userId": alice});
    assert_eq!(grafana.post(&format!("/teams/{team}/members"), add).await.status, 200);
    assert_eq!(shown(&grafana, &format!("teams/{team}")).await, ["alice: Member own"]);
    let to_team = format!("/access-control/teams/{team}/teams/{team}");
    assert_eq!(grafana.post(&to_team, json!({"permission": "Member"})).await.status, 400);
}

#[tokio::test]
async fn invalid_subjects_and_levels_are_400_and_change_nothing() {
    let grafana = grafana().await;
    let alice = grafana.user("alice");
    let before = shown(&grafana, "folders/sre").await;
    let good = json!({"userId": alice, "permission": "View"});
    let cases = [
        (json!({"userId": 999, "permission": "View"}), "accesscontrol.assignmentEntityNotFound"),
        (
            json!({"userId": grafana.user("peggy"), "permission": "View"}),
            "accesscontrol.assignmentEntityNotFound",
        ),
        (json!({"teamId": 999, "permission": "View"}), "accesscontrol.assignmentEntityNotFound"),
        (json!({"builtInRole": "Boss", "permission": "View"}), "accesscontrol.invalidBuiltInRole"),
        (json!({"builtInRole": "None", "permission": "View"}), "accesscontrol.noneRoleAssignment"),
        (json!({"userId": alice, "permission": "Query"}), "accesscontrol.invalidRequest"),
        (json!({"permission": "View"}), "accesscontrol.invalidRequest"),
        (json!({"userId": alice, "teamId": 1, "permission": "View"}), "accesscontrol.invalidRequest"),
        (json!({"userId": "alice", "permission": "View"}), "accesscontrol.invalidRequestBody"),
        (json!("alice"), "accesscontrol.invalidRequestBody"),
    ];
    for (wrong, id) in cases {
        let patch = json!({"permissions": [good, wrong]});
        let answer = grafana.post("/access-control/folders/sre", patch).await;
        assert_eq!((answer.status, answer.text("messageId")), (400, id.to_owned()), "{wrong}");
        assert_eq!(answer.body["statusCode"], 400);
        assert_eq!(shown(&grafana, "folders/sre").await, before);
    }
    let roles =
        format!("/access-control/serviceaccounts/{}/builtInRoles/Viewer", grafana.account("nightly-reports"));
    assert_eq!(grafana.post(&roles, json!({"permission": "Edit"})).await.status, 400);
    for unknown in ["serviceaccounts/999", "receivers/nothing"] {
        assert_eq!(grafana.get(&format!("/access-control/{unknown}")).await.status, 404, "{unknown}");
        let patch = json!({"permissions": [good]});
        assert_eq!(grafana.post(&format!("/access-control/{unknown}"), patch).await.status, 404, "{unknown}");
    }
}

#[tokio::test]
async fn permissions_of_nothing_depend_on_the_server() {
    for answer in [MissingResources::Refused, MissingResources::Empty, MissingResources::AdminsOnly] {
        let grafana = grafana_with(|switches| switches.missing_resources = answer).await;
        let entries = usize::from(answer == MissingResources::AdminsOnly);
        for unknown in ["folders/nothing", "dashboards/nothing"] {
            let path = format!("/access-control/{unknown}");
            let read = grafana.get(&path).await;
            let write =
                grafana.post(&format!("{path}/builtInRoles/Viewer"), json!({"permission": "View"})).await;
            if answer == MissingResources::Refused {
                assert_eq!((read.status, write.status), (404, 404), "{unknown}");
                continue;
            }
            assert_eq!((read.status, read.body.as_array().unwrap().len(), write.status), (200, entries, 200));
            assert_eq!(grafana.get(&path).await.body[0]["builtInRole"], "Viewer", "permissions of nothing");
        }
        // Nothing checks a read of a data source's permissions.
        let path = "/access-control/datasources/nothing";
        assert_eq!(grafana.get(path).await.status, 200);
        let write =
            grafana.post(&format!("{path}/builtInRoles/Viewer"), json!({"permission": "Query"})).await;
        assert_eq!(write.status, 404);
        for older in ["/folders/nothing/permissions", "/dashboards/uid/nothing/permissions"] {
            assert_eq!(grafana.get(older).await.status, 404, "{older}");
        }
    }
    let grafana = grafana().await;
    let narrow = grafana.caller_with("narrow", &["folders.permissions:read@folders:uid:sre"]).await;
    assert_eq!(narrow.get("/access-control/folders/nothing").await.status, 403);
}

#[tokio::test]
async fn older_lists_of_permissions_have_levels_as_numbers() {
    let grafana = grafana().await;
    for path in ["/folders/sre/permissions", "/dashboards/uid/home/permissions"] {
        let listed = grafana.get(path).await;
        assert_eq!(listed.status, 200, "{path}");
        let viewer =
            listed.body.as_array().unwrap().iter().find(|it| it["role"] == "Viewer").cloned().unwrap();
        assert_eq!((&viewer["permission"], &viewer["permissionName"]), (&json!(1), &json!("View")));
    }
}

#[tokio::test]
async fn roles_that_have_a_whole_level_are_listed() {
    let grafana = grafana().await;
    let view = ["folders:read", "dashboards:read", "alert.rules:read", "library.panels:read"];
    let on = |scope: &str| view.iter().map(|action| format!("{action}@{scope}")).collect::<Vec<_>>();
    for (uid, permissions) in [
        ("own", on("folders:uid:sre-runbooks")),
        ("above", on("folders:uid:sre")),
        ("all", on("folders:*")),
        ("part", on("folders:uid:sre-runbooks")[..2].to_vec()),
        ("elsewhere", on("folders:uid:data")),
    ] {
        let permissions: Vec<&str> = permissions.iter().map(String::as_str).collect();
        grafana.new_role(uid, &permissions).await;
        let path = format!("/access-control/users/{}/roles", grafana.user("dave"));
        assert_eq!(grafana.post(&path, json!({"roleUid": uid})).await.status, 200);
    }
    let listed = grafana.get("/access-control/folders/sre-runbooks").await.body;
    let daves = listed.as_array().unwrap().iter().filter(|it| it["userLogin"] == "dave");
    let mut daves: Vec<(String, bool)> = daves
        .map(|it| (it["roleName"].as_str().unwrap().to_owned(), it["isInherited"].as_bool().unwrap()))
        .collect();
    daves.sort();
    let expected = [("above", true), ("all", false), ("own", false)];
    assert_eq!(daves, expected.map(|(name, inherited)| (name.to_owned(), inherited)));
}

#[tokio::test]
async fn data_sources_that_share_a_uid_need_a_type() {
    let grafana = grafana_with(|switches| switches.data_source_uids_are_per_type = true).await;
    let path = "/access-control/datasources/prometheus-main";
    assert_eq!(grafana.get(path).await.status, 200);
    let other = |kind: &str| json!({"name": kind, "type": kind, "uid": "prometheus-main"});
    assert_eq!(grafana.post("/datasources", other("prometheus")).await.status, 409);
    assert_eq!(grafana.post("/datasources", other("mimir")).await.status, 200);
    assert_eq!(grafana.get(path).await.status, 400);
    let write = json!({"permission": ""});
    assert_eq!(grafana.post(&format!("{path}/builtInRoles/Viewer"), write).await.status, 400);
    assert_eq!(grafana.get(&format!("{path}?ds_type=mimir")).await.status, 200);
}

#[tokio::test]
async fn the_scope_of_a_folder_above_covers_a_resource() {
    let grafana = grafana().await;
    let read = "dashboards.permissions:read";
    let cases = [
        (format!("{read}@dashboards:uid:incident-review"), 200),
        (format!("{read}@folders:uid:sre-incidents"), 200),
        (format!("{read}@folders:uid:sre"), 200),
        (format!("{read}@folders:uid:data"), 403),
        ("folders.permissions:read@folders:*".to_owned(), 403),
        ("dashboards.permissions:write@dashboards:*".to_owned(), 403),
    ];
    for (index, (permission, status)) in cases.into_iter().enumerate() {
        let caller = grafana.caller_with(&format!("caller-{index}"), &[&permission]).await;
        let path = "/access-control/dashboards/incident-review";
        assert_eq!(caller.get(path).await.status, status, "{permission}");
        let writes = if permission.contains(":write") { 200 } else { 403 };
        assert_eq!(caller.post(path, json!({"permissions": []})).await.status, writes, "{permission}");
    }
}

#[tokio::test]
async fn a_level_on_a_receiver_permits_its_actions() {
    let grafana = grafana().await;
    let path = format!("/access-control/receivers/pager-sre/users/{}", grafana.user("dave"));
    assert_eq!(grafana.post(&path, json!({"permission": "Edit"})).await.status, 200);
    let permissions = grafana.login("dave").await.get("/access-control/user/permissions").await.body;
    for (action, scopes) in [
        ("alert.notifications.receivers:write", json!(["receivers:uid:pager-sre"])),
        ("receivers.permissions:read", Value::Null),
    ] {
        assert_eq!(permissions[action], scopes, "{action}");
    }
    let open =
        ["admin: Admin own", "every Admin: Admin fixed", "every Editor: Edit own", "every Viewer: View own"];
    assert_eq!(shown(&grafana, "receivers/finance-mail").await, open);
}

#[tokio::test]
async fn permissions_on_resources_work_without_a_licence() {
    let grafana = grafana_with(|switches| {
        switches.licence = Licence::Absent;
        switches.unlicensed_data_source_permissions = true;
    })
    .await;
    assert_eq!(grafana.get("/access-control/roles").await.status, 404);
    let alice = grafana.user("alice");
    for (resource, level) in [
        ("folders/sre", "Edit"),
        ("dashboards/payroll", "View"),
        ("datasources/loki-main", "Query"),
        ("receivers/pager-sre", "Edit"),
    ] {
        let path = format!("/access-control/{resource}/users/{alice}");
        assert_eq!(grafana.post(&path, json!({"permission": level})).await.status, 200, "{resource}");
        assert!(shown(&grafana, resource).await.contains(&format!("alice: {level} own")), "{resource}");
    }
    let alice = grafana.login("alice").await.get("/access-control/user/permissions").await.body;
    assert!(alice["folders:write"].as_array().unwrap().contains(&json!("folders:uid:sre")));
    let inherited = shown(&grafana, "folders/sre-incidents").await;
    assert!(inherited.contains(&"alice: Edit inherited".to_owned()), "{inherited:?}");
    for path in ["folders/description", "users/permissions/search?action=folders:write"] {
        assert_eq!(grafana.get(&format!("/access-control/{path}")).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn deleting_a_subject_or_resource_deletes_its_permissions() {
    let grafana = grafana().await;
    let (alice, sre) = (grafana.user("alice"), grafana.team("sre"));
    let patch = json!({"permissions": [
        {"userId": alice, "permission": "Edit"},
        {"teamId": sre, "permission": "Edit"},
    ]});
    assert_eq!(grafana.post("/access-control/folders/sre", patch).await.status, 200);
    assert_eq!(grafana.delete(&format!("/teams/{sre}")).await.status, 200);
    assert_eq!(grafana.login("admin").await.delete(&format!("/admin/users/{alice}")).await.status, 200);
    let lines = shown(&grafana, "folders/sre").await;
    assert_eq!(lines.len(), 4, "{lines:?}");
    // Deleting a folder deletes everything in it.
    assert_eq!(grafana.delete("/folders/sre").await.status, 200);
    for path in ["/folders/sre-incidents", "/dashboards/uid/incident-review"] {
        assert_eq!(grafana.get(path).await.status, 404, "{path}");
    }
    let left = grafana.simulator.edit(|tenant| {
        tenant.managed_permissions.iter().filter(|row| row.resource_id.starts_with("sre")).count()
    });
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_switch_makes_a_patch_replace_all_permissions() {
    for replaced in [false, true] {
        let grafana = grafana_with(|switches| switches.permissions_are_replaced = replaced).await;
        let body = json!({"permissions": [{"builtInRole": "Viewer", "permission": ""}]});
        assert_eq!(grafana.post("/access-control/folders/sre", body).await.status, 200);
        let editors =
            shown(&grafana, "folders/sre").await.iter().any(|line| line == "every Editor: Edit own");
        assert_eq!(editors, !replaced);
    }
}

#[tokio::test]
async fn permissions_on_data_sources_need_a_licence() {
    for (licence, kept, status) in
        [(Licence::Valid, false, 200), (Licence::Absent, false, 404), (Licence::Absent, true, 200)]
    {
        let grafana = grafana_with(|switches| {
            switches.licence = licence;
            switches.unlicensed_data_source_permissions = kept;
        })
        .await;
        let answer = grafana.get("/access-control/datasources/prometheus-main").await;
        assert_eq!(answer.status, status, "{licence:?} {kept}");
        assert_eq!(grafana.get("/access-control/folders/sre").await.status, 200);
    }
}
