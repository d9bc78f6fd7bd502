//! A large account: 50,000 users, 2,000 teams and 20,000 grants.

use super::*;
use crate::budget::volume;

const ALL_USERS: i64 = 50_000;
const ALL_TEAMS: i64 = 2_000;
const ALL_ROLES: i64 = 1_000;

fn number(seen: &Seen, name: &str) -> i64 {
    seen.param(name).and_then(|text| text.parse().ok()).expect("a number")
}

/// One page of a list of so many, with the fields that servers send.
fn page(seen: &Seen, key: &str, all: i64, item: impl Fn(i64) -> Value) -> Reply {
    let (page, size) = (number(seen, "page"), number(seen, "perpage"));
    let items: Vec<Value> = ((page - 1) * size + 1..=all.min(page * size)).map(item).collect();
    ok(json!({"totalCount": all, "page": page, "perPage": size, key: items}))
}

fn user(id: i64) -> Value {
    json!({"orgId": 1, "userId": id, "uid": format!("u{id}abcdefgh"), "login": format!("user-{id}"),
        "email": format!("user-{id}@example.com"), "name": format!("User {id}"), "role": "Viewer", "isDisabled": false,
        "avatarUrl": "/avatar/46d229b033af06a191ff2267bca9ae56", "lastSeenAt": "2026-01-01T12:00:00Z",
        "lastSeenAtAge": "10 months", "authLabels": ["SAML"], "isExternallySynced": true, "isProvisioned": false})
}

fn team(id: i64) -> Value {
    json!({"id": id, "uid": format!("t{id}"), "orgId": 1, "name": format!("team-{id}"), "memberCount": 25})
}

/// The roles of principals: two users of five have one, and no team has any.
fn roles_of(seen: &Seen) -> Reply {
    let ids = seen.body["userIds"].as_array().cloned().unwrap_or_default();
    let roles = |id: &Value| match id.as_i64().filter(|id| *id <= ALL_USERS && id % 5 < 2) {
        Some(id) => json!([listed(&format!("r{}", id % ALL_ROLES), &format!("role-{}", id % ALL_ROLES))]),
        None => json!([]),
    };
    ok(json!(ids.iter().map(|id| (id.to_string(), roles(id))).collect::<BTreeMap<String, Value>>()))
}

fn large(seen: &Seen, _: usize) -> Reply {
    match call(seen).as_str() {
        USERS => page(seen, "orgUsers", ALL_USERS, user),
        TEAMS => page(seen, "teams", ALL_TEAMS, team),
        ROLES => ok(json!(
            (0..ALL_ROLES).map(|n| listed(&format!("r{n}"), &format!("role-{n}"))).collect::<Vec<_>>()
        )),
        ROLES_OF_USERS => roles_of(seen),
        ROLES_OF_TEAMS => ok(json!({})),
        _ => organization(seen),
    }
}

#[tokio::test]
async fn large_account_is_swept_in_pages_within_the_bounds() {
    let (stub, grafana) = grafana(large).await;
    let needs = needs(&BOTH, &LEVELS, &[]);
    let snapshot = volume::bounded(grafana.snapshot(&needs)).await.expect("a snapshot");
    assert!(snapshot.failures().is_empty());
    assert_eq!(snapshot.all(Kind::Grant).count(), 20_000);
    assert_eq!(snapshot.directory().entries().count(), 50_000 + 2_000 + 1_000 + 1);
    let (users, teams, searches) = (50, 2, 25);
    // Roles, service accounts, the roles of teams, the organization, the status (no role is one of Grafana's own), and the own permissions twice.
    assert_eq!(stub.calls().len(), users + teams + searches + 7);
}
