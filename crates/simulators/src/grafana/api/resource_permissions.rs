//! `/access-control/{resource}`: permissions on folders, dashboards, data sources, service accounts, teams
//! and receivers (contract 2.5). They exist in every edition; those on data sources need a licence.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    body::Fields,
    call::{Scene, message},
    problem::Problem,
};
use crate::{
    grafana::{
        rows::{
            basic_role::BasicRole,
            managed::{ManagedPermission, ResourceKind, Subject},
            roles::{Role, RoleKind},
            switches::{Licence, MissingResources},
        },
        state::Tenant,
    },
    kit::answer::Answer,
};

/// GET `/access-control/{resource}/description`
pub fn describe(scene: &mut Scene<'_>, kind: ResourceKind) -> Result<Answer, Problem> {
    scene.require_somewhere(&format!("{}.permissions:read", kind.name()))?;
    Ok(Answer::ok(json!({
        "assignments": {
            "users": true,
            "serviceAccounts": kind != ResourceKind::Teams,
            "teams": kind.accepts(Subject::Team(0)),
            "builtInRoles": kind.accepts(Subject::BuiltInRole(BasicRole::Viewer)),
        },
        "permissions": kind.permissions().collect::<Vec<_>>(),
    })))
}

/// GET `/access-control/{resource}/{resourceID}`
pub fn read(scene: &mut Scene<'_>, kind: ResourceKind) -> Result<Answer, Problem> {
    let id = scene.call.param(0).to_owned();
    let place = authorize(scene, kind, &id, "read")?;
    Ok(Answer::ok(entries(scene, kind, &id, &place).into()))
}

/// GET `/folders/{uid}/permissions` and `/dashboards/uid/{uid}/permissions`, the older form: each permission has its
/// level as a number, and the resource must exist.
pub fn read_legacy(scene: &mut Scene<'_>, kind: ResourceKind) -> Result<Answer, Problem> {
    let id = scene.call.param(0).to_owned();
    let place = authorize(scene, kind, &id, "read")?;
    if !place.exists {
        return Err(Problem::not_found(format!("{} not found", kind.singular())));
    }
    let mut entries = entries(scene, kind, &id, &place);
    for entry in &mut entries {
        let level = match entry["permission"].as_str() {
            Some("View") => 1,
            Some("Edit") => 2,
            _ => 4,
        };
        *entry = json!({
            "uid": id,
            "userId": entry.get("userId").cloned().unwrap_or(json!(0)),
            "userLogin": entry.get("userLogin").cloned().unwrap_or(json!("")),
            "teamId": entry.get("teamId").cloned().unwrap_or(json!(0)),
            "team": entry.get("team").cloned().unwrap_or(json!("")),
            "role": entry.get("builtInRole").cloned().unwrap_or(json!("")),
            "permission": level,
            "permissionName": entry["permission"],
            "inherited": entry["isInherited"],
            "isFolder": kind == ResourceKind::Folders,
        });
    }
    Ok(Answer::ok(entries.into()))
}

fn entries(scene: &Scene<'_>, kind: ResourceKind, id: &str, place: &Place) -> Vec<Value> {
    let (tenant, org, ancestors) = (&*scene.tenant, scene.caller.org, &place.ancestors);
    let on = |kind: ResourceKind, id: &str| {
        let rows = tenant.managed_permissions.iter();
        let fits = rows.filter(|row| row.org_id == org && row.resource == kind && row.resource_id == id);
        fits.collect::<Vec<&ManagedPermission>>()
    };
    let own = on(kind, id);
    let is_empty = !place.exists && tenant.switches.missing_resources == MissingResources::Empty;
    let mut inherited: BTreeMap<Subject, &ManagedPermission> = BTreeMap::new();
    for row in ancestors.iter().flat_map(|folder| on(ResourceKind::Folders, folder)) {
        let rank = |row: &ManagedPermission| row.resource.rank(&row.permission);
        let known = inherited.entry(row.subject).or_insert(row);
        if rank(row) > rank(known) {
            *known = row;
        }
    }
    let mut entries: Vec<Value> = own.into_iter().map(|row| entry(tenant, kind, row, true)).collect();
    entries.extend(inherited.into_values().map(|row| entry(tenant, kind, row, false)));
    if is_empty {
        return entries;
    }
    entries.extend(by_roles(tenant, org, (kind, id), ancestors));
    if kind.accepts(Subject::BuiltInRole(BasicRole::Admin)) {
        // Admins always have access; it is not a managed permission.
        entries.push(json!({
            "id": 0,
            "roleName": "basic:admin",
            "isManaged": false,
            "isInherited": false,
            "isServiceAccount": false,
            "builtInRole": "Admin",
            "actions": kind.actions("Admin"),
            "permission": "Admin",
        }));
    }
    entries
}

