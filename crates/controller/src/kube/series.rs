//! Equal Events within some minutes are one Event that counts them.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use k8s_openapi::api::core::v1::Event;
use tokio::time::Instant;

/// An Event that comes later than this after the last equal one is a new Event.
const WINDOW: Duration = Duration::from_secs(600);
/// The most Events that are remembered. The oldest are forgotten first.
const MAX_KNOWN: usize = 1000;

/// The Events that were written lately.
#[derive(Default)]
pub struct Series {
    known: HashMap<u64, Entry>,
    /// By age. An Event that was repeated is here only with its first time.
    order: VecDeque<u64>,
}

struct Entry {
    name: String,
    count: i32,
    last: Instant,
}

/// An Event that exists already, and how often it happened with this time.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    /// The name of the Event.
    pub name: String,
    /// How often it happened.
    pub count: i32,
}

impl Series {
    /// The written Event that equals this one, counted once more. None if this one is new.
    pub fn next(&mut self, event: &Event) -> Option<Known> {
        self.next_at(event, Instant::now())
    }

    fn next_at(&mut self, event: &Event, now: Instant) -> Option<Known> {
        let entry = self.known.get_mut(&identity(event))?;
        if now.duration_since(entry.last) > WINDOW {
            return None;
        }
        entry.last = now;
        entry.count = entry.count.saturating_add(1);
        Some(Known { name: entry.name.clone(), count: entry.count })
    }

    /// Remembers an Event that was created.
    pub fn add(&mut self, event: &Event) {
        self.add_at(event, Instant::now());
    }

    fn add_at(&mut self, event: &Event, now: Instant) {
        let identity = identity(event);
        let name = event.metadata.name.clone().unwrap_or_default();
        if self.known.insert(identity, Entry { name, count: 1, last: now }).is_none() {
            self.order.push_back(identity);
        }
        while self.order.len() > MAX_KNOWN {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.known.remove(&oldest));
        }
    }
}

/// A hash of what makes two Events equal: their object, type, reason and text.
fn identity(event: &Event) -> u64 {
    let mut hasher = DefaultHasher::new();
    let object = &event.involved_object;
    (&event.metadata.namespace, &object.kind, &object.namespace, &object.name, &object.uid).hash(&mut hasher);
    (&event.type_, &event.reason, &event.message).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, message: &str) -> Event {
        let mut event = Event { message: Some(message.to_owned()), ..Event::default() };
        event.metadata.name = Some(name.to_owned());
        event
    }

    #[test]
    fn equal_events_are_counted_within_the_window() {
        let (mut series, start) = (Series::default(), Instant::now());
        assert_eq!(series.next_at(&event("a", "drift"), start), None);
        series.add_at(&event("a", "drift"), start);
        let known = |count| Some(Known { name: "a".to_owned(), count });
        assert_eq!(series.next_at(&event("b", "drift"), start + WINDOW), known(2));
        assert_eq!(series.next_at(&event("c", "drift"), start + WINDOW * 2), known(3));
        assert_eq!(series.next_at(&event("d", "other"), start + WINDOW * 2), None);
        let late = start + WINDOW * 3 + Duration::from_secs(1);
        assert_eq!(series.next_at(&event("e", "drift"), late), None, "a new Event");
        series.add_at(&event("e", "drift"), late);
        let again = series.next_at(&event("f", "drift"), late);
        assert_eq!(again, Some(Known { name: "e".to_owned(), count: 2 }));
    }

    #[test]
    fn memory_of_events_is_bounded() {
        let (mut series, start) = (Series::default(), Instant::now());
        for number in 0..MAX_KNOWN * 2 {
            series.add_at(&event("e", &number.to_string()), start);
        }
        assert_eq!((series.known.len(), series.order.len()), (MAX_KNOWN, MAX_KNOWN));
        assert_eq!(series.next_at(&event("e", "0"), start), None);
        assert!(series.next_at(&event("e", &(MAX_KNOWN * 2 - 1).to_string()), start).is_some());
    }
}
