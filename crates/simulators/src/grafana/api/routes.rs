//! The operations of the contract, by method and path.

use std::sync::Arc;

use axum::{Router, extract::State, response::Response};

use super::{
    about, accounts, assignment_search,
    call::{self, Operation, ResourceHandler},
    dashboards, data_sources, folders, group_sync, org_users, orgs, permission_queries,
    problem::Problem,
    resource_permissions, role_assignments, role_searches, role_writing, roles, searches,
    server::Grafana,
    service_accounts, team_groups, team_roles, teams, tokens, user_roles, users,
};
use crate::{
    grafana::rows::{managed::ResourceKind, switches::Generation},
    kit::{
        World,
        routing::{self, DELETE, Entry, GET, PATCH, POST, PUT},
    },
};

use Operation::{Licensed, LicensedBefore, Open, Public, Status};

const OPERATIONS: &[Entry<Operation>] = &[
    (GET, "/health", Public(about::health)),
    (GET, "/frontend/settings", Public(about::settings)),
    (GET, "/access-control/status", Status(roles::status)),
    (GET, "/access-control/roles", Licensed(roles::list)),
    (POST, "/access-control/roles", Licensed(role_writing::create)),
    (POST, "/access-control/roles/hard-reset", Licensed(role_writing::hard_reset)),
    (GET, "/access-control/roles/{uid}", Licensed(roles::read)),
    (PUT, "/access-control/roles/{uid}", Licensed(role_writing::update)),
    (DELETE, "/access-control/roles/{uid}", Licensed(role_writing::delete)),
    (GET, "/access-control/roles/{uid}/assignments", Licensed(role_assignments::read)),
    (PUT, "/access-control/roles/{uid}/assignments", Licensed(role_assignments::write)),
    (GET, "/access-control/users/{id}/roles", Licensed(user_roles::list)),
    (POST, "/access-control/users/{id}/roles", Licensed(user_roles::add)),
    (PUT, "/access-control/users/{id}/roles", Licensed(user_roles::set)),
    (DELETE, "/access-control/users/{id}/roles/{uid}", Licensed(user_roles::remove)),
    (GET, "/access-control/users/{id}/permissions", Licensed(permission_queries::of_user)),
    (POST, "/access-control/users/roles/search", Licensed(role_searches::of_users)),
    (GET, "/access-control/teams/{id}/roles", Licensed(team_roles::list)),
    (POST, "/access-control/teams/{id}/roles", Licensed(team_roles::add)),
    (PUT, "/access-control/teams/{id}/roles", Licensed(team_roles::set)),
    (DELETE, "/access-control/teams/{id}/roles/{uid}", Licensed(team_roles::remove)),
    (POST, "/access-control/teams/roles/search", Licensed(role_searches::of_teams)),
    (POST, "/access-control/assignments/search", LicensedBefore(Generation::V13, assignment_search::search)),
    (GET, "/groupsync/groups", Licensed(group_sync::list)),
    (POST, "/groupsync/groups/{group_id}", Licensed(group_sync::create)),
    (PUT, "/groupsync/groups/{group_id}", Licensed(group_sync::set)),
    (DELETE, "/groupsync/groups/{group_id}", Licensed(group_sync::delete)),
    (GET, "/groupsync/groups/{group_id}/roles", Licensed(group_sync::roles_of)),
    (POST, "/admin/provisioning/access-control/reload", Licensed(role_writing::reload)),
    (GET, "/access-control/user/permissions", Open(permission_queries::own)),
    (GET, "/access-control/user/actions", Open(permission_queries::own_actions)),
    (GET, "/access-control/users/permissions/search", Open(permission_queries::search)),
    (GET, "/access-control/user/{id}/permissions/search", Open(permission_queries::search_of_user)),
    (GET, "/access-control/users/{id}/permissions/search", Open(permission_queries::search_of_user)),
    (GET, "/org", Open(orgs::current)),
    (GET, "/org/users", Open(org_users::list)),
    (POST, "/org/users", Open(org_users::add)),
    (GET, "/org/users/lookup", Open(org_users::look_up)),
    (GET, "/org/users/search", Open(org_users::search)),
    (PATCH, "/org/users/{id}", Open(org_users::update)),
    (DELETE, "/org/users/{id}", Open(org_users::remove)),
    (GET, "/orgs", Open(orgs::list)),
    (POST, "/orgs", Open(orgs::create)),
    (GET, "/orgs/{id}", Open(orgs::read)),
    (DELETE, "/orgs/{id}", Open(orgs::delete)),
    (GET, "/orgs/{id}/users", Open(org_users::of_org)),
    (GET, "/orgs/name/{name}", Open(orgs::read_by_name)),
    (GET, "/user", Open(users::caller)),
    (GET, "/users", Open(users::list)),
    (GET, "/users/lookup", Open(users::look_up)),
    (GET, "/users/search", Open(users::search)),
    (GET, "/users/{id}", Open(users::read)),
    (PUT, "/users/{id}", Open(accounts::update)),
    (GET, "/users/{id}/orgs", Open(accounts::orgs_of)),
    (GET, "/users/{id}/teams", Open(accounts::teams_of)),
    (GET, "/user/orgs", Open(accounts::own_orgs)),
    (GET, "/user/teams", Open(accounts::own_teams)),
    (PUT, "/admin/users/{id}/password", Open(accounts::set_password)),
    (PUT, "/admin/users/{id}/permissions", Open(accounts::set_permissions)),
    (POST, "/admin/users/{id}/disable", Open(accounts::disable)),
    (POST, "/admin/users/{id}/enable", Open(accounts::enable)),
    (POST, "/orgs/{id}/users", Open(accounts::add_to_org)),
    (GET, "/orgs/{id}/users/search", Open(accounts::search_org)),
    (PATCH, "/orgs/{id}/users/{user}", Open(accounts::update_in_org)),
    (DELETE, "/orgs/{id}/users/{user}", Open(accounts::remove_from_org)),
    (GET, "/teams/{id}/groups", Licensed(team_groups::list)),
    (POST, "/teams/{id}/groups", Licensed(team_groups::add)),
    (DELETE, "/teams/{id}/groups", Licensed(team_groups::remove)),
    (GET, "/folders/{uid}/counts", Open(folders::counts)),
    (POST, "/admin/users", Open(users::create)),
    (DELETE, "/admin/users/{id}", Open(users::delete)),
    (GET, "/teams/search", Open(teams::search)),
    (POST, "/teams", Open(teams::create)),
    (GET, "/teams/{id}", Open(teams::read)),
    (PUT, "/teams/{id}", Open(teams::update)),
    (DELETE, "/teams/{id}", Open(teams::delete)),
    (GET, "/teams/{id}/preferences", Open(teams::preferences)),
    (GET, "/teams/{id}/members", Open(teams::members)),
    (POST, "/teams/{id}/members", Open(teams::add_member)),
    (DELETE, "/teams/{id}/members/{user}", Open(teams::remove_member)),
    (GET, "/serviceaccounts/search", Open(service_accounts::search)),
    (POST, "/serviceaccounts", Open(service_accounts::create)),
    (GET, "/serviceaccounts/{id}", Open(service_accounts::read)),
    (PATCH, "/serviceaccounts/{id}", Open(service_accounts::update)),
    (DELETE, "/serviceaccounts/{id}", Open(service_accounts::delete)),
    (GET, "/serviceaccounts/{id}/tokens", Open(tokens::list)),
    (POST, "/serviceaccounts/{id}/tokens", Open(tokens::create)),
    (DELETE, "/serviceaccounts/{id}/tokens/{token}", Open(tokens::delete)),
    (GET, "/folders", Open(folders::list)),
    (POST, "/folders", Open(folders::create)),
    (GET, "/folders/{uid}", Open(folders::read)),
    (PUT, "/folders/{uid}", Open(folders::update)),
    (DELETE, "/folders/{uid}", Open(folders::delete)),
    (POST, "/folders/{uid}/move", Open(folders::relocate)),
    (POST, "/dashboards/db", Open(dashboards::save)),
    (GET, "/dashboards/uid/{uid}", Open(dashboards::read)),
    (DELETE, "/dashboards/uid/{uid}", Open(dashboards::delete)),
    (
        GET,
        "/folders/{uid}/permissions",
        Operation::Resource(resource_permissions::read_legacy, ResourceKind::Folders),
    ),
    (
        GET,
        "/dashboards/uid/{uid}/permissions",
        Operation::Resource(resource_permissions::read_legacy, ResourceKind::Dashboards),
    ),
    (GET, "/search", Open(searches::search)),
    (GET, "/datasources", Open(data_sources::list)),
    (POST, "/datasources", Open(data_sources::create)),
    (GET, "/datasources/uid/{uid}", Open(data_sources::read)),
    (DELETE, "/datasources/uid/{uid}", Open(data_sources::delete)),
    (GET, "/datasources/name/{name}", Open(data_sources::read_by_name)),
];

