//! Desired items: each is satisfied already, gets a step, or has a problem.

use super::{Entry, Fate, Item, Outcome, Planner, Satisfied, presence::place_level};
use crate::model::{Absence, Body, Change, Id, Key, Kind, Observed};
use crate::planner::{
    input::{Adopt, Held, HeldState, Origin, OtherClaims, Standing},
    messages,
    plan::{Cause, Step},
    problem::Problem,
};

impl<'a> Planner<'a> {
    pub(super) fn plan_items(&mut self) {
        for item in std::mem::take(&mut self.items) {
            let outcome = self.plan_item(&item);
            if let Body::Grant(grant) = item.body {
                let satisfied = outcome.as_ref().ok().copied();
                self.replacements
                    .entry(grant.subject.id.clone())
                    .and_modify(|so_far| *so_far = both(*so_far, satisfied))
                    .or_insert(satisfied);
            }
            if let Err(problem) = outcome {
                self.report(item.desired.name.clone(), problem);
            }
        }
    }

    fn plan_item(&mut self, item: &Item<'_>) -> Outcome {
        if let Some(problem) = self.refers_to_another_thing(item) {
            if let Some(entry) = self.entry_for(item) {
                self.entries[entry].fate = Fate::Retained;
            }
            if item.body.kind() == Kind::Restriction {
                let open = self.entries.iter_mut().filter(|entry| entry.fate == Fate::Open);
                open.for_each(|entry| entry.fate = Fate::Retained);
            }
            return Err(problem);
        }
        let slot = (item.body.kind(), item.key.clone());
        if let Some((fingerprint, outcome)) = self.outcomes.get(&slot) {
            let same = *fingerprint == item.fingerprint;
            return if same { outcome.clone() } else { Err(messages::requested_twice(item.body)) };
        }
        let outcome = self.plan_unique_item(item);
        self.outcomes.insert(slot, (item.fingerprint.clone(), outcome.clone()));
        outcome
    }

    /// Whether a name in the spec now refers to another account or resource than the managed one. Such a name never leads to a grant.
    fn refers_to_another_thing(&self, item: &Item<'_>) -> Option<Problem> {
        if let Body::Restriction(restriction) = item.body {
            let managed = self.other_resource(&item.key)?;
            return Some(messages::resource_changed(&restriction.resource, managed));
        }
        let (Body::Grant(grant), Some(name)) = (item.body, &item.desired.name) else { return None };
        let before = self.reassigned.get(name)?;
        let now = grant.subject.id.as_str();
        let is_managed = |held: &Held| held.name.as_ref() == Some(name) && held.subject() == Some(now);
        if self.entries.iter().any(|entry| is_managed(&entry.held)) {
            return None;
        }
        Some(messages::account_changed(item.body, name, now, before))
    }

    /// The resource that is managed, if it is another one than the spec refers to. The spec of a restriction is immutable, so the name
    /// got another meaning.
    fn other_resource(&self, key: &Key) -> Option<&str> {
        let given = self.entries[..self.given].iter().map(|entry| &entry.held);
        let mut managed = given.filter(|held| held.kind == Kind::Restriction && held.is_present());
        let first = managed.next()?;
        let same_too = first.key == *key || managed.any(|held| held.key == *key);
        if same_too { None } else { first.key.get("resource") }
    }

    fn plan_unique_item(&mut self, item: &Item<'_>) -> Outcome {
        let entry = self.entry_for(item);
        if let Some(entry) = entry {
            self.entries[entry].fate = Fate::Used;
        }
        let unread = entry.and_then(|entry| self.unread_managed(entry, item));
        match &item.desired.standing {
            Standing::Free | Standing::Shared(_) | Standing::NextOwner => {}
            // A managed thing that equals the spec is in sync, even if others desire something else.
            Standing::Blocked(_) | Standing::Waiting(_) if self.is_in_sync(entry, item) => {}
            // It can equal the spec.
            Standing::Blocked(_) | Standing::Waiting(_) if unread.is_some() => {}
            Standing::Blocked(manager) => return Err(messages::blocked(item.body, manager)),
            Standing::Waiting(other) => return Err(messages::waits_for(other)),
        }
        let Some(entry) = entry else { return self.plan_unmanaged(item) };
        self.update_name(entry, &item.desired.name);
        if let Some(problem) = unread {
            return Err(problem);
        }
        match &self.entries[entry].held.state {
            HeldState::Present { id, .. } => {
                let id = id.clone();
                self.plan_present(item, entry, &id)
            }
            HeldState::Pending { .. } | HeldState::Refused { .. } => self.plan_pending(item, entry),
        }
    }

