//! Secrets: read one by one with `get`, and only when the Secret, or its Namespace, names the host that its value would be
//! sent to.

use k8s_openapi::api::core::v1::{Namespace, Secret};
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

impl Missing {
    /// A ClusterBackend does not list the host of its own connection.
    pub fn not_a_host(destination: &Destination) -> Self {
        let entry = destination.entry();
        missing(
            Reason::Denied,
            format!("spec.hosts does not name {entry}, the host of the connection: add it"),
        )
    }
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
            let message = format!("there is no Secret {name} in namespace {namespace}");
            return Err(missing(Reason::NotFound, message));
        }
        Err(error) => {
            let message = format!("Secret {name} could not be read: {}", brief(&error));
            return Err(missing(Reason::BackendError, message));
        }
    };
    if let Some(destination) = destination {
        let hosts = match secret.annotations().get(annotations::HOSTS) {
            Some(own) => Hosts::OfSecret(own.clone()),
            None => of_namespace(client, namespace, name).await?,
        };
        if !hosts.entries().any(|entry| destination.is_named_by(entry)) {
            return Err(not_named(name, namespace, &hosts, &destination.entry()));
        }
    }
    let version =
        format!("{}/{}", secret.uid().unwrap_or_default(), secret.resource_version().unwrap_or_default());
    let data = secret.data.unwrap_or_default();
    let Some(bytes) = data.get(key) else {
        // A Secret for which the host is named agreed to be used here. Of any other, a user who can write Backends learns nothing.
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

/// The hosts that can receive the values of a Secret.
enum Hosts {
    /// The Secret has the annotation.
    OfSecret(String),
    /// It has none, so the annotation of the Namespace counts: the hosts that it names for this Secret.
    OfNamespace(Vec<String>),
    /// It has none, and the operator has no right to read the Namespace.
    Unreadable,
}

impl Hosts {
    fn entries(&self) -> impl Iterator<Item = &str> {
        let (own, others) = match self {
            Hosts::OfSecret(own) => (Some(own), &[][..]),
            Hosts::OfNamespace(lists) => (None, lists.as_slice()),
            Hosts::Unreadable => (None, &[][..]),
        };
        own.into_iter()
            .chain(others)
            .flat_map(|list| list.split(','))
            .filter(|entry| !entry.trim().is_empty())
    }
}

/// What the Namespace says about a Secret. Another controller that writes the Secret does not keep an annotation of the Secret; and users
/// who can write Secrets cannot write Namespaces.
async fn of_namespace(client: &Client, namespace: &str, secret: &str) -> Result<Hosts, Missing> {
    match Api::<Namespace>::all(client.clone()).get_opt(namespace).await {
        Ok(found) => {
            let text = found.and_then(|mut found| found.annotations_mut().remove(annotations::SECRET_HOSTS));
            Ok(Hosts::OfNamespace(lists_for(secret, &text.unwrap_or_default())))
        }
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(Hosts::Unreadable),
        Err(error) => {
            let message = format!("Namespace {namespace} could not be read: {}", brief(&error));
            Err(missing(Reason::BackendError, message))
        }
    }
}

/// The lists of hosts for a Secret: the annotation has lines, or parts between semicolons, of the form `<secret>=<host>,<host>`.
fn lists_for(secret: &str, annotation: &str) -> Vec<String> {
    let parts = annotation.split(['\n', ';']).filter_map(|part| part.split_once('='));
    parts.filter(|(name, _)| name.trim() == secret).map(|(_, hosts)| hosts.to_owned()).collect()
}

/// Neither the Secret nor its Namespace names the destination. The suggested command keeps the hosts that the Secret names.
fn not_named(name: &str, namespace: &str, hosts: &Hosts, entry: &str) -> Missing {
    let named = hosts.entries().collect::<Vec<_>>().join(",");
    let now = if named.is_empty() { "it names none".to_owned() } else { format!("it names {named:?}") };
    let all = match hosts {
        Hosts::OfSecret(own) if !named.is_empty() => format!("{own},{entry}"),
        _ => entry.to_owned(),
    };
    let clear = if entry.starts_with("http://") { " without encryption" } else { "" };
    let mut message = format!(
        "Secret {name} does not name {entry} as a host that can receive its value ({now}). To allow it{clear}: \
         kubectl annotate --overwrite --namespace {namespace} secret {name} {}={all:?}",
        annotations::HOSTS
    );
    let of_namespace = annotations::SECRET_HOSTS;
    match hosts {
        Hosts::OfSecret(_) => {}
        Hosts::OfNamespace(_) => message.push_str(&format!(
            ". If another controller writes the Secret, add \"{name}={entry}\" to the annotation {of_namespace} of Namespace \
             {namespace} instead"
        )),
        Hosts::Unreadable => message.push_str(&format!(
            ". The annotation {of_namespace} of Namespace {namespace} is not used: the operator has no right to get the Namespace"
        )),
    }
    missing(Reason::Denied, message)
}

fn brief(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        _ => "the Kubernetes API did not answer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotation_of_a_namespace_has_lines_or_parts() {
        let text = "grafana-token=grafana.example.com, grafana.internal:3000\n arize-key = api.arize.com;arize-key=b\n\nnonsense";
        let named = |secret: &str| {
            let hosts = Hosts::OfNamespace(lists_for(secret, text));
            hosts.entries().map(|entry| entry.trim().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(named("grafana-token"), ["grafana.example.com", "grafana.internal:3000"]);
        assert_eq!(named("arize-key"), ["api.arize.com", "b"]);
        assert_eq!(named("token"), [""; 0]);
        assert_eq!(named("nonsense"), [""; 0]);
    }
}
