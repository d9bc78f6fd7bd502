//! Proves that nothing was written: neither to the account nor to Kubernetes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    account::Account,
    objects::{GROUP_VERSION, MANAGING_KINDS},
    world::World,
};

/// An account's access data and the position in its request log at one time.
pub struct Checkpoint {
    access: Value,
    since: u64,
}

impl<V: Account> World<V> {
    /// The account now, for [`World::assert_unchanged`].
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { access: self.access(), since: self.log_position() }
    }

    /// The account is as it was, and received no write.
    #[track_caller]
    pub fn assert_unchanged(&self, checkpoint: &Checkpoint, what: &str) {
        assert_eq!(self.writes_since(checkpoint.since), [""; 0], "{what}");
        assert_eq!(self.access(), checkpoint.access, "{what}");
    }

    /// The versions of all objects except Backends: equal if the operator wrote to none of them. A Backend's counts follow the
    /// objects with a delay, so it is left out.
    pub async fn resource_versions(&self) -> BTreeMap<String, String> {
        let mut versions = BTreeMap::new();
        for kind in MANAGING_KINDS {
            for object in self.list(GROUP_VERSION, kind).await {
                let name = format!("{kind} {}", object.metadata.name.unwrap_or_default());
                versions.insert(name, object.metadata.resource_version.unwrap_or_default());
            }
        }
        versions
    }

    /// Within five sweeps, one sweep writes nothing. The first ones may still react to the last change.
    pub async fn assert_steady(&self) {
        const SWEEPS: usize = 5;
        for sweep in 1..=SWEEPS {
            let (before, checkpoint) = (self.resource_versions().await, self.checkpoint());
            self.full_sweep().await;
            let after = self.resource_versions().await;
            if sweep == SWEEPS || after == before && self.writes_since(checkpoint.since).is_empty() {
                self.assert_unchanged(&checkpoint, "a sweep in steady state");
                assert_eq!(after, before);
                return;
            }
        }
    }
}
