//! Receivers of alerts (contact points): here for their permissions alone (contract 2.5). No path makes or
//! lists them; they are part of the state.

use serde::{Deserialize, Serialize};

use super::{
    managed::ResourceKind,
    state::{Kind, Tenant},
};
use crate::kit::table::identified;

/// A receiver of alerts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// Its number, which no path shows.
    pub id: i64,
    /// Its uid, unique in the organization.
    pub uid: String,
    /// The organization.
    pub org_id: i64,
    /// Its name.
    pub name: String,
}

identified!(Receiver, i64);

impl Tenant {
    /// Adds a receiver with the permissions that the vendor gives it.
    pub fn add_receiver(&mut self, org_id: i64, uid: &str, name: &str, creator: Option<i64>) {
        let id = self.issue(Kind::Receiver);
        self.receivers.insert(Receiver { id, uid: uid.to_owned(), org_id, name: name.to_owned() });
        self.set_default_permissions(org_id, (ResourceKind::Receivers, uid), creator, false);
    }
}
