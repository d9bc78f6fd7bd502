//! AccessRequests: writes what becomes of each, and creates and deletes its RoleBinding.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::OwnerReference, jiff::Timestamp};
use kube::{Api, Resource, ResourceExt, api::ObjectMeta};
use rolewright_api::{
    AccessBinding, AccessOffer, AccessRequest, AccessRequestStatus, AccessState, ApprovalState, RoleBinding,
    annotations,
};
use rolewright_reconcile::{
    access::{self, BindingStep, Case, Decided, binding_of, is_binding_of, is_made_for},
    object::{ObjectKind, ObjectName, ObjectRef, has_finalizer, name_of},
    readiness::{MAX_MESSAGE, truncate},
};
use serde_json::json;

use crate::{
    approvals,
    context::Context,
    kube::{CacheChange, Changes, RolewrightResource, Severity, WriteError, writes},
    object::time_until,
};

/// The fields of the status.
const FIELDS: [&str; 11] = [
    "state",
    "message",
    "plan",
    "grant",
    "approval",
    "startedAt",
    "grantedAt",
    "expiresAt",
    "endReason",
    "endedAt",
    "roleBinding",
];

/// The kind and name of a request.
pub fn reference(request: &AccessRequest) -> ObjectRef {
    ObjectRef { kind: ObjectKind::AccessRequest, name: name_of(request) }
}

/// Follows the changes of offers: requests that wait are decided again.
pub async fn follow_offers(ctx: Arc<Context>, mut changes: Changes<AccessOffer>) {
    while let Some(CacheChange { name, before, after }) = changes.recv().await {
        let spec = |offer: &Option<Arc<AccessOffer>>| offer.as_ref().map(|offer| offer.spec.clone());
        if spec(&before) == spec(&after) {
            continue;
        }
        for request in of_offer(&ctx, &name).iter().filter(|request| request.is_open()) {
            ctx.queue.add(reference(request));
        }
    }
}

/// Follows the changes of requests.
pub async fn follow_requests(ctx: Arc<Context>, mut changes: Changes<AccessRequest>) {
    while let Some(CacheChange { name, before, after }) = changes.recv().await {
        let reference = ObjectRef { kind: ObjectKind::AccessRequest, name };
        let identity =
            |request: &Arc<AccessRequest>| (request.uid(), request.metadata.deletion_timestamp.clone());
        let is_final =
            |request: &Option<Arc<AccessRequest>>| request.as_ref().is_some_and(|it| !it.is_open());
        if before.as_ref().map(identity) != after.as_ref().map(identity)
            || is_final(&before) != is_final(&after)
        {
            ctx.queue.add(reference.clone());
        }
        if after.is_none() {
            ctx.back_off.reset(&reference);
        }
        let grants = |request: &Option<Arc<AccessRequest>>| {
            let status = request.as_ref()?.status.as_ref()?;
            Some((status.role_binding.clone()?, status.end_reason.is_some()))
        };
        // What the request says counts for the plans of its RoleBinding.
        if grants(&before) != grants(&after)
            && let Some((binding, _)) = grants(&after).or_else(|| grants(&before))
        {
            let name = ObjectName::new(&reference.name.namespace, &binding.name);
            ctx.queue.add(ObjectRef { kind: ObjectKind::RoleBinding, name });
        }
    }
}

/// The requests of an offer.
fn of_offer(ctx: &Context, offer: &ObjectName) -> Vec<Arc<AccessRequest>> {
    let is_of = |request: &AccessRequest| *request.spec.offer == *offer.name;
    ctx.caches.requests.select_page(&offer.namespace, None, usize::MAX, is_of)
}

/// Decides about one request. Returns the time until the next look at it, if any.
pub async fn reconcile(ctx: &Arc<Context>, name: &ObjectName) -> Option<Duration> {
    let reference = ObjectRef { kind: ObjectKind::AccessRequest, name: name.clone() };
    let Some(request) = ctx.caches.requests.get(name) else {
        return approvals::decide_without_object(ctx, &reference).await;
    };
    if !ctx.may_write() {
        return None;
    }
    match settle(ctx, request).await {
        Ok(next) => {
            ctx.back_off.reset(&reference);
            next
        }
        // The watch brings the newer version, or the deletion.
        Err(WriteError::Stale | WriteError::Gone) => Some(Duration::from_millis(200)),
        Err(error) => {
            tracing::warn!(namespace = %name.namespace, name = %name.name, %error, "an AccessRequest could not be handled");
            Some(ctx.back_off.next(&reference, Duration::from_millis(500), Duration::from_secs(60)))
        }
    }
}

