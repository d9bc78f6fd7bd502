//! One writer a group in this process. A group's roles can only be written as a whole (contract 2.2): of two bindings that add their role
//! at one time, each having read the same set, the later one would take the other's away.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use tokio::sync::{Mutex, OwnedMutexGuard};

type Key = (String, String);

/// By address and group: several Backends, with a credential each, may lead to one HQ.
static TURNS: LazyLock<parking_lot::Mutex<HashMap<Key, Arc<Mutex<()>>>>> = LazyLock::new(Default::default);

/// The turns to write to groups.
pub struct Turns;

impl Turns {
    /// Waits for the turn to write to a group; it ends with what is given.
    pub async fn of(address: &str, group: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = TURNS.lock();
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry((address.to_owned(), group.to_owned())).or_default().clone()
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_writes_to_a_group_at_a_time_and_nobody_waits_for_another_group() {
        let first = Turns::of("https://a", "devs").await;
        assert!(Turns::of("https://a", "ops").now_or_never().is_some());
        assert!(Turns::of("https://b", "devs").now_or_never().is_some());
        assert!(Turns::of("https://a", "devs").now_or_never().is_none());
        drop(first);
        assert!(Turns::of("https://a", "devs").now_or_never().is_some());
    }
}
