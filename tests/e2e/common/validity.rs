//! Grants that start later, and grants that end.

use std::time::Duration;

use jiff::Timestamp;
use rolewright_simulators::{arize::Arize, grafana::Grafana, lenses::Lenses, zenml::ZenMl};
use serde_json::{Value, json};

use crate::support::{
    World, condition, managed_ids,
    manifests::kind_and_name,
    trial::{Trial, settled},
};

/// So soon that a test can wait for it.
const SOON: Duration = Duration::from_secs(2);
/// Within the day of the warning.
const TODAY: Duration = Duration::from_secs(3600);
const LATER: Duration = Duration::from_secs(172_800);

/// Now, and so much later.
fn after(time: Duration) -> Timestamp {
    // Kubernetes stores whole seconds.
    let later = Timestamp::now() + time;
    Timestamp::from_second(later.as_second() + 1).unwrap()
}

/// The first RoleBinding of the trial, with this field.
fn binding<V: Trial>(field: &str, at: Option<Timestamp>) -> Value {
    let mut objects = V::objects().into_iter();
    let mut binding = objects.find(|object| object["kind"] == "RoleBinding").unwrap();
    if let Some(at) = at {
        binding["spec"][field] = json!(at.to_string());
    }
    binding
}

async fn grants_end_in_time_and_come_back_with_a_later_time<V: Trial>() {
    let world = settled::<V>("expired").await;
    let end = after(TODAY);
    let limited = binding::<V>("expiresAt", Some(end));
    let (_, name) = kind_and_name(&limited);
    world.apply(limited.clone()).await;
    let note = world.event(name, "Expiring").await;
    assert!(note.contains(&end.to_string()), "{note}");
    let end = after(SOON);
    world.apply(binding::<V>("expiresAt", Some(end))).await;
    let binding_now = world.reports("RoleBinding", name, "Expired", &[&end.to_string()]).await;
    assert!(Timestamp::now() >= end, "too early");
    assert_eq!(managed_ids(&binding_now), [""; 0]);
    assert_eq!(condition(&binding_now, "Expiring"), Value::Null);
    assert_eq!(condition(&binding_now, "Stalled")["status"], "True");
    for subject in binding_now.data["status"]["subjects"].as_array().unwrap() {
        assert_eq!(subject["state"], "Expired", "{subject}");
    }
    let since = world.log_position();
    world.full_sweep().await;
    world.assert_no_writes(since);
    world.apply(binding::<V>("expiresAt", Some(after(LATER)))).await;
    let ready = world.ready("RoleBinding", name).await;
    assert_eq!(condition(&ready, "Expiring"), Value::Null, "the end is not near");
    V::settled(&world).await;
    V::assert_applied(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_end_in_time_on_arize() {
    grants_end_in_time_and_come_back_with_a_later_time::<Arize>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_end_in_time_on_grafana() {
    grants_end_in_time_and_come_back_with_a_later_time::<Grafana>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_end_in_time_on_lenses() {
    grants_end_in_time_and_come_back_with_a_later_time::<Lenses>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_end_in_time_on_zenml() {
    grants_end_in_time_and_come_back_with_a_later_time::<ZenMl>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_that_ended_in_a_downtime_are_revoked_at_once() {
    let mut world = settled::<Arize>("downtime").await;
    let end = after(SOON);
    let limited = binding::<Arize>("expiresAt", Some(end));
    let (_, name) = kind_and_name(&limited);
    world.operator.kill();
    world.apply(limited.clone()).await;
    // Only time can end a grant.
    tokio::time::sleep(end.duration_since(Timestamp::now()).unsigned_abs()).await;
    world.restart();
    let ended = world.reports("RoleBinding", name, "Expired", &[]).await;
    assert_eq!(managed_ids(&ended), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_start_at_their_time() {
    let world = World::<Arize>::with_switches("starts", |_| {}).await;
    let start = after(TODAY);
    let mut objects = Arize::objects();
    let index = objects.iter().position(|object| object["kind"] == "RoleBinding").unwrap();
    objects[index] = binding::<Arize>("startsAt", Some(start));
    let (_, name) = kind_and_name(&objects[index]);
    for object in &objects {
        world.apply(object.clone()).await;
    }
    let waiting = world.reports("RoleBinding", name, "Scheduled", &[&start.to_string()]).await;
    assert_eq!(waiting.data["status"]["subjects"][0]["state"], "Pending");
    let start = after(SOON);
    world.apply(binding::<Arize>("startsAt", Some(start))).await;
    let ready = world.ready("RoleBinding", name).await;
    assert!(Timestamp::now() >= start, "too early");
    assert!(!managed_ids(&ready).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn end_of_a_grant_is_planned_in_mode_plan() {
    let world = settled::<Arize>("end-planned").await;
    let mut limited = binding::<Arize>("expiresAt", Some(after(SOON)));
    limited["spec"]["mode"] = json!("Plan");
    let (_, name) = kind_and_name(&limited);
    let since = world.log_position();
    world.apply(limited.clone()).await;
    let planned = world.reports("RoleBinding", name, "Planned", &[]).await;
    assert_eq!(planned.data["status"]["subjects"][0]["state"], "Granted", "until it is revoked");
    world.assert_no_writes(since);
}
