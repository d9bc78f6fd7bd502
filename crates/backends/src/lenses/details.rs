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
    /// Counts what is forgotten: the moments by which it is known what was before what.
    moment: u64,
    /// The moment at which each was last forgotten, as far as a reading is under way that began before it.
    forgotten: HashMap<String, u64>,
    /// How many readings are under way.
    under_way: usize,
    /// Counts what was learned, so that the oldest one is known.
    readings: u64,
}

struct Detail<T> {
    mark: Mark,
    reading: u64,
    what: T,
}

/// A reading that is under way.
pub struct Reading<'a, T> {
    details: &'a Details<T>,
    began: u64,
}

impl<T> Drop for Reading<'_, T> {
    fn drop(&mut self) {
        let mut known = self.details.0.lock();
        known.under_way -= 1;
        if known.under_way == 0 {
            known.forgotten.clear();
        }
    }
}

/// A write of one thing that is under way. What is read of it meanwhile may be of before the write: it is forgotten when this ends.
pub struct Writing<'a, T> {
    details: &'a Details<T>,
    name: String,
}

impl<T> Drop for Writing<'_, T> {
    fn drop(&mut self) {
        self.details.forget(&self.name);
    }
}

impl<T> Default for Details<T> {
    fn default() -> Self {
        Self(Mutex::new(Known {
            things: HashMap::new(),
            moment: 0,
            forgotten: HashMap::new(),
            under_way: 0,
            readings: 0,
        }))
    }
}

impl<T> Details<T> {
    /// Says that a thing was seen to be other than it was: it is to be read anew.
    pub fn forget(&self, name: &str) {
        let mut known = self.0.lock();
        known.moment += 1;
        known.things.remove(name);
        if known.under_way > 0 {
            let moment = known.moment;
            known.forgotten.insert(name.to_owned(), moment);
        }
    }

    /// Says that a thing is being written, for as long as what is given lives.
    pub fn writing(&self, name: &str) -> Writing<'_, T> {
        self.forget(name);
        Writing { details: self, name: name.to_owned() }
    }
}

impl<T: Clone> Details<T> {
    /// Says that a reading begins, before its list is asked for. It ends with what is given.
    pub fn begin(&self) -> Reading<'_, T> {
        let mut known = self.0.lock();
        known.under_way += 1;
        Reading { details: self, began: known.moment }
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

    /// Keeps what was read of a thing, unless it was forgotten since the reading began.
    pub fn learn(&self, reading: &Reading<'_, T>, name: &str, mark: &Mark, what: T) {
        let mut known = self.0.lock();
        if known.forgotten.get(name).is_none_or(|forgotten| *forgotten <= reading.began) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: impl IntoIterator<Item = usize>, mark: &str) -> BTreeMap<String, Mark> {
        names.into_iter().map(|name| (format!("{name:04}"), mark.to_owned())).collect()
    }

    fn learn_all(details: &Details<()>, listed: &BTreeMap<String, Mark>, names: &[String]) {
        let reading = details.begin();
        names.iter().for_each(|name| details.learn(&reading, name, &listed[name], ()));
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

    fn mark() -> Mark {
        "x".to_owned()
    }

    #[test]
    fn what_was_read_before_a_write_is_not_learned_after_it() {
        let details = Details::default();
        let reading = details.begin();
        drop(details.writing("a"));
        details.learn(&reading, "a", &mark(), 1);
        assert_eq!(details.get("a"), None);
        details.learn(&details.begin(), "a", &mark(), 2);
        assert_eq!(details.get("a"), Some(2));
    }

    #[test]
    fn what_was_read_during_a_write_is_not_kept_after_it_in_whichever_order_they_begin_and_end() {
        // The reading began first, ends first.
        let details = Details::default();
        let reading = details.begin();
        let writing = details.writing("a");
        details.learn(&reading, "a", &mark(), 1);
        drop((reading, writing));
        assert_eq!(details.get("a"), None);
        // The write began first, ends last: what was learned meanwhile goes.
        let writing = details.writing("a");
        details.learn(&details.begin(), "a", &mark(), 2);
        assert_eq!(details.get("a"), Some(2));
        drop(writing);
        assert_eq!(details.get("a"), None);
        // The write began first, ends first.
        let writing = details.writing("a");
        let reading = details.begin();
        drop(writing);
        details.learn(&reading, "a", &mark(), 3);
        assert_eq!(details.get("a"), None);
    }

    #[test]
    fn a_write_of_one_thing_takes_nothing_from_what_is_read_of_another() {
        let details = Details::default();
        let reading = details.begin();
        drop(details.writing("a"));
        details.learn(&reading, "b", &mark(), 1);
        assert_eq!(details.get("b"), Some(1));
    }

    #[test]
    fn nothing_is_noted_of_writes_once_no_reading_is_under_way() {
        let details = Details::<()>::default();
        let (one, other) = (details.begin(), details.begin());
        details.forget("a");
        drop(one);
        assert_eq!(details.0.lock().forgotten.len(), 1);
        drop(other);
        details.forget("b");
        assert!(details.0.lock().forgotten.is_empty());
    }
}
