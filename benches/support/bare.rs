//! The work of the operator without the operator: the same calls and the same writes in plain loops, as fast as both servers take them.

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::events::v1::Event;
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
    population::{Object, PAIRS, description, ends, permissions, role_name},
    simulator::{Simulator, TOKEN},
};

/// As many as the operator has workers, and calls under way at one time.
const AT_ONCE: usize = 4;

/// Makes the calls that an operator made by the simulator's log: the same reads, and a POST for each role and binding, with the
/// same fields.
///
/// # Errors
/// When one of them does not succeed.
pub async fn calls(sim: &Simulator, tenant: &Tenant, log: &[Entry]) -> Outcome<Duration> {
    let ends: Vec<_> = (0..PAIRS).map(|number| ends(tenant, number)).collect::<Outcome<_>>()?;
    let started = Instant::now();
    let reads = log.iter().filter(|entry| !entry.is_write());
    let reads = reads.map(|entry| call(sim, Method::GET, format!("{}?{}", entry.path, entry.query), None));
    stream::iter(reads).buffer_unordered(AT_ONCE).try_for_each(async |_| Ok(())).await?;
    let roles = (0..PAIRS).map(|number| {
        let (name, permissions, description) = (role_name(number), permissions(number), description(number));
        let body = json!({ "name": name, "permissions": permissions, "description": description });
        call(sim, Method::POST, "/v2/roles".to_owned(), Some(body))
    });
    let roles: Vec<Value> = stream::iter(roles).buffered(AT_ONCE).try_collect().await?;
    let bindings = roles.iter().zip(ends).map(|(role, (user, resource))| {
        let resource_type = if resource.kind == Kind::Space { "SPACE" } else { "PROJECT" };
        let body = json!({
            "role_id": role["id"], "user_id": user, "resource_type": resource_type, "resource_id": resource,
        });
        call(sim, Method::POST, "/v2/role-bindings".to_owned(), Some(body))
    });
    stream::iter(bindings).buffer_unordered(AT_ONCE).try_for_each(async |_| Ok(())).await?;
    Ok(started.elapsed())
}

async fn call(sim: &Simulator, method: Method, path: String, body: Option<Value>) -> Outcome<Value> {
    let mut request = sim.http.request(method, format!("{}{path}", sim.url)).bearer_auth(TOKEN);
    if let Some(body) = body {
        request = request.json(&body);
    }
    Ok(request.send().await?.error_for_status()?.json().await?)
}

/// What an operator wrote to the API server about the objects of a namespace, to be written once more about their twins.
pub struct Transcript {
    roles: Vec<Role>,
    bindings: Vec<RoleBinding>,
    events: Vec<Event>,
}

impl Transcript {
    /// Reads it from the objects and Events that the operator left.
    ///
    /// # Errors
    /// Of the API server.
    pub async fn read(client: &Client, namespace: &str) -> Outcome<Self> {
        Ok(Self {
            roles: list(client, namespace).await?,
            bindings: list(client, namespace).await?,
            events: list(client, namespace).await?,
        })
    }

    /// Writes it about the objects of another namespace: for each a finalizer, a status with an intent, a status with the outcome;
    /// one Event after the other beside that, as the operator does it, while the same kinds are watched. The time is that of the
    /// objects.
    ///
    /// # Errors
    /// When the API server refuses one of the writes.
    pub async fn write(self, client: &Client, namespace: &str) -> Outcome<Duration> {
        let roles = twins(client, namespace, self.roles).await?;
        let bindings = twins(client, namespace, self.bindings).await?;
        let watches =
            [watch::<Role>(client, namespace).await?, watch::<RoleBinding>(client, namespace).await?];
        let telling = tokio::spawn(tell(client.clone(), namespace.to_owned(), self.events));
        let started = Instant::now();
        write_all(client, namespace, roles).await?;
        write_all(client, namespace, bindings).await?;
        let time = started.elapsed();
        telling.await??;
        watches.iter().for_each(JoinHandle::abort);
        Ok(time)
    }
}

/// Watches a kind, and drops what it is told.
async fn watch<K: Object>(client: &Client, namespace: &str) -> Outcome<JoinHandle<()>> {
    let request = Request::new(K::url_path(&(), Some(namespace))).watch(&WatchParams::default(), "0")?;
    let told = client.request_stream(request).await?;
    Ok(tokio::spawn(async move {
        // It ends with the measurement, or with the connection.
        let _ = futures::io::copy(told, &mut futures::io::sink()).await;
    }))
}

async fn list<K: Object>(client: &Client, namespace: &str) -> Outcome<Vec<K>> {
    Ok(Api::<K>::namespaced(client.clone(), namespace).list(&ListParams::default()).await?.items)
}

/// Pairs every object of a namespace with the status that its model elsewhere has.
async fn twins<K: Object>(client: &Client, namespace: &str, models: Vec<K>) -> Outcome<Vec<(K, Value)>> {
    let twins = list::<K>(client, namespace).await?;
    let pairs = models.into_iter().zip(twins).map(|(model, twin)| {
        if model.name_any() != twin.name_any() {
            return Err("the two namespaces differ".into());
        }
        Ok((twin, serde_json::to_value(model)?["status"].take()))
    });
    pairs.collect()
}

async fn write_all<K: Object>(client: &Client, namespace: &str, twins: Vec<(K, Value)>) -> Outcome<()> {
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    let each = twins.into_iter().map(|(twin, status)| write_one(&api, twin, status));
    stream::iter(each).buffer_unordered(AT_ONCE).try_collect().await
}

async fn write_one<K: Object>(api: &Api<K>, twin: K, status: Value) -> Outcome<()> {
    let name = twin.name_any();
    let params = PatchParams::default();
    let version = |object: &K, mut patch: Value| {
        patch["metadata"]["resourceVersion"] = json!(object.resource_version());
        patch["metadata"]["uid"] = json!(object.uid());
        Patch::Merge(patch)
    };
    let kept = version(&twin, json!({ "metadata": { "finalizers": [FINALIZER] } }));
    let twin = api.patch(&name, &params, &kept).await?;
    let mut intent = status["held"].clone();
    for entry in intent.as_array_mut().into_iter().flatten() {
        entry["state"] = json!("Pending");
        entry["id"] = Value::Null;
    }
    let intended = version(&twin, json!({ "status": { "held": intent } }));
    let twin = api.patch_status(&name, &params, &intended).await?;
    api.patch_status(&name, &params, &version(&twin, json!({ "status": status }))).await?;
    Ok(())
}

async fn tell(client: Client, namespace: String, events: Vec<Event>) -> Outcome<()> {
    let api: Api<Event> = Api::namespaced(client, &namespace);
    for mut event in events {
        event.metadata = kube::core::ObjectMeta {
            name: event.metadata.name,
            namespace: Some(namespace.clone()),
            ..Default::default()
        };
        if let Some(regarding) = &mut event.regarding {
            regarding.namespace = Some(namespace.clone());
        }
        api.create(&PostParams::default(), &event).await?;
    }
    Ok(())
}
