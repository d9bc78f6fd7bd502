//! The default tenant of a new server: a small company with names that are easy to confuse.

use jiff::{Timestamp, ToSpan};

use super::tenant::Tenant;
use crate::lenses::rows::{
    environments::{Environment, Tier},
    groups::Group,
    metadata::Metadata,
    policy::{Effect, Statement},
    principals::Principal,
    roles::Role,
    service_accounts::ServiceAccount,
    users::{Profile, User},
};

/// The service account of the credential [`ADMIN`](crate::kit::ADMIN). Its group has a role that allows everything.
pub const ADMIN_ACCOUNT: &str = "rolewright";

/// Users: name, display name. "ann" is part of "joann", two have the same display name, and one name is not an email
/// address.
const USERS: [(&str, &str); 8] = [
    ("alice@example.com", "Alice Moreau"),
    ("bob@example.com", "Bob Tanaka"),
    ("carol@example.com", "Carol Nwosu"),
    ("dave@example.com", "Dave Lindqvist"),
    ("ann@example.com", "Ann Rossi"),
    ("joann@example.com", "Ann Rossi"),
    ("Ivan@example.com", "Ivan Kowalski"),
    ("peggy", "Peggy Olu"),
];

/// Service accounts: name, display name. Two have the same display name.
const SERVICE_ACCOUNTS: [(&str, &str); 4] = [
    (ADMIN_ACCOUNT, "Rolewright"),
    ("nightly-reports", "Nightly reports"),
    ("nightly-reports-eu", "Nightly reports"),
    ("ci-pipeline", "CI pipeline"),
];

/// Roles: name, display name, allowed actions, resources. Two have the same display name.
const ROLES: [(&str, &str, &[&str], &[&str]); 5] = [
    ("administrator", "Administrator", &["*"], &["*"]),
    (
        "developer",
        "Developer",
        &[
            "environments:List*",
            "environments:Get*",
            "environments:AccessEnvironment",
            "kafka:List*",
            "kafka:Get*",
        ],
        &["environments:environment:development", "kafka:topic:development/*"],
    ),
    ("topic-reader", "Topic reader", &["kafka:ListTopics", "kafka:ReadTopicData"], &["kafka:topic:*"]),
    ("topic-reader-eu", "Topic reader", &["kafka:ListTopics"], &["kafka:topic:production-eu/*"]),
    ("legacy-auditor", "Legacy auditor", &["audit:List*", "audit:Get*"], &["*"]),
];

/// Groups: name, `sso_name`, roles, users, service accounts. "sre" is part of "sre-oncall".
type GroupRow =
    (&'static str, &'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);
const GROUPS: [GroupRow; 6] = [
    ("administrators", "administrators", &["administrator"], &["peggy"], &[ADMIN_ACCOUNT]),
    (
        "data-platform",
        "okta-data-platform",
        &["developer"],
        &["alice@example.com", "bob@example.com"],
        &["ci-pipeline"],
    ),
    ("sre", "sre", &["topic-reader"], &["carol@example.com", "dave@example.com"], &[]),
    ("sre-oncall", "sre-oncall", &[], &["carol@example.com"], &[]),
    ("finance", "finance", &["legacy-auditor"], &["joann@example.com"], &["nightly-reports"]),
    ("newcomers", "newcomers", &[], &[], &[]),
];

const ENVIRONMENTS: [(&str, Tier); 4] = [
    ("development", Tier::Development),
    ("staging", Tier::Staging),
    ("production", Tier::Production),
    ("production-eu", Tier::Production),
];

impl Tenant {
    /// The default tenant: nine users, four service accounts, five roles, six groups and four environments. The role
    /// `legacy-auditor`, and the group that has it, count as made by hand: no tool manages them.
    pub fn seeded() -> Self {
        let mut tenant = Self::default();
        let start = Timestamp::UNIX_EPOCH + (24 * 365 * 56).hours();
        let id = tenant.issue_id();
        tenant.users.insert(User { is_admin: true, ..User::new("admin", "Root admin", id, start) });
        for (name, display_name) in USERS {
            let id = tenant.issue_id();
            let profile = Profile { full_name: display_name.to_owned(), email_address: address(name) };
            tenant.users.insert(User { profile, ..User::new(name, display_name, id, start) });
        }
        for (name, display_name) in SERVICE_ACCOUNTS {
            let (id, token) = (tenant.issue_id(), tenant.issue());
            tenant.service_accounts.insert(ServiceAccount::new(name, display_name, id, start, token));
        }
        for (name, display_name, actions, resources) in ROLES {
            let id = tenant.issue_id();
            tenant.roles.insert(Role {
                name: name.to_owned(),
                display_name: display_name.to_owned(),
                description: String::new(),
                id,
                created_at: start,
                policy: vec![Statement::new(Effect::Allow, actions, resources)],
                metadata: Metadata::new(),
            });
        }
        for row in GROUPS {
            tenant.seed_group(row, start);
        }
        for (name, tier) in ENVIRONMENTS {
            let (id, name) = (tenant.issue_id(), name.to_owned());
            let (display_name, metadata) = (name.clone(), Metadata::new());
            tenant.environments.insert(Environment {
                name,
                display_name,
                id,
                created_at: start,
                tier,
                agent_connected: true,
                metadata,
            });
        }
        tenant
    }

    fn seed_group(&mut self, (name, sso_name, roles, users, accounts): GroupRow, created_at: Timestamp) {
        let id = self.issue_id();
        let members = users.iter().map(|name| Principal::user(*name));
        let members = members.chain(accounts.iter().map(|name| Principal::service_account(*name)));
        self.groups.insert(Group {
            name: name.to_owned(),
            display_name: name.to_owned(),
            sso_name: sso_name.to_owned(),
            description: String::new(),
            id,
            created_at,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            members: members.collect(),
            metadata: Metadata::new(),
        });
        for user in users {
            if let Some(user) = self.users.get_mut(user) {
                user.idp_groups.insert(sso_name.to_owned());
            }
        }
    }
}

fn address(name: &str) -> String {
    if name.contains('@') { name.to_owned() } else { format!("{name}@example.com") }
}

#[cfg(test)]
mod tests {
    use super::Tenant;

    #[test]
    fn the_seed_has_its_documented_size() {
        let tenant = Tenant::seeded();
        let sizes = [tenant.users.len(), tenant.service_accounts.len(), tenant.roles.len()];
        assert_eq!(sizes, [9, 4, 5]);
        assert_eq!([tenant.groups.len(), tenant.environments.len()], [6, 4]);
    }
}
