//! Which thing has a name, by everything that was read about it. One answer can show HQ's id, another the time of creation, and a third
//! neither: lists and single reads differ, and so do replicas. What is not known to belong to different things is joined here, so that one
//! thing has one id.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::ids::Incarnation;

/// The known incarnations of the things of one kind, by name.
#[derive(Default)]
pub struct Incarnations(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The incarnation, and the number of the sweep that last observed it.
    things: HashMap<String, (Incarnation, u64)>,
    sweep: u64,
}

impl Incarnations {
    /// Records what an answer shows. Returns all that is known of the thing: also what earlier answers showed, unless they were about
    /// another thing.
    pub fn observe(&self, name: &str, shown: Incarnation) -> Incarnation {
        let mut known = self.0.lock();
        let before = known.things.get(name).map(|(before, _)| before.clone()).unwrap_or_default();
        let now = if before.differs(&shown) { shown } else { shown.join(&before) };
        known.keep(name, &now);
        now
    }

    /// All that is known of the thing with a name, joined with the recorded incarnations of that name. None if the records are of two
    /// things and no answer shows which of them has the name.
    pub fn resolve<'a>(
        &self,
        name: &str,
        recorded: impl Iterator<Item = &'a Incarnation>,
    ) -> Option<Incarnation> {
        let mut known = self.0.lock();
        let shown = known.things.get(name).map(|(shown, _)| shown.clone()).unwrap_or_default();
        let mut all = shown.clone();
        for recorded in recorded.filter(|recorded| !recorded.differs(&shown)) {
            if recorded.differs(&all) {
                return None;
            }
            all = all.join(recorded);
        }
        known.keep(name, &all);
        Some(all)
    }

    /// Records that the thing with this name is deleted: the next one is another thing.
    pub fn forget(&self, name: &str) {
        self.0.lock().things.remove(name);
    }

    /// Starts a sweep. Returns its number, for [`Self::end_sweep`].
    pub fn begin_sweep(&self) -> u64 {
        let mut known = self.0.lock();
        known.sweep += 1;
        known.sweep
    }

    /// Ends a sweep. What it did not observe is forgotten.
    pub fn end_sweep(&self, number: u64) {
        self.0.lock().things.retain(|_, (_, observed)| *observed >= number);
    }
}

impl Known {
    fn keep(&mut self, name: &str, now: &Incarnation) {
        self.things.insert(name.to_owned(), (now.clone(), self.sweep));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Incarnation {
        Incarnation::of(Some(text), None)
    }

    fn time(text: &str) -> Incarnation {
        Incarnation::of(None, Some(text))
    }

    #[test]
    fn answers_about_one_thing_are_joined() {
        let all = Incarnations::default();
        let both = id("1").join(&time("a"));
        assert_eq!(all.observe("x", time("a")), time("a"));
        assert_eq!(all.observe("x", id("1")), both);
        assert_eq!(all.observe("x", Incarnation::default()), both);
        assert_eq!(all.observe("x", id("2")), id("2"));
        assert_eq!(all.observe("y", Incarnation::default()), Incarnation::default());
        all.forget("x");
        assert_eq!(all.observe("x", Incarnation::default()), Incarnation::default());
    }

    #[test]
    fn a_record_fills_in_unless_two_records_disagree() {
        let resolved = |shown: Incarnation, recorded: &[Incarnation]| {
            let all = Incarnations::default();
            all.observe("x", shown);
            all.resolve("x", recorded.iter())
        };
        let none = Incarnation::default();
        assert_eq!(resolved(none.clone(), &[id("1"), none.clone()]), Some(id("1")));
        assert_eq!(resolved(id("2"), &[id("1"), none.clone()]), Some(id("2")));
        assert_eq!(resolved(id("2"), &[id("1"), id("2")]), Some(id("2")));
        assert_eq!(resolved(none.clone(), &[id("1"), id("2")]), None);
        assert_eq!(resolved(none.clone(), &[]), Some(none));
    }

    #[test]
    fn a_sweep_forgets_what_it_did_not_observe() {
        let all = Incarnations::default();
        all.observe("deleted", id("1"));
        let number = all.begin_sweep();
        all.observe("existing", id("2"));
        all.end_sweep(number);
        assert_eq!(all.observe("deleted", Incarnation::default()), Incarnation::default());
        assert_eq!(all.observe("existing", Incarnation::default()), id("2"));
    }
}
