//! Principals in answers.

use serde_json::Value;

use super::{invitations, teams, users};
use crate::zenml::{rows::principals::Principal, state::Tenant};

/// The JSON of a principal, with its key in answers.
pub fn to_json(principal: Principal, tenant: &Tenant) -> (&'static str, Value) {
    match principal {
        Principal::User(id) => ("user", tenant.users.get(id).map(users::to_json).unwrap_or_default()),
        Principal::Team(id) => {
            ("team", tenant.teams.get(id).map(|team| teams::to_json(team, tenant)).unwrap_or_default())
        }
        Principal::Invitation(id) => {
            let found = tenant.invitations.get(id);
            ("invitation", found.map(|row| invitations::to_json(row, tenant)).unwrap_or_default())
        }
    }
}
