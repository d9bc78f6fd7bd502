//! The request log: what clients asked, in the order in which it arrived. Knows credentials by name only.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// Entries kept; older ones are dropped and counted.
const CAPACITY: usize = 100_000;

/// Bytes kept of a path and of a query.
const TEXT_LIMIT: usize = 2_048;

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Position in the log, from 1; never reused, not even after the log was cleared.
    pub seq: u64,
    /// When the request arrived.
    pub time: Timestamp,
    /// Upper-case method.
    pub method: String,
    /// The path, percent-decoded.
    pub path: String,
    /// The query as sent, without `?`.
    pub query: String,
    /// What the server answered, or would have answered had the answer not been lost. None while the work
    /// is under way, and for a request that was reset before the work.
    pub status: Option<u16>,
    /// The name of the credential; none if the request carried none that is known.
    pub credential: Option<String>,
    /// The faults that hit this request.
    pub faults: Vec<String>,
    /// How long the work took, in milliseconds; none while it is under way.
    pub duration_ms: Option<u64>,
}

impl Entry {
    /// Whether the method may change something.
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

/// A part of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Excerpt {
    /// The sequence number of the newest request: the next `since`.
    pub last: u64,
    /// Entries that fell out of the log since it was cleared.
    pub dropped: u64,
    /// The entries, oldest first.
    pub requests: Vec<Entry>,
}

/// The bounded log of one simulator.
#[derive(Default)]
pub struct RequestLog {
    book: Mutex<Book>,
    changed: Notify,
}

#[derive(Default)]
struct Book {
    entries: VecDeque<Entry>,
    last: u64,
    dropped: u64,
}

impl RequestLog {
    /// Notes a request that has arrived.
    pub(super) fn open(&self, method: &str, path: &str, query: &str, credential: Option<String>) -> Ticket {
        let mut book = self.book();
        book.last += 1;
        let seq = book.last;
        book.entries.push_back(Entry {
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
        if book.entries.len() > CAPACITY {
            book.entries.pop_front();
            book.dropped += 1;
        }
        drop(book);
        self.changed.notify_waiters();
        Ticket { seq, started: Instant::now() }
    }

    /// Notes the faults that hit a request.
    pub(super) fn hit(&self, ticket: &Ticket, faults: Vec<String>) {
        self.update(ticket, |entry| entry.faults = faults);
    }

    /// Notes the outcome of a request.
    pub(super) fn close(&self, ticket: &Ticket, status: Option<u16>) {
        let duration = u64::try_from(ticket.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.update(ticket, |entry| {
            entry.status = status;
            entry.duration_ms = Some(duration);
        });
    }

    /// The entries after sequence number `since`; 0 for all.
    pub fn since(&self, since: u64) -> Excerpt {
        let book = self.book();
        let first = book.entries.partition_point(|entry| entry.seq <= since);
        Excerpt {
            last: book.last,
            dropped: book.dropped,
            requests: book.entries.range(first..).cloned().collect(),
        }
    }

    /// Forgets all entries; the sequence goes on.
    pub fn clear(&self) {
        let mut book = self.book();
        book.entries.clear();
        book.dropped = 0;
    }

    /// Waits until the entries after `since` satisfy `condition`, and returns them.
    ///
    /// # Errors
    /// The entries as they are when `within` has passed.
    pub async fn wait_until(
        &self,
        since: u64,
        within: Duration,
        condition: impl Fn(&[Entry]) -> bool,
    ) -> Result<Vec<Entry>, Vec<Entry>> {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Registered before the look, so that no change falls between look and wait.
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
        let mut book = self.book();
        if let Ok(index) = book.entries.binary_search_by_key(&ticket.seq, |entry| entry.seq) {
            change(&mut book.entries[index]);
        }
        drop(book);
        self.changed.notify_waiters();
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a request in the log, held while its work is under way.
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
    fn the_log_is_bounded_and_counts_what_it_dropped() {
        let log = RequestLog::default();
        for _ in 0..CAPACITY + 3 {
            log.open("GET", "/", "", None);
        }
        let excerpt = log.since(0);
        assert_eq!((excerpt.requests.len(), excerpt.dropped), (CAPACITY, 3));
        assert_eq!(excerpt.requests[0].seq, 4);
    }

    #[test]
    fn clearing_keeps_the_sequence_so_that_since_stays_valid() {
        let log = RequestLog::default();
        let ticket = log.open("GET", "/a", "", None);
        log.clear();
        log.close(&ticket, Some(200));
        log.open("GET", "/b", "", None);
        let excerpt = log.since(1);
        assert_eq!((excerpt.last, excerpt.requests[0].path.as_str()), (2, "/b"));
    }

    #[test]
    fn a_long_query_is_cut_on_a_character_boundary() {
        let log = RequestLog::default();
        log.open("GET", "/", &"ü".repeat(5_000), None);
        assert!(log.since(0).requests[0].query.len() <= super::TEXT_LIMIT);
    }
}
