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

use Operation::{Known, OfProjects, Public};

const OPERATIONS: &[Entry<Operation>] = &[
    (POST, "/auth/login", Public(login::login)),
    (GET, "/auth/api_token", Known(login::api_token)),
    (GET, "/organizations", Known(organizations::list)),
    (POST, "/organizations", Known(organizations::create)),
    (GET, "/organizations/{id}", Known(organizations::read)),
    (PATCH, "/organizations/{id}", Known(organizations::update)),
    (DELETE, "/organizations/{id}", Known(organizations::delete)),
    (GET, "/organizations/{id}/roles", Known(roles::list)),
    (GET, "/organizations/{id}/members", Known(members::of_organization)),
    (DELETE, "/organizations/{id}/members", Known(members::remove)),
    (GET, "/organizations/{id}/teams", Known(teams::list)),
    (GET, "/organizations/{id}/invitations", Known(invitations::list)),
    (POST, "/organizations/{id}/invitations", Known(invitations::create)),
    (DELETE, "/organizations/{id}/invitations/{invitation}", Known(invitations::delete)),
    (POST, "/organizations/{id}/service_accounts", Known(service_accounts::create)),
    (POST, "/organizations/{id}/service_accounts/{account}/api_keys", Known(service_accounts::create_key)),
    (POST, "/roles", Known(role_writing::create)),
    (GET, "/roles/{id}", Known(roles::read)),
    (PATCH, "/roles/{id}", Known(role_writing::update)),
    (DELETE, "/roles/{id}", Known(role_writing::delete)),
    (GET, "/roles/{id}/assignments", Known(assignments::list)),
    (POST, "/roles/{id}/assignments", Known(assignments::add)),
    (DELETE, "/roles/{id}/assignments", Known(assignments::remove)),
    (POST, "/teams", Known(teams::create)),
    (GET, "/teams/{id}", Known(teams::read)),
    (PATCH, "/teams/{id}", Known(teams::update)),
    (DELETE, "/teams/{id}", Known(teams::delete)),
    (GET, "/teams/{id}/members", Known(teams::members)),
    (POST, "/teams/{id}/members", Known(teams::add_member)),
    (DELETE, "/teams/{id}/members", Known(teams::remove_member)),
    (GET, "/users", Known(users::list)),
    (GET, "/users/me", Known(users::me)),
    (POST, "/users/me/api_keys", Known(service_accounts::create_own_key)),
    (PATCH, "/users/{id}", Known(users::update)),
    (DELETE, "/users/{id}", Known(users::delete)),
    (GET, "/invitations", Known(invitations::own)),
    (GET, "/invitations/{id}", Known(invitations::read)),
    (POST, "/invitations/{id}", Known(invitations::accept)),
    (GET, "/workspaces", Known(workspaces::list)),
    (POST, "/workspaces", Known(workspaces::create)),
    (GET, "/workspaces/{id}", Known(workspaces::read)),
    (PATCH, "/workspaces/{id}", Known(workspaces::update)),
    (GET, "/workspaces/{id}/projects", OfProjects(projects::list)),
    (GET, "/workspaces/{id}/projects/{project}", OfProjects(projects::read)),
    (GET, "/workspaces/{id}/projects/{project}/members", Known(members::of_project)),
    (GET, "/tenants", Known(workspaces::list)),
    (GET, "/tenants/{id}", Known(workspaces::read)),
    (GET, "/tenants/{id}/members", Known(members::of_workspace)),
    (GET, "/rbac/check_permissions", Known(rbac::check_queried)),
    (POST, "/rbac/check_permissions", Known(rbac::check)),
    (GET, "/rbac/allowed_resource_ids", Known(rbac::allowed_ids)),
    (GET, "/rbac/user_team_ids", Known(rbac::team_ids)),
    (GET, "/rbac/resource_members", Known(shares::list)),
    (POST, "/rbac/resource_members", Known(shares::set)),
    (DELETE, "/rbac/resources", Known(shares::forget)),
];

/// The router below a prefix that may be empty.
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
