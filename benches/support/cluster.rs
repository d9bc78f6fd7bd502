//! A real API server with the custom resource definitions on it, and what it counts of the writes that it took.

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

/// A control plane of its own, gone with this value.
pub struct Cluster {
    /// The administrator's client.
    pub client: Client,
    plane: ControlPlane,
    dir: TempDir,
}

impl Cluster {
    /// Starts one and waits until the definitions are served.
    ///
    /// # Errors
    /// Whatever kept it from starting.
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

    /// For whoever else is to talk to it.
    pub fn kubeconfig(&self) -> &Path {
        self.plane.kubeconfig()
    }

    /// Where a process of the run may write its log.
    pub fn log(&self, name: &str) -> PathBuf {
        self.dir.path().join(name).with_extension("log")
    }

    /// A namespace, so that no measurement sees another's objects.
    ///
    /// # Errors
    /// Of the API server.
    pub async fn namespace(&self, name: &str) -> Outcome<()> {
        let namespace: Namespace =
            serde_json::from_value(serde_json::json!({ "metadata": { "name": name } }))?;
        Api::<Namespace>::all(self.client.clone()).create(&PostParams::default(), &namespace).await?;
        Ok(())
    }

    /// The writes so far.
    ///
    /// # Errors
    /// Of the API server.
    pub async fn writes(&self) -> Outcome<Writes> {
        let page = self.client.request_text(Request::get("/metrics").body(Vec::new())?).await?;
        let mut counts = BTreeMap::new();
        for sample in samples(&page).filter(|sample| sample.name == "apiserver_request_total") {
            let label = |name| sample.label(name).unwrap_or_default();
            let (resource, verb) = (label("resource"), label("verb"));
            let ours = label("group") == GROUP || resource == "events";
            if ours && !matches!(verb, "GET" | "LIST" | "WATCH") {
                *counts.entry((resource.to_owned(), verb.to_owned())).or_default() += sample.value;
            }
        }
        Ok(Writes { counts })
    }
}

/// How many writes of our resources, and of Events, the API server took, by resource and verb. Refused ones count too.
pub struct Writes {
    counts: BTreeMap<(String, String), f64>,
}

impl Writes {
    /// What came after `earlier`.
    pub fn since(&self, earlier: &Writes) -> Writes {
        let difference = |(key, count): (&(String, String), &f64)| {
            (key.clone(), count - earlier.counts.get(key).copied().unwrap_or_default())
        };
        Writes { counts: self.counts.iter().map(difference).collect() }
    }

    /// All.
    pub fn all(&self) -> f64 {
        self.counts.values().sum()
    }

    /// Those of a resource.
    pub fn of(&self, resource: &str) -> f64 {
        self.counts.iter().filter(|((of, _), _)| of == resource).map(|(_, count)| count).sum()
    }

    /// Those of a resource that change an object. Objects are made by the benchmark itself, and changed by the operator.
    pub fn patches(&self, resource: &str) -> f64 {
        self.counts.get(&(resource.to_owned(), "PATCH".to_owned())).copied().unwrap_or_default()
    }
}
