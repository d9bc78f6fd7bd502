//! The requests that the simulated account received.

use std::time::Duration;

use rolewright_simulators::kit::log::Entry;
use tokio::time::Instant;

use super::{
    account::Account,
    world::{PATIENCE, World},
};

impl<V: Account> World<V> {
    /// The current end of the request log, for the `since` of the other functions.
    pub fn log_position(&self) -> u64 {
        self.sim.world().log.since(0).last
    }

    /// The requests since a position of the log.
    pub fn requests_since(&self, since: u64) -> Vec<Entry> {
        self.sim.world().log.since(since).requests
    }

    /// How many requests since a position have this method and path.
    pub fn count_requests(&self, since: u64, method: &str, path: &str) -> usize {
        let matches = |entry: &&Entry| entry.method == method && entry.path == path;
        self.requests_since(since).iter().filter(matches).count()
    }

    /// Method and path of the writes since a position of the log.
    pub fn writes_since(&self, since: u64) -> Vec<String> {
        let entries = self.requests_since(since).into_iter().filter(V::is_change);
        entries.map(|entry| format!("{} {}", entry.method, entry.path)).collect()
    }

    /// The account received no write since a position of the log.
    #[track_caller]
    pub fn assert_no_writes(&self, since: u64) {
        assert_eq!(self.writes_since(since), [""; 0], "writes to the account");
    }

    /// The same after a full sweep.
    pub async fn assert_no_writes_after_sweep(&self, since: u64) {
        self.full_sweep().await;
        self.assert_no_writes(since);
    }

    /// Waits until the requests since a position match, and returns them.
    pub async fn until_requests(
        &self,
        since: u64,
        what: &str,
        matches: impl Fn(&[Entry]) -> bool,
    ) -> Vec<Entry> {
        match self.sim.world().log.wait_until(since, PATIENCE, matches).await {
            Ok(entries) => entries,
            Err(entries) => {
                panic!("not requested: {what}; {} requests\n{}", entries.len(), self.operator.log_tail())
            }
        }
    }

    /// Waits until a full sweep began and ended after this call: every change that a sweep can trigger is made.
    pub async fn full_sweep(&self) {
        for _ in 0..2 {
            self.until_requests(self.log_position(), "a sweep", V::has_sweep).await;
        }
    }

    /// Waits until the account matches.
    pub async fn until_account(&self, what: &str, matches: impl Fn(&V::Tenant) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !matches(&self.sim.world().tenant()) {
            assert!(
                Instant::now() < deadline,
                "the account never matched: {what}\n{}",
                self.operator.log_tail()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
