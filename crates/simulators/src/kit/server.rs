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

use axum::{Router, middleware};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{
    ADMIN, Options, Vendor, World,
    connection::{Line, Lines},
    control,
    observe::observe,
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
    /// The address cannot be listened on, the tenant is not consistent, the prefix is no path, or the token is
    /// empty.
    pub async fn start(options: Options<V>) -> io::Result<Self> {
        let listen = options.listen;
        let world = world(options).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let tcp = TcpListener::bind(listen).await?;
        let address = tcp.local_addr()?;
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "/_sim asks for no credential, and this address is not loopback");
        }
        let world = Arc::new(world);
        let stopped = Arc::new(AtomicBool::new(false));
        let (stop, told_to_stop) = oneshot::channel();
        let app = router(world.clone()).into_make_service_with_connect_info::<Line>();
        let serving = axum::serve(Lines::new(tcp, stopped.clone()), app).with_graceful_shutdown(async {
            // A dropped sender means the same as a message.
            let _ = told_to_stop.await;
        });
        let task = tokio::spawn(serving.into_future());
        Ok(Self { world, address, stopped, stop: Some(stop), task })
    }

    /// Where the simulator listens, for instance `http://127.0.0.1:9101`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its tenant, log, faults and credentials.
    pub fn world(&self) -> &World<V> {
        &self.world
    }

    /// Looks at the tenant, or changes it, between two requests.
    pub fn edit<R>(&self, edit: impl FnOnce(&mut V::Tenant) -> R) -> R {
        edit(&mut self.world.tenant())
    }

    /// Lets the server behave otherwise from now on.
    pub fn switch(&self, change: impl FnOnce(&mut V::Switches)) {
        change(V::switches(&mut self.world.tenant()));
    }

    /// Stops at once: the port is closed, requests under way get no answer. When this returns, the address
    /// can be listened on again.
    pub async fn stop(mut self) {
        self.shut_down();
        // The abort is what is awaited; its JoinError says nothing new.
        let _ = (&mut self.task).await;
    }

    fn shut_down(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // Tells idle connections to end; no receiver is left if the server has ended by itself.
        let _ = self.stop.take().map(|stop| stop.send(()));
        self.task.abort();
    }
}

impl<V: Vendor> Drop for Server<V> {
    fn drop(&mut self) {
        self.shut_down();
    }
}

fn world<V: Vendor>(options: Options<V>) -> Result<World<V>, String> {
    let Options { listen: _, token, prefix, mut tenant } = options;
    let prefix = prefix.trim_end_matches('/').to_owned();
    let is_path = prefix.is_empty() || (prefix.starts_with('/') && !prefix.contains(['{', '}', '*']));
    if !is_path {
        return Err(format!("{prefix} is no path"));
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
