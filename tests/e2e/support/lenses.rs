//! A test's own part of the world with a Lenses HQ in it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rolewright_simulators::{
    kit::{Options, log::Entry},
    lenses::{self, ADMIN, Grant, Lenses, Switches, Tenant, groups::Group, roles::Role},
};
use serde_json::{Value, json};

use super::{
    account::Account,
    objects::{connection, holders, object, with, without_nulls},
    world::{KEY, World},
};

impl Account for Lenses {
    const SECRET: (&'static str, &'static str) = ("lenses-token", "token");

    fn backend(url: &str) -> Value {
        backend(url, json!({}))
    }

    fn has_sweep(entries: &[Entry]) -> bool {
        let count =
            |end: &str| entries.iter().filter(|it| it.method == "GET" && it.path.ends_with(end)).count();
        // Other questions than a sweep's list roles or groups too.
        count("/api/v1/roles") >= 2 && count("/api/v1/groups") >= 2
    }

    fn access(tenant: &Tenant) -> Value {
        json!([tenant.roles, tenant.groups])
    }
}

impl World<Lenses> {
    /// A namespace with a Secret and a Backend, a seeded HQ, an operator.
    pub async fn lenses(name: &str) -> Self {
        Self::switched(name, |_| {}).await
    }

    /// The same with more in the Backend's block, and an HQ that differs.
    pub async fn lenses_with(name: &str, more: Value, change: impl FnOnce(&mut Switches)) -> Self {
        let world = Self::unconnected(name, Options::new(KEY).switched(change)).await;
        world.secret(KEY).await;
        world.apply(backend(&world.sim.url(), more)).await;
        world
    }

    /// Takes an object's role or group out of the account and puts another of the same name in its place, as a person would.
    pub fn make_again(&self, role: &str, policy_of: &str) {
        self.sim.edit(|tenant| {
            let policy = tenant.roles.get(policy_of).unwrap().policy.clone();
            let id = tenant.issue_id();
            let old = tenant.roles.remove(role).unwrap();
            let made = Role { id, created_at: Timestamp::now(), policy, metadata: BTreeMap::new(), ..old };
            tenant.roles.insert(made);
        });
    }

    /// The same for a group, with what it has.
    pub fn make_group_again(&self, group: &str, change: impl FnOnce(&mut Group)) {
        self.sim.edit(|tenant| {
            let id = tenant.issue_id();
            let old = tenant.groups.remove(group).unwrap();
            let mut made = Group { id, created_at: Timestamp::now(), ..old };
            change(&mut made);
            tenant.groups.insert(made);
        });
    }

    /// The group that a binding of this name owns.
    pub fn owned(&self, binding: &str) -> Option<Group> {
        let begins = format!("rw-{binding}-");
        self.sim.edit(|tenant| tenant.groups.iter().find(|group| group.name.starts_with(&begins)).cloned())
    }

    /// Who is in a group, by name.
    pub fn members(&self, group: &str) -> Vec<String> {
        self.sim.edit(|tenant| {
            let group = tenant.groups.get(group);
            group.into_iter().flat_map(|group| &group.members).map(|member| member.name.clone()).collect()
        })
    }

    /// The roles of a group.
    pub fn roles_of(&self, group: &str) -> BTreeSet<String> {
        self.sim.edit(|tenant| tenant.groups.get(group).map(|group| group.roles.clone()).unwrap_or_default())
    }

    /// The policy of a role, as the server would answer it.
    pub fn policy(&self, role: &str) -> Value {
        self.sim.edit(|tenant| json!(tenant.roles.get(role).map(|role| role.policy.clone())))
    }

    /// Waits until the list of groups was asked for some times more, be it refused.
    pub async fn swept_or_refused(&self, since: u64) {
        let listed = |seen: &[Entry]| seen.iter().filter(|it| it.path.ends_with("/groups")).count() > 3;
        self.until_asked(since, "the list of groups", listed).await;
    }

    /// Gives the operator's token these rights alone, or all of its account's.
    pub fn limit(&self, policy: Option<Value>) {
        let mut grant = Grant::of_service_account(lenses::ADMIN_ACCOUNT);
        grant.policy = policy.map(|policy| serde_json::from_value(policy).unwrap());
        self.narrow(ADMIN, grant);
    }
}

/// A Backend named `lenses` on the simulator, with more in its block; without the fields there that are null.
pub fn backend(url: &str, more: Value) -> Value {
    let block = json!({
        "url": url,
        "allowInsecure": true,
        "serviceAccount": lenses::ADMIN_ACCOUNT,
        "credentials": { "tokenSecretRef": { "name": "lenses-token", "key": "token" } },
    });
    connection("lenses", without_nulls(with(block, more)), json!({}))
}

/// A Role that may list topics, unless `more` says otherwise.
pub fn role(name: &str, more: Value) -> Value {
    let rules = json!([{ "actions": ["kafka:ListTopics"], "resources": ["kafka:topic:*"] }]);
    object("Role", name, with(json!({ "backendRef": { "name": "lenses" }, "rules": rules }), more))
}

/// A RoleBinding of a Role of ours to subjects by kind and name.
pub fn binding(name: &str, role: &str, subjects: &[(&str, &str)], more: Value) -> Value {
    holders("lenses", name, role, subjects, more)
}
