//! How an object goes: what it holds is removed first, unless it is to stay, or nothing more can be known about it.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition, jiff::Timestamp,
};
use kube::{Api, Resource, ResourceExt};

use super::{
    assess,
    cache::Name,
    context::{Context, Stored},
    events::Tone,
    managed::Managed,
    queue::{Item, Kind},
    resolve::Resolve,
    verdict::Verdict,
    work::{Stop, Work},
    writes::{self, WriteError},
};
use rolewright_api::{DeletionPolicy, HeldEntry, HeldState, Reason, RoleBinding};
use rolewright_backends::{Class, Error};

/// Whether the custom resource definition of a kind is being deleted, read live: its objects then go without anybody having asked for
/// the removal of what they hold.
///
/// # Errors
/// When the API server does not tell: nothing is removed on a guess.
pub(super) async fn crd_is_going<K: Managed>(ctx: &Context) -> Result<bool, Stop> {
    let api: Api<CustomResourceDefinition> = Api::all(ctx.client.clone());
    let name = format!("{}.{}", K::plural(&()), K::group(&()));
    match api.get_opt(&name).await {
        Ok(Some(crd)) => Ok(crd.metadata.deletion_timestamp.is_some()),
        Ok(None) => Ok(true),
        Err(error) => Err(Stop::Write(WriteError::Api(Box::new(error)))),
    }
}

/// Lets an object go without removing anything.
pub(super) async fn let_go<K: Resolve + Stored>(work: &mut Work<'_, K>, why: &str) -> Result<(), Stop> {
    tracing::info!(
        kind = K::KIND.as_str(),
        namespace = %work.item.name.namespace,
        name = %work.item.name.name,
        held = work.object.held().len(),
        "let go without removing anything: {why}"
    );
    release(work).await
}

/// Lets an object go that holds nothing any more, and tells what of it stays.
pub(super) async fn finish<K: Resolve + Stored>(
    work: &mut Work<'_, K>,
    stays: &[HeldEntry],
) -> Result<(), Stop> {
    if !stays.is_empty() {
        let mut note = "what this object held stays as it is".to_owned();
        if let Some(taken) = taken(stays) {
            note.push_str(&format!("; taken away for it and not given back: {taken}"));
        }
        work.ctx.events.tell(&*work.object, Tone::Normal, "Released", &note);
    }
    release(work).await
}

