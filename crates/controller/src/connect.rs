//! The reconciler of Backends: reads the credential, tries it, pins the account, and says how the connection stands. Objects wait for it, so
//! ten thousand objects and a dead key make a handful of calls.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::jiff::Timestamp;
use kube::{Resource, ResourceExt};
use secrecy::ExposeSecret;
use serde_json::json;
use url::Url;

use super::{
    assess,
    cache::Name,
    connections::{Connection, Link, Swept},
    context::{Context, Stored, Visitor},
    queue::{Item, Kind},
    resolve::Resolve,
    said, secrets, sweep,
    tenants::{Session, Tenant},
    verdict::Verdict,
    writes::{self, WriteError},
};
use rolewright_api as api;
use rolewright_api::{Backend, BackendStatus, Block, Reason, TenantPin, annotations};
use rolewright_backends::{Budget, Class, Error, Limits, Settings, Vendor};
use rolewright_core::model::{Fault, sha256_hex};

/// Before a Secret that cannot be used is looked at again, at first.
const SECRET_SOON: Duration = Duration::from_secs(2);
/// How many anchors a status records.
const ANCHORS: usize = 16;

/// What a connection was made of, or why it was not.
enum Attempt {
    /// What it is made from has not changed, and nothing speaks against it.
    AsBefore,
    /// It works.
    Works { link: Link, pin: TenantPin, identity: String },
    /// It does not.
    Fails { verdict: Verdict, no_credential: bool, wait: Duration },
}

/// Looks at one Backend. Gives the time after which to look again.
pub async fn look_at(ctx: &Arc<Context>, name: &Name) -> Option<Duration> {
    let Some(backend) = ctx.caches.backends.get(name) else {
        gone(ctx, name);
        return None;
    };
    if !ctx.may_write() {
        return None;
    }
    match reconcile(ctx, name, &backend).await {
        Ok(time) => Some(time),
        Err(WriteError::Gone) => None,
        Err(WriteError::Stale) => Some(Duration::from_millis(200)),
        Err(WriteError::Api(error)) => {
            tracing::warn!(kind = "Backend", namespace = %name.namespace, name = %name.name, %error, "a status could not be written");
            Some(Duration::from_secs(10))
        }
    }
}

/// The objects of a Backend that is gone may still need its credential to be deleted: it stays in memory until the last of them is.
fn gone(ctx: &Context, name: &Name) {
    let kept = dependents(ctx, name).kept;
    if kept == 0 {
        disconnect(ctx, name);
    }
    ctx.wake_dependents(name);
}

fn disconnect(ctx: &Context, name: &Name) {
    if let Some(link) = ctx.connections.last_link(name) {
        link.session.tenant.limit(name, None);
    }
    ctx.connections.remove(name);
    ctx.metrics.expiry(name, None);
}

async fn reconcile(ctx: &Arc<Context>, name: &Name, backend: &Backend) -> Result<Duration, WriteError> {
    let going = backend.meta().deletion_timestamp.is_some();
    let dependents = dependents(ctx, name);
    if going && dependents.kept == 0 {
        writes::release(&ctx.client, &ctx.caches.backends, backend).await?;
        disconnect(ctx, name);
        return Ok(ctx.options.secret_interval);
    }
    let look = backend.annotations().get(annotations::RECONCILE_AT);
    let asked = look.is_some()
        && look != backend.status.as_ref().and_then(|status| status.last_handled_reconcile_at.as_ref());
    let known = ctx.connections.made_from(name);
    let (attempt, made_from) = attempt(ctx, name, backend, &known, asked).await;
    let made_anew = known != made_from;
    let mut wait = ctx.options.secret_interval;
    let news = match attempt {
        Attempt::AsBefore => {
            write_status(ctx, name, backend, None, going, &dependents).await?;
            false
        }
        Attempt::Works { link, pin, identity } => {
            ctx.failures.clear(&item(name));
            ctx.connections.set_next_probe(name, None);
            prepare(ctx, &link.session.tenant, name);
            let session = link.session.clone();
            let news = ctx.connections.set(name, Connection::Ready(link), made_from);
            let verdict = Verdict::new(Reason::Connected, format!("connected: {identity}"));
            write_status(ctx, name, backend, Some((&verdict, Some((&pin, &identity)))), going, &dependents)
                .await?;
            sweep::start(ctx, &session);
            news
        }
        Attempt::Fails { verdict, no_credential, wait: until_next } => {
            wait = wait.min(until_next);
            // With the credential in memory, what goes together with its Backend can still be removed.
            let last = ctx.connections.last_link(name).filter(|_| no_credential);
            let serving = going && last.is_some();
            let broken = Connection::Broken {
                reason: verdict.reason,
                message: verdict.message.clone(),
                no_credential,
                last,
            };
            let news = ctx.connections.set(name, broken, made_from) || serving;
            write_status(ctx, name, backend, Some((&verdict, None)), going, &dependents).await?;
            news
        }
    };
    if asked && let Some(link) = ctx.connections.link(name) {
        link.session.bell.ring(&link.session.priority);
    }
    if asked || made_anew {
        // What failed on the old terms, or may have been mended, is tried again.
        ctx.retry_dependents(name);
    } else if news {
        ctx.wake_dependents(name);
    }
    Ok(wait)
}

