//! Back ends that throttle: the whole account waits.

use jiff::Timestamp;
use rolewright_simulators::{arize::Arize, kit::log::Entry};
use serde_json::json;

use crate::support::{World, role, throttle, trial::settled};

const READ: &str = "PROJECT_READ";

/// The times of the requests that the account refused.
fn refusals(entries: &[Entry]) -> Vec<Timestamp> {
    entries.iter().filter(|entry| entry.status == Some(429)).map(|entry| entry.time).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_pauses_the_whole_account() {
    let world = World::new("retry-after").await;
    world.apply(role("first", &[READ], json!({}))).await;
    world.ready("Role", "first").await;
    world.full_sweep().await;
    let since = world.log_position();
    world.inject_fault_times(&["POST"], "/v2/roles", throttle(3), 1);
    let roles: Vec<_> = (0..8).map(|n| role(&format!("reader-{n}"), &[READ], json!({}))).collect();
    world.apply_all(&roles).await;
    let requests = world.requests_since(since);
    let refused = requests.iter().position(|entry| entry.status == Some(429)).unwrap();
    let delay = |entry: &Entry| entry.time.duration_since(requests[refused].time).as_millis();
    let early: Vec<&Entry> = requests[refused + 1..].iter().filter(|entry| delay(entry) < 2900).collect();
    // Requests that are in flight when the refusal arrives cannot wait.
    assert!(early.len() <= 3, "{early:#?}");
    assert!(early.iter().all(|entry| delay(entry) < 200), "{early:#?}");
    assert_eq!((0..8).map(|n| world.count_roles(&format!("reader-{n}"))).sum::<usize>(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn account_that_throttles_everything_is_not_flooded() {
    let world = settled::<Arize>("throttled-everything").await;
    let (versions, since) = (world.resource_versions().await, world.log_position());
    world.inject_fault(&["GET", "POST", "PATCH", "DELETE"], "/v2/**", throttle(2));
    let for_14_seconds = |entries: &[Entry]| {
        let times = refusals(entries);
        times.first().is_some_and(|first| times.last().unwrap().duration_since(*first).as_secs() >= 14)
    };
    let requests = world.until_requests(since, "14 seconds of refusals", for_14_seconds).await;
    // Four requests can be in flight. All others wait two seconds, also probes of the credential.
    let times = refusals(&requests);
    let early = times.windows(5).find(|five| five[4].duration_since(five[0]).as_millis() < 1500);
    assert!(early.is_none(), "five requests within one pause: {early:?}");
    assert_eq!(world.resource_versions().await, versions);
    world.clear_faults();
    world.full_sweep().await;
    world.ready("Backend", "arize").await;
    assert_eq!(world.resource_versions().await, versions);
}