/// What was taken away for an object, in words.
fn taken(held: &[HeldEntry]) -> Option<String> {
    let each = |entry: &HeldEntry| {
        let taken = entry.taken.as_ref()?.iter().map(|(whose, what)| format!("{what} for {whose}"));
        let taken = taken.collect::<Vec<_>>().join(", ");
        (!taken.is_empty()).then(|| format!("{taken} on {}", entry.key.get("resource").unwrap_or_default()))
    };
    let all: Vec<String> =
        held.iter().filter(|entry| entry.state == HeldState::Present).filter_map(each).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

async fn release<K: Resolve + Stored>(work: &mut Work<'_, K>) -> Result<(), Stop> {
    writes::release(&work.ctx.client, K::cache(&work.ctx.caches), &*work.object).await?;
    Ok(())
}

/// An object that goes and whose Backend does not work. The credential may come back; without any, it is let go in the end.
pub(super) async fn without_link<K: Resolve + Stored>(
    work: &mut Work<'_, K>,
    no_credential: bool,
    message: &str,
) -> Result<(), Stop> {
    if work.object.held().is_empty() {
        return release(work).await;
    }
    if work.object.deletion_policy() == Some(DeletionPolicy::Retain) {
        return let_go(work, "its deletionPolicy is Retain").await;
    }
    if crd_is_going::<K>(work.ctx).await? {
        return let_go(work, "its custom resource definition is being deleted").await;
    }
    if !no_credential {
        work.report_unchanged(&Verdict::new(
            Reason::BackendNotReady,
            format!("what it holds cannot be removed now: {message}"),
        ))
        .await?;
        return Err(Stop::Wait(None));
    }
    let since = work.object.meta().deletion_timestamp.as_ref().map_or_else(Timestamp::now, |time| time.0);
    let waited = Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default();
    if let Some(rest) = work.ctx.options.abandon_after.checked_sub(waited).filter(|rest| !rest.is_zero()) {
        let message = format!(
            "what it holds cannot be removed without a credential ({message}); it is let go, and what it holds stays, when none has come \
             within {} minutes of its deletion",
            work.ctx.options.abandon_after.as_secs().div_ceil(60)
        );
        work.report_unchanged(&Verdict::new(Reason::BackendNotReady, message)).await?;
        return Err(Stop::Wait(Some(rest)));
    }
    let left: Vec<String> = work
        .object
        .held()
        .iter()
        .map(|entry| {
            let id = entry.id.as_deref().unwrap_or("not known to be made");
            let called = entry.name.as_deref().or_else(|| entry.key.get("name"));
            called.map_or_else(
                || format!("{} {id}", entry.kind),
                |name| format!("{} {name} ({id})", entry.kind),
            )
        })
        .collect();
    let mut note = format!(
        "{} was let go without a credential; this stays in the back end: {}",
        work.object.title(),
        left.join(", ")
    );
    if let Some(taken) = taken(work.object.held()) {
        note.push_str(&format!("; taken away for it and not given back: {taken}"));
    }
    let regarding = work.object.object_ref(&());
    // The object's own namespace may be going and take no more Events. An Event must lie in the namespace of what it is about, so this
    // one is about the operator's namespace.
    let own = k8s_openapi::api::core::v1::ObjectReference {
        namespace: Some(work.ctx.options.own_namespace.clone()),
        ..regarding
    };
    work.ctx.events.tell_in(&work.ctx.options.own_namespace, own, Tone::Warning, "LeftBehind", &note);
    let_go(work, "no credential came in time").await
}

/// The verdict of an object that goes and cannot go yet.
pub(super) fn verdict<K: Resolve + Stored>(
    work: &Work<'_, K>,
    found: Option<Verdict>,
    failure: Option<&Error>,
    withheld: Option<Verdict>,
) -> Verdict {
    if let Some(withheld) = withheld {
        return withheld;
    }
    if let Some(error) = failure {
        let refused =
            matches!(error.class, Class::Invalid | Class::Denied | Class::Conflict | Class::Unsupported);
        return if refused {
            Verdict::new(Reason::DeletionBlocked, stay(&error.message))
        } else {
            Verdict::of_error(error)
        };
    }
    match found {
        Some(found) if found.reason == Reason::DependencyNotReady => {
            Verdict::new(Reason::Deleting, found.message)
        }
        Some(found) => match waiting_bindings(work) {
            Some((names, true)) => {
                Verdict::new(Reason::Deleting, format!("waits for {names} to let go of the role"))
            }
            Some((names, false)) => Verdict::new(
                Reason::DeletionBlocked,
                format!("the role is still given to subjects by {names}: delete that first"),
            ),
            None => Verdict::new(Reason::DeletionBlocked, stay(&found.message)),
        },
        None => Verdict::new(Reason::Deleting, "what this object holds is being removed"),
    }
}

fn stay(message: &str) -> String {
    format!(
        "{message}. To let this object go and leave what it holds as it is, set spec.deletionPolicy: Retain"
    )
}

/// The RoleBindings that hold grants of this Role, and whether all of them are going.
fn waiting_bindings<K: Resolve + Stored>(work: &Work<'_, K>) -> Option<(String, bool)> {
    if K::KIND != Kind::Role {
        return None;
    }
    let bindings = bindings_of(work.ctx, &work.item.name);
    let holding: Vec<&Arc<RoleBinding>> =
        bindings.iter().filter(|binding| !binding.held().is_empty()).collect();
    if holding.is_empty() {
        return None;
    }
    let mut names: Vec<String> =
        holding.iter().map(|binding| format!("RoleBinding {}", binding.name_any())).collect();
    names.sort();
    names.truncate(5);
    Some((names.join(", "), holding.iter().all(|binding| binding.going())))
}

/// The RoleBindings that name a Role.
pub(super) fn bindings_of(ctx: &Context, role: &Name) -> Vec<Arc<RoleBinding>> {
    let names_it = |binding: &RoleBinding| {
        binding.spec.role_ref.name.as_deref() == Some(&*role.name)
            && binding.namespace().as_deref() == Some(&*role.namespace)
    };
    ctx.caches.bindings.those(names_it)
}

/// What an object's going, or what it holds, may mean to others: a Backend that waits for its objects, a Role for its bindings.
pub(super) fn wake_others<K: Managed>(ctx: &Context, object: &K) {
    let namespace = object.namespace().unwrap_or_default();
    let backend = Name::new(&namespace, object.backend());
    if let Some(link) = ctx.connections.link(&backend) {
        assess::forget(object, &link).into_iter().for_each(|item| ctx.waker.wake(item));
    }
    if ctx.caches.backends.get(&backend).is_some_and(|backend| backend.meta().deletion_timestamp.is_some()) {
        ctx.waker.wake(Item { kind: Kind::Backend, name: backend });
    }
}
