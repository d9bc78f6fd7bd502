//! The tenant that a simulator starts with: a company with names that are easy to confuse (contract 6.8).

use jiff::SignedDuration;

use super::{memberships, tenant::Tenant};
use crate::{
    arize::rows::{
        api_keys::{ApiKey, KeyStatus},
        assets::Asset,
        ids::{Id, Kind},
        memberships::AssignedRole,
        organizations::Organization,
        permissions::{self, PREDEFINED_ROLES},
        projects::{Project, ProjectType},
        restrictions::Restriction,
        role_bindings::RoleBinding,
        roles::Role,
        spaces::Space,
        users::{AccountRole, User, UserStatus},
    },
    kit::clock::Clock,
};

/// Organizations with their spaces. Two are called "sandbox"; "research" is part of "research-archive".
const ORGANIZATIONS: [(&str, &[&str]); 3] = [
    ("Research", &["research", "research-archive"]),
    ("Commerce", &["storefront", "sandbox"]),
    ("Platform", &["operations", "sandbox"]),
];

/// Projects by space, in the order of the spaces. A star marks a project that is not an LLM project.
const PROJECTS: [&[&str]; 6] = [
    &["churn", "churn-v2", "summaries", "fraud-scores*"],
    &["churn", "translations"],
    &["checkout-assistant", "search", "demand-forecast*"],
    &["playground", "prototype"],
    &["incident-triage", "runbooks", "payroll-assistant"],
    &["playground", "load-test"],
];

/// Users: name, local part of the address, role, status. "ann" is part of "joann" and "dianna", and "Ivan"
/// has a capital letter.
const USERS: [(&str, &str, AccountRole, UserStatus); 14] = [
    ("Root Admin", "admin", AccountRole::Admin, UserStatus::Active),
    ("Alice Moreau", "alice", AccountRole::Member, UserStatus::Active),
    ("Bob Tanaka", "bob", AccountRole::Member, UserStatus::Active),
    ("Carol Nwosu", "carol", AccountRole::Member, UserStatus::Active),
    ("Dave Lindqvist", "dave", AccountRole::Member, UserStatus::Active),
    ("Erin Castillo", "erin", AccountRole::Member, UserStatus::Active),
    ("Frank Osei", "frank", AccountRole::MemberUiOnly, UserStatus::Active),
    ("Grace Petrov", "grace", AccountRole::Member, UserStatus::Invited),
    ("Heidi Okafor", "heidi", AccountRole::Member, UserStatus::Expired),
    ("Ann Rossi", "ann", AccountRole::Member, UserStatus::Active),
    ("Joann Rossi", "joann", AccountRole::Member, UserStatus::Active),
    ("Dianna Fell", "dianna", AccountRole::Member, UserStatus::Active),
    ("Ivan Kowalski", "Ivan", AccountRole::Annotator, UserStatus::Active),
    ("Judy Amari", "judy", AccountRole::Admin, UserStatus::Active),
];

impl Tenant {
    /// The tenant that a simulator starts with: three organizations, six spaces, sixteen projects, fourteen
    /// users, two service keys, the predefined roles, and one role, one binding and one restriction that were
    /// made by hand.
    pub fn seeded() -> Self {
        let mut tenant = Self::default();
        let mut clock = Clock::new(SignedDuration::from_hours(1));
        for name in PREDEFINED_ROLES {
            tenant.seed_role(name, permissions::of_predefined_role(name), true, &mut clock);
        }
        for (name, local_part, role, status) in USERS {
            tenant.seed_user(name, &format!("{local_part}@example.com"), role, status, &mut clock);
        }
        tenant.seed_places(&mut clock);
        tenant.seed_members();
        for (name, space) in [("nightly-evaluation", "research"), ("deploy-pipeline", "operations")] {
            tenant.seed_service_key(name, space, &mut clock);
        }
        tenant.seed_handmade(&mut clock);
        tenant
    }

    fn seed_role(
        &mut self,
        name: &str,
        permissions: Vec<String>,
        is_predefined: bool,
        clock: &mut Clock,
    ) -> Id {
        let created_at = clock.tick();
        let id = self.issue(Kind::Role);
        self.roles.insert(Role {
            id,
            name: name.to_owned(),
            description: is_predefined.then(|| format!("The predefined role {name}.")),
            permissions,
            is_predefined,
            created_at,
            updated_at: created_at,
            deleted_at: None,
        });
        id
    }

    fn seed_user(
        &mut self,
        name: &str,
        email: &str,
        role: AccountRole,
        status: UserStatus,
        clock: &mut Clock,
    ) -> Id {
        let id = self.issue(Kind::User);
        self.users.insert(User {
            id,
            name: name.to_owned(),
            email: email.to_owned(),
            created_at: clock.tick(),
            status,
            role,
            is_developer: role >= AccountRole::Member,
            is_bot: false,
        });
        id
    }

