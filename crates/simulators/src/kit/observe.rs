//! The layer around a vendor's paths: it logs each request, applies faults, and completes the processing.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};

use super::{
    connection::Line,
    effects,
    faults::Target,
    uri,
    vendor::{Vendor, World},
};

/// The maximum size of a request body in bytes, larger than any of the vendors' documents.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Logs a request and processes it, with its faults. The processing continues when the client disconnects, as on a
/// real server.
pub(super) async fn observe<V: Vendor>(
    State(world): State<Arc<World<V>>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let path = uri::decode(request.uri().path());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let method = request.method().as_str().to_owned();
    let credential = world
        .vendor
        .secret(request.headers())
        .and_then(|secret| world.credentials.find(&secret))
        .map(|view| view.name);

    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_LIMIT).await;
    let ticket = world.log.open(&method, &path, &query, credential.clone());
    let Ok(body) = body else {
        let answer = world.vendor.problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large", &path);
        world.log.close(&ticket, Some(answer.status().as_u16()));
        return answer;
    };
    let request = Request::from_parts(parts, Body::from(body));

    let target = Target { method: &method, path: &path, query: &query, credential: credential.as_deref() };
    let decision = world.faults.decide(&target);
    world.log.hit(&ticket, decision.names.clone());

    let owned = world.clone();
    let work = tokio::spawn(async move {
        let (status, answer) = effects::process(&owned, decision, &line, request, next).await;
        owned.log.close(&ticket, status);
        answer
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, method, path, "the simulator failed to process a request");
        world.vendor.problem(StatusCode::INTERNAL_SERVER_ERROR, "the simulator failed: see its log", &path)
    })
}
