//! Deletion: an object that is being deleted removes what it manages first, unless that is to stay or nothing can be known about it.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Resource, ResourceExt};
use rolewright_api::{DeletionPolicy, HeldEntry, HeldState, Reason};
use rolewright_backends::{Class, Error};
use rolewright_reconcile::{
    decide::{Resolve, own_deletion_policy},
    object::{ManagedObject, ObjectKind, ObjectRef},
    readiness::Readiness,
};

use super::{Next, Reconcile};
use crate::{
    context::Context,
    kube::Cached,
    kube::{Severity, WriteError, server_time, writes},
};

impl<K: Resolve + Cached> Reconcile<'_, K> {
    /// Whether the CRD of the kind is being deleted, read live: its objects are then deleted although nobody requested the removal of
    /// what they manage.
    ///
    /// # Errors
    /// When the API server does not answer: nothing is removed on a guess.
    pub(super) async fn is_crd_being_deleted(&self) -> Result<bool, WriteError> {
        let cache = K::cache(&self.ctx.caches);
        self.ctx.definitions.is_being_deleted(&self.ctx.client, cache, &*self.object).await
    }

    /// Releases all that the object manages, without removing anything.
    pub(super) async fn release_all(&mut self, why: &str) -> Result<Next, WriteError> {
        tracing::info!(
            kind = K::KIND.as_str(),
            namespace = %self.reference.name.namespace,
            name = %self.reference.name.name,
            held = self.object.held().len(),
            "released without removing anything: {why}"
        );
        self.remove_finalizer().await
    }

    /// Ends the deletion of an object that manages nothing any more. `stays`: what it managed and stays in the back end.
    pub(super) async fn finish_deletion(&mut self, stays: &[HeldEntry]) -> Result<Next, WriteError> {
        let next = self.remove_finalizer().await?;
        if !stays.is_empty() {
            let mut note =
                format!("no object manages this any more, and it stays as it is: {}", describe_all(stays));
            if let Some(taken) = describe_taken(stays) {
                note.push_str(&format!("; defaults that were taken for it and are not restored: {taken}"));
            }
            self.ctx.events.publish(self.object.object_ref(&()), Severity::Normal, "Released", &note);
        }
        Ok(next)
    }

    async fn remove_finalizer(&mut self) -> Result<Next, WriteError> {
        writes::remove_finalizer(&self.ctx.client, K::cache(&self.ctx.caches), &*self.object).await?;
        Ok(Next::Done)
    }

    /// Deletes an object whose Backend does not work. The credential can come back; without any, the object is released in the end.
    pub(super) async fn delete_without_link(
        &mut self,
        no_credential: bool,
        message: &str,
    ) -> Result<Next, WriteError> {
        if self.object.held().is_empty() {
            return self.remove_finalizer().await;
        }
        if self.deletion_policy() == DeletionPolicy::Retain {
            return self.release_all("its deletionPolicy is Retain").await;
        }
        if self.is_crd_being_deleted().await? {
            return self.release_all("its custom resource definition is being deleted").await;
        }
        if !no_credential {
            let message = format!("what it manages cannot be removed now: {message}");
            self.report_unchanged(&Readiness::new(Reason::BackendNotReady, message)).await?;
            return Ok(Next::AwaitChange);
        }
        if let Some(rest) = self.time_until_abandoned().await? {
            let message = format!(
                "what it manages cannot be removed without a credential ({message}). If none comes within {} minutes of its deletion, the \
                 object is released and what it manages stays",
                self.ctx.options.abandon_after.as_secs().div_ceil(60)
            );
            self.report_unchanged(&Readiness::new(Reason::BackendNotReady, message)).await?;
            return Ok(Next::After(rest));
        }
        let next = self.release_all("no credential came in time").await?;
        self.report_left_behind();
        Ok(next)
    }

    /// The object's own policy, else that of its Backend, ready or not.
    fn deletion_policy(&self) -> DeletionPolicy {
        let backend = self.ctx.caches.backends.get(&self.backend);
        let terms = backend.as_ref().and_then(|backend| backend.terms.as_ref());
        let own = own_deletion_policy(&*self.object, terms);
        let of_backend = || backend.as_ref().and_then(|backend| backend.spec.deletion_policy);
        own.or_else(of_backend).unwrap_or_default()
    }

    /// How long the object still waits for a credential, by the clock that set its deletion timestamp.
    async fn time_until_abandoned(&self) -> Result<Option<Duration>, WriteError> {
        let now = server_time(&self.ctx.client).await?;
        let since = self.object.meta().deletion_timestamp.as_ref().map_or(now, |time| time.0);
        let waited = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        Ok(self.ctx.options.abandon_after.checked_sub(waited).filter(|rest| !rest.is_zero()))
    }

    fn report_left_behind(&self) {
        let mut note = format!(
            "{} was released without a credential; this stays in the back end: {}",
            self.object.title(),
            describe_all(self.object.held())
        );
        if let Some(taken) = describe_taken(self.object.held()) {
            note.push_str(&format!("; defaults that were taken for it and are not restored: {taken}"));
        }
        // The namespace of the object can be terminating and accept no more Events. An Event must be in the namespace of its object,
        // so this one regards the operator's namespace.
        let own_namespace = &self.ctx.options.own_namespace;
        let regarding =
            ObjectReference { namespace: Some(own_namespace.clone()), ..self.object.object_ref(&()) };
        self.ctx.events.publish_in(own_namespace, regarding, Severity::Warning, "LeftBehind", &note);
    }

    /// The condition of an object that is being deleted and cannot be released yet.
    pub(super) fn deletion_readiness(
        &self,
        found: Option<Readiness>,
        failure: Option<&Error>,
        withheld: Option<Readiness>,
    ) -> Readiness {
        if let Some(withheld) = withheld {
            return withheld;
        }
        if let Some(error) = failure {
            return match error.class {
                Class::Invalid | Class::Denied | Class::Conflict | Class::Unsupported => {
                    Readiness::new(Reason::DeletionBlocked, with_advice(&error.message))
                }
                _ => Readiness::of_error(error),
            };
        }
        match found {
            Some(found) if found.reason == Reason::DependencyNotReady => {
                Readiness::new(Reason::Deleting, found.message)
            }
            Some(found) if found.reason == Reason::BackendError => found,
            Some(found) => match self.blocking_bindings() {
                Some((names, true)) => {
                    Readiness::new(Reason::Deleting, format!("waits until {names} released the role"))
                }
                Some((names, false)) => Readiness::new(
                    Reason::DeletionBlocked,
                    format!("{names} still grants the role to subjects: delete that first"),
                ),
                None => Readiness::new(Reason::DeletionBlocked, with_advice(&found.message)),
            },
            None => Readiness::new(Reason::Deleting, "what this object manages is being removed"),
        }
    }

    /// The RoleBindings that manage grants of this Role, and whether all of them are being deleted.
    fn blocking_bindings(&self) -> Option<(String, bool)> {
        const MAX_NAMED: usize = 5;
        if K::KIND != ObjectKind::Role {
            return None;
        }
        let blocking = self.ctx.caches.granting(&self.reference.name);
        if blocking.is_empty() {
            return None;
        }
        let mut names: Vec<String> =
            blocking.iter().map(|binding| format!("RoleBinding {}", binding.name_any())).collect();
        names.sort();
        names.truncate(MAX_NAMED);
        Some((names.join(", "), blocking.iter().all(|binding| binding.is_being_deleted())))
    }
}

