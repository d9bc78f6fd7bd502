//! Writes: one change each, and in the message what the answer may mean beside what it says.

mod grants;
mod holders;
mod roles;

use super::client::Client;
use crate::Error;
use rolewright_core::model::{Body, Change, Observed};

/// Makes one change.
pub async fn write(client: &Client, change: &Change) -> Result<Option<Observed>, Error> {
    match change {
        Change::Create { after: Body::Role(role), .. } => roles::create(client, role).await.map(Some),
        Change::Create { after: Body::Grant(grant), .. } => grants::create(client, grant).await.map(Some),
        Change::Update { id, before: Body::Role(before), after: Body::Role(after), .. } => {
            roles::update(client, id.as_str(), before, after).await.map(Some)
        }
        Change::Delete { id, before: Body::Role(role), .. } => {
            roles::delete(client, id.as_str(), role).await.map(|()| None)
        }
        Change::Delete { before: Body::Grant(grant), .. } => {
            grants::delete(client, grant).await.map(|()| None)
        }
        _ => Err(Error::mistake("ZenML has roles and grants, and no grant is changed into another")),
    }
}
