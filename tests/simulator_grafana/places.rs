//! Contract 2.6: lookups, and creating and deleting the rows that they find.

use serde_json::json;

use crate::client::{Login, grafana};

#[tokio::test]
async fn users_match_by_part_of_login_address_or_name() {
    let grafana = grafana().await;
    let find = async |query: &str| grafana.get(&format!("/org/users?query={query}")).await.each("login");
    // The first address is part of the second.
    assert_eq!(find("ann@example.com").await, ["ann", "joann"]);
    assert_eq!(find("ANN").await, ["ann", "joann"]);
    assert_eq!(find("tanaka").await, ["bob"]);
    assert_eq!(find("ivan@example.com").await, ["Ivan"]);
    assert!(find("peggy").await.is_empty());
    let all = grafana.get("/org/users").await;
    assert_eq!(all.each("email").len(), 9);
    let alice = all.body.as_array().unwrap().iter().find(|user| user["login"] == "alice").unwrap();
    assert_eq!((&alice["orgId"], &alice["role"]), (&json!(1), &json!("Viewer")));
    assert_eq!((&alice["userId"], alice["uid"].is_string()), (&json!(grafana.user("alice")), true));

    assert_eq!(grafana.get("/org/users?limit=2").await.each("login").len(), 2);
    let slim = grafana.get("/org/users/lookup?query=alice&limit=5").await;
    assert_eq!((slim.each("login"), slim.body[0].get("email")), (vec!["alice".to_owned()], None));
    let page = grafana.get("/org/users/search?perpage=4&page=3").await;
    assert_eq!((page.body["totalCount"].as_i64(), page.each_of("orgUsers", "login").len()), (Some(9), 1));
    assert_eq!((page.body["page"].as_i64(), page.body["perPage"].as_i64()), (Some(3), Some(4)));
}

#[tokio::test]
async fn any_caller_reads_itself() {
    let grafana = grafana().await;
    let grant = json!({"service_account_id": grafana.account("nightly-reports")});
    grafana.credential("nightly", "glsa_nightly", grant).await;
    let account = grafana.with(Login::Token("glsa_nightly".to_owned())).get("/user").await;
    assert_eq!((account.status, account.body["id"].as_i64()), (200, Some(0)));
    assert_eq!(
        (account.text("name"), account.text("login").starts_with("sa-")),
        ("nightly-reports".into(), true)
    );
    let alice = grafana.login("alice").await.get("/user").await;
    assert_eq!((alice.text("login"), alice.text("email")), ("alice".into(), "alice@example.com".into()));
    let without = grafana.caller_with("narrow", &["folders:read@folders:*"]).await;
    assert_eq!(without.get("/user").await.status, 404);
}

#[tokio::test]
async fn only_server_admins_list_users_of_the_server() {
    let grafana = grafana().await;
    for path in
        ["/users/lookup?loginOrEmail=alice", "/users", "/users/search", "/users/2", "/orgs", "/orgs/1"]
    {
        assert_eq!(grafana.get(path).await.status, 403, "{path}");
    }
    let admin = grafana.login("admin").await;
    for name in ["alice", "alice@example.com", "ALICE"] {
        let found = admin.get(&format!("/users/lookup?loginOrEmail={name}")).await;
        assert_eq!(
            (found.body["id"].as_i64(), found.text("login")),
            (Some(grafana.user("alice")), "alice".into())
        );
    }
    assert_eq!(admin.get("/users/lookup?loginOrEmail=lice").await.status, 404);
    assert_eq!(admin.get("/users").await.each("login").len(), 10);
    assert_eq!(admin.get("/users?perpage=3&page=4").await.each("login").len(), 1);
    assert_eq!(admin.get("/users/search?query=rossi").await.body["totalCount"], 2);
    assert_eq!(admin.get("/users/2").await.text("login"), "alice");
    assert_eq!(admin.get("/users/999").await.status, 404);
    assert_eq!(admin.get("/orgs/name/Partners").await.body["id"], 2);
    assert_eq!(admin.get("/orgs").await.each("name"), ["Main Org.", "Partners"]);
}

