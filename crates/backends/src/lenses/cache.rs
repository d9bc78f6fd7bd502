//! Remembers what a sweep read one by one. HQ's lists show neither the policy of a role nor the roles of a group (contract 2.1, 2.2), and one
//! call for each of them in each sweep would be most of all calls. So a thing is read again when its entry in the list changes; the others
//! are read in turn.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use parking_lot::Mutex;

/// With at most this many things, each sweep reads all of them. With more, each is read in one of several sweeps.
const PER_SWEEP: usize = 50;
/// Each thing is read at least once in this many sweeps.
const SWEEPS: usize = 6;

/// What a list shows of a thing. While it is the same, the remembered thing counts as current.
pub type Mark = String;

/// Things that were read one by one, by name.
pub type Known<T> = HashMap<String, (Mark, T)>;

/// What one reader of snapshots remembers between its sweeps.
pub struct Cache<T>(Mutex<State<T>>);

struct State<T> {
    known: Known<T>,
    /// Written or read otherwise since the last sweep began: that sweep can have read an older state.
    changed: HashSet<String>,
    sweeps: usize,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::new(State { known: HashMap::new(), changed: HashSet::new(), sweeps: 0 }))
    }
}

impl<T: Clone> Cache<T> {
    /// Starts a sweep. Returns the things that it need not read: neither did they change, nor is it their turn.
    pub fn begin(&self, listed: &BTreeMap<String, Mark>) -> Known<T> {
        let mut state = self.0.lock();
        state.changed.clear();
        state.sweeps += 1;
        let turns = listed.len().div_ceil(PER_SWEEP).clamp(1, SWEEPS);
        let (known, now) = (&state.known, state.sweeps % turns);
        let current = known
            .iter()
            .filter(|(name, (mark, _))| listed.get(*name) == Some(mark) && turn_of(name, turns) != now);
        current.map(|(name, thing)| (name.clone(), thing.clone())).collect()
    }

    /// Ends a sweep. What changed since it began is not remembered.
    pub fn end(&self, known: &Known<T>) {
        let mut state = self.0.lock();
        let unchanged = known.iter().filter(|(name, _)| !state.changed.contains(*name));
        state.known = unchanged.map(|(name, thing)| (name.clone(), thing.clone())).collect();
    }

    /// Forgets a thing that is possibly not as it was read: call it after each write and each single read.
    pub fn forget(&self, name: &str) {
        let mut state = self.0.lock();
        state.known.remove(name);
        state.changed.insert(name.to_owned());
    }

    /// The remembered thing, if the list still shows the same of it.
    pub fn current(&self, name: &str, mark: &Mark) -> Option<T> {
        self.0.lock().known.get(name).filter(|(known, _)| known == mark).map(|(_, thing)| thing.clone())
    }
}

/// In which of so many sweeps a thing is read.
fn turn_of(name: &str, turns: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    usize::try_from(hasher.finish() % turns as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(count: usize, mark: &str) -> BTreeMap<String, Mark> {
        (0..count).map(|number| (format!("{number:04}"), mark.to_owned())).collect()
    }

    /// Makes one sweep. Returns the names of the things that it reads.
    fn sweep(cache: &Cache<usize>, listed: &BTreeMap<String, Mark>) -> Vec<String> {
        let mut known = cache.begin(listed);
        let due: Vec<String> = listed.keys().filter(|name| !known.contains_key(*name)).cloned().collect();
        known.extend(due.iter().map(|name| (name.clone(), (listed[name].clone(), 1))));
        cache.end(&known);
        due
    }

    #[test]
    fn few_things_are_read_each_time_and_many_in_six_sweeps() {
        let (cache, few) = (Cache::default(), listed(50, "a"));
        assert_eq!([50; 3], [(); 3].map(|()| sweep(&cache, &few).len()));
        let (cache, many) = (Cache::default(), listed(1000, "a"));
        assert_eq!(sweep(&cache, &many).len(), 1000);
        let read: Vec<String> = (0..SWEEPS).flat_map(|_| sweep(&cache, &many)).collect();
        assert_eq!(read.len(), 1000);
        assert_eq!(read.iter().collect::<HashSet<_>>().len(), 1000);
    }

    #[test]
    fn a_changed_thing_is_read_at_once_and_a_deleted_one_forgotten() {
        let (cache, mut all) = (Cache::default(), listed(400, "a"));
        sweep(&cache, &all);
        let changed = || all.keys().find(|name| cache.begin(&all).contains_key(*name)).cloned();
        let name = changed().expect("a thing that is not due");
        all.insert(name.clone(), "b".to_owned());
        assert!(sweep(&cache, &all).contains(&name));
        sweep(&cache, &BTreeMap::new());
        assert_eq!(cache.current(&name, &"b".to_owned()), None);
    }

    #[test]
    fn what_a_write_changes_during_a_sweep_is_read_again() {
        let (cache, all, mark) = (Cache::default(), listed(2, "a"), "a".to_owned());
        let read =
            HashMap::from([("0000", 1), ("0001", 2)].map(|(name, it)| (name.to_owned(), (mark.clone(), it))));
        cache.begin(&all);
        cache.forget("0000");
        cache.end(&read);
        assert_eq!((cache.current("0000", &mark), cache.current("0001", &mark)), (None, Some(2)));
        cache.begin(&all);
        cache.end(&read);
        cache.forget("0000");
        assert_eq!(cache.current("0000", &mark), None);
        assert_eq!(cache.current("0001", &"b".to_owned()), None, "the list shows something else");
    }
}