/// The operations below `/access-control/{kind}` for each kind of resource.
const RESOURCE_OPERATIONS: &[Entry<ResourceHandler>] = &[
    (GET, "/description", resource_permissions::describe),
    (GET, "/{id}", resource_permissions::read),
    (POST, "/{id}", resource_permissions::patch),
    (POST, "/{id}/users/{user}", resource_permissions::set_user),
    (POST, "/{id}/teams/{team}", resource_permissions::set_team),
    (POST, "/{id}/builtInRoles/{role}", resource_permissions::set_built_in_role),
];

const RESOURCES: [ResourceKind; 6] = [
    ResourceKind::Dashboards,
    ResourceKind::Folders,
    ResourceKind::Datasources,
    ResourceKind::ServiceAccounts,
    ResourceKind::Teams,
    ResourceKind::Receivers,
];

/// The router of all operations, below a prefix that can be empty. An unknown path and an unknown method have
/// the same 404.
pub fn router(prefix: &str) -> Router<Arc<World<Grafana>>> {
    let plain = OPERATIONS.iter().map(|(method, path, operation)| (*method, (*path).to_owned(), *operation));
    let on_resources = RESOURCES.into_iter().flat_map(|kind| {
        RESOURCE_OPERATIONS.iter().map(move |(method, path, handler)| {
            let path = format!("/access-control/{}{path}", kind.name());
            (*method, path, Operation::Resource(*handler, kind))
        })
    });
    let operations = plain.chain(on_resources).flat_map(|(method, path, operation)| {
        let path = format!("{prefix}/api{path}");
        // The server accepts a trailing slash (contract 1.3).
        let with_slash = format!("{path}/");
        [path, with_slash].map(|path| (method, path, operation))
    });
    routing::router(operations, call::answer).fallback(refuse).method_not_allowed_fallback(refuse)
}

async fn refuse(State(world): State<Arc<World<Grafana>>>) -> Response {
    world.vendor.refuse(Problem::no_such_path())
}
