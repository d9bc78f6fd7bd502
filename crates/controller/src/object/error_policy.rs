//! What a failed call to the back end means for an object: its status, and the time of the next try.

use std::{ops::ControlFlow::Continue, time::Duration};

use rolewright_backends::{Class, Error};
use rolewright_reconcile::{
    account::CredentialDoubt, decide::Resolve, object::ObjectRef, readiness::Readiness,
};

use super::{Next, Reconcile, Stage, end, written};
use crate::kube::Cached;

impl<K: Resolve + Cached> Reconcile<'_, K> {
    /// The back end could not be read: reports that and ends the chain.
    pub(super) async fn read_failed<T>(&mut self, error: &Error) -> Stage<T> {
        let error = self.report_failed_read(error).await?;
        end(self.retry_after(&error))
    }

    /// Reports that the back end could not be read. Returns what the failure means.
    pub(super) async fn report_failed_read(&mut self, error: &Error) -> Stage<Error> {
        let error = self.classify(error);
        // A doubted credential is about to be probed: until then there is nothing to report.
        if !self.object.is_in_sync() && error.class != Class::Unauthenticated {
            written(self.report_unchanged(&Readiness::of_error(&error)).await)?;
        }
        Continue(error)
    }

    /// The meaning of a failure: a 401 makes the Backend probe its credential; where a probe has just succeeded, it concerns this one
    /// call.
    pub(super) fn classify(&self, error: &Error) -> Error {
        if error.class != Class::Unauthenticated {
            return error.clone();
        }
        let backends = &self.ctx.backends;
        if backends.link(&self.backend).is_none() {
            // The credential in memory has ended too, and there is none to probe.
            backends.forget_last_link(&self.backend);
            self.ctx.queue.add_after(self.reference.clone(), Duration::from_secs(1));
            return error.clone();
        }
        match backends.doubt(&self.backend, self.ctx.options.probe_backoff.0) {
            CredentialDoubt::New => {
                self.ctx.queue.add(ObjectRef::backend(&self.backend));
                error.clone()
            }
            CredentialDoubt::Known => error.clone(),
            CredentialDoubt::Unfounded => Error::new(
                Class::Denied,
                format!("the back end accepts the credential, but not for this: {}", error.message),
            ),
        }
    }

    /// When to try again after a failure. Failures that only the user can fix are tried slowly.
    pub(super) fn retry_after(&self, error: &Error) -> Next {
        let back_off = |first: u64, max: u64| {
            let (first, max) = (Duration::from_secs(first), Duration::from_secs(max));
            Next::After(self.ctx.back_off.next(&self.reference, first, max))
        };
        match error.class {
            // The Backend enqueues its objects when it is ready again.
            Class::Unauthenticated => Next::AwaitChange,
            Class::Throttled(time) => Next::After(time.max(Duration::from_secs(1))),
            Class::Lost | Class::Transient => back_off(1, 300),
            Class::Invalid | Class::Denied | Class::Missing | Class::Conflict | Class::Unsupported => {
                back_off(60, 3600)
            }
        }
    }
}
