//! AccessRequests: who gets what for how long, through crashes, and beside what Git says.

use std::time::Duration;

use rolewright_simulators::{arize::Arize, grafana::Grafana, lenses::Lenses, zenml::ZenMl};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    cluster::{Cluster, Killed, NAMESPACE, condition, is_ready},
    process::{Call, Cut, Moment},
    scene::{Scene, Simulated, remove_grant, simulated},
};
use crate::support::{approval, free_offer_of, kind_and_name, offer_of, request_for, trial::Trial};

const REQUESTS: &str = "accessrequests";

/// The objects of the trial without RoleBindings, and its first RoleBinding for one user.
fn parts<V: Simulated>() -> (Vec<Value>, Value) {
    let (bindings, others): (Vec<Value>, Vec<Value>) =
        V::objects().into_iter().partition(|object| object["kind"] == "RoleBinding");
    let is_user = |subject: &&Value| subject["kind"] == "User";
    let mut binding = bindings
        .into_iter()
        .find(|binding| binding["spec"]["subjects"].as_array().unwrap().iter().any(|it| is_user(&it)))
        .expect("a RoleBinding for a user");
    let user = binding["spec"]["subjects"].as_array().unwrap().iter().find(is_user).unwrap().clone();
    binding["spec"]["subjects"] = json!([user]);
    (others, binding)
}

fn user_of(binding: &Value) -> &str {
    binding["spec"]["subjects"][0]["name"].as_str().unwrap()
}

fn request(cluster: &Cluster, name: &str) -> Value {
    cluster.api.get(REQUESTS, NAMESPACE, name).unwrap_or_default()
}

fn state(cluster: &Cluster, name: &str) -> Value {
    request(cluster, name)["status"]["state"].clone()
}

/// Waits until a request has this state, and returns its message.
async fn until_state<V: Simulated>(scene: &Scene<V>, name: &str, wanted: &str) -> Result<String, Killed> {
    scene.cluster.until(&format!("{name} is {wanted}"), |cluster| state(cluster, name) == wanted).await?;
    Ok(request(&scene.cluster, name)["status"]["message"].as_str().unwrap_or_default().to_owned())
}

/// Decides about a request.
fn decide<V: Simulated>(scene: &Scene<V>, name: &str, target: &str, decision: &str) {
    let plan = request(&scene.cluster, target)["status"]["plan"].as_str().expect("a plan").to_owned();
    scene.cluster.apply(approval(name, "AccessRequest", target, &plan, decision));
}

fn approval_state(cluster: &Cluster, name: &str) -> Value {
    cluster.api.get("approvals", NAMESPACE, name).unwrap_or_default()["status"]["state"].clone()
}

/// Lets a user get access: creates the request and approves it with an Approval of this name.
async fn grant<V: Simulated>(scene: &Scene<V>, (name, user): (&str, &str), approval: &str) {
    scene.cluster.apply(request_for(name, user, "2h"));
    until_state(scene, name, "Pending").await.unwrap();
    decide(scene, approval, name, "Approve");
    until_state(scene, name, "Active").await.unwrap();
}

async fn next_sweeps<V: Simulated>(scene: &Scene<V>) -> Result<(), Killed> {
    let end = Instant::now() + Duration::from_secs(150);
    scene.cluster.until("the next sweeps", |_| Instant::now() >= end).await
}

/// Applies the objects without RoleBindings, and the offer. Returns the RoleBinding whose role is offered.
async fn prepare<V: Simulated>(scene: &Scene<V>, offer: Value) -> Value {
    let (objects, binding) = parts::<V>();
    scene.cluster.apply_all(&objects);
    scene.cluster.apply(offer_of(&binding, offer));
    scene.settled().await.unwrap();
    binding
}

