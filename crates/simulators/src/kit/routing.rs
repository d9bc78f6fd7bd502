//! A router from a list of operations.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{MethodFilter, on},
};

use super::{
    call::Call,
    vendor::{Vendor, World},
};

/// HTTP GET.
pub const GET: MethodFilter = MethodFilter::GET;
/// HTTP POST.
pub const POST: MethodFilter = MethodFilter::POST;
/// HTTP PATCH.
pub const PATCH: MethodFilter = MethodFilter::PATCH;
/// HTTP PUT.
pub const PUT: MethodFilter = MethodFilter::PUT;
/// HTTP DELETE.
pub const DELETE: MethodFilter = MethodFilter::DELETE;

/// An operation of a contract: its method, its path with `{...}` for identifiers, and its handler.
pub type Entry<O> = (MethodFilter, &'static str, O);

/// The router of these operations. The vendor adds the answers to other paths and methods.
pub fn router<V: Vendor, O: Copy + Send + Sync + 'static>(
    operations: impl IntoIterator<Item = (MethodFilter, String, O)>,
    answer: fn(&World<V>, O, &Call) -> Response,
) -> Router<Arc<World<V>>> {
    operations.into_iter().fold(Router::new(), |router, (method, path, operation)| {
        let answer =
            async move |State(world): State<Arc<World<V>>>, call: Call| answer(&world, operation, &call);
        router.route(&path, on(method, answer))
    })
}
