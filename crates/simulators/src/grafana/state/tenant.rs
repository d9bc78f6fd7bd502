//! One server: its tables and its counters.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use crate::{
    grafana::rows::{
        dashboards::Dashboard,
        data_sources::DataSource,
        folders::Folder,
        group_mappings::{ExternalGroupMember, GroupMapping},
        managed::ManagedPermission,
        orgs::Org,
        plugins::Plugin,
        receivers::Receiver,
        role_assignments::{TeamRole, UserRole},
        roles::Role,
        service_accounts::{ServiceAccount, Token},
        switches::Switches,
        teams::{Team, TeamGroup, TeamMember},
        users::{OrgUser, User},
    },
    kit::{
        clock,
        table::{Row, Table},
    },
};

/// The whole server: `GET /_sim/state` shows it, and `PUT /_sim/state` replaces it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Tenant {
    pub switches: Switches,
    /// The last number issued of each kind. Raised to the highest number of the rows when a tenant is put.
    pub last_ids: BTreeMap<Kind, i64>,
    pub orgs: Table<Org>,
    pub users: Table<User>,
    /// Members of organizations, with their basic roles.
    pub org_users: Vec<OrgUser>,
    pub service_accounts: Table<ServiceAccount>,
    /// Tokens of service accounts. The credentials have their secrets.
    pub tokens: Table<Token>,
    pub teams: Table<Team>,
    pub team_members: Vec<TeamMember>,
    /// Groups of the identity provider whose members belong to a team. The simulator does not sync them.
    pub team_groups: Vec<TeamGroup>,
    pub folders: Table<Folder>,
    pub dashboards: Table<Dashboard>,
    pub data_sources: Table<DataSource>,
    pub receivers: Table<Receiver>,
    pub plugins: Vec<Plugin>,
    /// Basic, fixed, plugin and custom roles.
    pub roles: Table<Role>,
    /// Roles of users and service accounts, without those of mapped groups.
    pub user_roles: Vec<UserRole>,
    pub team_roles: Vec<TeamRole>,
    pub group_mappings: Vec<GroupMapping>,
    /// Members of external groups: the identity provider's data.
    pub external_group_members: Vec<ExternalGroupMember>,
    /// Permissions on single resources.
    pub managed_permissions: Table<ManagedPermission>,
}

/// Kinds of rows with numbers, each from 1. Users and service accounts share one sequence: service accounts
/// are users (contract 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Org,
    Principal,
    Token,
    Team,
    Folder,
    Dashboard,
    DataSource,
    Receiver,
    Role,
    ManagedPermission,
    /// Not rows: uids that the server generates.
    Uid,
}

impl Tenant {
    /// A new number. It was never used before for this kind.
    pub fn issue(&mut self, kind: Kind) -> i64 {
        let last = self.last_ids.entry(kind).or_default();
        *last += 1;
        *last
    }

    /// A new uid: opaque, with a letter first (contract 3.2). It was never used before.
    pub fn issue_uid(&mut self) -> String {
        let serial = self.issue(Kind::Uid);
        let mut dice = fastrand::Rng::with_seed(serial.unsigned_abs());
        let mut uid = String::from(dice.lowercase());
        uid.extend(std::iter::repeat_with(|| dice.alphanumeric()).take(8));
        // The number makes it unique.
        format!("{uid}{serial:x}")
    }

    /// Checks a tenant that comes from outside, and completes its counters.
    ///
    /// # Errors
    /// A uid occurs twice, or a number is of both a user and a service account.
    pub fn admit(&mut self) -> Result<(), String> {
        let highest = [
            (Kind::Org, last(&self.orgs)),
            (Kind::Principal, last(&self.users).max(last(&self.service_accounts))),
            (Kind::Token, last(&self.tokens)),
            (Kind::Team, last(&self.teams)),
            (Kind::Folder, last(&self.folders)),
            (Kind::Dashboard, last(&self.dashboards)),
            (Kind::DataSource, last(&self.data_sources)),
            (Kind::Receiver, last(&self.receivers)),
            (Kind::Role, last(&self.roles)),
            (Kind::ManagedPermission, last(&self.managed_permissions)),
        ];
        for (kind, highest) in highest.into_iter().filter(|(_, highest)| *highest > 0) {
            let last = self.last_ids.entry(kind).or_default();
            *last = highest.max(*last);
        }
        if let Some(user) = self.users.iter().find(|user| self.service_accounts.contains(user.id)) {
            return Err(format!("{} is both a user and a service account", user.id));
        }
        require_unique(self.roles.iter().map(|role| role.uid.as_str()), "role")?;
        require_unique(self.folders.iter().map(|folder| (folder.org_id, folder.uid.as_str())), "folder")?;
        require_unique(self.dashboards.iter().map(|row| (row.org_id, row.uid.as_str())), "dashboard")?;
        require_unique(self.data_sources.iter().map(|row| (row.org_id, row.uid.as_str())), "data source")?;
        require_unique(self.receivers.iter().map(|row| (row.org_id, row.uid.as_str())), "receiver")?;
        require_unique(
            self.group_mappings.iter().map(|row| (row.org_id, row.group_id.as_str())),
            "group mapping",
        )
    }
}

fn last<T: Row<Id = i64>>(table: &Table<T>) -> i64 {
    table.iter().next_back().map_or(0, Row::id)
}

fn require_unique<T: Ord + std::fmt::Debug>(uids: impl Iterator<Item = T>, what: &str) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for uid in uids {
        if let Some(twice) = seen.replace(uid) {
            return Err(format!("the {what} {twice:?} occurs twice"));
        }
    }
    Ok(())
}

/// The time as the vendor writes it: to the second.
pub fn now() -> Timestamp {
    clock::now(Unit::Second)
}
