//! Kubernetes Events: they report what happened; conditions report what is still so. They are written in the background, and a failure to
//! write one is logged and changes nothing else.

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    jiff::Timestamp,
};
use kube::{Api, Client, Resource, api::PostParams};
use rolewright_reconcile::readiness::truncate;
use tokio::sync::mpsc;

/// The reporting controller of all Events.
const REPORTER: &str = "rolewright.dev/operator";
/// The longest note that the API server accepts, in bytes.
const MAX_NOTE: usize = 1024;
/// The most Events that wait to be written. More are dropped and logged, so that a slow API server does not fill the memory.
const MAX_WAITING: usize = 1000;

/// Accepts Events. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    sender: mpsc::Sender<Event>,
    instance: String,
}

/// The type of an Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// As intended.
    Normal,
    /// A person should know.
    Warning,
}

impl Events {
    /// Starts the writer, which runs until the last sender is dropped. `instance` names this process.
    pub fn start(client: Client, instance: String) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, mut receiver) = mpsc::channel::<Event>(MAX_WAITING);
        let writer = tokio::spawn(async move {
            while let Some(event) = receiver.recv().await {
                let namespace = event.metadata.namespace.clone().unwrap_or_default();
                let api: Api<Event> = Api::namespaced(client.clone(), &namespace);
                if let Err(error) = api.create(&PostParams::default(), &event).await {
                    // A terminating namespace accepts no new objects.
                    if !matches!(&error, kube::Error::Api(status) if status.code == 403 || status.code == 404)
                    {
                        tracing::warn!(%error, namespace, reason = event.reason, "an Event was not written");
                    }
                }
            }
        });
        (Self { sender, instance }, writer)
    }

    /// Publishes an Event about an object, in the namespace of the object.
    pub fn publish<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        severity: Severity,
        reason: &str,
        note: &str,
    ) {
        let namespace = object.meta().namespace.clone().unwrap_or_default();
        self.publish_in(&namespace, object.object_ref(&()), severity, reason, note);
    }

    /// Publishes an Event in another namespace than that of its object.
    pub fn publish_in(
        &self,
        namespace: &str,
        regarding: ObjectReference,
        severity: Severity,
        reason: &str,
        note: &str,
    ) {
        let name = regarding.name.clone().unwrap_or_default();
        let event = Event {
            metadata: ObjectMeta {
                namespace: Some(namespace.to_owned()),
                name: Some(format!(
                    "{}.{:016x}",
                    truncate(&name, 200).trim_end_matches(['.', '-']),
                    fastrand::u64(..)
                )),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(Timestamp::now())),
            regarding: Some(regarding),
            reason: Some(reason.to_owned()),
            action: Some(reason.to_owned()),
            note: Some(truncate(note, MAX_NOTE).to_owned()),
            type_: Some(match severity {
                Severity::Normal => "Normal".to_owned(),
                Severity::Warning => "Warning".to_owned(),
            }),
            reporting_controller: Some(REPORTER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            ..Event::default()
        };
        if self.sender.try_send(event).is_err() {
            tracing::warn!(
                namespace,
                name,
                reason,
                "too many Events wait to be written: this one was dropped"
            );
        }
    }
}
