//! The tenant that a simulator starts with: a small company, with names that are easy to confuse.

use jiff::{Timestamp, ToSpan};

use super::{
    builtin,
    tenant::{Kind, Tenant},
};
use crate::grafana::rows::{
    basic_role::BasicRole,
    group_mappings::ExternalGroupMember,
    managed::{ResourceKind, Subject},
    orgs::Org,
    plugins::Plugin,
    role_assignments::{TeamRole, UserRole},
    roles::Role,
    users::OrgUser,
};

/// The service account of the credential that a simulator starts with: an admin of organization 1.
pub const ADMIN_ACCOUNT: &str = "rolewright";

/// Users: name, login, basic role. "ann" is part of "joann"; "Ivan" has a capital letter.
const USERS: [(&str, &str, BasicRole); 9] = [
    ("Root Admin", "admin", BasicRole::Admin),
    ("Alice Moreau", "alice", BasicRole::Viewer),
    ("Bob Tanaka", "bob", BasicRole::Editor),
    ("Carol Nwosu", "carol", BasicRole::Viewer),
    ("Dave Lindqvist", "dave", BasicRole::None),
    ("Erin Castillo", "erin", BasicRole::Admin),
    ("Ann Rossi", "ann", BasicRole::Viewer),
    ("Joann Rossi", "joann", BasicRole::Viewer),
    ("Ivan Kowalski", "Ivan", BasicRole::Viewer),
];

/// Teams of organization 1 with their members. "sre" is part of "sre-oncall".
const TEAMS: [(&str, &[&str]); 4] = [
    ("data-platform", &["alice", "bob"]),
    ("sre", &["carol", "dave"]),
    ("sre-oncall", &["carol"]),
    ("finance", &[]),
];

/// Folders: uid, title, parent. Two are called "Runbooks".
const FOLDERS: [(&str, &str, Option<&str>); 6] = [
    ("sre", "SRE", None),
    ("sre-runbooks", "Runbooks", Some("sre")),
    ("sre-incidents", "Incidents", Some("sre-runbooks")),
    ("data", "Data platform", None),
    ("data-runbooks", "Runbooks", Some("data")),
    ("finance", "Finance", None),
];

/// Dashboards: uid, title, folder.
const DASHBOARDS: [(&str, &str, Option<&str>); 5] = [
    ("home", "Home", None),
    ("sre-latency", "Latency", Some("sre")),
    ("incident-review", "Incident review", Some("sre-incidents")),
    ("pipelines", "Pipelines", Some("data")),
    ("payroll", "Payroll", Some("finance")),
];

/// Data sources: uid, name, kind.
const DATA_SOURCES: [(&str, &str, &str); 3] = [
    ("prometheus-main", "Prometheus", "prometheus"),
    ("loki-main", "Loki", "loki"),
    ("warehouse", "Warehouse", "postgres"),
];

/// Receivers of alerts: uid, name.
const RECEIVERS: [(&str, &str); 2] = [("pager-sre", "SRE pager"), ("finance-mail", "Finance mail")];

/// Groups of the identity provider with their members. At the start, none is mapped.
const EXTERNAL_GROUPS: [(&str, &[&str]); 2] =
    [("engineering", &["alice", "bob", "peggy"]), ("cn=auditors,ou=groups", &["carol", "dave"])];

/// A plugin, and the action that its role has.
const PLUGIN: (&str, &str) = ("grafana-oncall-app", "grafana-oncall-app.schedules:read");

