//! The server's cache of callers' permissions: changes of permissions take effect late (contract 3.6).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::caller::Caller;
use crate::grafana::rows::permissions::Permissions;
use tokio::time::Instant;

/// Permissions with the time when they were read, by credential and organization.
#[derive(Default)]
pub struct PermissionCache {
    entries: Mutex<HashMap<(String, i64), (Instant, Permissions)>>,
}

impl PermissionCache {
    /// The permissions that the server uses for a caller: the cached ones, unless they are older than
    /// `max_age_ms` or `reload` is set. 0 turns the cache off.
    pub fn permissions(&self, caller: &Caller, max_age_ms: u64, reload: bool) -> Permissions {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if max_age_ms == 0 {
            entries.clear();
            return caller.permissions.clone();
        }
        let max_age = Duration::from_millis(max_age_ms);
        let key = (caller.credential.clone(), caller.org);
        match entries.get(&key) {
            Some((read, permissions)) if !reload && read.elapsed() < max_age => permissions.clone(),
            _ => {
                entries.insert(key, (Instant::now(), caller.permissions.clone()));
                caller.permissions.clone()
            }
        }
    }
}
