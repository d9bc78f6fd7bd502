//! Contract 1.4, 2.1: lists, with their pages, order and filters.

use std::collections::BTreeSet;

use rolewright_simulators::zenml::switches::ListOrder;
use serde_json::json;

use crate::client::{ZenMl, zenml, zenml_of, zenml_with};

async fn pages(zenml: &ZenMl, limit: usize, pages: usize) -> Vec<String> {
    let mut found = Vec::new();
    for page in 0..pages {
        let query = format!("?limit={limit}&offset={}", page * limit);
        found.extend(zenml.get(&format!("/organizations/acme/roles{query}")).await.each("id"));
    }
    found
}

#[tokio::test]
async fn pages_are_bare_lists_and_the_last_one_is_short() {
    let zenml = zenml().await;
    let all = zenml.get("/organizations/acme/roles").await.each("id");
    assert_eq!(all.len(), 18);
    assert_eq!(pages(&zenml, 5, 4).await, all);
    assert_eq!(zenml.roles("?limit=5&offset=15").await.len(), 3);
    assert_eq!(zenml.roles("?offset=18").await, [""; 0]);
}

#[tokio::test]
async fn a_page_has_a_hundred_entries_at_most() {
    let zenml = zenml().await;
    for number in 0..100 {
        zenml.new_role("workspace", &format!("role-{number}")).await;
    }
    assert_eq!(zenml.roles("").await.len(), 100);
    assert_eq!(zenml.roles("?offset=100").await.len(), 18);
    for query in ["limit=101", "limit=0", "limit=-1", "limit=all"] {
        let answer = zenml.get(&format!("/organizations/acme/roles?{query}")).await;
        assert_eq!(answer.invalid(), json!(["query", "limit"]), "{query}");
    }
    assert_eq!(zenml.get("/users?offset=-1").await.invalid(), json!(["query", "offset"]));
}

#[tokio::test]
async fn shuffled_pages_overlap_and_leave_gaps() {
    let zenml = zenml_with(|switches| switches.list_order = ListOrder::Shuffled).await;
    let found = pages(&zenml, 3, 6).await;
    let different: BTreeSet<_> = found.iter().collect();
    assert_eq!(found.len(), 18);
    assert!(different.len() < 18, "{found:?}");
}

#[tokio::test]
async fn newest_first_pages_shift_when_a_row_is_added() {
    let zenml = zenml_with(|switches| switches.list_order = ListOrder::NewestFirst).await;
    let first = zenml.roles("?limit=4").await;
    zenml.new_role("workspace", "newest").await;
    let second = zenml.roles("?limit=4&offset=4").await;
    assert_eq!(second[0], first[3]);
    assert_eq!(zenml.roles("?limit=1").await, ["newest"]);
}

#[tokio::test]
async fn lists_without_documented_pages_are_whole_by_default() {
    let zenml = zenml().await;
    let paths = ["teams", "members", "invitations"]
        .map(|list| format!("/organizations/acme/{list}?limit=1&offset=1"));
    let lengths = async || {
        let mut lengths = Vec::new();
        for path in &paths {
            lengths.push(zenml.get(path).await.body.as_array().unwrap().len());
        }
        lengths
    };
    assert_eq!(lengths().await, [4, 11, 1]);
    zenml.switch(|switches| switches.more_lists_paged = true);
    assert_eq!(lengths().await, [1, 1, 0]);
}

#[tokio::test]
async fn roles_are_filtered() {
    let zenml = zenml().await;
    let (carol, finance) = (zenml.user("carol"), zenml.team("finance"));
    let production = zenml.workspace("production");
    let cases = [
        ("name=Project Viewer".to_owned(), vec!["Project Viewer"]),
        ("name=Project".to_owned(), vec![]),
        (
            "level=workspace&system_managed=False".to_owned(),
            vec!["legacy-reviewer", "pipeline-runner", "pipeline-runner"],
        ),
        (format!("user_id={carol}"), vec!["Organization Member", "legacy-reviewer"]),
        (format!("team_id={finance}"), vec!["legacy-reviewer"]),
        (format!("user_id={carol}&workspace_scope={production}"), vec!["legacy-reviewer"]),
        ("assigned_to_current_user=true".to_owned(), vec!["Organization Admin"]),
    ];
    for (query, expected) in cases {
        assert_eq!(zenml.roles(&format!("?{query}")).await, expected, "{query}");
    }
    zenml.switch(|switches| switches.name_filter_takes_parts = true);
    assert_eq!(zenml.roles("?name=viewer&level=project").await, ["Project Viewer"]);
    assert_eq!(zenml.roles("?name=pipeline").await.len(), 3);
}

#[tokio::test]
async fn conflicting_filters_and_unknown_words_are_refused() {
    let zenml = zenml().await;
    let query = format!("?user_id={}&assigned_to_current_user=True", zenml.user("alice"));
    let refused = zenml.get(&format!("/organizations/acme/roles{query}")).await;
    assert_eq!(refused.exception(), (400, "ValueError".into()));
    for (name, value) in [("level", "team"), ("type", "any"), ("system_managed", "maybe"), ("team_id", "sre")]
    {
        let answer = zenml.get(&format!("/organizations/acme/roles?{name}={value}")).await;
        assert_eq!(answer.invalid(), json!(["query", name]));
    }
}

#[tokio::test]
async fn users_are_filtered_and_exclude_service_accounts() {
    let zenml = zenml().await;
    let logins = async |query: &str| zenml.get(&format!("/users{query}")).await.each("username");
    let all = logins("").await;
    assert_eq!(all.len(), 10);
    assert!(all.contains(&"frank".to_owned()) && all.contains(&"peggy".to_owned()));
    assert_eq!(logins("?email=ann@example.com").await, ["ann"]);
    assert_eq!(logins(&format!("?user_id={}", zenml.user("bob"))).await, ["bob"]);
    assert_eq!(logins("?oauth_provider=oidc&oauth_id=oidc|dave").await, ["dave"]);
    assert_eq!(logins("?is_active=False").await, [""; 0]);

    zenml.switch(|switches| {
        switches.all_users_listed = false;
        switches.service_accounts_in_users = true;
    });
    let all = logins("").await;
    assert!(!all.contains(&"frank".to_owned()) && !all.contains(&"peggy".to_owned()));
    assert_eq!(all.iter().filter(|login| *login == "nightly-training").count(), 1);
}

#[tokio::test]
async fn two_roles_can_have_the_same_name() {
    let zenml = zenml_of(|tenant| tenant.switches.unique_role_names = true).await;
    let same = zenml.get("/organizations/acme/roles?name=pipeline-runner").await;
    assert_eq!(same.each("level"), ["workspace", "workspace", "project"]);
}
