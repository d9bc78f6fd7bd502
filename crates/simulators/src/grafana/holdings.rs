//! What a user or a service account holds in an organization, by whatever way (contract 2.3, 3.9).

use std::collections::BTreeMap;

use super::{
    basic_role::BasicRole,
    managed::{ManagedPermission, Subject},
    permissions::Permissions,
    roles::Role,
    state::Tenant,
    switches::Licence,
};

/// The permissions of a principal: of its basic role, of roles assigned to it and to its teams, and on single
/// resources.
pub fn of(tenant: &Tenant, principal: i64, org: i64) -> Permissions {
    let basic = basic_role(tenant, principal, org);
    let teams = teams(tenant, principal, org);
    let roles = by_uid(tenant);
    let mut held = Permissions::default();
    let mut add = |uid: &str| {
        for permission in roles.get(uid).into_iter().flat_map(|role| &role.permissions) {
            held.add(&permission.action, &permission.scope);
        }
    };
    basic.iter().flat_map(|role| role.with_lesser()).for_each(|role| add(role.uid()));
    if tenant.users.get(principal).is_some_and(|user| user.is_grafana_admin) {
        add("basic_grafana_admin");
    }
    if tenant.switches.licence == Licence::Valid {
        let counts = |row: i64| row == org || row == 0;
        let mine = tenant.held_roles().filter(|row| row.user_id == principal && counts(row.org_id));
        mine.for_each(|row| add(row.role_uid));
        let ours = tenant.team_roles.iter().filter(|row| teams.contains(&row.team_id) && row.org_id == org);
        ours.for_each(|row| add(&row.role_uid));
    }
    let reaches = |row: &&ManagedPermission| {
        row.org_id == org
            && match row.subject {
                Subject::User(id) => id == principal,
                Subject::Team(id) => teams.contains(&id),
                Subject::BuiltInRole(role) => {
                    basic.is_some_and(|basic| basic.with_lesser().any(|known| known == role))
                }
            }
    };
    for row in tenant.managed_permissions.iter().filter(reaches) {
        let scope = row.resource.scope(&row.resource_id);
        row.resource.actions(&row.permission).into_iter().for_each(|action| held.add(action, &scope));
    }
    held
}

/// The basic role of a user or a service account in an organization; none if it does not belong to it.
pub fn basic_role(tenant: &Tenant, principal: i64, org: i64) -> Option<BasicRole> {
    let account = tenant.service_accounts.get(principal).filter(|account| account.org_id == org);
    let member = || tenant.org_users.iter().find(|row| row.user_id == principal && row.org_id == org);
    account.map(|account| account.role).or_else(|| member().map(|row| row.role))
}

/// Roles by uid, for whoever needs many of them.
pub fn by_uid(tenant: &Tenant) -> BTreeMap<&str, &Role> {
    tenant.roles.iter().map(|role| (role.uid.as_str(), role)).collect()
}

fn teams(tenant: &Tenant, principal: i64, org: i64) -> Vec<i64> {
    let mine = tenant.team_members.iter().filter(|row| row.user_id == principal).map(|row| row.team_id);
    mine.filter(|id| tenant.teams.get(*id).is_some_and(|team| team.org_id == org)).collect()
}
