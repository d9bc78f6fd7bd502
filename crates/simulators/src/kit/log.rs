//! The request log, in the order of arrival. It identifies credentials by name only.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::{sync::Notify, time::Instant};

/// The maximum number of entries. Older ones are removed and counted.
const CAPACITY: usize = 100_000;

/// The maximum bytes of a path and of a query.
const TEXT_LIMIT: usize = 2_048;

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The position in the log, from 1. It is never reused, also not after the log was cleared.
    pub seq: u64,
    /// The time of arrival.
    pub time: Timestamp,
    /// The HTTP method, in upper case.
    pub method: String,
    /// The path, percent-decoded.
    pub path: String,
    /// The query as sent, without `?`.
    pub query: String,
    /// The status that the server answered, or would have answered if the answer was lost. None while the request is
    /// processed, and for a request that was reset before the processing.
    pub status: Option<u16>,
    /// The name of the credential; none for an unknown secret or no secret.
    pub credential: Option<String>,
    /// The faults that hit this request.
    pub faults: Vec<String>,
    /// The duration of the processing in milliseconds; none while the request is processed.
    pub duration_ms: Option<u64>,
}

impl Entry {
    /// Whether the method can change something.
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

/// A part of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Excerpt {
    /// The sequence number of the newest request: the value for the next `since`.
    pub last: u64,
    /// How many entries were removed since the log was last cleared, because it was full.
    pub dropped: u64,
    /// The entries, oldest first.
    pub requests: Vec<Entry>,
}

/// The bounded log of one simulator.
#[derive(Default)]
pub struct RequestLog {
    entries: Mutex<Entries>,
    changed: Notify,
}

#[derive(Default)]
struct Entries {
    kept: VecDeque<Entry>,
    last: u64,
    dropped: u64,
}

impl RequestLog {
    /// Adds an entry for a request that has arrived.
    pub(super) fn open(&self, method: &str, path: &str, query: &str, credential: Option<String>) -> Ticket {
        let mut entries = self.entries();
        entries.last += 1;
        let seq = entries.last;
        entries.kept.push_back(Entry {
            seq,
            time: Timestamp::now(),
            method: method.to_owned(),
            path: bounded(path),
            query: bounded(query),
            status: None,
            credential,
            faults: Vec::new(),
            duration_ms: None,
        });
        if entries.kept.len() > CAPACITY {
            entries.kept.pop_front();
            entries.dropped += 1;
        }
        drop(entries);
        self.changed.notify_waiters();
        Ticket { seq, started: Instant::now() }
    }

    /// Records the faults that hit a request.
    pub(super) fn hit(&self, ticket: &Ticket, faults: Vec<String>) {
        self.update(ticket, |entry| entry.faults = faults);
    }

    /// Records the outcome of a request.
    pub(super) fn close(&self, ticket: &Ticket, status: Option<u16>) {
        let duration = u64::try_from(ticket.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.update(ticket, |entry| {
            entry.status = status;
            entry.duration_ms = Some(duration);
        });
    }

    /// The entries after sequence number `since`; 0 for all.
    pub fn since(&self, since: u64) -> Excerpt {
        let entries = self.entries();
        let first = entries.kept.partition_point(|entry| entry.seq <= since);
        Excerpt {
            last: entries.last,
            dropped: entries.dropped,
            requests: entries.kept.range(first..).cloned().collect(),
        }
    }

    /// Removes all entries; the sequence numbers continue.
    pub fn clear(&self) {
        let mut entries = self.entries();
        entries.kept.clear();
        entries.dropped = 0;
    }

    /// Waits until the entries after `since` satisfy `condition`, and returns them.
    ///
    /// # Errors
    /// The entries at the end of `within`, if they did not satisfy the condition before.
    pub async fn wait_until(
        &self,
        since: u64,
        within: Duration,
        condition: impl Fn(&[Entry]) -> bool,
    ) -> Result<Vec<Entry>, Vec<Entry>> {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Registered before the check, so that no change is lost between check and wait.
            changed.as_mut().enable();
            let requests = self.since(since).requests;
            if condition(&requests) {
                return Ok(requests);
            }
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return Err(requests);
            }
        }
    }

    fn update(&self, ticket: &Ticket, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.entries();
        if let Ok(index) = entries.kept.binary_search_by_key(&ticket.seq, |entry| entry.seq) {
            change(&mut entries.kept[index]);
        }
        drop(entries);
        self.changed.notify_waiters();
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Identifies the entry of a request while the request is processed.
pub(super) struct Ticket {
    seq: u64,
    started: Instant,
}

fn bounded(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_LIMIT)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, RequestLog};

    #[test]
    fn the_log_is_bounded_and_counts_removed_entries() {
        let log = RequestLog::default();
        for _ in 0..CAPACITY + 3 {
            log.open("GET", "/", "", None);
        }
        let excerpt = log.since(0);
        assert_eq!((excerpt.requests.len(), excerpt.dropped), (CAPACITY, 3));
        assert_eq!(excerpt.requests[0].seq, 4);
    }

    #[test]
    fn sequence_numbers_continue_after_clearing() {
        let log = RequestLog::default();
        let ticket = log.open("GET", "/a", "", None);
        log.clear();
        log.close(&ticket, Some(200));
        log.open("GET", "/b", "", None);
        let excerpt = log.since(1);
        assert_eq!((excerpt.last, excerpt.requests[0].path.as_str()), (2, "/b"));
    }

    #[test]
    fn a_long_query_is_cut_at_a_character_boundary() {
        let log = RequestLog::default();
        log.open("GET", "/", &"ü".repeat(5_000), None);
        assert!(log.since(0).requests[0].query.len() <= super::TEXT_LIMIT);
    }
}
