//! The two ports of an operator in memory: requests to back ends, and requests to the Kubernetes API.

use std::{collections::BTreeMap, fmt, io, sync::Arc};

use async_trait::async_trait;
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::StatusCode,
    response::Response,
};
use futures::{future::BoxFuture, stream};
use kube::Client;
use rolewright_backends::Transport;
use rolewright_controller::Clients;
use rolewright_simulators::kit::InMemory;
use serde_json::Value;
use url::Position;

use super::{
    api_server::{ApiServer, refusal},
    process::{Call, Process, Trouble},
    scene::Simulated,
    witness::{LEASE, Witness},
};

/// A back end in memory.
pub trait Host: Send + Sync {
    /// Answers one request. None: the connection was cut.
    fn answer(&self, request: Request) -> BoxFuture<'_, Option<Response>>;

    /// Whether a write to this path, with its query, changes the thing of an entry of `status.held`.
    fn changes(&self, target: &str, held: &Value) -> bool;
}

impl<V: Simulated> Host for InMemory<V> {
    fn changes(&self, target: &str, held: &Value) -> bool {
        V::changes(target, held)
    }

    fn answer(&self, request: Request) -> BoxFuture<'_, Option<Response>> {
        Box::pin(InMemory::answer(self, request))
    }
}

/// The back ends that a process reaches, by their host names.
#[derive(Clone)]
pub struct Network {
    pub hosts: Arc<BTreeMap<String, Arc<dyn Host>>>,
    pub process: Process,
    pub witness: Witness,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.hosts.keys()).finish()
    }
}

#[async_trait]
impl Transport for Network {
    async fn send(&self, request: reqwest::Request) -> Result<reqwest::Response, reqwest::Error> {
        let name = request.url().host_str().unwrap_or_default().to_owned();
        let host = self.hosts.get(&name).unwrap_or_else(|| panic!("no host {name}")).clone();
        let call = Call {
            to: name,
            method: request.method().to_string(),
            path: request.url().path().to_owned(),
            is_write: request.method() != reqwest::Method::GET,
        };
        let target = request.url()[Position::BeforePath..].to_owned();
        let request = axum::http::Request::try_from(request)?.map(Body::new);
        let deliver = async {
            if call.is_write {
                self.witness.write(&self.process, &call, |held| host.changes(&target, held));
            }
            host.answer(request).await
        };
        // A connection that was cut is a body that breaks off: both leave the outcome of the call open.
        let Some(answer) = self.process.call(call.clone(), deliver).await else {
            return Ok(axum::http::Response::new(broken_body()).into());
        };
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_or_else(|_| broken_body(), reqwest::Body::from);
        Ok(axum::http::Response::from_parts(parts, body).into())
    }
}

fn broken_body() -> reqwest::Body {
    reqwest::Body::wrap_stream(stream::iter([Err::<Vec<u8>, _>(io::Error::from(
        io::ErrorKind::ConnectionReset,
    ))]))
}

/// The clients of a process for this API server.
pub fn clients(server: &ApiServer, process: &Process) -> Clients {
    let client = || {
        let (server, process) = (server.clone(), process.clone());
        let service = tower::service_fn(move |request: axum::http::Request<kube::client::Body>| {
            let (server, process) = (server.clone(), process.clone());
            async move { Ok::<_, std::convert::Infallible>(deliver(&server, &process, request).await) }
        });
        Client::new(service, "default")
    };
    Clients { calls: client(), watches: client() }
}

async fn deliver(
    server: &ApiServer,
    process: &Process,
    request: axum::http::Request<kube::client::Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(Body::new(body), usize::MAX).await.unwrap_or_default();
    let request = axum::http::Request::from_parts(parts, ());
    let call = Call {
        to: "kubernetes".to_owned(),
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        is_write: request.method() != axum::http::Method::GET,
    };
    let is_claim = call.path.ends_with(&format!("/leases/{}", LEASE.1)) || call.path.ends_with("/leases");
    if is_claim
        && let Ok(lease) = serde_json::from_slice::<Value>(&body)
        && let Some(identity) = lease["spec"]["holderIdentity"].as_str()
    {
        process.set_identity(identity.to_owned());
    }
    process.reach_api_server().await;
    let trouble = if call.is_write { process.trouble() } else { None };
    let deliver = async {
        match trouble {
            None => server.answer(&request, &body),
            Some(Trouble::Refused) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
            Some(Trouble::Stale) => refusal(StatusCode::CONFLICT, "Conflict"),
            Some(Trouble::AnswerLost) => {
                server.answer(&request, &body);
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
            }
        }
    };
    process.call(call, deliver).await
}
