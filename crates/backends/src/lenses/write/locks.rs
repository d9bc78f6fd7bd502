//! One writer per group in this process. The roles of a group can only be written as a whole (contract 2.2). Without the lock, two RoleBindings
//! that add a role at the same time would read the same set, and the second would delete the role of the first.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

type Key = (String, String);

/// By address and group: several Backends with their own credentials can use one HQ.
static LOCKS: LazyLock<parking_lot::Mutex<HashMap<Key, Arc<Mutex<()>>>>> = LazyLock::new(Default::default);

/// Waits for the lock of a group. It is released when the result is dropped.
pub async fn lock(address: &str, group: &str) -> OwnedMutexGuard<()> {
    let lock = {
        let mut locks = LOCKS.lock();
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        locks.entry((address.to_owned(), group.to_owned())).or_default().clone()
    };
    lock.lock_owned().await
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_group_of_one_hq_has_one_writer() {
        let first = lock("https://a", "devs").await;
        assert!(lock("https://a", "ops").now_or_never().is_some());
        assert!(lock("https://b", "devs").now_or_never().is_some());
        assert!(lock("https://a", "devs").now_or_never().is_none());
        drop(first);
        assert!(lock("https://a", "devs").now_or_never().is_some());
    }
}
