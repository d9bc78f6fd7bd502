//! Members of organizations and spaces, and the role bindings of space members (contract 6.9).

use super::{role_bindings, tenant::Tenant};
use crate::{
    arize::rows::{
        ids::{Id, Kind},
        memberships::{AssignedRole, Membership, PREDEFINED},
    },
    kit::table::Table,
};

/// Whether the user is a member of the organization or space.
pub fn is_member(members: &Table<Membership>, user: Id, parent: Id) -> bool {
    members.iter().any(|member| member.is_of(user, parent))
}

/// The role in `/v2/roles` that corresponds to a member's role.
pub fn role_id(tenant: &Tenant, role: &AssignedRole) -> Option<Id> {
    match role {
        AssignedRole::Custom { id } => Some(*id),
        AssignedRole::Predefined { name } => {
            let (_, role_name) = PREDEFINED.iter().find(|(known, _)| known == name)?;
            let mut roles = tenant.roles.iter();
            roles.find(|role| role.is_predefined && role.name == *role_name).map(|role| role.id)
        }
    }
}

/// Makes a user a member of an organization, or changes the role there.
pub fn join_organization(tenant: &mut Tenant, user: Id, organization: Id, role: AssignedRole) -> Membership {
    let known = tenant.organization_members.iter().find(|member| member.is_of(user, organization));
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
        && let Some(role) = role_id(tenant, &role)
    {
        role_bindings::set(tenant, user, space, role);
    }
    let known = tenant.space_members.iter().find(|member| member.is_of(user, space));
    let id = known.map(|member| member.id);
    let id = id.unwrap_or_else(|| tenant.issue(Kind::SpaceMembership));
    let member = Membership { id, parent_id: space, user_id: user, role };
    tenant.space_members.insert(member.clone());
    member
}

/// Removes a user from a space, with the user's bindings on the space (contract 2.6).
pub fn leave_space(tenant: &mut Tenant, user: Id, space: Id) {
    tenant.space_members.retain(|member| !member.is_of(user, space));
    tenant.role_bindings.retain(|binding| binding.user_id != user || binding.resource_id != space);
}

/// Removes a user from an organization and from its spaces.
pub fn leave_organization(tenant: &mut Tenant, user: Id, organization: Id) {
    for space in tenant.spaces_in(organization) {
        if is_member(&tenant.space_members, user, space) {
            leave_space(tenant, user, space);
        }
    }
    tenant.organization_members.retain(|member| !member.is_of(user, organization));
}

/// Updates a space membership with a custom role after its binding got another role, or none.
pub fn follow_binding(tenant: &mut Tenant, user: Id, resource: Id, role: Option<Id>) {
    let is_custom = |member: &Membership| {
        member.is_of(user, resource) && matches!(member.role, AssignedRole::Custom { .. })
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
