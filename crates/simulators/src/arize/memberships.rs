//! Members of organizations and spaces (contract 2.6).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    auth::Place,
    body::Fields,
    call::{Answer, Scene},
    ids::{Id, Kind},
    problem::Problem,
    role_bindings, roles,
    state::Tenant,
    switches::Switches,
    users::{self, AccountRole},
};
use crate::kit::table::{Table, identified};

/// Predefined roles of organizations and spaces, and the role of the RBAC layer that each stands for.
const PREDEFINED: [(&str, &str); 4] =
    [("ADMIN", "Admin"), ("MEMBER", "Member"), ("READ_ONLY", "Read-only"), ("ANNOTATOR", "Annotator")];

/// A user belongs to an organization or a space.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// Its identifier.
    pub id: Id,
    /// The organization or space.
    pub parent_id: Id,
    /// The human or bot user.
    pub user_id: Id,
    /// The role there.
    pub role: AssignedRole,
}

identified!(Membership, Id);

/// The role of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE")]
pub enum AssignedRole {
    /// One of the vendor's.
    Predefined {
        /// Upper snake case.
        name: String,
    },
    /// A role of the RBAC layer; goes with a role binding on the space.
    Custom {
        /// The role.
        id: Id,
    },
}

impl AssignedRole {
    /// A predefined role.
    pub fn predefined(name: &str) -> Self {
        Self::Predefined { name: name.to_owned() }
    }

    /// Reads a role assignment.
    ///
    /// # Errors
    /// 400 for a wrong form, 422 for an unknown predefined role.
    pub fn read(value: Value, scene: &Scene<'_>) -> Result<Self, Problem> {
        let switches = &scene.tenant.switches;
        let mut fields = Fields::of_value(value, "role", switches)?;
        let kind = fields.required_text("type")?;
        if kind == switches.spell("CUSTOM") {
            let id = fields.required_text("id")?;
            fields.end()?;
            return Ok(Self::Custom { id: scene.id(&id, Kind::Role)? });
        }
        if kind != switches.spell("PREDEFINED") {
            return Err(Problem::unprocessable("unknown type of role assignment"));
        }
        let name = fields.required_text("name")?;
        fields.end()?;
        let known = PREDEFINED.iter().find(|(known, _)| switches.spell(known) == name);
        let (known, _) = known.ok_or_else(|| Problem::unprocessable("unknown predefined role"))?;
        Ok(Self::predefined(known))
    }

    /// The role as the vendor writes it.
    pub fn wire(&self, tenant: &Tenant) -> Value {
        let switches = &tenant.switches;
        match self {
            Self::Predefined { name } => {
                json!({ "type": switches.spell("PREDEFINED"), "name": switches.spell(name) })
            }
            Self::Custom { id } => {
                let name = tenant.roles.get(*id).map(|role| role.name.as_str());
                json!({ "type": switches.spell("CUSTOM"), "id": id, "name": name })
            }
        }
    }

    /// The role of the RBAC layer that this stands for.
    pub fn role_id(&self, tenant: &Tenant) -> Option<Id> {
        match self {
            Self::Custom { id } => Some(*id),
            Self::Predefined { name } => {
                let (_, role_name) = PREDEFINED.iter().find(|(known, _)| known == name)?;
                let mut roles = tenant.roles.iter();
                roles.find(|role| role.is_predefined && role.name == *role_name).map(|role| role.id)
            }
        }
    }
}

/// POST `/v2/spaces/{space_id}/users`
pub fn add_to_space(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let space = scene.path_id(0, Kind::Space)?;
    if !scene.may("SPACE_READ", Place::Resource(space)) {
        return Err(Problem::not_found("space"));
    }
    let (user, role) = requested(scene)?;
    match &role {
        AssignedRole::Custom { id } => {
            scene.require("ROLE_BINDING_CREATE", Place::Resource(space))?;
            if roles::live(scene.tenant, *id).is_none() {
                return Err(Problem::not_found("role"));
            }
        }
        AssignedRole::Predefined { name } => {
            scene.require("SPACE_UPDATE", Place::Resource(space))?;
            fits_account_role(scene.tenant, user, name)?;
        }
    }
    let organization = scene.tenant.spaces.get(space).map(|row| row.organization_id);
    let in_organization = scene
        .tenant
        .organization_members
        .iter()
        .any(|member| member.user_id == user && Some(member.parent_id) == organization);
    if !in_organization {
        return Err(Problem::invalid("the user is not in the organization of the space"));
    }
    let member = join_space(scene.tenant, user, space, role);
    Ok(Answer::ok(wire(&member, "space_id", scene.tenant)))
}

/// DELETE `/v2/spaces/{space_id}/users/{user_id}`: with every binding of the user on the space.
pub fn remove_from_space(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let space = scene.path_id(0, Kind::Space)?;
    let user = scene.path_id(1, Kind::User)?;
    if !scene.may("SPACE_READ", Place::Resource(space)) {
        return Err(Problem::not_found("space"));
    }
    scene.require("SPACE_UPDATE", Place::Resource(space))?;
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
    scene.require("ORGANIZATION_UPDATE", Place::Organization(organization))?;
    match &role {
        AssignedRole::Custom { .. } => {
            return Err(Problem::unprocessable("custom roles are not supported in organizations"));
        }
        AssignedRole::Predefined { name } => fits_account_role(scene.tenant, user, name)?,
    }
    let member = join_organization(scene.tenant, user, organization, role);
    Ok(Answer::ok(wire(&member, "organization_id", scene.tenant)))
}

