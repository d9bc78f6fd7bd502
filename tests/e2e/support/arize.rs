//! A test's own part of the world with an Arize account in it: the one that is meant where no vendor is named.

use std::collections::BTreeMap;

use rolewright_simulators::{
    arize::{Arize, Grant, Id, Tenant},
    kit::log::Entry,
};
use serde_json::{Value, json};

use super::{
    account::Account,
    objects::{backend, binding, restriction, role},
    world::World,
};

impl Account for Arize {
    const SECRET: (&'static str, &'static str) = ("arize-key", "key");

    fn backend(url: &str) -> Value {
        backend(url, json!({}))
    }

    fn has_sweep(entries: &[Entry]) -> bool {
        let listed = |path: &str| entries.iter().any(|entry| entry.path == path && entry.method == "GET");
        listed("/v2/roles") && listed("/v2/role-bindings")
    }

    fn access(tenant: &Tenant) -> Value {
        json!([tenant.roles, tenant.role_bindings, tenant.restrictions])
    }
}

impl World {
    /// A role, its binding to two people, and a restriction, all of them in sync.
    pub async fn in_sync(name: &str) -> Self {
        let world = Self::new(name).await;
        world.apply(role("reader", &["PROJECT_READ"], json!({}))).await;
        world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
        world.apply(restriction("churn", "churn", json!({}))).await;
        world
            .each_ready(&[("Role", "reader"), ("RoleBinding", "readers"), ("ResourceRestriction", "churn")])
            .await;
        world
    }

    /// What the administrator's key may see and do at the start.
    pub fn admin(&self) -> Grant {
        let user = self.sim.edit(|tenant| tenant.user_by_email("admin@example.com"));
        Grant::admin(user.unwrap())
    }

    /// A space of the account.
    pub fn space(&self, name: &str) -> Id {
        self.sim.edit(|tenant| tenant.space_by_name(name)).unwrap()
    }

    /// A user of the account.
    pub fn user(&self, local_part: &str) -> Id {
        self.sim.edit(|tenant| tenant.user_by_email(&format!("{local_part}@example.com"))).unwrap()
    }

    /// The roles that bindings give in a space (by the id of the role), by user.
    pub fn granted(&self, space: &str) -> BTreeMap<Id, Id> {
        let space = self.space(space);
        self.sim.edit(|tenant| {
            let there = tenant.role_bindings.iter().filter(|binding| binding.resource_id == space);
            there.map(|binding| (binding.user_id, binding.role_id)).collect()
        })
    }

    /// How many live roles have this name.
    pub fn roles_called(&self, name: &str) -> usize {
        self.sim.edit(|tenant| {
            tenant.roles.iter().filter(|role| role.name == name && role.deleted_at.is_none()).count()
        })
    }

    /// What a Backend says apart from its counts.
    pub async fn backend_says(&self) -> Value {
        let mut backend = self.get("Backend", "arize").await;
        backend.data["status"].as_object_mut().unwrap().remove("counts");
        backend.data["status"].clone()
    }
}
