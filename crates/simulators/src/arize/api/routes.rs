//! The operations of the contract, by method and path.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};

use super::{
    api_keys, audit_logs,
    call::{self, Operation},
    memberships, organizations,
    problem::Problem,
    projects, restrictions, role_bindings, roles,
    server::Arize,
    spaces, users,
};
use crate::kit::{
    World,
    routing::{self, DELETE, Entry, GET, PATCH, POST, PUT},
};

use Operation::{List, Read, Write};

const OPERATIONS: &[Entry<Operation>] = &[
    (GET, "/v2/roles", List(roles::list)),
    (POST, "/v2/roles", Write(roles::create)),
    (GET, "/v2/roles/{role_id}", Read(roles::get)),
    (PATCH, "/v2/roles/{role_id}", Write(roles::update)),
    (DELETE, "/v2/roles/{role_id}", Write(roles::delete)),
    (GET, "/v2/role-bindings", List(role_bindings::list)),
    (POST, "/v2/role-bindings", Write(role_bindings::create)),
    (GET, "/v2/role-bindings/{binding_id}", Read(role_bindings::get)),
    (PATCH, "/v2/role-bindings/{binding_id}", Write(role_bindings::update)),
    (DELETE, "/v2/role-bindings/{binding_id}", Write(role_bindings::delete)),
    (GET, "/v2/resource-restrictions", List(restrictions::list)),
    (POST, "/v2/resource-restrictions", Write(restrictions::restrict)),
    (DELETE, "/v2/resource-restrictions/{resource_id}", Write(restrictions::unrestrict)),
    (GET, "/v2/users", List(users::list)),
    (POST, "/v2/users", Write(users::create)),
    (GET, "/v2/users/{user_id}", Read(users::get)),
    (PATCH, "/v2/users/{user_id}", Write(users::update)),
    (DELETE, "/v2/users/{user_id}", Write(users::delete)),
    (POST, "/v2/users/{user_id}/resend-invitation", Write(users::resend_invitation)),
    (POST, "/v2/users/{user_id}/reset-password", Write(users::reset_password)),
    (GET, "/v2/organizations", List(organizations::list)),
    (POST, "/v2/organizations", Write(organizations::create)),
    (GET, "/v2/organizations/{org_id}", Read(organizations::get)),
    (PATCH, "/v2/organizations/{org_id}", Write(organizations::update)),
    (DELETE, "/v2/organizations/{org_id}", Write(organizations::delete)),
    (POST, "/v2/organizations/{org_id}/users", Write(memberships::add_to_organization)),
    (DELETE, "/v2/organizations/{org_id}/users/{user_id}", Write(memberships::remove_from_organization)),
    (GET, "/v2/spaces", List(spaces::list)),
    (POST, "/v2/spaces", Write(spaces::create)),
    (GET, "/v2/spaces/{space_id}", Read(spaces::get)),
    (PATCH, "/v2/spaces/{space_id}", Write(spaces::update)),
    (DELETE, "/v2/spaces/{space_id}", Write(spaces::delete)),
    (POST, "/v2/spaces/{space_id}/users", Write(memberships::add_to_space)),
    (DELETE, "/v2/spaces/{space_id}/users/{user_id}", Write(memberships::remove_from_space)),
    (GET, "/v2/projects", List(projects::list)),
    (POST, "/v2/projects", Write(projects::create)),
    (GET, "/v2/projects/{project_id}", Read(projects::get)),
    (PATCH, "/v2/projects/{project_id}", Write(projects::update)),
    (DELETE, "/v2/projects/{project_id}", Write(projects::delete)),
    (GET, "/v2/api-keys", List(api_keys::list)),
    (POST, "/v2/api-keys", Write(api_keys::create)),
    (POST, "/v2/api-keys/{api_key_id}/refresh", Write(api_keys::refresh)),
    (PUT, "/v2/api-keys/{api_key_id}/revoke", Write(api_keys::revoke)),
    (GET, "/v2/audit-logs", List(audit_logs::list)),
];

/// The router of all operations, below a prefix that can be empty.
pub fn router(prefix: &str) -> Router<Arc<World<Arize>>> {
    let below =
        |(method, path, operation): &Entry<Operation>| (*method, format!("{prefix}{path}"), *operation);
    routing::router(OPERATIONS.iter().map(below), call::answer)
        .fallback(async |world, request| {
            refuse(&world, &request, StatusCode::NOT_FOUND, "this path does not exist")
        })
        .method_not_allowed_fallback(async |world, request| {
            refuse(&world, &request, StatusCode::METHOD_NOT_ALLOWED, "this path does not have this method")
        })
}

fn refuse(
    State(world): &State<Arc<World<Arize>>>,
    request: &Request,
    status: StatusCode,
    detail: &str,
) -> Response {
    world.vendor.refuse(Problem::new(status, detail), request.uri().path())
}
