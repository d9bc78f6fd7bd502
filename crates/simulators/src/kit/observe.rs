//! The layer around a vendor's paths: logs each request, asks the faults, and sees the work through.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware::Next,
    response::Response,
};

use super::{Vendor, World, connection::Line, effects, faults::Asked, uri};

/// Bytes of a request body that are read, more than any of the vendors' documents can need.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// Logs a request and does its work, faults included. The work goes on when the client hangs up, as it does
/// on a real server.
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

    let asked = Asked { method: &method, path: &path, query: &query, credential: credential.as_deref() };
    let verdict = world.faults.judge(&asked);
    world.log.hit(&ticket, verdict.names.clone());

    let owned = world.clone();
    let work = tokio::spawn(async move {
        let (status, answer) = effects::carry_out(&owned, verdict, &line, request, next).await;
        owned.log.close(&ticket, status);
        answer
    });
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, method, path, "the simulator failed on a request");
        world.vendor.problem(StatusCode::INTERNAL_SERVER_ERROR, "the simulator failed", &path)
    })
}
