//! `release`: every object stops managing its external things and nothing is removed, so that an uninstall can follow.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, Resource, ResourceExt, api::ListParams, core::NamespaceResourceScope};
use tokio::time::Instant;

use super::{
    cache::Cache,
    writes::{self, RolewrightResource, WriteError},
};
use rolewright_api::{AccessRequest, Backend, ClusterBackend, Prune, ResourceRestriction, Role, RoleBinding};
use rolewright_reconcile::object::has_finalizer;

/// The result of a release.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// Objects whose finalizer was removed.
    pub objects: usize,
}

/// Removes the finalizers of all objects, or of those in one namespace. The operator must not run: it would add them again.
///
/// # Errors
/// When the Kubernetes API refuses. Objects released until then stay released; a second call continues.
pub async fn all(client: &Client, namespace: Option<&str>) -> Result<Released, WriteError> {
    let mut released = Released::default();
    released.objects += kind::<AccessRequest>(client, namespace).await?;
    released.objects += kind::<RoleBinding>(client, namespace).await?;
    released.objects += kind::<Prune>(client, namespace).await?;
    released.objects += kind::<ResourceRestriction>(client, namespace).await?;
    released.objects += kind::<Role>(client, namespace).await?;
    released.objects += kind::<Backend>(client, namespace).await?;
    if namespace.is_none() {
        let all = Api::all(client.clone());
        released.objects += release_each::<ClusterBackend>(client, &all).await?;
    }
    Ok(released)
}

async fn kind<K: Namespaced>(client: &Client, namespace: Option<&str>) -> Result<usize, WriteError> {
    release_each(client, &api_in::<K>(client, namespace)).await
}

async fn release_each<K: RolewrightResource>(client: &Client, api: &Api<K>) -> Result<usize, WriteError> {
    const TRIES: usize = 5;
    let (cache, _changes) = Cache::<K>::new();
    let mut count = 0;
    for object in api.list(&ListParams::default()).await? {
        let mut object = Some(object);
        for attempt in 0..TRIES {
            let Some(current) = object.take() else { break };
            if !has_finalizer(&current) {
                break;
            }
            match writes::remove_finalizer(client, &cache, &current).await {
                Ok(()) => count += 1,
                Err(WriteError::Stale) if attempt + 1 < TRIES => {
                    object = current.api(client).get_opt(&current.name_any()).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(count)
}

/// How many objects have the finalizer again a few seconds after they were released: an operator without a Lease runs.
///
/// # Errors
/// When the Kubernetes API refuses.
pub async fn taken_back(client: &Client, namespace: Option<&str>) -> Result<usize, WriteError> {
    const OPERATOR_REACTS_WITHIN: Duration = Duration::from_secs(3);
    tokio::time::sleep(OPERATOR_REACTS_WITHIN).await;
    let mut count = count_held::<AccessRequest>(client, namespace).await?;
    count += count_held::<RoleBinding>(client, namespace).await?;
    count += count_held::<Prune>(client, namespace).await?;
    count += count_held::<ResourceRestriction>(client, namespace).await?;
    count += count_held::<Role>(client, namespace).await?;
    count += count_held::<Backend>(client, namespace).await?;
    if namespace.is_none() {
        count += count_in::<ClusterBackend>(&Api::all(client.clone())).await?;
    }
    Ok(count)
}

async fn count_held<K: Namespaced>(client: &Client, namespace: Option<&str>) -> Result<usize, WriteError> {
    count_in(&api_in::<K>(client, namespace)).await
}

async fn count_in<K: RolewrightResource>(api: &Api<K>) -> Result<usize, WriteError> {
    let objects = api.list(&ListParams::default()).await?;
    Ok(objects.iter().filter(|object| has_finalizer(*object)).count())
}

/// A kind with a namespace.
trait Namespaced: RolewrightResource + Resource<DynamicType = (), Scope = NamespaceResourceScope> {}

impl<K: RolewrightResource + Resource<DynamicType = (), Scope = NamespaceResourceScope>> Namespaced for K {}

fn api_in<K: Namespaced>(client: &Client, namespace: Option<&str>) -> Api<K> {
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// An operator that renews its Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The namespace of the Lease.
    pub namespace: String,
    /// The holder of the Lease.
    pub holder: String,
}

/// The operator that runs, in this namespace or in any. Whether a Lease is renewed is observed for a few seconds, not judged by clocks.
///
/// # Errors
/// When the Kubernetes API does not answer.
pub async fn running(
    client: &Client,
    operator_namespace: Option<&str>,
) -> Result<Option<Running>, kube::Error> {
    /// The operator renews its Lease every three seconds.
    const OBSERVED: Duration = Duration::from_secs(8);
    const INTERVAL: Duration = Duration::from_millis(500);
    let leases: Api<Lease> = match operator_namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let first = held_leases(&leases).await?;
    if first.is_empty() {
        return Ok(None);
    }
    let began = Instant::now();
    while began.elapsed() < OBSERVED {
        tokio::time::sleep(INTERVAL).await;
        for (namespace, (version, holder)) in held_leases(&leases).await? {
            if first.get(&namespace).is_none_or(|(known, _)| *known != version) {
                return Ok(Some(Running { namespace, holder }));
            }
        }
    }
    Ok(None)
}

/// The Leases of operators that have a holder, by namespace: their version and the holder.
async fn held_leases(leases: &Api<Lease>) -> Result<BTreeMap<String, (String, String)>, kube::Error> {
    let named = ListParams::default().fields(&format!("metadata.name={}", super::lease::NAME));
    let held = leases.list(&named).await?.into_iter().filter_map(|lease| {
        let holder = lease.spec.as_ref()?.holder_identity.clone().filter(|holder| !holder.is_empty())?;
        Some((lease.namespace()?, (lease.resource_version()?, holder)))
    });
    Ok(held.collect())
}
