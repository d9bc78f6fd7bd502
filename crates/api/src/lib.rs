//! The custom resources as users write them: serde types, schemas, admission rules. They know nobody else in the house.
//! Nothing has a `default:` in its schema, so that an object read back is what was written; defaults are methods here.

mod arize;
mod backend;
mod block;
mod common;
mod conditions;
mod grafana;
mod lenses;
mod restriction;
mod role;
mod role_binding;
mod status;
#[cfg(test)]
mod tests;
mod zenml;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

pub use self::{
    arize::{ArizeConnection, ArizeCredentials},
    backend::{Backend, BackendSpec, BackendStatus, Counts, Requests, TenantPin, Tls},
    block::{Block, SecretKeyRef},
    common::{Adopt, BackendRef, BackendRefKind, DeletionPolicy, Mode, annotations},
    conditions::{CREDENTIAL_EXPIRING, Reason, condition, expiring},
    grafana::{GrafanaConnection, GrafanaCredentials, GrafanaRole},
    lenses::{LensesConnection, LensesCredentials, LensesMembership},
    restriction::{ResourceRef, ResourceRestriction, ResourceRestrictionSpec},
    role::{Effect, Role, RoleSpec, Rule},
    role_binding::{
        ExternalRole, RoleBinding, RoleBindingSpec, RoleBindingStatus, RoleRef, Scope, Subject, SubjectKind,
    },
    status::{
        Fields, HeldEntry, HeldState, ObjectStatus, Origin, PlanStatus, PlannedChange, SubjectState,
        SubjectStatus,
    },
    zenml::{ZenmlConnection, ZenmlCredentials, ZenmlLevel, ZenmlRole},
};

/// The API group of all kinds.
pub const GROUP: &str = "rolewright.dev";

/// Keeps an object until what it holds is dealt with.
pub const FINALIZER: &str = "rolewright.dev/hold";

/// Counts incompatible changes of the schemas. An operator that meets custom resource definitions of another level writes nothing.
pub const SCHEMA_LEVEL: &str = "1";

/// The custom resource definitions, annotated with their [`SCHEMA_LEVEL`].
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut crds = vec![Backend::crd(), Role::crd(), RoleBinding::crd(), ResourceRestriction::crd()];
    for crd in &mut crds {
        let annotations = crd.metadata.annotations.get_or_insert_default();
        annotations.insert(annotations::SCHEMA_LEVEL.to_owned(), SCHEMA_LEVEL.to_owned());
    }
    crds
}