/// From the request to its end, as a person drives it. Every step can be repeated after a crash. `hasty`: the end does not wait for the
/// grant.
async fn drive<V: Simulated>(scene: &Scene<V>, user: &str, hasty: bool) -> Result<(), Killed> {
    scene.cluster.apply(request_for("one", user, "2h"));
    if scene.cluster.api.get("approvals", NAMESPACE, "yes").is_none() {
        scene
            .cluster
            .until("a plan", |cluster| request(cluster, "one")["status"]["plan"].is_string())
            .await?;
        decide(scene, "yes", "one", "Approve");
    }
    scene
        .cluster
        .until("the access is granted", |cluster| !request(cluster, "one")["status"]["grant"].is_null())
        .await?;
    if scene.cluster.api.get("approvals", NAMESPACE, "no").is_none() {
        if !hasty {
            until_state(scene, "one", "Active").await?;
        }
        decide(scene, "no", "one", "Reject");
    }
    until_state(scene, "one", "Ended").await?;
    next_sweeps(scene).await
}

/// What every run ends with.
fn ended<V: Simulated>(scene: &Scene<V>, before: &Value) {
    assert_eq!(scene.external(), *before, "{}", scene.cluster.describe());
    assert!(scene.cluster.api.list("rolebindings").is_empty(), "{}", scene.cluster.describe());
    let states = ["yes", "no"].map(|name| approval_state(&scene.cluster, name));
    assert_eq!(states, ["Executed", "Rejected"]);
    let request = request(&scene.cluster, "one");
    assert_eq!(request["status"]["approval"]["approvedBy"], "alice@example.com");
    assert_eq!(request["status"]["endReason"], "alice@example.com (INC-123) ended it");
}

