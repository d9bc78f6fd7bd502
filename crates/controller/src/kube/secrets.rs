//! Secrets: read one by one with `get`, and only when the Secret itself names the host that its value would be sent to.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt};
use secrecy::SecretString;

use rolewright_api::{Reason, SecretKeyRef, annotations};
use rolewright_reconcile::readiness::Readiness;

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

/// Reads one value. `host`: where it will be sent; None for a value that is not sent anywhere.
///
/// # Errors
/// A message that says what to do and never contains the value.
pub async fn read(
    client: &Client,
    namespace: &str,
    reference: &SecretKeyRef,
    host: Option<&str>,
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
    if let Some(host) = host {
        let named = secret.annotations().get(annotations::HOSTS);
        let allowed =
            named.is_some_and(|hosts| hosts.split(',').any(|named| named.trim().eq_ignore_ascii_case(host)));
        if !allowed {
            let now = named.map_or("it names none".to_owned(), |hosts| format!("it names {hosts:?}"));
            return Err(missing(
                Reason::Denied,
                format!(
                    "Secret {name} does not name {host} as a host that may be sent its value ({now}). If it may: \
                     kubectl annotate --overwrite --namespace {namespace} secret {name} {}={host}",
                    annotations::HOSTS
                ),
            ));
        }
    }
    let version =
        format!("{}/{}", secret.uid().unwrap_or_default(), secret.resource_version().unwrap_or_default());
    let data = secret.data.unwrap_or_default();
    let Some(bytes) = data.get(key) else {
        let keys: Vec<&str> = data.keys().map(String::as_str).collect();
        let message = format!("Secret {name} has no key {key}; it has: {}", keys.join(", "));
        return Err(missing(Reason::NotFound, message));
    };
    match std::str::from_utf8(&bytes.0) {
        Ok(text) => Ok(Value { secret: SecretString::from(text.to_owned()), version }),
        Err(_) => Err(missing(Reason::Invalid, format!("key {key} of Secret {name} is not text"))),
    }
}

fn brief(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        _ => "the Kubernetes API did not answer".to_owned(),
    }
}
