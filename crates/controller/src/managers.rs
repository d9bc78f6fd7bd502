//! What all objects of the cluster say about one account: a Prune removes nothing that any of them manages or means to manage.

use std::{collections::HashMap, sync::Arc};

use kube::ResourceExt;
use rolewright_api::{ExternalRole, RoleRef};
use rolewright_core::planner::{ELSEWHERE, Issue, Problem};
use rolewright_reconcile::{
    account::Link,
    convert::held_from_status,
    decide::{Manager, Managers, Resolve},
    object::{ManagedObject, ObjectName},
};

use crate::{backend::pinned_account, context::Context, kube::Cached};

/// What objects say about the account of a link, for an object in this namespace.
pub fn of_account(ctx: &Context, link: &Link, namespace: &str) -> Managers {
    let mut found = Find { ctx, link, namespace, is_here: HashMap::new(), managers: Managers::default() };
    found.managers.obstacle = obstacle(ctx);
    if found.managers.obstacle.is_some() {
        return found.managers;
    }
    found.each(&ctx.caches.roles.all());
    found.each(&ctx.caches.bindings.all());
    found.each(&ctx.caches.restrictions.all());
    for binding in ctx.caches.bindings.all() {
        found.name_role(&binding.spec.role_ref);
        found.managers.roles.extend(binding.names().iter().map(|name| name.id.clone()));
    }
    ctx.caches.offers.all().iter().for_each(|offer| found.name_role(&offer.spec.role_ref));
    found.managers
}

/// Why the objects of the cluster are not known.
fn obstacle(ctx: &Context) -> Option<Problem> {
    if !ctx.options.namespaces.is_empty() {
        let why = "this operator serves single namespaces (--namespaces), so it does not know what all objects of the cluster manage";
        return Some(Problem::new(Issue::Unsupported, why));
    }
    let caches = &ctx.caches;
    let undecoded = [
        ("Backend", caches.backends.first_undecoded()),
        ("Role", caches.roles.first_undecoded()),
        ("RoleBinding", caches.bindings.first_undecoded()),
        ("ResourceRestriction", caches.restrictions.first_undecoded()),
        ("AccessOffer", caches.offers.first_undecoded()),
    ];
    let (kind, _) = undecoded.into_iter().find(|(_, name)| name.is_some())?;
    let why = format!("nothing is removed: this operator cannot decode a {kind}; its log names the object");
    Some(Problem::new(Issue::Waiting, why))
}

struct Find<'a> {
    ctx: &'a Context,
    link: &'a Link,
    namespace: &'a str,
    /// Whether a Backend is connected to the account, or can be.
    is_here: HashMap<ObjectName, bool>,
    managers: Managers,
}

impl Find<'_> {
    fn each<K: Resolve + Cached>(&mut self, objects: &[Arc<K>]) {
        for object in objects {
            self.managers.recorded.extend(object.held().iter().filter_map(held_from_status));
            if object.is_being_deleted() || !self.is_here(&object.backend()) {
                continue;
            }
            if self.is_refused(&**object) {
                continue;
            }
            self.managers.objects.push(Manager {
                claimant: object.claimant(),
                generation: object.meta().generation,
                title: self.title(&**object),
            });
        }
    }

    /// Whether its ClusterBackend does not serve its namespace.
    fn is_refused<K: Resolve + Cached>(&self, object: &K) -> bool {
        let backend = object.backend();
        let link = self.ctx.backends.link(&backend).filter(|_| backend.is_of_cluster());
        link.is_some_and(|link| {
            self.ctx.refuses(object, &self.ctx.with_present_spec(&backend, link)).is_some()
        })
    }

    /// A role that an object names is wanted, also while nobody has it.
    fn name_role(&mut self, role: &RoleRef) {
        if let Some(ExternalRole { name, id }) = &role.external {
            self.managers.roles.extend([name, id].into_iter().flatten().cloned());
        }
    }

    /// Only a Backend that is known to be on another account does not count.
    fn is_here(&mut self, backend: &ObjectName) -> bool {
        if let Some(known) = self.is_here.get(backend) {
            return *known;
        }
        let here = &self.link.view.account;
        let is_here = match self.ctx.backends.account(backend) {
            Some(account) => Arc::ptr_eq(&account, here),
            None => self.ctx.caches.backends.get(backend).is_none_or(|backend| {
                let vendor = backend.spec.block().map(|block| block.vendor);
                let pinned = pinned_account(self.ctx, &backend);
                vendor.is_none_or(|vendor| vendor == self.link.view.backend.dialect().vendor())
                    && pinned.is_none_or(|pinned| pinned == here.id)
            }),
        };
        self.is_here.insert(backend.clone(), is_here);
        is_here
    }

    /// Users of a namespace learn nothing about the others, but the owner of a ClusterBackend does.
    fn title<K: ManagedObject>(&self, object: &K) -> String {
        match object.namespace().as_deref() == Some(self.namespace) || self.link.terms.is_some() {
            true => object.title(),
            false => ELSEWHERE.to_owned(),
        }
    }
}
