//! What a request to the Kubernetes API is about, from its path and query.

use std::collections::BTreeMap;

use axum::http::Uri;
use serde_json::Value;
use url::form_urlencoded;

use super::api_server::Name;

/// The target of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The group and version, such as `rolewright.dev/v1alpha1` or `v1`.
    group_version: String,
    pub plural: String,
    /// None for all namespaces, and for kinds without a namespace.
    pub namespace: Option<String>,
    pub verb: Verb,
    pub is_status: bool,
    pub timeout_seconds: Option<u64>,
}

/// What a request wants of its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// One object.
    One(String),
    /// All objects, or a new one.
    List,
    /// Changes since a version; with the present objects first if `initial`.
    Watch { since: Option<u64>, initial: bool },
    /// The version of the server.
    Version,
}

impl Target {
    /// The target of this URI. None: there is no such path.
    pub fn of(uri: &Uri) -> Option<Self> {
        let query: BTreeMap<String, String> =
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let segments: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
        let (group_version, rest) = match segments.as_slice() {
            ["version"] => ("v1".to_owned(), &["version"][..]),
            ["api", version, rest @ ..] => ((*version).to_owned(), rest),
            ["apis", group, version, rest @ ..] => (format!("{group}/{version}"), rest),
            _ => return None,
        };
        let is_true = |name: &str| query.get(name).is_some_and(|value| value == "true");
        let many = || match is_true("watch") {
            true => Verb::Watch {
                since: query.get("resourceVersion").and_then(|version| version.parse().ok()),
                initial: is_true("sendInitialEvents"),
            },
            false => Verb::List,
        };
        let (namespace, plural, verb, is_status) = match rest {
            ["version"] => (None, "version", Verb::Version, false),
            ["namespaces", namespace, plural] => (Some(*namespace), *plural, many(), false),
            ["namespaces", namespace, plural, name] => {
                (Some(*namespace), *plural, Verb::One((*name).to_owned()), false)
            }
            ["namespaces", namespace, plural, name, "status"] => {
                (Some(*namespace), *plural, Verb::One((*name).to_owned()), true)
            }
            [plural] => (None, *plural, many(), false),
            [plural, name] => (None, *plural, Verb::One((*name).to_owned()), false),
            [plural, name, "status"] => (None, *plural, Verb::One((*name).to_owned()), true),
            _ => return None,
        };
        Some(Self {
            group_version,
            plural: plural.to_owned(),
            namespace: namespace.map(str::to_owned),
            verb,
            is_status,
            timeout_seconds: query.get("timeoutSeconds").and_then(|seconds| seconds.parse().ok()),
        })
    }

    /// Whether a list or a watch of this target shows an object.
    pub fn matches(&self, (plural, namespace, _): &Name) -> bool {
        *plural == self.plural && self.namespace.as_ref().is_none_or(|one| one == namespace)
    }

    /// The objects that a list of this target shows.
    pub fn select<'a>(
        &'a self,
        objects: &'a BTreeMap<Name, Value>,
    ) -> impl Iterator<Item = (&'a Name, &'a Value)> {
        objects.iter().filter(|(name, _)| self.matches(name))
    }

    /// The `apiVersion` of its objects.
    pub fn api_version(&self) -> &str {
        &self.group_version
    }

    /// The kind of its objects.
    pub fn kind(&self) -> &'static str {
        kind_of(&self.plural)
    }
}

/// The kinds of the custom resources, and their plurals.
const KINDS: [(&str, &str); 10] = [
    ("Backend", "backends"),
    ("ClusterBackend", "clusterbackends"),
    ("Namespace", "namespaces"),
    ("Role", "roles"),
    ("RoleBinding", "rolebindings"),
    ("ResourceRestriction", "resourcerestrictions"),
    ("Prune", "prunes"),
    ("Approval", "approvals"),
    ("AccessOffer", "accessoffers"),
    ("AccessRequest", "accessrequests"),
];

fn kind_of(plural: &str) -> &'static str {
    KINDS.iter().find(|(_, known)| *known == plural).map_or("Unknown", |(kind, _)| kind)
}

/// The plural of a kind.
pub fn plural_of(kind: &str) -> &'static str {
    match kind {
        "Secret" => "secrets",
        kind => KINDS.iter().find(|(known, _)| *known == kind).expect("a known kind").1,
    }
}
