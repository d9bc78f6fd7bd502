//! One call of every sweep fails for ever, for every vendor: the rest of the account is managed as before.

use kube::api::DynamicObject;
use serde_json::{Value, json};

use super::{
    faults::http_status,
    manifests::kind_and_name,
    status::condition,
    trial::{Trial, settled},
    world::World,
};

impl<V: Trial> World<V> {
    /// Waits until the Backend reports that a sweep could not read this part of a path, and read the others.
    pub async fn partly_read(&self, path: &str) -> DynamicObject {
        let reported = |backend: &DynamicObject| {
            let synced = condition(backend, "Synced");
            let names_it = synced["message"].as_str().is_some_and(|message| message.contains(path));
            synced["status"] == "False" && synced["reason"] == "PartlyRead" && names_it
        };
        self.until("Backend", V::NAME, &format!("partly read without {path}"), reported).await
    }

    /// Waits until a sweep has read everything.
    pub async fn completely_read(&self) {
        let synced = |backend: &DynamicObject| condition(backend, "Synced")["status"] == "True";
        self.until("Backend", V::NAME, "completely read", synced).await;
    }
}

/// The first object of the lifecycle, under another name.
fn unrelated<V: Trial>() -> Value {
    let mut role = V::objects().remove(0);
    role["metadata"]["name"] = json!("unrelated");
    role
}

pub async fn failing_call_does_not_stop_the_rest<V: Trial>() {
    let mut world = settled::<V>("part").await;
    let versions = world.resource_versions().await;
    let (method, path) = V::BROKEN;
    let shown = path.rsplit('*').next().unwrap();
    world.inject_fault(&[method], path, http_status(500));
    let first = world.partly_read(shown).await;
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions, "nothing new is known of the objects");
    let later = world.partly_read(shown).await;
    assert_eq!(condition(&first, "Synced"), condition(&later, "Synced"));
    for is_restarted in [false, true] {
        if is_restarted {
            world.restart();
        }
        world.sim.edit(V::drift);
        world.until_account("the drift is corrected", |tenant| !V::has_drift(tenant)).await;
        world.apply_all(&[unrelated::<V>()]).await;
        world.delete_and_wait("Role", "unrelated").await;
        world.partly_read(shown).await;
    }
    world.clear_faults();
    world.completely_read().await;
    for (kind, name) in V::objects().iter().map(kind_and_name) {
        world.ready(kind, name).await;
    }
    V::assert_applied(&world);
    world.assert_steady().await;
}
