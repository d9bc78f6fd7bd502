//! The operator's own HTTP server: `/healthz`, `/readyz`, `/metrics`.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use rolewright_reconcile::account::Accounts;
use tokio::net::TcpListener;

use super::metrics::Metrics;

/// What the endpoints report.
#[derive(Clone)]
pub struct ServerState {
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// For the rates of their calls.
    pub accounts: Arc<Accounts>,
    /// Whether the caches are complete and the CRDs fit.
    pub ready: Arc<AtomicBool>,
}

/// Starts the server in the background.
///
/// # Errors
/// When the address is not available.
pub async fn listen(address: SocketAddr, state: ServerState) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    tracing::info!(address = %listener.local_addr()?, "serving /healthz, /readyz and /metrics");
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

async fn ready(State(state): State<ServerState>) -> (StatusCode, &'static str) {
    if state.ready.load(Ordering::Relaxed) {
        (StatusCode::OK, "ok\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: the first lists are not complete, or the CRDs do not fit\n",
        )
    }
}

async fn metrics(State(state): State<ServerState>) -> ([(axum::http::HeaderName, &'static str); 1], String) {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(axum::http::header::CONTENT_TYPE, kind)], state.metrics.text(&state.accounts.usage()))
}
