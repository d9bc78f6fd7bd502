//! Who calls, and what they may see and do (contract 1, "401 vs 403 vs 404").
//!
//! What a credential may do is stated with it, not derived from memberships and bindings. The one exception
//! is a restricted resource, where the caller's own binding on it counts.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    api_keys::KeyStatus,
    ids::{Id, Kind},
    memberships::AssignedRole,
    problem::Problem,
    state::Tenant,
    users::{AccountRole, UserStatus},
};
use crate::kit::credentials::Credentials;

/// What account members may not do unless their credential's permissions name it.
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

/// What annotators may not read either.
const NOT_FOR_ANNOTATORS: &[&str] = &["ROLE_READ", "USER_READ"];

/// What a credential may see and do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// The account role; member if absent.
    pub account_role: AccountRole,
    /// The user that the credential acts as.
    pub user_id: Option<Id>,
    /// These permissions and no others. If absent, admins have all, and others what an admin of the spaces
    /// they see has.
    pub permissions: Option<BTreeSet<String>>,
    /// Only these spaces are seen, and the organizations they are in. If absent, all of them, except private
    /// ones that the user is no member of.
    pub spaces: Option<BTreeSet<Id>>,
    /// The key in the tenant whose status counts too.
    pub api_key: Option<Id>,
    /// When the credential ends.
    pub expires_at: Option<Timestamp>,
}

impl Grant {
    /// An account admin, acting as a user.
    pub fn admin(user: Id) -> Self {
        Self { account_role: AccountRole::Admin, user_id: Some(user), ..Self::default() }
    }
}

/// Where something is to be done.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// In the account as a whole.
    Account,
    /// In an organization.
    Organization(Id),
    /// On a space, a project, a dashboard or a prompt.
    Resource(Id),
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What the credential may see and do.
    pub grant: Grant,
}

impl Caller {
    /// Whether the caller is an account admin.
    pub fn is_account_admin(&self) -> bool {
        self.grant.account_role == AccountRole::Admin
    }

    /// Whether the caller has this permission there. No on what does not exist or is not seen.
    pub fn may(&self, tenant: &Tenant, permission: &str, place: Place) -> bool {
        match place {
            Place::Account => self.holds(permission),
            Place::Organization(id) => self.holds(permission) && self.sees_organization(tenant, id),
            Place::Resource(id) => match tenant.space_of(id) {
                Some(space) if self.sees_space(tenant, space) => {
                    if tenant.restrictions.contains(id) && !self.administers(tenant, space) {
                        self.bound_with(tenant, permission, id)
                    } else {
                        self.holds(permission)
                    }
                }
                _ => false,
            },
        }
    }

    /// Whether the caller sees a space.
    pub fn sees_space(&self, tenant: &Tenant, id: Id) -> bool {
        let Some(space) = tenant.spaces.get(id) else { return false };
        match &self.grant.spaces {
            Some(seen) => seen.contains(&id),
            None => {
                !space.is_private || self.is_account_admin() || {
                    let mine = |member: &&super::memberships::Membership| {
                        member.parent_id == id && Some(member.user_id) == self.grant.user_id
                    };
                    tenant.space_members.iter().find(mine).is_some() || self.administers(tenant, id)
                }
            }
        }
    }

    /// Whether the caller sees an organization.
    pub fn sees_organization(&self, tenant: &Tenant, id: Id) -> bool {
        let within = |space: &Id| tenant.spaces.get(*space).is_some_and(|space| space.organization_id == id);
        tenant.organizations.contains(id)
            && self.grant.spaces.as_ref().is_none_or(|spaces| spaces.iter().any(within))
    }

    /// Whether the caller has this permission at all.
    pub fn holds(&self, permission: &str) -> bool {
        match (&self.grant.permissions, self.grant.account_role) {
            (Some(permissions), _) => permissions.contains(permission),
            (None, AccountRole::Admin) => true,
            (None, AccountRole::Annotator) => {
                !ADMINS_ONLY.contains(&permission) && !NOT_FOR_ANNOTATORS.contains(&permission)
            }
            (None, AccountRole::Member | AccountRole::MemberUiOnly) => !ADMINS_ONLY.contains(&permission),
        }
    }

    /// Whether the caller is admin of the account, of this space, or of its organization: admins keep access
    /// to what is restricted (contract 2.3).
    fn administers(&self, tenant: &Tenant, space: Id) -> bool {
        let organization = tenant.spaces.get(space).map(|space| space.organization_id);
        self.is_account_admin()
            || tenant.space_members.iter().chain(tenant.organization_members.iter()).any(|member| {
                Some(member.user_id) == self.grant.user_id
                    && (member.parent_id == space || Some(member.parent_id) == organization)
                    && matches!(&member.role, AssignedRole::Predefined { name } if name == "ADMIN")
            })
    }

    fn bound_with(&self, tenant: &Tenant, permission: &str, resource: Id) -> bool {
        tenant
            .role_bindings
            .iter()
            .filter(|binding| binding.resource_id == resource && Some(binding.user_id) == self.grant.user_id)
            .filter_map(|binding| tenant.roles.get(binding.role_id))
            .any(|role| role.permissions.iter().any(|held| held == permission))
    }
}

/// Whose secret this is.
///
/// # Errors
/// 401 without distinction: no secret, an unknown one, or one that is expired, revoked, or of a user who was
/// deleted.
pub fn authenticate(
    secret: Option<&str>,
    credentials: &Credentials<Grant>,
    tenant: &Tenant,
) -> Result<Caller, Problem> {
    secret
        .and_then(|secret| credentials.find(secret))
        .filter(|view| !view.expired && is_live(&view.grant, tenant))
        .map(|view| Caller { grant: view.grant })
        .ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "missing or invalid credential"))
}

fn is_live(grant: &Grant, tenant: &Tenant) -> bool {
    let now = Timestamp::now();
    let in_time = |end: Option<Timestamp>| end.is_none_or(|end| now < end);
    let key_lives = |id: Id| {
        tenant.api_keys.get(id).is_some_and(|key| key.status == KeyStatus::Active && in_time(key.expires_at))
    };
    let user_lives = |id: Id| tenant.users.get(id).is_none_or(|user| user.status != UserStatus::Inactive);
    in_time(grant.expires_at) && grant.api_key.is_none_or(key_lives) && grant.user_id.is_none_or(user_lives)
}

/// The permission to read a resource of this kind.
pub fn reading(kind: Kind) -> &'static str {
    match kind {
        Kind::Model => "PROJECT_READ",
        Kind::Dashboard => "DASHBOARD_READ",
        Kind::Prompt => "PROMPT_READ",
        _ => "SPACE_READ",
    }
}
