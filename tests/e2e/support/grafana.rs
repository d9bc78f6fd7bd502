//! A test's own part of the world with a Grafana in it.

use std::collections::BTreeMap;

use rolewright_simulators::{
    grafana::{
        Grafana, Switches, Tenant,
        basic_role::BasicRole,
        managed::{ManagedPermission, ResourceKind, Subject},
    },
    kit::log::Entry,
};
use serde_json::{Value, json};

use super::{
    account::Account,
    objects::{connection, holders, object, with},
    world::World,
};

impl Account for Grafana {
    const SECRET: (&'static str, &'static str) = ("grafana-token", "token");

    fn backend(url: &str) -> Value {
        backend(url, json!({}))
    }

    fn has_sweep(entries: &[Entry]) -> bool {
        let count =
            |end: &str| entries.iter().filter(|it| it.method == "GET" && it.path.ends_with(end)).count();
        let (roles, rights) =
            (count("/api/access-control/roles"), count("/api/access-control/user/permissions"));
        // A sweep that needs no roles asks for the rights first and last; the first that is seen may be another's last.
        roles > 0 && rights > 0 || rights > 2
    }

    /// Searches are POSTs and change nothing.
    fn is_change(entry: &Entry) -> bool {
        entry.is_write() && !entry.path.ends_with("/search")
    }

    fn access(tenant: &Tenant) -> Value {
        json!([tenant.roles, tenant.user_roles, tenant.team_roles])
    }
}

impl World<Grafana> {
    /// A namespace with a Secret and a Backend, a seeded Grafana, an operator.
    pub async fn grafana(name: &str) -> Self {
        Self::grafana_with(name, |_| {}).await
    }

    /// The same with a Grafana that differs.
    pub async fn grafana_with(name: &str, change: impl FnOnce(&mut Switches)) -> Self {
        Self::switched(name, change).await
    }

    /// Who holds the role of this name: users and service accounts by number, then teams.
    pub fn holders(&self, role: &str) -> (Vec<i64>, Vec<i64>) {
        self.sim.edit(|tenant| {
            let Some(uid) = tenant.role_by_name(role) else { return Default::default() };
            let users = tenant.user_roles.iter().filter(|it| it.role_uid == uid).map(|it| it.user_id);
            let teams = tenant.team_roles.iter().filter(|it| it.role_uid == uid).map(|it| it.team_id);
            let (mut users, mut teams) = (users.collect::<Vec<_>>(), teams.collect::<Vec<_>>());
            users.sort_unstable();
            teams.sort_unstable();
            (users, teams)
        })
    }

    /// What a role of the server permits: actions and scopes.
    pub fn permits(&self, role: &str) -> Vec<(String, String)> {
        self.sim.edit(|tenant| {
            let role = tenant.roles.iter().find(|it| it.name == role);
            let pairs = role.into_iter().flat_map(|role| role.permissions.iter());
            pairs.map(|it| (it.action.clone(), it.scope.clone())).collect()
        })
    }

    /// What viewers and editors may do on a resource by its own permissions, and how many others have any there.
    pub fn open(&self, kind: ResourceKind, uid: &str) -> (BTreeMap<String, String>, usize) {
        self.sim.edit(|tenant| {
            let on_it = |row: &&ManagedPermission| {
                (row.org_id, row.resource, row.resource_id.as_str()) == (1, kind, uid)
            };
            let (mut open, mut others) = (BTreeMap::new(), 0);
            for row in tenant.managed_permissions.iter().filter(on_it) {
                match row.subject {
                    Subject::BuiltInRole(role) => {
                        open.insert(format!("{role:?}"), row.permission.clone());
                    }
                    Subject::User(_) | Subject::Team(_) => others += 1,
                }
            }
            (open, others)
        })
    }

    /// Gives a basic role a permission on a resource by hand, or takes it away where it is empty.
    pub fn open_by_hand(&self, kind: ResourceKind, uid: &str, role: BasicRole, permission: &str) {
        self.sim.edit(|tenant| tenant.set_permission(1, (kind, uid), Subject::BuiltInRole(role), permission));
    }

    /// The number of a user by login.
    pub fn user(&self, login: &str) -> i64 {
        self.number(|tenant| tenant.user_by_login(login))
    }

    /// The number of a team.
    pub fn team(&self, name: &str) -> i64 {
        self.number(|tenant| tenant.team_by_name(name))
    }

    /// The number of a service account.
    pub fn service_account(&self, name: &str) -> i64 {
        self.number(|tenant| tenant.service_account_by_name(name))
    }

    fn number(&self, find: impl FnOnce(&Tenant) -> Option<i64>) -> i64 {
        self.sim.edit(|tenant| find(tenant)).unwrap()
    }
}

/// A Backend named `grafana` on the simulator.
pub fn backend(url: &str, more: Value) -> Value {
    let block = json!({
        "url": url,
        "allowInsecure": true,
        "credentials": { "tokenSecretRef": { "name": "grafana-token", "key": "token" } },
    });
    connection("grafana", block, more)
}

/// A Role that may read reports, unless `more` says otherwise.
pub fn role(name: &str, more: Value) -> Value {
    let rules = json!([{ "actions": ["reports:read"], "resources": ["reports:*"] }]);
    object("Role", name, with(json!({ "backendRef": { "name": "grafana" }, "rules": rules }), more))
}

/// A RoleBinding of a Role of ours to subjects by kind and name.
pub fn binding(name: &str, role: &str, subjects: &[(&str, &str)], more: Value) -> Value {
    holders("grafana", name, role, subjects, more)
}

/// A ResourceRestriction of what is named.
pub fn restriction(name: &str, resource: Value, more: Value) -> Value {
    let spec = json!({ "backendRef": { "name": "grafana" }, "resource": resource });
    object("ResourceRestriction", name, with(spec, more))
}
