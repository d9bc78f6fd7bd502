//! The operations of the contract, by method and path.

use std::sync::Arc;

use axum::{Router, extract::State, http::StatusCode, response::Response};

use super::{
    assignments,
    call::{self, Operation, no_such_path},
    invitations, login, members, organizations,
    problem::Problem,
    projects, rbac, role_writing, roles,
    server::ZenMl,
    service_accounts, shares, teams, users, workspaces,
};
use crate::kit::{
    World,
    routing::{self, DELETE, Entry, GET, PATCH, POST},
};

use Operation::{Authenticated, OfProjects, Public};

const OPERATIONS: &[Entry<Operation>] = &[
    (POST, "/auth/login", Public(login::login)),
    (GET, "/auth/api_token", Authenticated(login::api_token)),
    (GET, "/organizations", Authenticated(organizations::list)),
    (POST, "/organizations", Authenticated(organizations::create)),
    (GET, "/organizations/{id}", Authenticated(organizations::get)),
    (PATCH, "/organizations/{id}", Authenticated(organizations::update)),
    (DELETE, "/organizations/{id}", Authenticated(organizations::delete)),
    (GET, "/organizations/{id}/roles", Authenticated(roles::list)),
    (GET, "/organizations/{id}/members", Authenticated(members::of_organization)),
    (DELETE, "/organizations/{id}/members", Authenticated(members::remove)),
    (GET, "/organizations/{id}/teams", Authenticated(teams::list)),
    (GET, "/organizations/{id}/invitations", Authenticated(invitations::list)),
    (POST, "/organizations/{id}/invitations", Authenticated(invitations::create)),
    (DELETE, "/organizations/{id}/invitations/{invitation}", Authenticated(invitations::delete)),
    (POST, "/organizations/{id}/service_accounts", Authenticated(service_accounts::create)),
    (
        POST,
        "/organizations/{id}/service_accounts/{account}/api_keys",
        Authenticated(service_accounts::create_key),
    ),
    (POST, "/roles", Authenticated(role_writing::create)),
    (GET, "/roles/{id}", Authenticated(roles::get)),
    (PATCH, "/roles/{id}", Authenticated(role_writing::update)),
    (DELETE, "/roles/{id}", Authenticated(role_writing::delete)),
    (GET, "/roles/{id}/assignments", Authenticated(assignments::list)),
    (POST, "/roles/{id}/assignments", Authenticated(assignments::add)),
    (DELETE, "/roles/{id}/assignments", Authenticated(assignments::remove)),
    (POST, "/teams", Authenticated(teams::create)),
    (GET, "/teams/{id}", Authenticated(teams::get)),
    (PATCH, "/teams/{id}", Authenticated(teams::update)),
    (DELETE, "/teams/{id}", Authenticated(teams::delete)),
    (GET, "/teams/{id}/members", Authenticated(teams::members)),
    (POST, "/teams/{id}/members", Authenticated(teams::add_member)),
    (DELETE, "/teams/{id}/members", Authenticated(teams::remove_member)),
    (GET, "/users", Authenticated(users::list)),
    (GET, "/users/me", Authenticated(users::me)),
    (POST, "/users/me/api_keys", Authenticated(service_accounts::create_own_key)),
    (PATCH, "/users/{id}", Authenticated(users::update)),
    (DELETE, "/users/{id}", Authenticated(users::delete)),
    (GET, "/invitations", Authenticated(invitations::list_own)),
    (GET, "/invitations/{id}", Authenticated(invitations::get)),
    (POST, "/invitations/{id}", Authenticated(invitations::accept)),
    (GET, "/workspaces", Authenticated(workspaces::list)),
    (POST, "/workspaces", Authenticated(workspaces::create)),
    (GET, "/workspaces/{id}", Authenticated(workspaces::get)),
    (PATCH, "/workspaces/{id}", Authenticated(workspaces::update)),
    (GET, "/workspaces/{id}/projects", OfProjects(projects::list)),
    (GET, "/workspaces/{id}/projects/{project}", OfProjects(projects::get)),
    (GET, "/workspaces/{id}/projects/{project}/members", Authenticated(members::of_project)),
    (GET, "/tenants", Authenticated(workspaces::list)),
    (GET, "/tenants/{id}", Authenticated(workspaces::get)),
    (GET, "/tenants/{id}/members", Authenticated(members::of_workspace)),
    (GET, "/rbac/check_permissions", Authenticated(rbac::check_queried)),
    (POST, "/rbac/check_permissions", Authenticated(rbac::check)),
    (GET, "/rbac/allowed_resource_ids", Authenticated(rbac::allowed_ids)),
    (GET, "/rbac/user_team_ids", Authenticated(rbac::team_ids)),
    (GET, "/rbac/resource_members", Authenticated(shares::list)),
    (POST, "/rbac/resource_members", Authenticated(shares::set)),
    (DELETE, "/rbac/resources", Authenticated(shares::delete)),
];

/// The router of all operations, below a prefix that can be empty.
pub fn router(prefix: &str) -> Router<Arc<World<ZenMl>>> {
    let below =
        |(method, path, operation): &Entry<Operation>| (*method, format!("{prefix}{path}"), *operation);
    routing::router(OPERATIONS.iter().map(below), call::answer)
        .fallback(async |State(world): State<Arc<World<ZenMl>>>| -> Response {
            world.vendor.refuse(no_such_path())
        })
        .method_not_allowed_fallback(async |State(world): State<Arc<World<ZenMl>>>| -> Response {
            world.vendor.refuse(Problem::text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"))
        })
}
