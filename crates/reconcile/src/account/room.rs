//! How many removals the guards allow in an account at present.

use jiff::Timestamp;
use rolewright_api::Guards;
use rolewright_backends::Needs;
use rolewright_core::model::{Body, Id, Kind};

use super::{ledger::Reserved, view::AccountView};
use crate::object::ObjectName;

impl AccountView {
    /// How many of `wanted` removals these guards allow now, or more.
    pub fn room(&self, guards: &Guards, wanted: usize, now: Timestamp) -> usize {
        let used = self.account.ledger.lock().used(guards.window(), now);
        self.limit(guards, used, wanted).saturating_sub(used)
    }

    /// Counts removals of objects of a Backend before they are made. None: these guards do not allow so many now.
    pub fn reserve(
        &self,
        guards: &Guards,
        backend: &ObjectName,
        count: usize,
        now: Timestamp,
    ) -> Option<Reserved> {
        let used = self.account.ledger.lock().used(guards.window(), now);
        let limit = self.limit(guards, used, count);
        let mut ledger = self.account.ledger.lock();
        let used = ledger.used(guards.window(), now);
        (used + count <= limit).then(|| ledger.reserve(backend, count, guards.window(), now))
    }

    /// The limit of the window. The size of the account is counted only if the percentage of it matters. What was removed belongs to it:
    /// the limit does not shrink while removals are made.
    fn limit(&self, guards: &Guards, used: usize, wanted: usize) -> usize {
        let least = guards.limit(0);
        if used + wanted <= least { least } else { guards.limit(self.managed() + used) }
    }

    /// How many things objects manage in the account; each member of a group counts.
    fn managed(&self) -> usize {
        let managed = self.with_snapshot(&Needs::default(), |snapshot| {
            let claims = self.account.claims.lock();
            let size = |(kind, id): &(Kind, Id)| match kind {
                Kind::Group => snapshot.by_id(*kind, id).map_or(1, |seen| members(&seen.body)),
                Kind::Role | Kind::Grant | Kind::Restriction => 1,
            };
            claims.managed().map(size).sum()
        });
        managed.unwrap_or(0)
    }
}

fn members(body: &Body) -> usize {
    match body {
        Body::Group(group) => group.members.as_ref().map_or(1, |members| members.len().max(1)),
        _ => 1,
    }
}
