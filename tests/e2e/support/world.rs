//! A test's own part of the world: a namespace, a simulated account, an operator that serves only this namespace.

use std::{path::PathBuf, time::Duration};

use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams},
    core::{ApiResource, GroupVersionKind},
    runtime::wait::await_condition,
};
use rolewright_simulators::{
    arize::Arize,
    kit::{Options, Server},
};
use serde_json::{Value, json};

pub use super::objects::{backend, binding, restriction, role};
use super::{account::Account, operator::Operator, setting::Setting};

/// The account admin's key in every simulated account.
pub const KEY: &str = "admin-key-0123456789";
/// How long a condition may take: far more than it ever should.
const PATIENCE: Duration = Duration::from_secs(60);

/// A test's own part of the world.
pub struct World<V: Account = Arize> {
    /// Its namespace.
    pub namespace: String,
    /// The simulated account.
    pub sim: Server<V>,
    /// A client with all rights.
    pub client: Client,
    /// The operator.
    pub operator: Operator,
    pub(super) kubeconfig: PathBuf,
    pub(super) log: PathBuf,
    pub(super) args: Vec<String>,
}

impl World {
    /// A namespace with a Secret and a Backend, a seeded account, an operator.
    pub async fn new(name: &str) -> Self {
        Self::of(name, Options::new(KEY)).await
    }

    /// The same without Secret and Backend, and with further arguments of the operator.
    pub async fn without_backend(name: &str, args: &[&str]) -> Self {
        Setting::new(name).args(args).world().await
    }
}

impl<V: Account> World<V> {
    /// Starts another operator process in the place of the one that ended.
    pub fn restart(&mut self) {
        self.operator = self.another_operator();
    }

    /// One more operator process for the same namespace.
    pub fn another_operator(&self) -> Operator {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        Operator::start(&self.kubeconfig, &self.log, &args)
    }

