//! Starts the operator: watches, the Lease, the queue, and their end.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use k8s_openapi::jiff::Timestamp;
use rolewright_api::{
    AccessOffer, AccessRequest, AnyBackend, Approval, Prune, ResourceRestriction, Role, RoleBinding,
};
use rolewright_reconcile::{
    account::{Accounts, BackendState, BackendStates, Corrections},
    decide::is_overdue,
    object::{ManagedObject, ObjectKind, ObjectRef},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::{
    access,
    approvals::{self, OpenApprovals},
    backend,
    context::{Context, Options},
    kube::{Cache, Caches, Clients, Definitions, Events, NamespaceLabels, lease, namespaces, schema, start},
    metrics::Metrics,
    object,
    queue::{self, Arrivals, BackOff, Group, Queue, Requests, SameAccount, Work, triggers},
    server::{self, ServerState},
};

/// Why the operator ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The address for metrics and probes is not available.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Another process holds the Lease now. Nothing can be written any more, so this process ends.
    #[error("the Lease was lost")]
    LeaseLost,
    /// A watch, or a task that follows one, ended. Without it the operator would act on old objects.
    #[error("a task that never ends has ended: {0}")]
    TaskEnded(String),
}

/// Runs the operator until `stop`. Dropping the future ends it as a crash does: nothing continues, and nothing is cleaned up.
///
/// # Errors
/// See [`RunError`]. Failures of the Kubernetes API or of back ends are retried and are not among them.
pub async fn run(
    options: Options,
    clients: Clients,
    listen: Option<SocketAddr>,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let Clients { calls: client, watches } = clients;
    let metrics = Arc::new(Metrics::new(options.build));
    let accounts = Arc::new(Accounts::new(options.settle));
    let ready = Arc::new(AtomicBool::new(false));
    if let Some(address) = listen {
        let state =
            ServerState { metrics: metrics.clone(), accounts: accounts.clone(), ready: ready.clone() };
        server::listen(address, state).await.map_err(|source| RunError::Listen { address, source })?;
    }
    if !wait_for_schema(&client, &stop).await {
        return Ok(());
    }
    tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        () = namespaces::warn_of_missing(&client, &options.namespaces) => {}
    }
    let identity = identity();
    let (events, event_writer) = Events::start(client.clone(), identity.clone(), metrics.dropped_events());
    let (enqueue, queue) = queue::queue();
    let (backends, backend_changes) = Cache::<AnyBackend>::new();
    let (roles, role_changes) = Cache::<Role>::new();
    let (bindings, binding_changes) = Cache::<RoleBinding>::new();
    let (restrictions, restriction_changes) = Cache::<ResourceRestriction>::new();
    let (prunes, prune_changes) = Cache::<Prune>::new();
    let (approvals, approval_changes) = Cache::<Approval>::new();
    let (offers, offer_changes) = Cache::<AccessOffer>::new();
    let (requests, request_changes) = Cache::<AccessRequest>::new();
    let (namespaces, namespace_changes) = NamespaceLabels::new();
    let alive = CancellationToken::new();
    let _ends_with_this = alive.clone().drop_guard();
    let ctx = Arc::new(Context {
        client: client.clone(),
        alive,
        caches: Caches {
            backends,
            roles,
            bindings,
            restrictions,
            prunes,
            approvals,
            offers,
            requests,
            namespaces,
        },
        definitions: Definitions::default(),
        queue: enqueue,
        accounts,
        backends: BackendStates::default(),
        back_off: BackOff::default(),
        arrivals: Arrivals::default(),
        requests: Requests::default(),
        approvals: OpenApprovals::default(),
        corrections: Corrections::default(),
        events,
        metrics,
        schema_fits: AtomicBool::new(true),
        options,
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(triggers::backends(ctx.clone(), backend_changes));
    tasks.spawn(triggers::namespaces(ctx.clone(), namespace_changes));
    tasks.spawn(triggers::managed(ctx.clone(), role_changes));
    tasks.spawn(triggers::managed(ctx.clone(), binding_changes));
    tasks.spawn(triggers::managed(ctx.clone(), restriction_changes));
    tasks.spawn(triggers::managed(ctx.clone(), prune_changes));
    tasks.spawn(approvals::follow(ctx.clone(), approval_changes));
    tasks.spawn(access::follow_offers(ctx.clone(), offer_changes));
    tasks.spawn(access::follow_requests(ctx.clone(), request_changes));
    let listed = start(&ctx.caches, &ctx.options.namespaces, &watches, &mut tasks);
    tokio::select! {
        biased;
        () = stop.cancelled() => return Ok(()),
        Some(ended) = tasks.join_next() => return Err(task_ended(ended)),
        () = listed => {}
    }
    ready.store(true, Ordering::Relaxed);
    tasks.spawn(watch_schema(ctx.clone(), ready.clone()));
    tracing::info!("the caches are complete");
    let ended = tokio::select! {
        biased;
        ended = lead(&ctx, queue, identity, stop) => ended,
        Some(ended) = tasks.join_next() => Err(task_ended(ended)),
    };
    tasks.shutdown().await;
    drop(ctx);
    // Events of the last changes are still written, for a short time.
    let _ = tokio::time::timeout(Duration::from_secs(1), event_writer).await;
    ended
}

fn task_ended(ended: Result<(), tokio::task::JoinError>) -> RunError {
    RunError::TaskEnded(ended.err().map_or_else(|| "without an error".to_owned(), |error| error.to_string()))
}

/// Waits for the Lease, works while this process holds it, and gives it up at the end.
async fn lead(
    ctx: &Arc<Context>,
    queue: Queue,
    identity: String,
    stop: CancellationToken,
) -> Result<(), RunError> {
    if !ctx.options.leader_elect {
        work(ctx, queue, stop).await;
        return Ok(());
    }
    let mut elector = lease::Elector::new(ctx.client.clone(), &ctx.options.own_namespace, identity);
    tracing::info!(namespace = ctx.options.own_namespace, lease = lease::NAME, "waiting for the Lease");
    if !elector.acquire(&stop).await {
        return Ok(());
    }
    let until = CancellationToken::new();
    let working = ctx.spawn({
        let (ctx, until) = (ctx.clone(), until.clone());
        async move { work(&ctx, queue, until).await }
    });
    let was_stopped = elector.hold(&stop).await;
    if !was_stopped {
        ctx.schema_fits.store(false, Ordering::Relaxed);
        working.abort();
        return Err(RunError::LeaseLost);
    }
    until.cancel();
    let _ = working.await;
    elector.give_up().await;
    Ok(())
}

/// How long reconciles under way can take after a stop. An unfinished one is safe: intents are recorded before writes.
const GRACE: Duration = Duration::from_secs(7);

async fn work(ctx: &Arc<Context>, queue: Queue, stop: CancellationToken) {
    ctx.metrics.set_leading(true);
    tracing::info!("leading: objects are reconciled");
    ctx.queue.open();
    ctx.enqueue_all();
    let running = queue.run(ctx.options.max_reconciles, stop.clone(), Reconciles(ctx.clone()));
    let grace = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        biased;
        () = running => {}
        () = grace => tracing::warn!("reconciles under way did not finish in time and were stopped"),
    }
}