async fn settle(ctx: &Context, request: Arc<AccessRequest>) -> Result<Option<Duration>, WriteError> {
    let now = Timestamp::now();
    let approvals = approvals::of(ctx, &reference(&request));
    if !request.is_open() {
        let verdict = access::decide(&Case { approvals: &approvals, ..case(&request, now) });
        decide_approvals(ctx, verdict.decided.iter().collect()).await?;
        return release(ctx, request).await.map(|()| None);
    }
    let binding = binding_of_request(ctx, &request);
    let namespace = name_of(&*request).namespace;
    let offer_name = ObjectName::new(&namespace, &request.spec.offer);
    let offer = ctx.caches.offers.get(&offer_name);
    let named = offer.as_ref().and_then(|offer| offer.spec.role_ref.name.as_deref());
    let role = named.and_then(|role| ctx.caches.roles.get(&ObjectName::new(&namespace, role))?.uid());
    let is_granted = request.status.as_ref().is_some_and(|status| status.grant.is_some());
    let verdict = access::decide(&Case {
        offer: offer.as_deref(),
        role: role.as_deref(),
        others: &if is_granted { Vec::new() } else { of_offer(ctx, &offer_name) },
        approvals: &approvals,
        binding: binding.as_deref(),
        ..case(&request, now)
    });
    // A rejection that is decided still counts after a crash.
    let is_rejection = |(_, state, _): &&Decided| *state == ApprovalState::Rejected;
    let (first, last): (Vec<&Decided>, Vec<&Decided>) = verdict.decided.iter().partition(is_rejection);
    decide_approvals(ctx, first).await?;
    // The status records the grant first: after a crash the operator creates the same RoleBinding, with the same end.
    let request = match verdict.status.grant.is_some() {
        true => hold(ctx, request).await?,
        false => request,
    };
    let request = record(ctx, request, verdict.status).await?;
    let mut next = verdict.next.map(|next| time_until(next, now));
    match (verdict.step, binding) {
        (Some(BindingStep::Create), _) => create(ctx, request).await?,
        (Some(BindingStep::Restore), Some(binding)) => restore(ctx, &request, &binding).await?,
        (Some(BindingStep::Delete), Some(binding)) => writes::delete(&ctx.client, &*binding).await?,
        (Some(BindingStep::Find), _) => next = find(ctx, request, now).await?.or(next),
        (Some(BindingStep::Restore | BindingStep::Delete), None) | (None, _) => {}
    }
    decide_approvals(ctx, last).await?;
    Ok(next)
}

/// A case of which only the request is known.
fn case(request: &AccessRequest, now: Timestamp) -> Case<'_> {
    Case { request, offer: None, role: None, others: &[], approvals: &[], binding: None, now }
}

/// Adds the finalizer before something is granted: the request is there until the access has ended.
async fn hold(ctx: &Context, request: Arc<AccessRequest>) -> Result<Arc<AccessRequest>, WriteError> {
    if has_finalizer(&*request) || request.metadata.deletion_timestamp.is_some() {
        return Ok(request);
    }
    writes::add_finalizer(&ctx.client, &ctx.caches.requests, &*request).await.map(Arc::new)
}

/// Removes the finalizer of a request for which nothing happens any more.
async fn release(ctx: &Context, request: Arc<AccessRequest>) -> Result<(), WriteError> {
    match has_finalizer(&*request) {
        true => writes::remove_finalizer(&ctx.client, &ctx.caches.requests, &*request).await,
        false => Ok(()),
    }
}

async fn decide_approvals(ctx: &Context, decided: Vec<&Decided>) -> Result<(), WriteError> {
    for (approval, state, message) in decided {
        if approval.state() != Some(*state) {
            approvals::decide(ctx, approval, *state, message, Vec::new()).await?;
        }
    }
    Ok(())
}

/// The RoleBinding that the status of a request names, once it is recorded.
fn binding_of_request(ctx: &Context, request: &AccessRequest) -> Option<Arc<RoleBinding>> {
    let recorded = request.status.as_ref()?.role_binding.as_ref()?;
    recorded.uid.as_ref()?;
    let name = ObjectName::new(&name_of(request).namespace, &recorded.name);
    ctx.caches.bindings.get(&name).filter(|binding| is_binding_of(binding, request))
}

async fn record(
    ctx: &Context,
    request: Arc<AccessRequest>,
    mut status: AccessRequestStatus,
) -> Result<Arc<AccessRequest>, WriteError> {
    status.message = status.message.map(|message| truncate(&message, MAX_MESSAGE).to_owned());
    status.end_reason = status.end_reason.map(|reason| truncate(&reason, MAX_MESSAGE).to_owned());
    if request.status.as_ref() == Some(&status) {
        return Ok(request);
    }
    let before = request.state();
    let written =
        writes::status(&ctx.client, &ctx.caches.requests, &*request, &FIELDS, json!(status)).await?;
    if let Some(state) = status.state.filter(|state| Some(*state) != before) {
        report(ctx, &written, state, status.message.as_deref().unwrap_or_default());
    }
    Ok(Arc::new(written))
}

