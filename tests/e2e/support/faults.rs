//! Faults that a test injects into the simulated account.

use std::collections::BTreeMap;

use rolewright_simulators::kit::faults::{Action, Fault};
use serde_json::Value;

use super::{account::Account, world::World};

/// An answer with this status. The account does nothing.
pub fn http_status(status: u16) -> Action {
    answer(status, &[], None, false)
}

/// An HTML page in place of the answer. With `after_work` the account executes the request first.
pub fn html_page(status: u16, text: &str, after_work: bool) -> Action {
    let body = format!("<html>{text}</html>").into();
    answer(status, &[("content-type", "text/html")], Some(body), after_work)
}

/// An error that repeats `body`. The account does nothing.
pub fn echo(status: u16, body: Value) -> Action {
    answer(status, &[], Some(body), false)
}

/// A 429 with this `Retry-After` in seconds.
pub fn throttle(seconds: u64) -> Action {
    answer(429, &[("Retry-After", &seconds.to_string())], None, false)
}

fn answer(status: u16, headers: &[(&str, &str)], body: Option<Value>, after_work: bool) -> Action {
    let headers: BTreeMap<String, String> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Action::Status { status, headers, body, after_work }
}

impl<V: Account> World<V> {
    /// Injects a fault that hits every matching request.
    pub fn inject_fault(&self, methods: &[&str], path: &str, action: Action) {
        self.sim.world().faults.add(Fault::on(methods, path, action)).unwrap();
    }

    /// Injects a fault that hits the first `times` matching requests.
    pub fn inject_fault_times(&self, methods: &[&str], path: &str, action: Action, times: u64) {
        self.sim.world().faults.add(Fault::on(methods, path, action).times(times)).unwrap();
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.sim.world().faults.clear();
    }

    /// Waits until every fault with a limit has reached it.
    pub async fn faults_exhausted(&self) {
        self.until_account("all faults have hit", |_| {
            let faults = self.sim.world().faults.list();
            faults.iter().all(|entry| entry.fault.times.is_none_or(|times| entry.hits >= times))
        })
        .await;
    }
}
