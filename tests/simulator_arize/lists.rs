//! Contract 1.8: the pagination envelope of every list.

use serde_json::json;

use crate::client::{arize, arize_with};

const LISTS: [(&str, &str); 8] = [
    ("/v2/roles", "roles"),
    ("/v2/role-bindings?resource_type=PROJECT", "role_bindings"),
    ("/v2/resource-restrictions", "resource_restrictions"),
    ("/v2/users", "users"),
    ("/v2/organizations", "organizations"),
    ("/v2/spaces", "spaces"),
    ("/v2/projects", "projects"),
    ("/v2/api-keys", "api_keys"),
];

fn with(path: &str, parameter: &str) -> String {
    format!("{path}{}{parameter}", if path.contains('?') { '&' } else { '?' })
}

#[tokio::test]
async fn every_list_is_the_same_whole_and_page_by_page() {
    let arize = arize().await;
    for (path, key) in LISTS {
        let whole = arize.get(&with(path, "limit=100")).await.body;
        let mut walked = Vec::new();
        let mut next = with(path, "limit=1");
        loop {
            let page = arize.get(&next).await.body;
            let entries = page[key].as_array().unwrap();
            assert!(entries.len() <= 1);
            walked.extend(entries.iter().cloned());
            match page["pagination"]["next_cursor"].as_str() {
                Some(cursor) => {
                    assert_eq!(page["pagination"]["has_more"], true);
                    next = with(path, &format!("limit=1&cursor={}", cursor.replace('=', "%3D")));
                }
                None => {
                    assert_eq!(page["pagination"], json!({"has_more": false}));
                    break;
                }
            }
        }
        assert_eq!(json!(walked), whole[key], "{path}");
        assert!(!walked.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_limit_is_from_1_to_100_and_50_by_default() {
    let arize = arize().await;
    for number in 0..60 {
        arize.new_role(&format!("role {number}")).await;
    }
    assert_eq!(arize.get("/v2/roles").await.names("roles").len(), 50);
    assert_eq!(arize.get("/v2/roles?limit=100").await.names("roles").len(), 68);
    for limit in ["0", "101", "-1", "ten", ""] {
        assert_eq!(arize.get(&format!("/v2/roles?limit={limit}")).await.status, 400, "{limit}");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list_and_its_filters() {
    let arize = arize().await;
    let page = arize.get("/v2/roles?limit=1&is_predefined=true").await.body;
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap().replace('=', "%3D");
    let cases = [
        (200, format!("/v2/roles?limit=3&is_predefined=true&cursor={cursor}")),
        (400, format!("/v2/roles?limit=1&is_predefined=false&cursor={cursor}")),
        (400, format!("/v2/roles?cursor={cursor}")),
        (400, format!("/v2/users?cursor={cursor}")),
        (400, "/v2/roles?cursor=rubbish".to_owned()),
    ];
    for (status, path) in cases {
        assert_eq!(arize.get(&path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_cursor_stays_valid_after_its_entry_is_deleted() {
    let arize = arize().await;
    let ids = [arize.new_role("a").await, arize.new_role("b").await, arize.new_role("c").await];
    let page = arize.get("/v2/roles?is_predefined=false&limit=2").await;
    assert_eq!(page.names("roles"), ["Legacy reviewer", "a"]);
    assert_eq!(arize.delete(&format!("/v2/roles/{}", ids[0])).await.status, 204);
    let cursor = page.body["pagination"]["next_cursor"].as_str().unwrap();
    let rest = arize.get(&format!("/v2/roles?is_predefined=false&limit=2&cursor={cursor}")).await;
    assert_eq!(rest.names("roles"), ["b", "c"]);
}

#[tokio::test]
async fn pages_can_be_shorter_than_the_limit() {
    let arize = arize_with(|switches| switches.longest_page = Some(2)).await;
    let page = arize.get("/v2/roles?limit=100").await;
    assert_eq!(page.names("roles").len(), 2);
    assert_eq!(page.body["pagination"]["has_more"], true);
    assert_eq!(arize.all("/v2/roles", "roles").await.len(), 8);
}

#[tokio::test]
async fn lists_can_lag_behind_writes_while_single_reads_do_not() {
    let arize = arize_with(|switches| switches.list_lag_ms = 3_600_000).await;
    assert_eq!(arize.get("/v2/roles?is_predefined=false").await.names("roles").len(), 1);
    let id = arize.new_role("fresh").await;
    assert_eq!(arize.get(&format!("/v2/roles/{id}")).await.status, 200);
    assert_eq!(arize.get("/v2/roles?is_predefined=false").await.names("roles").len(), 1);
    arize.simulator.edit(|tenant| tenant.switches.list_lag_ms = 0);
    assert_eq!(arize.get("/v2/roles?is_predefined=false").await.names("roles").len(), 2);
}
