//! The operations of the contract, by method and path.

use std::sync::Arc;

use axum::{Router, extract::State, response::Response};

use super::{
    call::{self, Handler},
    catalogue, environments, groups,
    problem::Problem,
    roles,
    server::Lenses,
    service_accounts, users,
};
use crate::kit::{
    World,
    routing::{self, DELETE, Entry, GET, PATCH, POST, PUT},
};

const OPERATIONS: &[Entry<Handler>] = &[
    (GET, "/roles", roles::list),
    (POST, "/roles", roles::create),
    (GET, "/roles/{name}", roles::get),
    (PATCH, "/roles/{name}", roles::update),
    (DELETE, "/roles/{name}", roles::delete),
    (POST, "/roles/{name}/policy", roles::append),
    (GET, "/groups", groups::list),
    (POST, "/groups", groups::create),
    (GET, "/groups/{name}", groups::get),
    (PATCH, "/groups/{name}", groups::update),
    (DELETE, "/groups/{name}", groups::delete),
    (GET, "/users", users::list),
    (POST, "/users", users::create),
    (GET, "/users/{name}", users::get),
    (PATCH, "/users/{name}", users::update),
    (DELETE, "/users/{name}", users::delete),
    (PUT, "/users/{name}/groups", users::set_groups),
    (GET, "/service-accounts", service_accounts::list),
    (POST, "/service-accounts", service_accounts::create),
    (GET, "/service-accounts/{name}", service_accounts::get),
    (PATCH, "/service-accounts/{name}", service_accounts::update),
    (DELETE, "/service-accounts/{name}", service_accounts::delete),
    (PUT, "/service-accounts/{name}/groups", service_accounts::set_groups),
    (POST, "/service-accounts/{name}/{renewal}", service_accounts::renew),
    (GET, "/environments", environments::list),
    (POST, "/environments", environments::create),
    (GET, "/environments/{name}", environments::get),
    (PATCH, "/environments/{name}", environments::update),
    (DELETE, "/environments/{name}", environments::delete),
    (GET, "/permissions/definitions", catalogue::get),
];

/// The router of all operations, below a prefix that can be empty.
pub fn router(prefix: &str) -> Router<Arc<World<Lenses>>> {
    let below =
        |(method, path, handler): &Entry<Handler>| (*method, format!("{prefix}/api/v1{path}"), *handler);
    routing::router(OPERATIONS.iter().map(below), call::answer)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
}

async fn no_such_path(State(world): State<Arc<World<Lenses>>>) -> Response {
    Problem::no_such_path().into_response(&world.tenant().switches)
}

async fn no_such_method(State(world): State<Arc<World<Lenses>>>) -> Response {
    Problem::no_such_method().into_response(&world.tenant().switches)
}
