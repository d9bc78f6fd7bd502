//! One Arize account as plain data. Knows its rows, no HTTP.

use std::collections::BTreeMap;

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use super::{
    api_keys::ApiKey,
    audit_logs::AuditLog,
    ids::{Id, Kind},
    memberships::Membership,
    organizations::Organization,
    projects::Project,
    restrictions::Restriction,
    role_bindings::RoleBinding,
    roles::Role,
    spaces::Space,
    switches::Switches,
    users::User,
};
use crate::kit::{
    clock,
    table::{Row, Table, identified},
};

/// The whole account: what `GET /_sim/state` shows and `PUT /_sim/state` replaces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// How the server behaves.
    pub switches: Switches,
    /// The last number issued of each kind. Raised to what the rows show when a tenant is put.
    pub last_serials: BTreeMap<Kind, u64>,
    /// Organizations.
    pub organizations: Table<Organization>,
    /// Spaces.
    pub spaces: Table<Space>,
    /// Projects.
    pub projects: Table<Project>,
    /// Dashboards, which can be restricted and have no paths of their own here.
    pub dashboards: Table<Asset>,
    /// Prompts, likewise.
    pub prompts: Table<Asset>,
    /// Human and bot users, the deleted ones among them.
    pub users: Table<User>,
    /// Who belongs to which organization.
    pub organization_members: Table<Membership>,
    /// Who belongs to which space.
    pub space_members: Table<Membership>,
    /// Predefined and custom roles, the deleted ones among them.
    pub roles: Table<Role>,
    /// Role bindings.
    pub role_bindings: Table<RoleBinding>,
    /// Restricted resources.
    pub restrictions: Table<Restriction>,
    /// User and service keys, without their secrets.
    pub api_keys: Table<ApiKey>,
    /// Writes that succeeded.
    pub audit_logs: Table<AuditLog>,
}

/// A dashboard or a prompt.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Its identifier.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// The space it belongs to.
    pub space_id: Id,
}

identified!(Asset, Id);

impl Tenant {
    /// A new identifier; its number was never used before.
    pub fn issue(&mut self, kind: Kind) -> Id {
        let serial = self.last_serials.entry(kind).or_default();
        *serial += 1;
        Id::issue(kind, *serial)
    }

    /// The space that a project, a dashboard or a prompt belongs to, or the space itself.
    pub fn space_of(&self, resource: Id) -> Option<Id> {
        match resource.kind {
            Kind::Space => self.spaces.get(resource).map(|space| space.id),
            Kind::Model => self.projects.get(resource).map(|project| project.space_id),
            Kind::Dashboard => self.dashboards.get(resource).map(|asset| asset.space_id),
            Kind::Prompt => self.prompts.get(resource).map(|asset| asset.space_id),
            _ => None,
        }
    }

    /// Drops a project with its bindings and its restriction (contract 4, "Cascades").
    pub fn drop_project(&mut self, project: Id) {
        self.projects.remove(project);
        self.forget_resource(project);
    }

    /// Drops a space with everything in it.
    pub fn drop_space(&mut self, space: Id) {
        let projects: Vec<Id> = self
            .projects
            .iter()
            .filter(|project| project.space_id == space)
            .map(|project| project.id)
            .collect();
        for project in projects {
            self.drop_project(project);
        }
        let assets = self.dashboards.iter().chain(self.prompts.iter());
        let assets: Vec<Id> = assets.filter(|asset| asset.space_id == space).map(|asset| asset.id).collect();
        for asset in assets {
            self.dashboards.remove(asset);
            self.prompts.remove(asset);
            self.forget_resource(asset);
        }
        self.space_members.retain(|member| member.parent_id != space);
        self.spaces.remove(space);
        self.forget_resource(space);
    }

    /// Drops an organization with its spaces.
    pub fn drop_organization(&mut self, organization: Id) {
        let in_it = self.spaces.iter().filter(|space| space.organization_id == organization);
        let spaces: Vec<Id> = in_it.map(|space| space.id).collect();
        for space in spaces {
            self.drop_space(space);
        }
        self.organization_members.retain(|member| member.parent_id != organization);
        self.organizations.remove(organization);
    }

    /// Checks a tenant that comes from outside, and completes its counters.
    ///
    /// # Errors
    /// Which identifier stands in a table that is not of its kind.
    pub fn admit(&mut self) -> Result<(), String> {
        self.admit_rows(Kind::AccountOrganization, |tenant| &tenant.organizations)?;
        self.admit_rows(Kind::Space, |tenant| &tenant.spaces)?;
        self.admit_rows(Kind::Model, |tenant| &tenant.projects)?;
        self.admit_rows(Kind::Dashboard, |tenant| &tenant.dashboards)?;
        self.admit_rows(Kind::Prompt, |tenant| &tenant.prompts)?;
        self.admit_rows(Kind::User, |tenant| &tenant.users)?;
        self.admit_rows(Kind::OrganizationMembership, |tenant| &tenant.organization_members)?;
        self.admit_rows(Kind::SpaceMembership, |tenant| &tenant.space_members)?;
        self.admit_rows(Kind::Role, |tenant| &tenant.roles)?;
        self.admit_rows(Kind::RoleBinding, |tenant| &tenant.role_bindings)?;
        self.admit_rows(Kind::ApiKey, |tenant| &tenant.api_keys)?;
        self.admit_rows(Kind::AuditLog, |tenant| &tenant.audit_logs)
    }

    fn admit_rows<T: Row<Id = Id>>(
        &mut self,
        kind: Kind,
        table: fn(&Self) -> &Table<T>,
    ) -> Result<(), String> {
        if let Some(stray) = table(self).iter().map(Row::id).find(|id| id.kind != kind) {
            return Err(format!("{stray} ({stray:?}) stands among those of kind {}", kind.name()));
        }
        if let Some(highest) = table(self).iter().map(|row| row.id().serial).max() {
            let last = self.last_serials.entry(kind).or_default();
            *last = highest.max(*last);
        }
        Ok(())
    }

    fn forget_resource(&mut self, resource: Id) {
        self.role_bindings.retain(|binding| binding.resource_id != resource);
        self.restrictions.remove(resource);
    }
}

/// The time as the vendor writes it: to the microsecond.
pub fn now() -> Timestamp {
    clock::now(Unit::Microsecond)
}