/// The workers of the queue.
struct Reconciles(Arc<Context>);

impl Work for Reconciles {
    fn group(&self, object: &ObjectRef) -> Group {
        let caches = &self.0.caches;
        let backend = match object.kind {
            ObjectKind::Backend | ObjectKind::ClusterBackend => {
                let state = self.0.backends.get(&object.name);
                let has_failed = matches!(state, Some(BackendState::NotReady { .. }));
                return if has_failed { Group::FailedBackends } else { Group::Backends };
            }
            ObjectKind::Role => caches.roles.get(&object.name).map(|role| role.backend()),
            ObjectKind::RoleBinding => caches.bindings.get(&object.name).map(|binding| binding.backend()),
            ObjectKind::ResourceRestriction => {
                caches.restrictions.get(&object.name).map(|restriction| restriction.backend())
            }
            ObjectKind::Prune => caches.prunes.get(&object.name).map(|prune| prune.backend()),
            ObjectKind::AccessRequest => return Group::AccessRequests(object.name.namespace.clone()),
        };
        let backend = backend.unwrap_or_else(|| object.name.clone());
        match self.0.backends.account(&backend) {
            Some(account) => Group::Account(SameAccount(account)),
            None => Group::Unconnected(backend),
        }
    }

    fn is_overdue(&self, object: &ObjectRef) -> bool {
        let binding =
            (object.kind == ObjectKind::RoleBinding).then(|| self.0.caches.bindings.get(&object.name));
        binding.flatten().is_some_and(|binding| is_overdue(&binding, Timestamp::now()))
    }

