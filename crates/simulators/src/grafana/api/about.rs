//! What the server shows without a credential: its health (contract 6), and the settings of its front end.
//!
//! The contract does not describe the settings. This is the part that a client can be interested in.

use serde_json::{Value, json};

use super::{call::Scene, problem::Problem};
use crate::{grafana::rows::switches::Licence, kit::answer::Answer};

/// The commit of the build.
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
        "appSubUrl": scene.vendor.prefix(),
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