/// The entries of roles that have a whole level on the resource, on a folder above it or on all of its kind. A role that
/// has only some actions of a level is not among them (contract 2.5).
fn by_roles(tenant: &Tenant, org: i64, (kind, id): (ResourceKind, &str), ancestors: &[String]) -> Vec<Value> {
    if tenant.switches.licence != Licence::Valid {
        return Vec::new();
    }
    let own: Vec<String> = vec!["*".into(), format!("{}:*", kind.name()), kind.wildcard(), kind.scope(id)];
    let above: Vec<String> = ancestors.iter().map(|uid| ResourceKind::Folders.scope(uid)).collect();
    let level_on = |role: &Role, scopes: &[&[String]]| {
        let has = |action: &str| {
            let mut permissions = role.permissions.iter().filter(|it| it.action == action);
            permissions.any(|it| scopes.iter().any(|scopes| scopes.contains(&it.scope)))
        };
        let levels: Vec<&'static str> = kind.permissions().collect();
        levels.into_iter().rev().find(|level| kind.actions(level).into_iter().all(has))
    };
    let roles = tenant.roles_by_uid();
    let applies = |row_org: i64| row_org == org || row_org == 0;
    let users = tenant.direct_roles().filter(|row| applies(row.org_id));
    let users = users.map(|row| (Subject::User(row.user_id), row.role_uid));
    let teams = tenant.team_roles.iter().filter(|row| row.org_id == org);
    let teams = teams.map(|row| (Subject::Team(row.team_id), row.role_uid.as_str()));
    let entry = |(subject, uid): (Subject, &str)| {
        let role = roles.get(uid).filter(|role| role.kind() != RoleKind::Basic)?;
        let on_own = level_on(role, &[&own]);
        let permission = on_own.or_else(|| level_on(role, &[&own, &above]))?;
        let row = ManagedPermission {
            id: role.id,
            org_id: org,
            resource: kind,
            resource_id: id.to_owned(),
            subject,
            permission: permission.to_owned(),
        };
        let mut entry = entry(tenant, kind, &row, false);
        entry["roleName"] = role.name.as_str().into();
        entry["isInherited"] = on_own.is_none().into();
        Some(entry)
    };
    users.chain(teams).filter_map(entry).collect()
}

/// The folders above a resource, and whether it exists.
struct Place {
    ancestors: Vec<String>,
    exists: bool,
}

/// POST `/access-control/{resource}/{resourceID}`. Other subjects keep their permissions, unless a switch
/// says otherwise.
pub fn patch(scene: &mut Scene<'_>, kind: ResourceKind) -> Result<Answer, Problem> {
    let id = scene.call.param(0).to_owned();
    authorize(scene, kind, &id, "write")?;
    let invalid = || {
        Problem::typed(StatusCode::BAD_REQUEST, "accesscontrol.invalidRequestBody", "Invalid request body")
    };
    let mut fields = scene.fields().map_err(|_| invalid())?;
    let mut changes = Vec::new();
    for item in fields.list("permissions").map_err(|_| invalid())? {
        let mut item = Fields::of_value(item).map_err(|_| invalid())?;
        let user = item.number("userId").map_err(|_| invalid())?.filter(|id| *id != 0);
        let team = item.number("teamId").map_err(|_| invalid())?.filter(|id| *id != 0);
        let role = item.text("builtInRole").map_err(|_| invalid())?.filter(|role| !role.is_empty());
        let subject = match (user, team, role) {
            (Some(user), None, None) => Subject::User(user),
            (None, Some(team), None) => Subject::Team(team),
            (None, None, Some(role)) => Subject::BuiltInRole(built_in_role(&role)?),
            _ => {
                let message = "Each permission needs one of userId, teamId and builtInRole";
                return Err(Problem::typed(StatusCode::BAD_REQUEST, "accesscontrol.invalidRequest", message));
            }
        };
        let permission = item.text("permission").map_err(|_| invalid())?.unwrap_or_default();
        check(scene, kind, subject, &permission)?;
        changes.push((subject, permission));
    }
    if scene.tenant.switches.permissions_are_replaced {
        scene.tenant.forget_resource(scene.caller.org, kind, &id);
    }
    for (subject, permission) in changes {
        scene.tenant.set_permission(scene.caller.org, (kind, &id), subject, &permission);
    }
    Ok(message("Permissions updated"))
}

