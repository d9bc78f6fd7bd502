//! ZenML Pro.

use jiff::Timestamp;
use kube::api::DynamicObject;
use rolewright_simulators::{
    kit::log::Entry,
    zenml::{
        ORGANIZATION, Principal, Switches, Tenant, Uuid, ZenMl, roles::Level, switches::PermissionsShown,
    },
};
use serde_json::{Value, json};

use super::{account::Account, manifests, status, world::World};

/// A user, a service account and a team of the seeded organization.
pub const SUBJECTS: [(&str, &str); 3] =
    [("User", "alice@example.com"), ("ServiceAccount", "nightly-training"), ("Team", "sre")];

impl Account for ZenMl {
    const SECRET: (&'static str, &'static str) = ("zenml-key", "key");

    fn backend(url: &str, more: Value) -> Value {
        backend(url, more)
    }

    fn has_sweep(entries: &[Entry]) -> bool {
        // Before it creates a role, the operator lists the roles with that name.
        let lists = |it: &Entry| {
            it.method == "GET"
                && it.path.ends_with("/roles")
                && it.query.contains("offset=0&")
                && !it.query.contains("name=")
        };
        entries.iter().any(lists)
    }

    /// Logins are POSTs that change nothing.
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
    /// A connected world with a seeded control plane.
    pub async fn zenml(name: &str) -> Self {
        Self::zenml_with(name, |_| {}).await
    }

    /// The same with other switches.
    pub async fn zenml_with(name: &str, change: impl FnOnce(&mut Switches)) -> Self {
        Self::with_switches(name, change).await
    }

    /// The id of the first organization's role with this level and name.
    pub fn role_id(&self, level: Level, name: &str) -> Option<Uuid> {
        let organization = self.organization_id();
        self.sim.edit(|tenant| {
            let mut here = tenant.roles.iter().filter(|role| role.organization_id == organization);
            here.find(|role| role.level == level && role.name.as_deref() == Some(name)).map(|role| role.id)
        })
    }

    /// The grants of a role: principal, workspace and project. They are sorted.
    pub fn grants_of(&self, role: Uuid) -> Vec<(Principal, Option<Uuid>, Option<Uuid>)> {
        self.sim.edit(|tenant| {
            let rows = tenant.assignments.iter().filter(|row| row.role_id == role);
            let mut all: Vec<_> = rows.map(|row| (row.principal, row.workspace_id, row.project_id)).collect();
            all.sort_unstable();
            all
        })
    }

    /// The principals of a role. They are sorted.
    pub fn principals_of(&self, role: Uuid) -> Vec<Principal> {
        self.grants_of(role).into_iter().map(|(principal, ..)| principal).collect()
    }

    /// Grants a role by hand, on a workspace or on a project of it.
    pub fn grant_by_hand(
        &self,
        role: Uuid,
        principal: Principal,
        workspace: Option<Uuid>,
        project: Option<Uuid>,
    ) {
        self.sim.edit(|tenant| {
            let mut row = tenant.assignments[0];
            (row.role_id, row.principal) = (role, principal);
            (row.workspace_id, row.project_id) = (workspace, project);
            tenant.assignments.push(row);
        });
    }

    /// Removes every grant of a role by hand.
    pub fn revoke_all(&self, role: Uuid) {
        self.sim.edit(|tenant| tenant.assignments.retain(|row| row.role_id != role));
    }

    /// The permissions of a role: resource types and actions.
    pub fn permissions_of(&self, role: Uuid) -> Value {
        self.sim.edit(|tenant| json!(tenant.roles.get(role).unwrap().permissions))
    }

    /// A user of the first organization, by the part of the address before the @.
    pub fn user(&self, login: &str) -> Principal {
        Principal::User(self.find(|tenant, _| tenant.user_by_email(&format!("{login}@example.com"))))
    }

    /// A service account of the first organization.
    pub fn service_account(&self, name: &str) -> Principal {
        Principal::User(self.find(|tenant, organization| tenant.service_account_by_name(organization, name)))
    }

    /// A team of the first organization.
    pub fn team(&self, name: &str) -> Principal {
        Principal::Team(self.find(|tenant, organization| tenant.team_by_name(organization, name)))
    }

    /// [`SUBJECTS`] as principals. They are sorted.
    pub fn all_subjects(&self) -> Vec<Principal> {
        let mut all = vec![self.user("alice"), self.service_account("nightly-training"), self.team("sre")];
        all.sort_unstable();
        all
    }

    /// The id of a workspace of the first organization.
    pub fn workspace_id(&self, name: &str) -> Uuid {
        self.find(|tenant, organization| tenant.workspace_by_name(organization, name))
    }

    /// The id of a project.
    pub fn project_id(&self, workspace: &str, name: &str) -> Uuid {
        let workspace = self.workspace_id(workspace);
        self.find(|tenant, _| tenant.project_by_name(workspace, name))
    }

    /// An invited user signs in and accepts the invitation.
    pub fn accept_invitation(&self, login: &str) -> Principal {
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

    /// The id of the first organization.
    pub fn organization_id(&self) -> Uuid {
        self.find(|_, organization| Some(organization))
    }

    fn find(&self, find: impl FnOnce(&Tenant, Uuid) -> Option<Uuid>) -> Uuid {
        self.sim.edit(|tenant| find(tenant, tenant.organization_by_name(ORGANIZATION).unwrap())).unwrap()
    }

    /// Waits until a Role has the condition `Verified`, or has none where the server shows permissions in lists. It is the last
    /// write to a Role in sync.
    pub async fn verified(&self, role: &str) {
        let shown = self.sim.edit(|tenant| tenant.switches.permissions_shown == PermissionsShown::Always);
        self.until("Role", role, "verified", |object| verified_status(object).is_none() == shown).await;
    }
}

/// A Backend named `zenml`.
pub fn backend(url: &str, more: Value) -> Value {
    let block = json!({
        "url": url,
        "organization": ORGANIZATION,
        "allowInsecure": true,
        "credentials": { "apiKeySecretRef": { "name": "zenml-key", "key": "key" } },
    });
    manifests::backend("zenml", block, more)
}

/// A Role for workspaces that can read pipelines, unless `more` has other rules.
pub fn role(name: &str, more: Value) -> Value {
    let rules = json!([{ "actions": ["read"], "resources": ["pipeline"] }]);
    manifests::role("zenml", name, rules, manifests::with(json!({ "zenml": { "level": "Workspace" } }), more))
}

/// A RoleBinding from a Role object to subjects by kind and name, on the workspace `production` unless `more` has another scope. A
/// null in `more` removes the field.
pub fn binding(name: &str, role: &str, subjects: &[(&str, &str)], more: Value) -> Value {
    let more = manifests::with(json!({ "scope": { "workspace": "production" } }), more);
    manifests::binding("zenml", name, role, subjects, more)
}

/// The same from a role that exists in the organization.
pub fn external(name: &str, role: Value, subjects: &[(&str, &str)], more: Value) -> Value {
    let mut binding = binding(name, "", subjects, more);
    binding["spec"]["roleRef"] = json!({ "external": role });
    binding
}

/// The status of an object's condition `Verified`. An object has it if the server does not show a role's permissions.
pub fn verified_status(object: &DynamicObject) -> Option<String> {
    status::condition(object, "Verified")["status"].as_str().map(str::to_owned)
}
