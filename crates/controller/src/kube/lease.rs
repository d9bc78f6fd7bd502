//! Leader election by a Lease: one process writes, the others wait with warm caches.
//!
//! Every write names the resource version that was read, so that two claims cannot both succeed. Whether another's claim has run out is judged by
//! this process's own monotonic clock, from when it first saw the claim, never by the times that another machine wrote.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    jiff::Timestamp,
};
use kube::{Api, Client, ResourceExt, api::PostParams};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The Lease's name.
pub const NAME: &str = "rolewright";
/// How long a claim is valid without a renewal.
const DURATION: Duration = Duration::from_secs(15);
/// How often it is renewed or looked at.
const PERIOD: Duration = Duration::from_secs(3);
/// How long one call may take.
const DEADLINE: Duration = Duration::from_secs(4);

/// One process's claim to the Lease.
pub struct Elector {
    api: Api<Lease>,
    identity: String,
    /// The version of another process's claim, and when this process first saw it.
    seen: Option<(String, Instant)>,
    /// When the last successful claim was sent: from then on others count its duration.
    claimed: Option<Instant>,
}

impl Elector {
    /// A claim in this namespace. `identity` has to differ between processes.
    pub fn new(client: Client, namespace: &str, identity: String) -> Self {
        Self { api: Api::namespaced(client, namespace), identity, seen: None, claimed: None }
    }

    /// Waits until this process holds the Lease. False when `stop` came first.
    pub async fn acquire(&mut self, stop: &CancellationToken) -> bool {
        loop {
            if self.try_claim().await {
                return true;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                () = tokio::time::sleep(PERIOD.mul_f64(fastrand::f64().mul_add(0.2, 0.9))) => {}
            }
        }
    }

    /// Renews the claim until it is lost or `stop` comes. After `stop` the caller gives the Lease up, so that another process can continue at once.
    ///
    /// True when stopped; false when the Lease was lost, after which nothing may be written any more.
    pub async fn hold(&mut self, stop: &CancellationToken) -> bool {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return true,
                () = tokio::time::sleep(PERIOD) => {}
            }
            let expired = |sent: Instant| sent.elapsed() + PERIOD + DEADLINE >= DURATION;
            if !self.try_claim().await && (self.seen.is_some() || self.claimed.is_none_or(expired)) {
                return false;
            }
        }
    }

    /// Gives up the Lease.
    pub async fn give_up(&self) {
        let Ok(Ok(Some(mut lease))) = tokio::time::timeout(DEADLINE, self.api.get_opt(NAME)).await else {
            return;
        };
        if holder(&lease) != Some(self.identity.as_str()) {
            return;
        }
        let spec = lease.spec.get_or_insert_default();
        spec.holder_identity = None;
        spec.lease_duration_seconds = Some(1);
        if let Ok(Err(error)) =
            tokio::time::timeout(DEADLINE, self.api.replace(NAME, &PostParams::default(), &lease)).await
        {
            tracing::debug!(%error, "the Lease could not be given up; it runs out by itself");
        }
    }

    async fn try_claim(&mut self) -> bool {
        let sent = Instant::now();
        match tokio::time::timeout(DEADLINE, self.claim()).await {
            Ok(Ok(held)) => {
                if held {
                    self.claimed = Some(sent);
                    self.seen = None;
                }
                held
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the Lease could not be read or written");
                false
            }
            Err(_) => {
                tracing::warn!("the Lease could not be read or written in time");
                false
            }
        }
    }

    async fn claim(&mut self) -> Result<bool, kube::Error> {
        let now = MicroTime(Timestamp::now());
        let Some(mut lease) = self.api.get_opt(NAME).await? else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
                spec: Some(self.spec(now.clone(), Some(now), 0)),
            };
            return won(self.api.create(&PostParams::default(), &lease).await);
        };
        let ours = holder(&lease) == Some(self.identity.as_str());
        if !ours && holder(&lease).is_some() && !self.ran_out(&lease) {
            return Ok(false);
        }
        let before = lease.spec.clone().unwrap_or_default();
        let acquired = if ours { before.acquire_time } else { Some(now.clone()) };
        let transitions = before.lease_transitions.unwrap_or_default() + i32::from(!ours);
        lease.spec = Some(self.spec(now, acquired, transitions));
        won(self.api.replace(NAME, &PostParams::default(), &lease).await)
    }

    fn spec(&self, now: MicroTime, acquired: Option<MicroTime>, transitions: i32) -> LeaseSpec {
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: acquired,
            renew_time: Some(now),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }
    }

    /// Whether another process's claim has not changed for its whole duration.
    fn ran_out(&mut self, lease: &Lease) -> bool {
        let version = lease.resource_version().unwrap_or_default();
        let length = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
        let length =
            length.and_then(|seconds| u64::try_from(seconds).ok()).map_or(DURATION, Duration::from_secs);
        match &self.seen {
            Some((known, since)) if *known == version => since.elapsed() > length,
            _ => {
                self.seen = Some((version, Instant::now()));
                false
            }
        }
    }
}

fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}

/// A claim that another one forestalled is no error.
fn won(result: kube::Result<Lease>) -> Result<bool, kube::Error> {
    match result {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}
