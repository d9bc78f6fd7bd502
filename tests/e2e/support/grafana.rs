//! A test's own part of the world with a Grafana in it.

use std::collections::BTreeMap;

use rolewright::simulators::{
    grafana::{
        self, Simulator, Switches, Tenant,
        basic_role::BasicRole,
        managed::{ManagedPermission, ResourceKind, Subject},
    },
    kit::{Server, log::Entry},
};
use serde_json::{Value, json};

use super::{
    objects::{object, with},
    setting::Setting,
    world::{Account, KEY, World},
};

impl Account for Simulator {
    type Vendor = grafana::Grafana;
    const SECRET: (&'static str, &'static str) = ("grafana-token", "token");

    fn server(&self) -> &Server<grafana::Grafana> {
        self
    }

    fn has_sweep(entries: &[Entry]) -> bool {
        let count =
            |end: &str| entries.iter().filter(|it| it.method == "GET" && it.path.ends_with(end)).count();
        let (roles, rights) =
            (count("/api/access-control/roles"), count("/api/access-control/user/permissions"));
        // A sweep that needs no roles asks for the rights first and last; the first that is seen may be another's last.
        roles > 0 && rights > 0 || rights > 2
    }
}

impl World<Simulator> {
    /// A namespace with a Secret and a Backend, a seeded Grafana, an operator.
    pub async fn grafana(name: &str) -> Self {
        Self::grafana_with(name, |_| {}).await
    }

    /// The same with a Grafana that differs.
    pub async fn grafana_with(name: &str, change: impl FnOnce(&mut Switches)) -> Self {
        let mut options = grafana::Options::new(KEY);
        change(&mut options.tenant.switches);
        let world = Setting::new(name).around(Simulator::start(options).await.unwrap()).await;
        world.secret(KEY).await;
        world.apply(backend(&world.sim.url(), json!({}))).await;
        world
    }

    /// Lets the server behave otherwise from now on.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        self.sim.edit(|tenant| change(&mut tenant.switches));
    }

    /// What the server was asked to change since a point of its log: searches are POSTs and change nothing.
    pub fn changes_since(&self, since: u64) -> Vec<String> {
        self.writes_since(since).into_iter().filter(|call| !call.ends_with("/search")).collect()
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

    /// All roles and assignments as JSON: equal where nothing was changed.
    pub fn access(&self) -> Value {
        self.sim.edit(|tenant| json!([tenant.roles, tenant.user_roles, tenant.team_roles]))
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
    let spec = json!({
        "grafana": {
            "url": url,
            "allowInsecure": true,
            "credentials": { "tokenSecretRef": { "name": "grafana-token", "key": "token" } },
        },
        "sweepInterval": "1s",
        "requests": { "perSecond": 1000, "burst": 1000, "concurrency": 4 },
    });
    object("Backend", "grafana", with(spec, more))
}

/// A Role that may read reports, unless `more` says otherwise.
pub fn role(name: &str, more: Value) -> Value {
    let rules = json!([{ "actions": ["reports:read"], "resources": ["reports:*"] }]);
    object("Role", name, with(json!({ "backendRef": { "name": "grafana" }, "rules": rules }), more))
}

/// A RoleBinding of a Role of ours to subjects by kind and name.
pub fn binding(name: &str, role: &str, subjects: &[(&str, &str)], more: Value) -> Value {
    let subjects: Vec<Value> =
        subjects.iter().map(|(kind, name)| json!({ "kind": kind, "name": name })).collect();
    let spec = json!({
        "backendRef": { "name": "grafana" },
        "roleRef": { "name": role },
        "subjects": subjects,
    });
    object("RoleBinding", name, with(spec, more))
}

/// A ResourceRestriction of what is named.
pub fn restriction(name: &str, resource: Value, more: Value) -> Value {
    let spec = json!({ "backendRef": { "name": "grafana" }, "resource": resource });
    object("ResourceRestriction", name, with(spec, more))
}
