//! Members of organizations and spaces (contract 2.6).

use serde_json::{Value, json};

use super::{
    assigned_roles::{read_role, role_json},
    call::Scene,
    problem::Problem,
};
use crate::{
    arize::{
        access::Target,
        rows::{
            ids::{Id, Kind},
            memberships::{AssignedRole, Membership},
            users::AccountRole,
        },
        state::{
            Tenant,
            memberships::{is_member, join_organization, join_space, leave_organization, leave_space},
        },
    },
    kit::answer::Answer,
};

/// POST `/v2/spaces/{space_id}/users`
pub fn add_to_space(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let space = scene.path_id(0, Kind::Space)?;
    if !scene.can("SPACE_READ", Target::Resource(space)) {
        return Err(Problem::not_found("space"));
    }
    let (user, role) = requested(scene)?;
    match &role {
        AssignedRole::Custom { id } => {
            scene.require("ROLE_BINDING_CREATE", Target::Resource(space))?;
            if scene.tenant.live_role(*id).is_none() {
                return Err(Problem::not_found("role"));
            }
        }
        AssignedRole::Predefined { name } => {
            scene.require("SPACE_UPDATE", Target::Resource(space))?;
            require_matching_account_role(scene.tenant, user, name)?;
        }
    }
    let organization = scene.tenant.spaces.get(space).map(|row| row.organization_id);
    let is_in_organization = scene
        .tenant
        .organization_members
        .iter()
        .any(|member| member.user_id == user && Some(member.parent_id) == organization);
    if !is_in_organization {
        return Err(Problem::invalid("the user is not in the organization of the space"));
    }
    let member = join_space(scene.tenant, user, space, role);
    Ok(Answer::ok(to_json(&member, "space_id", scene.tenant)))
}

/// DELETE `/v2/spaces/{space_id}/users/{user_id}`: deletes the user's bindings on the space too.
pub fn remove_from_space(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let space = scene.path_id(0, Kind::Space)?;
    let user = scene.path_id(1, Kind::User)?;
    if !scene.can("SPACE_READ", Target::Resource(space)) {
        return Err(Problem::not_found("space"));
    }
    scene.require("SPACE_UPDATE", Target::Resource(space))?;
    if !is_member(&scene.tenant.space_members, user, space) {
        return Err(Problem::not_found("member"));
    }
    leave_space(scene.tenant, user, space);
    Ok(Answer::none())
}

/// POST `/v2/organizations/{org_id}/users`
pub fn add_to_organization(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let organization = visible_organization(scene)?;
    let (user, role) = requested(scene)?;
    scene.require("ORGANIZATION_UPDATE", Target::Organization(organization))?;
    match &role {
        AssignedRole::Custom { .. } => {
            return Err(Problem::unprocessable("custom roles are not supported in organizations"));
        }
        AssignedRole::Predefined { name } => require_matching_account_role(scene.tenant, user, name)?,
    }
    let member = join_organization(scene.tenant, user, organization, role);
    Ok(Answer::ok(to_json(&member, "organization_id", scene.tenant)))
}

/// DELETE `/v2/organizations/{org_id}/users/{user_id}`: removes the user from its spaces too.
pub fn remove_from_organization(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let organization = visible_organization(scene)?;
    let user = scene.path_id(1, Kind::User)?;
    scene.require("ORGANIZATION_UPDATE", Target::Organization(organization))?;
    if !is_member(&scene.tenant.organization_members, user, organization) {
        return Err(Problem::not_found("member"));
    }
    leave_organization(scene.tenant, user, organization);
    Ok(Answer::none())
}

/// The user and the role of the body. The user exists; a custom role need not.
fn requested(scene: &Scene<'_>) -> Result<(Id, AssignedRole), Problem> {
    let mut fields = scene.fields()?;
    let user = fields.required_text("user_id")?;
    let role = fields.value("role");
    let role = fields.required("role", role)?;
    fields.end()?;
    let role = read_role(role, scene)?;
    let user = scene.id(&user, Kind::User)?;
    match scene.tenant.live_user(user) {
        Some(_) => Ok((user, role)),
        None => Err(Problem::not_found("user")),
    }
}

/// Annotator accounts can only have the annotator role, and only they can have it (contract 2.6).
fn require_matching_account_role(tenant: &Tenant, user: Id, name: &str) -> Result<(), Problem> {
    let account = tenant.live_user(user).map(|user| user.role);
    if (account == Some(AccountRole::Annotator)) == (name == "ANNOTATOR") {
        Ok(())
    } else {
        Err(Problem::unprocessable(
            "annotator accounts can only have the annotator role, and only they can have it",
        ))
    }
}

/// The organization in the path; 404 if the caller cannot see it.
fn visible_organization(scene: &Scene<'_>) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::AccountOrganization)?;
    if scene.caller.sees_organization(scene.tenant, id) {
        Ok(id)
    } else {
        Err(Problem::not_found("organization"))
    }
}

fn to_json(member: &Membership, parent: &str, tenant: &Tenant) -> Value {
    json!({
        "id": member.id,
        "user_id": member.user_id,
        parent: member.parent_id,
        "role": role_json(&member.role, tenant),
    })
}