/// Puts down what all objects of an account hold by their statuses, whichever Backend they are of: before any of them is worked on.
fn prepare(ctx: &Context, tenant: &Tenant, this: &Name) {
    struct Register<'a>(&'a Tenant);
    impl Visitor for Register<'_> {
        fn visit<K: Resolve + Stored>(&mut self, object: Arc<K>) {
            if !self.0.objects.lock().contains_key(&object.claimant()) {
                assess::register(&*object, self.0);
            }
        }
    }
    for backend in ctx.caches.backends.all() {
        let name = Name::of(&*backend);
        let pinned = backend.status.as_ref().and_then(|status| status.tenant.as_ref());
        if name == *this || pinned.is_some_and(|pin| pin.id == tenant.id) {
            ctx.caches.each_of(&name, &mut Register(tenant));
        }
    }
}

/// What a Backend's objects come to.
#[derive(Default)]
struct Dependents {
    kept: usize,
    going: usize,
}

impl Visitor for Dependents {
    fn visit<K: Resolve + Stored>(&mut self, object: Arc<K>) {
        if object.kept() {
            self.kept += 1;
            self.going += usize::from(object.going());
        }
    }
}

fn dependents(ctx: &Context, name: &Name) -> Dependents {
    let mut found = Dependents::default();
    ctx.caches.each_of(name, &mut found);
    found
}

async fn attempt(
    ctx: &Arc<Context>,
    name: &Name,
    backend: &Backend,
    known: &str,
    asked: bool,
) -> (Attempt, String) {
    let mut made_from = format!("{}", backend.meta().generation.unwrap_or_default());
    let fails = |verdict: Verdict, no_credential: bool| Attempt::Fails {
        verdict,
        no_credential,
        wait: ctx.options.secret_interval,
    };
    let Some(block) = backend.spec.block() else {
        return (fails(Verdict::new(Reason::Invalid, "the spec has no back-end block"), false), made_from);
    };
    let Some(vendor) = ctx.options.vendors.iter().find(|vendor| vendor.name == block.vendor) else {
        let message = format!("this operator does not know {}", block.vendor);
        return (fails(Verdict::new(Reason::Unsupported, message), false), made_from);
    };
    let origin = match (vendor.origin)(&block.settings) {
        Ok(origin) => origin,
        Err(fault) => return (fails(invalid(&fault), false), made_from),
    };
    let read = match read_secrets(ctx, name, backend, &block, &origin).await {
        Ok(read) => read,
        Err(missing) => {
            // A Secret that could not be read says nothing about the connection that was made from it.
            return match (missing.verdict.reason, ctx.connections.link(name)) {
                (Reason::BackendError, Some(_)) => (Attempt::AsBefore, known.to_owned()),
                _ => {
                    // Whoever applies a Backend and its Secret together, in any order, should not wait for the next round.
                    let wait = ctx.failures.next(&item(name), SECRET_SOON, ctx.options.secret_interval);
                    let fails =
                        Attempt::Fails { verdict: missing.verdict, no_credential: missing.gone, wait };
                    (fails, made_from)
                }
            };
        }
    };
    made_from.push_str(&read.versions);
    let same = made_from == known;
    // What the account lacked it may have by now, for whoever asks.
    let holds = |link: Link| link.lacks.is_empty() || !asked;
    if same && ctx.connections.link(name).is_some_and(holds) && !ctx.connections.doubted(name) {
        return (Attempt::AsBefore, made_from);
    }
    if same && !asked && !ctx.connections.doubted(name) {
        let too_early = ctx.connections.next_probe(name).filter(|at| Instant::now() < *at);
        if let (Some(at), Some(Connection::Broken { reason, message, no_credential, .. })) =
            (too_early, ctx.connections.get(name))
        {
            let verdict = Verdict { reason, message };
            let wait = at.saturating_duration_since(Instant::now());
            return (Attempt::Fails { verdict, no_credential, wait }, made_from);
        }
    }
    (probe(ctx, name, backend, &block, vendor, &origin, read).await, made_from)
}

