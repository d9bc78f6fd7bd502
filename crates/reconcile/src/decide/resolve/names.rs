//! Names become ids by the directory of a snapshot.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rolewright_api as api;
use rolewright_core::{
    model::{Dialect, Id, Kind, Level, NameMatch, Named, Snapshot},
    planner::{Issue, Problem},
};

use crate::object::ObjectName;

/// A name that the directory lacks and the back end can still have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lookup {
    /// The level of the name.
    pub level: Level,
    /// Its name.
    pub name: String,
    /// The thing that contains it.
    pub parent: Option<Id>,
}

/// What an object refers to beside its own spec.
pub struct Surroundings<'a> {
    /// The rules of the back end.
    pub dialect: &'a dyn Dialect,
    /// What the back end showed.
    pub snapshot: &'a Snapshot,
    /// The Role objects that a binding can name.
    pub role: &'a dyn Fn(&ObjectName) -> Option<Arc<api::Role>>,
    /// The id of the account.
    pub account: &'a str,
    /// The kinds of external things that the vendor has and this account lacks, and why.
    pub lacks: &'a BTreeMap<Kind, String>,
    /// The object is in mode Plan: it can refer to a role that is itself only planned.
    pub plans_only: bool,
}

/// The id of a name at a level, inside `parent` if it is given. A name that is not found becomes a look-up.
pub fn find(
    around: &Surroundings<'_>,
    level: Level,
    name: &str,
    parent: Option<&Named>,
    lookups: &mut BTreeSet<Lookup>,
) -> Result<Named, Problem> {
    let inside = parent.map(|parent| format!(" in {} {}", parent.level, parent.name)).unwrap_or_default();
    match around.snapshot.directory().find(level, name, parent.map(|parent| &parent.id)) {
        NameMatch::One(entry) => Ok(entry.named.clone()),
        NameMatch::None => {
            let parent = parent.map(|parent| parent.id.clone());
            lookups.insert(Lookup { level, name: name.to_owned(), parent });
            if let Some(failure) = around.snapshot.unread_name(level, name) {
                let what = level_in_words(level);
                let message = format!("it is unknown which {what} {name:?}{inside} is: {}", failure.message);
                return Err(Problem::new(Issue::Unread, message));
            }
            let refused = around.snapshot.directory().refusal(level);
            let why = refused.map(|why| format!(": {why}")).unwrap_or_default();
            Err(Problem::new(
                Issue::NotFound,
                format!("no {} {name:?}{inside} that the credential can see{why}", level_in_words(level)),
            ))
        }
        NameMatch::Many(entries) => {
            let ids: Vec<String> = entries.iter().map(|entry| entry.named.id.to_string()).collect();
            Err(Problem::new(
                Issue::Invalid,
                format!(
                    "{} {}s are named {name:?}{inside}: name the thing that contains it too, or write one of the ids {}",
                    ids.len(),
                    level_in_words(level),
                    ids.join(", ")
                ),
            ))
        }
    }
}

fn level_in_words(level: Level) -> &'static str {
    match level.as_str() {
        "serviceAccount" => "service account",
        "dataSource" => "data source",
        level => level,
    }
}
