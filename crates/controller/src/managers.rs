//! What all objects of the cluster say about one account: a Prune removes nothing that any of them manages or means to manage.

use std::{collections::HashMap, sync::Arc};

use rolewright_api::Reason;
use rolewright_core::planner::ELSEWHERE;
use rolewright_reconcile::{
    account::Link,
    convert::held_from_status,
    decide::Managers,
    object::{ManagedObject, ObjectName},
};

use crate::{context::Context, kube::Cached};

/// Reasons of objects of which all is known that they manage and desire.
const SETTLED: [Reason; 8] = [
    Reason::InSync,
    Reason::Planned,
    Reason::ApprovalRequired,
    Reason::Paused,
    Reason::Scheduled,
    Reason::Expired,
    Reason::Conflict,
    Reason::Contested,
];

/// What objects say about the account of a link, for an object in this namespace.
pub fn of_account(ctx: &Context, link: &Link, namespace: &str) -> Managers {
    let mut found = Find { ctx, link, namespace, is_here: HashMap::new(), managers: Managers::default() };
    found.each(&ctx.caches.roles.all());
    found.each(&ctx.caches.bindings.all());
    found.each(&ctx.caches.restrictions.all());
    found.managers
}

struct Find<'a> {
    ctx: &'a Context,
    link: &'a Link,
    namespace: &'a str,
    /// Whether a Backend is connected to the account.
    is_here: HashMap<ObjectName, bool>,
    managers: Managers,
}

impl Find<'_> {
    fn each<K: Cached>(&mut self, objects: &[Arc<K>]) {
        for object in objects {
            let held = object.held().iter().filter_map(held_from_status);
            self.managers.recorded.extend(held.filter_map(|held| Some((held.kind, held.id()?.clone()))));
            if self.managers.unsettled.is_none() && !is_settled(&**object) && self.is_here(&object.backend())
            {
                self.managers.unsettled = Some(self.title(&**object));
            }
        }
    }

    fn is_here(&mut self, backend: &ObjectName) -> bool {
        if let Some(known) = self.is_here.get(backend) {
            return *known;
        }
        let account = self.ctx.backends.account(backend);
        let is_here = account.is_some_and(|account| Arc::ptr_eq(&account, &self.link.view.account));
        self.is_here.insert(backend.clone(), is_here);
        is_here
    }

    /// Users of a namespace learn nothing about the others, but the owner of a ClusterBackend does.
    fn title<K: ManagedObject>(&self, object: &K) -> String {
        match object.meta().namespace.as_deref() == Some(self.namespace) || self.link.terms.is_some() {
            true => object.title(),
            false => ELSEWHERE.to_owned(),
        }
    }
}

fn is_settled<K: ManagedObject>(object: &K) -> bool {
    let Some(status) = object.status() else { return false };
    let mut ready = status.conditions.iter().filter(|condition| condition.type_ == "Ready");
    object.is_being_deleted()
        || status.observed_generation == object.meta().generation
            && ready.any(|ready| SETTLED.iter().any(|reason| reason.as_str() == ready.reason))
}
