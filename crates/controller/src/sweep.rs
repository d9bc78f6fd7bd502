//! The sweep: one task a session reads everything anew, compares every object in memory, and wakes only those that differ.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use kube::ResourceExt;

use super::{
    assess,
    cache::Name,
    connections::{Doubt, Link, Swept},
    context::{Context, Stored, Visitor},
    queue::{Item, Kind},
    resolve::Resolve,
    tenants::Session,
    verdict,
};
use rolewright_api::{Counts, HeldState, annotations};
use rolewright_backends::{Class, Error, Needs, metered};
use rolewright_core::model::{self, Absence, Id, Kind as Thing};

/// Starts the task of a session, once. It ends when the last Backend lets go of the session.
pub fn start(ctx: &Arc<Context>, session: &Arc<Session>) {
    if session.bell.is_first() {
        tokio::spawn(run(ctx.clone(), Arc::downgrade(session)));
    }
}

async fn run(ctx: Arc<Context>, session: Weak<Session>) {
    let mut failures = 0_u32;
    let mut first = true;
    loop {
        let wait = {
            let Some(session) = session.upgrade() else { return };
            let links = ctx.connections.of_session(&session);
            let Some(interval) = links.iter().map(|(_, link)| link.interval).min() else {
                // The Backend may be only between two probes; its session ends when it is made anew.
                match session.bell.rings(Duration::from_secs(1)).await {
                    _ if Arc::strong_count(&session) == 1 => return,
                    () => continue,
                }
            };
            let started = Instant::now();
            // The first one may come right after an object had the whole read.
            let at_most = if first { interval } else { Duration::ZERO };
            first = false;
            let _asked = session.bell.answer();
            let done = sweep(&ctx, &session, &links, at_most).await;
            ctx.metrics.sweep(started.elapsed(), done.is_ok());
            match done {
                Ok(calls) => {
                    failures = 0;
                    // From the beginning of one to the beginning of the next. A back end that is slow is left alone in between, too.
                    let period = interval.max(least_interval(calls, &session));
                    period.saturating_sub(started.elapsed()).max(interval / 10)
                }
                Err(()) => {
                    failures += 1;
                    interval
                        .min(Duration::from_secs(5))
                        .saturating_mul(2_u32.saturating_pow(failures.min(10)))
                        .min(interval.max(Duration::from_secs(300)))
                }
            }
        };
        let Some(session) = session.upgrade() else { return };
        let jitter = wait.mul_f64(fastrand::f64() * 0.05);
        session.bell.rings(wait + jitter).await;
    }
}

/// A sweep uses at most half of what the tenant's calls may use up.
fn least_interval(calls: u64, session: &Session) -> Duration {
    let per_second = f64::from(session.tenant.budget.limits().per_second);
    #[allow(clippy::cast_precision_loss)]
    Duration::from_secs_f64(calls as f64 / (per_second / 2.0))
}

/// How often a Backend is swept, where that is less often than it wishes: rounded, so that a call more or less is no news.
fn told(wished: Duration, least: Duration) -> Option<String> {
    const UNIT: u64 = 30;
    let seconds = least.as_secs_f64().ceil().max(1.0) as u64;
    let rounded = seconds.div_ceil(UNIT) * UNIT;
    (least > wished).then(|| match (rounded / 60, rounded % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, 0) => format!("{minutes}m"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    })
}

/// Everything that the objects of a session refer to: read in one go, so that one object after another does not widen the view.
pub fn needs(ctx: &Context, session: &Arc<Session>) -> Needs {
    let mut needs = Needs::default();
    for (backend, link) in ctx.connections.of_session(session) {
        ctx.caches.each_of(&backend, &mut CollectNeeds { needs: &mut needs, link: &link });
    }
    needs
}

/// Makes a new view ready to be acted on: is it to be believed, and who claims what? All claims come before any act, so that the older
/// object comes first, not the faster one.
pub fn prepare(ctx: &Context, session: &Arc<Session>) {
    struct Claim<'a>(&'a Context, &'a Link);
    impl Visitor for Claim<'_> {
        fn visit<K: Resolve + Stored>(&mut self, object: Arc<K>) {
            let touched = assess::assess(self.0, &*object, self.1).map(|found| found.touched);
            touched.into_iter().flatten().for_each(|item| self.0.waker.wake(item));
        }
    }
    let links = ctx.connections.of_session(session);
    check_view(ctx, session, &links);
    for (backend, link) in &links {
        ctx.caches.each_of(backend, &mut Claim(ctx, link));
    }
}

