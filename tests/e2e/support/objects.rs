//! The Kubernetes objects of a test: how it applies, deletes and lists them, and what it waits for.

use std::time::Duration;

use kube::{
    Api, ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, ValidationDirective},
    runtime::wait::await_condition,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    account::Account,
    cluster::resource,
    manifests::kind_and_name,
    status::{condition, has_finalizer, has_reason, managed_ids, reason},
    world::{PATIENCE, World},
};

/// The `apiVersion` of the custom resources.
pub(super) const GROUP_VERSION: &str = "rolewright.dev/v1alpha1";
/// The kinds that manage external things.
pub(super) const MANAGING_KINDS: [&str; 3] = ["Role", "RoleBinding", "ResourceRestriction"];
const EVENTS: &str = "events.k8s.io/v1";

impl<V: Account> World<V> {
    /// The API of a kind, in the test's namespace if the kind has one.
    pub fn api(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        let (client, resource) = (self.client.clone(), resource(version, kind));
        match kind {
            "ClusterBackend" | "Namespace" => Api::all_with(client, &resource),
            _ => Api::namespaced_with(client, &self.namespace, &resource),
        }
    }

    fn custom_resources(&self, kind: &str) -> Api<DynamicObject> {
        self.api(GROUP_VERSION, kind)
    }

    /// Applies an object. Panics if the API server refuses it.
    pub async fn apply(&self, object: Value) -> DynamicObject {
        self.try_apply(object).await.unwrap()
    }

    /// Applies an object with strict validation.
    pub async fn try_apply(&self, object: Value) -> Result<DynamicObject, kube::Error> {
        let (kind, name) = kind_and_name(&object);
        let api = self.api(object["apiVersion"].as_str().unwrap(), kind);
        api.patch(name, &strict_apply(), &Patch::Apply(&object)).await
    }

    /// Applies objects, and waits until all are ready.
    pub async fn apply_all(&self, objects: &[Value]) {
        for object in objects {
            self.apply(object.clone()).await;
        }
        for (kind, name) in objects.iter().map(kind_and_name) {
            self.ready(kind, name).await;
        }
    }

    /// Changes an object by a merge patch.
    pub async fn patch(&self, kind: &str, name: &str, patch: Value) {
        let api = self.custom_resources(kind);
        api.patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    }

    /// Changes the status of an object by a merge patch.
    pub async fn patch_status(&self, kind: &str, name: &str, patch: Value) {
        let (api, patch) = (self.custom_resources(kind), json!({ "status": patch }));
        api.patch_status(name, &PatchParams::default(), &Patch::Merge(&patch)).await.unwrap();
    }

    /// Sets an annotation; null removes it.
    pub async fn annotate(&self, kind: &str, name: &str, annotation: &str, value: impl Into<Value>) {
        let patch = json!({ "metadata": { "annotations": { annotation: value.into() } } });
        self.patch(kind, name, patch).await;
    }

    /// Sets an annotation of the namespace; null removes it.
    pub async fn annotate_namespace(&self, annotation: &str, value: impl Into<Value>) {
        self.patch_namespace(json!({ "annotations": { annotation: value.into() } })).await;
    }

    /// Changes the metadata of the namespace.
    pub async fn patch_namespace(&self, metadata: Value) {
        let patch = Patch::Merge(json!({ "metadata": metadata }));
        let namespaces = self.api("v1", "Namespace");
        namespaces.patch(&self.namespace, &PatchParams::default(), &patch).await.unwrap();
    }

    /// Requests a reconcile with this value, which must be a new one.
    pub async fn request_reconcile(&self, kind: &str, name: &str, value: impl ToString) {
        self.annotate(kind, name, "rolewright.dev/reconcile-at", value.to_string()).await;
    }

    /// Acknowledges what vanished, as the condition `Ready` of the Backend says.
    pub async fn acknowledge(&self, backend: &str) {
        const WORD: &str = "rolewright.dev/acknowledge=";
        let found = self.get("Backend", backend).await;
        let message =
            found.data["status"]["conditions"][0]["message"].as_str().unwrap_or_default().to_owned();
        let (_, token) = message.split_once(WORD).unwrap_or_else(|| panic!("no token in {message:?}"));
        self.annotate("Backend", backend, "rolewright.dev/acknowledge", token.to_owned()).await;
    }