    /// Records the spec's new name of a subject. If the old name now refers to another account, it stays as the only record of that.
    fn update_name(&mut self, entry: usize, name: &Option<String>) {
        let held = &mut self.entries[entry].held;
        if !held.name.as_ref().is_some_and(|old| self.reassigned.contains_key(old)) {
            held.name = name.clone();
        }
    }

    /// The entry for an item. An object manages one role, whatever its name is now; things of other kinds match by natural key.
    fn entry_for(&self, item: &Item<'_>) -> Option<usize> {
        let (kind, key) = (item.body.kind(), &item.key);
        let given = &self.entries[..self.given];
        let from = given.partition_point(|Entry { held, .. }| {
            held.kind < kind || kind != Kind::Role && held.kind == kind && held.key < *key
        });
        let fits = |held: &Held| held.kind == kind && (kind == Kind::Role || held.key == *key);
        (from..self.given)
            .take_while(|&entry| fits(&given[entry].held))
            .filter(|&entry| given[entry].fate != Fate::Used)
            .max_by_key(|&entry| given[entry].held.is_present())
    }

    /// The problem of a present entry whose thing is unread.
    fn unread_managed(&self, entry: usize, item: &Item<'_>) -> Option<Problem> {
        let id = self.entries[entry].held.id()?;
        match self.observed.by_id(item.body.kind(), id) {
            Some(_) => None,
            None => self.unread_entry(entry, place_level(item.body)),
        }
    }

    fn is_in_sync(&mut self, entry: Option<usize>, item: &Item<'_>) -> bool {
        let id = entry.and_then(|entry| self.entries[entry].held.id());
        let seen = id.and_then(|id| self.observed.by_id(item.body.kind(), id));
        seen.is_some_and(|seen| self.satisfies(seen, item, entry).is_ok_and(|satisfies| satisfies))
    }

    /// Whether an observed thing satisfies an item. If a list showed only a part of the thing, it still is as applied while its version
    /// mark is the recorded one; otherwise it must be read completely.
    fn satisfies(&mut self, seen: &Observed, item: &Item<'_>, entry: Option<usize>) -> Result<bool, Problem> {
        let held = entry.map(|entry| &self.entries[entry].held);
        let applied = held.filter(|held| held.fingerprint == item.fingerprint && held.id() == Some(&seen.id));
        if !seen.outline && seen.body.is_unreadable() {
            // The hidden part is taken to be as last applied. The mark knows that better than a status, which can be lost.
            let is_applied =
                seen.applied.as_ref().map_or(applied.is_some(), |mark| *mark == item.fingerprint);
            return Ok(is_applied && seen.body.readable_part_satisfies(item.body));
        }
        if !seen.outline {
            return Ok(seen.body.satisfies(item.body));
        }
        let unchanged =
            |held: &Held| held.revision().is_some() && held.revision() == seen.revision.as_deref();
        if applied.is_some_and(unchanged) { Ok(true) } else { Err(self.request_read(seen)) }
    }

    fn plan_present(&mut self, item: &Item<'_>, entry: usize, id: &Id) -> Outcome {
        if let Some(seen) = self.observed.by_id(item.body.kind(), id) {
            return self.converge(item, seen, entry);
        }
        if !self.is_absent(entry) {
            return Err(self.not_visible(entry));
        }
        match self.existing(item)? {
            Some(other) => self.adopt(item, other, Some(entry)),
            None => self.create(item, entry, Cause::Drift, false),
        }
    }

    fn plan_pending(&mut self, item: &Item<'_>, entry: usize) -> Outcome {
        let ours =
            |seen: &&Observed| !seen.body.is_unreadable() || seen.body.readable_part_satisfies(item.body);
        if let Some(seen) = self.recognized(entry)?.filter(ours) {
            let held = &mut self.entries[entry].held;
            held.set_present(seen.id.clone());
            if seen.body.is_unreadable() {
                // Recognized by name only, so the hidden part is set again.
                held.fingerprint = seen.body.fingerprint();
            }
            return self.converge(item, seen, entry);
        }
        if let Some(problem) = self.unread_entry(entry, place_level(item.body)) {
            return Err(problem);
        }
        // The same create is retried under the same key. A first create under another key, or with another body, must not be forgotten.
        // Nor is a create retried while that could make a second thing.
        let held = &self.entries[entry].held;
        let other = held.fingerprint != item.fingerprint
            || !self.policy.identity.capabilities().refuses_duplicates(held.kind);
        if held.key != item.key && !self.is_absent(entry) || held.is_unsettled() && other {
            return Err(self.not_visible(entry));
        }
        match self.existing(item)? {
            Some(seen) => self.adopt(item, seen, Some(entry)),
            None => self.create(item, entry, Cause::Spec, true),
        }
    }

