//! The watches: one for each kind, and for each namespace where the operator serves a list of them.

use std::{future::Future, sync::Arc};

use futures::{StreamExt, future::join_all};
use kube::{
    Api, Client, Resource,
    core::{DeserializeGuard, NamespaceResourceScope},
    runtime::{WatchStreamExt, watcher},
};
use serde::de::DeserializeOwned;
use tokio::{sync::oneshot, task::JoinSet};

use super::{
    cache::{Cache, Feed},
    caches::Caches,
};

/// Starts all watches: of these namespaces, or of all when empty. The future is done when every first list is.
pub fn start(
    caches: &Caches,
    namespaces: &[String],
    client: &Client,
    tasks: &mut JoinSet<()>,
) -> impl Future<Output = ()> + use<> {
    let mut first = Vec::new();
    let namespaces: Vec<Option<String>> = match namespaces {
        [] => vec![None],
        listed => listed.iter().cloned().map(Some).collect(),
    };
    for namespace in namespaces {
        first.push(watch(client, &caches.backends, namespace.clone(), tasks));
        first.push(watch(client, &caches.roles, namespace.clone(), tasks));
        first.push(watch(client, &caches.bindings, namespace.clone(), tasks));
        first.push(watch(client, &caches.restrictions, namespace.clone(), tasks));
        first.push(watch(client, &caches.approvals, namespace, tasks));
    }
    async move {
        join_all(first).await;
    }
}

fn watch<K>(
    client: &Client,
    cache: &Arc<Cache<K>>,
    namespace: Option<String>,
    tasks: &mut JoinSet<()>,
) -> oneshot::Receiver<()>
where
    K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let api: Api<DeserializeGuard<K>> = match &namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let feed = Feed::new(cache.clone(), namespace);
    let (done, first) = oneshot::channel();
    tasks.spawn(follow(api, feed, done));
    first
}

/// Feeds a cache for ever: with streaming lists, and with a list and a watch where the API server has the WatchList feature off.
async fn follow<K>(api: Api<DeserializeGuard<K>>, mut feed: Feed<K>, done: oneshot::Sender<()>)
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    let mut done = Some(done);
    let mut config = watcher::Config::default().streaming_lists();
    loop {
        let mut events = watcher(api.clone(), config).default_backoff().boxed();
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if feed.apply(event)
                        && let Some(done) = done.take()
                    {
                        let _ = done.send(());
                    }
                }
                Err(error) if lacks_streaming_lists(&error) => {
                    tracing::info!(kind = %K::kind(&()), "the API server has no streaming lists: using list and watch");
                    break;
                }
                Err(error) => {
                    tracing::warn!(kind = %K::kind(&()), error = brief(&error), "a watch broke and is restarted");
                }
            }
        }
        config = watcher::Config::default();
    }
}

/// Kubernetes answers 422 to a streaming list while its WatchList feature is off, the default of 1.33. A resumed watch never asks for one.
fn lacks_streaming_lists(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::WatchStartFailed(kube::Error::Api(status)) if status.code == 422)
}

/// The short form: the whole answer of the API server takes ten lines.
fn brief(error: &watcher::Error) -> String {
    let cause = match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => error,
        watcher::Error::WatchError(status) => return status.message.clone(),
        watcher::Error::NoResourceVersion => return error.to_string(),
    };
    match cause {
        kube::Error::Api(status) => format!("{} ({})", status.message, status.code),
        other => other.to_string(),
    }
}
