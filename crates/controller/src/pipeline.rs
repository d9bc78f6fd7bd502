//! The one way that an object takes, whatever its kind: gate, resolve and plan, guard, carry out, report.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kube::ResourceExt;

use super::{
    apply,
    assess::{self, Assessment},
    cache::{Cache, Name},
    connections::{Connection, Link},
    context::{Context, Stored},
    deletion,
    managed::{to_engine, to_status},
    outcome::{End, Outcome},
    resolve::Resolve,
    sweep,
    tenants::Session,
    verdict::{self, Content, Verdict},
    work::{Stop, Work},
    writes::{self, WriteError},
};
use rolewright_api as api;
use rolewright_api::{HeldEntry, Mode, Reason, annotations};
use rolewright_backends::{Class, Error, Needs};
use rolewright_core::model::{Id, Kind, Verb};
use rolewright_core::planner::{self, Held};

/// How often a plan is made anew within one look because the back end had moved on.
const ROUNDS: usize = 4;
/// How old a view may be when a name is missing from it before the whole is read again instead of single names.
const STALE_VIEW: Duration = Duration::from_secs(10);
/// How many names are looked up one by one.
const LOOKUPS: usize = 5;

/// Looks at one object. Gives the time after which to look again, if at all.
pub async fn look_at<K: Resolve + Stored>(ctx: &Arc<Context>, name: &Name) -> Option<Duration> {
    let object = K::cache(&ctx.caches).get(name)?;
    let item = object.item();
    if !ctx.may_write() {
        return None;
    }
    let work = Work { ctx, object, item: item.clone() };
    match work.run().await {
        Ok(()) => {
            ctx.failures.clear(&item);
            None
        }
        Err(Stop::Wait(time)) => time,
        // The watch brings the newer version, or that it is gone.
        Err(Stop::Write(WriteError::Stale | WriteError::Gone)) => Some(Duration::from_millis(200)),
        Err(Stop::Write(error)) => {
            tracing::warn!(kind = K::KIND.as_str(), namespace = %name.namespace, name = %name.name, %error, "a status could not be written");
            Some(ctx.failures.next(&item, Duration::from_millis(500), Duration::from_secs(60)))
        }
    }
}

