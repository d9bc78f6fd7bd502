//! Refusals because of missing permissions. A credential can write, assign or take away only roles that permit no more than it has itself,
//! and Grafana does not say which permission is missing (contract 3.6).

use std::collections::BTreeSet;

use super::super::{client::Client, read};
use crate::{Class, Error, text::listed};
use rolewright_core::model::{Body, Id, Rule};

/// How many missing permissions a message names.
const MAX_NAMED: usize = 5;

/// The failure of a write to a role with these rules. A refusal names the permissions that the credential lacks, if they can be found.
pub async fn explained(client: &Client, error: Error, rules: &BTreeSet<Rule>) -> Error {
    if error.class != Class::Denied {
        return error;
    }
    match client.own_permissions().await {
        Ok(own) => with_lacking(error, &own.lacking(rules)),
        Err(_) => error,
    }
}

/// The failure of an assignment of a role.
pub async fn explained_by_role(client: &Client, error: Error, role: &Id) -> Error {
    if error.class != Class::Denied {
        return error;
    }
    match read::role(client, role).await {
        Ok(Some(seen)) => match seen.body {
            Body::Role(role) => explained(client, error, &role.rules).await,
            _ => error,
        },
        _ => error,
    }
}

fn with_lacking(mut error: Error, lacking: &[&Rule]) -> Error {
    if !lacking.is_empty() {
        error.message = format!(
            "{}; a credential can handle only roles that permit no more than it can do itself, and it lacks: {}",
            error.message,
            listed(lacking.iter().map(ToString::to_string), MAX_NAMED)
        );
    }
    error
}