#[tokio::test]
async fn only_server_admins_list_users_of_any_organization() {
    let grafana = grafana().await;
    assert_eq!(grafana.get("/orgs/1/users").await.status, 403);
    let admin = grafana.login("admin").await;
    let partners = admin.get("/orgs/2/users").await;
    assert_eq!(partners.each("login"), ["admin", "peggy"]);
    assert_eq!(partners.each("role"), ["Admin", "Editor"]);
    assert_eq!(admin.get("/orgs/999/users").await.status, 404);
}

#[tokio::test]
async fn a_user_is_created_logs_in_joins_and_leaves() {
    let grafana = grafana().await;
    let admin = grafana.login("admin").await;
    let body = json!({"login": "zoe", "email": "zoe@example.com", "name": "Zoe", "password": "open-sesame"});
    assert_eq!(grafana.post("/admin/users", body.clone()).await.status, 403);
    let created = admin.post("/admin/users", body.clone()).await;
    let id = created.body["id"].as_i64().unwrap();
    assert_eq!(admin.post("/admin/users", body).await.status, 412);
    let zoe = grafana.with(crate::client::Login::Basic("zoe".into(), "open-sesame".into()));
    assert_eq!(zoe.get("/access-control/user/permissions").await.status, 200);
    let partners = admin.in_org(2);
    let join = json!({"loginOrEmail": "zoe", "role": "Editor"});
    assert_eq!(partners.post("/org/users", join.clone()).await.status, 200);
    assert_eq!(partners.post("/org/users", join).await.status, 409);
    assert_eq!(zoe.in_org(2).get("/access-control/user/permissions").await.status, 200);
    assert_eq!(partners.delete(&format!("/org/users/{id}")).await.status, 200);
    assert_eq!(zoe.in_org(2).get("/access-control/user/permissions").await.status, 401);
    assert_eq!(admin.delete(&format!("/admin/users/{id}")).await.status, 200);
    assert_eq!(admin.delete(&format!("/admin/users/{id}")).await.status, 404);
    // A number is never reused.
    let again = admin.post("/admin/users", json!({"login": "yan", "password": "p"})).await;
    assert!(again.body["id"].as_i64() > Some(id));
}

#[tokio::test]
async fn users_and_service_accounts_share_a_number_sequence() {
    let grafana = grafana().await;
    let account = grafana.post("/serviceaccounts", json!({"name": "ci", "role": "Viewer"})).await;
    let user =
        grafana.login("admin").await.post("/admin/users", json!({"login": "zoe", "password": "p"})).await;
    assert_eq!(user.body["id"].as_i64().unwrap(), account.body["id"].as_i64().unwrap() + 1);
    // Teams have their own sequence: the same number can be a team and a user.
    assert_eq!(grafana.team("sre"), grafana.user("alice"));
}

#[tokio::test]
async fn teams_are_listed_by_name_by_part_and_by_page() {
    let grafana = grafana().await;
    let find = async |query: &str| grafana.get(&format!("/teams/search?{query}")).await;
    assert_eq!(find("name=sre").await.each_of("teams", "name"), ["sre"]);
    assert_eq!(find("query=SRE").await.each_of("teams", "name"), ["sre", "sre-oncall"]);
    assert_eq!(find("name=sre-").await.body["totalCount"], 0);
    let all = find("").await;
    assert_eq!((all.body["totalCount"].as_i64(), all.body["perPage"].as_i64()), (Some(4), Some(1000)));
    assert_eq!(find("perpage=3&page=2").await.each_of("teams", "name"), ["sre-oncall"]);
    assert!(find("perpage=3&page=3").await.each_of("teams", "name").is_empty());
    let team = &find("name=data-platform").await.body["teams"][0];
    assert_eq!((&team["orgId"], &team["memberCount"]), (&json!(1), &json!(2)));
    // A caller with access to one team sees only that team.
    let one = grafana.caller_with("one", &["teams:read@teams:id:2"]).await;
    assert_eq!(one.get("/teams/search").await.each_of("teams", "name"), ["sre"]);
    assert_eq!((one.get("/teams/2").await.status, one.get("/teams/3").await.status), (200, 403));
}

