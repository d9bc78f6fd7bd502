//! The caches of all kinds, and a way to visit the objects of a Backend whatever their kind.

use std::sync::Arc;

use rolewright_api::{
    AccessOffer, AccessRequest, AnyBackend, Approval, Prune, ResourceRestriction, Role, RoleBinding,
};
use rolewright_reconcile::{
    decide::{Resolve, named_roles},
    object::{ManagedObject, ObjectName, ObjectRef},
};

use super::{cache::Cache, selected::NamespaceLabels, writes::RolewrightResource};

/// The objects of all kinds.
pub struct Caches {
    /// Backends and ClusterBackends.
    pub backends: Arc<Cache<AnyBackend>>,
    /// Roles.
    pub roles: Arc<Cache<Role>>,
    /// RoleBindings.
    pub bindings: Arc<Cache<RoleBinding>>,
    /// ResourceRestrictions.
    pub restrictions: Arc<Cache<ResourceRestriction>>,
    /// Prunes.
    pub prunes: Arc<Cache<Prune>>,
    /// Approvals.
    pub approvals: Arc<Cache<Approval>>,
    /// AccessOffers.
    pub offers: Arc<Cache<AccessOffer>>,
    /// AccessRequests.
    pub requests: Arc<Cache<AccessRequest>>,
    /// The labels of namespaces. Empty if the operator serves only listed namespaces.
    pub namespaces: Arc<NamespaceLabels>,
}

impl Caches {
    /// Calls the visitor with each object of a Backend.
    pub fn each_of(&self, backend: &ObjectName, visitor: &mut impl Visitor) {
        let mut last = None;
        while let Some(page_end) = self.visit_page(backend, last.as_ref(), visitor) {
            last = Some(page_end);
        }
    }

    /// Calls the visitor with the next objects of a Backend, those after `last` in the order of kinds and names. Returns the last of them;
    /// None after the last page. A caller with much to do for each object can let other tasks run between two pages.
    pub fn visit_page(
        &self,
        backend: &ObjectName,
        last: Option<&ObjectRef>,
        visitor: &mut impl Visitor,
    ) -> Option<ObjectRef> {
        visit_page(&self.roles, backend, last, |object| visitor.visit(object))
            .or_else(|| visit_page(&self.bindings, backend, last, |object| visitor.visit(object)))
            .or_else(|| visit_page(&self.restrictions, backend, last, |object| visitor.visit(object)))
            .or_else(|| visit_page(&self.prunes, backend, last, |object| visitor.visit(object)))
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

fn visit_page<K: ManagedObject>(
    cache: &Cache<K>,
    backend: &ObjectName,
    last: Option<&ObjectRef>,
    visit: impl FnMut(Arc<K>),
) -> Option<ObjectRef> {
    const PAGE: usize = 200;
    let last = match last {
        Some(last) if last.kind > K::KIND => return None,
        Some(last) if last.kind == K::KIND => Some(&last.name),
        _ => None,
    };
    let refers_to_it = |object: &K| object.refers_to(backend);
    let objects = cache.select_page(&backend.namespace, last, PAGE, refers_to_it);
    let page_end = objects.last().map(|object| object.reference());
    objects.into_iter().for_each(visit);
    page_end
}

/// A kind with a cache.
pub trait Cached: ManagedObject + RolewrightResource {
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

impl Cached for Prune {
    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.prunes
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    fn put<K: ManagedObject + DeserializeOwned>(
        cache: &Cache<K>,
        namespace: &str,
        backend: &str,
        number: usize,
    ) {
        let metadata = json!({ "namespace": namespace, "name": format!("{backend}-{number:04}") });
        let spec = json!({
            "backendRef": { "name": backend },
            "rules": [],
            "resource": { "id": "x" },
        });
        cache.put(serde_json::from_value(json!({ "metadata": metadata, "spec": spec })).expect("an object"));
    }

    #[derive(Default)]
    struct Visited(Vec<ObjectRef>);

    impl Visitor for Visited {
        fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
            self.0.push(object.reference());
        }
    }

    #[test]
    fn pages_have_each_object_of_the_backend_once() {
        let (roles, bindings, restrictions) = (Cache::new().0, Cache::new().0, Cache::new().0);
        for (namespace, backend) in [("a", "one"), ("b", "one"), ("b", "other"), ("c", "one")] {
            (0..450).for_each(|number| put(&roles, namespace, backend, number));
            (0..3).for_each(|number| put(&restrictions, namespace, backend, number));
        }
        let caches = Caches {
            backends: Cache::new().0,
            roles,
            bindings,
            restrictions,
            prunes: Cache::new().0,
            approvals: Cache::new().0,
            offers: Cache::new().0,
            requests: Cache::new().0,
            namespaces: NamespaceLabels::new().0,
        };
        let mut visited = Visited::default();
        caches.each_of(&ObjectName::new("b", "one"), &mut visited);
        assert_eq!(visited.0.len(), 453);
        assert!(visited.0.is_sorted() && visited.0.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(
            visited
                .0
                .iter()
                .all(|object| object.name.name.starts_with("one-") && &*object.name.namespace == "b")
        );
    }
}
