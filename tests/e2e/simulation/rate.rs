//! How fast an import of many objects is, with the default limits of each vendor and on servers that throttle.

use std::time::Duration;

use rolewright_simulators::{
    arize::Arize,
    grafana::Grafana,
    kit::faults::{Action, Fault},
    lenses::Lenses,
    zenml::ZenMl,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    cluster::is_ready,
    scene::{Scene, Simulated, host, simulated},
};

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

/// An import of Roles.
struct Import {
    roles: usize,
    /// `spec.requests` of the Backend.
    requests: Value,
    /// How long each call takes.
    latency: Duration,
    /// The calls per second that the server allows.
    allowed: Option<u32>,
}

/// Its outcome.
#[derive(Debug)]
struct Outcome {
    seconds: f64,
    calls: usize,
    throttled: usize,
}

impl Outcome {
    /// The calls that were not throttled, per second.
    fn per_second(&self) -> f64 {
        (self.calls - self.throttled) as f64 / self.seconds
    }

    /// The part of the calls that was throttled.
    fn throttled_share(&self) -> f64 {
        self.throttled as f64 / self.calls as f64
    }
}

impl Import {
    async fn run<V: Simulated>(self) -> Outcome {
        let more = json!({ "sweepInterval": "24h", "requests": self.requests });
        let mut scene = Scene::<V>::with(V::servers().swap_remove(0), more, 1);
        scene.settled().await.unwrap();
        let faults = &scene.sim.world().faults;
        let millis = u64::try_from(self.latency.as_millis()).unwrap();
        faults.add(Fault::on(METHODS, "/**", Action::Delay { millis, after_work: false })).unwrap();
        if let Some(per_second) = self.allowed {
            let action = Action::Throttle { per_second, retry_after: Some(1) };
            faults.add(Fault::on(METHODS, "/**", action)).unwrap();
        }
        scene.cluster.arm(None);
        let began = Instant::now();
        let role = V::objects().swap_remove(0);
        for number in 0..self.roles {
            let mut role = role.clone();
            role["metadata"]["name"] = json!(format!("reader-{number}"));
            scene.cluster.apply(role);
        }
        while !scene.cluster.api.all("roles", is_ready) {
            sleep(Duration::from_secs(2)).await;
            assert!(
                began.elapsed() < Duration::from_secs(3600),
                "{} calls",
                scene.cluster.process().calls().len()
            );
        }
        let seconds = began.elapsed().as_secs_f64();
        let calls = scene.cluster.process().calls().iter().filter(|call| call.to == host()).count();
        let throttled = |entry: &rolewright_simulators::kit::faults::FaultView| match entry.fault.action {
            Action::Throttle { .. } => usize::try_from(entry.hits).unwrap(),
            _ => 0,
        };
        let throttled = scene.sim.world().faults.list().iter().map(throttled).sum();
        scene.cluster.kill().await;
        Outcome { seconds, calls, throttled }
    }
}

fn import_of_500_roles<V: Simulated>() {
    let import = |requests| {
        let latency = Duration::from_millis(100);
        let outcome = simulated(1, Import { roles: 500, requests, latency, allowed: None }.run::<V>());
        println!("{}: {outcome:?}", V::NAME);
        outcome
    };
    let (fixed, adaptive) =
        (import(json!({ "perSecond": 5, "burst": 10, "concurrency": 4 })), import(json!({})));
    assert!(adaptive.seconds * 3.0 < fixed.seconds, "{fixed:?} {adaptive:?}");
}

fn throttled_import<V: Simulated>(requests: Value) {
    let (latency, allowed) = (Duration::from_millis(50), 12);
    let import = Import { roles: 400, requests: requests.clone(), latency, allowed: Some(allowed) };
    let outcome = simulated(1, import.run::<V>());
    println!("{} {requests}: {outcome:?}", V::NAME);
    assert!(outcome.throttled > 0, "{outcome:?}: the server throttled nothing, so the test proves nothing");
    assert!(outcome.throttled_share() < 0.05, "{outcome:?}");
    assert!(outcome.per_second() > 0.7 * f64::from(allowed), "{outcome:?}");
}

#[test]
fn imports_need_less_than_a_third_of_five_calls_a_second() {
    import_of_500_roles::<Arize>();
    import_of_500_roles::<Grafana>();
    import_of_500_roles::<Lenses>();
    import_of_500_roles::<ZenMl>();
}

#[test]
fn rate_settles_near_the_limit_of_a_server_that_throttles() {
    throttled_import::<Arize>(json!({}));
    throttled_import::<Grafana>(json!({}));
    throttled_import::<Lenses>(json!({}));
    throttled_import::<ZenMl>(json!({}));
}

#[test]
fn rate_of_a_user_that_is_far_too_high_settles_too() {
    throttled_import::<Arize>(json!({ "perSecond": 1000, "burst": 1000, "concurrency": 4 }));
}