#[tokio::test]
async fn a_team_and_its_members_are_created_and_deleted() {
    let grafana = grafana().await;
    let created = grafana.post("/teams", json!({"name": "ops", "email": "ops@example.com"})).await;
    assert_eq!(created.text("message"), "Team created");
    let id = created.body["teamId"].as_i64().unwrap();
    assert_eq!(grafana.post("/teams", json!({"name": "ops"})).await.status, 409);
    let path = format!("/teams/{}", created.text("uid"));
    let alice = json!({"userId": grafana.user("alice")});
    assert_eq!(grafana.post(&format!("{path}/members"), alice.clone()).await.status, 200);
    assert_eq!(grafana.post(&format!("{path}/members"), alice).await.status, 400);
    let stranger = json!({"userId": grafana.user("peggy")});
    assert_eq!(grafana.post(&format!("{path}/members"), stranger).await.status, 404);
    assert_eq!(grafana.get(&format!("/teams/{id}/members")).await.each("login"), ["alice"]);
    let member = format!("{path}/members/{}", grafana.user("alice"));
    assert_eq!((grafana.delete(&member).await.status, grafana.delete(&member).await.status), (200, 404));
    assert_eq!(grafana.get(&format!("{path}/preferences")).await.body, json!({}));
    assert_eq!(grafana.get("/teams/999/preferences").await.status, 404);
    assert_eq!(grafana.put(&path, json!({"name": "sre"})).await.status, 400);
    assert_eq!(grafana.put(&path, json!({"name": "operations"})).await.status, 200);
    assert_eq!(grafana.get(&path).await.text("name"), "operations");
    assert_eq!((grafana.delete(&path).await.status, grafana.get(&path).await.status), (200, 404));
}

#[tokio::test]
async fn a_service_account_and_its_tokens_work_until_deleted() {
    let grafana = grafana().await;
    let found = grafana.get("/serviceaccounts/search?query=night&perpage=10&page=0").await;
    assert_eq!(found.each_of("serviceAccounts", "name"), ["nightly-reports"]);
    assert_eq!(found.body["totalCount"], 1);
    let body = json!({"name": "ci", "role": "Admin"});
    let created = grafana.post("/serviceaccounts/", body.clone()).await;
    assert_eq!((created.status, created.text("login")), (201, "sa-1-ci".into()));
    let again = grafana.post("/serviceaccounts", body).await;
    assert_eq!((again.status, again.text("messageId")), (400, "serviceaccounts.ErrAlreadyExists".into()));
    let path = format!("/serviceaccounts/{}", created.body["id"]);
    let tokens = format!("{path}/tokens");
    let token = grafana.post(&tokens, json!({"name": "t"})).await;
    assert!(token.text("key").starts_with("glsa_"));
    assert_eq!(grafana.post(&tokens, json!({"name": "t"})).await.status, 409);
    let ci = grafana.with(crate::client::Login::Token(token.text("key")));
    assert_eq!(ci.get("/access-control/roles").await.status, 200);
    assert_eq!(
        grafana.patch(&path, json!({"role": "Viewer"})).await.body["serviceaccount"]["role"],
        "Viewer"
    );
    assert_eq!(ci.get("/access-control/roles").await.status, 403);
    assert_eq!(grafana.get(&tokens).await.each("name"), ["t"]);
    assert_eq!(grafana.delete(&format!("{tokens}/{}", token.body["id"])).await.status, 200);
    assert_eq!(ci.get("/org").await.text("messageId"), "api-key.revoked");
    let second = grafana.post(&tokens, json!({"name": "u", "secondsToLive": 3600})).await;
    let ci = grafana.with(crate::client::Login::Token(second.text("key")));
    assert_eq!(ci.get("/org").await.status, 200);
    assert_eq!(grafana.delete(&path).await.status, 200);
    assert_eq!((grafana.get(&path).await.status, ci.get("/org").await.status), (404, 401));
}