/// POST `/access-control/{resource}/{resourceID}/users/{userID}`
pub fn set_user(scene: &mut Scene<'_>, kind: ResourceKind) -> Result<Answer, Problem> {
    let user = scene.path_number(1)?;
    set(scene, kind, Subject::User(user))
}

/// POST `/access-control/{resource}/{resourceID}/teams/{teamID}`
pub fn set_team(scene: &mut Scene<'_>, kind: ResourceKind) -> Result<Answer, Problem> {
    let team = scene.path_number(1)?;
    set(scene, kind, Subject::Team(team))
}

/// POST `/access-control/{resource}/{resourceID}/builtInRoles/{role}`
pub fn set_built_in_role(scene: &mut Scene<'_>, kind: ResourceKind) -> Result<Answer, Problem> {
    let role = built_in_role(scene.call.param(1))?;
    set(scene, kind, Subject::BuiltInRole(role))
}

fn set(scene: &mut Scene<'_>, kind: ResourceKind, subject: Subject) -> Result<Answer, Problem> {
    let id = scene.call.param(0).to_owned();
    authorize(scene, kind, &id, "write")?;
    let permission = scene.fields()?.text("permission")?.unwrap_or_default();
    check(scene, kind, subject, &permission)?;
    scene.tenant.set_permission(scene.caller.org, (kind, &id), subject, &permission);
    Ok(message(if permission.is_empty() { "Permission removed" } else { "Permission updated" }))
}

/// The folders that the resource in the path inherits from. Ends the call unless the caller can read or write
/// its permissions (`verb`).
fn authorize(scene: &Scene<'_>, kind: ResourceKind, id: &str, verb: &str) -> Result<Place, Problem> {
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    let switches = &tenant.switches;
    let licensed = switches.licence == Licence::Valid || switches.unlicensed_data_source_permissions;
    if kind == ResourceKind::Datasources && !licensed {
        return Err(Problem::not_found("Not found"));
    }
    let ancestors = match kind {
        ResourceKind::Folders => tenant.folder(org, id).map(|folder| tenant.folders_above(folder)),
        ResourceKind::Dashboards => {
            let row = tenant.dashboard(org, id);
            row.map(|row| tenant.folder_and_above(org, row.folder_uid.as_deref()))
        }
        ResourceKind::Datasources => {
            tenant.data_sources.iter().find(|row| row.org_id == org && row.uid == id).map(|_| Vec::new())
        }
        ResourceKind::Receivers => {
            tenant.receivers.iter().find(|row| row.org_id == org && row.uid == id).map(|_| Vec::new())
        }
        ResourceKind::ServiceAccounts => {
            let row = id.parse().ok().and_then(|id| tenant.service_accounts.get(id));
            row.filter(|row| row.org_id == org).map(|_| Vec::new())
        }
        ResourceKind::Teams => {
            let row = id.parse().ok().and_then(|id| tenant.teams.get(id));
            row.filter(|row| row.org_id == org).map(|_| Vec::new())
        }
    };
    let inherited = ancestors.iter().flatten().map(|folder| ResourceKind::Folders.scope(folder));
    let action = format!("{}.permissions:{verb}", kind.name());
    scene.require_any(&action, inherited.chain([kind.scope(id)]))?;
    let is_tolerated = match kind {
        ResourceKind::Folders | ResourceKind::Dashboards => {
            switches.missing_resources != MissingResources::Refused
        }
        // Nothing checks a read of a data source's permissions.
        ResourceKind::Datasources => verb == "read",
        _ => false,
    };
    if kind == ResourceKind::Datasources {
        require_type(scene, id)?;
    }
    match ancestors {
        Some(ancestors) => Ok(Place { ancestors, exists: true }),
        None if is_tolerated => Ok(Place { ancestors: Vec::new(), exists: false }),
        None => Err(Problem::not_found("resource not found")),
    }
}

