//! The namespaces that `--namespaces` names.

use futures::future::join_all;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client};

/// Logs a warning for each of these namespaces that does not exist: a misspelt one looks like a namespace without objects. Without the
/// right to read a namespace, or without an answer, it is unknown whether it exists, and nothing is logged.
pub async fn warn_of_missing(client: &Client, namespaces: &[String]) {
    let api: Api<Namespace> = Api::all(client.clone());
    let read = namespaces.iter().map(async |name| (name, api.get_metadata_opt(name).await));
    for (namespace, answer) in join_all(read).await {
        if matches!(answer, Ok(None)) {
            tracing::warn!(
                namespace,
                "--namespaces names the namespace {namespace}, which does not exist: correct the flag, or create the namespace; the \
                 operator serves it as soon as it exists"
            );
        }
    }
}
