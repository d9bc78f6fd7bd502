//! Which thing has a name, as far as all that was read of it tells. One answer may show HQ's id, another the time at which it was made, a
//! third neither: a list beside what is read by itself, one replica beside the next. What is not known to be of two things is joined here,
//! and nowhere else, so that one thing has one id. Knows nothing of what the things are.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::ids::Incarnation;

/// What is known of things of one kind, by name.
#[derive(Default)]
pub struct Incarnations(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// What is known, and during which sweep it was last seen.
    things: HashMap<String, (Incarnation, u64)>,
    sweep: u64,
}

impl Incarnations {
    /// Says that a thing shows this. Gives all that is known of it: what was shown before too, unless that was of another thing.
    pub fn see(&self, name: &str, shown: Incarnation) -> Incarnation {
        let mut known = self.0.lock();
        let before = known.things.get(name).map(|(before, _)| before.clone()).unwrap_or_default();
        let now = if before.differs(&shown) { shown } else { shown.join(&before) };
        known.keep(name, &now);
        now
    }

    /// What is known of the thing that has a name, joined with what is recorded of it. None where two things are recorded under the name and
    /// nothing that is shown tells which of them has it.
    pub fn settle<'a>(
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

    /// Says that what had this name is gone: whatever has it next is another thing.
    pub fn forget(&self, name: &str) {
        self.0.lock().things.remove(name);
    }

    /// Says that a sweep begins. It ends with what is given.
    pub fn begin(&self) -> u64 {
        let mut known = self.0.lock();
        known.sweep += 1;
        known.sweep
    }

    /// Says that a sweep has ended: what it did not see is forgotten.
    pub fn end(&self, began: u64) {
        self.0.lock().things.retain(|_, (_, seen)| *seen >= began);
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
    fn what_several_answers_show_of_one_thing_is_put_together_until_another_has_its_name() {
        let all = Incarnations::default();
        let both = id("1").join(&time("a"));
        assert_eq!(all.see("x", time("a")), time("a"));
        assert_eq!(all.see("x", id("1")), both);
        assert_eq!(all.see("x", Incarnation::default()), both);
        assert_eq!(all.see("x", id("2")), id("2"));
        assert_eq!(all.see("y", Incarnation::default()), Incarnation::default());
        all.forget("x");
        assert_eq!(all.see("x", Incarnation::default()), Incarnation::default());
    }

    #[test]
    fn what_is_recorded_stands_for_what_is_not_shown_unless_nobody_can_say_which_it_is() {
        let settled = |shown: Incarnation, recorded: &[Incarnation]| {
            let all = Incarnations::default();
            all.see("x", shown);
            all.settle("x", recorded.iter())
        };
        let none = Incarnation::default();
        assert_eq!(settled(none.clone(), &[id("1"), none.clone()]), Some(id("1")));
        assert_eq!(settled(id("2"), &[id("1"), none.clone()]), Some(id("2")));
        assert_eq!(settled(id("2"), &[id("1"), id("2")]), Some(id("2")));
        assert_eq!(settled(none.clone(), &[id("1"), id("2")]), None);
        assert_eq!(settled(none.clone(), &[]), Some(none));
    }

    #[test]
    fn what_a_sweep_did_not_see_is_forgotten_and_what_was_made_during_it_is_not() {
        let all = Incarnations::default();
        all.see("gone", id("1"));
        let began = all.begin();
        all.see("there", id("2"));
        all.end(began);
        assert_eq!(all.see("gone", Incarnation::default()), Incarnation::default());
        assert_eq!(all.see("there", Incarnation::default()), id("2"));
    }
}
