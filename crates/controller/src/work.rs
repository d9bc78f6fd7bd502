//! Work on one object: what every part of it shares, and how the outcome is written.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use kube::ResourceExt;

use super::{
    context::{Context, Stored},
    managed::{Managed, to_engine},
    queue::Item,
    resolve::Resolve,
    said,
    verdict::{self, Content, Verdict},
    writes::{self, WriteError},
};
use rolewright_core::planner::Held;

/// What to do when work on an object could not be finished.
pub enum Stop {
    /// Look again after this time, or only when something happens.
    Wait(Option<Duration>),
    /// A Kubernetes write failed: look again, later with each failure.
    Write(WriteError),
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        Stop::Write(error)
    }
}

/// Work on one object.
pub(super) struct Work<'a, K> {
    pub(super) ctx: &'a Arc<Context>,
    pub(super) object: Arc<K>,
    pub(super) item: Item,
}

impl<K: Resolve + Stored> Work<'_, K> {
    /// Changes what the verdict says and nothing else.
    pub(super) async fn report_unchanged(&mut self, verdict: &Verdict) -> Result<(), Stop> {
        let held: Vec<Held> = self.object.held().iter().filter_map(to_engine).collect();
        let content = Content {
            verdict,
            unverified: false,
            held: &held,
            plan: self.object.status().and_then(|status| status.plan.clone()),
            subjects: self.object.subjects().to_vec(),
            serial: self.serial(),
        };
        self.write(content).await
    }

    pub(super) async fn write(&mut self, content: Content<'_>) -> Result<(), Stop> {
        let Some(status) = verdict::status(&*self.object, content, Timestamp::now()) else { return Ok(()) };
        let before = self.object.clone();
        let cache = K::cache(&self.ctx.caches);
        self.object = Arc::new(
            writes::outcome(&self.ctx.client, cache, &*self.object, &verdict::FIELDS, status).await?,
        );
        said::log(&self.item, conditions(&*before), conditions(&*self.object));
        Ok(())
    }

    pub(super) fn uid(&self) -> String {
        self.object.uid().unwrap_or_default()
    }

    pub(super) fn serial(&self) -> i64 {
        self.object.status().and_then(|status| status.serial).unwrap_or_default()
    }
}

fn conditions<K: Managed>(object: &K) -> &[Condition] {
    object.status().map_or(&[], |status| &status.conditions)
}
