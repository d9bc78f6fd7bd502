//! The access of a new service key: roles in the account, in organizations and in spaces (contract 2.7).

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    assigned_roles::{read_account_role, read_role},
    body::Fields,
    call::Scene,
    problem::Problem,
};
use crate::arize::{
    access::Grant,
    rows::{
        api_keys::ApiKey,
        ids::{Id, Kind},
        memberships::AssignedRole,
        switches::Switches,
        users::AccountRole,
    },
    state::{Tenant, memberships},
};

/// The access of a new service key.
pub struct ServiceKeyAccess {
    account_role: AccountRole,
    organizations: Vec<(Id, AssignedRole)>,
    spaces: Vec<(Id, AssignedRole)>,
}

impl ServiceKeyAccess {
    /// Reads the fields of a request that only service keys have.
    ///
    /// # Errors
    /// 400 for a wrong form, 404 for a place or role that does not exist or is not visible, 422 for access
    /// that a service key cannot have.
    pub fn read(scene: &Scene<'_>, fields: &mut Fields) -> Result<Self, Problem> {
        let switches = &scene.tenant.switches;
        let account_role = match fields.value("account_role") {
            Some(value) => read_account_role(value, switches)?,
            None => AccountRole::Member,
        };
        if account_role > scene.caller.grant.account_role {
            return Err(Problem::unprocessable("the account role is higher than the caller's own"));
        }
        let entries = fields.value("organizations");
        let entries = fields.required("organizations", entries)?;
        let mut access = Self { account_role, organizations: Vec::new(), spaces: Vec::new() };
        for entry in listed_entries(entries, "organizations")? {
            let mut entry = Fields::of_value(entry, "an organization", switches)?;
            let id = scene.id(&entry.required_text("org_id")?, Kind::AccountOrganization)?;
            let role = role_or(&mut entry, "READ_ONLY", scene)?;
            let spaces = entry.value("spaces");
            let spaces = entry.required("spaces", spaces)?;
            entry.end()?;
            if matches!(role, AssignedRole::Custom { .. }) {
                return Err(Problem::unprocessable("custom roles are supported in spaces only"));
            }
            if !scene.caller.sees_organization(scene.tenant, id) {
                return Err(Problem::not_found("organization"));
            }
            access.organizations.push((id, role));
            access.read_spaces(scene, id, spaces)?;
        }
        Ok(access)
    }

    fn read_spaces(&mut self, scene: &Scene<'_>, organization: Id, entries: Value) -> Result<(), Problem> {
        for entry in listed_entries(entries, "spaces")? {
            let mut entry = Fields::of_value(entry, "a space", &scene.tenant.switches)?;
            let id = scene.id(&entry.required_text("space_id")?, Kind::Space)?;
            let role = role_or(&mut entry, "MEMBER", scene)?;
            entry.end()?;
            let space = scene.tenant.spaces.get(id).filter(|_| scene.caller.sees_space(scene.tenant, id));
            let space = space.ok_or_else(|| Problem::not_found("space"))?;
            if space.organization_id != organization {
                return Err(Problem::unprocessable("a space is not in the organization it is listed under"));
            }
            if let AssignedRole::Custom { id } = role
                && scene.tenant.live_role(id).is_none()
            {
                return Err(Problem::not_found("role"));
            }
            self.spaces.push((id, role));
        }
        Ok(())
    }

    /// Adds the bot user of the key, with its memberships.
    pub fn add_bot(&self, tenant: &mut Tenant, name: &str) -> Id {
        tenant.add_bot(name, self.account_role, &self.organizations, &self.spaces)
    }

    /// The rights of the key. Simplified: it has the permissions of all its roles in each of its spaces.
    pub fn grant(&self, tenant: &Tenant, key: &ApiKey) -> Grant {
        let role = |role: &AssignedRole| tenant.live_role(memberships::role_id(tenant, role)?);
        let roles = self.spaces.iter().filter_map(|(_, assigned)| role(assigned));
        let permissions: BTreeSet<String> = roles.flat_map(|role| role.permissions.iter().cloned()).collect();
        let admin = self.account_role == AccountRole::Admin;
        Grant {
            account_role: self.account_role,
            user_id: key.bot_user_id,
            permissions: (!admin).then_some(permissions),
            spaces: (!admin).then(|| self.spaces.iter().map(|(id, _)| *id).collect()),
            api_key: Some(key.id),
            expires_at: None,
        }
    }
}

fn listed_entries(value: Value, name: &str) -> Result<Vec<Value>, Problem> {
    let Value::Array(entries) = value else {
        return Err(Problem::invalid(format!("{name} is not a list")));
    };
    if (1..=100).contains(&entries.len()) {
        Ok(entries)
    } else {
        Err(Problem::unprocessable(format!("{name} must have 1 to 100 entries")))
    }
}

fn role_or(entry: &mut Fields, default: &str, scene: &Scene<'_>) -> Result<AssignedRole, Problem> {
    match entry.value("role") {
        Some(value) => {
            let role = read_role(value, scene)?;
            require_service_key_role(&role, &scene.tenant.switches)?;
            Ok(role)
        }
        None => Ok(AssignedRole::predefined(default)),
    }
}

/// Ends the call if service keys cannot have this role.
fn require_service_key_role(role: &AssignedRole, switches: &Switches) -> Result<(), Problem> {
    match role {
        AssignedRole::Predefined { name } if name == "ANNOTATOR" => {
            Err(Problem::unprocessable(format!("{} is not for service keys", switches.spell("ANNOTATOR"))))
        }
        _ => Ok(()),
    }
}
