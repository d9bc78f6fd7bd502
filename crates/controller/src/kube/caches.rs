//! The caches of all kinds, and a way to visit the objects of a Backend whatever their kind.

use std::sync::Arc;

use rolewright_api::{Backend, ResourceRestriction, Role, RoleBinding};
use rolewright_reconcile::{
    decide::{Resolve, named_roles},
    object::{ManagedObject, ObjectName},
};

use super::cache::Cache;

/// The objects of all kinds.
pub struct Caches {
    /// Backends.
    pub backends: Arc<Cache<Backend>>,
    /// Roles.
    pub roles: Arc<Cache<Role>>,
    /// RoleBindings.
    pub bindings: Arc<Cache<RoleBinding>>,
    /// ResourceRestrictions.
    pub restrictions: Arc<Cache<ResourceRestriction>>,
}

impl Caches {
    /// Calls the visitor with each object of a Backend.
    pub fn each_of(&self, backend: &ObjectName, visitor: &mut impl Visitor) {
        visit(&self.roles, backend, &mut |object| visitor.visit(object));
        visit(&self.bindings, backend, &mut |object| visitor.visit(object));
        visit(&self.restrictions, backend, &mut |object| visitor.visit(object));
    }

    /// The RoleBindings that manage something and can manage grants of a Role.
    pub fn granting(&self, role: &ObjectName) -> Vec<Arc<RoleBinding>> {
        self.bindings.select(|binding: &RoleBinding| {
            binding.metadata.namespace.as_deref() == Some(&*role.namespace)
                && !binding.held().is_empty()
                && named_roles(binding).contains(&*role.name)
        })
    }

    /// The RoleBindings that name a Role.
    pub fn bindings_of(&self, role: &ObjectName) -> Vec<Arc<RoleBinding>> {
        self.bindings.select(|binding: &RoleBinding| {
            binding.spec.role_ref.name.as_deref() == Some(&*role.name)
                && binding.metadata.namespace.as_deref() == Some(&*role.namespace)
        })
    }
}

/// Something to do with an object of any managed kind.
pub trait Visitor {
    /// Does it.
    fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>);
}

fn visit<K: ManagedObject>(cache: &Cache<K>, backend: &ObjectName, each: &mut dyn FnMut(Arc<K>)) {
    let refers_to_it = |object: &K| {
        object.backend_name() == &*backend.name
            && object.meta().namespace.as_deref() == Some(&*backend.namespace)
    };
    cache.select(refers_to_it).into_iter().for_each(each);
}

/// A kind with a cache.
pub trait Cached: ManagedObject {
    /// The cache of this kind.
    fn cache(caches: &Caches) -> &Cache<Self>;
}

impl Cached for Role {
    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.roles
    }
}

impl Cached for RoleBinding {
    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.bindings
    }
}

impl Cached for ResourceRestriction {
    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.restrictions
    }
}
