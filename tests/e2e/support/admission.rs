//! The validation of the API server alone: a namespace that no operator serves.

use kube::{
    Api, Client,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::Value;

use super::{
    cluster::{client, make_namespace, resource, shared, unique},
    manifests::kind_and_name,
    objects::{GROUP_VERSION, strict_apply},
};

/// A namespace that no operator serves.
pub struct Admission {
    client: Client,
    /// The namespace.
    pub namespace: String,
}

impl Admission {
    /// Creates the namespace.
    pub async fn new() -> Self {
        let client = client(shared().await).await;
        let namespace = unique("admission");
        make_namespace(&client, &namespace).await;
        Self { client, namespace }
    }

    fn api(&self, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource(GROUP_VERSION, kind))
    }

    /// Applies an object. Returns the API server's message if it refuses the object.
    pub async fn apply(&self, object: &Value) -> Result<DynamicObject, String> {
        let (kind, name) = kind_and_name(object);
        self.api(kind).patch(name, &strict_apply(), &Patch::Apply(object)).await.map_err(message)
    }

    /// Changes an object by a merge patch.
    pub async fn merge(&self, kind: &str, name: &str, patch: Value) -> Result<DynamicObject, String> {
        self.api(kind).patch(name, &PatchParams::default(), &Patch::Merge(&patch)).await.map_err(message)
    }

    /// The stored object.
    pub async fn get(&self, kind: &str, name: &str) -> DynamicObject {
        self.api(kind).get(name).await.unwrap()
    }

    /// The API server refuses each object, and its message contains the words.
    pub async fn assert_refused(&self, cases: &[(&str, Value, &[&str])]) {
        let mut wrong = Vec::new();
        for (what, object, words) in cases {
            match self.apply(object).await {
                Ok(_) => wrong.push(format!("{what}: accepted")),
                Err(message) => {
                    let missing = words.iter().filter(|word| !message.contains(**word));
                    wrong.extend(missing.map(|word| format!("{what}: no {word:?} in: {message}")));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

fn message(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => panic!("{other}"),
    }
}
