//! The server as a whole.

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use crate::{
    kit::clock,
    lenses::rows::{
        environments::Environment, groups::Group, names::Names, roles::Role,
        service_accounts::ServiceAccount, switches::Switches, users::User,
    },
};

/// The server. `GET /_sim/state` returns it, and `PUT /_sim/state` replaces it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// The server's behaviour where it is not known or differs.
    pub switches: Switches,
    /// The last issued number. A `PUT` raises it to the highest number of the rows.
    pub last_number: u64,
    /// Roles by name.
    pub roles: Names<Role>,
    /// Groups by name.
    pub groups: Names<Group>,
    /// Users by name.
    pub users: Names<User>,
    /// Service accounts by name.
    pub service_accounts: Names<ServiceAccount>,
    /// Environments by name.
    pub environments: Names<Environment>,
}

impl Tenant {
    /// A new number.
    pub fn issue(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// A new identifier in the form of a UUID.
    pub fn issue_id(&mut self) -> String {
        loop {
            let id = uuid(self.issue());
            if !self.has_id(&id) {
                return id;
            }
        }
    }

    fn has_id(&self, id: &str) -> bool {
        let roles = self.roles.iter().map(|row| &row.id);
        let groups = self.groups.iter().map(|row| &row.id);
        let users = self.users.iter().map(|row| &row.id);
        let accounts = self.service_accounts.iter().map(|row| &row.id);
        let environments = self.environments.iter().map(|row| &row.id);
        roles.chain(groups).chain(users).chain(accounts).chain(environments).any(|known| known == id)
    }
}

/// The identifier for a number: the same in every run.
fn uuid(number: u64) -> String {
    let bits = fastrand::Rng::with_seed(number).u128(..);
    let part = |shift: u32, bits_kept: u32| (bits >> shift) & ((1 << bits_kept) - 1);
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        part(96, 32),
        part(80, 16),
        part(64, 12),
        part(48, 14) | 0x8000,
        part(0, 48)
    )
}

/// The current time, rounded to milliseconds as the vendor does.
pub fn now() -> Timestamp {
    clock::now(Unit::Millisecond)
}