fn invalid(fault: &Fault) -> Verdict {
    Verdict::new(
        Reason::Invalid,
        format!("spec.{}: {}", fault.field.trim_start_matches("spec."), fault.message),
    )
}

struct Read {
    secrets: BTreeMap<String, secrecy::SecretString>,
    ca: Option<Vec<u8>>,
    versions: String,
    digest: String,
}

async fn read_secrets(
    ctx: &Context,
    name: &Name,
    backend: &Backend,
    block: &Block,
    origin: &Url,
) -> Result<Read, secrets::Missing> {
    let host = host_and_port(origin);
    let mut read =
        Read { secrets: BTreeMap::new(), ca: None, versions: String::new(), digest: String::new() };
    // What the block says besides is the session's too: another account's name, say, or who says who is in groups.
    let mut all = block.settings.to_string();
    for (field, reference) in &block.secrets {
        let value = secrets::read(&ctx.client, &name.namespace, reference, Some(&host)).await?;
        read.versions.push_str(&format!(" {field}={}", value.version));
        all.push_str(&format!("\n{field}={}", value.secret.expose_secret()));
        read.secrets.insert((*field).to_owned(), value.secret);
    }
    if let Some(reference) = backend.spec.tls.as_ref().and_then(|tls| tls.ca_secret_ref.as_ref()) {
        let value = secrets::read(&ctx.client, &name.namespace, reference, None).await?;
        read.versions.push_str(&format!(" ca={}", value.version));
        all.push_str(&format!("\nca={}", value.secret.expose_secret()));
        read.ca = Some(value.secret.expose_secret().as_bytes().to_vec());
    }
    read.digest = sha256_hex(all.as_bytes());
    Ok(read)
}