impl Tenant {
    /// The tenant that a simulator starts with: two organizations, ten users, three service accounts, five
    /// teams, six folders, five dashboards, three data sources, two receivers, two external groups, the
    /// vendor's roles and, in organization 1, a role that was made and assigned by hand.
    pub fn seeded() -> Self {
        let mut tenant = Self::default();
        let start = Timestamp::UNIX_EPOCH + (24 * 365 * 56).hours();
        for name in ["Main Org.", "Partners"] {
            let id = tenant.issue(Kind::Org);
            tenant.orgs.insert(Org { id, name: name.to_owned() });
        }
        for (name, login, role) in USERS {
            tenant.add_user(login, &format!("{}@example.com", login.to_lowercase()), name, 1, role, start);
        }
        tenant.seed_principals(start);
        tenant.seed_teams();
        let creator = tenant.user_by_login("admin");
        for (uid, title, parent) in FOLDERS {
            tenant.add_folder(1, uid, title, parent, creator);
        }
        for (uid, title, folder) in DASHBOARDS {
            tenant.add_dashboard(1, uid, title, folder, creator);
        }
        for (uid, name, kind) in DATA_SOURCES {
            tenant.add_data_source(1, uid, name, kind, creator);
        }
        for (uid, name) in RECEIVERS {
            tenant.add_receiver(1, uid, name, creator);
        }
        for (group, members) in EXTERNAL_GROUPS {
            let members = members.iter().filter_map(|login| tenant.user_by_login(login));
            let row = |user_id| ExternalGroupMember { group_id: group.to_owned(), user_id };
            let rows: Vec<ExternalGroupMember> = members.map(row).collect();
            tenant.external_group_members.extend(rows);
        }
        tenant.add_builtin_roles(start);
        tenant.seed_roles(start);
        tenant
    }

    fn seed_principals(&mut self, start: Timestamp) {
        if let Some(admin) = self.user_by_login("admin").and_then(|id| self.users.get_mut(id)) {
            admin.is_grafana_admin = true;
            let user_id = admin.id;
            self.org_users.push(OrgUser { org_id: 2, user_id, role: BasicRole::Admin });
        }
        self.add_user("peggy", "peggy@example.com", "Peggy Olu", 2, BasicRole::Editor, start);
        self.add_service_account(1, ADMIN_ACCOUNT, BasicRole::Admin, start);
        self.add_service_account(1, "nightly-reports", BasicRole::Viewer, start);
        self.add_service_account(2, "nightly-reports", BasicRole::Viewer, start);
    }

    fn seed_teams(&mut self) {
        for (name, members) in TEAMS {
            let team_id = self.add_team(1, name, "");
            let users: Vec<i64> = members.iter().filter_map(|login| self.user_by_login(login)).collect();
            for user in users {
                let (resource, subject) = (team_id.to_string(), Subject::User(user));
                self.set_permission(1, (ResourceKind::Teams, &resource), subject, "Member");
            }
        }
        self.add_team(2, "sre", "");
    }

    fn seed_roles(&mut self, start: Timestamp) {
        let (plugin, action) = PLUGIN;
        let actions = [action.to_owned()].into();
        self.plugins.push(Plugin { id: plugin.to_owned(), actions });
        let not_custom = [
            (format!("plugins:{plugin}:schedules-reader"), action),
            ("extsvc:grafana-oncall-app".to_owned(), "teams:read@teams:*"),
            ("managed:users:2:permissions".to_owned(), "folders:read@folders:uid:sre"),
        ];
        for (name, permissions) in not_custom {
            let role = self.new_role(&builtin::uid(&name), &name, start);
            self.roles.insert(Role { permissions: builtin::parse(permissions), ..role });
        }
        // A role that no object in a cluster manages.
        let role = self.new_role("legacy-reviewer", "Legacy reviewer", start);
        self.roles.insert(Role {
            org_id: 1,
            description: "Reads what finance reports".to_owned(),
            permissions: builtin::parse("reports:read@reports:* dashboards:read@folders:uid:finance"),
            ..role
        });
        if let (Some(user_id), Some(team_id)) = (self.user_by_login("carol"), self.team_by_name("finance")) {
            let role_uid = "legacy-reviewer".to_owned();
            let mapped = false;
            self.user_roles.push(UserRole { org_id: 1, user_id, role_uid: role_uid.clone(), mapped });
            self.team_roles.push(TeamRole { org_id: 1, team_id, role_uid, mapped });
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
            [tenant.orgs.len(), tenant.users.len(), tenant.service_accounts.len(), tenant.teams.len()];
        assert_eq!(sizes, [2, 10, 3, 5]);
        let sizes = [tenant.folders.len(), tenant.dashboards.len(), tenant.data_sources.len()];
        assert_eq!(sizes, [6, 5, 3]);
        assert_eq!([tenant.receivers.len(), tenant.external_group_members.len()], [2, 5]);
    }
}
