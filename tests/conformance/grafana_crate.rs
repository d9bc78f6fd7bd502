//! The Rust crate `grafana` with the simulator: roles, assignments and permissions.

use grafana::{
    Auth, Client, Error,
    types::{
        CreateFolderRequest, CreateServiceAccountRequest, CreateTeamRequest, ServiceAccountSearchParams,
        TeamSearchParams,
        openapi::{DeleteRoleQuery, ListRolesQuery, RemoveUserRoleQuery},
    },
};
use rolewright_simulators::grafana::{Options, Simulator, switches::Generation};
use serde_json::{Value, json};

const TOKEN: &str = "conformance-token";

async fn simulated() -> (Simulator, Client) {
    let options = Options { prefix: "/grafana".to_owned(), ..Options::new(TOKEN) };
    let simulator = Simulator::start(options).await.unwrap();
    let client = connect(&simulator, TOKEN);
    (simulator, client)
}

fn connect(simulator: &Simulator, token: &str) -> Client {
    let builder = Client::builder(format!("{}/grafana", simulator.url())).unwrap();
    builder.auth(Auth::bearer(token)).org_id(1).unwrap().max_retries(0).build().unwrap()
}

fn uids(roles: &Value) -> Vec<&str> {
    roles.as_array().unwrap().iter().map(|role| role["uid"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_grafana_crate_creates_changes_and_deletes_a_role() {
    let (_simulator, client) = simulated().await;
    let api = client.openapi();
    let permissions = json!([{"action": "reports:read", "scope": "reports:*"}]);
    let role = json!({"uid": "crate", "name": "crate", "permissions": permissions});
    let created: Value = api.create_role(&role).await.unwrap();
    assert_eq!((&created["uid"], &created["version"]), (&json!("crate"), &json!(1)));
    let again = api.create_role::<Value, _>(&role).await.unwrap_err();
    assert!(matches!(again, Error::Api(_)), "{again}");
    let update = json!({"name": "crate", "version": 2, "displayName": "Crate", "permissions": []});
    let updated: Value = api.update_role("crate", &update).await.unwrap();
    assert_eq!((&updated["version"], &updated["displayName"]), (&json!(2), &json!("Crate")));
    let read: Value = api.get_role("crate").await.unwrap();
    assert!(read.get("permissions").is_none());
    let hidden = ListRolesQuery { include_hidden: Some(true), ..ListRolesQuery::default() };
    let listed: Value = api.list_roles(Some(&hidden)).await.unwrap();
    assert!(uids(&listed).contains(&"crate") && uids(&listed).contains(&"basic_admin"));
    let force = DeleteRoleQuery { force: Some(true), global: Some(false) };
    let deleted: Value = api.delete_role("crate", Some(&force)).await.unwrap();
    assert_eq!(deleted["message"], "Role deleted");
    let gone = api.get_role::<Value>("crate").await.unwrap_err();
    assert!(matches!(gone, Error::NotFound(_)), "{gone}");
}

#[tokio::test]
async fn the_grafana_crate_assigns_a_role_to_all_principals() {
    let (simulator, client) = simulated().await;
    let api = client.openapi();
    let api = &api;
    let (alice, sre) = simulator
        .edit(|tenant| (tenant.user_by_login("alice").unwrap(), tenant.team_by_name("sre").unwrap()));
    api.create_role::<Value, _>(&json!({"uid": "crate", "name": "crate"})).await.unwrap();
    let add = json!({"roleUid": "crate"});
    api.add_user_role::<Value, _>(alice, &add).await.unwrap();
    api.add_team_role::<Value, _>(sre, &add).await.unwrap();
    let set: Value = api.get_role_assignments("crate").await.unwrap();
    assert_eq!(set, json!({"role_uid": "crate", "users": [alice], "teams": [sre], "service_accounts": []}));
    let of_user: Value = api.list_user_roles(alice).await.unwrap();
    let of_team: Value = api.list_team_roles(sre).await.unwrap();
    assert_eq!((uids(&of_user), uids(&of_team)), (vec!["crate"], vec!["crate"]));
    let found: Value = api.list_users_roles(&json!({"userIds": [alice]})).await.unwrap();
    assert_eq!(uids(&found[alice.to_string()]), ["crate"]);
    let found: Value = api.list_teams_roles(&json!({"teamIds": [sre]})).await.unwrap();
    assert_eq!(uids(&found[sre.to_string()]), ["crate"]);
    api.remove_user_role::<Value>("crate", alice, Some(&RemoveUserRoleQuery::default())).await.unwrap();
    api.remove_team_role::<Value>("crate", sre).await.unwrap();
    let missing = api.remove_team_role::<Value>("crate", sre).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound(_)), "{missing}");
    api.set_user_roles::<Value, _>(alice, &json!({"roleUids": ["crate"]})).await.unwrap();
    api.set_team_roles::<Value, _>(sre, &json!({"roleUids": ["crate"]})).await.unwrap();
    let none = json!({"users": null, "teams": null, "service_accounts": null});
    let set: Value = api.set_role_assignments("crate", &none).await.unwrap();
    assert_eq!((&set["users"], &set["teams"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn the_grafana_crate_sets_permissions_of_a_folder() {
    let (simulator, client) = simulated().await;
    let folder = client.folders().create(&CreateFolderRequest::new("Crate")).await.unwrap();
    let api = client.openapi();
    let alice = simulator.edit(|tenant| tenant.user_by_login("alice").unwrap());
    let levels: Value = api.get_resource_description("folders").await.unwrap();
    assert_eq!(levels["permissions"], json!(["View", "Edit", "Admin"]));
    let edit = json!({"permission": "Edit"});
    let path = ("folders", folder.uid.as_str());
    api.set_resource_permissions_for_user::<Value, _>(path.0, path.1, alice, &edit).await.unwrap();
    let patch = json!({"permissions": [{"builtInRole": "Viewer", "permission": ""}]});
    api.set_resource_permissions::<Value, _>(path.0, path.1, &patch).await.unwrap();
    let entries: Value = api.get_resource_permissions(path.0, path.1).await.unwrap();
    let entries = entries.as_array().unwrap();
    assert!(entries.iter().any(|entry| entry["userId"] == alice && entry["permission"] == "Edit"));
    assert!(!entries.iter().any(|entry| entry["builtInRole"] == "Viewer"));
}

#[tokio::test]
async fn the_grafana_crate_finds_and_creates_principals() {
    let (simulator, client) = simulated().await;
    assert_eq!(client.health().get().await.unwrap().version.as_deref(), Some("13.0.1"));
    assert_eq!(client.org().get().await.unwrap().name.as_deref(), Some("Main Org."));
    assert_eq!(client.org().users().await.unwrap().len(), 9);
    let team = client.teams().create(&CreateTeamRequest::new("crate")).await.unwrap();
    let params = TeamSearchParams { name: Some("crate".to_owned()), ..TeamSearchParams::default() };
    let found = client.teams().search(&params).await.unwrap().teams.unwrap();
    assert_eq!(found.iter().map(|team| team.id).collect::<Vec<_>>(), [team.team_id.unwrap()]);
    client.teams().delete(team.team_id.unwrap()).await.unwrap();
    let request = CreateServiceAccountRequest {
        name: Some("crate".to_owned()),
        role: Some("Viewer".to_owned()),
        is_disabled: None,
    };
    let account = client.service_accounts().create(&request).await.unwrap();
    let params = ServiceAccountSearchParams { query: Some("crate".to_owned()), ..Default::default() };
    let found = client.service_accounts().search(&params).await.unwrap();
    assert_eq!(found.total_count, Some(1));
    client.service_accounts().delete(account.id.unwrap()).await.unwrap();
    assert_eq!(client.datasources().list().await.unwrap().len(), 3);
    assert_eq!(client.folders().list().await.unwrap().len(), 3);
    assert!(client.dashboards().get_by_uid("home").await.is_ok());
    let refused = connect(&simulator, "guess").org().get().await.unwrap_err();
    assert!(matches!(refused, Error::Auth(_)), "{refused}");
}

#[tokio::test]
async fn the_grafana_crate_maps_a_group_to_a_role() {
    let (simulator, client) = simulated().await;
    let api = client.openapi();
    api.create_role::<Value, _>(&json!({"uid": "crate", "name": "crate"})).await.unwrap();
    let group = "cn=auditors,ou=groups";
    let made: Value = api.create_group_mappings(group, &json!({"roles": ["crate"]})).await.unwrap();
    assert_eq!(made["message"], "Group mappings created.");
    let groups: Value = api.get_mapped_groups().await.unwrap();
    assert_eq!(groups["groups"][0]["groupID"], group);
    let roles: Value = api.get_group_roles(group).await.unwrap();
    assert_eq!(uids(&roles), ["crate"]);
    let carol = simulator.edit(|tenant| tenant.user_by_login("carol").unwrap());
    let direct: Value = api.list_user_roles(carol).await.unwrap();
    assert!(!uids(&direct).contains(&"crate"));
    let set: Value = api.update_group_mappings(group, &json!({"roles": []})).await.unwrap();
    assert_eq!(set["message"], "Group mappings set.");
    // The vendor documents an answer without a body, which this client cannot decode.
    let deleted = api.delete_group_mappings::<Value>(group).await.unwrap_err();
    assert!(matches!(deleted, Error::Decode { .. }), "{deleted}");
    let gone = api.delete_group_mappings::<Value>(group).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound(_)), "{gone}");
}

#[tokio::test]
async fn the_grafana_crate_searches_assignments_of_old_servers() {
    let (simulator, client) = simulated().await;
    let gone = client.openapi().search_result::<Value>().await.unwrap_err();
    assert!(matches!(gone, Error::NotFound(_)), "{gone}");
    simulator.edit(|tenant| tenant.switches.generation = Generation::V12);
    let found: Value = client.openapi().search_result().await.unwrap();
    assert!(!found["result"].as_array().unwrap().is_empty());
}
