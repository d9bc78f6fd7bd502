//! Probes a credential, and finds the account that it belongs to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use kube::ResourceExt;
use rolewright_api as api;
use rolewright_api::{AnyBackend, Block, Reason, TenantPin};
use rolewright_backends::{self as backends, Budget, Class, Error, Limits, Settings, Vendor};
use rolewright_core::model::{Fault, Kind};
use rolewright_reconcile::{
    account::{AccountId, AccountView, Address, Link},
    decide::Resolve,
    object::{ObjectName, ObjectRef, is_paused},
    readiness::Readiness,
};
use tokio::time::Instant;
use url::Url;

use super::{
    attempt::{Attempt, invalid},
    credential::Secrets,
};
use crate::{
    context::Context,
    kube::{Cached, Visitor},
};

/// How long a probe can take: it keeps a worker for Backends busy.
const DEADLINE: Duration = Duration::from_secs(45);

fn too_slow() -> Error {
    let message = format!("the back end did not answer the first calls within {} s", DEADLINE.as_secs());
    Error::new(Class::Transient, message)
}

/// What a probe needs.
pub struct Probe<'a> {
    pub ctx: &'a Arc<Context>,
    pub name: &'a ObjectName,
    pub backend: &'a AnyBackend,
    pub block: &'a Block,
    pub vendor: &'static Vendor,
    pub origin: &'a Url,
    pub secrets: Secrets,
}

/// Probes the credential and links the Backend to its account.
pub async fn probe(request: Probe<'_>) -> Attempt {
    match request.run().await {
        Ok(connected) => connected,
        Err(Refused { ready, retry_after }) => Attempt::Failed { ready, no_credential: false, retry_after },
    }
}

struct Refused {
    ready: Readiness,
    retry_after: Duration,
}

