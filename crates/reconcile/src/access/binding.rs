//! The RoleBinding of an AccessRequest, and how it is recognized.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt;
use rolewright_api::{
    AccessRequest, AccessRequestStatus, Adopt, ApprovalRecord, DeletionPolicy, Origin, RoleBinding,
    RoleBindingSpec, Subject, SubjectKind, annotations,
};

use crate::object::{ManagedObject, ObjectName, name_of};

/// What the AccessRequest of a RoleBinding says about the plans of that RoleBinding.
pub struct Requested {
    /// The Approval of the request, while the access lasts. It covers the grant also where each plan needs an Approval.
    pub approval: Option<ApprovalRecord>,
    /// The access is over: the removal of the grant needs no further approval.
    pub is_over: bool,
}

/// The name of the RoleBinding of a request: the same at each try.
pub(super) fn name_of_binding(request: &AccessRequest) -> String {
    const MAX_BYTES: usize = 200;
    const DIGITS: usize = 8;
    let (name, uid) = (request.name_any(), request.uid().unwrap_or_default());
    let name = name[..name.floor_char_boundary(MAX_BYTES)].trim_end_matches(['.', '-']);
    format!("{name}-{}", &uid[..uid.floor_char_boundary(DIGITS)])
}

/// The spec of the RoleBinding of a request, once something was granted. A grant that exists already is not adopted: it would be revoked at the end.
pub fn binding_of(status: &AccessRequestStatus) -> Option<RoleBindingSpec> {
    let grant = status.grant.as_ref()?;
    Some(RoleBindingSpec {
        backend_ref: grant.backend_ref.clone(),
        role_ref: grant.role_ref.clone(),
        subjects: vec![Subject { kind: SubjectKind::User, name: grant.user.clone() }],
        scope: grant.scope.clone(),
        starts_at: None,
        expires_at: Some(status.expires_at.clone()?),
        membership: None,
        missing_subjects: None,
        adopt: Some(Adopt::Never),
        mode: None,
        deletion_policy: Some(DeletionPolicy::Delete),
    })
}

/// The request that a RoleBinding names as its own.
pub fn request_of(binding: &RoleBinding) -> Option<ObjectName> {
    let name = binding.annotations().get(annotations::ACCESS_REQUEST)?;
    Some(ObjectName::new(&name_of(binding).namespace, name))
}

/// Whether the status of a request names this RoleBinding: before it is created by its name, then by its UID. What the RoleBinding says about itself proves nothing.
pub fn is_binding_of(binding: &RoleBinding, request: &AccessRequest) -> bool {
    let recorded = request.status.as_ref().and_then(|status| status.role_binding.as_ref());
    recorded.is_some_and(|recorded| {
        recorded.name == binding.name_any() && (recorded.uid.is_none() || recorded.uid == binding.uid())
    })
}

/// Whether a RoleBinding was made for a request, and manages nothing that was there before.
pub fn is_made_for(binding: &RoleBinding, request: &AccessRequest) -> bool {
    let is_owner = |owner: &OwnerReference| Some(&owner.uid) == request.uid().as_ref();
    binding.owner_references().iter().any(is_owner)
        && binding.held().iter().all(|held| held.origin == Origin::Created)
}

/// What a request says about the plans of its RoleBinding. None: the RoleBinding is not the one of the request. `role`: the UID of the Role
/// that it names.
pub fn requested(binding: &RoleBinding, request: &AccessRequest, role: Option<&str>) -> Option<Requested> {
    let status = request.status.as_ref().filter(|_| is_binding_of(binding, request))?;
    let grant = status.grant.as_ref()?;
    let is_over = status.end_reason.is_some();
    // It covers what was approved, and once: what somebody takes away afterwards is another decision.
    let is_covered = !is_over
        && !binding.is_being_deleted()
        && status.granted_at.is_none()
        && binding_of(status).as_ref() == Some(&binding.spec)
        && grant.role_uid.as_deref() == role;
    let approval = status.approval.as_ref().filter(|_| is_covered).map(|approval| ApprovalRecord {
        name: approval.name.clone(),
        uid: approval.uid.clone(),
        plan: status.plan.clone().unwrap_or_default(),
        approved_by: approval.approved_by.clone(),
        reason: approval.reason.clone(),
        remaining: Vec::new(),
    });
    Some(Requested { approval, is_over })
}
