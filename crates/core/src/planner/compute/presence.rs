//! What is known of a thing that is held or wanted: it is seen, it is gone, or neither can be said.

use super::Planner;
use crate::model::{Absence, Id, Kind, Observed};
use crate::planner::wording::{self, Obstacle};

impl<'a> Planner<'a> {
    /// The observed thing that a held entry stands for.
    pub(super) fn seen(&mut self, entry: usize) -> Result<Option<&'a Observed>, Obstacle> {
        let held = &self.held[entry];
        match &held.id {
            Some(id) => Ok(self.observed.by_id(held.kind, id)),
            None => self.recognized(entry),
        }
    }

    /// The thing that a pending entry's creation made: known by the id that was chosen for it, or by its natural key and by saying what it
    /// was to say, as far as the back end shows that.
    pub(super) fn recognized(&mut self, entry: usize) -> Result<Option<&'a Observed>, Obstacle> {
        let held = &self.held[entry];
        if held.refused {
            return Ok(None);
        }
        if let Some(chosen) = &held.chosen {
            return Ok(self.observed.by_id(held.kind, chosen));
        }
        if self.observed.is_ambiguous(held.kind, &held.key) {
            return Ok(None);
        }
        match self.observed.by_key(held.kind, &held.key) {
            Some(seen) if seen.outline => Err(self.read(seen)),
            Some(seen) if seen.body.is_unreadable() => Ok(Some(seen)),
            Some(seen) if seen.body.fingerprint() == self.held[entry].fingerprint => Ok(Some(seen)),
            _ => Ok(None),
        }
    }

    /// Whether what an entry stands for, and is not seen, is known not to be there.
    pub(super) fn is_gone(&self, entry: usize) -> bool {
        let held = &self.held[entry];
        if held.pending() && held.refused {
            return true;
        }
        let ambiguous = self.observed.is_ambiguous(held.kind, &held.key);
        if held.pending() && (ambiguous || held.unsettled) {
            return false;
        }
        if self.observed.absence(held.kind, held.place().as_ref()) == Absence::Proven {
            return true;
        }
        // Another thing with its natural key proves it too, as keys are unique; but a role may have gone to another name.
        (held.pending() || held.kind != Kind::Role)
            && !ambiguous
            && self.observed.by_key(held.kind, &held.key).is_some()
    }

    /// Says of an entry that is neither seen nor gone what is the matter.
    pub(super) fn unknown(&mut self, entry: usize) -> Obstacle {
        let held = self.held[entry].clone();
        let title = held.name.clone().unwrap_or_else(|| held.key.to_string());
        if let Some(unlooked) = held.id.as_ref().and_then(|id| self.unlooked(held.kind, id, &title)) {
            return unlooked;
        }
        if held.pending() && self.observed.is_ambiguous(held.kind, &held.key) {
            return wording::ambiguous(held.kind, &title);
        }
        if held.unsettled {
            return wording::unsettled(held.kind, &title);
        }
        wording::not_visible(held.kind, &title)
    }

    /// Asks for a restriction that a sweep had no reason to look at. None where it was looked at, or where lists show all there are.
    pub(super) fn unlooked(&mut self, kind: Kind, id: &Id, title: &str) -> Option<Obstacle> {
        let listed = kind != Kind::Restriction || !self.policy.dialect.closes_defaults();
        if listed || self.observed.is_missing(kind, id) {
            return None;
        }
        self.unread.insert((kind, id.clone()));
        Some(wording::unread(title))
    }
}
