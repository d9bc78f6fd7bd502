//! What tests of bad days need beside the rest: faults, versions, and everything that anybody can read.

use std::{collections::BTreeMap, time::Duration};

use kube::{
    Api,
    api::{DynamicObject, ListParams},
    core::{ApiResource, GroupVersionKind},
};
use rolewright_simulators::kit::{
    faults::{Action, Fault},
    log::Entry,
};

use super::{
    account::Account,
    world::{World, ready_condition, reason},
};

/// How long a condition may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The kinds that hold things.
const MANAGED: [&str; 3] = ["Role", "RoleBinding", "ResourceRestriction"];

/// An answer of this status, without any work.
pub fn status(status: u16) -> Action {
    Action::Status { status, headers: BTreeMap::new(), body: None, after_work: false }
}

/// A page for people in the place of an answer, which comes before the work or after it.
pub fn page(status: u16, text: &str, after_work: bool) -> Action {
    Action::Status {
        status,
        headers: [("content-type".to_owned(), "text/html".to_owned())].into(),
        body: Some(format!("<html>{text}</html>").into()),
        after_work,
    }
}

/// A refusal that asks for so many seconds of rest.
pub fn throttle(seconds: u64) -> Action {
    Action::Status {
        status: 429,
        headers: [("Retry-After".to_owned(), seconds.to_string())].into(),
        body: None,
        after_work: false,
    }
}

impl<V: Account> World<V> {
    /// Lets the account misbehave.
    pub fn fault(&self, methods: &[&str], path: &str, action: Action) {
        self.sim.world().faults.add(Fault::on(methods, path, action)).unwrap();
    }

    /// Lets it misbehave so many times.
    pub fn fault_times(&self, methods: &[&str], path: &str, action: Action, times: u64) {
        self.sim.world().faults.add(Fault::on(methods, path, action).times(times)).unwrap();
    }

    /// Ends all misbehaviour.
    pub fn mend(&self) {
        self.sim.world().faults.clear();
    }

    /// Waits until every fault that is to hit so many times has done so.
    pub async fn faults_over(&self) {
        let over = |world: &Self| {
            let faults = world.sim.world().faults.list();
            faults.iter().all(|view| view.fault.times.is_none_or(|times| view.hits >= times))
        };
        self.account("all faults have hit", |_| over(self)).await;
    }

    /// The versions of all objects of ours: equal where the operator wrote nothing to any of them. A Backend is left out, because
    /// its counts follow the objects at their own pace.
    pub async fn versions(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for kind in MANAGED {
            for object in self.all("rolewright.dev/v1alpha1", kind).await {
                let name = format!("{kind} {}", object.metadata.name.unwrap_or_default());
                found.insert(name, object.metadata.resource_version.unwrap_or_default());
            }
        }
        found
    }

    /// The objects of a kind in this namespace.
    pub async fn all(&self, version: &str, kind: &str) -> Vec<DynamicObject> {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, &resource);
        api.list(&ListParams::default()).await.unwrap().items
    }

    /// How many Events of this reason there are for an object of this name.
    pub async fn events(&self, name: &str, wanted: &str) -> usize {
        let events = self.all("events.k8s.io/v1", "Event").await;
        let fits = |event: &&DynamicObject| {
            event.data["reason"] == wanted && event.data["regarding"]["name"] == name
        };
        events.iter().filter(fits).count()
    }

    /// Everything that others can read: the log, the Events, the objects. Secrets apart.
    pub async fn readable(&self) -> String {
        let mut text = self.operator.log();
        for kind in MANAGED.iter().chain(&["Backend"]) {
            text.push_str(&serde_json::to_string(&self.all("rolewright.dev/v1alpha1", kind).await).unwrap());
        }
        text.push_str(&serde_json::to_string(&self.all("events.k8s.io/v1", "Event").await).unwrap());
        text
    }

    /// The requests since a point of the log.
    pub fn asked(&self, since: u64) -> Vec<Entry> {
        self.sim.world().log.since(since).requests
    }

    /// How many requests of a method went to a path since a point of the log.
    pub fn count(&self, since: u64, method: &str, path: &str) -> usize {
        self.asked(since).iter().filter(|entry| entry.method == method && entry.path == path).count()
    }

    /// Waits until the log since a point is as asked for.
    pub async fn until_asked(&self, since: u64, what: &str, is: impl Fn(&[Entry]) -> bool) -> Vec<Entry> {
        match self.sim.world().log.wait_until(since, PATIENCE, is).await {
            Ok(entries) => entries,
            Err(entries) => panic!("not asked: {what}; {} requests\n{}", entries.len(), self.operator.tail()),
        }
    }

    /// Waits until an object says this with these words.
    pub async fn says(&self, kind: &str, name: &str, wanted: &str, words: &[&str]) -> DynamicObject {
        let fits = |object: &DynamicObject| {
            let message = ready_condition(object)["message"].as_str().unwrap_or_default().to_owned();
            reason(object) == wanted && words.iter().all(|word| message.contains(word))
        };
        self.until(kind, name, &format!("{wanted} with {words:?}"), fits).await
    }
}

/// How a subject of a binding stands: its state and what is said of it.
pub fn subject(object: &DynamicObject, name: &str) -> (String, String) {
    let subjects = object.data["status"]["subjects"].as_array().cloned().unwrap_or_default();
    let found = subjects.iter().find(|subject| subject["name"] == name).cloned().unwrap_or_default();
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    (text("state"), text("message"))
}
