//! Principals in answers.

use serde_json::Value;

use super::{invitations, teams, users};
use crate::zenml::{rows::principals::Principal, state::Tenant};

/// A principal under the key that it has in answers.
pub fn principal(principal: Principal, tenant: &Tenant) -> (&'static str, Value) {
    match principal {
        Principal::User(id) => ("user", tenant.users.get(id).map(users::wire).unwrap_or_default()),
        Principal::Team(id) => {
            ("team", tenant.teams.get(id).map(|team| teams::wire(team, tenant)).unwrap_or_default())
        }
        Principal::Invitation(id) => {
            let found = tenant.invitations.get(id);
            ("invitation", found.map(|row| invitations::wire(row, tenant)).unwrap_or_default())
        }
    }
}
