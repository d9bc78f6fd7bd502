//! Grafana.

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

use super::{account::Account, manifests, world::World};

/// A user, a service account and a team of the seeded account.
pub const SUBJECTS: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("ServiceAccount", "nightly-reports"), ("Team", "sre")];

impl Account for Grafana {
    const SECRET: (&'static str, &'static str) = ("grafana-token", "token");

    fn backend(url: &str, more: Value) -> Value {
        backend(url, more)
    }

    fn has_sweep(entries: &[Entry]) -> bool {
        let count =
            |end: &str| entries.iter().filter(|it| it.method == "GET" && it.path.ends_with(end)).count();
        let (roles, permissions) =
            (count("/api/access-control/roles"), count("/api/access-control/user/permissions"));
        // A sweep without roles reads the permissions at its start and at its end. The first such request in the log can be the
        // end of an earlier sweep.
        roles > 0 && permissions > 0 || permissions > 2
    }

    /// Searches are POSTs that change nothing.
    fn is_change(entry: &Entry) -> bool {
        entry.is_write() && !entry.path.ends_with("/search")
    }

    fn access(tenant: &Tenant) -> Value {
        json!([tenant.roles, tenant.user_roles, tenant.team_roles])
    }
}

impl World<Grafana> {
    /// A connected world with a seeded Grafana.
    pub async fn grafana(name: &str) -> Self {
        Self::grafana_with(name, |_| {}).await
    }

    /// The same with other switches.
    pub async fn grafana_with(name: &str, change: impl FnOnce(&mut Switches)) -> Self {
        Self::with_switches(name, change).await
    }

    /// The subjects of a role: the ids of users and service accounts, then those of teams. Both are sorted.
    pub fn subjects_of(&self, role: &str) -> (Vec<i64>, Vec<i64>) {
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

    /// [`SUBJECTS`] as [`World::subjects_of`] returns them.
    pub fn all_subjects(&self) -> (Vec<i64>, Vec<i64>) {
        let mut users = vec![self.user_id("alice"), self.service_account_id("nightly-reports")];
        users.sort_unstable();
        (users, vec![self.team_id("sre")])
    }

    /// The permissions of a role: actions and scopes.
    pub fn permissions_of(&self, role: &str) -> Vec<(String, String)> {
        self.sim.edit(|tenant| {
            let role = tenant.roles.iter().find(|it| it.name == role);
            let pairs = role.into_iter().flat_map(|role| role.permissions.iter());
            pairs.map(|it| (it.action.clone(), it.scope.clone())).collect()
        })
    }

    /// The permissions of basic roles on a resource, and the number of its other permissions.
    pub fn default_permissions(&self, kind: ResourceKind, uid: &str) -> (BTreeMap<String, String>, usize) {
        self.sim.edit(|tenant| {
            let on_it = |row: &&ManagedPermission| {
                (row.org_id, row.resource, row.resource_id.as_str()) == (1, kind, uid)
            };
            let (mut defaults, mut others) = (BTreeMap::new(), 0);
            for row in tenant.managed_permissions.iter().filter(on_it) {
                match row.subject {
                    Subject::BuiltInRole(role) => {
                        defaults.insert(format!("{role:?}"), row.permission.clone());
                    }
                    Subject::User(_) | Subject::Team(_) => others += 1,
                }
            }
            (defaults, others)
        })
    }

    /// Sets the permission of a basic role on a resource by hand; an empty one removes it.
    pub fn set_default_permission(&self, kind: ResourceKind, uid: &str, role: BasicRole, permission: &str) {
        self.sim.edit(|tenant| tenant.set_permission(1, (kind, uid), Subject::BuiltInRole(role), permission));
    }

    /// The id of a user by login.
    pub fn user_id(&self, login: &str) -> i64 {
        self.sim.edit(|tenant| tenant.user_by_login(login)).unwrap()
    }

    /// The id of a team.
    pub fn team_id(&self, name: &str) -> i64 {
        self.sim.edit(|tenant| tenant.team_by_name(name)).unwrap()
    }

    /// The id of a service account.
    pub fn service_account_id(&self, name: &str) -> i64 {
        self.sim.edit(|tenant| tenant.service_account_by_name(name)).unwrap()
    }
}

/// A Backend named `grafana`.
pub fn backend(url: &str, more: Value) -> Value {
    let block = json!({
        "url": url,
        "allowInsecure": true,
        "credentials": { "tokenSecretRef": { "name": "grafana-token", "key": "token" } },
    });
    manifests::backend("grafana", block, more)
}

/// A Role that can read reports, unless `more` has other rules.
pub fn role(name: &str, more: Value) -> Value {
    let rules = json!([{ "actions": ["reports:read"], "resources": ["reports:*"] }]);
    manifests::role("grafana", name, rules, more)
}

/// A RoleBinding from a Role object to subjects by kind and name.
pub fn binding(name: &str, role: &str, subjects: &[(&str, &str)], more: Value) -> Value {
    manifests::binding("grafana", name, role, subjects, more)
}

/// A ResourceRestriction.
pub fn restriction(name: &str, resource: Value, more: Value) -> Value {
    manifests::restriction("grafana", name, resource, more)
}
