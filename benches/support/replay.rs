//! The operator's work without the operator: plain loops send the same requests and writes as fast as the servers accept them.

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Event;
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, Patch, PatchParams, PostParams, WatchParams},
    core::Request,
};
use reqwest::Method;
use rolewright_api::{FINALIZER, Role, RoleBinding};
use rolewright_simulators::{
    arize::{Kind, Tenant},
    kit::log::Entry,
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{
    Outcome,
    population::{Object, PAIRS, description, permissions, role_name, target},
    simulator::{Simulator, TOKEN},
};

/// Concurrent requests. The operator has as many workers.
const CONCURRENCY: usize = 4;

/// Sends the requests of an operator to the back end: the reads from the simulator's log, and a POST with the same fields for each role
/// and binding. Returns the time.
///
/// # Errors
/// If a request fails.
pub async fn requests(sim: &Simulator, tenant: &Tenant, log: &[Entry]) -> Outcome<Duration> {
    let targets: Vec<_> = (0..PAIRS).map(|number| target(tenant, number)).collect::<Outcome<_>>()?;
    let started = Instant::now();
    let reads = log.iter().filter(|entry| !entry.is_write());
    let reads = reads.map(|entry| call(sim, Method::GET, format!("{}?{}", entry.path, entry.query), None));
    stream::iter(reads).buffer_unordered(CONCURRENCY).try_for_each(async |_| Ok(())).await?;
    let roles = (0..PAIRS).map(|number| {
        let (name, permissions, description) = (role_name(number), permissions(number), description(number));
        let body = json!({ "name": name, "permissions": permissions, "description": description });
        call(sim, Method::POST, "/v2/roles".to_owned(), Some(body))
    });
    let roles: Vec<Value> = stream::iter(roles).buffered(CONCURRENCY).try_collect().await?;
    let bindings = roles.iter().zip(targets).map(|(role, (user, resource))| {
        let resource_type = if resource.kind == Kind::Space { "SPACE" } else { "PROJECT" };
        let body = json!({
            "role_id": role["id"], "user_id": user, "resource_type": resource_type, "resource_id": resource,
        });
        call(sim, Method::POST, "/v2/role-bindings".to_owned(), Some(body))
    });
    stream::iter(bindings).buffer_unordered(CONCURRENCY).try_for_each(async |_| Ok(())).await?;
    Ok(started.elapsed())
}

async fn call(sim: &Simulator, method: Method, path: String, body: Option<Value>) -> Outcome<Value> {
    let mut request = sim.http.request(method, format!("{}{path}", sim.url)).bearer_auth(TOKEN);
    if let Some(body) = body {
        request = request.json(&body);
    }
    Ok(request.send().await?.error_for_status()?.json().await?)
}

/// What an operator wrote to the API server for the objects of a namespace.
pub struct Transcript {
    roles: Vec<Role>,
    bindings: Vec<RoleBinding>,
    events: Vec<Event>,
}

impl Transcript {
    /// Reads the operator's writes from the objects and Events.
    ///
    /// # Errors
    /// If the API server refuses a request.
    pub async fn read(client: &Client, namespace: &str) -> Outcome<Self> {
        Ok(Self {
            roles: list(client, namespace).await?,
            bindings: list(client, namespace).await?,
            events: list(client, namespace).await?,
        })
    }

    /// Repeats the writes for equal objects in another namespace: for each a finalizer, a status with an intent, and a status with the
    /// outcome. As in the operator, Events are created one by one at the same time, and the kinds are watched. Returns the time of
    /// the writes to objects.
    ///
    /// # Errors
    /// If the API server refuses a write.
    pub async fn write(self, client: &Client, namespace: &str) -> Outcome<Duration> {
        let roles = copies(client, namespace, self.roles).await?;
        let bindings = copies(client, namespace, self.bindings).await?;
        let watches =
            [watch::<Role>(client, namespace).await?, watch::<RoleBinding>(client, namespace).await?];
        let events = tokio::spawn(create_events(client.clone(), namespace.to_owned(), self.events));
        let started = Instant::now();
        write_all(client, namespace, roles).await?;
        write_all(client, namespace, bindings).await?;
        let time = started.elapsed();
        events.await??;
        watches.iter().for_each(JoinHandle::abort);
        Ok(time)
    }
}

/// Watches a kind, and discards what it receives.
async fn watch<K: Object>(client: &Client, namespace: &str) -> Outcome<JoinHandle<()>> {
    let request = Request::new(K::url_path(&(), Some(namespace))).watch(&WatchParams::default(), "0")?;
    let stream = client.request_stream(request).await?;
    Ok(tokio::spawn(async move {
        // The copy ends with the measurement or with the connection.
        let _ = futures::io::copy(stream, &mut futures::io::sink()).await;
    }))
}

async fn list<K: Object>(client: &Client, namespace: &str) -> Outcome<Vec<K>> {
    Ok(Api::<K>::namespaced(client.clone(), namespace).list(&ListParams::default()).await?.items)
}

/// Pairs each object of a namespace with the status of the equal object among `models`.
async fn copies<K: Object>(client: &Client, namespace: &str, models: Vec<K>) -> Outcome<Vec<(K, Value)>> {
    let copies = list::<K>(client, namespace).await?;
    let pairs = models.into_iter().zip(copies).map(|(model, copy)| {
        if model.name_any() != copy.name_any() {
            return Err("the two namespaces have different objects".into());
        }
        Ok((copy, serde_json::to_value(model)?["status"].take()))
    });
    pairs.collect()
}

async fn write_all<K: Object>(client: &Client, namespace: &str, copies: Vec<(K, Value)>) -> Outcome<()> {
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let writes = copies.into_iter().map(|(copy, status)| write_one(&api, copy, status));
    stream::iter(writes).buffer_unordered(CONCURRENCY).try_collect().await
}

async fn write_one<K: Object>(api: &Api<K>, object: K, status: Value) -> Outcome<()> {
    let name = object.name_any();
    let params = PatchParams::default();
    let patch_of = |object: &K, mut patch: Value| {
        patch["metadata"]["resourceVersion"] = json!(object.resource_version());
        patch["metadata"]["uid"] = json!(object.uid());
        Patch::Merge(patch)
    };
    let finalizer = patch_of(&object, json!({ "metadata": { "finalizers": [FINALIZER] } }));
    let object = api.patch(&name, &params, &finalizer).await?;
    let mut pending = status["held"].clone();
    for entry in pending.as_array_mut().into_iter().flatten() {
        entry["state"] = json!("Pending");
        entry["id"] = Value::Null;
    }
    let intent = patch_of(&object, json!({ "status": { "held": pending } }));
    let object = api.patch_status(&name, &params, &intent).await?;
    api.patch_status(&name, &params, &patch_of(&object, json!({ "status": status }))).await?;
    Ok(())
}

async fn create_events(client: Client, namespace: String, events: Vec<Event>) -> Outcome<()> {
    let api: Api<Event> = Api::namespaced(client, &namespace);
    for mut event in events {
        event.metadata = kube::core::ObjectMeta {
            name: event.metadata.name,
            namespace: Some(namespace.clone()),
            ..Default::default()
        };
        event.involved_object.namespace = Some(namespace.clone());
        api.create(&PostParams::default(), &event).await?;
    }
    Ok(())
}
