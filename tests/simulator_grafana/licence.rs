//! Contract 1.3, 1.4: whether the server has roles, and below which path it is.

use rolewright_simulators::grafana::{self, switches::Licence};
use serde_json::json;

use crate::{
    client::{Login, TOKEN, grafana, grafana_with},
    support::control::lies_below_a_path,
};

const OF_ROLES: [&str; 5] = [
    "/access-control/roles",
    "/access-control/roles/legacy-reviewer",
    "/access-control/roles/legacy-reviewer/assignments",
    "/access-control/users/2/roles",
    "/access-control/teams/2/roles",
];

#[tokio::test]
async fn a_licensed_server_reports_its_roles_as_enabled() {
    let grafana = grafana().await;
    let status = grafana.get("/access-control/status").await;
    assert_eq!((status.status, status.body), (200, json!({"enabled": true})));
}

#[tokio::test]
async fn without_a_licence_the_paths_of_roles_are_404_for_all() {
    let grafana = grafana_with(|switches| switches.licence = Licence::Absent).await;
    for client in [grafana.with(Login::Token(TOKEN.into())), grafana.with(Login::None)] {
        for path in OF_ROLES.into_iter().chain(["/access-control/status"]) {
            let answer = client.get(path).await;
            assert_eq!((answer.status, answer.text("message")), (404, "Not found".into()), "{path}");
        }
    }
    assert_eq!(grafana.post("/access-control/users/roles/search", json!({"userIds": [2]})).await.status, 404);
    assert_eq!(grafana.get("/access-control/user/permissions").await.status, 200);
    assert_eq!(grafana.get("/org/users").await.status, 200);
}

#[tokio::test]
async fn a_licence_can_expire_and_return_without_data_loss() {
    let grafana = grafana().await;
    let role = grafana.new_role("r", &["teams:create"]).await;
    for licence in [Licence::Disabled, Licence::Absent] {
        grafana.switch(|switches| switches.licence = licence);
        let status = grafana.get("/access-control/status").await;
        match licence {
            Licence::Disabled => assert_eq!((status.status, status.body), (200, json!({"enabled": false}))),
            _ => assert_eq!(status.status, 404),
        }
        for path in OF_ROLES {
            assert_eq!(grafana.get(path).await.status, 404, "{licence:?} {path}");
        }
        assert_eq!(grafana.post("/access-control/roles", json!({"name": "s"})).await.status, 404);
        grafana.switch(|switches| switches.licence = Licence::Valid);
        assert_eq!(
            grafana.get(&format!("/access-control/roles/{role}")).await.permissions(),
            ["teams:create"]
        );
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_the_same_404() {
    let grafana = grafana().await;
    for answer in [
        grafana.get("/nothing").await,
        grafana.get("/access-control/nothing/at/all").await,
        grafana.put("/access-control/roles", json!({})).await,
    ] {
        assert_eq!((answer.status, answer.text("message")), (404, "Not found".into()));
    }
}

#[tokio::test]
async fn a_server_below_a_path_exists_only_there() {
    let below = lies_below_a_path::<grafana::Grafana>("/access-control/roles").await;
    assert_eq!(below.with(Login::None).get("/health").await.status, 200);
}