#[tokio::test]
async fn folders_nest_and_titles_repeat() {
    let grafana = grafana().await;
    assert_eq!(grafana.get("/folders").await.each("title"), ["Data platform", "Finance", "SRE"]);
    assert_eq!(grafana.get("/folders?parentUid=sre").await.each("uid"), ["sre-runbooks"]);
    assert_eq!(grafana.get("/folders?limit=2&page=2").await.each("title"), ["SRE"]);
    assert_eq!(grafana.get("/folders?parentUid=nothing").await.status, 404);
    let deep = grafana.get("/folders/sre-incidents").await;
    assert_eq!(
        (deep.text("parentUid"), deep.each_of("parents", "uid")),
        ("sre-runbooks".into(), vec!["sre".to_owned(), "sre-runbooks".to_owned()])
    );
    let twin = grafana.post("/folders", json!({"title": "SRE"})).await;
    assert_eq!(twin.status, 200);
    assert_ne!(twin.text("uid"), "sre");
    assert_eq!(grafana.post("/folders", json!({"uid": "sre", "title": "x"})).await.status, 409);
    assert_eq!(grafana.post("/folders", json!({"title": "x", "parentUid": "nothing"})).await.status, 400);
    assert_eq!(
        grafana.put("/folders/finance", json!({"title": "Money", "version": 1})).await.text("title"),
        "Money"
    );
    let circle = json!({"parentUid": "sre-incidents"});
    assert_eq!(grafana.post("/folders/sre/move", circle).await.status, 400);
    // Access to a folder includes the folders in it.
    let reader = grafana.caller_with("reader", &["folders:read@folders:uid:sre"]).await;
    assert_eq!(reader.get("/folders").await.each("uid"), ["sre"]);
    assert_eq!(reader.get("/folders/sre-incidents").await.status, 200);
    assert_eq!(reader.get("/folders/finance").await.status, 403);
}

#[tokio::test]
async fn dashboards_and_folders_are_searched() {
    let grafana = grafana().await;
    let find = async |query: &str| grafana.get(&format!("/search?{query}")).await.each("uid");
    assert_eq!(find("type=dash-folder&query=runbooks").await, ["sre-runbooks", "data-runbooks"]);
    assert_eq!(find("type=dash-db").await.len(), 5);
    assert_eq!(find("folderUIDs=sre&type=dash-db").await, ["sre-latency"]);
    assert_eq!(find("folderUIDs=general&type=dash-db").await, ["home"]);
    assert_eq!(find("").await.len(), 11);
    assert_eq!(find("limit=4&page=3").await.len(), 3);
    let entry = &grafana.get("/search?query=incident%20review").await.body[0];
    assert_eq!((&entry["folderUid"], &entry["folderTitle"]), (&json!("sre-incidents"), &json!("Incidents")));
}

#[tokio::test]
async fn a_dashboard_is_saved_read_overwritten_and_deleted() {
    let grafana = grafana().await;
    let save = |title: &str, overwrite: bool| json!({"dashboard": {"uid": "board", "title": title}, "folderUid": "data", "overwrite": overwrite});
    let saved = grafana.post("/dashboards/db", save("Board", false)).await;
    assert_eq!((saved.text("status"), saved.text("url")), ("success".into(), "/d/board/board".into()));
    assert_eq!(grafana.post("/dashboards/db", save("Board", false)).await.status, 412);
    assert_eq!(grafana.post("/dashboards/db", save("Bord", true)).await.body["version"], 2);
    let read = grafana.get("/dashboards/uid/board").await.body;
    assert_eq!((&read["dashboard"]["title"], &read["meta"]["folderUid"]), (&json!("Bord"), &json!("data")));
    assert_eq!(grafana.delete("/dashboards/uid/board").await.status, 200);
    assert_eq!(grafana.get("/dashboards/uid/board").await.status, 404);
}

