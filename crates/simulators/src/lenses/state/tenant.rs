//! One Lenses HQ as plain data.

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use crate::{
    kit::clock,
    lenses::rows::{
        environments::Environment, groups::Group, names::Names, roles::Role,
        service_accounts::ServiceAccount, switches::Switches, users::User,
    },
};

/// The whole server: what `GET /_sim/state` shows and `PUT /_sim/state` replaces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenant {
    /// How the server behaves.
    pub switches: Switches,
    /// The last number issued. Raised to what the rows show when a tenant is put.
    pub last_number: u64,
    /// How many calls were answered: of replicas the one whose turn it is follows from it.
    #[serde(skip)]
    pub answered: u64,
    /// Roles.
    pub roles: Names<Role>,
    /// Groups.
    pub groups: Names<Group>,
    /// Users.
    pub users: Names<User>,
    /// Service accounts.
    pub service_accounts: Names<ServiceAccount>,
    /// Environments.
    pub environments: Names<Environment>,
}

impl Tenant {
    /// A number that was never used before.
    pub fn issue(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// An identifier that nothing has: opaque, of the form of a UUID.
    pub fn issue_id(&mut self) -> String {
        loop {
            let id = uuid(self.issue());
            if !self.has_id(&id) {
                return id;
            }
        }
    }

    /// Lets one replica answer a call: by chance, and in the same order in every run.
    pub fn take_turns(&mut self) {
        self.answered += 1;
        self.switches.nameless = fastrand::Rng::with_seed(self.answered).bool();
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

/// An identifier made from a number: the same in every run.
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

/// The time as the vendor writes it: to the millisecond.
pub fn now() -> Timestamp {
    clock::now(Unit::Millisecond)
}
