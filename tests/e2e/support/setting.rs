//! How a test's world is made: on which control plane, with whose rights, with which further arguments of the operator.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use control_plane::ControlPlane;
use kube::{
    Api, Client,
    api::{DynamicObject, Patch, PatchParams},
};
use rolewright_simulators::kit::{Options, Server};
use serde_json::{Value, json};

use super::{
    account::Account,
    cluster,
    objects::backend,
    operator::Operator,
    world::{KEY, World, resource},
};

/// What a [`World`] is made of.
pub struct Setting<'a> {
    plane: Option<&'a ControlPlane>,
    namespace: String,
    own_namespace: String,
    everywhere: bool,
    kubeconfig: Option<PathBuf>,
    args: Vec<String>,
}

impl<'a> Setting<'a> {
    /// A namespace of this name and a number, on the control plane of the run.
    pub fn new(name: &str) -> Self {
        let namespace = unique(name);
        Self {
            plane: None,
            own_namespace: namespace.clone(),
            namespace,
            everywhere: false,
            kubeconfig: None,
            args: Vec::new(),
        }
    }

    /// On another control plane.
    pub fn on(mut self, plane: &'a ControlPlane) -> Self {
        self.plane = Some(plane);
        self
    }

    /// The namespace, for what has to be there before the operator is.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The operator's own namespace; else it is the one that it serves.
    pub fn own_namespace(mut self, own: impl Into<String>) -> Self {
        self.own_namespace = own.into();
        self
    }

    /// The arguments say which namespaces are served. Only on a control plane of the test's own: nobody else's objects may be touched.
    pub fn everywhere(mut self) -> Self {
        self.everywhere = true;
        self
    }

    /// The operator acts as the user of this kubeconfig.
    pub fn kubeconfig(mut self, kubeconfig: PathBuf) -> Self {
        self.kubeconfig = Some(kubeconfig);
        self
    }

    /// Further arguments of the operator.
    pub fn args<T: ToString>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.to_string()));
        self
    }

    /// Makes it, without Secret and Backend.
    pub async fn world(self) -> World {
        self.around(Server::start(Options::new(KEY)).await.unwrap()).await
    }

    /// Makes it around an account.
    pub async fn around<V: Account>(self, sim: Server<V>) -> World<V> {
        let plane = match self.plane {
            Some(plane) => plane,
            None => cluster::shared().await,
        };
        let client = cluster::client(plane).await;
        make_namespace(&client, &self.namespace).await;
        make_namespace(&client, &self.own_namespace).await;
        let log = fresh_log(&self.namespace);
        let kubeconfig = self.kubeconfig.unwrap_or_else(|| plane.kubeconfig().to_owned());
        let mut args = vec!["--own-namespace".to_owned(), self.own_namespace];
        if !self.everywhere {
            args.extend(["--namespaces".to_owned(), self.namespace.clone()]);
        }
        args.extend(self.args);
        let operator =
            Operator::start(&kubeconfig, &log, &args.iter().map(String::as_str).collect::<Vec<_>>());
        World { namespace: self.namespace, sim, client, operator, kubeconfig, log, args }
    }

    /// Makes it, with a Secret and a Backend that has these further fields.
    pub async fn connected(self, more: Value) -> World {
        let world = self.world().await;
        world.secret(KEY).await;
        world.apply(backend(&world.sim.url(), more)).await;
        world
    }
}

/// A name that no other test of this run has.
pub fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// An empty file for an operator's log.
pub fn fresh_log(name: &str) -> PathBuf {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.log"));
    let _ = std::fs::remove_file(&log);
    log
}

/// Makes a namespace, if it is not there yet.
pub async fn make_namespace(client: &Client, name: &str) {
    let namespaces: Api<DynamicObject> = Api::all_with(client.clone(), &resource("v1", "Namespace"));
    let body = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    namespaces.patch(name, &PatchParams::apply("test").force(), &Patch::Apply(&body)).await.unwrap();
}

/// A control plane for one test alone, with our definitions: for what would disturb every other test.
pub async fn own_plane(name: &str) -> ControlPlane {
    own_plane_with(name, &[]).await
}

/// The same, with feature gates such as `WatchList=false`.
pub async fn own_plane_with(name: &str, feature_gates: &[&str]) -> ControlPlane {
    let feature_gates = feature_gates.iter().map(ToString::to_string).collect();
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("e2e-{name}"));
    tokio::task::spawn_blocking(move || {
        let plane =
            ControlPlane::start(&control_plane::Options { dir, controller_manager: true, feature_gates })
                .unwrap();
        cluster::install(&plane);
        plane
    })
    .await
    .unwrap()
}
