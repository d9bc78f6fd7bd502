//! Contract 1.4, 6: what the server shows without a credential.

use rolewright_simulators::grafana::{
    self,
    switches::{Generation, Licence},
};
use serde_json::json;

use crate::{
    client::{Login, grafana_with},
    support::control::lies_below_a_path,
};

#[tokio::test]
async fn the_health_shows_the_version_without_a_credential() {
    for (generation, version) in
        [(Generation::V11, "11.6.14"), (Generation::V12, "12.4.3"), (Generation::V13, "13.0.1")]
    {
        let grafana = grafana_with(|switches| switches.generation = generation).await;
        let health = grafana.with(Login::None).get("/health").await;
        assert_eq!((health.status, health.text("version")), (200, version.into()));
        assert_eq!(health.text("database"), "ok");
        let settings = grafana.with(Login::None).get("/frontend/settings").await.body;
        assert_eq!(settings["buildInfo"]["version"], version);
    }
}

#[tokio::test]
async fn the_settings_show_edition_and_licence_to_all() {
    let cases = [
        (Licence::Valid, "Enterprise", "Licensed", json!(true)),
        (Licence::Disabled, "Enterprise", "Expired", json!(null)),
        (Licence::Absent, "Open Source", "", json!(null)),
    ];
    for (licence, edition, state, feature) in cases {
        let grafana = grafana_with(|switches| switches.licence = licence).await;
        let settings = grafana.with(Login::None).get("/frontend/settings").await;
        assert_eq!(settings.status, 200);
        let (build, licence) = (&settings.body["buildInfo"], &settings.body["licenseInfo"]);
        assert_eq!((&build["edition"], &licence["edition"]), (&json!(edition), &json!(edition)));
        assert_eq!(licence["stateInfo"], state);
        assert_eq!(licence["enabledFeatures"]["accesscontrol"], feature);
        assert_eq!(settings.text("appSubUrl"), "");
    }
}

#[tokio::test]
async fn the_settings_show_the_path_prefix_of_the_server() {
    let below = lies_below_a_path::<grafana::Grafana>("/org").await;
    let settings = below.with(Login::None).get("/frontend/settings").await;
    assert_eq!(settings.text("appSubUrl"), "/some/where");
}
