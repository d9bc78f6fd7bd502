//! Arize AX: the vendor that the tests in `common` use, and the default of [`World`].

use std::collections::BTreeMap;

use rolewright_simulators::{
    arize::{Arize, Grant, Id, Kind, Options, Tenant, role_bindings, users::User},
    kit::{Vendor, log::Entry},
};
use serde_json::{Value, json};

use super::{
    account::Account,
    manifests,
    world::{ADMIN_CREDENTIAL, World},
};

impl Account for Arize {
    const SECRET: (&'static str, &'static str) = ("arize-key", "key");

    fn backend(url: &str, more: Value) -> Value {
        backend(url, more)
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
    /// A connected world with a seeded account.
    pub async fn new(name: &str) -> Self {
        Self::with_switches(name, |_| {}).await
    }

    /// The same without Secret and Backend.
    pub async fn without_backend(name: &str) -> Self {
        Self::unconnected(name, Options::new(ADMIN_CREDENTIAL)).await
    }

    /// A world with a role, its binding to two users, and a restriction. All are in sync, and a sweep has completed since.
    pub async fn in_sync(name: &str) -> Self {
        let world = Self::new(name).await;
        world
            .apply_all(&[
                role("reader", &["PROJECT_READ"], json!({})),
                binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({})),
                restriction("churn", "churn", json!({})),
            ])
            .await;
        world.full_sweep().await;
        world
    }

    /// The rights that the admin's credential has at the start.
    pub fn admin_grant(&self) -> Grant {
        self.sim.edit(|tenant| Arize::admin(tenant))
    }

    /// The id of a space.
    pub fn space_id(&self, name: &str) -> Id {
        self.sim.edit(|tenant| tenant.space_by_name(name)).unwrap()
    }

    /// The id of a user, by the part of the address before the @.
    pub fn user_id(&self, local_part: &str) -> Id {
        self.sim.edit(|tenant| tenant.user_by_email(&format!("{local_part}@example.com"))).unwrap()
    }

    /// Adds a user with this address.
    pub fn add_user(&self, email: &str) {
        self.sim.edit(|tenant| {
            let template = tenant.users.iter().find(|user| user.email == "bob@example.com").unwrap().clone();
            let id = tenant.issue(Kind::User);
            tenant.users.insert(User { id, email: email.to_owned(), ..template });
        });
    }

    /// The id of a role.
    pub fn role_id(&self, name: &str) -> Option<Id> {
        self.sim.edit(|tenant| tenant.role_by_name(name))
    }

    /// How many roles with this name exist.
    pub fn count_roles(&self, name: &str) -> usize {
        self.sim.edit(|tenant| {
            tenant.roles.iter().filter(|role| role.name == name && role.deleted_at.is_none()).count()
        })
    }

    /// The permissions of a role.
    pub fn permissions_of(&self, role: &str) -> Vec<String> {
        self.sim.edit(|tenant| {
            let id = tenant.role_by_name(role).unwrap();
            tenant.roles.get(id).unwrap().permissions.clone()
        })
    }

    /// Adds a permission to a role by hand.
    pub fn add_permission(&self, role: &str, permission: &str) {
        self.sim.edit(|tenant| {
            let id = tenant.role_by_name(role).unwrap();
            tenant.roles.get_mut(id).unwrap().permissions.push(permission.to_owned());
        });
    }

    /// The role of each user in a space.
    pub fn roles_by_user(&self, space: &str) -> BTreeMap<Id, Id> {
        let space = self.space_id(space);
        self.sim.edit(|tenant| {
            let bindings = tenant.role_bindings.iter().filter(|binding| binding.resource_id == space);
            bindings.map(|binding| (binding.user_id, binding.role_id)).collect()
        })
    }

    /// The ids and role names of a user's bindings.
    pub fn grants_of(&self, email: &str) -> Vec<(String, String)> {
        self.sim.edit(|tenant| {
            let user = tenant.user_by_email(email).unwrap();
            let bindings = tenant.role_bindings.iter().filter(|binding| binding.user_id == user);
            let role_name = |id| tenant.roles.get(id).map(|role| role.name.clone()).unwrap_or_default();
            bindings.map(|binding| (binding.id.to_string(), role_name(binding.role_id))).collect()
        })
    }

    /// Binds a user to a role on a space by hand, and returns the binding's id.
    pub fn grant_by_hand(&self, email: &str, role: &str, space: &str) -> Id {
        self.sim.edit(|tenant| {
            let user = tenant.user_by_email(email).unwrap();
            let role = tenant.role_by_name(role).unwrap();
            let space = tenant.space_by_name(space).unwrap();
            role_bindings::set(tenant, user, space, role);
            role_bindings::held(tenant, user, space).unwrap().id
        })
    }

    /// Removes a user's binding on a space by hand.
    pub fn revoke_by_hand(&self, email: &str, space: &str) {
        self.sim.edit(|tenant| {
            let user = tenant.user_by_email(email).unwrap();
            let space = tenant.space_by_name(space).unwrap();
            let id = role_bindings::held(tenant, user, space).unwrap().id;
            tenant.role_bindings.remove(id);
        });
    }

    /// The status of the Backend without its counts and names, which follow the objects with a delay.
    pub async fn backend_status(&self) -> Value {
        let mut backend = self.get("Backend", "arize").await;
        let status = backend.data["status"].as_object_mut().unwrap();
        status.retain(|field, _| field != "counts" && field != "unmanaged");
        backend.data["status"].clone()
    }
}

/// A Backend named `arize`.
pub fn backend(url: &str, more: Value) -> Value {
    let block = json!({
        "url": url,
        "allowInsecure": true,
        "credentials": { "apiKeySecretRef": { "name": "arize-key", "key": "key" } },
    });
    manifests::backend("arize", block, more)
}

/// A Role with these permissions.
pub fn role(name: &str, actions: &[&str], more: Value) -> Value {
    manifests::role("arize", name, json!([{ "actions": actions }]), more)
}

/// A RoleBinding from a Role object to users, on the space `research` unless `more` has another scope.
pub fn binding(name: &str, role: &str, users: &[&str], more: Value) -> Value {
    let subjects: Vec<(&str, &str)> = users.iter().map(|user| ("User", *user)).collect();
    let more = manifests::with(json!({ "scope": { "space": "research" } }), more);
    manifests::binding("arize", name, role, &subjects, more)
}

/// A ResourceRestriction of a project in the space `research`.
pub fn restriction(name: &str, project: &str, more: Value) -> Value {
    manifests::restriction("arize", name, json!({ "space": "research", "project": project }), more)
}
