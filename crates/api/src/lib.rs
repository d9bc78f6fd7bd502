//! The custom resources: serde types, schemas and admission rules. This package depends on no other package of the workspace.
//!
//! No schema has a `default:`: the API server would store the default, and GitOps tools would report a permanent difference. The code
//! applies the defaults.

mod access_offer;
mod access_request;
mod any_backend;
mod approval;
mod arize;
mod backend;
mod block;
mod ceiling;
mod cluster_backend;
mod common;
mod conditions;
mod grafana;
mod guards;
mod lenses;
mod prune;
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
    access_offer::{AccessLimits, AccessOffer, AccessOfferSpec, Users},
    access_request::{
        AccessApproval, AccessBinding, AccessGrant, AccessRequest, AccessRequestSpec, AccessRequestStatus,
        AccessState,
    },
    any_backend::AnyBackend,
    approval::{
        Approval, ApprovalSpec, ApprovalState, ApprovalStatus, ApprovalTarget, ApprovedKind, CoveredPlan,
        Decision,
    },
    arize::{ArizeConnection, ArizeCredentials},
    backend::{Backend, BackendSpec, BackendStatus, Counts, Requests, TenantPin, Tls},
    block::{Block, SecretKeyRef},
    ceiling::{Allow, Ceiling, Limit},
    cluster_backend::{ClusterBackend, ClusterBackendSpec, ClusterTerms},
    common::{Adopt, BackendRef, BackendRefKind, DeletionPolicy, Mode, annotations},
    conditions::{
        CREDENTIAL_EXPIRING, DOCUMENTATION, EXPIRING, Reason, SYNCED, SyncFailure, condition,
        credential_expiring, grants_expiring, synced,
    },
    grafana::{GrafanaConnection, GrafanaCredentials, GrafanaRole},
    guards::{Guards, RemovalCount, WaitingPlans},
    lenses::{LensesConnection, LensesCredentials, LensesMembership},
    prune::{Prune, PruneSpec, PrunedKind},
    restriction::{ResourceRef, ResourceRestriction, ResourceRestrictionSpec},
    role::{Effect, MAX_EXPANDED_RULES, Role, RoleSpec, Rule, TOO_MANY_RULES},
    role_binding::{
        ExternalRole, Membership, MissingSubjects, RoleBinding, RoleBindingSpec, RoleBindingStatus, RoleRef,
        Scope, Subject, SubjectKind,
    },
    status::{
        ApprovalRecord, Fields, Guarded, HeldEntry, HeldState, ObjectStatus, Origin, PlanStatus,
        PlannedChange, ResolvedName, SubjectState, SubjectStatus, WaitingPlan,
    },
    zenml::{ZenmlConnection, ZenmlCredentials, ZenmlLevel, ZenmlPermissionForm, ZenmlRole},
};

/// The API group of all custom resources.
pub const GROUP: &str = "rolewright.dev";

/// The finalizer of every object that manages external things. It keeps the object until Rolewright has deleted or released them.
pub const FINALIZER: &str = "rolewright.dev/hold";

/// Goes up with each incompatible change of the schemas. If the installed definitions have another level, the operator writes nothing.
pub const SCHEMA_LEVEL: &str = "1";

/// The names of all custom resource definitions.
pub const CRD_NAMES: [fn() -> &'static str; 9] = [
    Backend::crd_name,
    ClusterBackend::crd_name,
    Role::crd_name,
    RoleBinding::crd_name,
    ResourceRestriction::crd_name,
    Approval::crd_name,
    AccessOffer::crd_name,
    AccessRequest::crd_name,
    Prune::crd_name,
];

/// All custom resource definitions, each annotated with the [`SCHEMA_LEVEL`].
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut crds = vec![
        Backend::crd(),
        ClusterBackend::crd(),
        Role::crd(),
        RoleBinding::crd(),
        ResourceRestriction::crd(),
        Approval::crd(),
        AccessOffer::crd(),
        AccessRequest::crd(),
        Prune::crd(),
    ];
    for crd in &mut crds {
        let annotations = crd.metadata.annotations.get_or_insert_default();
        annotations.insert(annotations::SCHEMA_LEVEL.to_owned(), SCHEMA_LEVEL.to_owned());
    }
    crds
}
