//! The watches: one for each kind, and for each namespace where the operator serves a list of them.

use std::{future::Future, sync::Arc};

use futures::{StreamExt, future::join_all};
use kube::{
    Api, Client,
    core::{DeserializeGuard, NamespaceResourceScope},
    runtime::{WatchStreamExt, watcher},
};
use serde::de::DeserializeOwned;
use tokio::{sync::oneshot, task::JoinSet};

use super::cache::{Cache, Feed};
use crate::context::Context;

/// Starts all watches. The future is done when every first list is.
pub fn start(
    ctx: &Arc<Context>,
    client: &Client,
    tasks: &mut JoinSet<()>,
) -> impl Future<Output = ()> + use<> {
    let mut first = Vec::new();
    let caches = &ctx.caches;
    let namespaces: Vec<Option<String>> = match ctx.options.namespaces.as_slice() {
        [] => vec![None],
        listed => listed.iter().cloned().map(Some).collect(),
    };
    for namespace in namespaces {
        first.push(watch(client, &caches.backends, namespace.clone(), tasks));
        first.push(watch(client, &caches.roles, namespace.clone(), tasks));
        first.push(watch(client, &caches.bindings, namespace.clone(), tasks));
        first.push(watch(client, &caches.restrictions, namespace, tasks));
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
    let mut feed = Feed::new(cache.clone(), namespace);
    let (done, first) = oneshot::channel();
    let mut done = Some(done);
    let mut events = watcher(api, watcher::Config::default().streaming_lists()).default_backoff().boxed();
    tasks.spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if let Some(event) = decoded(event)
                        && feed.apply(event)
                        && let Some(done) = done.take()
                    {
                        let _ = done.send(());
                    }
                }
                Err(error) => {
                    tracing::warn!(kind = %K::kind(&()), error = brief(&error), "a watch broke and is restarted");
                }
            }
        }
    });
    first
}

/// Without the whole of the API server's answer, which says little and takes ten lines.
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

/// An object that cannot be decoded is left out and told; it does not hold the others up.
fn decoded<K: kube::Resource<DynamicType = ()>>(
    event: watcher::Event<DeserializeGuard<K>>,
) -> Option<watcher::Event<K>> {
    let decode = |guard: DeserializeGuard<K>| match guard.0 {
        Ok(object) => Some(object),
        Err(invalid) => {
            tracing::warn!(
                kind = %K::kind(&()),
                namespace = invalid.metadata.namespace.unwrap_or_default(),
                name = invalid.metadata.name.unwrap_or_default(),
                error = %invalid.error,
                "this object cannot be decoded and is ignored"
            );
            None
        }
    };
    match event {
        watcher::Event::Apply(object) => decode(object).map(watcher::Event::Apply),
        watcher::Event::Delete(object) => decode(object).map(watcher::Event::Delete),
        watcher::Event::InitApply(object) => decode(object).map(watcher::Event::InitApply),
        watcher::Event::Init => Some(watcher::Event::Init),
        watcher::Event::InitDone => Some(watcher::Event::InitDone),
    }
}
