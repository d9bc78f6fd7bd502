//! Lenses HQ.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rolewright_simulators::{
    kit::{Options, log::Entry},
    lenses::{self, ADMIN, Grant, Lenses, Switches, Tenant, groups::Group, roles::Role},
};
use serde_json::{Value, json};

use super::{
    account::Account,
    manifests::{self, with, without_nulls},
    world::{ADMIN_CREDENTIAL, World},
};

/// Two users and a service account of the seeded account.
pub const MEMBERS: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("User", "peggy"), ("ServiceAccount", "nightly-reports")];
/// Two groups of the seeded account.
pub const GROUPS: [(&str, &str); 2] = [("Group", "sre"), ("Group", "newcomers")];

impl Account for Lenses {
    const SECRET: (&'static str, &'static str) = ("lenses-token", "token");

    fn backend(url: &str, more: Value) -> Value {
        manifests::backend("lenses", block(url), more)
    }

    fn has_sweep(entries: &[Entry]) -> bool {
        let count =
            |end: &str| entries.iter().filter(|it| it.method == "GET" && it.path.ends_with(end)).count();
        // One list alone can belong to another request.
        count("/api/v1/roles") >= 2 && count("/api/v1/groups") >= 2
    }

    fn access(tenant: &Tenant) -> Value {
        json!([tenant.roles, tenant.groups])
    }
}

impl World<Lenses> {
    /// A connected world with a seeded HQ.
    pub async fn lenses(name: &str) -> Self {
        Self::with_switches(name, |_| {}).await
    }

    /// The same with further fields in the Backend's block, and other switches.
    pub async fn lenses_with(name: &str, more: Value, change: impl FnOnce(&mut Switches)) -> Self {
        let world = Self::unconnected(name, Options::new(ADMIN_CREDENTIAL).switched(change)).await;
        world.apply_secret(ADMIN_CREDENTIAL).await;
        world.apply(backend(&world.sim.url(), more)).await;
        world
    }

    /// Deletes a role by hand and creates another with the same name and the policy of the role `policy_of`.
    pub fn recreate_role(&self, role: &str, policy_of: &str) {
        self.sim.edit(|tenant| {
            let policy = tenant.roles.get(policy_of).unwrap().policy.clone();
            let id = tenant.issue_id();
            let old = tenant.roles.remove(role).unwrap();
            let made = Role { id, created_at: Timestamp::now(), policy, metadata: BTreeMap::new(), ..old };
            tenant.roles.insert(made);
        });
    }

    /// Deletes a group by hand and creates another with the same name and content, then changes it.
    pub fn recreate_group(&self, group: &str, change: impl FnOnce(&mut Group)) {
        self.sim.edit(|tenant| {
            let id = tenant.issue_id();
            let old = tenant.groups.remove(group).unwrap();
            let mut made = Group { id, created_at: Timestamp::now(), ..old };
            change(&mut made);
            tenant.groups.insert(made);
        });
    }

    /// The group that Rolewright created for a RoleBinding of this name.
    pub fn owned_group(&self, binding: &str) -> Option<Group> {
        let prefix = format!("rw-{binding}-");
        self.sim.edit(|tenant| tenant.groups.iter().find(|group| group.name.starts_with(&prefix)).cloned())
    }

    /// The names of a group's members.
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

    /// Whether a role exists.
    pub fn has_role(&self, name: &str) -> bool {
        self.sim.edit(|tenant| tenant.roles.contains(name))
    }

    /// The policy of a role as JSON.
    pub fn policy(&self, role: &str) -> Value {
        self.sim.edit(|tenant| json!(tenant.roles.get(role).map(|role| role.policy.clone())))
    }

    /// Replaces the policy of a role by that of the seeded role `developer`, by hand.
    pub fn replace_policy(&self, role: &str) {
        self.sim.edit(|tenant| {
            let developer = tenant.roles.get("developer").unwrap().policy.clone();
            tenant.roles.get_mut(role).unwrap().policy = developer;
        });
    }

    /// Limits the operator's token to this policy. `None` restores the rights of its account.
    pub fn limit_token(&self, policy: Option<Value>) {
        let mut grant = Grant::of_service_account(lenses::ADMIN_ACCOUNT);
        grant.policy = policy.map(|policy| serde_json::from_value(policy).unwrap());
        self.limit_credential(ADMIN, grant);
    }
}

fn block(url: &str) -> Value {
    json!({
        "url": url,
        "allowInsecure": true,
        "serviceAccount": lenses::ADMIN_ACCOUNT,
        "credentials": { "tokenSecretRef": { "name": "lenses-token", "key": "token" } },
    })
}

/// A Backend named `lenses` with further fields in its block. A null in `more` removes the field.
pub fn backend(url: &str, more: Value) -> Value {
    manifests::backend("lenses", without_nulls(with(block(url), more)), json!({}))
}

/// A Role that can list topics, unless `more` has other rules.
pub fn role(name: &str, more: Value) -> Value {
    let rules = json!([{ "actions": ["kafka:ListTopics"], "resources": ["kafka:topic:*"] }]);
    manifests::role("lenses", name, rules, more)
}

/// A RoleBinding from a Role object to subjects by kind and name.
pub fn binding(name: &str, role: &str, subjects: &[(&str, &str)], more: Value) -> Value {
    manifests::binding("lenses", name, role, subjects, more)
}
