//! Kubernetes Events: they report what happened; conditions report what is still so. They are written in the background, and a failure to
//! write one is logged and changes nothing else.
//!
//! They are Events of the core API, because `events.k8s.io/v1` refuses `lastTimestamp`, by which people sort them.

use k8s_openapi::{
    api::core::v1::{Event, EventSource, ObjectReference},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, Time},
    jiff::Timestamp,
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use prometheus_client::metrics::counter::Counter;
use rolewright_reconcile::readiness::truncate;
use serde_json::json;
use tokio::sync::mpsc;

use super::{
    series::{Known, Series},
    writes::FIELD_MANAGER,
};

/// The reporting controller of all Events.
const REPORTER: &str = "rolewright.dev/operator";
/// The longest note that the API server accepts, in bytes.
const MAX_NOTE: usize = 1024;
/// The most Events that wait to be written. More are dropped, logged and counted, so that a slow API server does not fill the memory.
const MAX_WAITING: usize = 1000;

/// Accepts Events. Cheap to clone.
#[derive(Clone)]
pub struct Events {
    sender: mpsc::Sender<Event>,
    instance: String,
    dropped: Counter,
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
    /// Starts the writer, which runs until the last sender is dropped. `instance` names this process; `dropped` counts the Events that
    /// found no room.
    pub fn start(client: Client, instance: String, dropped: Counter) -> (Self, tokio::task::JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel::<Event>(MAX_WAITING);
        (Self { sender, instance, dropped }, tokio::spawn(write_all(client, receiver)))
    }

    /// Publishes an Event about an object, in the namespace of the object. Events about an object without a namespace are in `default`.
    pub fn publish(&self, regarding: ObjectReference, severity: Severity, reason: &str, note: &str) {
        let namespace = regarding.namespace.clone().unwrap_or_else(|| "default".to_owned());
        self.publish_in(&namespace, regarding, severity, reason, note);
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
        let now = Timestamp::now();
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
            event_time: Some(MicroTime(now)),
            first_timestamp: Some(Time(now)),
            last_timestamp: Some(Time(now)),
            count: Some(1),
            involved_object: regarding,
            reason: Some(reason.to_owned()),
            action: Some(reason.to_owned()),
            message: Some(truncate(note, MAX_NOTE).to_owned()),
            type_: Some(match severity {
                Severity::Normal => "Normal".to_owned(),
                Severity::Warning => "Warning".to_owned(),
            }),
            source: Some(EventSource { component: Some(REPORTER.to_owned()), host: None }),
            reporting_component: Some(REPORTER.to_owned()),
            reporting_instance: Some(self.instance.clone()),
            ..Event::default()
        };
        if self.sender.try_send(event).is_err() {
            self.dropped.inc();
            tracing::warn!(
                namespace,
                name,
                reason,
                "too many Events wait to be written: this one was dropped"
            );
        }
    }
}

/// Writes Events one by one: a new one, or a higher count of an equal one.
async fn write_all(client: Client, mut receiver: mpsc::Receiver<Event>) {
    let mut series = Series::default();
    while let Some(event) = receiver.recv().await {
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(client.clone(), &namespace);
        let written = match series.next(&event) {
            Some(known) => match repeat(&api, &event, &known).await {
                // It has expired.
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    create(&api, &event, &mut series).await
                }
                written => written,
            },
            None => create(&api, &event, &mut series).await,
        };
        // A terminating namespace accepts no new objects.
        if let Err(error) = written
            && !matches!(&error, kube::Error::Api(status) if status.code == 403 || status.code == 404)
        {
            tracing::warn!(%error, namespace, reason = event.reason, "an Event was not written");
        }
    }
}

async fn create(api: &Api<Event>, event: &Event, series: &mut Series) -> Result<(), kube::Error> {
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    api.create(&params, event).await?;
    series.add(event);
    Ok(())
}

async fn repeat(api: &Api<Event>, event: &Event, known: &Known) -> Result<(), kube::Error> {
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let Known { name, count } = known;
    let repeated = json!({
        "count": count,
        "lastTimestamp": event.last_timestamp,
        "series": { "count": count, "lastObservedTime": event.event_time },
    });
    api.patch(name, &params, &Patch::Merge(repeated)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_without_room_is_counted() {
        let (sender, mut receiver) = mpsc::channel(1);
        let events = Events { sender, instance: "rolewright-0".to_owned(), dropped: Counter::default() };
        for _ in 0..3 {
            let regarding = ObjectReference { name: Some("reader".to_owned()), ..ObjectReference::default() };
            events.publish_in("team-a", regarding, Severity::Normal, "Created", &"ä".repeat(600));
        }
        assert_eq!(events.dropped.get(), 2);
        let event = receiver.try_recv().expect("the first Event");
        assert_eq!(event.message.map(|note| note.len()), Some(MAX_NOTE));
        assert_eq!(event.last_timestamp.map(|time| time.0), event.event_time.map(|time| time.0));
    }
}
