//! What was read of single things. HQ's lists show neither a role's policy nor a group's roles (contract 2.1, 2.2), and one call for each of
//! them at each sweep would be most of all calls. So a thing is read again when what its list shows of it has moved, and otherwise in turn:
//! a few at each sweep, each at the latest at every sixth.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;

/// So many are read again in turn at each sweep, however few there are.
const AT_LEAST: usize = 50;
/// Each is read again at the latest at every so many sweeps.
const SWEEPS: usize = 6;

/// What a list shows of a thing: as long as it is the same, what was read of it is taken to be so still.
pub type Mark = String;

/// What was read of single things, by name.
pub struct Details<T>(Mutex<Known<T>>);

struct Known<T> {
    things: HashMap<String, Detail<T>>,
    /// Counts writes, so that what was read before one is not learned after it.
    writes: u64,
    /// Counts readings, so that the oldest one is known.
    readings: u64,
}

struct Detail<T> {
    mark: Mark,
    reading: u64,
    what: T,
}

/// The moment at which a reading began.
#[derive(Clone, Copy)]
pub struct Begun(u64);

impl<T> Default for Details<T> {
    fn default() -> Self {
        Self(Mutex::new(Known { things: HashMap::new(), writes: 0, readings: 0 }))
    }
}

impl<T: Clone> Details<T> {
    /// Says that a reading begins, before its list is asked for.
    pub fn begin(&self) -> Begun {
        Begun(self.0.lock().writes)
    }

    /// Which of the listed things have to be read: those that moved or were never read, and those whose turn it is. What is not listed is
    /// forgotten.
    pub fn due(&self, listed: &BTreeMap<String, Mark>) -> Vec<String> {
        let mut known = self.0.lock();
        known.things.retain(|name, _| listed.contains_key(name));
        let (mut due, mut same) = (Vec::new(), Vec::new());
        for (name, mark) in listed {
            match known.things.get(name) {
                Some(detail) if detail.mark == *mark => same.push((detail.reading, name)),
                _ => due.push(name.clone()),
            }
        }
        same.sort();
        let turn = AT_LEAST.max(same.len().div_ceil(SWEEPS));
        due.extend(same.into_iter().take(turn).map(|(_, name)| name.clone()));
        due
    }

    /// Keeps what was read, unless something was written since the reading began.
    pub fn learn(&self, begun: Begun, name: &str, mark: &Mark, what: T) {
        let mut known = self.0.lock();
        if known.writes == begun.0 {
            known.readings += 1;
            let reading = known.readings;
            known.things.insert(name.to_owned(), Detail { mark: mark.clone(), reading, what });
        }
    }

    /// What was last read of a thing.
    pub fn get(&self, name: &str) -> Option<T> {
        self.0.lock().things.get(name).map(|detail| detail.what.clone())
    }

    /// Says that a thing could not be read this time: what was read before says nothing any more.
    pub fn lose(&self, name: &str) {
        self.0.lock().things.remove(name);
    }

    /// Says that a thing is being written, or was seen to be other than it was: it is to be read anew.
    pub fn forget(&self, name: &str) {
        let mut known = self.0.lock();
        known.writes += 1;
        known.things.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: impl IntoIterator<Item = usize>, mark: &str) -> BTreeMap<String, Mark> {
        names.into_iter().map(|name| (format!("{name:04}"), mark.to_owned())).collect()
    }

    fn learn_all(details: &Details<()>, listed: &BTreeMap<String, Mark>, names: &[String]) {
        let begun = details.begin();
        names.iter().for_each(|name| details.learn(begun, name, &listed[name], ()));
    }

    #[test]
    fn few_are_read_at_each_sweep_and_of_many_each_within_six() {
        let (details, few) = (Details::default(), listed(0..50, "a"));
        for _ in 0..3 {
            let due = details.due(&few);
            assert_eq!(due.len(), 50);
            learn_all(&details, &few, &due);
        }
        let (details, many) = (Details::default(), listed(0..1000, "a"));
        learn_all(&details, &many, &details.due(&many));
        let mut read = std::collections::BTreeSet::new();
        for _ in 0..SWEEPS {
            let due = details.due(&many);
            assert_eq!(due.len(), 167);
            learn_all(&details, &many, &due);
            read.extend(due);
        }
        assert_eq!(read.len(), 1000);
    }

    #[test]
    fn what_moved_is_read_at_once_and_what_is_gone_is_forgotten() {
        let (details, all) = (Details::default(), listed(0..400, "a"));
        learn_all(&details, &all, &details.due(&all));
        let mut moved = all.clone();
        moved.insert("0399".to_owned(), "b".to_owned());
        assert_eq!(details.due(&moved)[0], "0399");
        let none = BTreeMap::new();
        assert!(details.due(&none).is_empty() && details.get("0000").is_none());
    }

    #[test]
    fn what_was_read_before_a_write_is_not_learned_after_it() {
        let details = Details::default();
        let begun = details.begin();
        details.forget("a");
        details.learn(begun, "a", &"x".to_owned(), 1);
        assert_eq!(details.get("a"), None);
        details.learn(details.begin(), "a", &"x".to_owned(), 2);
        assert_eq!(details.get("a"), Some(2));
        details.forget("a");
        assert_eq!(details.get("a"), None);
    }
}
