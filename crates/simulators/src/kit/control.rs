//! The `/_sim` paths: tests and demos use them to inspect a simulator and to inject faults.
//!
//! They need no credential: anyone who reaches the port can use them. Run a simulator on a loopback address only.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    credentials::CredentialError,
    faults::FaultError,
    vendor::{Vendor, World},
};

/// The maximum body size of `PUT /_sim/state`, in bytes.
const STATE_LIMIT: usize = 256 * 1024 * 1024;

type Shared<V> = State<Arc<World<V>>>;

/// The router of all paths below `/_sim`.
pub fn routes<V: Vendor>(world: Arc<World<V>>) -> Router {
    Router::new()
        .route("/requests", get(requests::<V>).delete(clear_requests::<V>))
        .route("/state", get(state::<V>).put(put_state::<V>))
        .route("/faults", get(faults::<V>).post(add_fault::<V>).delete(clear_faults::<V>))
        .route("/faults/{id}", axum::routing::delete(remove_fault::<V>))
        .route("/credentials", get(credentials::<V>).post(change_credential::<V>))
        .merge(world.vendor.control())
        .fallback(async || refusal(StatusCode::NOT_FOUND, "/_sim does not have this path"))
        .layer(DefaultBodyLimit::max(STATE_LIMIT))
        .with_state(world)
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn requests<V: Vendor>(State(world): Shared<V>, uri: axum::http::Uri) -> Response {
    match Query::<Since>::try_from_uri(&uri) {
        Ok(Query(Since { since })) => answer(StatusCode::OK, &world.log.since(since)),
        Err(error) => refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn clear_requests<V: Vendor>(State(world): Shared<V>) -> StatusCode {
    world.log.clear();
    StatusCode::NO_CONTENT
}

async fn state<V: Vendor>(State(world): Shared<V>) -> Response {
    let tenant = world.tenant();
    answer(StatusCode::OK, &*tenant)
}

async fn put_state<V: Vendor>(State(world): Shared<V>, body: Bytes) -> Response {
    let replaced = parse(&body).and_then(|tenant| world.replace(tenant));
    match replaced {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refusal(StatusCode::BAD_REQUEST, &error),
    }
}

async fn faults<V: Vendor>(State(world): Shared<V>) -> Response {
    answer(StatusCode::OK, &json!({ "faults": world.faults.list() }))
}

async fn add_fault<V: Vendor>(State(world): Shared<V>, body: Bytes) -> Response {
    let added = parse(&body).and_then(|fault| world.faults.add(fault).map_err(|e: FaultError| e.to_string()));
    match added {
        Ok(id) => answer(StatusCode::CREATED, &json!({ "id": id })),
        Err(error) => refusal(StatusCode::BAD_REQUEST, &error),
    }
}

async fn clear_faults<V: Vendor>(State(world): Shared<V>) -> StatusCode {
    world.faults.clear();
    StatusCode::NO_CONTENT
}

async fn remove_fault<V: Vendor>(State(world): Shared<V>, Path(id): Path<u64>) -> Response {
    if world.faults.remove(id) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refusal(StatusCode::NOT_FOUND, "no fault has this number")
    }
}

async fn credentials<V: Vendor>(State(world): Shared<V>) -> Response {
    answer(StatusCode::OK, &json!({ "credentials": world.credentials.list() }))
}

async fn change_credential<V: Vendor>(State(world): Shared<V>, body: Bytes) -> Response {
    let change = match parse(&body) {
        Ok(change) => change,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error),
    };
    match world.credentials.apply(change) {
        Ok(view) => answer(StatusCode::OK, &view),
        Err(error) => {
            let status = match error {
                CredentialError::Taken => StatusCode::CONFLICT,
                CredentialError::Empty => StatusCode::BAD_REQUEST,
                CredentialError::Unknown => StatusCode::NOT_FOUND,
            };
            refusal(status, &error.to_string())
        }
    }
}

/// Parses the body of a request to `/_sim`.
///
/// # Errors
/// The syntax error, or the field that does not match.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// A JSON answer of `/_sim`.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(json) => (status, [(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// An error answer of `/_sim`.
pub fn refusal(status: StatusCode, error: &str) -> Response {
    let body = json!({ "error": error }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
