//! The names of a back end's users, spaces, projects and so on. They turn names in specs into ids.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use super::{body::Named, key::Id, level::Level, nearest::nearest};

/// One user, space, project or the like of a back end.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its level, id and name.
    pub named: Named,
    /// The thing that contains it, where names are unique only within that.
    pub parent: Option<Id>,
    /// Other names that a spec can use, such as `login:alice`.
    pub aliases: Vec<String>,
}

impl Entry {
    /// Whether this is its name or one of its aliases.
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|known| same_name(self.named.level, known, name))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.named.name).chain(self.aliases.iter().map(String::as_str))
    }
}

/// The result of a lookup by name.
#[derive(Debug, PartialEq)]
pub enum NameMatch<'a> {
    /// Exactly one entry has the name.
    One(&'a Entry),
    /// No entry that the credential can read has the name.
    None,
    /// Several entries have the name.
    Many(Vec<&'a Entry>),
}

/// All names that the sweep read. E-mail addresses are compared without regard to case, all other names exactly, unless their level ignores
/// the case.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    by_id: HashMap<Id, Entry>,
    by_name: HashMap<(Level, String), Vec<Id>>,
    ignoring_case: HashSet<Level>,
    listed: HashSet<Level>,
    refused: HashMap<Level, String>,
    advice: HashMap<Level, &'static str>,
    /// Names that others use for a thing and a spec cannot.
    called_elsewhere: HashMap<(Level, String), Id>,
}

impl Directory {
    /// Adds an entry, or replaces the entry with the same id.
    pub fn insert(&mut self, entry: Entry) {
        let id = entry.named.id.clone();
        if let Some(old) = self.by_id.get(&id) {
            for slot in old.names().flat_map(|name| self.slots(old.named.level, name)).collect::<Vec<_>>() {
                if let Some(ids) = self.by_name.get_mut(&slot) {
                    ids.retain(|known| known != &id);
                }
            }
        }
        for slot in entry.names().flat_map(|name| self.slots(entry.named.level, name)).collect::<Vec<_>>() {
            // Nearly every name has one thing.
            let ids = self.by_name.entry(slot).or_insert_with(|| Vec::with_capacity(1));
            if !ids.contains(&id) {
                ids.push(id.clone());
            }
        }
        self.by_id.insert(id, entry);
    }

    /// The entry with this id.
    pub fn get(&self, id: &Id) -> Option<&Entry> {
        self.by_id.get(id)
    }

    /// All entries, in arbitrary order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.by_id.values()
    }

    /// From now on, names of a level that differ only in the case of ASCII letters are one, unless the entry with exactly this name exists.
    /// Call it before the first entry of the level is inserted.
    pub fn ignore_case(&mut self, level: Level) {
        self.ignoring_case.insert(level);
    }

    /// Where a name of an entry is found: as it is, and in lower case if its level ignores the case.
    fn slots(&self, level: Level, name: &str) -> impl Iterator<Item = (Level, String)> + use<> {
        let exact = slot(level, name);
        let lower = (level, exact.1.to_ascii_lowercase());
        let lower = (self.ignoring_case.contains(&level) && lower != exact).then_some(lower);
        std::iter::once(exact).chain(lower)
    }

    /// Finds a name or alias at a level, inside `parent` if it is given.
    pub fn find(&self, level: Level, name: &str, parent: Option<&Id>) -> NameMatch<'_> {
        let listed = |slot: &(Level, String)| -> Vec<&Entry> {
            let ids = self.by_name.get(slot).map(Vec::as_slice).unwrap_or_default();
            ids.iter().filter_map(|id| self.by_id.get(id)).filter(|entry| inside(entry, parent)).collect()
        };
        let mut slots = self.slots(level, name);
        let mut found = slots.next().map(|exact| listed(&exact)).unwrap_or_default();
        if found.iter().any(|entry| entry.is_called(name)) {
            found.retain(|entry| entry.is_called(name));
        } else if let Some(lower) = slots.next() {
            found = listed(&lower);
        }
        match found.len() {
            0 => NameMatch::None,
            1 => NameMatch::One(found.remove(0)),
            _ => {
                found.sort_by(|a, b| a.named.id.cmp(&b.named.id));
                NameMatch::Many(found)
            }
        }
    }

    /// Records a name that another system has for a thing, such as an identity provider for a group. A spec cannot use it.
    pub fn add_foreign_name(&mut self, level: Level, name: &str, id: Id) {
        self.called_elsewhere.insert(slot(level, name), id);
    }

    /// The name that a name most likely means, which is not found at a level, inside `parent` if it is given.
    pub fn nearest(&self, level: Level, name: &str, parent: Option<&Id>) -> Option<&str> {
        let elsewhere = self.called_elsewhere.get(&slot(level, name)).and_then(|id| self.by_id.get(id));
        if let Some(entry) = elsewhere {
            return Some(&entry.named.name);
        }
        let here = self.by_id.values().filter(|entry| entry.named.level == level && inside(entry, parent));
        nearest(name, here.flat_map(Entry::names))
    }

    /// Records that a level was listed to its end.
    pub fn mark_listed(&mut self, level: Level) {
        self.listed.insert(level);
    }

    /// Whether a level was listed to its end. Entries that the credential cannot read are missing nevertheless.
    pub fn is_listed(&self, level: Level) -> bool {
        self.listed.contains(&level)
    }

    /// Records why a level could not be listed. A name that is not found there can still exist.
    pub fn refuse(&mut self, level: Level, reason: impl Into<String>) {
        self.refused.insert(level, reason.into());
    }

    /// Why a level could not be listed. None if it was listed, or was not needed.
    pub fn refusal(&self, level: Level) -> Option<&str> {
        self.refused.get(&level).map(String::as_str)
    }

    /// Records what to do about a name that is not found at a level, although the level was listed.
    pub fn advise(&mut self, level: Level, advice: &'static str) {
        self.advice.insert(level, advice);
    }

    /// What to do about a name that is not found at a level.
    pub fn advice(&self, level: Level) -> Option<&'static str> {
        self.advice.get(&level).copied()
    }

    /// The id with its name, or with itself as name if the name is unknown.
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

/// Whether two names of a level are the same: the e-mail addresses of users without regard to the case of ASCII letters, all other names
/// exactly.
pub fn same_name(level: Level, a: &str, b: &str) -> bool {
    folded(level, a) == folded(level, b)
}

/// Only ASCII letters: other alphabets have letters that look alike and are others in lower case, such as the Kelvin sign and k.
fn folded(level: Level, name: &str) -> Cow<'_, str> {
    let is_address = level == Level::USER && name.contains('@');
    if is_address { name.to_ascii_lowercase().into() } else { name.into() }
}

fn slot(level: Level, name: &str) -> (Level, String) {
    (level, folded(level, name).into_owned())
}
