//! The removals that were made in an account without an approval, so that guards can limit them within a window. Time is a parameter.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use rolewright_api::RemovalCount;

use crate::object::ObjectName;

/// The number of entries that a Backend records for one window.
const ENTRIES: u32 = 60;

/// The removals of one account, by the Backend whose objects made them.
#[derive(Debug, Default)]
pub struct Ledger {
    backends: HashMap<ObjectName, BTreeMap<Timestamp, usize>>,
}

/// Removals that are about to be made, and count already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserved {
    at: Timestamp,
    /// How many they are.
    pub count: usize,
}

impl Ledger {
    /// Adds what the status of a Backend records. Adding the same again changes nothing.
    pub fn load<'a>(&mut self, backend: &ObjectName, recorded: impl IntoIterator<Item = &'a RemovalCount>) {
        for RemovalCount { at, count } in recorded {
            let of_backend = self.backends.entry(backend.clone()).or_default();
            let known = of_backend.entry(at.0).or_default();
            *known = (*known).max(usize::try_from(*count).unwrap_or(0));
        }
    }

    /// The removals within the window.
    pub fn used(&self, window: Duration, now: Timestamp) -> usize {
        let since = start(window, now);
        let entries = self.backends.values().flatten();
        entries.filter(|(at, _)| **at > since).map(|(_, count)| count).sum()
    }

    /// Counts removals of objects of a Backend before they are made.
    pub fn reserve(
        &mut self,
        backend: &ObjectName,
        count: usize,
        window: Duration,
        now: Timestamp,
    ) -> Reserved {
        let at = entry_time(window, now);
        let since = start(window, now);
        let known = self.backends.entry(backend.clone()).or_default();
        known.retain(|at, _| *at > since);
        *known.entry(at).or_default() += count;
        Reserved { at, count }
    }

    /// Removals that were reserved and not made do not count.
    pub fn refund(&mut self, backend: &ObjectName, reserved: Reserved, count: usize) {
        if let Some(known) = self.backends.get_mut(backend).and_then(|known| known.get_mut(&reserved.at)) {
            *known = known.saturating_sub(count.min(reserved.count));
        }
    }

    /// The removals of a Backend, for its status.
    pub fn records(&self, backend: &ObjectName) -> Vec<RemovalCount> {
        let known = self.backends.get(backend).into_iter().flatten();
        let record = |(at, count): (&Timestamp, &usize)| RemovalCount {
            at: Time(*at),
            count: i64::try_from(*count).unwrap_or(i64::MAX),
        };
        known.filter(|(_, count)| **count > 0).map(record).collect()
    }
}

fn start(window: Duration, now: Timestamp) -> Timestamp {
    let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::MAX);
    now.checked_sub(window).unwrap_or(Timestamp::MIN)
}

/// The time under which a removal is recorded. Removals of one minute, for a window of one hour, share the end of that minute: they count
/// a moment too long, never too short.
fn entry_time(window: Duration, now: Timestamp) -> Timestamp {
    let width = i64::try_from((window / ENTRIES).as_secs().max(1)).unwrap_or(i64::MAX);
    let end = now.as_second().div_euclid(width).saturating_add(1).saturating_mul(width);
    Timestamp::from_second(end).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn backend(name: &str) -> ObjectName {
        ObjectName::new("team-a", name)
    }

    #[test]
    fn removals_of_all_backends_count_within_the_window() {
        let mut ledger = Ledger::default();
        ledger.reserve(&backend("one"), 4, HOUR, at("2027-01-01T00:00:00Z"));
        ledger.reserve(&backend("two"), 3, HOUR, at("2027-01-01T00:30:00Z"));
        assert_eq!(ledger.used(HOUR, at("2027-01-01T01:00:00Z")), 7, "never a moment too short");
        assert_eq!(ledger.used(HOUR, at("2027-01-01T01:01:00Z")), 3);
        assert_eq!(ledger.used(HOUR, at("2027-01-01T01:31:00Z")), 0);
        assert_eq!(ledger.used(HOUR, at("2026-12-31T00:00:00Z")), 7, "the clock was set back");
    }

    #[test]
    fn restart_forgets_no_removal() {
        let mut ledger = Ledger::default();
        let now = at("2027-01-01T00:00:00Z");
        ledger.reserve(&backend("one"), 4, HOUR, now);
        ledger.reserve(&backend("one"), 2, HOUR, at("2027-01-01T00:00:30Z"));
        let records = ledger.records(&backend("one"));
        assert_eq!(records, [RemovalCount { at: Time(at("2027-01-01T00:01:00Z")), count: 6 }]);
        let mut restarted = Ledger::default();
        for _ in 0..2 {
            restarted.load(&backend("one"), &records);
            assert_eq!(restarted.used(HOUR, now), 6);
        }
        ledger.load(&backend("one"), &records);
        assert_eq!(ledger.used(HOUR, now), 6, "what is known already counts once");
    }

    #[test]
    fn removals_that_were_not_made_do_not_count() {
        let mut ledger = Ledger::default();
        let now = at("2027-01-01T00:00:00Z");
        let reserved = ledger.reserve(&backend("one"), 4, HOUR, now);
        ledger.refund(&backend("one"), reserved, 3);
        assert_eq!(ledger.used(HOUR, now), 1);
        ledger.refund(&backend("one"), reserved, 9);
        assert_eq!((ledger.used(HOUR, now), ledger.records(&backend("one"))), (0, Vec::new()));
    }

    #[test]
    fn one_backend_records_a_bounded_number_of_entries() {
        let mut ledger = Ledger::default();
        let first = at("2027-01-01T00:00:00Z");
        for seconds in 0..8000 {
            ledger.reserve(&backend("one"), 1, HOUR, first + SignedDuration::from_secs(seconds));
        }
        assert!(ledger.records(&backend("one")).len() <= ENTRIES as usize + 1);
    }
}
