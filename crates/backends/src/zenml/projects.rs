//! Names of projects. Projects are created through the API of their workspace, and only some control planes show their names here. Ids
//! always work (contract 2.3).

use super::{client::Client, ids, map};
use crate::{Error, reading::List};
use rolewright_core::model::Entry;

/// What a user reads about an unknown project.
pub const BY_ID: &str = "this control plane may not show the names of projects: write the project's id instead, as id: and the uuid";

/// What a name or an id means inside a workspace.
///
/// # Errors
/// Any failure but a refusal.
pub async fn look_up(client: &Client, workspace: &str, name: &str) -> Result<Vec<Entry>, Error> {
    // Nothing here can show that an id is wrong.
    if let Some(uuid) = ids::written(name).or_else(|| ids::is_uuid(name).then(|| name.to_owned())) {
        return Ok(vec![map::project_entry(workspace, &uuid, None)]);
    }
    let known = match all(client, workspace).await? {
        List::Read(known) => known,
        List::Withheld(_) | List::Failed | List::NotNeeded => match client.project(workspace, name).await {
            Ok(place) => place.into_iter().map(|it| map::project_entry(workspace, &it.id, it.name)).collect(),
            Err(error) if error.class.is_refusal() => Vec::new(),
            Err(error) => return Err(error),
        },
    };
    Ok(known.into_iter().filter(|entry| *entry.named.name == *name).collect())
}

/// All projects of a workspace.
///
/// # Errors
/// Any failure to read the list to its end but a refusal of the list.
pub async fn all(client: &Client, workspace: &str) -> Result<List<Vec<Entry>>, Error> {
    let entries = async {
        let listed = client.projects(workspace).await?.items.into_iter();
        Ok(listed.map(|it| map::project_entry(workspace, &it.id, it.name)).collect())
    };
    List::read_if(true, entries).await
}
