//! The Kubernetes side: watches, the work queue, the pipeline, sweeps, statuses, the Lease. It joins `api`, `engine` and `backends`.

mod apply;
mod assess;
mod bell;
mod cache;
mod changes;
mod connect;
mod connections;
mod context;
mod creates;
mod deletion;
mod events;
mod failing;
mod lease;
mod managed;
mod metrics;
mod outcome;
mod pipeline;
mod queue;
pub mod release;
mod resolve;
mod routes;
mod said;
mod schema;
mod secrets;
mod server;
mod sweep;
mod telling;
mod tenants;
mod verdict;
mod watch;
mod work;
mod writes;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kube::Client;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub use self::context::Options;
use self::{
    cache::Cache,
    connections::Connections,
    context::{Caches, Context},
    events::Events,
    metrics::Metrics,
    queue::{Failures, Item, Kind, Queue},
    server::Told,
    tenants::{Corrections, Tenants},
};
use rolewright_api::{Backend, ResourceRestriction, Role, RoleBinding};

/// Why the operator ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No way to the Kubernetes API was found.
    #[error("no way to the Kubernetes API was found: {0}")]
    Config(String),
    /// The address for metrics and probes cannot be listened on.
    #[error("{address} cannot be listened on: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Another process holds the Lease now: nothing may be written any more, so this process ends.
    #[error("the Lease was lost")]
    LeaseLost,
}

/// Runs the operator until `stop`.
///
/// # Errors
/// See [`RunError`]. Failures of the Kubernetes API or of back ends are not among them: those are waited out.
pub async fn run(
    options: Options,
    listen: Option<SocketAddr>,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let (client, watching) = clients(options.kubernetes.clone()).await?;
    let metrics = Arc::new(Metrics::new());
    let ready = Arc::new(AtomicBool::new(false));
    if let Some(address) = listen {
        let told = Told { metrics: metrics.clone(), ready: ready.clone() };
        server::listen(address, told).await.map_err(|source| RunError::Listen { address, source })?;
    }
    if !schema_fits(&client, &stop).await {
        return Ok(());
    }
    let identity = identity();
    let (events, event_writer) = Events::start(client.clone(), identity.clone());
    let (waker, queue) = queue::queue();
    let (backends, backend_changes) = Cache::<Backend>::new();
    let (roles, role_changes) = Cache::<Role>::new();
    let (bindings, binding_changes) = Cache::<RoleBinding>::new();
    let (restrictions, restriction_changes) = Cache::<ResourceRestriction>::new();
    let ctx = Arc::new(Context {
        client: client.clone(),
        caches: Caches { backends, roles, bindings, restrictions },
        waker,
        tenants: Tenants::new(options.settle),
        connections: Connections::default(),
        failures: Failures::default(),
        corrections: Corrections::default(),
        events,
        metrics,
        schema_fits: AtomicBool::new(true),
        options,
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(routes::backends(ctx.clone(), backend_changes));
    tasks.spawn(routes::managed(ctx.clone(), role_changes));
    tasks.spawn(routes::managed(ctx.clone(), binding_changes));
    tasks.spawn(routes::managed(ctx.clone(), restriction_changes));
    let listed = watch::start(&ctx, &watching, &mut tasks);
    tokio::select! {
        () = stop.cancelled() => return Ok(()),
        () = listed => {}
    }
    ready.store(true, Ordering::Relaxed);
    tasks.spawn(watch_schema(ctx.clone(), ready.clone()));
    tracing::info!("the caches are complete");
    let ended = lead(&ctx, queue, identity, stop).await;
    tasks.shutdown().await;
    drop(ctx);
    // What was told before the end is still written, within reason.
    let _ = tokio::time::timeout(Duration::from_secs(1), event_writer).await;
    ended
}

/// Waits for the Lease, works while it is held, and gives it up at the end.
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
    let lost = CancellationToken::new();
    let until = CancellationToken::new();
    let working = tokio::spawn({
        let (ctx, until) = (ctx.clone(), until.clone());
        async move { work(&ctx, queue, until).await }
    });
    let kept = elector.hold(&stop).await;
    if !kept {
        lost.cancel();
        ctx.schema_fits.store(false, Ordering::Relaxed);
        working.abort();
        return Err(RunError::LeaseLost);
    }
    until.cancel();
    let _ = working.await;
    elector.give_way().await;
    Ok(())
}

/// How long work under way may take to finish after a stop. What is not finished is safe: intents are recorded before they are acted on.
const GRACE: Duration = Duration::from_secs(7);

async fn work(ctx: &Arc<Context>, queue: Queue, stop: CancellationToken) {
    ctx.metrics.leading(true);
    tracing::info!("leading: objects are worked on");
    ctx.waker.rise();
    ctx.wake_all();
    let look = {
        let ctx = ctx.clone();
        move |item: Item| {
            let ctx = ctx.clone();
            let span = tracing::info_span!(
                "object",
                kind = item.kind.as_str(),
                namespace = %item.name.namespace,
                name = %item.name.name
            );
            async move { look_at(&ctx, item).await }.instrument(span)
        }
    };
    let panicked = {
        let ctx = ctx.clone();
        move |item: &Item| {
            ctx.metrics.panic(item.kind);
            tracing::error!(kind = item.kind.as_str(), namespace = %item.name.namespace, name = %item.name.name, "work on this object panicked");
            ctx.failures.next(item, Duration::from_secs(10), Duration::from_secs(600))
        }
    };
    let running = queue.run(ctx.options.workers, stop.clone(), look, panicked);
    let grace = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = running => {}
        () = grace => tracing::warn!("work under way did not finish in time and was left"),
    }
}

