//! Names: who and what a back end has beside the things that are managed, so that names in specs become ids.

use std::{borrow::Cow, collections::HashMap};

use super::{body::Named, key::Id, level::Level};

/// One user, space, project, ... of a back end.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it is and what it is called.
    pub named: Named,
    /// What it lies in, where names are unique only inside something.
    pub parent: Option<Id>,
    /// What it may be called beside its name, such as `login:alice`.
    pub aliases: Vec<String>,
}

impl Entry {
    /// Whether this is its name, or one of its others.
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|known| same_name(known, name))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.named.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// The answer of a look-up by name.
#[derive(Debug, PartialEq)]
pub enum Found<'a> {
    /// Exactly one.
    One(&'a Entry),
    /// None of that name among what the credential can see.
    Nothing,
    /// More than one: the name does not say which.
    Many(Vec<&'a Entry>),
}

/// Everything that can be looked up by name or id. E-mail addresses compare without regard to case, all else exactly.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    by_id: HashMap<Id, Entry>,
    by_name: HashMap<(Level, String), Vec<Id>>,
    refused: HashMap<Level, String>,
}

impl Directory {
    /// Adds an entry, or replaces the one of its id.
    pub fn insert(&mut self, entry: Entry) {
        let id = entry.named.id.clone();
        if let Some(old) = self.by_id.get(&id) {
            for name in old.names() {
                if let Some(ids) = self.by_name.get_mut(&slot(old.named.level, name)) {
                    ids.retain(|known| known != &id);
                }
            }
        }
        for name in entry.names() {
            let ids = self.by_name.entry(slot(entry.named.level, name)).or_default();
            if !ids.contains(&id) {
                ids.push(id.clone());
            }
        }
        self.by_id.insert(id, entry);
    }

    /// The entry of an id.
    pub fn get(&self, id: &Id) -> Option<&Entry> {
        self.by_id.get(id)
    }

    /// All entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.by_id.values()
    }

    /// The entry of a name or an alias at a level, inside `parent` where one is given.
    pub fn find(&self, level: Level, name: &str, parent: Option<&Id>) -> Found<'_> {
        let ids = self.by_name.get(&slot(level, name)).map(Vec::as_slice).unwrap_or_default();
        let mut found: Vec<&Entry> =
            ids.iter().filter_map(|id| self.by_id.get(id)).filter(|entry| inside(entry, parent)).collect();
        match found.len() {
            0 => Found::Nothing,
            1 => Found::One(found.remove(0)),
            _ => {
                found.sort_by(|a, b| a.named.id.cmp(&b.named.id));
                Found::Many(found)
            }
        }
    }

    /// Says that a level could not be listed, and why, for people: what is not found there may exist all the same.
    pub fn refuse(&mut self, level: Level, reason: impl Into<String>) {
        self.refused.insert(level, reason.into());
    }

    /// Why a level could not be listed. None: it was, or nobody asked for it.
    pub fn refusal(&self, level: Level) -> Option<&str> {
        self.refused.get(&level).map(String::as_str)
    }

    /// The name of an id, or the id itself where no name is known.
    pub fn named(&self, level: Level, id: &Id) -> Named {
        match self.by_id.get(id) {
            Some(entry) => entry.named.clone(),
            None => Named::unnamed(level, id.clone()),
        }
    }
}

fn inside(entry: &Entry, parent: Option<&Id>) -> bool {
    parent.is_none_or(|parent| entry.parent.as_ref() == Some(parent))
}

/// Whether two names stand for the same: e-mail addresses without regard to case, all else exactly.
pub fn same_name(a: &str, b: &str) -> bool {
    folded(a) == folded(b)
}

fn folded(name: &str) -> Cow<'_, str> {
    if name.contains('@') { name.to_lowercase().into() } else { name.into() }
}

fn slot(level: Level, name: &str) -> (Level, String) {
    (level, folded(name).into_owned())
}