    /// Requests the deletion of an object.
    pub async fn delete(&self, kind: &str, name: &str) {
        self.custom_resources(kind).delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Deletes an object, and waits until it is deleted.
    pub async fn delete_and_wait(&self, kind: &str, name: &str) {
        self.delete(kind, name).await;
        self.wait_deleted(kind, name).await;
    }

    /// Requests the deletion of these objects in this order, and waits until they are deleted.
    pub async fn delete_all(&self, objects: &[(&str, &str)]) {
        for (kind, name) in objects {
            self.delete(kind, name).await;
        }
        for (kind, name) in objects {
            self.wait_deleted(kind, name).await;
        }
    }

    /// Deletes all objects while no operator runs, and creates them again as a tool for backups does: with their annotations, without
    /// status and finalizers. Then starts an operator.
    pub async fn restore_from_backup(&mut self) {
        self.operator.kill();
        let mut backup = Vec::new();
        for kind in MANAGING_KINDS.iter().chain(&["Backend"]) {
            for object in self.list(GROUP_VERSION, kind).await {
                let name = object.name_any();
                backup.push(json!({
                    "apiVersion": GROUP_VERSION,
                    "kind": kind,
                    "metadata": { "name": name, "annotations": object.annotations() },
                    "spec": object.data["spec"],
                }));
                self.delete(kind, &name).await;
                // An object that manages nothing has no finalizer and is deleted already.
                let patch = Patch::Merge(json!({ "metadata": { "finalizers": null } }));
                let _ = self.custom_resources(kind).patch(&name, &PatchParams::default(), &patch).await;
                self.wait_deleted(kind, &name).await;
            }
        }
        for object in backup {
            let api = self.custom_resources(kind_and_name(&object).0);
            api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
        }
        self.restart();
    }

    /// Requests the deletion of the whole namespace.
    pub async fn delete_namespace(&self) {
        let namespaces: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource("v1", "Namespace"));
        namespaces.delete(&self.namespace, &DeleteParams::default()).await.unwrap();
    }

    /// The current state of an object.
    pub async fn get(&self, kind: &str, name: &str) -> DynamicObject {
        self.custom_resources(kind).get(name).await.unwrap()
    }

    /// The objects of a namespaced kind.
    pub async fn list(&self, version: &str, kind: &str) -> Vec<DynamicObject> {
        self.api(version, kind).list(&ListParams::default()).await.unwrap().items
    }

    /// Waits until an object is ready at its current generation.
    pub async fn ready(&self, kind: &str, name: &str) -> DynamicObject {
        self.until(kind, name, "ready", |object| ["InSync", "Connected"].contains(&reason(object).as_str()))
            .await
    }

    /// Waits until these objects are ready.
    pub async fn all_ready(&self, objects: &[(&str, &str)]) {
        for (kind, name) in objects {
            self.ready(kind, name).await;
        }
    }

    /// Waits until an object reports this reason and these words at its current generation.
    pub async fn reports(&self, kind: &str, name: &str, reason: &str, words: &[&str]) -> DynamicObject {
        let what = format!("{reason} with {words:?}");
        self.until(kind, name, &what, |object| has_reason(object, reason, words)).await
    }

    /// Applies an object, and waits until it is `Invalid` with these words. It must manage nothing and be stalled.
    pub async fn apply_invalid(&self, object: Value, words: &[&str]) {
        let (kind, name) = kind_and_name(&object);
        self.apply(object.clone()).await;
        let object = self.reports(kind, name, "Invalid", words).await;
        assert!(managed_ids(&object).is_empty(), "{kind} {name} manages something");
        assert!(!has_finalizer(&object), "{kind} {name} has a finalizer");
        assert_eq!(condition(&object, "Stalled")["status"], "True", "{kind} {name} is not stalled");
    }

    /// Waits until an object matches.
    pub async fn until(
        &self,
        kind: &str,
        name: &str,
        what: &str,
        matches: impl Fn(&DynamicObject) -> bool,
    ) -> DynamicObject {
        let condition = |object: Option<&DynamicObject>| object.is_some_and(&matches);
        let api = self.custom_resources(kind);
        match tokio::time::timeout(PATIENCE, await_condition(api, name, condition)).await {
            Ok(found) => found.unwrap().unwrap(),
            Err(_) => self.panic_with(kind, name, &format!("is not {what}")).await,
        }
    }

