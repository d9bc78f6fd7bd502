//! Builds a [`World`]: on which control plane, with whose rights, with which arguments of the operator.

use std::path::PathBuf;

use control_plane::ControlPlane;
use rolewright_simulators::kit::{Options, Server};
use serde_json::Value;

use super::{
    account::Account,
    cluster::{self, make_namespace, unique},
    operator::{Operator, fresh_log},
    world::{ADMIN_CREDENTIAL, World},
};

/// The settings of a [`World`].
pub struct WorldBuilder<'a> {
    plane: Option<&'a ControlPlane>,
    namespace: String,
    own_namespace: String,
    all_namespaces: bool,
    kubeconfig: Option<PathBuf>,
    args: Vec<String>,
}

impl<'a> WorldBuilder<'a> {
    /// The namespace has this name and a number. It is on the shared control plane.
    pub fn new(name: &str) -> Self {
        let namespace = unique(name);
        Self {
            plane: None,
            own_namespace: namespace.clone(),
            namespace,
            all_namespaces: false,
            kubeconfig: None,
            args: Vec::new(),
        }
    }

    /// Uses another control plane.
    pub fn on(mut self, plane: &'a ControlPlane) -> Self {
        self.plane = Some(plane);
        self
    }

    /// The namespace of the test, for what must exist before the operator starts.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The operator's own namespace. The default is the namespace that it serves.
    pub fn own_namespace(mut self, own: impl Into<String>) -> Self {
        self.own_namespace = own.into();
        self
    }

    /// Leaves out `--namespaces`: the further arguments decide which namespaces the operator serves. If that is all of them, the
    /// control plane must be a dedicated one.
    pub fn all_namespaces(mut self) -> Self {
        self.all_namespaces = true;
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

    /// The operator serves metrics and probes on a free port.
    pub fn listening(self) -> Self {
        self.args(["--listen", "127.0.0.1:0"])
    }

    /// A world with an Arize account, without Secret and Backend.
    pub async fn build(self) -> World {
        self.build_with(Server::start(Options::new(ADMIN_CREDENTIAL)).await.unwrap()).await
    }

    /// A world with this account, without Secret and Backend.
    pub async fn build_with<V: Account>(self, sim: Server<V>) -> World<V> {
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
        if !self.all_namespaces {
            args.extend(["--namespaces".to_owned(), self.namespace.clone()]);
        }
        args.extend(self.args);
        let operator =
            Operator::start(&kubeconfig, &log, &args.iter().map(String::as_str).collect::<Vec<_>>());
        World { namespace: self.namespace, sim, client, operator, kubeconfig, log, args }
    }

    /// A world with an Arize account, a Secret, and a Backend with these further fields in its spec.
    pub async fn build_connected(self, more: Value) -> World {
        let world = self.build().await;
        world.connect_with(more).await;
        world
    }
}
