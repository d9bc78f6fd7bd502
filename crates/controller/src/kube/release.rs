//! `release`: every object stops managing its external things and nothing is removed, so that an uninstall can follow.

use kube::{Api, Client, ResourceExt, core::NamespaceResourceScope};
use serde::de::DeserializeOwned;

use super::{
    cache::Cache,
    writes::{self, WriteError},
};
use rolewright_api as api;
use rolewright_api::{Backend, ResourceRestriction, Role, RoleBinding};

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
    released.objects += kind::<RoleBinding>(client, namespace).await?;
    released.objects += kind::<ResourceRestriction>(client, namespace).await?;
    released.objects += kind::<Role>(client, namespace).await?;
    released.objects += kind::<Backend>(client, namespace).await?;
    Ok(released)
}

async fn kind<K>(client: &Client, namespace: Option<&str>) -> Result<usize, WriteError>
where
    K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + serde::Serialize
        + 'static,
{
    const TRIES: usize = 5;
    let api: Api<K> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let (cache, _changes) = Cache::<K>::new();
    let mut count = 0;
    for object in api.list(&kube::api::ListParams::default()).await? {
        let mut object = Some(object);
        for attempt in 0..TRIES {
            let Some(current) = object.take() else { break };
            if !current.finalizers().iter().any(|one| one == api::FINALIZER) {
                break;
            }
            match writes::remove_finalizer(client, &cache, &current).await {
                Ok(()) => count += 1,
                Err(WriteError::Stale) if attempt + 1 < TRIES => {
                    let namespaced: Api<K> =
                        Api::namespaced(client.clone(), &current.namespace().unwrap_or_default());
                    object = namespaced.get_opt(&current.name_any()).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(count)
}

/// The operator that holds the Lease, if it renewed it recently.
///
/// # Errors
/// When the Kubernetes API does not answer.
pub async fn running(client: &Client, own_namespace: &str) -> Result<Option<String>, kube::Error> {
    use k8s_openapi::{api::coordination::v1::Lease, jiff::Timestamp};
    let leases: Api<Lease> = Api::namespaced(client.clone(), own_namespace);
    let spec = leases.get_opt(super::lease::NAME).await?.and_then(|lease| lease.spec);
    let Some(spec) = spec else { return Ok(None) };
    let (Some(holder), Some(renewed)) =
        (spec.holder_identity.filter(|holder| !holder.is_empty()), spec.renew_time)
    else {
        return Ok(None);
    };
    let seconds = i64::from(spec.lease_duration_seconds.unwrap_or(15));
    let age = Timestamp::now().duration_since(renewed.0).as_secs();
    Ok((age <= seconds).then_some(holder))
}