    fn reconcile(&self, object: ObjectRef) -> impl Future<Output = Option<Duration>> + Send + 'static {
        let ctx = self.0.clone();
        let span = tracing::info_span!(
            "object",
            kind = object.kind.as_str(),
            namespace = %object.name.namespace,
            name = %object.name.name
        );
        async move {
            match tokio::time::timeout(DEADLINE, reconcile(&ctx, &object)).await {
                Ok(next) => next,
                Err(_) => {
                    tracing::error!(
                        "the reconcile did not end within {} s and was stopped",
                        DEADLINE.as_secs()
                    );
                    ctx.metrics.deadline(object.kind);
                    Some(ctx.back_off.next(&object, Duration::from_secs(10), Duration::from_secs(600)))
                }
            }
        }
        .instrument(span)
    }

    fn panicked(&self, object: &ObjectRef) -> Duration {
        self.0.metrics.panic(object.kind);
        tracing::error!(kind = object.kind.as_str(), namespace = %object.name.namespace, name = %object.name.name, "the reconcile of this object panicked");
        self.0.back_off.next(object, Duration::from_secs(10), Duration::from_secs(600))
    }
}

/// How long one reconcile can take. Stopping it is as safe as a crash: intents are recorded before writes.
const DEADLINE: Duration = Duration::from_secs(600);

async fn reconcile(ctx: &Arc<Context>, object: &ObjectRef) -> Option<Duration> {
    ctx.metrics.reconcile(object.kind);
    match object.kind {
        ObjectKind::Backend | ObjectKind::ClusterBackend => backend::reconcile(ctx, &object.name).await,
        ObjectKind::Role => object::reconcile::<Role>(ctx, &object.name).await,
        ObjectKind::RoleBinding => object::reconcile::<RoleBinding>(ctx, &object.name).await,
        ObjectKind::ResourceRestriction => object::reconcile::<ResourceRestriction>(ctx, &object.name).await,
        ObjectKind::Prune => object::reconcile::<Prune>(ctx, &object.name).await,
        ObjectKind::AccessRequest => access::reconcile(ctx, &object.name).await,
    }
}

/// The identity of this process: different from every other process, also from its own predecessor.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "rolewright".to_owned());
    format!("{host}-{:08x}", fastrand::u32(..))
}

/// The time between two checks of the CRDs.
const SCHEMA_PERIOD: Duration = Duration::from_secs(30);

/// Waits until the CRDs fit. False when `stop` came first.
async fn wait_for_schema(client: &kube::Client, stop: &CancellationToken) -> bool {
    let mut reported = String::new();
    loop {
        let why = match schema::misfit(client).await {
            Ok(None) => return true,
            Ok(Some(misfit)) => misfit.why().to_owned(),
            Err(error) => format!("the custom resource definitions could not be read: {error}"),
        };
        if why != reported {
            tracing::error!("nothing is written: {why}");
            reported = why;
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return false,
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
    }
}

async fn watch_schema(ctx: Arc<Context>, ready: Arc<AtomicBool>) {
    loop {
        tokio::time::sleep(SCHEMA_PERIOD).await;
        let Ok(misfit) = schema::misfit(&ctx.client).await else { continue };
        ready.store(misfit.is_none(), Ordering::Relaxed);
        // When one CRD is missing, all can be about to be deleted, and the objects of the others must still be released.
        let other_level = misfit.filter(|misfit| matches!(misfit, schema::Misfit::Level(_)));
        let fits = other_level.is_none();
        let did_fit = ctx.schema_fits.swap(fits, Ordering::Relaxed);
        ctx.metrics.set_schema_fits(fits);
        if let Some(misfit) = other_level.filter(|_| did_fit) {
            tracing::error!("nothing is written any more: {}", misfit.why());
        } else if fits && !did_fit {
            ctx.enqueue_all();
        }
    }
}