    fn plan_unmanaged(&mut self, item: &Item<'_>) -> Outcome {
        if let Some(seen) = self.existing(item)? {
            return self.adopt(item, seen, None);
        }
        if let Some(problem) = self.cannot_create(item) {
            return Err(problem);
        }
        // A thing that no object managed is created without a proof of its absence: the back end refuses a duplicate. A thing that
        // another object managed until now can be hidden.
        if item.desired.standing == Standing::NextOwner
            && self.observed.absence(item.body.kind(), item.key.place().as_ref()) == Absence::Unproven
        {
            return Err(self.possibly_exists(item));
        }
        if let Standing::Shared(other) = &item.desired.standing {
            return Err(messages::waits_for_sharer(other));
        }
        let entry = self.add_entry(item, Origin::Created);
        self.create(item, entry, Cause::Spec, false)
    }

    /// The problem of a desired thing that the snapshot lacks and whose absence is not proven.
    fn possibly_exists(&self, item: &Item<'_>) -> Problem {
        let (kind, title) = (item.body.kind(), item.body.title());
        match self.observed.unread_rights() {
            Some(failure) => messages::unread(kind, &title, failure),
            None => messages::possibly_exists(kind, &title),
        }
    }

    /// Why a thing cannot be created: a call that would show it failed; the back end accepts duplicates, and the absence of the thing is not
    /// proven; or, where resources are closed by taking defaults away, the resource was not read yet, or does not exist.
    fn cannot_create(&mut self, item: &Item<'_>) -> Option<Problem> {
        let kind = item.body.kind();
        if let Some(problem) = self.unread_item(item) {
            return Some(problem);
        }
        if !self.policy.identity.capabilities().refuses_duplicates(kind)
            && self.observed.absence(kind, item.key.place().as_ref()) == Absence::Unproven
        {
            return Some(self.possibly_exists(item));
        }
        let Body::Restriction(restriction) = item.body else { return None };
        if !self.policy.identity.capabilities().closes_defaults() {
            return None;
        }
        let resource = &restriction.resource;
        if self.observed.absence(Kind::Restriction, Some(&resource.id)) == Absence::Proven {
            return Some(messages::resource_does_not_exist(resource));
        }
        let not_read = self.request_restriction(Kind::Restriction, &resource.id, &item.body.title());
        Some(not_read.unwrap_or_else(|| messages::no_permissions(resource)))
    }