/// How many roles, grants and members an account has.
fn count(external: &Value) -> usize {
    match external {
        Value::Array(all) => all.len() + all.iter().map(count).sum::<usize>(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

fn grants_once_and_ends<V: Simulated>() {
    simulated(1, async {
        let mut scene = Scene::<V>::new(V::servers().pop().unwrap());
        let binding = prepare(&scene, json!({})).await;
        let before = scene.external();
        // What an ordinary RoleBinding gives.
        scene.cluster.apply(binding.clone());
        scene.settled().await.unwrap();
        let full = count(&scene.external());
        assert!(full > count(&before));
        let (_, name) = kind_and_name(&binding);
        scene.cluster.api.delete("rolebindings", NAMESPACE, name);
        let is_deleted = |cluster: &Cluster| cluster.api.list("rolebindings").is_empty();
        scene.cluster.until("it is deleted", is_deleted).await.unwrap();
        assert_eq!(scene.external(), before);

        // Without an Approval, nothing happens.
        scene.cluster.apply(request_for("one", user_of(&binding), "2h"));
        let message = until_state(&scene, "one", "Pending").await.unwrap();
        assert!(message.starts_with("waits for an Approval of plan v1-"), "{message}");
        next_sweeps(&scene).await.unwrap();
        assert_eq!(scene.external(), before);

        decide(&scene, "yes", "one", "Approve");
        until_state(&scene, "one", "Active").await.unwrap();
        next_sweeps(&scene).await.unwrap();
        assert_eq!(count(&scene.external()), full, "exactly what the RoleBinding gave");
        drive(&scene, user_of(&binding), false).await.unwrap();
        ended(&scene, &before);
        // Deleted and sent again, the decisions of the past do nothing.
        scene.cluster.api.delete(REQUESTS, NAMESPACE, "one");
        scene.cluster.until("it is deleted", |cluster| request(cluster, "one").is_null()).await.unwrap();
        scene.cluster.apply(request_for("one", user_of(&binding), "2h"));
        until_state(&scene, "one", "Pending").await.unwrap();
        next_sweeps(&scene).await.unwrap();
        assert_eq!((state(&scene.cluster, "one"), scene.external()), (json!("Pending"), before));
        scene.cluster.kill().await;
    });
}

#[test]
fn request_is_granted_once_and_ended_on_arize() {
    grants_once_and_ends::<Arize>();
}

#[test]
fn request_is_granted_once_and_ended_on_grafana() {
    grants_once_and_ends::<Grafana>();
}

#[test]
fn request_is_granted_once_and_ended_on_lenses() {
    grants_once_and_ends::<Lenses>();
}

#[test]
fn request_is_granted_once_and_ended_on_zenml() {
    grants_once_and_ends::<ZenMl>();
}

/// Runs a request with a cut, and returns the calls without one.
async fn run_with_cut<V: Simulated>(cut: Option<Cut>, hasty: bool) -> Vec<Call> {
    let mut scene = Scene::<V>::new(V::servers().pop().unwrap());
    let binding = prepare(&scene, json!({})).await;
    let before = scene.external();
    scene.cluster.arm(cut);
    let mut calls = Vec::new();
    while drive(&scene, user_of(&binding), hasty).await.is_err() {
        scene.cluster.kill().await;
        scene.cluster.start();
    }
    ended(&scene, &before);
    if cut.is_none() {
        calls = scene.cluster.process().calls();
    }
    scene.cluster.kill().await;
    calls
}

/// A crash at any write changes neither the grant nor its end.
fn survives_crashes<V: Simulated>() {
    for hasty in [false, true] {
        let calls = simulated(1, run_with_cut::<V>(None, hasty));
        let is_cut = |call: &usize| calls[*call].is_write && !calls[*call].path.contains("events");
        for call in (0..calls.len()).filter(is_cut) {
            for moment in [Moment::Before, Moment::After] {
                simulated(1, run_with_cut::<V>(Some(Cut { call, moment }), hasty));
            }
        }
    }
}

#[test]
fn request_survives_a_crash_at_any_write_on_grafana() {
    survives_crashes::<Grafana>();
}

#[test]
fn request_survives_a_crash_at_any_write_on_lenses() {
    survives_crashes::<Lenses>();
}

#[test]
fn one_approval_is_enough_where_each_plan_needs_one() {
    simulated(1, async {
        let guards = json!({ "maxRemovals": 0, "maxRemovalPercent": 0 });
        let more = json!({ "sweepInterval": "1m", "mode": "Approve", "guards": guards });
        let mut scene = Scene::<Grafana>::with(Grafana::servers().pop().unwrap(), more, 1);
        let (_, binding) = parts::<Grafana>();
        let external = json!({ "roleRef": { "external": { "name": "Legacy reviewer" } } });
        scene.cluster.apply(offer_of(&binding, external.clone()));
        scene.settled().await.unwrap();
        let before = scene.external();
        drive(&scene, user_of(&binding), false).await.unwrap();
        ended(&scene, &before);

        // It covers the grant once: what somebody revokes by hand is a decision too.
        grant(&scene, ("again", user_of(&binding)), "yes-again").await;
        remove_grant(&scene.sim, &before, &mut fastrand::Rng::with_seed(1)).expect("a grant");
        let waits = |cluster: &Cluster| {
            let bindings = cluster.api.list("rolebindings");
            bindings.iter().any(|it| condition(it, "Ready")["reason"] == "ApprovalRequired")
        };
        scene.cluster.until("the plan waits", waits).await.unwrap();
        assert_eq!(scene.external(), before);
        // The deletion of a request needs no Approval either.
        scene.cluster.api.delete(REQUESTS, NAMESPACE, "again");
        scene.cluster.until("it is deleted", |cluster| request(cluster, "again").is_null()).await.unwrap();
        grant(&scene, ("third", user_of(&binding)), "yes-third").await;
        assert_ne!(scene.external(), before);
        scene.cluster.api.delete(REQUESTS, NAMESPACE, "third");
        scene.cluster.until("it is deleted", |cluster| request(cluster, "third").is_null()).await.unwrap();
        assert_eq!(scene.external(), before);

        // A request that nobody approved does not replace the Approval of the plan.
        let mut free = free_offer_of(&binding);
        free["spec"]["roleRef"] = external["roleRef"].clone();
        scene.cluster.apply(free);
        scene.cluster.apply(request_for("two", user_of(&binding), "2h"));
        scene
            .cluster
            .until("the plan waits", |cluster| {
                let bindings = cluster.api.list("rolebindings");
                bindings.iter().any(|it| condition(it, "Ready")["reason"] == "ApprovalRequired")
            })
            .await
            .unwrap();
        next_sweeps(&scene).await.unwrap();
        assert_eq!((state(&scene.cluster, "two"), scene.external()), (json!("Granting"), before));
        scene.cluster.kill().await;
    });
}

#[test]
fn requested_grant_is_beside_an_authoritative_role_binding() {
    simulated(1, async {
        let mut scene = Scene::<Grafana>::new(Grafana::servers().pop().unwrap());
        let mut binding = prepare(&scene, json!({})).await;
        binding["spec"]["subjects"] = json!([{ "kind": "User", "name": "bob@example.com" }]);
        binding["spec"]["membership"] = json!("Authoritative");
        scene.cluster.apply(binding.clone());
        scene.settled().await.unwrap();
        let before = scene.external();
        grant(&scene, ("one", "alice@example.com"), "yes").await;
        let full = scene.external();
        assert_ne!(full, before);
        next_sweeps(&scene).await.unwrap();
        assert_eq!((state(&scene.cluster, "one"), scene.external()), (json!("Active"), full));
        let (_, name) = kind_and_name(&binding);
        let authoritative = scene.cluster.api.get("rolebindings", NAMESPACE, name).unwrap();
        assert!(is_ready(&authoritative), "{authoritative}");
        // A restart is steady state.
        scene.cluster.kill().await;
        let version = scene.cluster.api.version();
        scene.cluster.start();
        next_sweeps(&scene).await.unwrap();
        let changed = scene.cluster.api.changed_objects(version);
        let changed =
            changed.iter().filter(|it| it["kind"] == "RoleBinding" || it["kind"] == "AccessRequest");
        assert_eq!(changed.count(), 0);
        decide(&scene, "no", "one", "Reject");
        until_state(&scene, "one", "Ended").await.unwrap();
        assert_eq!(scene.external(), before);
        scene.cluster.kill().await;
    });
}

#[test]
fn grant_that_exists_already_is_neither_adopted_nor_ended() {
    simulated(1, async {
        let mut scene = Scene::<Grafana>::new(Grafana::servers().pop().unwrap());
        let binding = prepare(&scene, json!({})).await;
        // Granted by hand: a RoleBinding whose deletion retains the grant.
        let mut by_hand = binding.clone();
        by_hand["spec"]["deletionPolicy"] = json!("Retain");
        scene.cluster.apply(by_hand.clone());
        scene.settled().await.unwrap();
        let before = scene.external();
        let (_, name) = kind_and_name(&by_hand);
        scene.cluster.api.delete("rolebindings", NAMESPACE, name);
        scene
            .cluster
            .until("it is deleted", |cluster| cluster.api.list("rolebindings").is_empty())
            .await
            .unwrap();
        assert_eq!(scene.external(), before);

        scene.cluster.apply(request_for("one", user_of(&binding), "2h"));
        until_state(&scene, "one", "Pending").await.unwrap();
        decide(&scene, "yes", "one", "Approve");
        scene
            .cluster
            .until("the conflict is reported", |cluster| {
                request(cluster, "one")["status"]["message"]
                    .as_str()
                    .is_some_and(|it| it.contains("no object manages"))
            })
            .await
            .unwrap();
        decide(&scene, "no", "one", "Reject");
        until_state(&scene, "one", "Ended").await.unwrap();
        next_sweeps(&scene).await.unwrap();
        assert_eq!(scene.external(), before);
        scene.cluster.kill().await;
    });
}

#[test]
fn role_binding_of_a_request_cannot_be_widened_or_kept() {
    simulated(1, async {
        let mut scene = Scene::<Grafana>::new(Grafana::servers().pop().unwrap());
        let binding = prepare(&scene, json!({})).await;
        let before = scene.external();
        grant(&scene, ("one", user_of(&binding)), "yes").await;
        let full = scene.external();
        let own = scene.cluster.api.list("rolebindings").remove(0);
        let mut wider = own.clone();
        wider["spec"].as_object_mut().unwrap().remove("expiresAt");
        wider["spec"]["subjects"] = json!([{ "kind": "User", "name": "bob@example.com" }]);
        scene.cluster.apply(wider);
        let is_restored = |cluster: &Cluster| {
            let now = &cluster.api.list("rolebindings")[0];
            now["spec"] == own["spec"] && is_ready(now)
        };
        scene.cluster.until("it is restored", is_restored).await.unwrap();
        until_state(&scene, "one", "Active").await.unwrap();
        assert_eq!(scene.external(), full);

        // Who deletes it ends the access; it does not come back.
        let (_, name) = kind_and_name(&own);
        scene.cluster.api.delete("rolebindings", NAMESPACE, name);
        let message = until_state(&scene, "one", "Ended").await.unwrap();
        assert_eq!(message, "its RoleBinding was deleted");
        next_sweeps(&scene).await.unwrap();
        assert_eq!(scene.external(), before);

        // The deletion of a request ends the access too.
        grant(&scene, ("two", user_of(&binding)), "yes-two").await;
        scene.cluster.api.delete(REQUESTS, NAMESPACE, "two");
        scene
            .cluster
            .until("nothing is left", |cluster| cluster.api.list("rolebindings").is_empty())
            .await
            .unwrap();
        assert_eq!(scene.external(), before);
        scene.cluster.kill().await;
    });
}

/// Who can edit RoleBindings cannot keep a grant past its end: not by a pause, a policy or a mode, not by a Reject of its removal, and not
/// by hiding where it comes from.
#[test]
fn requested_grant_ends_whatever_its_role_binding_says() {
    type Trick = fn(&mut Value);
    let tricks: [Trick; 5] = [
        |binding| binding["metadata"]["annotations"]["rolewright.dev/pause"] = json!("yes"),
        |binding| binding["spec"]["deletionPolicy"] = json!("Retain"),
        |binding| binding["spec"]["mode"] = json!("Plan"),
        |binding| {
            binding["metadata"]["annotations"] = json!({ "rolewright.dev/pause": "yes" });
            binding["spec"]["mode"] = json!("Plan");
            binding["spec"]["deletionPolicy"] = json!("Retain");
        },
        |binding| binding["spec"]["expiresAt"] = json!("2099-01-01T00:00:00Z"),
    ];
    for (number, trick) in tricks.into_iter().enumerate() {
        for is_deleted_first in [false, true] {
            simulated(1, async {
                let guards = json!({ "maxRemovals": 0, "maxRemovalPercent": 0 });
                let more = json!({ "sweepInterval": "1m", "guards": guards });
                let mut scene = Scene::<Grafana>::with(Grafana::servers().pop().unwrap(), more, 1);
                let binding = prepare(&scene, json!({})).await;
                let before = scene.external();
                grant(&scene, ("one", user_of(&binding)), "yes").await;
                let mut own = scene.cluster.api.list("rolebindings").remove(0);
                if is_deleted_first {
                    let (_, name) = kind_and_name(&own);
                    scene.cluster.api.delete("rolebindings", NAMESPACE, name);
                }
                trick(&mut own);
                scene.cluster.apply(own);
                decide(&scene, "no", "one", "Reject");
                until_state(&scene, "one", "Ended").await.unwrap();
                assert_eq!(scene.external(), before, "trick {number}");
                scene.cluster.kill().await;
            });
        }
    }
}
