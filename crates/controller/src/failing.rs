//! What a failed call to the back end means for an object: what it says, and when it is tried again.

use std::time::Duration;

use super::{
    cache::Name,
    connections::Doubt,
    context::Stored,
    queue::{Item, Kind},
    resolve::Resolve,
    verdict::Verdict,
    work::{Stop, Work},
};
use rolewright_backends::{Class, Error};

impl<K: Resolve + Stored> Work<'_, K> {
    /// Says that the back end could not be read, and when it is tried again.
    pub(super) async fn failed_reading(&mut self, backend: &Name, error: &Error) -> Result<Stop, Stop> {
        let error = self.weigh(backend, error);
        // Whether the credential is good is about to be known: until then there is nothing to say.
        if !self.object.in_sync() && error.class != Class::Unauthenticated {
            self.report_unchanged(&Verdict::of_error(&error)).await?;
        }
        Ok(Stop::Wait(self.again(&error)))
    }

    /// What a failure means: a 401 has the credential tried, and where that has just succeeded, it is about this one call.
    pub(super) fn weigh(&self, backend: &Name, error: &Error) -> Error {
        if error.class != Class::Unauthenticated {
            return error.clone();
        }
        if self.ctx.connections.link(backend).is_none() {
            // The credential in memory has ended too, and there is none to try.
            self.ctx.connections.forget_last(backend);
            self.ctx.waker.wake_after(self.item.clone(), Duration::from_secs(1));
            return error.clone();
        }
        match self.ctx.connections.doubt(backend, self.ctx.options.probe_backoff.0) {
            Doubt::New => {
                self.ctx.waker.wake(Item { kind: Kind::Backend, name: backend.clone() });
                error.clone()
            }
            Doubt::Known => error.clone(),
            Doubt::Unfounded => Error::new(
                Class::Denied,
                format!("the back end accepts the credential, but not for this: {}", error.message),
            ),
        }
    }

    /// When to look again after a failure: what only the user can mend is tried slowly.
    pub(super) fn again(&self, error: &Error) -> Option<Duration> {
        let failures = &self.ctx.failures;
        match error.class {
            // The Backend wakes its objects when it is ready again.
            Class::Unauthenticated => None,
            Class::Throttled(time) => Some(time.max(Duration::from_secs(1))),
            Class::Lost | Class::Transient => {
                Some(failures.next(&self.item, Duration::from_secs(1), Duration::from_secs(300)))
            }
            Class::Invalid | Class::Denied | Class::Missing | Class::Conflict | Class::Unsupported => {
                Some(failures.next(&self.item, Duration::from_secs(60), Duration::from_secs(3600)))
            }
        }
    }
}