    /// The existing thing that an item means: by an id that the spec sets, else by natural key, else by a derived id.
    fn existing(&self, item: &Item<'_>) -> Result<Option<&'a Observed>, Problem> {
        let kind = item.body.kind();
        if let Some(given) = item.desired.chosen.as_ref().filter(|chosen| chosen.given) {
            // Another thing with its natural key is not what the spec means.
            return match (self.observed.by_id(kind, &given.id), self.observed.by_key(kind, &item.key)) {
                (Some(seen), _) => Ok(Some(seen)),
                (None, Some(other)) => Err(messages::has_another_id(other, &given.id)),
                (None, None) => Ok(None),
            };
        }
        if self.observed.is_ambiguous(kind, &item.key) {
            return Err(messages::ambiguous(kind, &item.body.title()));
        }
        let derived =
            || item.desired.chosen.as_ref().and_then(|chosen| self.observed.by_id(kind, &chosen.id));
        Ok(self.observed.by_key(kind, &item.key).or_else(derived))
    }

    /// Starts managing an existing thing, if the policy or the standing permits it.
    fn adopt(&mut self, item: &Item<'_>, seen: &Observed, entry: Option<usize>) -> Outcome {
        if let Some(why) = &seen.read_only {
            return Err(messages::read_only(seen, why, ": choose another name"));
        }
        let identical = self.satisfies(seen, item, None)?;
        let origin = match (&item.desired.standing, self.policy.adopt) {
            // An open resource has no restriction to adopt.
            (Standing::Free | Standing::NextOwner, _) if seen.body.is_open() => Origin::Created,
            (Standing::Shared(_), _) if identical => Origin::Shared,
            (Standing::Shared(other), _) => return Err(messages::waits_for_sharer(other)),
            (Standing::NextOwner, _) | (Standing::Free, Adopt::Always) => Origin::Adopted,
            (Standing::Free, Adopt::IfIdentical) if identical => Origin::Adopted,
            (_, adopt) => return Err(messages::already_exists(seen, item.body, adopt)),
        };
        let entry = entry.unwrap_or_else(|| self.add_entry(item, origin));
        let Entry { held, adopted_now, .. } = &mut self.entries[entry];
        *adopted_now = true;
        if let Some(before) = held.id().filter(|before| **before != seen.id) {
            self.absent.insert((held.kind, before.clone()));
        }
        held.set_present(seen.id.clone());
        held.origin = origin;
        held.fingerprint = seen.body.fingerprint();
        held.key = seen.key.clone();
        if item.body.kind() == Kind::Restriction && self.policy.identity.capabilities().closes_defaults() {
            held.taken = Some(item.desired.inherited.clone().unwrap_or_default());
            if item.desired.inherited.is_some() {
                // The defaults that are open now were opened outside Rolewright, after the previous manager closed the resource.
                held.fingerprint = item.fingerprint.clone();
            }
        }
        // The claims were those on the thing that this entry was for before. The standing covers this one.
        held.other_claims = OtherClaims::None;
        self.converge(item, seen, entry)
    }

    /// Plans the update of the existing thing of an entry, if it does not satisfy the item.
    fn converge(&mut self, item: &Item<'_>, seen: &Observed, entry: usize) -> Outcome {
        let satisfies = self.satisfies(seen, item, Some(entry))?;
        let Entry { held, adopted_now, .. } = &mut self.entries[entry];
        if satisfies {
            self.remarks.extend(seen.remark.clone());
            self.unverified |= seen.body.is_unreadable();
            held.fingerprint = item.fingerprint.clone();
            held.key = item.key.clone();
            held.state = HeldState::Present { id: seen.id.clone(), revision: seen.revision.clone() };
            return Ok(Satisfied::Already);
        }
        if let Some(why) = &seen.read_only {
            return Err(messages::read_only(seen, why, ""));
        }
        if item.key != seen.key
            && item.body.kind() == Kind::Role
            && !self.policy.identity.capabilities().renames_roles()
        {
            return Err(messages::cannot_rename(seen, item.body));
        }
        let agreed = matches!(item.desired.standing, Standing::Shared(_) | Standing::NextOwner);
        if let OtherClaims::Shared(others) = &held.other_claims
            && !agreed
        {
            return Err(messages::shared(seen, others));
        }
        let cause = if held.fingerprint == item.fingerprint { Cause::Drift } else { Cause::Spec };
        if let (Some(taken), Body::Restriction(now), Cause::Spec) = (&mut held.taken, &seen.body, cause) {
            // Defaults that were opened after the closing are drift and are not restored later.
            taken.extend(now.open.clone());
        }
        let resumed = seen.body.kind() == Kind::Restriction && !*adopted_now;
        if item.key != seen.key && self.observed.by_key(item.body.kind(), &item.key).is_some() {
            return Err(messages::name_taken(item.body));
        }
        let change = Change::Update {
            id: seen.id.clone(),
            before: seen.body.clone(),
            after: seen.body.after_update(item.body),
        };
        let fingerprint = item.fingerprint.clone();
        let step = Step { change, fingerprint, cause, entry, after: None, resumed, releases: false };
        Ok(Satisfied::ByStep(self.add_step(step)))
    }

    fn create(&mut self, item: &Item<'_>, entry: usize, cause: Cause, resumed: bool) -> Outcome {
        if let Standing::Shared(other) = &item.desired.standing {
            return Err(messages::waits_for_sharer(other));
        }
        if let Some(problem) = self.cannot_create(item) {
            return Err(problem);
        }
        let held = &mut self.entries[entry].held;
        self.absent.extend(held.id().map(|id| (held.kind, id.clone())));
        let resumed = resumed && !held.is_refused();
        let chosen = item.desired.chosen.as_ref().map(|chosen| chosen.id.clone());
        held.state = HeldState::Pending { chosen: chosen.clone(), unsettled: held.is_unsettled() };
        held.origin = Origin::Created;
        held.fingerprint = item.fingerprint.clone();
        held.key = item.key.clone();
        let change = Change::Create { id: chosen, after: item.body.clone() };
        let fingerprint = item.fingerprint.clone();
        let step = Step { change, fingerprint, cause, entry, after: None, resumed, releases: false };
        Ok(Satisfied::ByStep(self.add_step(step)))
    }

    fn add_entry(&mut self, item: &Item<'_>, origin: Origin) -> usize {
        let held = Held {
            kind: item.body.kind(),
            key: item.key.clone(),
            name: item.desired.name.clone(),
            origin,
            fingerprint: item.fingerprint.clone(),
            state: HeldState::Pending { chosen: None, unsettled: false },
            taken: None,
            other_claims: OtherClaims::None,
        };
        self.entries.push(Entry::new(held, Fate::Used));
        self.entries.len() - 1
    }
}

/// When two items are both satisfied: after the later step. None if one of them is not.
fn both(a: Option<Satisfied>, b: Option<Satisfied>) -> Option<Satisfied> {
    match (a?, b?) {
        (Satisfied::ByStep(a), Satisfied::ByStep(b)) => Some(Satisfied::ByStep(a.max(b))),
        (Satisfied::ByStep(step), Satisfied::Already) | (Satisfied::Already, Satisfied::ByStep(step)) => {
            Some(Satisfied::ByStep(step))
        }
        (Satisfied::Already, Satisfied::Already) => Some(Satisfied::Already),
    }
}
