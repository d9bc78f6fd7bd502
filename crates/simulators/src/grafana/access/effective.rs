//! The effective permissions of a user or service account in an organization (contract 2.3, 3.9).

use crate::grafana::{
    rows::{
        managed::{ManagedPermission, Subject},
        permissions::Permissions,
        switches::Licence,
    },
    state::Tenant,
};

/// The permissions of a principal from all sources: its basic role, roles assigned to it and to its teams,
/// and permissions on single resources.
pub fn permissions(tenant: &Tenant, principal: i64, org: i64) -> Permissions {
    let basic = tenant.basic_role(principal, org);
    let teams = tenant.teams_of(principal, org);
    let roles = tenant.roles_by_uid();
    let mut all = Permissions::default();
    let mut add = |uid: &str| {
        for permission in roles.get(uid).into_iter().flat_map(|role| &role.permissions) {
            all.add(&permission.action, &permission.scope);
        }
    };
    basic.iter().flat_map(|role| role.with_lower()).for_each(|role| add(role.uid()));
    if tenant.users.get(principal).is_some_and(|user| user.is_grafana_admin) {
        add("basic_grafana_admin");
    }
    if tenant.switches.licence == Licence::Valid {
        let applies = |row_org: i64| row_org == org || row_org == 0;
        let own = tenant.direct_roles().filter(|row| row.user_id == principal && applies(row.org_id));
        own.for_each(|row| add(row.role_uid));
        let of_teams =
            tenant.team_roles.iter().filter(|row| teams.contains(&row.team_id) && row.org_id == org);
        of_teams.for_each(|row| add(&row.role_uid));
    }
    let applies = |row: &&ManagedPermission| {
        row.org_id == org
            && match row.subject {
                Subject::User(id) => id == principal,
                Subject::Team(id) => teams.contains(&id),
                Subject::BuiltInRole(role) => {
                    basic.is_some_and(|basic| basic.with_lower().any(|known| known == role))
                }
            }
    };
    for row in tenant.managed_permissions.iter().filter(applies) {
        let scope = row.resource.scope(&row.resource_id);
        row.resource.actions(&row.permission).into_iter().for_each(|action| all.add(action, &scope));
    }
    all
}
