//! The API server in memory answers as a real one does.

use axum::http::{Method, Request};
use kube::{Client, client::Body};
use serde_json::{Value, json};

use super::{api_server::ApiServer, cluster::NAMESPACE, network::clients, process::Process};
use crate::support::{client, grafana::role, make_namespace, shared, unique};

/// The calls of a conversation, and what the server answered: the status, and what the operator reads of the object.
struct Conversation {
    client: Client,
    namespace: String,
    lines: Vec<String>,
    last: Value,
}

impl Conversation {
    async fn call(&mut self, what: &str, method: Method, path: &str, body: Value) {
        let path = format!("/apis/rolewright.dev/v1alpha1/namespaces/{}/roles{path}", self.namespace);
        let media_type = match method == Method::PATCH {
            true => "application/merge-patch+json",
            false => "application/json",
        };
        let request = Request::builder().method(method).uri(path).header("content-type", media_type);
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string().into_bytes()) };
        let response = self.client.send(request.body(body).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let bytes =
            axum::body::to_bytes(axum::body::Body::new(response.into_body()), usize::MAX).await.unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        if status >= 300 {
            self.lines.push(format!("{what}: {status} {}", answer["reason"].as_str().unwrap_or_default()));
            return;
        }
        let is_new = self.last["metadata"]["resourceVersion"] != answer["metadata"]["resourceVersion"];
        self.lines.push(format!(
            "{what}: {status}, a new version: {is_new}, generation {}, finalizers {}, deleted {}, serial {}",
            answer["metadata"]["generation"],
            answer["metadata"]["finalizers"],
            !answer["metadata"]["deletionTimestamp"].is_null(),
            answer["status"]["serial"],
        ));
        self.last = answer;
    }

    async fn patch(&mut self, what: &str, path: &str, body: Value) {
        self.call(what, Method::PATCH, path, body).await;
    }

    /// The metadata that names the version that was read last.
    fn version(&self) -> Value {
        let metadata = &self.last["metadata"];
        json!({ "resourceVersion": metadata["resourceVersion"], "uid": metadata["uid"] })
    }
}

fn with(mut metadata: Value, field: &str, value: Value) -> Value {
    metadata[field] = value;
    json!({ "metadata": metadata })
}

async fn converse(client: Client, namespace: String) -> Vec<String> {
    let mut it = Conversation { client, namespace, lines: Vec::new(), last: Value::Null };
    it.call("create", Method::POST, "", role("reader", json!({}))).await;
    it.call("create again", Method::POST, "", role("reader", json!({}))).await;
    it.call("read", Method::GET, "/reader", Value::Null).await;
    let first = it.version();
    it.patch("status", "/reader/status", json!({ "metadata": first, "status": { "serial": 1 } })).await;
    it.patch("stale status", "/reader/status", json!({ "metadata": first, "status": { "serial": 2 } })).await;
    let same = json!({ "metadata": it.version(), "status": { "serial": 1 } });
    it.patch("the same status", "/reader/status", same).await;
    let spec =
        json!({ "metadata": it.version(), "spec": { "description": "changed" }, "status": { "serial": 1 } });
    it.patch("a spec by the status path", "/reader/status", spec).await;
    let status = json!({ "metadata": it.version(), "status": { "serial": 7 } });
    it.patch("a status by the object's path", "/reader", status).await;
    it.patch("spec", "/reader", json!({ "spec": { "description": "changed" } })).await;
    let removed = json!({ "metadata": it.version(), "status": { "serial": null } });
    it.patch("a field removed", "/reader/status", removed).await;
    let held = with(it.version(), "finalizers", json!(["rolewright.dev/hold"]));
    it.patch("finalizer", "/reader", held).await;
    let other = json!({ "metadata": { "uid": "another" }, "status": { "serial": 1 } });
    it.patch("another uid", "/reader/status", other).await;
    it.patch("another uid by the object's path", "/reader", json!({ "metadata": { "uid": "another" } }))
        .await;
    let both = json!({ "metadata": { "uid": "another", "resourceVersion": "1" } });
    it.patch("another uid and a stale version", "/reader", both).await;
    it.call("delete", Method::DELETE, "/reader", Value::Null).await;
    it.call("delete again", Method::DELETE, "/reader", Value::Null).await;
    it.call("read while it is deleted", Method::GET, "/reader", Value::Null).await;
    let more = with(it.version(), "finalizers", json!(["rolewright.dev/hold", "example.com/more"]));
    it.patch("one more finalizer", "/reader", more).await;
    let status = json!({ "metadata": it.version(), "status": { "serial": 3 } });
    it.patch("status while it is deleted", "/reader/status", status).await;
    let released = with(it.version(), "finalizers", json!([]));
    it.patch("released", "/reader", released).await;
    it.call("read after that", Method::GET, "/reader", Value::Null).await;
    it.patch("status after that", "/reader/status", json!({ "status": { "serial": 4 } })).await;
    it.lines
}

#[tokio::test(flavor = "multi_thread")]
async fn api_server_in_memory_answers_as_a_real_one() {
    let real = client(shared().await).await;
    let namespace = unique("conformance");
    make_namespace(&real, &namespace).await;
    let real = converse(real, namespace).await;
    let simulated = converse(clients(&ApiServer::new(), &Process::new()).calls, NAMESPACE.to_owned()).await;
    for (real, simulated) in real.iter().zip(&simulated) {
        assert_eq!(simulated, real);
    }
    assert_eq!(simulated.len(), real.len());
}