impl Probe<'_> {
    async fn run(&self) -> Result<Attempt, Refused> {
        let Probe { ctx, name, backend, .. } = self;
        let limits = limits(self.vendor, &backend.spec);
        let pinned = backend.status.as_ref().and_then(|status| status.tenant.clone());
        let address = address(self.vendor, self.origin, self.block);
        // A pause that the account requested (Retry-After) holds for a probe too.
        let known = pinned.as_ref().and_then(|pin| AccountId::of_pin(&address, pin));
        let budget = known.and_then(|id| ctx.accounts.budget(&id));
        let client = self.client(budget.unwrap_or_else(|| Arc::new(Budget::new(limits))))?;
        let probed = tokio::time::timeout(DEADLINE, client.probe()).await;
        let identity = probed.unwrap_or_else(|_| Err(too_slow())).map_err(|error| self.failed(&error))?;
        let another = || pinned.as_ref().filter(|pin| address.is_another(pin, &identity.anchors));
        let conflict = self.lost_kinds(&identity.lacks).or_else(|| another().map(another_account));
        if let Some(ready) = conflict {
            return Err(Refused { ready, retry_after: self.next_wait() });
        }
        let uid = backend.uid().unwrap_or_default();
        let account = ctx.accounts.connect(name, &address, &identity, pinned.as_ref(), &uid, limits);
        let digest = &self.secrets.digest;
        let new = || {
            let client = self.client(account.budget.clone())?;
            Ok(AccountView::new(account.clone(), client, digest.clone()))
        };
        let view = ctx.backends.view(&account, digest, new)?;
        let pin = account.id.pin(pinned.as_ref(), &identity.anchors);
        let link = Link {
            view,
            pin,
            identity: identity.description,
            paused: is_paused(*backend),
            exclusive: backend.spec.exclusive == Some(true),
            mode: backend.spec.mode.unwrap_or_default(),
            guards: Arc::new(backend.spec.guards.clone().unwrap_or_default()),
            terms: backend.terms.clone().map(Arc::new),
            own: identity.own.into_iter().collect(),
            deletion: backend.spec.deletion_policy.unwrap_or_default(),
            interval: backend.spec.interval(),
            lacks: Arc::new(identity.lacks),
            expires: identity.expires,
        };
        Ok(Attempt::Connected(link))
    }

    fn client(&self, budget: Arc<Budget>) -> Result<Arc<dyn backends::Backend>, Refused> {
        let settings = Settings {
            block: self.block.settings.clone(),
            secrets: self.secrets.values.clone(),
            ca: self.secrets.ca.clone(),
            budget,
            dialling: self.ctx.options.dialling,
            transport: self.ctx.options.transport.clone(),
            observer: self.ctx.metrics.clone(),
        };
        self.vendor.connect(settings).map_err(|fault: Fault| Refused {
            ready: invalid(&fault),
            retry_after: self.ctx.options.secret_interval,
        })
    }

    /// The account lost a kind of external things that objects of this Backend manage: they wait, and none of them reports a deletion.
    fn lost_kinds(&self, lacks: &BTreeMap<Kind, String>) -> Option<Readiness> {
        struct ManagedKinds(BTreeSet<String>);
        impl Visitor for ManagedKinds {
            fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
                self.0.extend(object.held().iter().map(|held| held.kind.clone()));
            }
        }
        if lacks.is_empty() {
            return None;
        }
        let mut managed = ManagedKinds(BTreeSet::new());
        self.ctx.caches.each_of(self.name, &mut managed);
        let (kind, why) = lacks.iter().find(|(kind, _)| managed.0.contains(&kind.to_string()))?;
        Some(Readiness::new(
            Reason::Unsupported,
            format!(
                "{why}. Objects of this Backend manage {kind}s from when the account had them, so all of its objects wait. If the account \
                 lost them for good, delete those objects with deletionPolicy: Retain"
            ),
        ))
    }

    fn failed(&self, error: &Error) -> Refused {
        let retry_after = match error.class {
            Class::Throttled(time) => time.max(Duration::from_secs(1)),
            // A back end that is down can be back at any moment; a refused credential seldom becomes valid by itself.
            Class::Lost | Class::Transient => self.next_wait() / 12,
            _ => self.next_wait(),
        };
        self.ctx.backends.set_next_probe(self.name, Some(Instant::now() + retry_after));
        let ready = match error.class {
            Class::Unauthenticated => Readiness::new(
                Reason::Denied,
                format!(
                    "the back end does not accept the credential ({}): put a valid one into the Secret",
                    error.message
                ),
            ),
            _ => Readiness::of_error(error),
        };
        Refused { ready, retry_after }
    }

    fn next_wait(&self) -> Duration {
        let (first, max) = self.ctx.options.probe_backoff;
        self.ctx.back_off.next(&ObjectRef::backend(self.name), first, max)
    }
}

/// Where a Backend points. All vendors with a path call the field `url`.
pub fn address(vendor: &Vendor, origin: &Url, block: &Block) -> Address {
    let url = block.settings.get("url").and_then(|url| Url::parse(url.as_str()?).ok());
    Address::new(vendor.name, origin, url.as_ref().map_or("", Url::path))
}

/// Recorded ids mean nothing in another account: there, everything would look deleted.
fn another_account(pin: &TenantPin) -> Readiness {
    Readiness::new(
        Reason::Conflict,
        format!(
            "this Backend was connected to the account {}, and now it points to another one. What its objects manage is in the first. \
             Point it back, or create a new Backend and new objects for the other account",
            pin.id
        ),
    )
}

/// The limits of a Backend: those of its vendor, as far as the user sets none.
fn limits(vendor: &Vendor, spec: &api::BackendSpec) -> Limits {
    let requests = spec.requests.clone().unwrap_or_default();
    let given = |value: Option<i32>| value.and_then(|n| u32::try_from(n).ok());
    let limits = given(requests.per_second).map_or(vendor.limits, |per_second| vendor.limits.at(per_second));
    Limits {
        burst: given(requests.burst).unwrap_or(limits.burst),
        concurrency: given(requests.concurrency).unwrap_or(limits.concurrency),
        ..limits
    }
}
