//! What a caller can see and do (contract 1.7).

use super::grant::Grant;
use crate::arize::{
    rows::{
        ids::{Id, Kind},
        memberships::{AssignedRole, Membership},
        users::AccountRole,
    },
    state::Tenant,
};

/// Permissions that members have only if their credential lists them.
const ADMINS_ONLY: &[&str] = &[
    "ROLE_CREATE",
    "ROLE_UPDATE",
    "ROLE_DELETE",
    "USER_CREATE",
    "USER_UPDATE",
    "USER_DELETE",
    "ORGANIZATION_CREATE",
    "ORGANIZATION_UPDATE",
    "ORGANIZATION_DELETE",
    "SPACE_CREATE",
    "SPACE_DELETE",
];

/// Permissions that members have and annotators do not.
const NOT_FOR_ANNOTATORS: &[&str] = &["ROLE_READ", "USER_READ"];

/// What an operation acts on.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// The account as a whole.
    Account,
    /// An organization.
    Organization(Id),
    /// A space, a project, a dashboard or a prompt.
    Resource(Id),
}

/// The sender of a call.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The rights of the credential.
    pub grant: Grant,
}

impl Caller {
    /// Whether the caller's account role is admin.
    pub fn is_account_admin(&self) -> bool {
        self.grant.account_role == AccountRole::Admin
    }

    /// Whether the caller has this permission on the target. False if the target is absent or not visible.
    pub fn can(&self, tenant: &Tenant, permission: &str, target: Target) -> bool {
        match target {
            Target::Account => self.has(permission),
            Target::Organization(id) => self.has(permission) && self.sees_organization(tenant, id),
            Target::Resource(id) => match tenant.space_of(id) {
                Some(space) if self.sees_space(tenant, space) => {
                    if tenant.restrictions.contains(id) && !self.administers(tenant, space) {
                        self.is_bound_with(tenant, permission, id)
                    } else {
                        self.has(permission)
                    }
                }
                _ => false,
            },
        }
    }

    /// Whether a space exists and is visible to the caller.
    pub fn sees_space(&self, tenant: &Tenant, id: Id) -> bool {
        let Some(space) = tenant.spaces.get(id) else { return false };
        match &self.grant.spaces {
            Some(visible) => visible.contains(&id),
            None => {
                !space.is_private || self.is_account_admin() || {
                    let is_own = |member: &Membership| {
                        member.parent_id == id && Some(member.user_id) == self.grant.user_id
                    };
                    tenant.space_members.iter().any(is_own) || self.administers(tenant, id)
                }
            }
        }
    }

    /// Whether an organization exists and is visible to the caller.
    pub fn sees_organization(&self, tenant: &Tenant, id: Id) -> bool {
        let within = |space: &Id| tenant.spaces.get(*space).is_some_and(|space| space.organization_id == id);
        tenant.organizations.contains(id)
            && self.grant.spaces.as_ref().is_none_or(|spaces| spaces.iter().any(within))
    }

    /// Whether the caller has this permission: by the credential's list, else by the account role.
    pub fn has(&self, permission: &str) -> bool {
        match (&self.grant.permissions, self.grant.account_role) {
            (Some(permissions), _) => permissions.contains(permission),
            (None, AccountRole::Admin) => true,
            (None, AccountRole::Annotator) => {
                !ADMINS_ONLY.contains(&permission) && !NOT_FOR_ANNOTATORS.contains(&permission)
            }
            (None, AccountRole::Member | AccountRole::MemberUiOnly) => !ADMINS_ONLY.contains(&permission),
        }
    }

    /// Whether the caller is an admin of the account, of this space or of its organization. These admins keep
    /// access to restricted resources (contract 2.3).
    fn administers(&self, tenant: &Tenant, space: Id) -> bool {
        let organization = tenant.spaces.get(space).map(|space| space.organization_id);
        self.is_account_admin()
            || tenant.space_members.iter().chain(tenant.organization_members.iter()).any(|member| {
                Some(member.user_id) == self.grant.user_id
                    && (member.parent_id == space || Some(member.parent_id) == organization)
                    && matches!(&member.role, AssignedRole::Predefined { name } if name == "ADMIN")
            })
    }

    fn is_bound_with(&self, tenant: &Tenant, permission: &str, resource: Id) -> bool {
        tenant
            .role_bindings
            .iter()
            .filter(|binding| binding.resource_id == resource && Some(binding.user_id) == self.grant.user_id)
            .filter_map(|binding| tenant.roles.get(binding.role_id))
            .any(|role| role.permissions.iter().any(|known| known == permission))
    }
}

/// The permission to read a resource of this kind.
pub fn read_permission(kind: Kind) -> &'static str {
    match kind {
        Kind::Model => "PROJECT_READ",
        Kind::Dashboard => "DASHBOARD_READ",
        Kind::Prompt => "PROMPT_READ",
        _ => "SPACE_READ",
    }
}
