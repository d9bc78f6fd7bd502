//! The end of a Lenses token: the Backend warns two weeks ahead, if HQ shows the end.

use kube::api::DynamicObject;
use rolewright_simulators::lenses::{self, ADMIN_ACCOUNT, Lenses, switches::TokenEnd};
use serde_json::json;

use crate::support::{ADMIN_CREDENTIAL, World, WorldBuilder, condition, lenses::backend};

/// Sets the end of the service account's token, and waits until the Backend was reconciled with it. The operator's credential does not
/// end.
async fn set_token_end(world: &World<Lenses>, step: usize, hours: Option<i64>, form: TokenEnd) {
    world.limit_token(None);
    world.set_switches(|switches| switches.token_end = form);
    let end = hours.map(|hours| jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours));
    world.sim.edit(|tenant| {
        tenant.service_accounts.get_mut(ADMIN_ACCOUNT).unwrap().token_expires_at = end;
    });
    // A new generation of the Backend causes a new probe.
    let mut changed = backend(&world.sim.url(), json!({}));
    changed["spec"]["requests"]["burst"] = json!(999 - step);
    let generation = world.apply(changed).await.metadata.generation;
    let reconciled =
        |object: &DynamicObject| object.data["status"]["observedGeneration"].as_i64() == generation;
    world.until("Backend", "lenses", "reconciled", reconciled).await;
}

fn warns(object: &DynamicObject) -> bool {
    condition(object, "CredentialExpiring")["status"] == "True"
}

async fn has_metric(world: &World<Lenses>) -> bool {
    world.operator.http_get("/metrics").await.1.contains("credential_expiry_timestamp_seconds{")
}

#[tokio::test(flavor = "multi_thread")]
async fn token_end_is_reported_two_weeks_ahead() {
    let sim = lenses::Simulator::start(lenses::Options::new(ADMIN_CREDENTIAL)).await.unwrap();
    let world = WorldBuilder::new("lenses-token-end").listening().build_with(sim).await;
    world.connect().await;
    world.ready("Backend", "lenses").await;
    let cases = [
        (Some(24 * 13), TokenEnd::Shown, true, true, "service account rolewright"),
        (Some(24 * 15), TokenEnd::Shown, false, true, "service account rolewright"),
        (Some(24 * 3), TokenEnd::Shown, true, true, "service account rolewright"),
        (Some(24 * 3), TokenEnd::Absent, false, false, "does not end"),
        (Some(24 * 4), TokenEnd::Seconds, false, false, "makes no sense"),
        (None, TokenEnd::Shown, false, false, "does not end"),
    ];
    for (step, (hours, form, warning, metric, words)) in cases.into_iter().enumerate() {
        set_token_end(&world, step, hours, form).await;
        let what = format!("{hours:?} {form:?}");
        let object = world.until("Backend", "lenses", &what, |object| warns(object) == warning).await;
        let identity = object.data["status"]["identity"].as_str().unwrap().to_owned();
        assert!(identity.contains(words), "{what}: {identity}");
        assert_eq!(has_metric(&world).await, metric, "{what}");
    }
    // An expired token cannot make calls, so the Secret must contain the token of another account.
    set_token_end(&world, cases.len(), Some(-1), TokenEnd::Shown).await;
    world.reports("Backend", "lenses", "Invalid", &["another account's"]).await;
}
