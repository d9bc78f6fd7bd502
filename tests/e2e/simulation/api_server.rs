//! A Kubernetes API server in memory: as much of it as the operator uses. It answers requests without a socket, and its time is tokio's.
//!
//! `conformance` compares it with a real one.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use axum::{
    body::{Body, Bytes},
    http::{Method, Request, Response, StatusCode, header},
};
use futures::{Stream, StreamExt, stream};
use jiff::{Timestamp, fmt::rfc2822};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{Duration, Instant},
};

use super::path::{Target, Verb};

/// How many changes a watch can resume from. An older one is answered 410, as after a compaction.
const MAX_HISTORY: usize = 4096;

/// The annotation that the operator writes.
pub const RESTORE: &str = "rolewright.dev/restore";

/// The name of an object: its plural, its namespace and its name.
pub type Name = (String, String, String);

/// An API server. Cheap to clone.
#[derive(Clone)]
pub struct ApiServer {
    state: Arc<Mutex<State>>,
    /// Its waiters wake in the order in which they came, so that runs can be repeated.
    changed: Arc<Notify>,
    started: Instant,
}

#[derive(Default)]
struct State {
    version: u64,
    objects: BTreeMap<Name, Value>,
    history: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    version: u64,
    name: Name,
    kind: &'static str,
    object: Value,
}

