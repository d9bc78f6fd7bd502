//! Scopes that include a folder or a dashboard: its own scope, and the scopes of the folders that contain it.

use crate::grafana::{
    rows::{dashboards::Dashboard, folders::ROOT, managed::ResourceKind},
    state::Tenant,
};

/// The scopes that include a folder, or the root. The folder need not exist.
pub fn of_folder(tenant: &Tenant, org: i64, uid: Option<&str>) -> Vec<String> {
    match uid.filter(|uid| *uid != ROOT) {
        None => vec![ResourceKind::Folders.scope(ROOT)],
        Some(uid) => {
            let mut uids = tenant.folder_and_above(org, Some(uid));
            if uids.is_empty() {
                uids.push(uid.to_owned());
            }
            uids.iter().map(|uid| ResourceKind::Folders.scope(uid)).collect()
        }
    }
}

/// The scopes that include a dashboard.
pub fn of_dashboard(tenant: &Tenant, row: &Dashboard) -> Vec<String> {
    let mut scopes = of_folder(tenant, row.org_id, row.folder_uid.as_deref());
    scopes.push(ResourceKind::Dashboards.scope(&row.uid));
    scopes
}
