//! The objects that manage external things, seen as one: names, kinds, and what the three kinds have in common.

use std::fmt;

use kube::{Resource, ResourceExt};
use rolewright_api as api;
use rolewright_api::{
    Adopt, BackendRefKind, DeletionPolicy, HeldEntry, Mode, ObjectStatus, Prune, ResourceRestriction, Role,
    RoleBinding, RoleBindingStatus, SubjectStatus, annotations,
};
use rolewright_core::planner::Claimant;
pub use rolewright_core::planner::{ObjectKind, ObjectName, ObjectRef};
use serde::{Serialize, de::DeserializeOwned};

/// The name of an object. Only a ClusterBackend has no namespace.
pub fn name_of(object: &impl Resource) -> ObjectName {
    let meta = object.meta();
    ObjectName::new(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

/// The request for a reconcile that an annotation makes, as far as a status can keep it.
pub fn reconcile_request(object: &impl Resource) -> Option<String> {
    const MAX_BYTES: usize = 256;
    let value = object.meta().annotations.as_ref()?.get(annotations::RECONCILE_AT)?;
    Some(value[..value.floor_char_boundary(MAX_BYTES)].to_owned())
}

/// Whether an object has the finalizer of this operator.
pub fn has_finalizer(object: &impl Resource) -> bool {
    object.meta().finalizers.iter().flatten().any(|finalizer| finalizer == api::FINALIZER)
}

/// Whether an object has the pause annotation. The value `false` does not pause.
pub fn is_paused(object: &impl Resource) -> bool {
    let annotations = object.meta().annotations.as_ref();
    annotations.and_then(|all| all.get(annotations::PAUSE)).is_some_and(|value| value != "false")
}

/// An object that manages external things: a Role, a RoleBinding, a ResourceRestriction or a Prune.
pub trait ManagedObject:
    Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
    + Clone
    + fmt::Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
    /// The kind.
    const KIND: ObjectKind;
    /// Whether its status records what it manages. A Prune manages nothing.
    const MANAGES: bool = true;

    /// `spec.backendRef`.
    fn backend_ref(&self) -> &api::BackendRef;
    /// `spec.adopt`, or its default.
    fn adopt(&self) -> Adopt;
    /// `spec.mode`.
    fn mode(&self) -> Option<Mode>;
    /// `spec.deletionPolicy`.
    fn deletion_policy(&self) -> Option<DeletionPolicy>;
    /// The part of the status that all kinds have.
    fn status(&self) -> Option<&ObjectStatus>;
    /// Replaces `status.held` in memory: to plan on the result of a write before the status is written.
    fn set_held(&mut self, held: Vec<HeldEntry>);
    /// `status.subjects`; empty for kinds without subjects.
    fn subjects(&self) -> &[SubjectStatus];
    /// `status.names`; empty for kinds whose names are in `status.held`.
    fn names(&self) -> &[api::ResolvedName];
    /// The subjects of the spec; None for kinds without subjects.
    fn listed_subjects(&self) -> Option<&[api::Subject]>;
    /// The rules of the spec; empty for kinds without rules.
    fn rules(&self) -> &[api::Rule];

    /// The object's kind and name.
    fn reference(&self) -> ObjectRef {
        ObjectRef { kind: Self::KIND, name: name_of(self) }
    }

    /// The Backend that it refers to: one in its own namespace, or a ClusterBackend.
    fn backend(&self) -> ObjectName {
        let reference = self.backend_ref();
        match reference.kind() {
            BackendRefKind::Backend => {
                ObjectName::new(self.meta().namespace.as_deref().unwrap_or_default(), &reference.name)
            }
            BackendRefKind::ClusterBackend => ObjectName::of_cluster(&reference.name),
        }
    }

    /// Whether it refers to this Backend or ClusterBackend.
    fn refers_to(&self, backend: &ObjectName) -> bool {
        let reference = self.backend_ref();
        *reference.name == *backend.name
            && match reference.kind() {
                BackendRefKind::Backend => self.meta().namespace.as_deref() == Some(&*backend.namespace),
                BackendRefKind::ClusterBackend => backend.is_of_cluster(),
            }
    }

    /// How the status of its Backend names it: with the namespace if the Backend serves several.
    fn title_in_backend(&self) -> String {
        match self.backend_ref().kind() {
            BackendRefKind::Backend => format!("{} {}", Self::KIND.as_str(), self.name_any()),
            BackendRefKind::ClusterBackend => self.title(),
        }
    }

    /// How messages of this object name its Backend: `Backend grafana`.
    fn backend_title(&self) -> String {
        ObjectRef::backend(&self.backend()).title()
    }

    /// How messages to other objects name it: `RoleBinding team-a/readers`.
    fn title(&self) -> String {
        self.reference().to_string()
    }

    /// Its identity among those who claim external things; older objects come first.
    fn claimant(&self) -> Claimant {
        let created = self.creation_timestamp().map_or(0, |time| time.0.as_second());
        Claimant { created, uid: self.uid().unwrap_or_default().into() }
    }

    /// Whether it has a deletion timestamp.
    fn is_being_deleted(&self) -> bool {
        self.meta().deletion_timestamp.is_some()
    }

    /// Whether the pause annotation is set.
    fn is_paused(&self) -> bool {
        is_paused(self)
    }

    /// Whether it has the finalizer of this operator.
    fn has_finalizer(&self) -> bool {
        has_finalizer(self)
    }

    /// `status.held`: the external things that it manages.
    fn held(&self) -> &[HeldEntry] {
        self.status().map(|status| status.held.as_slice()).unwrap_or_default()
    }

    /// Whether its status reports this very generation as ready.
    fn is_in_sync(&self) -> bool {
        self.status().is_some_and(|status| {
            status.observed_generation == self.meta().generation
                && status
                    .conditions
                    .iter()
                    .any(|condition| condition.type_ == "Ready" && condition.status == "True")
        })
    }
}

/// The object as a RoleBinding, if it is one.
pub fn as_binding<K: ManagedObject>(object: &K) -> Option<&RoleBinding> {
    (object as &dyn std::any::Any).downcast_ref()
}

macro_rules! managed_object {
    (
        $kind:ident, $own:ty, $status:expr, $status_mut:expr, $subjects:expr, $names:expr, $listed:expr, $rules:expr,
        $adopt:expr, $deletion:expr, $manages:expr
    ) => {
        impl ManagedObject for $kind {
            const KIND: ObjectKind = ObjectKind::$kind;
            const MANAGES: bool = $manages;

            fn backend_ref(&self) -> &api::BackendRef {
                &self.spec.backend_ref
            }

            fn adopt(&self) -> Adopt {
                let adopt: fn(&$kind) -> Option<Adopt> = $adopt;
                adopt(self).unwrap_or_default()
            }

            fn mode(&self) -> Option<Mode> {
                self.spec.mode
            }

            fn deletion_policy(&self) -> Option<DeletionPolicy> {
                let policy: fn(&$kind) -> Option<DeletionPolicy> = $deletion;
                policy(self)
            }

            fn status(&self) -> Option<&ObjectStatus> {
                self.status.as_ref().map($status)
            }

            fn set_held(&mut self, held: Vec<HeldEntry>) {
                let object: fn(&mut $own) -> &mut ObjectStatus = $status_mut;
                object(self.status.get_or_insert_default()).held = held;
            }

            fn subjects(&self) -> &[SubjectStatus] {
                self.status.as_ref().map($subjects).unwrap_or_default()
            }

            fn names(&self) -> &[api::ResolvedName] {
                self.status.as_ref().map($names).unwrap_or_default()
            }

            fn listed_subjects(&self) -> Option<&[api::Subject]> {
                let listed: fn(&$kind) -> Option<&[api::Subject]> = $listed;
                listed(self)
            }

            fn rules(&self) -> &[api::Rule] {
                let rules: fn(&$kind) -> &[api::Rule] = $rules;
                rules(self)
            }
        }
    };
}

managed_object!(
    Role,
    ObjectStatus,
    |status| status,
    |status| status,
    |_| &[][..],
    |_| &[][..],
    |_| None,
    |role| &role.spec.rules,
    |role| role.spec.adopt,
    |role| role.spec.deletion_policy,
    true
);
managed_object!(
    RoleBinding,
    RoleBindingStatus,
    |status| &status.object,
    |status| &mut status.object,
    |status| status.subjects.as_slice(),
    |status| status.names.as_slice(),
    |binding| Some(&binding.spec.subjects),
    |_| &[],
    |binding| binding.spec.adopt,
    |binding| binding.spec.deletion_policy,
    true
);
managed_object!(
    ResourceRestriction,
    ObjectStatus,
    |status| status,
    |status| status,
    |_| &[][..],
    |_| &[][..],
    |_| None,
    |_| &[],
    |restriction| restriction.spec.adopt,
    |restriction| restriction.spec.deletion_policy,
    true
);
// It desires nothing, and manages nothing that its deletion could remove.
managed_object!(
    Prune,
    ObjectStatus,
    |status| status,
    |status| status,
    |_| &[][..],
    |_| &[][..],
    |_| None,
    |_| &[],
    |_| None,
    |_| Some(DeletionPolicy::Retain),
    false
);
