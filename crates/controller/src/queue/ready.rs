//! The objects that wait for a worker, and which of them is next.
//!
//! Workers belong to accounts: an account that is slow or does not answer keeps only its own workers busy. Accounts take turns, and so do
//! the namespaces of one account. In a namespace, grants whose time is over come first, then changes by users, then what sweeps found; and
//! Roles before what waits for them.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::Hash,
    sync::Arc,
};

use rolewright_reconcile::object::{ObjectKind, ObjectRef};

/// Why an object is reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// A sweep, a retry or a restart. Nobody waits for it.
    Background,
    /// A user changed the object, or something that it depends on.
    Change,
    /// Somebody has a role for longer than the spec says.
    Overdue,
}

/// The objects that wait for a worker. The objects of a group share workers.
pub struct Ready<G> {
    groups: HashMap<G, Waiting>,
    /// The groups with waiting objects, in the order of their turns.
    turns: VecDeque<G>,
    /// The workers of each group that are busy.
    busy: HashMap<G, usize>,
}

impl<G> Default for Ready<G> {
    fn default() -> Self {
        Self { groups: HashMap::new(), turns: VecDeque::new(), busy: HashMap::new() }
    }
}

/// The waiting objects of one group.
#[derive(Default)]
struct Waiting {
    lanes: HashMap<Arc<str>, Lanes>,
    turns: VecDeque<Arc<str>>,
    known: HashSet<ObjectRef>,
}

/// The waiting objects of one namespace, by [`lane`].
type Lanes = [VecDeque<ObjectRef>; 5];

fn lane(kind: ObjectKind, urgency: Urgency) -> usize {
    let waits_for_role =
        matches!(kind, ObjectKind::RoleBinding | ObjectKind::ResourceRestriction | ObjectKind::Prune);
    match urgency {
        Urgency::Overdue => 0,
        Urgency::Change => 1 + usize::from(waits_for_role),
        Urgency::Background => 3 + usize::from(waits_for_role),
    }
}

impl Waiting {
    fn push(&mut self, object: ObjectRef, urgency: Urgency) {
        let namespace = &object.name.namespace;
        if !self.lanes.contains_key(namespace) {
            self.turns.push_back(namespace.clone());
        }
        let lanes = self.lanes.entry(namespace.clone()).or_default();
        self.known.insert(object.clone());
        lanes[lane(object.kind, urgency)].push_back(object);
    }

    fn pop(&mut self) -> Option<ObjectRef> {
        while let Some(namespace) = self.turns.pop_front() {
            let lanes = self.lanes.get_mut(&namespace)?;
            // An object whose urgency was raised is in two lanes; the second entry does not count.
            let known = &mut self.known;
            let next = lanes
                .iter_mut()
                .find_map(|lane| std::iter::from_fn(|| lane.pop_front()).find(|object| known.remove(object)));
            if lanes.iter().all(VecDeque::is_empty) {
                self.lanes.remove(&namespace);
            } else {
                self.turns.push_back(namespace);
            }
            if next.is_some() {
                return next;
            }
        }
        None
    }
}

impl<G: Clone + Eq + Hash> Ready<G> {
    /// Adds an object. One that waits already can be added again with a higher urgency.
    pub fn push(&mut self, group: G, object: ObjectRef, urgency: Urgency) {
        let waiting = self.groups.entry(group.clone()).or_insert_with(|| {
            self.turns.push_back(group);
            Waiting::default()
        });
        waiting.push(object, urgency);
    }

    /// Takes the next object whose group has a free worker. `workers`: how many a group has.
    pub fn pop(&mut self, workers: impl Fn(&G) -> usize) -> Option<(G, ObjectRef)> {
        for _ in 0..self.turns.len() {
            let group = self.turns.pop_front()?;
            let busy = self.busy.get(&group).copied().unwrap_or_default();
            let next = match self.groups.get_mut(&group) {
                Some(waiting) if busy < workers(&group).max(1) => waiting.pop(),
                _ => None,
            };
            if self.groups.get(&group).is_some_and(|waiting| waiting.known.is_empty()) {
                self.groups.remove(&group);
            } else {
                self.turns.push_back(group.clone());
            }
            if let Some(object) = next {
                *self.busy.entry(group.clone()).or_default() += 1;
                return Some((group, object));
            }
        }
        None
    }

    /// A worker of a group is free again.
    pub fn finish(&mut self, group: &G) {
        if let Some(busy) = self.busy.get_mut(group) {
            *busy -= 1;
            if *busy == 0 {
                self.busy.remove(group);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rolewright_reconcile::object::ObjectName;

    use super::*;

    fn object(kind: ObjectKind, namespace: &str, name: &str) -> ObjectRef {
        ObjectRef { kind, name: ObjectName::new(namespace, name) }
    }

    fn role(namespace: &str, name: &str) -> ObjectRef {
        object(ObjectKind::Role, namespace, name)
    }

    fn names(ready: &mut Ready<&str>, workers: usize) -> Vec<String> {
        let next = std::iter::from_fn(|| ready.pop(|_| workers));
        next.map(|(_, object)| format!("{}/{}", object.name.namespace, object.name.name)).collect()
    }

    #[test]
    fn a_busy_account_does_not_delay_another() {
        let mut ready = Ready::default();
        for name in ["a", "b", "c"] {
            ready.push("slow", role("ns", name), Urgency::Change);
        }
        ready.push("fast", role("ns", "d"), Urgency::Background);
        assert_eq!(names(&mut ready, 2), ["ns/a", "ns/d", "ns/b"]);
        ready.finish(&"slow");
        assert_eq!(names(&mut ready, 2), ["ns/c"]);
        assert_eq!(names(&mut ready, 9), [""; 0]);
    }

    #[test]
    fn namespaces_of_an_account_take_turns() {
        let mut ready = Ready::default();
        for name in ["1", "2", "3"] {
            ready.push("a", role("flood", name), Urgency::Change);
        }
        ready.push("a", role("small", "4"), Urgency::Background);
        assert_eq!(names(&mut ready, 9), ["flood/1", "small/4", "flood/2", "flood/3"]);
    }

    #[test]
    fn overdue_precedes_changes_and_changes_precede_sweeps() {
        use ObjectKind::{ResourceRestriction, Role, RoleBinding};
        let mut ready = Ready::default();
        let each = [
            (Role, "1", Urgency::Background),
            (RoleBinding, "2", Urgency::Change),
            (ResourceRestriction, "3", Urgency::Background),
            (Role, "4", Urgency::Change),
            (RoleBinding, "5", Urgency::Overdue),
        ];
        for (kind, name, urgency) in each {
            ready.push("a", object(kind, "ns", name), urgency);
        }
        assert_eq!(names(&mut ready, 9), ["ns/5", "ns/4", "ns/2", "ns/1", "ns/3"]);
    }

    #[test]
    fn a_raised_object_is_taken_once() {
        let mut ready = Ready::default();
        ready.push("a", role("ns", "1"), Urgency::Background);
        ready.push("a", role("ns", "2"), Urgency::Background);
        ready.push("a", role("ns", "2"), Urgency::Change);
        assert_eq!(names(&mut ready, 9), ["ns/2", "ns/1"]);
        assert!(ready.groups.is_empty() && ready.turns.is_empty());
    }
}
