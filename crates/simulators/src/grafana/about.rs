//! What the server tells anybody about itself: its health (contract 6), and the settings of its front end, of
//! which the contract says nothing: a choice of what a client may want to know is here.

use serde_json::{Value, json};

use super::{
    call::{Answer, Scene},
    problem::Problem,
    switches::Licence,
};

/// What stands for the build's commit.
const COMMIT: &str = "simulated";

/// GET `/health`
pub fn health(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let version = scene.tenant.switches.generation.version();
    Ok(Answer::ok(json!({ "commit": COMMIT, "database": "ok", "version": version })))
}

/// GET `/frontend/settings`: the build, the edition and its licence.
pub fn settings(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let switches = &scene.tenant.switches;
    let version = switches.generation.version();
    let (edition, state) = match switches.licence {
        Licence::Valid => ("Enterprise", "Licensed"),
        Licence::Disabled => ("Enterprise", "Expired"),
        Licence::Absent => ("Open Source", ""),
    };
    let features: Value = match switches.licence {
        Licence::Valid => json!({ "accesscontrol": true, "groupsync": true }),
        Licence::Disabled | Licence::Absent => json!({}),
    };
    Ok(Answer::ok(json!({
        "appSubUrl": scene.vendor.prefix,
        "buildInfo": {
            "version": version,
            "versionString": format!("Grafana {edition} v{version} ({COMMIT})"),
            "commit": COMMIT,
            "edition": edition,
            "env": "production",
            "hideVersion": false,
            "latestVersion": "",
            "hasUpdate": false,
        },
        "licenseInfo": {
            "edition": edition,
            "stateInfo": state,
            "expiry": 0,
            "licenseUrl": "",
            "enabledFeatures": features,
        },
        "rbacEnabled": true,
        "anonymousEnabled": false,
        "featureToggles": {},
    })))
}