    /// Puts a key into the Secret, which names the simulator's host.
    pub async fn secret(&self, key: &str) {
        let host = self.sim.address();
        let (name, field) = V::SECRET;
        self.apply(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name, "annotations": { "rolewright.dev/hosts": host } },
            "stringData": { field: key },
        }))
        .await;
    }

    /// Applies an object. Panics when it is refused.
    pub async fn apply(&self, object: Value) -> DynamicObject {
        self.try_apply(object).await.unwrap()
    }

    /// Applies an object.
    pub async fn try_apply(&self, object: Value) -> Result<DynamicObject, kube::Error> {
        let version = object["apiVersion"].as_str().unwrap();
        let api = self.api(version, object["kind"].as_str().unwrap());
        let name = object["metadata"]["name"].as_str().unwrap();
        let params = PatchParams {
            field_validation: Some(kube::api::ValidationDirective::Strict),
            ..PatchParams::apply("test").force()
        };
        api.patch(name, &params, &Patch::Apply(&object)).await
    }

    /// Changes an object by a merge patch.
    pub async fn patch(&self, kind: &str, name: &str, patch: Value) {
        self.ours(kind).patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    }

    /// Asks for the deletion of an object.
    pub async fn delete(&self, kind: &str, name: &str) {
        self.ours(kind).delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// An object as it is now.
    pub async fn get(&self, kind: &str, name: &str) -> DynamicObject {
        self.ours(kind).get(name).await.unwrap()
    }

    /// Waits until an object is ready at its present generation.
    pub async fn ready(&self, kind: &str, name: &str) -> DynamicObject {
        self.until(kind, name, "ready", |object| reason(object) == "InSync" || reason(object) == "Connected")
            .await
    }

    /// Waits until an object has this reason at its present generation. Gives the message.
    pub async fn reason(&self, kind: &str, name: &str, wanted: &str) -> String {
        let object = self.until(kind, name, wanted, |object| reason(object) == wanted).await;
        ready_condition(&object)["message"].as_str().unwrap().to_owned()
    }

    /// Waits until an object is as asked for.
    pub async fn until(
        &self,
        kind: &str,
        name: &str,
        what: &str,
        is: impl Fn(&DynamicObject) -> bool,
    ) -> DynamicObject {
        let condition = |object: Option<&DynamicObject>| object.is_some_and(&is);
        match tokio::time::timeout(PATIENCE, await_condition(self.ours(kind), name, condition)).await {
            Ok(found) => found.unwrap().unwrap(),
            Err(_) => {
                let now = self.ours(kind).get_opt(name).await.unwrap();
                panic!(
                    "{kind} {name} is not {what}: {}\n{}",
                    serde_json::to_string_pretty(&now).unwrap(),
                    self.operator.tail()
                )
            }
        }
    }

    /// Waits until an object is gone.
    pub async fn gone(&self, kind: &str, name: &str) {
        let gone = |object: Option<&DynamicObject>| object.is_none();
        if tokio::time::timeout(PATIENCE, await_condition(self.ours(kind), name, gone)).await.is_err() {
            let now = self.ours(kind).get_opt(name).await.unwrap();
            panic!(
                "{kind} {name} is still there: {}\n{}",
                serde_json::to_string_pretty(&now).unwrap(),
                self.operator.tail()
            )
        }
    }

    /// Waits until an Event of this reason is there for an object of this name. Gives its note.
    pub async fn event(&self, name: &str, wanted: &str) -> String {
        let events = self.api("events.k8s.io/v1", "Event");
        let fits =
            |event: &DynamicObject| event.data["reason"] == wanted && event.data["regarding"]["name"] == name;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let all = events.list(&ListParams::default()).await.unwrap();
            if let Some(event) = all.items.iter().find(|event| fits(event)) {
                return event.data["note"].as_str().unwrap().to_owned();
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "no Event {wanted} for {name}\n{}",
                self.operator.tail()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the account is as asked for.
    pub async fn account(&self, what: &str, is: impl Fn(&V::Tenant) -> bool) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !is(&self.sim.world().tenant()) {
            assert!(
                tokio::time::Instant::now() < deadline,
                "the account is not so: {what}\n{}",
                self.operator.tail()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a whole sweep has begun and ended after this moment: then what a sweep would have done is done.
    pub async fn swept(&self) {
        for _ in 0..2 {
            let log = &self.sim.world().log;
            let since = log.since(0).last;
            assert!(
                log.wait_until(since, PATIENCE, V::has_sweep).await.is_ok(),
                "no sweep:\n{}",
                self.operator.tail()
            );
        }
    }

    /// The writes that the account was sent since a point of the log.
    pub fn writes_since(&self, since: u64) -> Vec<String> {
        let entries = self.sim.world().log.since(since).requests;
        entries
            .iter()
            .filter(|entry| V::is_change(entry))
            .map(|entry| format!("{} {}", entry.method, entry.path))
            .collect()
    }

    /// The present end of the account's log.
    pub fn now(&self) -> u64 {
        self.sim.world().log.since(0).last
    }

    /// Objects of one of our kinds.
    pub fn ours(&self, kind: &str) -> Api<DynamicObject> {
        self.api("rolewright.dev/v1alpha1", kind)
    }

    /// Objects of any namespaced kind.
    pub fn api(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(version, kind))
    }
}

pub(super) fn resource(version: &str, kind: &str) -> ApiResource {
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind))
}

/// The `Ready` condition; null where there is none of the present generation.
pub fn ready_condition(object: &DynamicObject) -> Value {
    let status = &object.data["status"];
    if status["observedGeneration"].as_i64() != object.metadata.generation {
        return Value::Null;
    }
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|condition| condition["type"] == "Ready").unwrap_or_default()
}

/// The reason of the `Ready` condition; empty where there is none of the present generation.
pub fn reason(object: &DynamicObject) -> String {
    ready_condition(object)["reason"].as_str().unwrap_or_default().to_owned()
}

/// The ids that an object holds.
pub fn held_ids(object: &DynamicObject) -> Vec<String> {
    let held = object.data["status"]["held"].as_array().cloned().unwrap_or_default();
    held.iter().filter_map(|entry| entry["id"].as_str().map(str::to_owned)).collect()
}

/// Whether our finalizer keeps an object.
pub fn kept(object: &DynamicObject) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == "rolewright.dev/hold")
}
