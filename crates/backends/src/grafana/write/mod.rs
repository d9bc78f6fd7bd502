//! Writes: one change, and in the message what Grafana's answer may mean beside what it says.

mod denied;
mod grants;
mod restrictions;
mod roles;

use super::{client::Client, dialect::Reserved};
use crate::{Class, Error};
use rolewright_core::model::{Body, Change, Observed};

/// Makes one change.
pub async fn write(client: &Client, change: &Change) -> Result<Option<Observed>, Error> {
    match change {
        Change::Create { id, after: Body::Role(role), .. } => {
            roles::create(client, id.as_ref(), role).await.map(Some)
        }
        Change::Create { after: after @ Body::Grant(grant), .. } => {
            grants::create(client, grant, after).await.map(Some)
        }
        Change::Update { id, before: Body::Role(before), after: Body::Role(after), .. } => {
            roles::update(client, id, before, after).await.map(Some)
        }
        Change::Update { before: Body::Restriction(before), after: Body::Restriction(after), .. } => {
            restrictions::update(client, before, after).await.map(Some)
        }
        Change::Update { .. } => Err(Error::mistake("a thing of this kind cannot be updated into this one")),
        Change::Delete { id, before: Body::Role(role), .. } => {
            roles::delete(client, id, role).await.map(|()| None)
        }
        Change::Delete { before: Body::Grant(grant), .. } => {
            grants::delete(client, grant).await.map(|()| None)
        }
        Change::Create { after: Body::Group(_), .. } | Change::Delete { before: Body::Group(_), .. } => {
            Err(Error::mistake("Grafana has no groups"))
        }
        Change::Create { after: Body::Restriction(_), .. }
        | Change::Delete { before: Body::Restriction(_), .. } => Err(Error::mistake(
            "a restriction is neither made nor removed here: defaults are taken away and given back",
        )),
    }
}

/// Refuses to touch what Grafana keeps for itself. The plan leaves that alone; this keeps a mistake there from reaching it.
fn untouchable(title: &str, kind: Option<Reserved>) -> Result<(), Error> {
    match kind {
        Some(kind) => Err(Error::new(
            Class::Invalid,
            format!("{title} is {}, which Grafana keeps for itself", kind.told()),
        )),
        None => Ok(()),
    }
}