/// The host as the Secret has to name it: with the port where that is not the scheme's own.
fn host_and_port(origin: &Url) -> String {
    let host = origin.host_str().unwrap_or_default();
    origin.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

async fn probe(
    ctx: &Arc<Context>,
    name: &Name,
    backend: &Backend,
    block: &Block,
    vendor: &'static Vendor,
    origin: &Url,
    read: Read,
) -> Attempt {
    let limits = limits(&backend.spec);
    let connect = |budget: Arc<Budget>| {
        vendor.connect(Settings {
            block: block.settings.clone(),
            secrets: read.secrets.clone(),
            ca: read.ca.clone(),
            budget,
            dialling: ctx.options.dialling,
            observer: ctx.metrics.clone(),
        })
    };
    let pinned = backend.status.as_ref().and_then(|status| status.tenant.clone());
    // A pause that the account asked for holds for a try of the credential too.
    let there = origin.as_str().trim_end_matches('/');
    let known = pinned.as_ref().filter(|pin| pin.id.starts_with(&format!("{there}#")));
    let budget = known.and_then(|pin| ctx.tenants.budget(&pin.id));
    let first = match connect(budget.unwrap_or_else(|| Arc::new(Budget::new(limits)))) {
        Ok(client) => client,
        Err(fault) => {
            return Attempt::Fails {
                verdict: invalid(&fault),
                no_credential: false,
                wait: ctx.options.secret_interval,
            };
        }
    };
    let identity = match first.probe().await {
        Ok(identity) => identity,
        Err(error) => return failed(ctx, name, &error),
    };
    if let Some(verdict) = lost_kinds(ctx, name, &identity.lacks) {
        return Attempt::Fails { verdict, no_credential: false, wait: backoff(ctx, name) };
    }
    if let Some(pin) = &pinned
        && let Some(verdict) = another_account(pin, origin, &identity.anchors)
    {
        return Attempt::Fails { verdict, no_credential: false, wait: backoff(ctx, name) };
    }
    let alone = backend.uid().unwrap_or_default();
    let origin = origin.as_str().trim_end_matches('/');
    let tenant =
        ctx.tenants.of(origin, &identity, pinned.as_ref().map(|pin| pin.id.as_str()), &alone, limits);
    tenant.limit(name, Some(limits));
    let session = match ctx.connections.session(&tenant.id, &read.digest) {
        Some(session) => session,
        None => match connect(tenant.budget.clone()) {
            Ok(client) => Arc::new(Session::new(tenant.clone(), client, read.digest.clone())),
            Err(fault) => {
                return Attempt::Fails {
                    verdict: invalid(&fault),
                    no_credential: false,
                    wait: ctx.options.secret_interval,
                };
            }
        },
    };
    let mut anchors: Vec<String> = pinned.map(|pin| pin.anchors).unwrap_or_default();
    if anchors.is_empty() {
        anchors = identity.anchors.iter().take(ANCHORS).cloned().collect();
    }
    let link = Link {
        session,
        mode: backend.spec.mode.unwrap_or_default(),
        deletion: backend.spec.deletion_policy.unwrap_or_default(),
        interval: backend.spec.interval(),
        lacks: Arc::new(identity.lacks),
        expires: identity.expires,
    };
    Attempt::Works { link, pin: TenantPin { id: tenant.id.clone(), anchors }, identity: identity.description }
}

/// What the account has no more and objects of this Backend hold: they wait for it, and nobody is told that it is all removed.
fn lost_kinds(
    ctx: &Context,
    name: &Name,
    lacks: &BTreeMap<rolewright_core::model::Kind, String>,
) -> Option<Verdict> {
    struct Held(BTreeSet<String>);
    impl Visitor for Held {
        fn visit<K: Resolve + Stored>(&mut self, object: Arc<K>) {
            self.0.extend(object.held().iter().map(|held| held.kind.clone()));
        }
    }
    if lacks.is_empty() {
        return None;
    }
    let mut held = Held(BTreeSet::new());
    ctx.caches.each_of(name, &mut held);
    let (kind, why) = lacks.iter().find(|(kind, _)| held.0.contains(&kind.to_string()))?;
    Some(Verdict::new(
        Reason::Unsupported,
        format!(
            "{why}. Objects of this Backend hold {kind}s from when it had them, so all of its objects wait. Where it is gone for good, delete \
             those objects with deletionPolicy: Retain"
        ),
    ))
}

/// Held ids mean nothing in another account: there, everything would look removed.
fn another_account(pin: &TenantPin, origin: &Url, anchors: &BTreeSet<String>) -> Option<Verdict> {
    let there = origin.as_str().trim_end_matches('/');
    let moved = !pin.id.starts_with(&format!("{there}#"));
    let other = !pin.anchors.is_empty()
        && !anchors.is_empty()
        && !pin.anchors.iter().any(|anchor| anchors.contains(anchor));
    (moved || other).then(|| {
        Verdict::new(
            Reason::Conflict,
            format!(
                "this Backend was connected to the account {}, and now it points at another one. What its objects hold is in the first. \
                 Point it back, or create a new Backend, and new objects, for the other account",
                pin.id
            ),
        )
    })
}

fn failed(ctx: &Context, name: &Name, error: &Error) -> Attempt {
    let wait = match error.class {
        Class::Throttled(time) => time.max(Duration::from_secs(1)),
        // A back end that is down may be back any moment; a credential that is refused seldom mends itself.
        Class::Lost | Class::Transient => backoff(ctx, name) / 12,
        _ => backoff(ctx, name),
    };
    ctx.connections.set_next_probe(name, Some(Instant::now() + wait));
    let verdict = match error.class {
        Class::Unauthenticated => Verdict::new(
            Reason::Denied,
            format!(
                "the back end does not accept the credential ({}): put a valid one into the Secret",
                error.message
            ),
        ),
        _ => Verdict::of_error(error),
    };
    Attempt::Fails { verdict, no_credential: false, wait }
}

fn backoff(ctx: &Context, name: &Name) -> Duration {
    let (first, most) = ctx.options.probe_backoff;
    ctx.failures.next(&item(name), first, most)
}

fn item(name: &Name) -> Item {
    Item { kind: Kind::Backend, name: name.clone() }
}

fn limits(spec: &api::BackendSpec) -> Limits {
    let default = Limits::default();
    let requests = spec.requests.clone().unwrap_or_default();
    let or =
        |wanted: Option<i32>, default: u32| wanted.and_then(|n| u32::try_from(n).ok()).unwrap_or(default);
    Limits {
        per_second: or(requests.per_second, default.per_second),
        burst: or(requests.burst, default.burst),
        concurrency: or(requests.concurrency, default.concurrency),
    }
}

/// The status fields of a Backend: what is absent from a new status is removed.
const FIELDS: [&str; 9] = [
    "observedGeneration",
    "conditions",
    "vendor",
    "tenant",
    "identity",
    "capabilities",
    "counts",
    "sweepInterval",
    "lastHandledReconcileAt",
];

async fn write_status(
    ctx: &Context,
    name: &Name,
    backend: &Backend,
    said: Option<(&Verdict, Option<(&TenantPin, &String)>)>,
    going: bool,
    dependents: &Dependents,
) -> Result<(), WriteError> {
    let before = backend.status.clone().unwrap_or_default();
    let mut after = BackendStatus {
        observed_generation: backend.meta().generation,
        last_handled_reconcile_at: backend.annotations().get(annotations::RECONCILE_AT).cloned(),
        ..before.clone()
    };
    let mut verdict = said.map(|(verdict, _)| verdict.clone());
    if let Some(link) = ctx.connections.link(name) {
        let dialect = link.session.backend.dialect();
        after.vendor = Some(dialect.vendor().to_owned());
        let offered = dialect.capabilities().kinds().filter(|kind| !link.lacks.contains_key(kind));
        after.capabilities = offered.map(|kind| kind.to_string()).collect();
        let written =
            before.counts.clone().map(|counts| Swept { counts, stretched: before.sweep_interval.clone() });
        let swept = ctx.connections.swept(name, written);
        after.sweep_interval = swept.as_ref().and_then(|swept| swept.stretched.clone());
        after.counts = swept.map(|swept| swept.counts);
        verdict = match (verdict, link.session.suspect()) {
            (_, Some(why)) => Some(Verdict::new(Reason::BackendError, why)),
            (Some(verdict), None) => Some(verdict),
            (None, None) => Some(Verdict::new(
                Reason::Connected,
                format!("connected: {}", before.identity.clone().unwrap_or_default()),
            )),
        };
    }
    if let Some((_, Some((pin, identity)))) = said {
        after.tenant = Some(pin.clone());
        after.identity = Some(identity.clone());
    }
    if going {
        verdict = Some(Verdict::new(
            Reason::Deleting,
            format!(
                "waits for {} objects that hold something through it ({} of them are being deleted)",
                dependents.kept, dependents.going
            ),
        ));
    }
    if let Some(verdict) = verdict {
        let generation = backend.meta().generation;
        after.conditions = api::condition(
            verdict.reason,
            &verdict.message,
            generation,
            false,
            &before.conditions,
            Timestamp::now(),
        );
    }
    let expires = ctx.connections.link(name).and_then(|link| link.expires);
    ctx.metrics.expiry(name, expires);
    after.conditions.retain(|condition| condition.type_ != api::CREDENTIAL_EXPIRING);
    after.conditions.extend(
        expires.and_then(|at| {
            api::expiring(at, backend.meta().generation, &before.conditions, Timestamp::now())
        }),
    );
    if after == before {
        return Ok(());
    }
    writes::status(&ctx.client, &ctx.caches.backends, backend, &FIELDS, json!(after)).await?;
    said::log(&item(name), &before.conditions, &after.conditions);
    Ok(())
}