impl<K: Resolve + Stored> Work<'_, K> {
    async fn run(mut self) -> Result<(), Stop> {
        if self.object.going() && !self.object.kept() {
            return Ok(());
        }
        let backend = Name::new(&self.item.name.namespace, self.object.backend());
        match self.ctx.connections.get(&backend) {
            // The credential is about to be tried: until then every call with it may be one too many. The Backend wakes its objects.
            Some(Connection::Ready(_)) if self.ctx.connections.doubted(&backend) && !self.object.going() => {
                Err(Stop::Wait(None))
            }
            Some(Connection::Ready(link)) => self.with_link(&backend, &link).await,
            Some(Connection::Broken { reason, message, no_credential, last }) => {
                if let Some(link) = last.filter(|_| self.goes_with(&backend)) {
                    return self.with_link(&backend, &link).await;
                }
                if self.object.going() {
                    return deletion::without_link(&mut self, no_credential, &message).await;
                }
                self.wait_for_backend(&format!(
                    "Backend {} is not ready ({}): {message}",
                    backend.name,
                    reason.as_str()
                ))
                .await
            }
            None if self.ctx.caches.backends.get(&backend).is_some() => Err(Stop::Wait(None)),
            None => {
                let message = format!("there is no Backend {} in this namespace", backend.name);
                if self.object.going() {
                    return deletion::without_link(&mut self, true, &message).await;
                }
                self.wait_for_backend(&message).await
            }
        }
    }

    /// Whether the object goes, and its Backend goes too or is gone.
    fn goes_with(&self, backend: &Name) -> bool {
        let backend = self.ctx.caches.backends.get(backend);
        self.object.going() && backend.is_none_or(|backend| backend.metadata.deletion_timestamp.is_some())
    }

    /// An object that was in sync keeps its word until something is known, unless it cannot go.
    async fn wait_for_backend(&mut self, message: &str) -> Result<(), Stop> {
        if self.object.going() || !self.object.in_sync() {
            self.report_unchanged(&Verdict::new(Reason::BackendNotReady, message)).await?;
        }
        Err(Stop::Wait(None))
    }

    async fn with_link(&mut self, backend: &Name, link: &Link) -> Result<(), Stop> {
        self.look_anew(backend, link).await?;
        for _ in 0..ROUNDS {
            let assessment = self.assess(backend, link).await?;
            if let Some(settled) = assessment.unsettled.filter(|at| *at <= Instant::now()) {
                self.read_since(backend, link, settled).await?;
                continue;
            }
            for item in &assessment.touched {
                self.ctx.waker.wake(item.clone());
            }
            // Before the guards: a pause holds a removal up, and here nothing is removed.
            if self.object.going() && deletion::crd_is_going::<K>(self.ctx).await? {
                return deletion::let_go(self, "its custom resource definition is being deleted").await;
            }
            let acts = !assessment.plan.is_empty() || !assessment.plan.absent().is_empty();
            if let Some(why) = link.session.suspect().filter(|_| acts) {
                return self.wait_for_backend(&why).await;
            }
            if let Some(why) = self.guard(link, &assessment) {
                return self.conclude(link, &assessment, None, Some(why)).await;
            }
            if !assessment.plan.held().is_empty() {
                self.keep(backend).await?;
            }
            let hash = assessment.plan.hash(&link.session.tenant.id, &self.uid(), self.serial());
            // Whatever else wakes the object, nothing has changed for a plan that has just failed.
            if let Some(rest) =
                self.ctx.failures.rest(&self.item, &hash).filter(|_| !assessment.plan.is_empty())
            {
                return Err(Stop::Wait(Some(rest)));
            }
            match apply::find_left_out(&link.session, &assessment.plan).await {
                Ok(false) => {}
                Ok(true) => continue,
                Err(error) => return Err(self.failed_reading(backend, &error).await?),
            }
            self.tell_taken_over(&assessment);
            if assessment.plan.is_empty() {
                return self.conclude(link, &assessment, None, None).await;
            }
            self.record_intents(&assessment).await?;
            let outcome = apply::carry_out(&link.session, &assessment.plan, &*self.object, &hash).await;
            self.tell(&assessment, &outcome);
            if outcome.moved() {
                self.record_done(&outcome.held).await?;
                continue;
            }
            let after = self.assess_held(link, &outcome.held).unwrap_or(assessment);
            if outcome.failure().is_none() && !after.plan.absent().is_empty() {
                // What went missing meanwhile is looked for before it is let go.
                self.record_done(&outcome.held).await?;
                continue;
            }
            let ended = self.conclude(link, &after, Some(&outcome), None).await;
            self.ctx.failures.tried(&self.item, &hash);
            return ended;
        }
        self.report_unchanged(&Verdict::new(
            Reason::Reconciling,
            "the back end changes faster than it can be put right; trying again",
        ))
        .await?;
        Err(Stop::Wait(Some(self.ctx.failures.next(
            &self.item,
            Duration::from_secs(1),
            Duration::from_secs(60),
        ))))
    }

    /// Whoever asks for a look means the back end, not what was seen of it earlier.
    async fn look_anew(&mut self, backend: &Name, link: &Link) -> Result<(), Stop> {
        let asked = self.object.annotations().get(annotations::RECONCILE_AT);
        let handled = self.object.status().and_then(|status| status.last_handled_reconcile_at.as_ref());
        if asked.is_some() && asked != handled {
            self.ctx.failures.clear(&self.item);
            self.read_since(backend, link, Instant::now()).await?;
        }
        Ok(())
    }

    /// Sees to it that there is a view whose reading began at `since` or later.
    async fn read_since(&mut self, backend: &Name, link: &Link, since: Instant) -> Result<(), Stop> {
        if let Err(error) = link.session.ensure_since(&self.all_needs(link), since).await {
            return Err(self.failed_reading(backend, &error).await?);
        }
        sweep::prepare(self.ctx, &link.session);
        Ok(())
    }

    /// Compares with a view that shows what is needed, and reads whole what it shows in outline only and the comparison turns on.
    async fn assess(&mut self, backend: &Name, link: &Link) -> Result<Assessment, Stop> {
        for _ in 0..ROUNDS {
            let assessment = self.look_up(backend, link).await?;
            let unread = assessment.plan.to_read();
            if unread.is_empty() {
                return Ok(assessment);
            }
            if let Err(error) = read_whole(&link.session, unread).await {
                return Err(self.failed_reading(backend, &error).await?);
            }
        }
        Err(Stop::Wait(Some(self.ctx.failures.next(
            &self.item,
            Duration::from_secs(1),
            Duration::from_secs(60),
        ))))
    }

    /// What all objects of the session need, with this one, which may be new.
    fn all_needs(&self, link: &Link) -> Needs {
        let mut all = sweep::needs(self.ctx, &link.session);
        let own = assess::needs(&*self.object, link);
        all.kinds.extend(own.kinds);
        all.levels.extend(own.levels);
        all
    }

    /// Compares with a view that shows what is needed, and looks up what the view lacks.
    async fn look_up(&mut self, backend: &Name, link: &Link) -> Result<Assessment, Stop> {
        const ANY_AGE: Duration = Duration::MAX;
        let needs = assess::needs(&*self.object, link);
        if !link.session.shows(&needs) {
            if let Err(error) = link.session.ensure(&self.all_needs(link), ANY_AGE).await {
                return Err(self.failed_reading(backend, &error).await?);
            }
            sweep::prepare(self.ctx, &link.session);
        }
        let Some(assessment) = assess::assess(self.ctx, &*self.object, link) else {
            return Err(Stop::Wait(Some(Duration::from_millis(200))));
        };
        let missing = &assessment.resolved.lookups;
        if missing.is_empty() {
            return Ok(assessment);
        }
        let mut found = false;
        if missing.len() > LOOKUPS {
            if link.session.age().is_some_and(|age| age > STALE_VIEW) {
                self.read_since(backend, link, Instant::now()).await?;
                found = true;
            }
        } else {
            for lookup in missing {
                match link.session.backend.look_up(lookup.level, &lookup.name, lookup.parent.as_ref()).await {
                    Ok(entries) => {
                        found |= !entries.is_empty();
                        entries.into_iter().for_each(|entry| link.session.learn(entry));
                    }
                    // What the key may not look up is not found; the message says what the key was refused.
                    Err(error)
                        if matches!(
                            error.class,
                            Class::Denied | Class::Missing | Class::Unsupported | Class::Invalid
                        ) => {}
                    Err(error) => return Err(self.failed_reading(backend, &error).await?),
                }
            }
        }
        Ok(if found {
            assess::assess(self.ctx, &*self.object, link).unwrap_or(assessment)
        } else {
            assessment
        })
    }

    /// The comparison after writes: what is held now, against the view that the writes brought up to date.
    fn assess_held(&self, link: &Link, held: &[Held]) -> Option<Assessment> {
        let mut object = (*self.object).clone();
        object.set_held(held.iter().map(to_status).collect());
        assess::assess(self.ctx, &object, link)
    }

    /// What keeps a plan from being carried out, or things from being taken over or let go, now.
    fn guard(&self, link: &Link, assessment: &Assessment) -> Option<Verdict> {
        let plan = &assessment.plan;
        let ids = |held: &[Held]| {
            let mut ids: Vec<Option<Id>> = held.iter().map(|held| held.id().cloned()).collect();
            ids.sort_unstable();
            ids
        };
        let nothing_to_do = plan.is_empty() && ids(plan.held()) == ids(&assessment.recorded);
        if self.object.paused() {
            return Some(Verdict::new(
                Reason::Paused,
                "paused: nothing is changed until the annotation rolewright.dev/pause is removed",
            ));
        }
        if nothing_to_do {
            return None;
        }
        if assess::mode(&*self.object, link) == Mode::Plan && !(self.object.going() && plan.is_empty()) {
            let taking = if plan.is_empty() { ", and taking over what is there" } else { "" };
            return Some(Verdict::new(
                Reason::Planned,
                format!("mode is Plan: {}{taking} is shown and not carried out", plan.summary()),
            ));
        }
        if assessment.speaks_of_planned() {
            return Some(Verdict::new(
                Reason::DependencyNotReady,
                "waits for its role, whose Role says why it is not in the back end yet: the plan can be carried out once it is",
            ));
        }
        let drift = plan.steps().iter().any(|step| step.cause == planner::Cause::Drift);
        if drift && self.ctx.corrections.contested(&self.item).is_some_and(|next| Instant::now() < next) {
            return Some(verdict::contested());
        }
        None
    }

    /// Adds our finalizer, and the Backend's, before anything is held.
    async fn keep(&mut self, backend: &Name) -> Result<(), Stop> {
        if self.object.kept() || self.object.going() {
            return Ok(());
        }
        if let Some(backend) = self.ctx.caches.backends.get(backend)
            && !backend.finalizers().iter().any(|one| one == api::FINALIZER)
        {
            // Stale may mean that another object's work did it, or merely that a status was written: the next look tells.
            writes::keep(&self.ctx.client, &self.ctx.caches.backends, &*backend).await?;
        }
        let cache = K::cache(&self.ctx.caches);
        self.object = Arc::new(writes::keep(&self.ctx.client, cache, &*self.object).await?);
        Ok(())
    }

    /// What is about to be made is recorded first: after a crash it tells our own from somebody else's. So is what is about to be taken
    /// away: only what is recorded is given back.
    async fn record_intents(&mut self, assessment: &Assessment) -> Result<(), Stop> {
        let creates = assessment.plan.steps().iter().any(|step| step.change.verb() == Verb::Create);
        let recorded = |held: &Held| {
            let entry = to_status(held);
            let same = |known: &api::HeldEntry| {
                (&known.id, known.state, &known.taken) == (&entry.id, entry.state, &entry.taken)
            };
            self.object.held().iter().any(same)
        };
        let takes = assessment.plan.held().iter().any(|held| held.taken.is_some() && !recorded(held));
        if creates || takes || assessment.plan.held().len() != self.object.held().len() {
            self.record(assessment.plan.held()).await?;
        }
        Ok(())
    }

    /// Records what is about to be held, on exactly the version that was planned for.
    async fn record(&mut self, held: &[Held]) -> Result<(), Stop> {
        if let Some((entries, cache)) = self.to_record(held) {
            let written = writes::status(&self.ctx.client, cache, &*self.object, &["held"], entries).await?;
            self.object = Arc::new(written);
        }
        Ok(())
    }

    /// Records what is held after work was done.
    async fn record_done(&mut self, held: &[Held]) -> Result<(), Stop> {
        if let Some((entries, cache)) = self.to_record(held) {
            let written = writes::outcome(&self.ctx.client, cache, &*self.object, &["held"], entries).await?;
            self.object = Arc::new(written);
        }
        Ok(())
    }

    fn to_record(&self, held: &[Held]) -> Option<(serde_json::Value, &Cache<K>)> {
        let entries: Vec<api::HeldEntry> = held.iter().map(to_status).collect();
        (entries != self.object.held())
            .then(|| (serde_json::json!({ "held": entries }), K::cache(&self.ctx.caches)))
    }

    /// Says the outcome: Events were told by then, so this is the status, the finalizer, and when to look again.
    async fn conclude(
        &mut self,
        link: &Link,
        assessment: &Assessment,
        outcome: Option<&Outcome>,
        withheld: Option<Verdict>,
    ) -> Result<(), Stop> {
        let backend = Name::new(&self.item.name.namespace, self.object.backend());
        let failure = outcome.and_then(Outcome::failure).map(|error| self.weigh(&backend, error));
        let failure = failure.as_ref();
        let held: Vec<Held> = match (outcome, &withheld) {
            // The plan intends again what has just failed.
            (Some(outcome), _) if failure.is_some() => outcome.held.clone(),
            (Some(_), _) | (None, None) => assessment.plan.held().to_vec(),
            // Nothing is taken over or let go while the plan is withheld.
            (None, Some(_)) => self.object.held().iter().filter_map(to_engine).collect(),
        };
        if self.object.going() && held.is_empty() && withheld.is_none() {
            let stays =
                |held: &&Held| outcome.is_none() && held.is_present() && !assessment.plan.is_absent(held);
            let stays: Vec<HeldEntry> = assessment.recorded.iter().filter(stays).map(to_status).collect();
            return deletion::finish(self, &stays).await;
        }
        let done = outcome.is_some_and(|outcome| outcome.ends.iter().any(|end| matches!(end, End::Done(_))));
        let serial = self.serial() + i64::from(done);
        let verdict = self.verdict(assessment, failure, withheld);
        let content = Content {
            verdict: &verdict,
            unverified: assessment.plan.is_unverified(),
            held: &held,
            plan: verdict::plan_status(&assessment.plan, &link.session.tenant.id, &self.uid(), serial),
            subjects: verdict::subjects(&*self.object, assessment, outcome),
            serial,
        };
        self.write(content).await?;
        let again = assess::assess(self.ctx, &*self.object, link);
        let touched = assessment.touched.iter().chain(again.iter().flat_map(|again| &again.touched));
        touched.for_each(|item| self.ctx.waker.wake(item.clone()));
        match failure {
            Some(error) => Err(Stop::Wait(self.again(error))),
            None => self.next_look(&verdict, assessment.unsettled),
        }
    }

    fn verdict(
        &self,
        assessment: &Assessment,
        failure: Option<&Error>,
        withheld: Option<Verdict>,
    ) -> Verdict {
        let wants = verdict::asked_for(&*self.object, assessment);
        let found = Verdict::of_findings(assessment.plan.findings(), wants);
        if self.object.going() {
            return deletion::verdict(self, found, failure, withheld);
        }
        if let Some(withheld) = withheld {
            // What the user has to mend comes before what waits for a mode or a pause.
            return found
                .filter(|found| found.reason.stalled() && assessment.plan.is_empty())
                .unwrap_or(withheld);
        }
        if let Some(error) = failure {
            return Verdict::of_error(error);
        }
        if found.is_none() && !assessment.plan.is_empty() {
            return Verdict::new(Reason::Reconciling, "some of the changes are still to be made");
        }
        verdict::settled(self.ctx, &*self.object, assessment)
    }

    /// A verdict that time alone can change is looked at again; everything else is woken by what it waits for.
    fn next_look(&self, verdict: &Verdict, unsettled: Option<Instant>) -> Result<(), Stop> {
        if let Some(at) = unsettled {
            return Err(Stop::Wait(Some(at.saturating_duration_since(Instant::now()))));
        }
        match verdict.reason {
            Reason::Contested => {
                let next = self.ctx.corrections.contested(&self.item);
                Err(Stop::Wait(next.map(|next| next.saturating_duration_since(Instant::now()))))
            }
            Reason::Reconciling => Err(Stop::Wait(Some(Duration::from_secs(1)))),
            _ => Ok(()),
        }
    }
}

/// Reads things whole into the view.
///
/// # Errors
/// Whatever kept one from being read.
async fn read_whole(session: &Session, things: &[(Kind, Id)]) -> Result<(), Error> {
    let shown = |kind, id: &Id| {
        let shown = session.look(&Needs::default(), |snapshot| snapshot.by_id(kind, id).is_some());
        shown.unwrap_or_default()
    };
    for (kind, id) in things {
        match session.backend.read(*kind, id).await? {
            Some(seen) => session.put(seen),
            // The view is older than that.
            None if shown(*kind, id) => session.distrust(),
            None => session.miss(*kind, id),
        }
    }
    Ok(())
}
