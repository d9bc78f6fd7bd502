//! A Backend or a ClusterBackend, for code that treats both alike.

use std::borrow::Cow;

use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::{Resource, core::DynamicResourceScope};
use serde::{Deserialize, Serialize};

use super::{
    GROUP,
    backend::{Backend, BackendSpec, BackendStatus},
    cluster_backend::{ClusterBackend, ClusterTerms},
    common::BackendRefKind,
};

/// A Backend, or a ClusterBackend if it has no namespace.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(try_from = "Stored")]
pub struct AnyBackend {
    /// The metadata.
    pub metadata: ObjectMeta,
    /// The fields that both kinds have.
    pub spec: BackendSpec,
    /// What only a ClusterBackend has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<ClusterTerms>,
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<BackendStatus>,
}

/// The form in which the API server returns either kind.
#[derive(Deserialize)]
struct Stored {
    metadata: ObjectMeta,
    spec: StoredSpec,
    status: Option<BackendStatus>,
}

#[derive(Deserialize)]
struct StoredSpec {
    #[serde(flatten)]
    backend: BackendSpec,
    #[serde(flatten)]
    terms: Option<ClusterTerms>,
}

impl TryFrom<Stored> for AnyBackend {
    type Error = &'static str;

    fn try_from(Stored { metadata, spec, status }: Stored) -> Result<Self, Self::Error> {
        let StoredSpec { backend, terms } = spec;
        // Fields of the other kind mean nothing: the schema of a Backend does not have them.
        let terms = terms.filter(|_| metadata.namespace.is_none());
        if metadata.namespace.is_none() && terms.is_none() {
            // Without terms, nothing would be limited.
            return Err("the fields of spec that only a ClusterBackend has cannot be read");
        }
        Ok(Self { metadata, spec: backend, terms, status })
    }
}

impl AnyBackend {
    /// The kind of this object.
    pub fn kind(&self) -> BackendRefKind {
        match self.metadata.namespace {
            Some(_) => BackendRefKind::Backend,
            None => BackendRefKind::ClusterBackend,
        }
    }

    /// The reference of an Event to this object.
    pub fn reference(&self) -> ObjectReference {
        self.object_ref(&self.kind())
    }
}

impl Resource for AnyBackend {
    type DynamicType = BackendRefKind;
    type Scope = DynamicResourceScope;

    fn kind(kind: &BackendRefKind) -> Cow<'_, str> {
        match kind {
            BackendRefKind::Backend => Backend::kind(&()),
            BackendRefKind::ClusterBackend => ClusterBackend::kind(&()),
        }
    }

    fn group(_: &BackendRefKind) -> Cow<'_, str> {
        GROUP.into()
    }

    fn version(_: &BackendRefKind) -> Cow<'_, str> {
        Backend::version(&())
    }

    fn plural(kind: &BackendRefKind) -> Cow<'_, str> {
        match kind {
            BackendRefKind::Backend => Backend::plural(&()),
            BackendRefKind::ClusterBackend => ClusterBackend::plural(&()),
        }
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_kinds_are_read_and_only_one_has_terms() {
        let spec = json!({
            "lenses": {"url": "https://lenses.example.com", "serviceAccount": "rolewright",
                "credentials": {"tokenSecretRef": {"name": "lenses", "key": "token"}}},
            "sweepInterval": "1m", "secretNamespace": "rolewright", "hosts": ["lenses.example.com"],
            "namespaceSelector": {},
        });
        let read = |metadata| -> AnyBackend {
            serde_json::from_value(json!({"metadata": metadata, "spec": spec})).expect("a Backend")
        };
        let shared = read(json!({"name": "lenses"}));
        assert_eq!(shared.kind(), BackendRefKind::ClusterBackend);
        assert_eq!(shared.terms.expect("terms").secret_namespace, "rolewright");
        assert_eq!(shared.spec.sweep_interval.as_deref(), Some("1m"));
        let mut unreadable = json!({"metadata": {"name": "lenses"}, "spec": spec});
        unreadable["spec"]["ceiling"] = json!({"users": "alice"});
        assert!(serde_json::from_value::<AnyBackend>(unreadable).is_err(), "it would have no ceiling");
        let own = read(json!({"name": "lenses", "namespace": "team-a"}));
        assert_eq!((own.kind(), own.terms), (BackendRefKind::Backend, None));
    }
}