/// One sweep. Gives the number of calls that it took.
async fn sweep(
    ctx: &Arc<Context>,
    session: &Arc<Session>,
    links: &[(Name, Link)],
    at_most: Duration,
) -> Result<u64, ()> {
    let reading = async {
        session.read_if_older(&needs(ctx, session), at_most).await?;
        read_next_whole(session).await;
        Ok::<_, Error>(())
    };
    let (read, calls) = metered(session.haste.clone(), reading).await;
    if let Err(error) = read {
        tracing::warn!(
            tenant = session.tenant.id,
            error = error.message,
            class = error.class.as_str(),
            "a sweep could not read the back end"
        );
        for (backend, _) in links {
            let refused = error.class == Class::Unauthenticated;
            let trusted = if refused { ctx.options.probe_backoff.0 } else { Duration::ZERO };
            let doubt = ctx.connections.doubt(backend, trusted);
            if doubt == Doubt::New || !refused {
                ctx.waker.wake(Item { kind: Kind::Backend, name: backend.clone() });
            }
        }
        return Err(());
    }
    check_view(ctx, session, links);
    for (backend, link) in links {
        let mut compare = Compare { ctx, link, counts: Counts::default() };
        ctx.caches.each_of(backend, &mut compare);
        let mut counts = compare.counts;
        counts.unmanaged = unmanaged(session);
        let swept = Swept { counts, stretched: told(link.interval, least_interval(calls, session)) };
        ctx.connections.set_swept(backend, swept.clone());
        let known = ctx.caches.backends.get(backend).and_then(|backend| backend.status.clone());
        let known = known.unwrap_or_default();
        if known.counts != Some(swept.counts) || known.sweep_interval != swept.stretched {
            ctx.waker.wake(Item { kind: Kind::Backend, name: backend.clone() });
        }
    }
    Ok(calls)
}

/// Reads one held thing whole that the lists show in outline only, in turn: what somebody changed without moving its mark is found in
/// the end. Nothing hangs on this one call, so it may fail.
async fn read_next_whole(session: &Session) {
    let Some((kind, id)) = next_outline(session) else { return };
    if let Ok(Some(seen)) = session.backend.read(kind, &id).await {
        session.put(seen);
    }
}

fn next_outline(session: &Session) -> Option<(Thing, Id)> {
    let mut turn = session.bell.turn.lock();
    // The view before the claims, as every comparison takes them.
    let next = session.look(&Needs::default(), |snapshot| {
        let claims = session.tenant.claims.lock();
        let kinds = session.backend.dialect().capabilities().kinds;
        let mut held: Vec<(Thing, &Id)> = kinds
            .iter()
            .flat_map(|kind| snapshot.all(*kind))
            .filter(|seen| seen.outline)
            .map(|seen| (seen.body.kind(), &seen.id))
            .filter(|(kind, id)| claims.is_managed(*kind, id))
            .collect();
        held.sort();
        let later = held.iter().find(|thing| turn.as_ref().is_none_or(|(kind, id)| **thing > (*kind, id)));
        later.or(held.first()).map(|(kind, id)| (*kind, (*id).clone()))
    });
    *turn = next.flatten();
    turn.clone()
}

struct CollectNeeds<'a> {
    needs: &'a mut Needs,
    link: &'a Link,
}

impl Visitor for CollectNeeds<'_> {
    fn visit<K: Resolve + Stored>(&mut self, object: Arc<K>) {
        let needs = assess::needs(&*object, self.link);
        self.needs.kinds.extend(needs.kinds);
        self.needs.levels.extend(needs.levels);
        let dialect = self.link.session.backend.dialect();
        let held = object.held().iter().filter_map(super::managed::to_engine);
        self.needs.held.extend(held.filter_map(|held| dialect.asked_for(held.kind, &held.key, held.id())));
    }
}

/// When many held things vanish at once, the view is suspect, and nothing is written until they are back or a person has looked.
fn check_view(ctx: &Context, session: &Session, links: &[(Name, Link)]) {
    const AT_LEAST: usize = 5;
    let mut count = CountVanished { session, held: 0, vanished: 0 };
    links.iter().for_each(|(backend, _)| ctx.caches.each_of(backend, &mut count));
    let many = count.vanished >= AT_LEAST && count.vanished * 4 >= count.held;
    // A person's word holds until what vanished is made again: with a small budget that takes many sweeps.
    let vouched = session.bell.is_vouched_for(many);
    let why = (many && !vouched).then(|| {
        let (namespace, backend) =
            links.first().map_or(("NAMESPACE", "NAME"), |(name, _)| (&*name.namespace, &*name.name));
        format!(
            "{} of {} held things vanished from the back end at once, so nothing is written to it until they are seen again. If they really \
             were removed, say so: kubectl annotate --overwrite -n {namespace} backend {backend} {}=\"$(date)\"",
            count.vanished, count.held, annotations::RECONCILE_AT
        )
    });
    if session.set_suspect(why) {
        for (backend, _) in links {
            ctx.waker.wake(Item { kind: Kind::Backend, name: backend.clone() });
        }
    }
}

