//! What a sweep reads and counts beside the comparison of objects.

use std::{
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

use rolewright_backends::Needs;
use rolewright_core::model::{Id, Kind, Observed};

use super::view::AccountView;

/// The shortest time between two sweeps of this many calls: a sweep uses at most half of the account's budget. The present rate would
/// change the interval in the status again and again.
pub fn min_interval(calls: u64, view: &AccountView) -> Duration {
    let per_second = f64::from(view.account.budget.limits().initial_per_second);
    #[allow(clippy::cast_precision_loss)]
    Duration::from_secs_f64(calls as f64 / (per_second / 2.0))
}

/// The time between two sweeps as the status shows it, where it is longer than requested: rounded up to half minutes, so that one call
/// more or less changes nothing.
pub fn stretched_interval(requested: Duration, min: Duration) -> Option<String> {
    const UNIT: u64 = 30;
    let seconds = min.as_secs_f64().ceil().max(1.0) as u64;
    let rounded = seconds.div_ceil(UNIT) * UNIT;
    (min > requested).then(|| match (rounded / 60, rounded % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    })
}

/// Reads one managed thing whole that lists show only in outline; the next sweep reads the next one. So a change that does not move
/// the thing's mark is found in the end. Nothing depends on this one call: a failure is ignored.
pub async fn read_next_outline(view: &AccountView) {
    let Some((kind, id)) = next_outline(view) else { return };
    if let Ok(Some(seen)) = view.backend.read(kind, &id).await {
        view.put(seen);
    }
}

fn next_outline(view: &AccountView) -> Option<(Kind, Id)> {
    let mut last = view.reader.last_read_whole.lock();
    // The order of locks is the snapshot before the claims, as in every comparison.
    let next = view.with_snapshot(&Needs::default(), |snapshot| {
        let claims = view.account.claims.lock();
        let kinds = view.backend.dialect().capabilities().kinds();
        let mut managed: Vec<(Kind, &Id)> = kinds
            .flat_map(|kind| snapshot.all(kind))
            .filter(|seen| seen.outline)
            .map(|seen| (seen.body.kind(), &seen.id))
            .filter(|(kind, id)| claims.is_managed(*kind, id))
            .collect();
        managed.sort();
        let later = managed.iter().find(|thing| last.as_ref().is_none_or(|(kind, id)| **thing > (*kind, id)));
        later.or(managed.first()).map(|(kind, id)| (*kind, (*id).clone()))
    });
    *last = next.flatten();
    last.clone()
}

/// External things that no object manages. Things that belong to the vendor are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unmanaged {
    /// How many there are, by kind.
    pub counts: BTreeMap<String, i64>,
    /// The first of them in the order of their titles, and how many more there are, by kind.
    pub names: BTreeMap<String, Vec<String>>,
}

/// The external things of an account that no object manages.
pub fn unmanaged(view: &AccountView) -> Unmanaged {
    let found = view.with_snapshot(&Needs::default(), |snapshot| {
        let claims = view.account.claims.lock();
        let mut found = Unmanaged::default();
        for kind in view.backend.dialect().capabilities().kinds() {
            let is_unmanaged = |seen: &&Observed| {
                seen.read_only.is_none() && !seen.body.is_open() && !claims.is_managed(kind, &seen.id)
            };
            let (count, names) = named(snapshot.all(kind).filter(is_unmanaged).map(|seen| seen.body.title()));
            if count > 0 {
                found.counts.insert(kind.to_string(), i64::try_from(count).unwrap_or(i64::MAX));
                found.names.insert(kind.to_string(), names);
            }
        }
        found
    });
    found.unwrap_or_default()
}

/// The number of titles, and the first ones in their order with the number of the others.
pub fn named(titles: impl Iterator<Item = String>) -> (usize, Vec<String>) {
    const SHOWN: usize = 10;
    const MAX_BYTES: usize = 256;
    let (mut count, mut first) = (0, BinaryHeap::new());
    for title in titles {
        count += 1;
        first.push(title);
        if first.len() > SHOWN {
            first.pop();
        }
    }
    let mut names = first.into_sorted_vec();
    names.iter_mut().for_each(|name| name.truncate(name.floor_char_boundary(MAX_BYTES)));
    if count > SHOWN {
        names.push(format!("and {} more", count - SHOWN));
    }
    (count, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unmanaged_things_are_named_up_to_a_limit() {
        let titles = |count: usize| (0..count).rev().map(|number| format!("role-{number:02}"));
        assert_eq!(named(titles(0)), (0, Vec::new()));
        assert_eq!(named(titles(2)), (2, vec!["role-00".to_owned(), "role-01".to_owned()]));
        let (count, names) = named(titles(22));
        assert_eq!(
            (count, names.len(), names[9].as_str(), names[10].as_str()),
            (22, 11, "role-09", "and 12 more")
        );
        let (_, long) = named(std::iter::once("ä".repeat(300)));
        assert_eq!(long[0].len(), 256);
    }

    #[test]
    fn a_stretched_interval_is_rounded_up() {
        let seconds = Duration::from_secs;
        for (requested, min, shown) in [
            (300, 299, None),
            (300, 300, None),
            (300, 301, Some("5m30s")),
            (300, 360, Some("6m")),
            (1, 2, Some("30s")),
            (300, 7201, Some("120m30s")),
        ] {
            let stretched = stretched_interval(seconds(requested), seconds(min));
            assert_eq!(stretched.as_deref(), shown, "{requested} {min}");
        }
    }
}
