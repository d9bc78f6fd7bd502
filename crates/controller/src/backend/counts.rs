//! What the status of a Backend shows of its objects and of the account.

use std::sync::Arc;

use rolewright_api::{BackendStatus, Counts};
use rolewright_reconcile::{
    account::{Link, Report, Unmanaged, unmanaged},
    decide::Resolve,
    object::ObjectName,
};

use super::waiting::Waiting;
use crate::{
    context::Context,
    kube::{Cached, Visitor},
};

/// The present report of a Backend. None before the first complete sweep: what no object manages is not known then. While the account is
/// read only in part, that stays as it was `written`.
pub fn report(ctx: &Context, backend: &ObjectName, link: &Link, written: Option<&Report>) -> Option<Report> {
    let stretched = ctx.backends.stretched(backend)?;
    let mut count = Count::default();
    ctx.caches.each_of(backend, &mut count);
    let is_partial = ctx.backends.sweep_failure(backend).is_some();
    let Unmanaged { counts, names } = match written.filter(|_| is_partial) {
        Some(written) => {
            Unmanaged { counts: written.counts.unmanaged.clone(), names: written.unmanaged.clone() }
        }
        None => unmanaged(&link.view),
    };
    Some(Report {
        counts: Counts { unmanaged: counts, ..count.counts },
        unmanaged: names,
        waiting: count.waiting.summary(backend),
        stretched,
    })
}

/// The report in a status.
pub fn written_report(status: &BackendStatus) -> Option<Report> {
    let BackendStatus { counts, unmanaged, sweep_interval, waiting, .. } = status;
    counts.clone().map(|counts| Report {
        counts,
        unmanaged: unmanaged.clone(),
        stretched: sweep_interval.clone(),
        waiting: waiting.clone(),
    })
}

#[derive(Default)]
struct Count {
    counts: Counts,
    waiting: Waiting,
}

impl Visitor for Count {
    fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
        self.waiting.add(&*object);
        self.counts.objects += 1;
        self.counts.ready += i64::from(object.is_in_sync());
        for held in object.held() {
            *self.counts.held.entry(held.kind.clone()).or_default() += 1;
        }
    }
}