/// The first entries, and how many more there are.
fn describe_all(held: &[HeldEntry]) -> String {
    const SHOWN: usize = 10;
    let mut text = held.iter().take(SHOWN).map(describe).collect::<Vec<_>>().join(", ");
    if held.len() > SHOWN {
        text.push_str(&format!(" and {} more", held.len() - SHOWN));
    }
    text
}

fn describe(entry: &HeldEntry) -> String {
    let id = entry.id.as_deref().unwrap_or("not known to exist");
    match entry.name.clone().or_else(|| entry.key.get("name")) {
        Some(name) => format!("{} {name} ({id})", entry.kind),
        None => format!("{} {id}", entry.kind),
    }
}

/// The defaults that were taken from resources, as text.
fn describe_taken(held: &[HeldEntry]) -> Option<String> {
    let each = |entry: &HeldEntry| {
        let taken = entry.taken.as_ref()?.to_map();
        let taken = taken.iter().map(|(whose, what)| format!("{what} for {whose}"));
        let taken = taken.collect::<Vec<_>>().join(", ");
        (!taken.is_empty()).then(|| format!("{taken} on {}", entry.key.get("resource").unwrap_or_default()))
    };
    let all: Vec<String> =
        held.iter().filter(|entry| entry.state == HeldState::Present).filter_map(each).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

fn with_advice(message: &str) -> String {
    format!(
        "{message}. To delete this object and keep what it manages as it is, set spec.deletionPolicy: Retain"
    )
}

/// After an object was deleted: removes its claims, and enqueues a Backend that is kept for its objects.
pub fn after_deletion<K: ManagedObject>(ctx: &Context, object: &K) {
    ctx.enqueue(ctx.accounts.forget(&object.claimant()));
    let backend = object.backend();
    if ctx.caches.backends.get(&backend).is_none_or(|backend| backend.meta().deletion_timestamp.is_some()) {
        ctx.queue.add(ObjectRef::backend(&backend));
    }
}
