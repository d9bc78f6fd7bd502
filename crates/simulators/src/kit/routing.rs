//! The operations of a contract, by method and path.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{MethodFilter, on},
};

use super::{Vendor, World, call::Call};

/// HTTP's GET.
pub const GET: MethodFilter = MethodFilter::GET;
/// HTTP's POST.
pub const POST: MethodFilter = MethodFilter::POST;
/// HTTP's PATCH.
pub const PATCH: MethodFilter = MethodFilter::PATCH;
/// HTTP's PUT.
pub const PUT: MethodFilter = MethodFilter::PUT;
/// HTTP's DELETE.
pub const DELETE: MethodFilter = MethodFilter::DELETE;

/// An operation of a contract: its method, its path with `{...}` for identifiers, and what is to be done.
pub type Entry<O> = (MethodFilter, &'static str, O);

/// The router of these operations. What it answers to other paths and methods is for the vendor to add.
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
