//! The default tenant of a new server: a small company with names that are easy to confuse.

use jiff::SignedDuration;

use super::{roles::ADMIN_ROLE, tenant::Tenant};
use crate::{
    kit::clock::Clock,
    zenml::rows::{
        assignments::Assignment,
        ids::Uuid,
        permissions::on,
        principals::Principal,
        roles::{Kind, Level},
        teams::TeamMember,
    },
};

/// The service account of the credential [`ADMIN`](crate::kit::ADMIN). It is an admin of [`ORGANIZATION`].
pub const ADMIN_ACCOUNT: &str = "rolewright";

/// The name of the first organization.
pub const ORGANIZATION: &str = "acme";

/// The name of the second organization.
pub const PARTNERS: &str = "partners";

/// Users of the first organization: login, name. "ann" is part of "joann"; "Ivan" has a capital letter; "erin" is the
/// owner.
const USERS: [(&str, &str); 8] = [
    ("erin", "Erin Castillo"),
    ("alice", "Alice Moreau"),
    ("bob", "Bob Tanaka"),
    ("carol", "Carol Nwosu"),
    ("dave", "Dave Lindqvist"),
    ("ann", "Ann Rossi"),
    ("joann", "Joann Rossi"),
    ("Ivan", "Ivan Kowalski"),
];

/// Teams with their members. "sre" is part of "sre-oncall".
const TEAMS: [(&str, &[&str]); 4] = [
    ("data-platform", &["alice", "bob"]),
    ("sre", &["carol", "dave"]),
    ("sre-oncall", &["carol"]),
    ("finance", &[]),
];

/// Workspaces with their projects. Both have a project "churn".
const WORKSPACES: [(&str, &[&str]); 2] =
    [("production", &["default", "churn", "fraud-detection"]), ("staging", &["default", "churn"])];

impl Tenant {
    /// The default tenant: two organizations, ten users, three service accounts, five teams, three workspaces, six
    /// projects, an open invitation, the predefined roles and, in the first organization, roles that count as made by
    /// hand.
    pub fn seeded() -> Self {
        let mut tenant = Self::default();
        let mut clock = Clock::new(SignedDuration::from_secs(1));
        let users = USERS.map(|(login, name)| tenant.add_user(login, name, clock.tick()));
        // A user who logged in once and belongs to no organization.
        tenant.add_user("frank", "Frank Osei", clock.tick());
        let peggy = tenant.add_user("peggy", "Peggy Olu", clock.tick());
        let acme = tenant.add_organization(ORGANIZATION, None, Some(users[0]), clock.tick());
        let partners = tenant.add_organization(PARTNERS, None, Some(peggy), clock.tick());
        for user in users {
            tenant.assign(acme, "Organization Member", Principal::User(user), None, None);
        }
        tenant.seed_places(acme, partners, &mut clock);
        tenant.seed_teams(acme, partners, &mut clock);
        let admin = tenant.add_service_account(acme, ADMIN_ACCOUNT, None, clock.tick());
        tenant.assign(acme, ADMIN_ROLE, Principal::User(admin), None, None);
        for organization in [acme, partners] {
            let account = tenant.add_service_account(organization, "nightly-training", None, clock.tick());
            tenant.assign(organization, "Organization Member", Principal::User(account), None, None);
        }
        if let Some(role) = tenant.role_by_name(acme, "Organization Member") {
            tenant.add_invitation(acme, "grace@example.com", role, clock.tick());
        }
        tenant.seed_roles(acme, &mut clock);
        tenant
    }

    fn seed_places(&mut self, acme: Uuid, partners: Uuid, clock: &mut Clock) {
        for (name, projects) in WORKSPACES {
            let workspace = self.add_workspace(acme, name, clock.tick());
            for project in projects {
                self.add_project(workspace, project, clock.tick());
            }
        }
        let workspace = self.add_workspace(partners, "production", clock.tick());
        self.add_project(workspace, "default", clock.tick());
    }

    fn seed_teams(&mut self, acme: Uuid, partners: Uuid, clock: &mut Clock) {
        for (name, logins) in TEAMS {
            let team_id = self.add_team(acme, name, None, clock.tick());
            let ids = logins.iter().filter_map(|login| self.user_by_email(&format!("{login}@example.com")));
            let members: Vec<TeamMember> =
                ids.map(|id| TeamMember { team_id, member: Principal::User(id) }).collect();
            self.team_members.extend(members);
        }
        self.add_team(partners, "sre", None, clock.tick());
    }

    fn seed_roles(&mut self, acme: Uuid, clock: &mut Clock) {
        let Some(production) = self.workspace_by_name(acme, "production") else { return };
        let readers = || on(&["model", "pipeline_run"], &["read"]);
        // A role that counts as made by hand: no tool manages it.
        self.add_role(acme, Level::Workspace, "legacy-reviewer", readers(), clock.tick());
        let principals = [
            self.user_by_email("carol@example.com").map(Principal::User),
            self.team_by_name(acme, "finance").map(Principal::Team),
        ];
        for principal in principals.into_iter().flatten() {
            self.assign(acme, "legacy-reviewer", principal, Some(production), None);
        }
        // The same name twice on one level, and once on another.
        for level in [Level::Workspace, Level::Workspace, Level::Project] {
            self.add_role(acme, level, "pipeline-runner", readers(), clock.tick());
        }
        let project = self.project_by_name(production, "churn");
        if let (Some(project), Some(dave)) = (project, self.user_by_email("dave@example.com")) {
            let resource = format!("{project}:pipeline/{}", self.issue());
            let role_id = self.add_role(acme, Level::Project, "", on(&["pipeline"], &["read"]), clock.tick());
            if let Some(role) = self.roles.get_mut(role_id) {
                (role.name, role.kind, role.shared_resource) = (None, Kind::Share, Some(resource));
            }
            let (workspace_id, project_id) = (Some(production), Some(project));
            let principal = Principal::User(dave);
            self.assignments.push(Assignment { role_id, principal, workspace_id, project_id });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tenant;

    #[test]
    fn the_seed_has_its_documented_size() {
        let tenant = Tenant::seeded();
        let people = tenant.users.iter().filter(|user| !user.is_service_account).count();
        assert_eq!([tenant.organizations.len(), people, tenant.users.len() - people], [2, 10, 3]);
        let sizes = [tenant.teams.len(), tenant.workspaces.len(), tenant.projects.len()];
        assert_eq!(sizes, [5, 3, 6]);
        let predefined = tenant.roles.iter().filter(|role| role.system_managed).count();
        assert_eq!([predefined, tenant.roles.len() - predefined, tenant.invitations.len()], [28, 5, 1]);
    }
}