    /// Waits until an object is deleted.
    pub async fn wait_deleted(&self, kind: &str, name: &str) {
        let deleted = |object: Option<&DynamicObject>| object.is_none();
        let waiting = await_condition(self.custom_resources(kind), name, deleted);
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            self.panic_with(kind, name, "is not deleted").await;
        }
    }

    async fn panic_with(&self, kind: &str, name: &str, what: &str) -> ! {
        let now = self.custom_resources(kind).get_opt(name).await.unwrap();
        let shown = serde_json::to_string_pretty(&now).unwrap();
        panic!("{kind} {name} {what}: {shown}\n{}", self.operator.log_tail())
    }

    /// Waits until the whole namespace is deleted.
    pub async fn wait_namespace_deleted(&self) {
        let namespaces: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource("v1", "Namespace"));
        let deleted = |object: Option<&DynamicObject>| object.is_none();
        let waiting = await_condition(namespaces.clone(), &self.namespace, deleted);
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let now = namespaces.get_opt(&self.namespace).await.unwrap();
            panic!(
                "the namespace is not deleted: {}\n{}\n{}",
                serde_json::to_string_pretty(&now).unwrap(),
                self.objects_and_events().await,
                self.operator.log_tail()
            );
        }
    }

    /// Waits for an Event with this reason about an object of this name, and returns its note.
    pub async fn event(&self, name: &str, reason: &str) -> String {
        self.event_note(&self.api(EVENTS, "Event"), reason, Some(name)).await
    }

    /// Waits for an Event with this reason in another namespace, and returns its note.
    pub async fn event_in_namespace(&self, namespace: &str, reason: &str) -> String {
        let events: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource(EVENTS, "Event"));
        self.event_note(&events, reason, None).await
    }

    async fn event_note(&self, events: &Api<DynamicObject>, reason: &str, name: Option<&str>) -> String {
        let matches = |event: &&DynamicObject| {
            event.data["reason"] == reason && name.is_none_or(|name| event.data["regarding"]["name"] == name)
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let all = events.list(&ListParams::default()).await.unwrap();
            if let Some(event) = all.items.iter().find(matches) {
                return event.data["note"].as_str().unwrap().to_owned();
            }
            assert!(
                Instant::now() < deadline,
                "no Event {reason} for {name:?}\n{}",
                self.operator.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The number of Events in the namespace.
    pub async fn count_all_events(&self) -> usize {
        self.list(EVENTS, "Event").await.len()
    }

    /// How often something with this reason happened to an object of this name. Equal Events are one that counts them.
    pub async fn count_events(&self, name: &str, reason: &str) -> usize {
        let events = self.list(EVENTS, "Event").await;
        let about = |event: &&DynamicObject| {
            event.data["regarding"]["name"] == name && event.data["reason"] == reason
        };
        let count = |event: &DynamicObject| event.data["deprecatedCount"].as_u64().unwrap_or(1);
        usize::try_from(events.iter().filter(about).map(count).sum::<u64>()).unwrap()
    }

    /// The reasons of all Events about objects of this name, in any order.
    pub async fn event_reasons(&self, name: &str) -> Vec<String> {
        let events = self.list(EVENTS, "Event").await;
        let about = events.iter().filter(|event| event.data["regarding"]["name"] == name);
        about.filter_map(|event| event.data["reason"].as_str().map(str::to_owned)).collect()
    }

    /// Every custom resource and Event of the namespace as JSON.
    pub async fn objects_and_events(&self) -> String {
        let mut all = self.list(EVENTS, "Event").await;
        for kind in MANAGING_KINDS.iter().chain(&["Backend"]) {
            all.extend(self.list(GROUP_VERSION, kind).await);
        }
        serde_json::to_string(&all).unwrap()
    }

    /// Everything that others can read: the log, the objects and the Events. Secrets are left out.
    pub async fn public_output(&self) -> String {
        self.operator.log() + &self.objects_and_events().await
    }
}

/// Server-side apply that refuses unknown fields.
pub(super) fn strict_apply() -> PatchParams {
    PatchParams { field_validation: Some(ValidationDirective::Strict), ..PatchParams::apply("test").force() }
}
