//! The operations that read roles (contract 2.1).

use serde_json::{Value, json};

use super::{
    body::parse_choice,
    call::Scene,
    organizations,
    paging::{Page, ordered},
    permissions,
    problem::Problem,
};
use crate::zenml::{
    access::rights::Place,
    rows::{
        ids::Uuid,
        permissions::Permissions,
        principals::Principal,
        roles::{KINDS, Kind, LEVELS, Level, Role},
        switches::{PermissionsShown, Switches},
    },
    state::Tenant,
};

/// GET `/organizations/{id_or_name}/roles`
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::find(scene, scene.call.param(0))?;
    let page = Page::of(scene)?;
    let filter = Filter::of(scene)?;
    if !scene.can_list(Place::organization(organization), "role:read")? {
        return Ok(json!([]));
    }
    let tenant = &*scene.tenant;
    let rows = tenant.roles.iter().filter(|role| role.organization_id == organization);
    let rows = ordered(rows.filter(|role| filter.matches(role, tenant)), scene);
    Ok(page.cut(rows).map(|role| list_json(role, &tenant.switches)).collect())
}

/// The filters of a role list.
struct Filter<'a> {
    name: Option<&'a str>,
    resource: Option<&'a str>,
    action: Option<&'a str>,
    system_managed: Option<bool>,
    kind: Kind,
    level: Option<Level>,
    user: Option<Uuid>,
    team: Option<Uuid>,
    workspace: Option<Uuid>,
    project: Option<Uuid>,
}

impl<'a> Filter<'a> {
    fn of(scene: &'a Scene<'_>) -> Result<Self, Problem> {
        let call = scene.call;
        let mut user = scene.query_id("user_id")?;
        if scene.query_flag("assigned_to_current_user")?.unwrap_or(false) {
            if user.is_some() {
                let message = "user_id and assigned_to_current_user exclude each other";
                return Err(Problem::value(&scene.tenant.switches, message));
            }
            user = scene.caller.grant.user_id;
        }
        let kind = call.parameter("type").map(|word| parse_choice("query", "type", Some(word), &KINDS));
        let level = call.parameter("level").map(|word| parse_choice("query", "level", Some(word), &LEVELS));
        Ok(Self {
            name: call.parameter("name"),
            resource: call.parameter("resource"),
            action: call.parameter("action"),
            system_managed: scene.query_flag("system_managed")?,
            kind: kind.transpose()?.unwrap_or_default(),
            level: level.transpose()?,
            user,
            team: scene.query_id("team_id")?,
            workspace: scene.query_id("workspace_scope")?,
            project: scene.query_id("project_scope")?,
        })
    }

    fn matches(&self, role: &Role, tenant: &Tenant) -> bool {
        self.kind == role.kind
            && self.level.is_none_or(|level| level == role.level)
            && self.system_managed.is_none_or(|expected| expected == role.system_managed)
            && self.name.is_none_or(|name| has_name(role, name, &tenant.switches))
            && self.matches_permissions(&role.permissions)
            && self.matches_assignments(role, tenant)
    }

    fn matches_permissions(&self, permissions: &Permissions) -> bool {
        let mut entries = permissions.iter();
        (self.resource.is_none() && self.action.is_none())
            || entries.any(|(resource, actions)| {
                self.resource.is_none_or(|expected| expected == resource)
                    && self.action.is_none_or(|expected| actions.contains(expected))
            })
    }

    fn matches_assignments(&self, role: &Role, tenant: &Tenant) -> bool {
        let any = [self.user, self.team, self.workspace, self.project];
        let mut rows = tenant.assignments.iter();
        any.iter().all(Option::is_none)
            || rows.any(|row| {
                row.role_id == role.id
                    && self.user.is_none_or(|id| row.principal == Principal::User(id))
                    && self.team.is_none_or(|id| row.principal == Principal::Team(id))
                    && self.workspace.is_none_or(|id| row.workspace_id == Some(id))
                    && self.project.is_none_or(|id| row.project_id == Some(id))
            })
    }
}

fn has_name(role: &Role, name: &str, switches: &Switches) -> bool {
    let known = role.name.as_deref().unwrap_or_default();
    if switches.name_filter_takes_parts {
        known.to_lowercase().contains(&name.to_lowercase())
    } else {
        known == name
    }
}

/// GET `/roles/{role_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let role = find(scene)?;
    scene.require(Place::organization(role.organization_id), "role:read")?;
    Ok(single_json(&role, &scene.tenant.switches))
}

/// The role in the path, if the caller can see its organization.
///
/// # Errors
/// 404, or the switched status of hidden rows.
pub fn find(scene: &Scene<'_>) -> Result<Role, Problem> {
    let id = scene.path_id(0, "role_id")?;
    let role = scene.tenant.roles.get(id).ok_or_else(|| Problem::missing("role"))?;
    if !scene.caller.can_see_organization(scene.tenant, role.organization_id) {
        return Err(Problem::hidden(&scene.tenant.switches, "role"));
    }
    Ok(role.clone())
}

/// The JSON of a role in an answer of its own.
pub fn single_json(role: &Role, switches: &Switches) -> Value {
    to_json(role, switches, switches.permissions_shown != PermissionsShown::Never)
}

/// The JSON of a role in lists and other rows.
pub fn list_json(role: &Role, switches: &Switches) -> Value {
    to_json(role, switches, switches.permissions_shown == PermissionsShown::Always)
}

fn to_json(role: &Role, switches: &Switches, with_permissions: bool) -> Value {
    let mut body = json!({
        "name": role.name,
        "description": role.description,
        "id": role.id,
        "organization_id": role.organization_id,
        "level": role.level,
        "system_managed": role.system_managed,
        "type": role.kind,
    });
    if with_permissions {
        body["permissions"] = permissions::to_json(&role.permissions, switches.permission_form);
    }
    body
}
