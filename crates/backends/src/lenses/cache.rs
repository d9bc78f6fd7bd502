//! Caches what a snapshot reads one by one. HQ's lists show neither the policy of a role nor the roles of a group (contract 2.1, 2.2), and one
//! call for each of them in each sweep would be most of all calls. So a thing is read again when its entry in the list changes; the others
//! are read in turn, a few in each sweep, and each at least in every sixth.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;

/// At least this many unchanged things are read again in each sweep.
const MIN_PER_SWEEP: usize = 50;
/// Each unchanged thing is read again at least once in this many sweeps.
const SWEEPS: usize = 6;

/// What a list shows of a thing. While it is the same, the cached thing counts as current.
pub type Mark = String;

/// Things that were read one by one, by name.
pub struct Cache<T>(Mutex<State<T>>);

struct State<T> {
    entries: HashMap<String, Entry<T>>,
    /// A logical clock: it counts invalidations.
    clock: u64,
    /// When each name was last invalidated, while a sweep is running that started earlier.
    invalidated: HashMap<String, u64>,
    /// The number of running sweeps.
    running: usize,
    /// Counts stored entries, which shows the oldest one.
    stored: u64,
}

struct Entry<T> {
    mark: Mark,
    stored: u64,
    thing: T,
}

/// A running sweep.
pub struct Sweep<'a, T> {
    cache: &'a Cache<T>,
    began: u64,
}

impl<T> Drop for Sweep<'_, T> {
    fn drop(&mut self) {
        let mut state = self.cache.0.lock();
        state.running -= 1;
        if state.running == 0 {
            state.invalidated.clear();
        }
    }
}

/// A running write of one thing. A sweep can read the old state meanwhile, so the entry is invalidated again when this ends.
pub struct Write<'a, T> {
    cache: &'a Cache<T>,
    name: String,
}

impl<T> Drop for Write<'_, T> {
    fn drop(&mut self) {
        self.cache.invalidate(&self.name);
    }
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::new(State {
            entries: HashMap::new(),
            clock: 0,
            invalidated: HashMap::new(),
            running: 0,
            stored: 0,
        }))
    }
}

impl<T> Cache<T> {
    /// Removes a thing that is not as it was cached. Running sweeps do not store it.
    pub fn invalidate(&self, name: &str) {
        let mut state = self.0.lock();
        state.clock += 1;
        state.entries.remove(name);
        if state.running > 0 {
            let clock = state.clock;
            state.invalidated.insert(name.to_owned(), clock);
        }
    }

    /// Invalidates a thing now and when the result is dropped, at the end of a write.
    pub fn write(&self, name: &str) -> Write<'_, T> {
        self.invalidate(name);
        Write { cache: self, name: name.to_owned() }
    }
}

