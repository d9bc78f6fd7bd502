//! The members of organizations, workspaces and projects (contract 2.3, 3.1). Members are the principals with a role
//! there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    call::Scene, organizations, paging::Page, principals, problem::Problem, projects, roles, workspaces,
};
use crate::zenml::{
    access::rights::Place,
    rows::{
        assignments::Assignment,
        ids::Uuid,
        principals::Principal,
        roles::{Level, Role},
        switches::MemberEntries,
    },
    state::Tenant,
};

/// GET `/organizations/{id}/members`
pub fn of_organization(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::find(scene, scene.call.param(0))?;
    let tenant = &*scene.tenant;
    let rows = tenant.assignments.iter().filter(|row| {
        tenant
            .roles
            .get(row.role_id)
            .is_some_and(|role| role.organization_id == organization && role.level == Level::Organization)
    });
    let mut members = by_principal(rows, tenant);
    if tenant.switches.roleless_service_accounts_listed {
        let accounts = tenant.users.iter().filter(|user| user.organization_id == Some(organization));
        for account in accounts {
            members.entry(Principal::User(account.id)).or_default();
        }
    }
    answer(scene, Place::organization(organization), members)
}

/// GET `/tenants/{id}/members`. Lists the principals with a role of this workspace.
pub fn of_workspace(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let workspace = workspaces::find(scene, scene.call.param(0))?;
    let place =
        Place { organization: workspace.organization_id, workspace: Some(workspace.id), project: None };
    let rows = scene.tenant.assignments.iter();
    let rows = rows.filter(|row| row.workspace_id == Some(workspace.id) && row.project_id.is_none());
    answer(scene, place, by_principal(rows, scene.tenant))
}

/// GET `/workspaces/{ws}/projects/{p}/members`. Lists the principals with a role of this project.
pub fn of_project(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let (workspace, project) = projects::find(scene)?;
    let place = Place {
        organization: workspace.organization_id,
        workspace: Some(workspace.id),
        project: Some(project.id),
    };
    let rows = scene.tenant.assignments.iter().filter(|row| row.project_id == Some(project.id));
    answer(scene, place, by_principal(rows, scene.tenant))
}

fn answer(
    scene: &Scene<'_>,
    place: Place,
    members: BTreeMap<Principal, Vec<&Role>>,
) -> Result<Value, Problem> {
    let page = Page::if_paged(scene)?;
    let role = scene.query_id("role_id")?;
    let users = scene.query_flag("include_users")?.unwrap_or(true);
    let accounts = scene.query_flag("include_service_accounts")?.unwrap_or(true);
    let teams = scene.query_flag("include_teams")?.unwrap_or(true);
    if !scene.can_list(place, "member:read")? {
        return Ok(json!([]));
    }
    let tenant = &*scene.tenant;
    let is_included = |principal: &Principal| match *principal {
        Principal::User(id) => {
            let is_account = tenant.users.get(id).is_some_and(|user| user.is_service_account);
            if is_account { accounts } else { users }
        }
        Principal::Team(_) => teams,
        Principal::Invitation(_) => tenant.switches.invitations_are_principals,
    };
    let rows = members.into_iter().filter(|(principal, roles)| {
        is_included(principal) && role.is_none_or(|id| roles.iter().any(|role| role.id == id))
    });
    Ok(page
        .cut(rows)
        .map(|(principal, roles)| entry(principal, &roles, place.organization, tenant))
        .collect())
}

fn entry(principal: Principal, roles: &[&Role], organization: Uuid, tenant: &Tenant) -> Value {
    let (key, member) = principals::to_json(principal, tenant);
    if tenant.switches.member_entries == MemberEntries::Plain {
        return member;
    }
    let roles: Value = roles.iter().map(|role| roles::list_json(role, &tenant.switches)).collect();
    let mut body = json!({
        "user": null,
        "team": null,
        "invitation": null,
        "roles": roles,
        "organization_id": organization,
    });
    let apart = tenant.switches.member_entries == MemberEntries::ServiceAccountsApart;
    if apart && member["is_service_account"] == true {
        let mut account = member;
        account.as_object_mut().map(|fields| fields.remove("is_service_account"));
        body["service_account"] = account;
    } else {
        body[key] = member;
    }
    body
}

/// DELETE `/organizations/{id}/members?user_id=`. Removes all roles of the user on the level organization.
pub fn remove(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::find(scene, scene.call.param(0))?;
    let user = scene.query_id("user_id")?.ok_or_else(|| Problem::required("query", "user_id"))?;
    scene.require(Place::organization(organization), "member:delete")?;
    let tenant = &mut *scene.tenant;
    let row = tenant.users.get(user).ok_or_else(|| Problem::missing("user"))?;
    if row.is_service_account {
        return Err(Problem::illegal("Service accounts cannot be removed from their organization"));
    }
    let owner = tenant.organizations.get(organization).and_then(|row| row.owner_id);
    if owner == Some(user) {
        return Err(Problem::illegal("The owner of an organization cannot be removed"));
    }
    let roles = &tenant.roles;
    let is_membership = |row: &Assignment| {
        row.principal == Principal::User(user)
            && roles
                .get(row.role_id)
                .is_some_and(|role| role.organization_id == organization && role.level == Level::Organization)
    };
    let before = tenant.assignments.len();
    tenant.assignments.retain(|row| !is_membership(row));
    match tenant.switches.missing_removal_status {
        status if tenant.assignments.len() == before && status != 200 => {
            Err(Problem::nothing_to_remove(status, "member"))
        }
        _ => Ok(Value::Null),
    }
}

/// The principals of these assignments, each with its roles.
fn by_principal<'a>(
    rows: impl Iterator<Item = &'a Assignment>,
    tenant: &'a Tenant,
) -> BTreeMap<Principal, Vec<&'a Role>> {
    let mut found = BTreeMap::<Principal, Vec<&Role>>::new();
    for row in rows {
        found.entry(row.principal).or_default().extend(tenant.roles.get(row.role_id));
    }
    found
}
