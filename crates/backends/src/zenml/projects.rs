//! Names of projects. They are made by another API, of each workspace its own; here only some servers know their names, and ids always do
//! (contract 2.3).

use super::{client::Client, ids, map};
use crate::{Error, reading::Part};
use rolewright_core::model::Entry;

/// What is told of a project whose name this server does not know.
pub const BY_ID: &str =
    "this control plane may not know projects by name: write the project's id instead, as id: and the uuid";

/// What a name or an id means inside a workspace.
///
/// # Errors
/// Whatever kept the server from being asked. Not to know projects is none.
pub async fn look_up(client: &Client, workspace: &str, name: &str) -> Result<Vec<Entry>, Error> {
    // An id is as good as it is: nothing here could say that it is wrong.
    if let Some(uuid) = ids::given(name).or_else(|| ids::is_uuid(name).then(|| name.to_owned())) {
        return Ok(vec![map::project_entry(workspace, &uuid, None)]);
    }
    let known = match all(client, workspace).await? {
        Part::Read(known) => known,
        Part::Withheld(_) | Part::Unwanted => match client.project(workspace, name).await {
            Ok(place) => place.into_iter().map(|it| map::project_entry(workspace, &it.id, it.name)).collect(),
            Err(error) if error.class.is_refusal() => Vec::new(),
            Err(error) => return Err(error),
        },
    };
    Ok(known.into_iter().filter(|entry| entry.named.name == name).collect())
}

/// All projects of a workspace, or why they are not told.
///
/// # Errors
/// Whatever kept the list from being read to its end, but for a refusal of it.
pub async fn all(client: &Client, workspace: &str) -> Result<Part<Vec<Entry>>, Error> {
    let entries = async {
        let listed = client.projects(workspace).await?.items.into_iter();
        Ok(listed.map(|it| map::project_entry(workspace, &it.id, it.name)).collect())
    };
    Part::of(true, entries).await
}