impl<T: Clone> Cache<T> {
    /// Starts a sweep, before it reads its list. It ends when the result is dropped.
    pub fn begin_sweep(&self) -> Sweep<'_, T> {
        let mut state = self.0.lock();
        state.running += 1;
        Sweep { cache: self, began: state.clock }
    }

    /// The listed things that have to be read: those that changed or were never read, and those whose turn it is. Removes what is not
    /// listed.
    pub fn due(&self, listed: &BTreeMap<String, Mark>) -> Vec<String> {
        let mut state = self.0.lock();
        state.entries.retain(|name, _| listed.contains_key(name));
        let (mut due, mut same) = (Vec::new(), Vec::new());
        for (name, mark) in listed {
            match state.entries.get(name) {
                Some(entry) if entry.mark == *mark => same.push((entry.stored, name)),
                _ => due.push(name.clone()),
            }
        }
        same.sort();
        let turn = MIN_PER_SWEEP.max(same.len().div_ceil(SWEEPS));
        due.extend(same.into_iter().take(turn).map(|(_, name)| name.clone()));
        due
    }

    /// Stores a thing, unless it was invalidated since the sweep began.
    pub fn store(&self, sweep: &Sweep<'_, T>, name: &str, mark: &Mark, thing: T) {
        let mut state = self.0.lock();
        if state.invalidated.get(name).is_none_or(|invalidated| *invalidated <= sweep.began) {
            state.stored += 1;
            let stored = state.stored;
            state.entries.insert(name.to_owned(), Entry { mark: mark.clone(), stored, thing });
        }
    }

    /// The cached thing.
    pub fn get(&self, name: &str) -> Option<T> {
        self.0.lock().entries.get(name).map(|entry| entry.thing.clone())
    }

    /// Removes a thing that this sweep could not read.
    pub fn remove(&self, name: &str) {
        self.0.lock().entries.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: impl IntoIterator<Item = usize>, mark: &str) -> BTreeMap<String, Mark> {
        names.into_iter().map(|name| (format!("{name:04}"), mark.to_owned())).collect()
    }

    fn store_all(cache: &Cache<()>, listed: &BTreeMap<String, Mark>, names: &[String]) {
        let sweep = cache.begin_sweep();
        names.iter().for_each(|name| cache.store(&sweep, name, &listed[name], ()));
    }

    #[test]
    fn few_things_are_read_each_time_and_many_in_six_sweeps() {
        let (cache, few) = (Cache::default(), listed(0..50, "a"));
        for _ in 0..3 {
            let due = cache.due(&few);
            assert_eq!(due.len(), 50);
            store_all(&cache, &few, &due);
        }
        let (cache, many) = (Cache::default(), listed(0..1000, "a"));
        store_all(&cache, &many, &cache.due(&many));
        let mut read = std::collections::BTreeSet::new();
        for _ in 0..SWEEPS {
            let due = cache.due(&many);
            assert_eq!(due.len(), 167);
            store_all(&cache, &many, &due);
            read.extend(due);
        }
        assert_eq!(read.len(), 1000);
    }

    #[test]
    fn a_changed_thing_is_read_at_once_and_a_deleted_one_removed() {
        let (cache, all) = (Cache::default(), listed(0..400, "a"));
        store_all(&cache, &all, &cache.due(&all));
        let mut changed = all.clone();
        changed.insert("0399".to_owned(), "b".to_owned());
        assert_eq!(cache.due(&changed)[0], "0399");
        let none = BTreeMap::new();
        assert!(cache.due(&none).is_empty() && cache.get("0000").is_none());
    }

    fn mark() -> Mark {
        "x".to_owned()
    }

    #[test]
    fn a_read_before_a_write_is_not_stored_after_it() {
        let cache = Cache::default();
        let sweep = cache.begin_sweep();
        drop(cache.write("a"));
        cache.store(&sweep, "a", &mark(), 1);
        assert_eq!(cache.get("a"), None);
        cache.store(&cache.begin_sweep(), "a", &mark(), 2);
        assert_eq!(cache.get("a"), Some(2));
    }

    #[test]
    fn a_read_during_a_write_is_removed_after_it() {
        // The sweep starts first and ends first.
        let cache = Cache::default();
        let sweep = cache.begin_sweep();
        let write = cache.write("a");
        cache.store(&sweep, "a", &mark(), 1);
        drop((sweep, write));
        assert_eq!(cache.get("a"), None);
        // The write starts first and ends last.
        let write = cache.write("a");
        cache.store(&cache.begin_sweep(), "a", &mark(), 2);
        assert_eq!(cache.get("a"), Some(2));
        drop(write);
        assert_eq!(cache.get("a"), None);
        // The write starts first and ends first.
        let write = cache.write("a");
        let sweep = cache.begin_sweep();
        drop(write);
        cache.store(&sweep, "a", &mark(), 3);
        assert_eq!(cache.get("a"), None);
    }

    #[test]
    fn a_write_does_not_affect_other_things() {
        let cache = Cache::default();
        let sweep = cache.begin_sweep();
        drop(cache.write("a"));
        cache.store(&sweep, "b", &mark(), 1);
        assert_eq!(cache.get("b"), Some(1));
    }

    #[test]
    fn invalidations_are_recorded_only_during_a_sweep() {
        let cache = Cache::<()>::default();
        let (one, other) = (cache.begin_sweep(), cache.begin_sweep());
        cache.invalidate("a");
        drop(one);
        assert_eq!(cache.0.lock().invalidated.len(), 1);
        drop(other);
        cache.invalidate("b");
        assert!(cache.0.lock().invalidated.is_empty());
    }
}
