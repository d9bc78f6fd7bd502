//! Starts and stops one simulator on a listen address.

use std::{
    future::IntoFuture,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    extract::{ConnectInfo, Request},
    middleware,
    response::Response,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tower::ServiceExt;

use super::{
    connection::{Line, Lines},
    control,
    observe::observe,
    options::{ADMIN, Options},
    vendor::{Vendor, World},
};

/// A running simulator. It stops when this is dropped.
pub struct Server<V: Vendor> {
    world: Arc<World<V>>,
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

impl<V: Vendor> Server<V> {
    /// Starts a simulator. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The address is not available, the tenant is not consistent, the prefix is not a path, or the token is empty.
    pub async fn start(options: Options<V>) -> io::Result<Self> {
        let listen = options.listen;
        let world = world(options).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let tcp = TcpListener::bind(listen).await?;
        let address = tcp.local_addr()?;
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "/_sim needs no credential and this address is not loopback: anyone who reaches it can change everything");
        }
        let world = Arc::new(world);
        let stopped = Arc::new(AtomicBool::new(false));
        let (stop, stop_requested) = oneshot::channel();
        let app = router(world.clone()).into_make_service_with_connect_info::<Line>();
        let serving = axum::serve(Lines::new(tcp, stopped.clone()), app).with_graceful_shutdown(async {
            // A dropped sender means the same as a message.
            let _ = stop_requested.await;
        });
        let task = tokio::spawn(serving.into_future());
        Ok(Self { world, address, stopped, stop: Some(stop), task })
    }

    /// The URL of the simulator without the prefix, such as `http://127.0.0.1:9101`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The listen address, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The tenant, log, faults and credentials.
    pub fn world(&self) -> &World<V> {
        &self.world
    }

    /// Reads or changes the tenant between two requests.
    pub fn edit<R>(&self, edit: impl FnOnce(&mut V::Tenant) -> R) -> R {
        edit(&mut self.world.tenant())
    }

    /// Changes the switches between two requests.
    pub fn switch(&self, change: impl FnOnce(&mut V::Switches)) {
        change(V::switches(&mut self.world.tenant()));
    }

    /// Stops at once: the port is closed, and pending requests get no answer. When this returns, another server can
    /// listen on the address.
    pub async fn stop(mut self) {
        self.shut_down();
        // Waits for the abort; its JoinError has no further information.
        let _ = (&mut self.task).await;
    }

    fn shut_down(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // Ends idle connections. The send fails if the server has already ended.
        let _ = self.stop.take().map(|stop| stop.send(()));
        self.task.abort();
    }
}

impl<V: Vendor> Drop for Server<V> {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// A simulator without a socket: for programs that run it and its clients in one thread, such as simulations.
pub struct InMemory<V: Vendor> {
    world: Arc<World<V>>,
    router: Router,
}

impl<V: Vendor> InMemory<V> {
    /// A simulator. The listen address of the options does not matter.
    ///
    /// # Errors
    /// The tenant is not consistent, the prefix is not a path, or the token is empty.
    pub fn new(options: Options<V>) -> Result<Self, String> {
        let world = Arc::new(world(options)?);
        Ok(Self { router: router(world.clone()), world })
    }

    /// The tenant, log, faults and credentials.
    pub fn world(&self) -> &World<V> {
        &self.world
    }

    /// Answers one request. None: a fault cut the connection.
    pub async fn answer(&self, mut request: Request) -> Option<Response> {
        let line = Line::in_memory();
        request.extensions_mut().insert(ConnectInfo(line.clone()));
        let answer = self.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        (!line.is_cut()).then_some(answer)
    }
}

fn world<V: Vendor>(options: Options<V>) -> Result<World<V>, String> {
    let Options { listen: _, token, prefix, mut tenant } = options;
    let prefix = prefix.trim_end_matches('/').to_owned();
    let is_path = prefix.is_empty() || (prefix.starts_with('/') && !prefix.contains(['{', '}', '*']));
    if !is_path {
        return Err(format!("the prefix {prefix} must start with / and must not contain {{, }} or *"));
    }
    let vendor = V::below(prefix);
    vendor.admit(&mut tenant)?;
    let admin = V::admin(&tenant);
    let world = World::new(vendor, tenant);
    world.credentials.add(ADMIN, &token, admin).map_err(|error| error.to_string())?;
    Ok(world)
}

fn router<V: Vendor>(world: Arc<World<V>>) -> Router {
    let vendor = world
        .vendor
        .routes()
        .layer(middleware::from_fn_with_state(world.clone(), observe::<V>))
        .with_state(world.clone());
    Router::new().nest("/_sim", control::routes(world)).fallback_service(vendor)
}
