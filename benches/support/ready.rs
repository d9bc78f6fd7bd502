//! How long a new object takes to be ready.

use std::time::{Duration, Instant};

use kube::{Api, Client, ResourceExt, runtime::wait::await_condition};
use rolewright_api::{ObjectStatus, Role, RoleBinding};

use super::{
    Outcome,
    population::{Object, create},
};

/// Creates an object, and waits until it is ready. Returns the seconds.
///
/// # Errors
/// If the API server refuses the object, or it is not ready within a minute.
pub async fn time_to_ready<K: HasStatus>(client: &Client, namespace: &str, object: &K) -> Outcome<f64> {
    let started = Instant::now();
    create(client, namespace, object).await?;
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let name = object.name_any();
    let ready = await_condition(api, &name, |object: Option<&K>| {
        object.and_then(HasStatus::status).is_some_and(|status| {
            status.conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True")
        })
    });
    tokio::time::timeout(Duration::from_secs(60), ready).await??;
    Ok(started.elapsed().as_secs_f64())
}

/// A kind with the status that all objects share.
pub trait HasStatus: Object {
    /// The status.
    fn status(&self) -> Option<&ObjectStatus>;
}

impl HasStatus for Role {
    fn status(&self) -> Option<&ObjectStatus> {
        self.status.as_ref()
    }
}

impl HasStatus for RoleBinding {
    fn status(&self) -> Option<&ObjectStatus> {
        self.status.as_ref().map(|status| &status.object)
    }
}
