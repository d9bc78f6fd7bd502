//! Writes to the Kubernetes API: statuses, finalizers and one annotation. Each write names the version that was read; each answer goes into the cache.

use std::sync::Arc;

use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::cache::Cache;
use rolewright_api as api;
use rolewright_api::AnyBackend;

/// The field manager of all writes.
pub const FIELD_MANAGER: &str = "rolewright";

/// Why a write was not made.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The object has changed since it was read: read it again and decide again.
    #[error("the object has changed in the meantime")]
    Stale,
    /// The object was deleted.
    #[error("the object was deleted")]
    Gone,
    /// The API server refused or failed.
    #[error("the Kubernetes API: {0}")]
    Api(#[source] Arc<kube::Error>),
}

impl From<kube::Error> for WriteError {
    fn from(error: kube::Error) -> Self {
        match &error {
            kube::Error::Api(status) if status.code == 409 => WriteError::Stale,
            kube::Error::Api(status) if status.code == 404 => WriteError::Gone,
            _ => WriteError::Api(Arc::new(error)),
        }
    }
}

/// A kind of Rolewright.
pub trait RolewrightResource:
    Resource + Clone + std::fmt::Debug + DeserializeOwned + Serialize + 'static
{
    /// The API of this object's kind, in its namespace.
    fn api(&self, client: &Client) -> Api<Self>;
}

macro_rules! namespaced {
    ($($kind:ident),*) => {
        $(impl RolewrightResource for api::$kind {
            fn api(&self, client: &Client) -> Api<Self> {
                Api::namespaced(client.clone(), self.metadata.namespace.as_deref().unwrap_or_default())
            }
        })*
    };
}

namespaced!(Backend, Role, RoleBinding, ResourceRestriction, Prune, Approval, AccessRequest);

impl RolewrightResource for api::ClusterBackend {
    fn api(&self, client: &Client) -> Api<Self> {
        Api::all(client.clone())
    }
}

impl RolewrightResource for AnyBackend {
    fn api(&self, client: &Client) -> Api<Self> {
        match &self.metadata.namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &self.kind()),
            None => Api::all_with(client.clone(), &self.kind()),
        }
    }
}

/// `managedFields` names the operator. Without a name the API server writes "unknown".
fn params() -> PatchParams {
    PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() }
}

/// Replaces these fields of an object's status. A field that `status` lacks is removed.
///
/// # Errors
/// [`WriteError::Stale`] when the object has changed since it was read.
pub async fn status<K: RolewrightResource>(
    client: &Client,
    cache: &Cache<K>,
    object: &K,
    fields: &[&str],
    status: Value,
) -> Result<K, WriteError> {
    let present =
        serde_json::to_value(object).ok().and_then(|mut object| object.get_mut("status").map(Value::take));
    let mut patch = serde_json::Map::new();
    for field in fields {
        let present = present.as_ref().and_then(|status| status.get(*field)).unwrap_or(&Value::Null);
        patch
            .insert((*field).to_owned(), replacing(present, status.get(*field).cloned().unwrap_or_default()));
    }
    let body = json!({
        "metadata": { "resourceVersion": object.resource_version(), "uid": object.uid() },
        "status": patch,
    });
    let api = object.api(client);
    let written = api.patch_status(&object.name_any(), &params(), &Patch::Merge(body)).await?;
    cache.put(written.clone());
    Ok(written)
}

/// Creates an object. `Stale`: an object of this name exists.
///
/// # Errors
/// As for [`status`].
pub async fn create<K: RolewrightResource>(
    client: &Client,
    cache: &Cache<K>,
    object: &K,
) -> Result<K, WriteError> {
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let created = object.api(client).create(&params, object).await?;
    cache.put_created(created.clone());
    Ok(created)
}

/// Replaces the spec of an object, and sets an annotation.
///
/// # Errors
/// As for [`status`].
pub async fn spec<K: RolewrightResource>(
    client: &Client,
    cache: &Cache<K>,
    object: &K,
    spec: Value,
    (annotation, value): (&str, String),
) -> Result<K, WriteError> {
    let present =
        serde_json::to_value(object).ok().and_then(|mut object| object.get_mut("spec").map(Value::take));
    let body = json!({
        "metadata": {
            "resourceVersion": object.resource_version(),
            "uid": object.uid(),
            "annotations": { annotation: value },
        },
        "spec": replacing(&present.unwrap_or_default(), spec),
    });
    let written = object.api(client).patch(&object.name_any(), &params(), &Patch::Merge(body)).await?;
    cache.put(written.clone());
    Ok(written)
}