async fn look_at(ctx: &Arc<Context>, item: Item) -> Option<Duration> {
    ctx.metrics.look(item.kind);
    match item.kind {
        Kind::Backend => connect::look_at(ctx, &item.name).await,
        Kind::Role => pipeline::look_at::<Role>(ctx, &item.name).await,
        Kind::RoleBinding => pipeline::look_at::<RoleBinding>(ctx, &item.name).await,
        Kind::ResourceRestriction => pipeline::look_at::<ResourceRestriction>(ctx, &item.name).await,
    }
}

/// A client for calls and one for watches: calls have a deadline, and neither repeats what it may have done.
async fn clients(config: Option<kube::Config>) -> Result<(Client, Client), RunError> {
    const CALL: Duration = Duration::from_secs(30);
    // The API server ends a watch after 290 s at the latest, as the watcher asks it to.
    const WATCH: Duration = Duration::from_secs(320);
    let config = match config {
        Some(config) => config,
        None => kube::Config::infer().await.map_err(|error| RunError::Config(error.to_string()))?,
    };
    let client = |read: Duration| {
        let mut config = config.clone();
        config.read_timeout = Some(read);
        config.default_retry = false;
        Client::try_from(config).map_err(|error| RunError::Config(error.to_string()))
    };
    Ok((client(CALL)?, client(WATCH)?))
}

/// Tells this process from every other, also from its own predecessor.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "rolewright".to_owned());
    format!("{host}-{:08x}", fastrand::u32(..))
}

/// How often the definitions are looked at again.
const SCHEMA_PERIOD: Duration = Duration::from_secs(30);

/// Waits until the custom resource definitions fit. False when `stop` came first.
async fn schema_fits(client: &Client, stop: &CancellationToken) -> bool {
    let mut said = String::new();
    loop {
        let why = match schema::misfit(client).await {
            Ok(None) => return true,
            Ok(Some(misfit)) => misfit.why().to_owned(),
            Err(error) => format!("the custom resource definitions could not be read: {error}"),
        };
        if why != said {
            tracing::error!("nothing is written: {why}");
            said = why;
        }
        tokio::select! {
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
        // When one is missing, all may be on their way out, and the objects of the others have still to be let go.
        let other_level = misfit.filter(|misfit| matches!(misfit, schema::Misfit::Level(_)));
        let fits = other_level.is_none();
        let before = ctx.schema_fits.swap(fits, Ordering::Relaxed);
        if let Some(misfit) = other_level.filter(|_| before) {
            tracing::error!("nothing is written any more: {}", misfit.why());
        } else if fits && !before {
            ctx.wake_all();
        }
    }
}
