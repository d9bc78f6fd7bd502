//! One account: its tables and its counters.

use std::collections::BTreeMap;

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use crate::{
    arize::rows::{
        api_keys::ApiKey,
        assets::Asset,
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
    },
    kit::{
        clock,
        table::{Row, Table},
    },
};

/// The whole account: `GET /_sim/state` shows it, and `PUT /_sim/state` replaces it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Tenant {
    pub switches: Switches,
    /// The last number issued of each kind. Raised to the highest number of the rows when a tenant is put.
    pub last_serials: BTreeMap<Kind, u64>,
    pub organizations: Table<Organization>,
    pub spaces: Table<Space>,
    pub projects: Table<Project>,
    pub dashboards: Table<Asset>,
    pub prompts: Table<Asset>,
    /// Human and bot users, including the deleted ones.
    pub users: Table<User>,
    pub organization_members: Table<Membership>,
    pub space_members: Table<Membership>,
    /// Predefined and custom roles, including the deleted ones.
    pub roles: Table<Role>,
    pub role_bindings: Table<RoleBinding>,
    pub restrictions: Table<Restriction>,
    /// User and service keys. The credentials have their secrets.
    pub api_keys: Table<ApiKey>,
    pub audit_logs: Table<AuditLog>,
}

impl Tenant {
    /// A new identifier. Its number was never used before.
    pub fn issue(&mut self, kind: Kind) -> Id {
        let serial = self.last_serials.entry(kind).or_default();
        *serial += 1;
        Id::issue(kind, *serial)
    }

    /// Checks a tenant that comes from outside, and completes its counters.
    ///
    /// # Errors
    /// An identifier is in a table of another kind.
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
            return Err(format!("{stray} ({stray:?}) is in the table of kind {}", kind.name()));
        }
        if let Some(highest) = table(self).iter().map(|row| row.id().serial).max() {
            let last = self.last_serials.entry(kind).or_default();
            *last = highest.max(*last);
        }
        Ok(())
    }
}

/// The time as the vendor writes it: to the microsecond.
pub fn now() -> Timestamp {
    clock::now(Unit::Microsecond)
}
