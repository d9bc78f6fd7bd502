//! Refusals for want of rights. Nobody can write, assign or take away a role that permits more than they have themselves, and Grafana
//! does not say what is missing (contract 3.6).

use std::collections::BTreeSet;

use super::super::client::Client;
use crate::{Class, Error};
use rolewright_core::model::{Id, Rule};

/// So many missing permissions are named.
const NAMED: usize = 5;

/// The failure of a write to a role that permits this, with the permissions that the credential lacks.
pub async fn explained(client: &Client, error: Error, rules: &BTreeSet<Rule>) -> Error {
    if error.class != Class::Denied {
        return error;
    }
    // What cannot be found out is left out: the refusal is what matters.
    match client.rights().await {
        Ok(rights) => with_lacking(error, &rights.lacking(rules)),
        Err(_) => error,
    }
}

/// The failure of giving or taking a role.
pub async fn explained_by_role(client: &Client, error: Error, role: &Id) -> Error {
    if error.class != Class::Denied {
        return error;
    }
    match client.role(role).await.map(|role| role.map(super::super::map::role)) {
        Ok(Some(seen)) => match seen.body {
            rolewright_core::model::Body::Role(role) => explained(client, error, &role.rules).await,
            _ => error,
        },
        _ => error,
    }
}

fn with_lacking(mut error: Error, lacking: &[&Rule]) -> Error {
    if lacking.is_empty() {
        return error;
    }
    let named: Vec<String> = lacking.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match lacking.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    error.message = format!(
        "{}; Grafana lets a credential handle only roles that permit no more than it may do itself, and it lacks: {}{more}",
        error.message,
        named.join(", ")
    );
    error
}
