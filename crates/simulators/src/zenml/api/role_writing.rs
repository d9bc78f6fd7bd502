//! The operations that create, change and delete roles (contract 2.1, 3.1).

use jiff::Timestamp;
use serde_json::Value;

use super::{
    body::{Fields, required},
    call::Scene,
    permissions,
    problem::Problem,
    roles::{find, single_json},
};
use crate::zenml::{
    access::rights::Place,
    rows::{
        ids::Uuid,
        permissions::Permissions,
        roles::{KINDS, Kind, LEVELS, Level, Role},
        switches::{ClientSystemManaged, RoleDeletion, Switches},
    },
    state::Tenant,
};

/// The maximum length of a name in characters.
const MAX_NAME: usize = 50;

/// The maximum length of a description in characters.
const MAX_DESCRIPTION: usize = 256;

/// POST `/roles`
pub fn create(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.text("name", MAX_NAME)?;
    let description = fields.text("description", MAX_DESCRIPTION)?;
    let organization_id = fields.id("organization_id")?;
    let organization_id = required("organization_id", organization_id)?;
    let level = fields.choice("level", &LEVELS)?;
    let level = required("level", level)?;
    let system_managed = fields.flag("system_managed")?;
    let system_managed = required("system_managed", system_managed)?;
    let kind = fields.choice("type", &KINDS)?.unwrap_or_default();
    let permissions = read_permissions(&mut fields, &scene.tenant.switches)?.unwrap_or_default();

    if !scene.tenant.organizations.contains(organization_id) {
        return Err(Problem::missing("organization"));
    }
    scene.require(Place::organization(organization_id), "role:create")?;
    let system_managed = system_managed && store_system_managed(&scene.tenant.switches)?;
    validate(level, kind, &permissions, &scene.tenant.switches)?;
    require_room(scene.tenant, organization_id)?;
    require_free_name(scene.tenant, organization_id, level, name.as_deref(), None)?;

    let role = Role {
        id: scene.tenant.issue(),
        organization_id,
        name,
        description,
        level,
        system_managed,
        kind,
        permissions,
        shared_resource: None,
        created: Timestamp::now(),
    };
    let answer = single_json(&role, &scene.tenant.switches);
    scene.tenant.roles.insert(role);
    Ok(answer)
}

fn store_system_managed(switches: &Switches) -> Result<bool, Problem> {
    match switches.client_system_managed {
        ClientSystemManaged::Refuse => Err(Problem::illegal("System managed roles cannot be created")),
        ClientSystemManaged::Ignore => Ok(false),
        ClientSystemManaged::Store => Ok(true),
    }
}

fn validate(level: Level, kind: Kind, permissions: &Permissions, switches: &Switches) -> Result<(), Problem> {
    if level == Level::Organization && !switches.custom_organization_roles {
        return Err(Problem::illegal("Organization roles cannot be created"));
    }
    if kind == Kind::Share {
        return Err(Problem::illegal("Share roles cannot be created"));
    }
    require_permissions(permissions)
}

fn require_room(tenant: &Tenant, organization: Uuid) -> Result<(), Problem> {
    let is_custom = |role: &&Role| {
        role.organization_id == organization && !role.system_managed && role.kind == Kind::Normal
    };
    let Some(limit) = tenant.switches.custom_role_limit else { return Ok(()) };
    if tenant.roles.iter().filter(is_custom).count() < limit {
        return Ok(());
    }
    let message = "Your plan does not include more custom roles";
    Err(Problem::exception(402, "SubscriptionUpgradeRequiredError", message))
}

/// PATCH `/roles/{role_id}`. Absent fields stay.
pub fn update(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let mut role = find(scene)?;
    scene.require(Place::organization(role.organization_id), "role:update")?;
    let mut fields = scene.fields()?;
    let switches = &scene.tenant.switches;
    let clears = |fields: &Fields, name: &str| switches.null_clears && fields.is_null(name);
    let (clears_name, clears_description) = (clears(&fields, "name"), clears(&fields, "description"));
    let name = fields.text("name", MAX_NAME)?;
    let description = fields.text("description", MAX_DESCRIPTION)?;
    let permissions = read_permissions(&mut fields, switches)?;

    if role.kind == Kind::Share || (role.system_managed && !switches.system_roles_editable) {
        return Err(Problem::illegal("This role cannot be updated"));
    }
    match permissions {
        Some(permissions) => {
            require_permissions(&permissions)?;
            role.permissions = permissions;
        }
        None if switches.update_requires_permissions => return Err(no_permissions()),
        None => {}
    }
    role.name = if clears_name { None } else { name.or(role.name) };
    role.description = if clears_description { None } else { description.or(role.description) };
    require_free_name(scene.tenant, role.organization_id, role.level, role.name.as_deref(), Some(role.id))?;
    let answer = single_json(&role, &scene.tenant.switches);
    scene.tenant.roles.insert(role);
    Ok(answer)
}

/// DELETE `/roles/{role_id}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let role = find(scene)?;
    scene.require(Place::organization(role.organization_id), "role:delete")?;
    if role.system_managed {
        return Err(Problem::illegal("System managed roles cannot be deleted"));
    }
    let tenant = &mut *scene.tenant;
    let is_assigned = tenant.assignments.iter().any(|row| row.role_id == role.id);
    if is_assigned && tenant.switches.role_deletion == RoleDeletion::Refuse {
        return Err(Problem::illegal("The role is still assigned"));
    }
    tenant.assignments.retain(|row| row.role_id != role.id);
    tenant.roles.remove(role.id);
    Ok(Value::Null)
}

fn read_permissions(fields: &mut Fields, switches: &Switches) -> Result<Option<Permissions>, Problem> {
    fields.value("permissions").map(|value| permissions::parse(value, switches)).transpose()
}

fn require_permissions(permissions: &Permissions) -> Result<(), Problem> {
    if permissions.values().all(|actions| actions.is_empty()) { Err(no_permissions()) } else { Ok(()) }
}

fn no_permissions() -> Problem {
    Problem::illegal("A role must have at least one permission")
}

fn require_free_name(
    tenant: &Tenant,
    organization: Uuid,
    level: Level,
    name: Option<&str>,
    except: Option<Uuid>,
) -> Result<(), Problem> {
    let is_taken = |role: &Role| {
        role.organization_id == organization
            && role.level == level
            && role.kind == Kind::Normal
            && role.name.as_deref() == name
            && Some(role.id) != except
    };
    if tenant.switches.unique_role_names && name.is_some() && tenant.roles.iter().any(is_taken) {
        return Err(Problem::exists("A role with this name already exists"));
    }
    Ok(())
}
