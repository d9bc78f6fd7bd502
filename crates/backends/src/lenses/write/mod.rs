//! Writes. HQ has no versions (contract 1.4), so a set that is written as a whole is read right before. The message of a refusal adds what it
//! can mean on Lenses.

pub mod grants;
mod in_use;
mod locks;
mod members;
pub mod owned_groups;
pub mod roles;

use serde_json::{Value, json};

use super::client::with_needed_rights;
use crate::{Class, Error};
use rolewright_core::model::Observed;

/// The metadata of a new thing, for people who see it in HQ: a key of at most 40 and a value of at most 500 bytes (contract 2.8).
fn mark() -> Value {
    json!({"rolewright.dev/kept": "Kept as an object in Kubernetes says. What is changed by hand is put back."})
}

/// The error of a create that HQ refused. The status of a taken name is not documented (contract 1.3), so a look distinguishes it from an
/// invalid thing.
async fn refused(error: Error, look: impl Future<Output = Result<Option<Observed>, Error>>) -> Error {
    if error.class != Class::Invalid {
        return with_needed_rights(error);
    }
    match look.await {
        Ok(Some(seen)) => {
            let message = format!("{}; {} already exists", error.message, seen.body.title());
            Error::new(Class::Conflict, message)
        }
        _ => error,
    }
}

/// The thing as a read shows it after a successful write whose answer does not show it.
async fn read_after_write(
    look: impl Future<Output = Result<Option<Observed>, Error>>,
) -> Result<Observed, Error> {
    let why = match look.await {
        Ok(Some(seen)) => return Ok(seen),
        Ok(None) => "it is not visible".to_owned(),
        Err(error) => error.message,
    };
    Err(Error::new(Class::Lost, format!("the write succeeded, but then the result could not be read: {why}")))
}