#[tokio::test]
async fn data_sources_are_found_by_uid_and_by_name() {
    let grafana = grafana().await;
    assert_eq!(grafana.get("/datasources").await.each("name"), ["Loki", "Prometheus", "Warehouse"]);
    assert_eq!(grafana.get("/datasources/uid/loki-main").await.text("name"), "Loki");
    assert_eq!(grafana.get("/datasources/name/Loki").await.text("uid"), "loki-main");
    assert_eq!(grafana.get("/datasources/name/loki").await.status, 404);
    let body = json!({"name": "Tempo", "type": "tempo", "access": "proxy"});
    let created = grafana.post("/datasources", body.clone()).await;
    assert_eq!(created.body["datasource"]["name"], "Tempo");
    assert_eq!(grafana.post("/datasources", body).await.status, 409);
    let path = format!("/datasources/uid/{}", created.body["datasource"]["uid"].as_str().unwrap());
    assert_eq!((grafana.delete(&path).await.status, grafana.get(&path).await.status), (200, 404));
}

#[tokio::test]
async fn deleting_an_organization_deletes_everything_in_it() {
    let grafana = grafana().await;
    let admin = grafana.login("admin").await;
    assert_eq!(grafana.delete("/orgs/2").await.status, 403);
    assert_eq!(admin.post("/orgs", json!({"name": "Partners"})).await.status, 409);
    let mapped = admin.in_org(2).post("/groupsync/groups/engineering", json!({})).await;
    assert_eq!(mapped.status, 201);
    assert_eq!(admin.delete("/orgs/2").await.status, 200);
    assert_eq!(admin.get("/orgs/2").await.status, 404);
    let left = grafana.simulator.edit(|tenant| tenant.teams.iter().filter(|team| team.org_id == 2).count());
    assert_eq!(left, 0);
    assert!(grafana.simulator.edit(|tenant| tenant.group_mappings.is_empty()));
}

#[tokio::test]
async fn hidden_users_count_and_are_not_listed() {
    let grafana = grafana().await;
    let all = grafana.get("/org/users/search").await.body;
    let (alice, total) = (grafana.user("alice"), all["totalCount"].as_u64().unwrap());
    grafana.simulator.edit(|tenant| tenant.switches.hidden_users = [alice].into());
    let page = grafana.get("/org/users/search?perpage=4&page=1").await.body;
    assert_eq!((page["totalCount"].as_u64(), page["orgUsers"].as_array().unwrap().len()), (Some(total), 3));
    for path in ["/org/users", "/org/users/lookup"] {
        let listed = grafana.get(path).await.body.as_array().unwrap().len() as u64;
        assert_eq!(listed, total - 1, "{path}");
    }
}

#[tokio::test]
async fn one_service_account_shows_more_than_a_list() {
    let grafana = grafana().await;
    let own = ["createdAt", "updatedAt", "teams"];
    let listed = grafana.get("/serviceaccounts/search").await.body["serviceAccounts"][0].clone();
    let made = grafana.post("/serviceaccounts", json!({"name": "new"})).await.body;
    for field in own {
        assert!(listed.get(field).is_none() && made.get(field).is_none(), "{field}");
    }
    let one = grafana.get(&format!("/serviceaccounts/{}", made["id"])).await.body;
    assert!(own.into_iter().all(|field| one.get(field).is_some()), "{one}");
}