/// Reports a new state as an Event and in the log.
fn report(ctx: &Context, request: &AccessRequest, state: AccessState, message: &str) {
    let severity = if state == AccessState::Denied { Severity::Warning } else { Severity::Normal };
    ctx.events.publish(request.object_ref(&()), severity, &format!("Access{}", state.as_str()), message);
    let ObjectName { namespace, name } = name_of(request);
    let approved_by = request.status.as_ref().and_then(|status| Some(&status.approval.as_ref()?.approved_by));
    tracing::info!(
        %namespace,
        %name,
        offer = request.spec.offer,
        user = request.status.as_ref().and_then(|status| Some(&status.grant.as_ref()?.user)),
        requested_by = request.spec.requested_by,
        reason = request.spec.reason,
        approved_by,
        "an AccessRequest is {}: {message}",
        state.as_str()
    );
}

/// Creates the RoleBinding of a request and records it.
async fn create(ctx: &Context, request: Arc<AccessRequest>) -> Result<(), WriteError> {
    let Some(binding) = binding_to_create(&request) else { return Ok(()) };
    let mut status = request.status.clone().unwrap_or_default();
    let created = match writes::create(&ctx.client, &ctx.caches.bindings, &binding).await {
        // A process that crashed created it, or it is another one.
        Err(WriteError::Stale) => binding.api(&ctx.client).get(&binding.name_any()).await?,
        Err(WriteError::Api(error)) => {
            let message = format!("the RoleBinding {} cannot be created: {error}", binding.name_any());
            status.message = Some(message);
            record(ctx, request, status).await?;
            return Err(WriteError::Api(error));
        }
        created => created?,
    };
    match is_made_for(&created, &request) {
        true => status.role_binding = Some(recorded(&created)),
        false => {
            status.end_reason = Some(format!("another RoleBinding has the name {}", created.name_any()));
        }
    }
    record(ctx, request, status).await.map(|_| ())
}

fn recorded(binding: &RoleBinding) -> AccessBinding {
    AccessBinding { name: binding.name_any(), uid: binding.uid() }
}

/// Reads the RoleBinding of a request, which is not in the cache, from the API server: only without it the access is over.
async fn find(
    ctx: &Context,
    request: Arc<AccessRequest>,
    now: Timestamp,
) -> Result<Option<Duration>, WriteError> {
    const AGAIN: Duration = Duration::from_secs(10);
    let mut status = request.status.clone().unwrap_or_default();
    let known = status.role_binding.clone();
    let Some(known) = known else { return Ok(None) };
    let namespace = request.namespace().unwrap_or_default();
    let found = Api::<RoleBinding>::namespaced(ctx.client.clone(), &namespace).get_opt(&known.name).await?;
    let is_it = |found: &RoleBinding| match &known.uid {
        Some(uid) => found.uid().as_ref() == Some(uid),
        None => is_made_for(found, &request),
    };
    let Some(binding) = found.filter(is_it) else {
        record(ctx, request, access::ended(status, now)).await?;
        return Ok(None);
    };
    if status.end_reason.is_some() {
        writes::delete(&ctx.client, &binding).await?;
    }
    status.role_binding = Some(recorded(&binding));
    record(ctx, request, status).await?;
    Ok(Some(AGAIN))
}

fn binding_to_create(request: &AccessRequest) -> Option<RoleBinding> {
    let status = request.status.as_ref()?;
    let own = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let metadata = ObjectMeta {
        name: Some(status.role_binding.as_ref()?.name.clone()),
        namespace: request.namespace(),
        labels: Some([own("app.kubernetes.io/managed-by", "rolewright")].into()),
        annotations: Some([own(annotations::ACCESS_REQUEST, &request.name_any())].into()),
        owner_references: Some(vec![OwnerReference { controller: Some(true), ..request.owner_ref(&())? }]),
        ..ObjectMeta::default()
    };
    Some(RoleBinding { metadata, spec: binding_of(status)?, status: None })
}

async fn restore(ctx: &Context, request: &AccessRequest, binding: &RoleBinding) -> Result<(), WriteError> {
    let Some(spec) = request.status.as_ref().and_then(binding_of) else { return Ok(()) };
    tracing::warn!(
        namespace = binding.namespace().unwrap_or_default(),
        name = binding.name_any(),
        "the spec of the RoleBinding of an AccessRequest was changed, and is written again"
    );
    let spec = json!(spec);
    let own = (annotations::ACCESS_REQUEST, request.name_any());
    writes::spec(&ctx.client, &ctx.caches.bindings, binding, spec, own).await.map(|_| ())
}