/// DELETE `/v2/organizations/{org_id}/users/{user_id}`: from its spaces too.
pub fn remove_from_organization(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let organization = visible_organization(scene)?;
    let user = scene.path_id(1, Kind::User)?;
    scene.require("ORGANIZATION_UPDATE", Place::Organization(organization))?;
    if !is_member(&scene.tenant.organization_members, user, organization) {
        return Err(Problem::not_found("member"));
    }
    let in_it = scene.tenant.spaces.iter().filter(|space| space.organization_id == organization);
    let spaces: Vec<Id> = in_it.map(|space| space.id).collect();
    for space in spaces {
        if is_member(&scene.tenant.space_members, user, space) {
            leave_space(scene.tenant, user, space);
        }
    }
    let members = &mut scene.tenant.organization_members;
    members.retain(|member| member.user_id != user || member.parent_id != organization);
    Ok(Answer::none())
}

/// Makes a user a member of an organization, or changes the role there.
pub fn join_organization(tenant: &mut Tenant, user: Id, organization: Id, role: AssignedRole) -> Membership {
    let known = tenant.organization_members.iter().find(|member| is_of(member, user, organization));
    let id = known.map(|member| member.id);
    let id = id.unwrap_or_else(|| tenant.issue(Kind::OrganizationMembership));
    let member = Membership { id, parent_id: organization, user_id: user, role };
    tenant.organization_members.insert(member.clone());
    member
}

/// Makes a user a member of a space, or changes the role there.
pub fn join_space(tenant: &mut Tenant, user: Id, space: Id, role: AssignedRole) -> Membership {
    let custom = matches!(role, AssignedRole::Custom { .. });
    if (custom || tenant.switches.predefined_memberships_are_bindings)
        && let Some(role) = role.role_id(tenant)
    {
        role_bindings::set(tenant, user, space, role);
    }
    let known = tenant.space_members.iter().find(|member| is_of(member, user, space));
    let id = known.map(|member| member.id);
    let id = id.unwrap_or_else(|| tenant.issue(Kind::SpaceMembership));
    let member = Membership { id, parent_id: space, user_id: user, role };
    tenant.space_members.insert(member.clone());
    member
}

/// Keeps a membership with a custom role in step with the binding that it goes with: another role, or none.
pub fn follow_binding(tenant: &mut Tenant, user: Id, resource: Id, role: Option<Id>) {
    let is_custom = |member: &Membership| {
        is_of(member, user, resource) && matches!(member.role, AssignedRole::Custom { .. })
    };
    match role {
        None => tenant.space_members.retain(|member| !is_custom(member)),
        Some(id) => {
            if let Some(member) = tenant.space_members.iter_mut().find(|member| is_custom(member)) {
                member.role = AssignedRole::Custom { id };
            }
        }
    }
}

fn leave_space(tenant: &mut Tenant, user: Id, space: Id) {
    tenant.space_members.retain(|member| !is_of(member, user, space));
    tenant.role_bindings.retain(|binding| binding.user_id != user || binding.resource_id != space);
}

fn requested(scene: &Scene<'_>) -> Result<(Id, AssignedRole), Problem> {
    let mut fields = scene.fields()?;
    let user = fields.required_text("user_id")?;
    let role = fields.value("role");
    let role = fields.required("role", role)?;
    fields.end()?;
    let role = AssignedRole::read(role, scene)?;
    let user = scene.id(&user, Kind::User)?;
    match users::live(scene.tenant, user) {
        Some(_) => Ok((user, role)),
        None => Err(Problem::not_found("user")),
    }
}

/// Annotators of the account are annotators everywhere, and nobody else is.
fn fits_account_role(tenant: &Tenant, user: Id, name: &str) -> Result<(), Problem> {
    let account = users::live(tenant, user).map(|user| user.role);
    if (account == Some(AccountRole::Annotator)) == (name == "ANNOTATOR") {
        Ok(())
    } else {
        Err(Problem::unprocessable("the annotator role is for annotator accounts, and they have no other"))
    }
}

fn visible_organization(scene: &Scene<'_>) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::AccountOrganization)?;
    if scene.caller.sees_organization(scene.tenant, id) {
        Ok(id)
    } else {
        Err(Problem::not_found("organization"))
    }
}

fn is_member(members: &Table<Membership>, user: Id, parent: Id) -> bool {
    members.iter().any(|member| is_of(member, user, parent))
}

fn is_of(member: &Membership, user: Id, parent: Id) -> bool {
    member.user_id == user && member.parent_id == parent
}

fn wire(member: &Membership, parent: &str, tenant: &Tenant) -> Value {
    json!({
        "id": member.id,
        "user_id": member.user_id,
        parent: member.parent_id,
        "role": member.role.wire(tenant),
    })
}

/// The predefined names that service keys may use below the account level.
pub fn service_key_role(role: &AssignedRole, switches: &Switches) -> Result<(), Problem> {
    match role {
        AssignedRole::Predefined { name } if name == "ANNOTATOR" => {
            Err(Problem::unprocessable(format!("{} is not for service keys", switches.spell("ANNOTATOR"))))
        }
        _ => Ok(()),
    }
}
