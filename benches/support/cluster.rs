//! A real API server with the CRDs, and the writes that it counts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::http::Request;
use control_plane::{ControlPlane, Options};
use k8s_openapi::{
    api::core::v1::Namespace, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, Config, ResourceExt,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
    runtime::{conditions::is_crd_established, wait::await_condition},
};
use rolewright_api as api;
use rolewright_api::GROUP;
use tempfile::TempDir;

use super::{Outcome, samples::samples};

/// A control plane for the benchmark. Dropping it stops the servers.
pub struct Cluster {
    /// A client with all rights.
    pub client: Client,
    plane: ControlPlane,
    dir: TempDir,
}

impl Cluster {
    /// Starts the control plane, and waits until it serves the CRDs.
    ///
    /// # Errors
    /// If a server does not start, or a CRD is refused.
    pub async fn start() -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        let options = Options { dir: dir.path().join("plane"), ..Options::default() };
        let plane = tokio::task::spawn_blocking(move || ControlPlane::start(&options)).await??;
        let kubeconfig = Kubeconfig::read_from(plane.kubeconfig())?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let client = Client::try_from(config)?;
        let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
        for crd in api::crds() {
            crds.create(&PostParams::default(), &crd).await?;
            let name = crd.name_any();
            let established = await_condition(crds.clone(), &name, is_crd_established());
            tokio::time::timeout(Duration::from_secs(30), established).await??;
        }
        Ok(Self { client, plane, dir })
    }

    /// A kubeconfig with all rights, for other processes.
    pub fn kubeconfig(&self) -> &Path {
        self.plane.kubeconfig()
    }

    /// The path for the log of a process.
    pub fn log(&self, name: &str) -> PathBuf {
        self.dir.path().join(name).with_extension("log")
    }

    /// Creates a namespace. Each measurement has its own.
    ///
    /// # Errors
    /// If the API server refuses it.
    pub async fn namespace(&self, name: &str) -> Outcome<()> {
        let namespace: Namespace =
            serde_json::from_value(serde_json::json!({ "metadata": { "name": name } }))?;
        Api::<Namespace>::all(self.client.clone()).create(&PostParams::default(), &namespace).await?;
        Ok(())
    }

    /// The writes since the start.
    ///
    /// # Errors
    /// If the API server does not answer.
    pub async fn writes(&self) -> Outcome<Writes> {
        let page = self.client.request_text(Request::get("/metrics").body(Vec::new())?).await?;
        let mut counts = BTreeMap::new();
        for sample in samples(&page).filter(|sample| sample.name == "apiserver_request_total") {
            let label = |name| sample.label(name).unwrap_or_default();
            let (resource, verb) = (label("resource"), label("verb"));
            let counted = label("group") == GROUP || resource == "events";
            if counted && !matches!(verb, "GET" | "LIST" | "WATCH") {
                *counts.entry((resource.to_owned(), verb.to_owned())).or_default() += sample.value;
            }
        }
        Ok(Writes { counts })
    }
}

/// Counts of writes to custom resources and Events, by resource and verb. Refused writes count too.
pub struct Writes {
    counts: BTreeMap<(String, String), f64>,
}

impl Writes {
    /// The writes after `earlier`.
    pub fn since(&self, earlier: &Writes) -> Writes {
        let difference = |(key, count): (&(String, String), &f64)| {
            (key.clone(), count - earlier.counts.get(key).copied().unwrap_or_default())
        };
        Writes { counts: self.counts.iter().map(difference).collect() }
    }

    /// The number of all writes.
    pub fn all(&self) -> f64 {
        self.counts.values().sum()
    }

    /// The number of writes to a resource.
    pub fn of(&self, resource: &str) -> f64 {
        self.counts.iter().filter(|((of, _), _)| of == resource).map(|(_, count)| count).sum()
    }

    /// The number of patches of a resource. The benchmark creates objects, and only the operator patches them.
    pub fn patches(&self, resource: &str) -> f64 {
        self.counts.get(&(resource.to_owned(), "PATCH".to_owned())).copied().unwrap_or_default()
    }
}
