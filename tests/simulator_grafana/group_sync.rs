//! Contract 2.5, 3.5: roles for the members of an identity provider's groups.

use rolewright_simulators::grafana::{rows::group_mappings::ExternalGroupMember, switches::Licence};
use serde_json::{Value, json};

use crate::client::{Grafana, grafana, grafana_with};

const GROUPS: &str = "/groupsync/groups";

/// The group `engineering`: alice, bob, and peggy of another organization.
const ENGINEERING: &str = "/groupsync/groups/engineering";

async fn map(grafana: &Grafana, roles: &[&str]) {
    let answer = grafana.post(ENGINEERING, json!({"roles": roles})).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

/// The roles of a user, including those of groups.
async fn all_roles(grafana: &Grafana, id: i64) -> Vec<String> {
    grafana.get(&format!("/access-control/users/{id}/roles?includeMapped=true")).await.each("uid")
}

#[tokio::test]
async fn a_group_mapping_is_created_read_updated_and_deleted() {
    let grafana = grafana().await;
    let (first, second) = (grafana.new_role("first", &[]).await, grafana.new_role("second", &[]).await);
    assert_eq!(grafana.get(GROUPS).await.body, json!({"groups": [], "total": 0}));
    // Group names can contain any characters.
    for (path, name) in [("cn=auditors,ou=groups", "cn=auditors,ou=groups"), ("a%2Fb%20c", "a/b c")] {
        let path = format!("{GROUPS}/{path}");
        let created = grafana.post(&path, json!({"roles": [first, first]})).await;
        assert_eq!((created.status, created.text("message")), (201, "Group mappings created.".into()));
        let listed = grafana.get(GROUPS).await.body;
        let expected =
            json!({"total": 1, "groups": [{"groupID": name, "mappings": {"1": {"roles": [first]}}}]});
        assert_eq!(listed, expected);
        assert_eq!(grafana.get(&format!("{path}/roles")).await.each("uid"), ["first"]);
        let set = grafana.put(&path, json!({"Roles": [second]})).await;
        assert_eq!((set.status, set.text("message")), (201, "Group mappings set.".into()));
        assert_eq!(grafana.get(&format!("{path}/roles")).await.each("uid"), ["second"]);
        assert_eq!(grafana.put(&path, json!({"roles": null})).await.status, 201);
        assert!(grafana.get(&format!("{path}/roles")).await.each("uid").is_empty());
        assert_eq!(grafana.delete(&path).await.status, 204);
        assert_eq!(grafana.get(&format!("{path}/roles")).await.body, json!([]));
        assert_eq!(grafana.delete(&path).await.status, 404);
        assert_eq!(grafana.put(&path, json!({"roles": [second]})).await.status, 404);
    }
    assert_eq!(grafana.get(GROUPS).await.body["total"], 0);
}

#[tokio::test]
async fn members_of_a_mapped_group_have_its_roles() {
    let grafana = grafana().await;
    grafana.new_role("r", &["teams:create"]).await;
    let alice = grafana.login("alice").await;
    let (id, carol) = (grafana.user("alice"), grafana.user("carol"));
    let can = async || {
        alice
            .get("/access-control/user/permissions?reloadcache=true")
            .await
            .body
            .get("teams:create")
            .is_some()
    };
    assert!(!can().await);
    map(&grafana, &["r"]).await;
    assert!(can().await);
    assert_eq!(all_roles(&grafana, id).await, ["r"]);
    assert_eq!(all_roles(&grafana, carol).await, ["legacy-reviewer"]);
    // The identity provider removes and adds members.
    grafana.simulator.edit(|tenant| {
        tenant.external_group_members.retain(|row| row.user_id != id);
        let group_id = "engineering".to_owned();
        tenant.external_group_members.push(ExternalGroupMember { group_id, user_id: carol });
    });
    assert!(!can().await);
    assert_eq!(all_roles(&grafana, carol).await, ["legacy-reviewer", "r"]);
    assert_eq!(grafana.delete(ENGINEERING).await.status, 204);
    assert_eq!(all_roles(&grafana, carol).await, ["legacy-reviewer"]);
}

#[tokio::test]
async fn roles_of_groups_are_optional_in_lists_and_read_only() {
    let grafana = grafana().await;
    grafana.new_role("r", &[]).await;
    map(&grafana, &["r"]).await;
    let alice = grafana.user("alice");
    let roles = format!("/access-control/users/{alice}/roles");
    let search = async |query: &str| {
        let path = format!("/access-control/users/roles/search{query}");
        grafana.post(&path, json!({"userIds": [alice]})).await.body[alice.to_string()].clone()
    };
    let untouched = async || {
        assert!(grafana.get(&roles).await.each("uid").is_empty());
        assert_eq!(search("").await, json!([]));
        for shown in [
            grafana.get(&format!("{roles}?includeMapped=true")).await.body,
            search("?includeMapped=true").await,
        ] {
            assert_eq!((&shown[0]["uid"], &shown[0]["mapped"]), (&json!("r"), &json!(true)), "{shown}");
            assert_eq!(shown.as_array().unwrap().len(), 1);
        }
        assert_eq!(grafana.assigned("r").await, [const { Vec::<i64>::new() }; 3]);
    };
    untouched().await;
    assert_eq!(grafana.put("/access-control/roles/r/assignments", json!({})).await.status, 200);
    assert_eq!(grafana.put(&roles, json!({"roleUids": [], "includeHidden": true})).await.status, 200);
    assert_eq!(grafana.delete(&format!("{roles}/r")).await.status, 404);
    untouched().await;
    // The same role can also be assigned directly, and removed again.
    assert_eq!(grafana.post(&roles, json!({"roleUid": "r"})).await.status, 200);
    assert_eq!(grafana.get(&roles).await.each("uid"), ["r"]);
    assert_eq!(all_roles(&grafana, alice).await, ["r", "r"]);
    assert_eq!(grafana.delete(&format!("{roles}/r")).await.status, 200);
    untouched().await;
}

#[tokio::test]
async fn a_role_of_two_groups_is_listed_once() {
    let grafana = grafana().await;
    grafana.new_role("r", &[]).await;
    map(&grafana, &["r"]).await;
    assert_eq!(grafana.post(&format!("{GROUPS}/second"), json!({"roles": ["r"]})).await.status, 201);
    let alice = grafana.user("alice");
    let group_id = "second".to_owned();
    grafana.simulator.edit(|tenant| {
        tenant.external_group_members.push(ExternalGroupMember { group_id, user_id: alice });
    });
    assert_eq!(all_roles(&grafana, alice).await, ["r"]);
}

#[tokio::test]
async fn members_of_groups_are_part_of_the_state() {
    let grafana = grafana().await;
    let role = grafana.role("fixed:reports:reader");
    let alice = grafana.user("alice");
    let mut state = grafana.get("/_sim/state").await.body;
    state["external_group_members"] = json!([{"group_id": "put", "user_id": alice}]);
    state["group_mappings"] = json!([{"org_id": 1, "group_id": "put", "role_uids": [role]}]);
    assert_eq!(grafana.put("/_sim/state", state.clone()).await.status, 204);
    assert_eq!(all_roles(&grafana, alice).await, [role.as_str()]);
    assert_eq!(grafana.get(GROUPS).await.body["groups"][0]["groupID"], "put");
    let mapping = state["group_mappings"][0].clone();
    state["group_mappings"].as_array_mut().unwrap().push(mapping);
    assert_eq!(grafana.put("/_sim/state", state).await.status, 400);
}

#[tokio::test]
async fn a_mapping_applies_to_members_of_its_organization() {
    let grafana = grafana().await;
    let fixed = grafana.role("fixed:reports:reader");
    map(&grafana, &[&fixed]).await;
    let partners = grafana.login("admin").await.in_org(2);
    let peggy = grafana.user("peggy");
    let of_peggy = format!("/access-control/users/{peggy}/roles?includeMapped=true");
    assert!(partners.get(&of_peggy).await.each("uid").is_empty());
    assert_eq!(partners.get(GROUPS).await.body["total"], 0);
    assert_eq!(partners.post(ENGINEERING, json!({"roles": [fixed]})).await.status, 201);
    assert_eq!(partners.get(&of_peggy).await.each("uid"), [fixed.as_str()]);
    assert!(grafana.get(&of_peggy).await.each("uid").is_empty());
    // A role of organization 1 does not exist in organization 2.
    assert_eq!(partners.put(ENGINEERING, json!({"roles": ["legacy-reviewer"]})).await.status, 404);
}

#[tokio::test]
async fn mapping_requires_its_actions_known_roles_and_delegation() {
    let grafana = grafana().await;
    grafana.new_role("r", &["teams:create"]).await;
    let reader = grafana.caller_with("reader", &["groupsync.mappings:read"]).await;
    let writer = grafana.caller_with("writer", &["groupsync.mappings:write"]).await;
    let (roles, r) = (format!("{ENGINEERING}/roles"), json!({"roles": ["r"]}));
    assert_eq!((reader.get(GROUPS).await.status, reader.get(&roles).await.status), (200, 200));
    assert_eq!((writer.get(GROUPS).await.status, writer.get(&roles).await.status), (403, 403));
    assert_eq!(reader.post(ENGINEERING, json!({})).await.text("title"), "Access denied");
    assert_eq!(writer.post(ENGINEERING, r.clone()).await.text("message"), "Forbidden");
    assert_eq!(grafana.post(ENGINEERING, json!({"roles": ["nothing"]})).await.status, 404);
    assert_eq!(grafana.post(ENGINEERING, json!({"roles": ["basic_viewer"]})).await.status, 400);
    assert_eq!(grafana.post(ENGINEERING, json!({"roles": "r"})).await.status, 400);
    assert_eq!(grafana.get(GROUPS).await.body["total"], 0);
    assert_eq!(grafana.post(ENGINEERING, r.clone()).await.status, 201);
    // A caller without the permissions of the role cannot unmap it either.
    assert_eq!(writer.put(ENGINEERING, json!({})).await.status, 403);
    assert_eq!(writer.delete(ENGINEERING).await.status, 403);
    assert_eq!(writer.put(ENGINEERING, r).await.status, 201);
    assert_eq!(reader.put(ENGINEERING, json!({})).await.status, 403);
    assert_eq!(reader.delete(ENGINEERING).await.status, 403);
}

#[tokio::test]
async fn mapping_a_group_twice_has_the_switched_status() {
    for status in [400, 409] {
        let grafana = grafana_with(|switches| switches.duplicate_group_mapping_status = status).await;
        map(&grafana, &[]).await;
        assert_eq!(grafana.post(ENGINEERING, json!({"roles": []})).await.status, status);
    }
    let grafana = grafana_with(|switches| switches.create_status = 200).await;
    assert_eq!(grafana.post(ENGINEERING, json!({})).await.status, 200);
}

#[tokio::test]
async fn deleting_a_mapped_role_requires_force_and_unmaps_it() {
    let grafana = grafana().await;
    grafana.new_role("r", &[]).await;
    map(&grafana, &["r", "legacy-reviewer"]).await;
    assert_eq!(grafana.delete("/access-control/roles/r").await.status, 400);
    assert_eq!(grafana.delete("/access-control/roles/r?force=true").await.status, 200);
    assert_eq!(
        grafana.get(GROUPS).await.body["groups"][0]["mappings"]["1"]["roles"],
        json!(["legacy-reviewer"])
    );
}

#[tokio::test]
async fn without_a_licence_group_sync_does_not_exist() {
    let grafana = grafana().await;
    grafana.new_role("r", &["teams:create"]).await;
    map(&grafana, &["r"]).await;
    let alice = grafana.login("alice").await;
    let own = async || alice.get("/access-control/user/permissions").await.body.get("teams:create").cloned();
    assert_eq!(own().await, Some(json!([""])));
    grafana.switch(|switches| switches.licence = Licence::Absent);
    assert_eq!(own().await, None::<Value>);
    for path in [GROUPS, &format!("{ENGINEERING}/roles")] {
        assert_eq!(grafana.get(path).await.text("message"), "Not found");
    }
    assert_eq!(grafana.post(ENGINEERING, json!({})).await.status, 404);
    grafana.switch(|switches| switches.licence = Licence::Valid);
    assert_eq!(own().await, Some(json!([""])));
}
