//! One Grafana server as plain data. Knows its rows, no HTTP.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use super::{
    dashboards::Dashboard,
    data_sources::DataSource,
    folders::Folder,
    group_sync::{ExternalGroupMember, GroupMapping},
    managed::ManagedPermission,
    orgs::Org,
    receivers::Receiver,
    role_assignments::{TeamRole, UserRole},
    roles::Role,
    service_accounts::{ServiceAccount, Token},
    switches::Switches,
    teams::{Team, TeamMember},
    users::{OrgUser, User},
};
use crate::kit::{
    clock,
    table::{Row, Table},
};

/// The whole server: what `GET /_sim/state` shows and `PUT /_sim/state` replaces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// How the server behaves.
    pub switches: Switches,
    /// The last number issued of each kind. Raised to what the rows show when a tenant is put.
    pub last_ids: BTreeMap<Kind, i64>,
    /// Organizations.
    pub orgs: Table<Org>,
    /// Users of the server.
    pub users: Table<User>,
    /// Who belongs to which organization, with a basic role.
    pub org_users: Vec<OrgUser>,
    /// Service accounts: users too, with numbers of the same sequence.
    pub service_accounts: Table<ServiceAccount>,
    /// Tokens of service accounts, without their secrets.
    pub tokens: Table<Token>,
    /// Teams.
    pub teams: Table<Team>,
    /// Who belongs to which team.
    pub team_members: Vec<TeamMember>,
    /// Folders, nested.
    pub folders: Table<Folder>,
    /// Dashboards.
    pub dashboards: Table<Dashboard>,
    /// Data sources.
    pub data_sources: Table<DataSource>,
    /// Receivers of alerts.
    pub receivers: Table<Receiver>,
    /// Installed plugins.
    pub plugins: Vec<Plugin>,
    /// Basic, fixed, plugin and custom roles.
    pub roles: Table<Role>,
    /// Roles of users and service accounts, without those that external groups bring.
    pub user_roles: Vec<UserRole>,
    /// Roles of teams.
    pub team_roles: Vec<TeamRole>,
    /// What external groups bring.
    pub group_mappings: Vec<GroupMapping>,
    /// Who is in which external group, as the identity provider says.
    pub external_group_members: Vec<ExternalGroupMember>,
    /// Permissions on single resources.
    pub managed_permissions: Table<ManagedPermission>,
}

/// An installed plugin: what it adds to the registry of actions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// Its identifier, such as `grafana-oncall-app`.
    pub id: String,
    /// Its actions, all without scope.
    pub actions: BTreeSet<String>,
}

/// What is numbered, each kind from 1. Users and service accounts share their numbers: service accounts are
/// users (contract 2.3).
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
    /// Uids that the server makes up.
    Uid,
}

impl Tenant {
    /// A number of this kind that was never used before.
    pub fn issue(&mut self, kind: Kind) -> i64 {
        let last = self.last_ids.entry(kind).or_default();
        *last += 1;
        *last
    }

    /// A uid that was never used before; opaque, and a letter first (contract 3.2).
    pub fn issue_uid(&mut self) -> String {
        let serial = self.issue(Kind::Uid);
        let mut dice = fastrand::Rng::with_seed(serial.unsigned_abs());
        let mut uid = String::from(dice.lowercase());
        uid.extend(std::iter::repeat_with(|| dice.alphanumeric()).take(8));
        // The number makes it unique, whatever the dice say.
        format!("{uid}{serial:x}")
    }

    /// Checks a tenant that comes from outside, and completes its counter.
    ///
    /// # Errors
    /// Which uid occurs twice, or which row hangs in the air.
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
        once(self.roles.iter().map(|role| role.uid.as_str()), "role")?;
        once(self.folders.iter().map(|folder| (folder.org_id, folder.uid.as_str())), "folder")?;
        once(self.dashboards.iter().map(|row| (row.org_id, row.uid.as_str())), "dashboard")?;
        once(self.data_sources.iter().map(|row| (row.org_id, row.uid.as_str())), "data source")?;
        once(self.receivers.iter().map(|row| (row.org_id, row.uid.as_str())), "receiver")?;
        once(self.group_mappings.iter().map(|row| (row.org_id, row.group_id.as_str())), "group mapping")
    }
}

fn last<T: Row<Id = i64>>(table: &Table<T>) -> i64 {
    table.iter().next_back().map_or(0, Row::id)
}

fn once<T: Ord + std::fmt::Debug>(uids: impl Iterator<Item = T>, what: &str) -> Result<(), String> {
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