struct CountVanished<'a> {
    session: &'a Session,
    held: usize,
    vanished: usize,
}

impl Visitor for CountVanished<'_> {
    fn visit<K: Resolve + Stored>(&mut self, object: Arc<K>) {
        let looked = self.session.look(&Needs::default(), |snapshot| {
            let present = object.held().iter().filter(|held| held.state == HeldState::Present);
            for held in rolewright_core::planner::rekey(
                present.filter_map(super::managed::to_engine).collect(),
                snapshot,
            ) {
                let Some(id) = held.id() else { continue };
                self.held += 1;
                let place = held.key.place();
                let gone = snapshot.by_id(held.kind, id).is_none()
                    && snapshot.absence(held.kind, place.as_ref()) == Absence::Proven;
                self.vanished += usize::from(gone);
            }
        });
        debug_assert!(looked.is_some(), "a sweep looks only at a view that it has just taken");
    }
}

/// Wakes an object whose status would change, or that has something to do.
struct Compare<'a> {
    ctx: &'a Arc<Context>,
    link: &'a Link,
    counts: Counts,
}

impl Visitor for Compare<'_> {
    fn visit<K: Resolve + Stored>(&mut self, object: Arc<K>) {
        self.counts.objects += 1;
        self.counts.ready += i64::from(object.in_sync());
        for held in object.held() {
            *self.counts.held.entry(held.kind.clone()).or_default() += 1;
        }
        if self.differs(&*object) {
            self.ctx.waker.wake(object.item());
        }
    }
}

impl Compare<'_> {
    /// Whether a look at the object would change its status or the back end. A plan that is shown already was withheld, or has failed and
    /// has its own time for the next try.
    fn differs<K: Resolve + Stored>(&self, object: &K) -> bool {
        if object.going() && !object.kept() {
            return false;
        }
        let Some(assessment) = assess::assess(self.ctx, object, self.link) else { return true };
        if !assessment.plan.to_read().is_empty() {
            return true;
        }
        assessment.touched.iter().for_each(|item| self.ctx.waker.wake(item.clone()));
        let status = object.status();
        let serial = status.and_then(|status| status.serial).unwrap_or_default();
        let uid = object.uid().unwrap_or_default();
        let plan = verdict::plan_status(&assessment.plan, &self.link.session.tenant.id, &uid, serial);
        if plan.as_ref() != status.and_then(|status| status.plan.as_ref()) {
            return true;
        }
        if plan.is_some() || object.paused() {
            return false;
        }
        if object.going() {
            return assessment.plan.held().is_empty();
        }
        // What has its key is another thing than the recorded one, and just as it is wanted: it is taken over without a change.
        let planned = assessment.plan.held().iter().map(rolewright_core::planner::Held::recorded_id);
        if !object.held().iter().map(|held| held.id.as_deref()).eq(planned.map(|id| id.map(Id::as_str))) {
            return true;
        }
        let said =
            |type_: &str| status.and_then(|status| status.conditions.iter().find(|one| one.type_ == type_));
        let ready = said("Ready");
        let verdict = verdict::settled(self.ctx, object, &assessment);
        let unverified = verdict.reason.ready() && assessment.plan.is_unverified();
        ready.is_none_or(|said| said.reason != verdict.reason.as_str() || said.message != verdict.message)
            || said("Verified").is_some() != unverified
            || verdict::subjects(object, &assessment, None) != object.subjects()
    }
}

/// Things that no object holds, by kind; the vendor's own apart.
fn unmanaged(session: &Session) -> BTreeMap<String, i64> {
    let counted = session.look(&Needs::default(), |snapshot| {
        let claims = session.tenant.claims.lock();
        let kinds = session.backend.dialect().capabilities().kinds;
        let count = |kind: model::Kind| {
            let free = |seen: &&model::Observed| {
                seen.read_only.is_none() && !seen.body.is_open() && !claims.is_managed(kind, &seen.id)
            };
            i64::try_from(snapshot.all(kind).filter(free).count()).unwrap_or(i64::MAX)
        };
        kinds.iter().map(|kind| (kind.to_string(), count(*kind))).filter(|(_, count)| *count > 0).collect()
    });
    counted.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_told_where_it_is_longer_than_wished_and_rounded_up() {
        let seconds = Duration::from_secs;
        for (wished, least, said) in [
            (300, 299, None),
            (300, 300, None),
            (300, 301, Some("5m30s")),
            (300, 360, Some("6m")),
            (1, 2, Some("30s")),
            (300, 7201, Some("120m30s")),
        ] {
            assert_eq!(told(seconds(wished), seconds(least)).as_deref(), said, "{wished} {least}");
        }
    }
}
