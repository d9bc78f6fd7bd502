//! The watches: one for each kind, and for each namespace where the operator serves a list of them.

use std::{future::Future, sync::Arc};

use futures::{StreamExt, future::join_all};
use kube::{
    Api, Client, Resource,
    core::{DeserializeGuard, NamespaceResourceScope},
    runtime::{WatchStreamExt, watcher},
};
use rolewright_api::{AnyBackend, BackendRefKind};
use serde::de::DeserializeOwned;
use tokio::{sync::oneshot, task::JoinSet};

use super::{
    cache::{Cache, Feed, Scope},
    caches::Caches,
    selected,
};

/// Starts all watches: of these namespaces, or of all when empty. Only an operator that serves all of them serves ClusterBackends. The
/// future is done when every first list is.
pub fn start(
    caches: &Caches,
    namespaces: &[String],
    client: &Client,
    tasks: &mut JoinSet<()>,
) -> impl Future<Output = ()> + use<> {
    let mut first = Vec::new();
    let scopes: Vec<Scope> = match namespaces {
        [] => vec![Scope::Namespaces],
        listed => listed.iter().cloned().map(Scope::Namespace).collect(),
    };
    for scope in scopes {
        first.push(watch_backends(client, &caches.backends, BackendRefKind::Backend, scope.clone(), tasks));
        first.push(watch(client, &caches.roles, scope.clone(), tasks));
        first.push(watch(client, &caches.bindings, scope.clone(), tasks));
        first.push(watch(client, &caches.restrictions, scope.clone(), tasks));
        first.push(watch(client, &caches.prunes, scope.clone(), tasks));
        first.push(watch(client, &caches.approvals, scope.clone(), tasks));
        first.push(watch(client, &caches.offers, scope.clone(), tasks));
        first.push(watch(client, &caches.requests, scope, tasks));
    }
    if namespaces.is_empty() {
        let kind = BackendRefKind::ClusterBackend;
        first.push(watch_backends(client, &caches.backends, kind, Scope::Cluster, tasks));
        first.push(selected::follow(client, &caches.namespaces, tasks));
    }
    async move {
        join_all(first).await;
    }
}

fn watch_backends(
    client: &Client,
    cache: &Arc<Cache<AnyBackend>>,
    kind: BackendRefKind,
    scope: Scope,
    tasks: &mut JoinSet<()>,
) -> oneshot::Receiver<()> {
    let api = match &scope {
        Scope::Namespace(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
        Scope::Cluster | Scope::Namespaces => Api::all_with(client.clone(), &kind),
    };
    spawn(api, Feed::new(cache.clone(), &kind, scope), tasks)
}

fn watch<K>(
    client: &Client,
    cache: &Arc<Cache<K>>,
    scope: Scope,
    tasks: &mut JoinSet<()>,
) -> oneshot::Receiver<()>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let api = match &scope {
        Scope::Namespace(namespace) => Api::namespaced(client.clone(), namespace),
        Scope::Cluster | Scope::Namespaces => Api::all(client.clone()),
    };
    spawn(api, Feed::new(cache.clone(), &(), scope), tasks)
}

fn spawn<K>(
    api: Api<DeserializeGuard<K>>,
    mut feed: Feed<K>,
    tasks: &mut JoinSet<()>,
) -> oneshot::Receiver<()>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (done, first) = oneshot::channel();
    let kind = feed.kind.clone();
    tasks.spawn(follow(api, kind, move |event| feed.apply(event), done));
    first
}

/// Follows a watch for ever: with streaming lists, and with a list and a watch where the API server has the WatchList feature off.
/// `apply` returns whether a list is complete. Sends `done` after the first list.
pub async fn follow<K>(
    api: Api<K>,
    kind: String,
    mut apply: impl FnMut(watcher::Event<K>) -> bool,
    done: oneshot::Sender<()>,
) where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + 'static,
{
    let mut done = Some(done);
    let mut config = watcher::Config::default().streaming_lists();
    loop {
        let mut events = watcher(api.clone(), config).default_backoff().boxed();
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if apply(event)
                        && let Some(done) = done.take()
                    {
                        let _ = done.send(());
                    }
                }
                Err(error) if lacks_streaming_lists(&error) => {
                    tracing::info!(kind, "the API server has no streaming lists: using list and watch");
                    break;
                }
                // It does, for a second or two, for each kind that an installation has just added.
                Err(error) if has_code(&error, 429) => {
                    tracing::info!(
                        kind,
                        error = brief(&error),
                        "the API server requests a pause; the watch is retried"
                    );
                }
                Err(error) => {
                    tracing::warn!(kind, error = brief(&error), "a watch broke and is restarted");
                }
            }
        }
        config = watcher::Config::default();
    }
}

/// Kubernetes answers 422 to a streaming list while its WatchList feature is off, the default of 1.33. A resumed watch never asks for one.
fn lacks_streaming_lists(error: &watcher::Error) -> bool {
    has_code(error, 422)
}

/// Whether the API server refused to start a watch with this code.
fn has_code(error: &watcher::Error, code: u16) -> bool {
    use watcher::Error::{InitialListFailed, WatchFailed, WatchStartFailed};
    matches!(error, InitialListFailed(kube::Error::Api(status)) | WatchStartFailed(kube::Error::Api(status)) | WatchFailed(kube::Error::Api(status)) if status.code == code)
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
