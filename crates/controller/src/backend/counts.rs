//! What the status of a Backend shows of its objects and of the account.

use std::sync::Arc;

use rolewright_api::{BackendStatus, Counts};
use rolewright_reconcile::{
    account::{Link, Report, unmanaged},
    decide::Resolve,
    object::ObjectName,
};

use crate::{
    context::Context,
    kube::{Cached, Visitor},
};

/// The present report of a Backend. None before the first complete sweep: what nobody manages is not known then.
pub fn report(ctx: &Context, backend: &ObjectName, link: &Link) -> Option<Report> {
    let stretched = ctx.backends.stretched(backend)?;
    let mut count = Count(Counts::default());
    ctx.caches.each_of(backend, &mut count);
    let unmanaged = unmanaged(&link.view);
    let counts = Counts { unmanaged: unmanaged.counts, ..count.0 };
    Some(Report { counts, unmanaged: unmanaged.names, stretched })
}

/// The report in a status.
pub fn written_report(status: &BackendStatus) -> Option<Report> {
    let BackendStatus { counts, unmanaged, sweep_interval, .. } = status;
    counts.clone().map(|counts| Report {
        counts,
        unmanaged: unmanaged.clone(),
        stretched: sweep_interval.clone(),
    })
}

struct Count(Counts);

impl Visitor for Count {
    fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
        self.0.objects += 1;
        self.0.ready += i64::from(object.is_in_sync());
        for held in object.held() {
            *self.0.held.entry(held.kind.clone()).or_default() += 1;
        }
    }
}
