//! The presence of a thing: it was read, its absence is proven, a call that would show it failed, or none of these.

use super::{Item, Planner};
use crate::model::{Absence, Body, Id, Kind, Level, Observed};
use crate::planner::{input::HeldState, messages, problem::Problem};

impl<'a> Planner<'a> {
    /// The observed thing of an entry.
    pub(super) fn seen(&mut self, entry: usize) -> Result<Option<&'a Observed>, Problem> {
        let held = &self.entries[entry].held;
        match held.id() {
            Some(id) => Ok(self.observed.by_id(held.kind, id)),
            None => self.recognized(entry),
        }
    }

    /// The thing that the create of a pending entry made. It is recognized by the id that was chosen for it, or else by its natural key
    /// and body, as far as the back end shows the body.
    pub(super) fn recognized(&mut self, entry: usize) -> Result<Option<&'a Observed>, Problem> {
        let held = &self.entries[entry].held;
        let HeldState::Pending { chosen, .. } = &held.state else { return Ok(None) };
        if let Some(chosen) = chosen {
            return Ok(self.observed.by_id(held.kind, chosen));
        }
        if self.observed.is_ambiguous(held.kind, &held.key) {
            return Ok(None);
        }
        match self.observed.by_key(held.kind, &held.key) {
            Some(seen) if seen.outline => Err(self.request_read(seen)),
            Some(seen) if seen.body.is_unreadable() => Ok(Some(seen)),
            Some(seen) if seen.body.fingerprint() == held.fingerprint => Ok(Some(seen)),
            _ => Ok(None),
        }
    }

    /// The problem of an entry whose thing was not observed, if a failed call could have shown it.
    pub(super) fn unread_entry(&self, entry: usize, level: Option<Level>) -> Option<Problem> {
        let held = &self.entries[entry].held;
        if held.is_refused() {
            return None;
        }
        let place = held.key.place();
        let failure = self.observed.unread(held.kind, held.recorded_id(), place.as_ref(), level)?;
        let title = held.name.clone().unwrap_or_else(|| held.key.to_string());
        Some(messages::unread(held.kind, &title, failure))
    }

    /// The same for a desired thing that no entry is for.
    pub(super) fn unread_item(&self, item: &Item<'_>) -> Option<Problem> {
        let kind = item.body.kind();
        let chosen = item.desired.chosen.as_ref().map(|chosen| &chosen.id);
        let id = match item.body {
            Body::Restriction(restriction) => Some(&restriction.resource.id),
            _ => chosen,
        };
        let place = item.key.place();
        let failure = self.observed.unread(kind, id, place.as_ref(), place_level(item.body))?;
        Some(messages::unread(kind, &item.body.title(), failure))
    }

    /// Whether the thing of an entry, which was not observed, is known not to exist.
    pub(super) fn is_absent(&self, entry: usize) -> bool {
        let held = &self.entries[entry].held;
        let ambiguous = self.observed.is_ambiguous(held.kind, &held.key);
        match held.state {
            HeldState::Refused { .. } => return true,
            HeldState::Pending { unsettled, .. } if unsettled || ambiguous => return false,
            HeldState::Pending { .. } | HeldState::Present { .. } => {}
        }
        if self.observed.absence(held.kind, held.key.place().as_ref()) == Absence::Proven {
            return true;
        }
        // Keys are unique, so another thing with its key proves it too. But a role can have been renamed.
        (!held.is_present() || held.kind != Kind::Role)
            && !ambiguous
            && self.observed.by_key(held.kind, &held.key).is_some()
    }

    /// The problem of an entry whose thing was not observed and is not known to be absent.
    pub(super) fn not_visible(&mut self, entry: usize) -> Problem {
        let held = self.entries[entry].held.clone();
        let title = held.name.clone().unwrap_or_else(|| held.key.to_string());
        if let Some(not_read) = held.id().and_then(|id| self.request_restriction(held.kind, id, &title)) {
            return not_read;
        }
        if !held.is_present() && self.observed.is_ambiguous(held.kind, &held.key) {
            return messages::ambiguous(held.kind, &title);
        }
        if held.is_unsettled() {
            return messages::unsettled(held.kind, &title);
        }
        match self.observed.unread_rights() {
            Some(failure) => messages::unread(held.kind, &title, failure),
            None => messages::not_visible(held.kind, &title),
        }
    }

    /// Requests a complete read of a thing that a list showed only in part.
    pub(super) fn request_read(&mut self, seen: &Observed) -> Problem {
        let kind = seen.body.kind();
        if let Some(failure) = self.observed.unread_thing(kind, &seen.id) {
            return messages::unread(kind, &seen.body.title(), failure);
        }
        self.to_read.insert((kind, seen.id.clone()));
        messages::not_read_yet(&seen.body.title())
    }

    /// Requests a read of a restriction that the sweep had no reason to read. None if it was read, or if lists show all of them.
    pub(super) fn request_restriction(&mut self, kind: Kind, id: &Id, title: &str) -> Option<Problem> {
        let listed = kind != Kind::Restriction || !self.policy.identity.capabilities().closes_defaults();
        if listed || self.observed.is_missing(kind, id) {
            return None;
        }
        if let Some(failure) = self.observed.unread_thing(kind, id) {
            return Some(messages::unread(kind, title, failure));
        }
        self.to_read.insert((kind, id.clone()));
        Some(messages::not_read_yet(title))
    }
}

/// The level of the place of a thing: see [`Key::place`](crate::model::Key::place).
pub(super) fn place_level(body: &Body) -> Option<Level> {
    match body {
        Body::Grant(grant) => Some(grant.scope.as_ref().unwrap_or(&grant.subject).level),
        Body::Restriction(restriction) => Some(restriction.resource.level),
        Body::Role(_) | Body::Group(_) => None,
    }
}