/// Deletes exactly this object. One that was deleted meanwhile is a success.
///
/// # Errors
/// When the API server refuses or does not answer.
pub async fn delete<K: RolewrightResource>(client: &Client, object: &K) -> Result<(), WriteError> {
    let preconditions = Preconditions { uid: object.uid(), resource_version: None };
    let params = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
    match object.api(client).delete(&object.name_any(), &params).await.map_err(WriteError::from) {
        Ok(_) | Err(WriteError::Gone) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A merge patch that turns a value into another one: fields that the new one lacks are null. Without them they would stay.
fn replacing(present: &Value, new: Value) -> Value {
    let (present, mut new) = match (present, new) {
        (Value::Object(present), Value::Object(new)) => (present, new),
        (_, new) => return new,
    };
    for (name, present) in present {
        let field = new.get_mut(name).map(Value::take).unwrap_or_default();
        new.insert(name.clone(), replacing(present, field));
    }
    Value::Object(new)
}

/// The same after work was done: it is recorded even if the spec has changed in the meantime.
///
/// # Errors
/// [`WriteError::Stale`] when the status has changed since it was read.
pub async fn status_after_work<K: RolewrightResource>(
    client: &Client,
    cache: &Cache<K>,
    object: &K,
    fields: &[&str],
    status: Value,
) -> Result<K, WriteError> {
    const TRIES: usize = 3;
    let mut current = object.clone();
    for _ in 0..TRIES {
        match self::status(client, cache, &current, fields, status.clone()).await {
            Err(WriteError::Stale) => {}
            done => return done,
        }
        let live = object.api(client).get_opt(&object.name_any()).await?.ok_or(WriteError::Gone)?;
        let said = |object: &K| serde_json::to_value(object).ok().map(|mut value| value["status"].take());
        if live.uid() != object.uid() || said(&live) != said(object) {
            return Err(WriteError::Stale);
        }
        current = live;
    }
    Err(WriteError::Stale)
}

/// Sets an annotation of an object.
///
/// # Errors
/// As for [`status`].
pub async fn annotate<K: RolewrightResource>(
    client: &Client,
    cache: &Cache<K>,
    object: &K,
    annotation: &str,
    value: &str,
) -> Result<K, WriteError> {
    set_metadata(client, cache, object, "annotations", json!({ annotation: value })).await
}

/// Adds the finalizer of this operator.
///
/// # Errors
/// As for [`status`].
pub async fn add_finalizer<K: RolewrightResource>(
    client: &Client,
    cache: &Cache<K>,
    object: &K,
) -> Result<K, WriteError> {
    let mut finalizers = object.finalizers().to_vec();
    finalizers.push(api::FINALIZER.to_owned());
    set_finalizers(client, cache, object, finalizers).await
}

/// Removes the finalizer of this operator. An object that was deleted meanwhile is a success.
///
/// # Errors
/// As for [`status`].
pub async fn remove_finalizer<K: RolewrightResource>(
    client: &Client,
    cache: &Cache<K>,
    object: &K,
) -> Result<(), WriteError> {
    let finalizers = object.finalizers().iter().filter(|one| *one != api::FINALIZER).cloned().collect();
    match set_finalizers(client, cache, object, finalizers).await {
        Ok(_) | Err(WriteError::Gone) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn set_finalizers<K: RolewrightResource>(
    client: &Client,
    cache: &Cache<K>,
    object: &K,
    finalizers: Vec<String>,
) -> Result<K, WriteError> {
    set_metadata(client, cache, object, "finalizers", json!(finalizers)).await
}

async fn set_metadata<K: RolewrightResource>(
    client: &Client,
    cache: &Cache<K>,
    object: &K,
    field: &str,
    value: Value,
) -> Result<K, WriteError> {
    let body = json!({ "metadata": {
        "resourceVersion": object.resource_version(),
        "uid": object.uid(),
        field: value,
    }});
    let written = object.api(client).patch(&object.name_any(), &params(), &Patch::Merge(body)).await?;
    if written.meta().deletion_timestamp.is_none() {
        cache.put(written.clone());
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_removes_what_the_new_status_lacks() {
        let present = json!({"a": {"x": 1, "y": {"z": 2}}, "list": [{"k": 1}], "b": 3});
        let new = json!({"a": {"y": {}, "w": 4}, "list": [{"l": 2}]});
        assert_eq!(
            replacing(&present, new),
            json!({"a": {"x": null, "y": {"z": null}, "w": 4}, "list": [{"l": 2}], "b": null})
        );
        assert_eq!(replacing(&json!(null), json!({"a": 1})), json!({"a": 1}));
        assert_eq!(replacing(&json!({"a": 1}), json!(null)), json!(null));
    }
}
