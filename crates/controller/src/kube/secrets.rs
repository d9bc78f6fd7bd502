//! Secrets: read one by one with `get`, and only when the Secret itself names the host that its value would be sent to.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt};
use secrecy::SecretString;

use rolewright_api::{Reason, SecretKeyRef, annotations};
use rolewright_reconcile::readiness::Readiness;

use super::Destination;

/// A value and the version of the Secret it is from.
pub struct Value {
    /// The value.
    pub secret: SecretString,
    /// UID and resource version of the Secret.
    pub version: String,
}

/// Why a value is not available.
pub struct Missing {
    /// For the status.
    pub ready: Readiness,
    /// The value does not exist. False when the API server did not answer.
    pub gone: bool,
}

fn missing(reason: Reason, message: String) -> Missing {
    Missing { ready: Readiness::new(reason, message), gone: reason == Reason::NotFound }
}

/// Reads one value. `destination`: where it will be sent; None for a value that is not sent anywhere.
///
/// # Errors
/// A message that says what to do and never contains the value.
pub async fn read(
    client: &Client,
    namespace: &str,
    reference: &SecretKeyRef,
    destination: Option<&Destination>,
) -> Result<Value, Missing> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let SecretKeyRef { name, key } = reference;
    let secret = match api.get_opt(name).await {
        Ok(Some(secret)) => secret,
        Ok(None) => {
            let message = format!("there is no Secret {name} in this namespace");
            return Err(missing(Reason::NotFound, message));
        }
        Err(error) => {
            let message = format!("Secret {name} could not be read: {}", brief(&error));
            return Err(missing(Reason::BackendError, message));
        }
    };
    if let Some(destination) = destination {
        let named = secret.annotations().get(annotations::HOSTS).map(String::as_str).unwrap_or_default();
        if !named.split(',').any(|entry| destination.is_named_by(entry)) {
            return Err(not_named(name, namespace, named, &destination.entry()));
        }
    }
    let version =
        format!("{}/{}", secret.uid().unwrap_or_default(), secret.resource_version().unwrap_or_default());
    let data = secret.data.unwrap_or_default();
    let Some(bytes) = data.get(key) else {
        // A Secret that names the host agreed to be used here. Of any other, a user who can write Backends learns nothing.
        let known = match destination {
            Some(_) => {
                format!("; it has: {}", data.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
            }
            None => String::new(),
        };
        return Err(missing(Reason::NotFound, format!("Secret {name} has no key {key}{known}")));
    };
    match std::str::from_utf8(&bytes.0) {
        Ok(text) => Ok(Value { secret: SecretString::from(text.to_owned()), version }),
        Err(_) => Err(missing(Reason::Invalid, format!("key {key} of Secret {name} is not text"))),
    }
}

/// The Secret does not name the destination. The suggested command keeps the hosts that it names.
fn not_named(name: &str, namespace: &str, named: &str, entry: &str) -> Missing {
    let now = if named.is_empty() { "it names none".to_owned() } else { format!("it names {named:?}") };
    let all = if named.is_empty() { entry.to_owned() } else { format!("{named},{entry}") };
    let clear = if entry.starts_with("http://") { " without encryption" } else { "" };
    missing(
        Reason::Denied,
        format!(
            "Secret {name} does not name {entry} as a host that can receive its value ({now}). To allow it{clear}: \
             kubectl annotate --overwrite --namespace {namespace} secret {name} {}={all:?}",
            annotations::HOSTS
        ),
    )
}

fn brief(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        _ => "the Kubernetes API did not answer".to_owned(),
    }
}
