//! More ways to look at a test's world.

use std::time::Duration;

use kube::{
    Api,
    api::{DynamicObject, ListParams},
    runtime::wait::await_condition,
};
use serde_json::{Value, json};

use super::{
    account::Account,
    world::{World, resource},
};

const PATIENCE: Duration = Duration::from_secs(60);

impl<V: Account> World<V> {
    /// Sets an annotation; null removes it.
    pub async fn annotate(&self, kind: &str, name: &str, annotation: &str, value: impl Into<Value>) {
        let patch = json!({ "metadata": { "annotations": { annotation: value.into() } } });
        self.patch(kind, name, patch).await;
    }

    /// Waits until a whole sweep has passed, and says what the account was asked to write since a point of its log.
    pub async fn writes_after_a_sweep(&self, since: u64) -> Vec<String> {
        self.swept().await;
        self.writes_since(since)
    }

    /// Waits until an object that is there has this reason; unlike `reason`, gives the whole object.
    pub async fn with_reason(&self, kind: &str, name: &str, wanted: &str) -> DynamicObject {
        self.reason(kind, name, wanted).await;
        self.get(kind, name).await
    }

    /// The reasons of all Events about objects of this name, in no order.
    pub async fn event_reasons(&self, name: &str) -> Vec<String> {
        let events = self.api("events.k8s.io/v1", "Event").list(&ListParams::default()).await.unwrap();
        let about = events.items.iter().filter(|event| event.data["regarding"]["name"] == name);
        about.filter_map(|event| event.data["reason"].as_str().map(str::to_owned)).collect()
    }

    /// Waits until an Event of this reason is there in another namespace. Gives its note.
    pub async fn event_in(&self, namespace: &str, wanted: &str) -> String {
        let events: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), namespace, &resource("events.k8s.io/v1", "Event"));
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let all = events.list(&ListParams::default()).await.unwrap();
            if let Some(event) = all.items.iter().find(|event| event.data["reason"] == wanted) {
                return event.data["note"].as_str().unwrap().to_owned();
            }
            assert!(tokio::time::Instant::now() < deadline, "no Event {wanted}\n{}", self.operator.tail());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Asks for the deletion of the whole namespace.
    pub async fn delete_namespace(&self) {
        let namespaces: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource("v1", "Namespace"));
        namespaces.delete(&self.namespace, &kube::api::DeleteParams::default()).await.unwrap();
    }

    /// Waits until the whole namespace is gone.
    pub async fn namespace_gone(&self) {
        let namespaces: Api<DynamicObject> = Api::all_with(self.client.clone(), &resource("v1", "Namespace"));
        let gone = |object: Option<&DynamicObject>| object.is_none();
        let waiting = await_condition(namespaces.clone(), &self.namespace, gone);
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            let now = namespaces.get_opt(&self.namespace).await.unwrap();
            panic!(
                "the namespace is still there: {}\n{}\n{}",
                serde_json::to_string_pretty(&now).unwrap(),
                self.everything().await,
                self.operator.tail()
            );
        }
    }

    /// Every object and Event of the namespace as JSON.
    pub async fn everything(&self) -> String {
        let mut all = Vec::new();
        for kind in ["Backend", "Role", "RoleBinding", "ResourceRestriction"] {
            all.extend(self.ours(kind).list(&ListParams::default()).await.unwrap().items);
        }
        all.extend(self.api("events.k8s.io/v1", "Event").list(&ListParams::default()).await.unwrap().items);
        serde_json::to_string(&all).unwrap()
    }
}

impl World {
    /// The id of a role of the account.
    pub fn role_id(&self, name: &str) -> Option<String> {
        self.sim.world().tenant().role_by_name(name).map(|id| id.to_string())
    }

    /// Gives a user a role on a space behind the operator's back. Gives the id of the binding.
    pub fn grant_by_hand(&self, email: &str, role: &str, space: &str) -> String {
        self.sim.edit(|tenant| {
            let user = tenant.user_by_email(email).unwrap();
            let role = tenant.role_by_name(role).unwrap();
            let space = tenant.space_by_name(space).unwrap();
            rolewright_simulators::arize::role_bindings::set(tenant, user, space, role);
            let made = rolewright_simulators::arize::role_bindings::held(tenant, user, space);
            made.unwrap().id.to_string()
        })
    }

    /// The ids and role names of the bindings of a user, by the user's address.
    pub fn grants_of(&self, email: &str) -> Vec<(String, String)> {
        let tenant = self.sim.world().tenant();
        let user = tenant.user_by_email(email).unwrap();
        let of_user = tenant.role_bindings.iter().filter(|binding| binding.user_id == user);
        of_user
            .map(|binding| {
                let role = tenant.roles.get(binding.role_id).map(|role| role.name.clone());
                (binding.id.to_string(), role.unwrap_or_default())
            })
            .collect()
    }
}

/// What an object's status plans: null where there is nothing to do.
pub fn plan(object: &DynamicObject) -> &Value {
    &object.data["status"]["plan"]
}
