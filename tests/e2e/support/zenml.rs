//! A test's own part of the world with a ZenML control plane in it.

use jiff::Timestamp;
use kube::api::DynamicObject;
use rolewright_simulators::{
    kit::log::Entry,
    zenml::{ORGANIZATION, Principal, Switches, Tenant, Uuid, ZenMl, roles::Level},
};
use serde_json::{Value, json};

use super::{
    account::Account,
    objects::{connection, holders, object, with},
    world::World,
};

impl Account for ZenMl {
    const SECRET: (&'static str, &'static str) = ("zenml-key", "key");

    fn backend(url: &str) -> Value {
        backend(url, json!({}))
    }

    fn has_sweep(entries: &[Entry]) -> bool {
        // Before a role is made it is looked for by its name.
        let lists =
            |it: &&Entry| it.method == "GET" && it.path.ends_with("/roles") && !it.query.contains("name=");
        entries.iter().filter(lists).count() > 1
    }

    /// Logins are POSTs and change nothing.
    fn is_change(entry: &Entry) -> bool {
        entry.is_write() && !entry.path.ends_with("/auth/login")
    }

    fn access(tenant: &Tenant) -> Value {
        let mut assignments = tenant.assignments.clone();
        assignments.sort_unstable();
        json!([tenant.roles, assignments])
    }
}

impl World<ZenMl> {
    /// A namespace with a Secret and a Backend, a seeded control plane, an operator.
    pub async fn zenml(name: &str) -> Self {
        Self::zenml_with(name, |_| {}).await
    }

    /// The same with a control plane that differs.
    pub async fn zenml_with(name: &str, change: impl FnOnce(&mut Switches)) -> Self {
        Self::switched(name, change).await
    }

    /// The first organization's role of a level and a name.
    pub fn role_id(&self, level: Level, name: &str) -> Option<Uuid> {
        let organization = self.organization();
        self.sim.edit(|tenant| {
            let mut here = tenant.roles.iter().filter(|role| role.organization_id == organization);
            here.find(|role| role.level == level && role.name.as_deref() == Some(name)).map(|role| role.id)
        })
    }

    /// Who holds a role: principal, workspace and project, in order.
    pub fn holders(&self, role: Uuid) -> Vec<(Principal, Option<Uuid>, Option<Uuid>)> {
        self.sim.edit(|tenant| {
            let of_it = tenant.assignments.iter().filter(|row| row.role_id == role);
            let mut all: Vec<_> =
                of_it.map(|row| (row.principal, row.workspace_id, row.project_id)).collect();
            all.sort_unstable();
            all
        })
    }

    /// Takes every assignment of a role away by hand.
    pub fn take_all(&self, role: Uuid) {
        self.sim.edit(|tenant| tenant.assignments.retain(|row| row.role_id != role));
    }

    /// What a role permits: resource types and actions.
    pub fn permits(&self, role: Uuid) -> Value {
        self.sim.edit(|tenant| json!(tenant.roles.get(role).unwrap().permissions))
    }

    /// A user of the first organization by the part before the at sign.
    pub fn person(&self, login: &str) -> Principal {
        Principal::User(self.find(|tenant, _| tenant.user_by_email(&format!("{login}@example.com"))))
    }

    /// A service account of the first organization.
    pub fn program(&self, name: &str) -> Principal {
        Principal::User(self.find(|tenant, organization| tenant.service_account_by_name(organization, name)))
    }

    /// A team of the first organization.
    pub fn team(&self, name: &str) -> Principal {
        Principal::Team(self.find(|tenant, organization| tenant.team_by_name(organization, name)))
    }

    /// A workspace of the first organization.
    pub fn workspace(&self, name: &str) -> Uuid {
        self.find(|tenant, organization| tenant.workspace_by_name(organization, name))
    }

    /// A project of it.
    pub fn project(&self, workspace: &str, name: &str) -> Uuid {
        let workspace = self.workspace(workspace);
        self.find(|tenant, _| tenant.project_by_name(workspace, name))
    }

    /// Somebody signs in and accepts an invitation.
    pub fn accepts(&self, login: &str) -> Principal {
        let email = format!("{login}@example.com");
        self.sim.edit(|tenant| {
            let user = Principal::User(tenant.add_user(login, login, Timestamp::now()));
            let invitation = tenant.invitations.iter_mut().find(|it| it.email == email).unwrap();
            invitation.is_accepted = true;
            let from = Principal::Invitation(invitation.id);
            for row in tenant.assignments.iter_mut().filter(|row| row.principal == from) {
                row.principal = user;
            }
            user
        })
    }

    /// The first organization.
    pub fn organization(&self) -> Uuid {
        self.find(|_, organization| Some(organization))
    }

    fn find(&self, find: impl FnOnce(&Tenant, Uuid) -> Option<Uuid>) -> Uuid {
        self.sim.edit(|tenant| find(tenant, tenant.organization_by_name(ORGANIZATION).unwrap())).unwrap()
    }
}

/// A Backend named `zenml` on the simulator.
pub fn backend(url: &str, more: Value) -> Value {
    let block = json!({
        "url": url,
        "organization": ORGANIZATION,
        "allowInsecure": true,
        "credentials": { "apiKeySecretRef": { "name": "zenml-key", "key": "key" } },
    });
    connection("zenml", block, more)
}

/// A Role of workspaces that may read pipelines, unless `more` says otherwise.
pub fn role(name: &str, more: Value) -> Value {
    let spec = json!({
        "backendRef": { "name": "zenml" },
        "rules": [{ "actions": ["read"], "resources": ["pipeline"] }],
        "zenml": { "level": "Workspace" },
    });
    object("Role", name, with(spec, more))
}

/// A RoleBinding of a Role of ours to subjects by kind and name, on the workspace `production` unless `more` says otherwise; null in `more`
/// takes a field away.
pub fn binding(name: &str, role: &str, subjects: &[(&str, &str)], more: Value) -> Value {
    holders("zenml", name, role, subjects, with(json!({ "scope": { "workspace": "production" } }), more))
}

/// The same for a role that the organization has.
pub fn external(name: &str, role: Value, subjects: &[(&str, &str)], more: Value) -> Value {
    let mut binding = binding(name, "", subjects, more);
    binding["spec"]["roleRef"] = json!({ "external": role });
    binding
}

/// The status of an object's condition `Verified`, which it has where the server does not show what a role permits.
pub fn verified(object: &DynamicObject) -> Option<String> {
    let conditions = object.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let found = conditions.into_iter().find(|condition| condition["type"] == "Verified");
    found.map(|condition| condition["status"].as_str().unwrap_or_default().to_owned())
}