/// A refusal: the status code and the reason.
pub struct Refusal(pub StatusCode, pub &'static str);

const NOT_FOUND: Refusal = Refusal(StatusCode::NOT_FOUND, "NotFound");
const CONFLICT: Refusal = Refusal(StatusCode::CONFLICT, "Conflict");
const INVALID: Refusal = Refusal(StatusCode::UNPROCESSABLE_ENTITY, "Invalid");

impl ApiServer {
    /// A server without objects.
    pub fn new() -> Self {
        Self { state: Arc::default(), changed: Arc::default(), started: Instant::now() }
    }

    /// The object of this name.
    pub fn get(&self, plural: &str, namespace: &str, name: &str) -> Option<Value> {
        self.state.lock().objects.get(&key(plural, namespace, name)).cloned()
    }

    /// The objects of a plural, in the order of their names.
    pub fn list(&self, plural: &str) -> Vec<Value> {
        let state = self.state.lock();
        state.objects.iter().filter(|(key, _)| key.0 == plural).map(|(_, object)| object.clone()).collect()
    }

    /// Whether all objects of a plural are so. Without copies, for tests with thousands of objects.
    pub fn all(&self, plural: &str, is_so: impl FnMut(&Value) -> bool) -> bool {
        let state = self.state.lock();
        let first = key(plural, "", "");
        let of_plural = state.objects.range(first..).take_while(|(key, _)| key.0 == plural);
        of_plural.map(|(_, object)| object).all(is_so)
    }

    /// Creates an object, or replaces its spec, data, labels and annotations, as an apply of the whole object by one manager.
    pub fn apply(&self, plural: &str, namespace: &str, object: Value) {
        let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
        let mut state = self.state.lock();
        let key = key(plural, namespace, &name);
        let known = state.objects.get(&key).cloned();
        let mut next = known.clone().unwrap_or_else(|| {
            let mut metadata = json!({
                "name": name,
                "uid": format!("uid-{}", state.version + 1),
                "generation": 1,
                "creationTimestamp": self.now().to_string(),
            });
            if !namespace.is_empty() {
                metadata["namespace"] = json!(namespace);
            }
            json!({ "metadata": metadata })
        });
        for (field, value) in object.as_object().expect("an object") {
            if field != "metadata" && field != "status" {
                next[field] = value.clone();
            }
        }
        let kept = known.as_ref().map(|known| known["metadata"]["annotations"][RESTORE].clone());
        for field in ["labels", "annotations"] {
            set(&mut next["metadata"], field, object["metadata"].get(field).cloned());
        }
        if let Some(owners) = object["metadata"].get("ownerReferences") {
            next["metadata"]["ownerReferences"] = owners.clone();
        }
        // The operator's own annotation has another manager.
        if let Some(kept) = kept.filter(|kept| !kept.is_null()) {
            next["metadata"]["annotations"][RESTORE] = kept;
        }
        if let Some(known) = known.as_ref().filter(|known| known["spec"] != next["spec"]) {
            next["metadata"]["generation"] = json!(known["metadata"]["generation"].as_u64().unwrap_or(1) + 1);
        }
        self.store(&mut state, key, known, next);
    }

    /// Requests the deletion of an object. It stays while it has finalizers.
    pub fn delete(&self, plural: &str, namespace: &str, name: &str) {
        let mut state = self.state.lock();
        let key = key(plural, namespace, name);
        let Some(known) = state.objects.get(&key).cloned() else { return };
        let next = self.deleted(&known);
        self.store(&mut state, key, Some(known), next);
    }

    /// Removes an object with its finalizers, as a lost cluster does.
    pub fn lose(&self, plural: &str, namespace: &str, name: &str) {
        let mut state = self.state.lock();
        let key = key(plural, namespace, name);
        if let Some(known) = state.objects.remove(&key) {
            self.record(&mut state, key, "DELETED", known);
        }
    }

    /// The newest version.
    pub fn version(&self) -> u64 {
        self.state.lock().version
    }

    /// The custom resources that changed since a version.
    pub fn changed_objects(&self, version: u64) -> Vec<Value> {
        let state = self.state.lock();
        let changed =
            state.history.iter().filter(|entry| entry.version > version && entry.name.0 != "events");
        changed.map(|entry| entry.object.clone()).collect()
    }

    /// Waits for a version that is newer than this one.
    pub async fn changed_since(&self, version: u64) {
        loop {
            let changed = self.changed.notified();
            if self.version() > version {
                return;
            }
            changed.await;
        }
    }

    /// The time of this server.
    pub fn now(&self) -> Timestamp {
        let since = jiff::SignedDuration::try_from(self.started.elapsed()).unwrap_or_default();
        Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 57) + since
    }

    /// Answers one request.
    pub fn answer(&self, request: &Request<()>, body: &Bytes) -> Response<Body> {
        let Some(target) = Target::of(request.uri()) else { return refused(&NOT_FOUND) };
        let answered = match (request.method(), &target.verb) {
            (&Method::GET, Verb::Version) => Ok(ok(&json!({ "major": "1", "minor": "36" }))),
            (&Method::GET, Verb::One(name)) => self.read(&target, name),
            (&Method::GET, Verb::Watch { since, initial }) => Ok(self.watch(&target, *since, *initial)),
            (&Method::GET, Verb::List) => Ok(self.list_of(&target)),
            (&Method::PATCH, Verb::One(name)) => self.patch(&target, name, body),
            (&Method::PUT, Verb::One(name)) => self.replace(&target, name, body),
            (&Method::POST, Verb::List) => self.create(&target, body),
            (&Method::DELETE, Verb::One(name)) => self.delete_one(&target, name, body),
            _ => Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed")),
        };
        let mut response = answered.unwrap_or_else(|refusal| refused(&refusal));
        if let Ok(date) = rfc2822::to_string(&self.now().to_zoned(jiff::tz::TimeZone::UTC)) {
            response.headers_mut().insert(header::DATE, date.parse().expect("a date"));
        }
        response
    }

    fn read(&self, target: &Target, name: &str) -> Result<Response<Body>, Refusal> {
        let found = self.get(&target.plural, target.namespace.as_deref().unwrap_or_default(), name);
        found.map(|object| ok(&object)).ok_or(NOT_FOUND)
    }

    fn list_of(&self, target: &Target) -> Response<Body> {
        let state = self.state.lock();
        let items: Vec<&Value> = target.select(&state.objects).map(|(_, object)| object).collect();
        ok(&json!({
            "apiVersion": "v1",
            "kind": "List",
            "metadata": { "resourceVersion": state.version.to_string() },
            "items": items,
        }))
    }

    fn create(&self, target: &Target, body: &Bytes) -> Result<Response<Body>, Refusal> {
        let object: Value = serde_json::from_slice(body).map_err(|_| INVALID)?;
        let namespace = target.namespace.clone().unwrap_or_default();
        let name = object["metadata"]["name"].as_str().ok_or(INVALID)?.to_owned();
        if self.get(&target.plural, &namespace, &name).is_some() {
            return Err(Refusal(StatusCode::CONFLICT, "AlreadyExists"));
        }
        self.apply(&target.plural, &namespace, object);
        let mut response = self.read(target, &name)?;
        *response.status_mut() = StatusCode::CREATED;
        self.collect_garbage(&mut self.state.lock());
        Ok(response)
    }

    /// Replaces an object, if the request names its version.
    fn replace(&self, target: &Target, name: &str, body: &Bytes) -> Result<Response<Body>, Refusal> {
        let object: Value = serde_json::from_slice(body).map_err(|_| INVALID)?;
        let namespace = target.namespace.as_deref().unwrap_or_default();
        let known = self.get(&target.plural, namespace, name).ok_or(NOT_FOUND)?;
        if object["metadata"]["resourceVersion"] != known["metadata"]["resourceVersion"] {
            return Err(CONFLICT);
        }
        self.apply(&target.plural, namespace, object);
        self.read(target, name)
    }

    fn delete_one(&self, target: &Target, name: &str, body: &Bytes) -> Result<Response<Body>, Refusal> {
        let namespace = target.namespace.as_deref().unwrap_or_default();
        let known = self.get(&target.plural, namespace, name).ok_or(NOT_FOUND)?;
        let options: Value = serde_json::from_slice(body).unwrap_or_default();
        let uid = &options["preconditions"]["uid"];
        if !uid.is_null() && *uid != known["metadata"]["uid"] {
            return Err(CONFLICT);
        }
        self.delete(&target.plural, namespace, name);
        Ok(ok(&self.get(&target.plural, namespace, name).unwrap_or(known)))
    }

    /// A merge patch (RFC 7386) of the object or of its status.
    fn patch(&self, target: &Target, name: &str, body: &Bytes) -> Result<Response<Body>, Refusal> {
        let patch: Value = serde_json::from_slice(body).map_err(|_| INVALID)?;
        let mut state = self.state.lock();
        let key = key(&target.plural, target.namespace.as_deref().unwrap_or_default(), name);
        let known = state.objects.get(&key).cloned().ok_or(NOT_FOUND)?;
        let differs = |field: &str| {
            let expected = &patch["metadata"][field];
            !expected.is_null() && *expected != known["metadata"][field]
        };
        if differs("resourceVersion") {
            return Err(CONFLICT);
        }
        // A write of the status ignores the other metadata.
        if !target.is_status && differs("uid") {
            return Err(INVALID);
        }
        let mut merged = known.clone();
        merge(&mut merged, &patch);
        let mut next = known.clone();
        if target.is_status {
            set(&mut next, "status", merged.get("status").cloned());
        } else {
            next = merged;
            set(&mut next, "status", known.get("status").cloned());
            if next["spec"] != known["spec"] {
                next["metadata"]["generation"] =
                    json!(known["metadata"]["generation"].as_u64().unwrap_or(1) + 1);
            }
            let finalizers =
                |object: &Value| object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
            let is_deleted = !known["metadata"]["deletionTimestamp"].is_null();
            if is_deleted && finalizers(&next).iter().any(|one| !finalizers(&known).contains(one)) {
                return Err(INVALID);
            }
            if finalizers(&next).is_empty() {
                set(&mut next["metadata"], "finalizers", None);
            }
        }
        Ok(ok(&self.store(&mut state, key, Some(known), next)))
    }

    /// Stores an object, unless nothing changed. Removes one that is being deleted and has no finalizer.
    fn store(&self, state: &mut State, key: Name, known: Option<Value>, mut next: Value) -> Value {
        let is_changed = known.as_ref() != Some(&next);
        let is_released = !next["metadata"]["deletionTimestamp"].is_null()
            && next["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty);
        if is_released {
            state.objects.remove(&key);
            self.record(state, key, "DELETED", next.clone());
            self.collect_garbage(state);
            return next;
        }
        if !is_changed {
            return next;
        }
        let kind = if known.is_some() { "MODIFIED" } else { "ADDED" };
        next["metadata"]["resourceVersion"] = json!((state.version + 1).to_string());
        state.objects.insert(key.clone(), next.clone());
        self.record(state, key, kind, next)
    }

    /// Requests the deletion of all objects whose owner does not exist, as the garbage collector does.
    fn collect_garbage(&self, state: &mut State) {
        let uid = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let uids: HashSet<String> =
            state.objects.values().map(|object| uid(&object["metadata"]["uid"])).collect();
        let is_orphan = |object: &Value| {
            let owners = object["metadata"]["ownerReferences"].as_array();
            owners.is_some_and(|owners| owners.iter().all(|owner| !uids.contains(&uid(&owner["uid"]))))
        };
        let orphans: Vec<Name> = state
            .objects
            .iter()
            .filter(|(_, object)| is_orphan(object) && object["metadata"]["deletionTimestamp"].is_null())
            .map(|(name, _)| name.clone())
            .collect();
        for name in orphans {
            let known = state.objects[&name].clone();
            let next = self.deleted(&known);
            self.store(state, name, Some(known), next);
        }
    }

    /// An object whose deletion was requested.
    fn deleted(&self, known: &Value) -> Value {
        let mut next = known.clone();
        if next["metadata"]["deletionTimestamp"].is_null() {
            next["metadata"]["deletionTimestamp"] = json!(self.now().to_string());
            next["metadata"]["generation"] = json!(known["metadata"]["generation"].as_u64().unwrap_or(1) + 1);
        }
        next
    }

    fn record(&self, state: &mut State, name: Name, kind: &'static str, mut object: Value) -> Value {
        state.version += 1;
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        // Nobody watches Leases, and they change every three seconds.
        if name.0 == "leases" {
            return object;
        }
        state.history.push(Entry { version: state.version, name, kind, object: object.clone() });
        if state.history.len() > MAX_HISTORY {
            state.history.drain(..MAX_HISTORY / 2);
        }
        self.changed.notify_waiters();
        object
    }

    /// A watch, with the present objects first if `initial`.
    fn watch(&self, target: &Target, since: Option<u64>, initial: bool) -> Response<Body> {
        let state = self.state.lock();
        let oldest = state.history.first().map_or(0, |entry| entry.version);
        if since.is_some_and(|since| since + 1 < oldest) {
            return refused(&Refusal(StatusCode::GONE, "Expired"));
        }
        let mut first = Vec::new();
        if initial {
            first.extend(target.select(&state.objects).map(|(_, object)| event("ADDED", object)));
            first.push(event(
                "BOOKMARK",
                &json!({
                    "apiVersion": target.api_version(),
                    "kind": target.kind(),
                    "metadata": {
                        "resourceVersion": state.version.to_string(),
                        "annotations": { "k8s.io/initial-events-end": "true" },
                    },
                }),
            ));
        }
        let from = if initial { state.version } else { since.unwrap_or(state.version) };
        drop(state);
        let limit = Duration::from_secs(target.timeout_seconds.unwrap_or(300));
        let later = self.later(target.clone(), from).take_until(tokio::time::sleep(limit));
        let body = stream::iter(first).chain(later).map(Ok::<_, std::convert::Infallible>);
        Response::new(Body::from_stream(body))
    }

    fn later(&self, target: Target, from: u64) -> impl Stream<Item = Bytes> + use<> {
        stream::unfold((self.clone(), from), move |(server, mut from)| {
            let target = target.clone();
            async move {
                loop {
                    server.changed_since(from).await;
                    let state = server.state.lock();
                    let old = state.history.partition_point(|entry| entry.version <= from);
                    let lines: Vec<u8> = state.history[old..]
                        .iter()
                        .filter(|entry| target.matches(&entry.name))
                        .flat_map(|entry| event(entry.kind, &entry.object))
                        .collect();
                    from = state.version;
                    drop(state);
                    if !lines.is_empty() {
                        return Some((Bytes::from(lines), (server, from)));
                    }
                }
            }
        })
    }
}

/// The key of an object.
pub fn key(plural: &str, namespace: &str, name: &str) -> Name {
    (plural.to_owned(), namespace.to_owned(), name.to_owned())
}

fn event(kind: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{}\n", json!({ "type": kind, "object": object })))
}

fn set(object: &mut Value, field: &str, value: Option<Value>) {
    match value {
        Some(value) => object[field] = value,
        None => {
            object.as_object_mut().expect("an object").remove(field);
        }
    }
}

fn merge(object: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (field, value) in patch {
        match value {
            Value::Null => {
                object.as_object_mut().expect("an object").remove(field);
            }
            value => merge(&mut object[field], value),
        }
    }
}

fn ok(body: &Value) -> Response<Body> {
    json_response(StatusCode::OK, body)
}

fn refused(Refusal(status, reason): &Refusal) -> Response<Body> {
    refusal(*status, reason)
}

/// An answer that refuses a request.
pub fn refusal(status: StatusCode, reason: &str) -> Response<Body> {
    let body = json!({
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "message": reason,
        "reason": reason,
        "code": status.as_u16(),
    });
    json_response(status, &body)
}

fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