    fn seed_places(&mut self, clock: &mut Clock) {
        let mut projects = PROJECTS.iter();
        for (name, spaces) in ORGANIZATIONS {
            let organization_id = self.issue(Kind::AccountOrganization);
            self.organizations.insert(Organization {
                id: organization_id,
                name: name.to_owned(),
                description: String::new(),
                created_at: clock.tick(),
            });
            for name in spaces {
                let id = self.issue(Kind::Space);
                self.spaces.insert(Space {
                    id,
                    organization_id,
                    name: (*name).to_owned(),
                    description: String::new(),
                    created_at: clock.tick(),
                    is_private: *name == "operations",
                });
                self.seed_projects(id, projects.next().copied().unwrap_or_default(), clock);
                for (kind, name) in [(Kind::Dashboard, "overview"), (Kind::Prompt, "greeting")] {
                    let asset = Asset { id: self.issue(kind), name: name.to_owned(), space_id: id };
                    let table =
                        if kind == Kind::Dashboard { &mut self.dashboards } else { &mut self.prompts };
                    table.insert(asset);
                }
            }
        }
    }

    fn seed_projects(&mut self, space_id: Id, names: &[&str], clock: &mut Clock) {
        for marked in names {
            let name = marked.trim_end_matches('*');
            let generative = name == *marked;
            let id = self.issue(Kind::Model);
            self.projects.insert(Project {
                id,
                name: name.to_owned(),
                space_id,
                created_at: clock.tick(),
                project_type: generative.then_some(ProjectType::Application),
                generative,
            });
        }
    }

    fn seed_members(&mut self) {
        let humans: Vec<(Id, AccountRole)> = self.users.iter().map(|user| (user.id, user.role)).collect();
        let organizations: Vec<Id> = self.organizations.iter().map(|row| row.id).collect();
        for (user, role) in humans {
            let name = match role {
                AccountRole::Admin => "ADMIN",
                AccountRole::Annotator => "ANNOTATOR",
                AccountRole::Member | AccountRole::MemberUiOnly => "MEMBER",
            };
            for organization in &organizations {
                memberships::join_organization(self, user, *organization, AssignedRole::predefined(name));
            }
        }
        for (email, space) in [("alice@example.com", "research"), ("bob@example.com", "operations")] {
            if let (Some(user), Some(space)) = (self.user_by_email(email), self.space_by_name(space)) {
                memberships::join_space(self, user, space, AssignedRole::predefined("MEMBER"));
            }
        }
    }

    fn seed_service_key(&mut self, name: &str, space: &str, clock: &mut Clock) {
        let email = format!("{name}@bots.invalid");
        let bot = self.seed_user(name, &email, AccountRole::Member, UserStatus::Active, clock);
        if let Some(row) = self.users.get_mut(bot) {
            row.is_bot = true;
        }
        let place = self.space_by_name(space).and_then(|id| self.spaces.get(id));
        if let Some((space, organization)) = place.map(|space| (space.id, space.organization_id)) {
            memberships::join_organization(self, bot, organization, AssignedRole::predefined("READ_ONLY"));
            memberships::join_space(self, bot, space, AssignedRole::predefined("MEMBER"));
        }
        let creator = self.user_by_email("admin@example.com").unwrap_or(bot);
        let id = self.issue(Kind::ApiKey);
        self.api_keys.insert(ApiKey {
            id,
            name: name.to_owned(),
            description: None,
            status: KeyStatus::Active,
            created_at: clock.tick(),
            expires_at: None,
            created_by_user_id: creator,
            bot_user_id: Some(bot),
            refreshes: 0,
        });
    }

    /// A role, a binding and a restriction that no object in a cluster manages.
    fn seed_handmade(&mut self, clock: &mut Clock) {
        let permissions = ["PROJECT_READ", "PROJECT_SPAN_READ"].map(str::to_owned).to_vec();
        let role = self.seed_role("Legacy reviewer", permissions, false, clock);
        let project =
            self.space_by_name("operations").and_then(|id| self.project_by_name(id, "payroll-assistant"));
        if let (Some(user_id), Some(project)) = (self.user_by_email("carol@example.com"), project) {
            let (id, created_at) = (self.issue(Kind::RoleBinding), clock.tick());
            self.role_bindings.insert(RoleBinding {
                id,
                role_id: role,
                user_id,
                resource_id: project,
                created_at,
                updated_at: created_at,
            });
            self.restrictions.insert(Restriction { resource_id: project, created_at });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tenant;

    #[test]
    fn the_seed_has_its_documented_size() {
        let tenant = Tenant::seeded();
        let sizes =
            [tenant.organizations.len(), tenant.spaces.len(), tenant.projects.len(), tenant.users.len()];
        assert_eq!(sizes, [3, 6, 16, 16]);
        assert_eq!((tenant.api_keys.len(), tenant.role_bindings.len(), tenant.restrictions.len()), (2, 1, 1));
    }
}