/// Ends the call if several data sources have the uid and the call does not name a type (contract 2.5).
fn require_type(scene: &Scene<'_>, uid: &str) -> Result<(), Problem> {
    let rows = scene.tenant.data_sources.iter();
    let named = rows.filter(|row| row.org_id == scene.caller.org && row.uid == uid).count();
    if named > 1 && scene.call.parameter("ds_type").is_none() {
        let message = "several data sources have this uid: ds_type is required";
        return Err(Problem::typed(StatusCode::BAD_REQUEST, "datasource.typeRequired", message));
    }
    Ok(())
}

/// The basic role in a request. `None` is a basic role, but cannot have permissions.
fn built_in_role(name: &str) -> Result<BasicRole, Problem> {
    match BasicRole::find(name) {
        Some(BasicRole::None) => {
            let message = "The basic role None cannot have permissions";
            Err(Problem::typed(StatusCode::BAD_REQUEST, "accesscontrol.noneRoleAssignment", message))
        }
        Some(role) => Ok(role),
        None => {
            let message = format!("Built-in role {name} is not valid");
            Err(Problem::typed(StatusCode::BAD_REQUEST, "accesscontrol.invalidBuiltInRole", message))
        }
    }
}

/// Ends the call unless the subject exists and can have this level.
fn check(scene: &Scene<'_>, kind: ResourceKind, subject: Subject, permission: &str) -> Result<(), Problem> {
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    let exists = match subject {
        Subject::User(id) => tenant.basic_role(id, org).is_some(),
        Subject::Team(id) => tenant.team_in(org, id).is_some(),
        Subject::BuiltInRole(_) => true,
    };
    if !exists {
        let message = "The user or team of an assignment was not found";
        return Err(Problem::typed(
            StatusCode::BAD_REQUEST,
            "accesscontrol.assignmentEntityNotFound",
            message,
        ));
    }
    if !kind.accepts(subject) || !(permission.is_empty() || kind.rank(permission).is_some()) {
        let message = format!("{permission:?} is not a permission of this resource and subject");
        return Err(Problem::typed(StatusCode::BAD_REQUEST, "accesscontrol.invalidRequest", message));
    }
    Ok(())
}

/// One entry of an answer. `is_own` is false for an inherited permission.
fn entry(tenant: &Tenant, kind: ResourceKind, row: &ManagedPermission, is_own: bool) -> Value {
    let mut entry = json!({
        "id": row.id,
        "roleName": role_name(row.subject),
        "isManaged": is_own,
        "isInherited": !is_own,
        "isServiceAccount": false,
        "actions": kind.actions(&row.permission),
        "permission": row.permission,
    });
    match row.subject {
        Subject::User(id) => {
            entry["userId"] = id.into();
            entry["userAvatarUrl"] = format!("/avatar/{id}").into();
            if let Some(user) = tenant.users.get(id) {
                entry["userUid"] = user.uid.as_str().into();
                entry["userLogin"] = user.login.as_str().into();
            } else if let Some(account) = tenant.service_accounts.get(id) {
                entry["userUid"] = account.uid.as_str().into();
                entry["userLogin"] = account.login.as_str().into();
                entry["isServiceAccount"] = true.into();
            }
        }
        Subject::Team(id) => {
            entry["teamId"] = id.into();
            if let Some(team) = tenant.teams.get(id) {
                entry["team"] = team.name.as_str().into();
                entry["teamUid"] = team.uid.as_str().into();
                entry["teamAvatarUrl"] = format!("/avatar/team-{id}").into();
            }
        }
        Subject::BuiltInRole(role) => entry["builtInRole"] = role.name().into(),
    }
    entry
}

/// The name of the managed role that implements a permission (contract 2.5).
fn role_name(subject: Subject) -> String {
    match subject {
        Subject::User(id) => format!("managed:users:{id}:permissions"),
        Subject::Team(id) => format!("managed:teams:{id}:permissions"),
        Subject::BuiltInRole(role) => format!("managed:builtins:{}:permissions", role.name().to_lowercase()),
    }
}
