//! Whether the CRD of a kind is being deleted, read live. One read serves many deletions.
//!
//! The API server marks a CRD as being deleted before it deletes the objects. So a read that began after the deletion of an object was
//! seen shows why the object is deleted.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client, ResourceExt};
use rolewright_reconcile::object::ObjectKind;
use tokio::{sync::Mutex, time::Instant};

use super::{cache::Cache, caches::Cached, writes::WriteError};

/// An older read serves no further object: the CRD can be deleted after its objects.
const MAX_AGE: Duration = Duration::from_secs(5);

/// The last read of the CRD of each kind.
#[derive(Default)]
pub struct Definitions {
    reads: parking_lot::Mutex<HashMap<ObjectKind, Arc<Mutex<Option<Read>>>>>,
}

struct Read {
    begun: Instant,
    /// The UIDs of the objects whose deletion was seen before it began. It serves each of them once.
    serves: HashSet<String>,
    result: Result<bool, Arc<kube::Error>>,
}

impl Definitions {
    /// Whether the CRD of an object that is being deleted is being deleted too. A missing CRD is.
    ///
    /// # Errors
    /// When the API server does not answer: nothing is removed on a guess.
    pub async fn is_being_deleted<K: Cached>(
        &self,
        client: &Client,
        cache: &Cache<K>,
        object: &K,
    ) -> Result<bool, WriteError> {
        let last = self.reads.lock().entry(K::KIND).or_default().clone();
        let uid = object.uid().unwrap_or_default();
        // The others wait for a read under way.
        let mut last = last.lock().await;
        if let Some(read) = last.as_mut().filter(|read| read.begun.elapsed() < MAX_AGE)
            && read.serves.remove(&uid)
        {
            return read.result.clone().map_err(WriteError::Api);
        }
        let begun = Instant::now();
        let deleted = cache.select(|object| object.is_being_deleted());
        let serves = deleted.iter().filter_map(|object| object.uid()).filter(|other| *other != uid).collect();
        let result = read::<K>(client).await.map_err(Arc::new);
        *last = Some(Read { begun, serves, result: result.clone() });
        result.map_err(WriteError::Api)
    }
}

async fn read<K: Cached>(client: &Client) -> Result<bool, kube::Error> {
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let name = format!("{}.{}", K::plural(&()), K::group(&()));
    let found = definitions.get_opt(&name).await?;
    Ok(found.is_none_or(|definition| definition.metadata.deletion_timestamp.is_some()))
}