#[tokio::test]
async fn server_admins_change_users_and_their_organizations() {
    let grafana = grafana().await;
    let admin = grafana.login("admin").await;
    let carol = grafana.user("carol");
    let user = format!("/users/{carol}");
    let renamed = admin.put(&user, json!({"name": "Carol N.", "login": "carol2"})).await;
    assert_eq!((renamed.status, renamed.text("message")), (200, "User updated".into()));
    assert_eq!(admin.get(&user).await.text("login"), "carol2");
    assert_eq!(admin.put(&user, json!({"login": "ALICE"})).await.status, 409);
    assert_eq!(grafana.put(&user, json!({"name": "x"})).await.status, 403, "a token is no server admin");
    for (path, body, changed) in [
        ("permissions", json!({"isGrafanaAdmin": true}), "isGrafanaAdmin"),
        ("disable", json!({}), "isDisabled"),
    ] {
        let path = format!("/admin/users/{carol}/{path}");
        let answer =
            if body == json!({}) { admin.post(&path, body).await } else { admin.put(&path, body).await };
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(admin.get(&user).await.body[changed], true, "{path}");
    }
    assert_eq!(admin.post(&format!("/admin/users/{carol}/enable"), json!({})).await.status, 200);
    assert_eq!(admin.get(&user).await.body["isDisabled"], false);
    let joined = admin.post("/orgs/2/users", json!({"loginOrEmail": "carol2", "role": "Viewer"})).await;
    assert_eq!(joined.status, 200, "{}", joined.body);
    assert_eq!(admin.get(&format!("{user}/orgs")).await.each("name"), ["Main Org.", "Partners"]);
    assert_eq!(admin.get(&format!("{user}/teams")).await.each("name"), ["sre", "sre-oncall"]);
    let member = format!("/orgs/2/users/{carol}");
    assert_eq!(admin.patch(&member, json!({"role": "Editor"})).await.status, 200);
    let found = admin.get("/orgs/2/users/search?perpage=10").await.body;
    let carols = found["orgUsers"].as_array().unwrap().iter().find(|it| it["userId"] == carol).unwrap();
    assert_eq!((&found["perPage"], &carols["role"]), (&json!(10), &json!("Editor")));
    assert_eq!((admin.delete(&member).await.status, admin.delete(&member).await.status), (200, 404));
    assert_eq!(grafana.get("/orgs/2/users/search").await.status, 403);
    assert_eq!(admin.get("/user/orgs").await.each("name"), ["Main Org.", "Partners"]);
    assert!(admin.get("/user/teams").await.each("name").is_empty());
}

#[tokio::test]
async fn a_changed_password_replaces_the_old_one() {
    let grafana = grafana().await;
    let admin = grafana.login("admin").await;
    let carol = grafana.login("carol").await;
    let path = format!("/admin/users/{}/password", grafana.user("carol"));
    assert_eq!(carol.get("/user").await.status, 200);
    assert_eq!(admin.put(&path, json!({"password": "another"})).await.status, 200);
    assert_eq!(carol.get("/user").await.status, 401);
    let again = grafana.with(Login::Basic("carol".to_owned(), "another".to_owned()));
    assert_eq!(again.get("/user").await.status, 200);
}

#[tokio::test]
async fn teams_have_groups_and_folders_have_counts() {
    let grafana = grafana().await;
    let path = format!("/teams/{}/groups", grafana.team("sre"));
    let group = json!({"groupId": "cn=sre,ou=groups"});
    assert_eq!(grafana.get(&path).await.body, json!([]));
    assert_eq!(grafana.post(&path, group.clone()).await.status, 200);
    assert_eq!(grafana.post(&path, group).await.status, 400);
    assert_eq!(grafana.get(&path).await.each("groupId"), ["cn=sre,ou=groups"]);
    let one = format!("{path}?groupId=cn%3Dsre,ou%3Dgroups");
    assert_eq!((grafana.delete(&one).await.status, grafana.delete(&one).await.status), (200, 404));
    let counts = grafana.get("/folders/sre/counts").await.body;
    assert_eq!((&counts["folder"], &counts["dashboard"]), (&json!(2), &json!(2)));
}
