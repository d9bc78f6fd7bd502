//! Names become ids by the directory of a snapshot.

use std::{
    borrow::Borrow,
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use rolewright_api as api;
use rolewright_core::{
    model::{Body, Dialect, Id, Kind, Level, NameMatch, Named, Snapshot, nearest},
    planner::{Issue, Problem},
};

use crate::{decide::ceiling::Bounds, object::ObjectName};

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
    /// The Role object of the same namespace whose name is most like a name that no Role has.
    pub nearest_role: &'a dyn Fn(&ObjectName) -> Option<String>,
    /// How many more wrong names of this object are compared with all names of the account.
    pub suggestions: Cell<usize>,
    /// The id of the account.
    pub account: &'a str,
    /// The kinds of external things that the vendor has and this account lacks, and why.
    pub lacks: &'a BTreeMap<Kind, String>,
    /// The object is in mode Plan: it can refer to a role that is itself only planned.
    pub plans_only: bool,
    /// What the ClusterBackend allows. None for the objects of a Backend.
    pub bounds: Option<Bounds<'a>>,
    /// This cluster alone manages the account.
    pub is_exclusive: bool,
    /// The time of the decision.
    pub now: Timestamp,
}

/// How many wrong names of one object are compared with all names of the account: as many as a condition's message has.
pub const MAX_SUGGESTIONS: usize = 5;

impl Surroundings<'_> {
    /// "Did you mean", as the end of a message. `nearest` searches for the name.
    pub fn suggest<T: Borrow<str>>(&self, nearest: impl FnOnce() -> Option<T>) -> String {
        let rest = self.suggestions.get();
        if rest == 0 {
            return String::new();
        }
        self.suggestions.set(rest - 1);
        suggestion(nearest())
    }
}

/// "Did you mean" a text, as the end of a message.
pub fn suggestion<T: Borrow<str>>(text: Option<T>) -> String {
    text.map(|text| format!("; did you mean {:?}?", text.borrow())).unwrap_or_default()
}

/// The thing with a name or an id at a level, inside `parent` if it is given. One that is not found becomes a look-up.
pub fn find(
    around: &Surroundings<'_>,
    level: Level,
    name: &str,
    parent: Option<&Named>,
    lookups: &mut BTreeSet<Lookup>,
) -> Result<Named, Problem> {
    if let Some(id) = around.dialect.id_of(level, name) {
        return with_id(around, level, name, &id, parent, lookups);
    }
    match around.snapshot.directory().find(level, name, parent.map(|parent| &parent.id)) {
        NameMatch::One(entry) => Ok(entry.named.clone()),
        NameMatch::None => Err(missing(around, level, name, parent, lookups)),
        NameMatch::Many(entries) => {
            let inside = inside(parent);
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

/// The thing with an id, if the id fits the field and the parent: what the spec says must be what it grants.
fn with_id(
    around: &Surroundings<'_>,
    level: Level,
    text: &str,
    id: &Id,
    parent: Option<&Named>,
    lookups: &mut BTreeSet<Lookup>,
) -> Result<Named, Problem> {
    let invalid = |message: String| Err(Problem::new(Issue::Invalid, message));
    // Service accounts are users on some back ends, so ids of both can look alike.
    let is_principal = |level: Level| level == Level::USER || level == Level::SERVICE_ACCOUNT;
    let is_other = |of: &Level| *of != level && !(is_principal(*of) && is_principal(level));
    if let Some(of) = around.dialect.level_of(id).filter(is_other) {
        let (of, level) = (level_in_words(of), level_in_words(level));
        return invalid(format!("{text:?} is the id of a {of}, not of a {level}"));
    }
    let directory = around.snapshot.directory();
    let Some(parent) = parent else { return Ok(directory.named(level, id)) };
    match directory.get(id).map(|entry| (entry, &entry.parent)) {
        None => Err(missing(around, level, text, Some(parent), lookups)),
        Some((entry, Some(actual))) if *actual != parent.id => {
            let actual = directory.named(parent.level, actual);
            invalid(format!(
                "the {} {:?} is in {} {}, not in {}",
                level_in_words(level),
                &*entry.named.name,
                actual.level,
                actual.name,
                parent.name
            ))
        }
        // Some servers do not show what a thing is in.
        Some((entry, _)) => Ok(entry.named.clone()),
    }
}

/// The problem of a name or id that is not found, which becomes a look-up.
fn missing(
    around: &Surroundings<'_>,
    level: Level,
    name: &str,
    parent: Option<&Named>,
    lookups: &mut BTreeSet<Lookup>,
) -> Problem {
    let (inside, parent) = (inside(parent), parent.map(|parent| parent.id.clone()));
    lookups.insert(Lookup { level, name: name.to_owned(), parent: parent.clone() });
    if let Some(failure) = around.snapshot.unread_name(level, name) {
        let what = level_in_words(level);
        let message = format!("it is unknown which {what} {name:?}{inside} is: {}", failure.message);
        return Problem::new(Issue::Unread, message);
    }
    let (what, directory) = (level_in_words(level), around.snapshot.directory());
    let near = around.suggest(|| nearest_name(around, level, name, parent.as_ref()));
    let message = match directory.refusal(level).or_else(|| directory.advice(level)) {
        Some(why) => format!("cannot find the {what} {name:?}{inside}: {why}{near}"),
        None if near.is_empty() => format!("no {what} {name:?}{inside} that the credential can see"),
        None => format!("no {what} {name:?}{inside}{near}"),
    };
    Problem::new(Issue::NotFound, message)
}

fn inside(parent: Option<&Named>) -> String {
    parent.map(|parent| format!(" in {} {}", parent.level, parent.name)).unwrap_or_default()
}

fn nearest_name<'a>(
    around: &Surroundings<'a>,
    level: Level,
    name: &str,
    parent: Option<&Id>,
) -> Option<&'a str> {
    if level != Level::ROLE {
        return around.snapshot.directory().nearest(level, name, parent);
    }
    // Not every back end enters its roles into the directory.
    let names = around.snapshot.all(Kind::Role).filter_map(|seen| match &seen.body {
        Body::Role(role) => Some(role.name.as_str()),
        _ => None,
    });
    nearest(name, names)
}

fn level_in_words(level: Level) -> &'static str {
    match level.as_str() {
        "serviceAccount" => "service account",
        "dataSource" => "data source",
        level => level,
    }
}
