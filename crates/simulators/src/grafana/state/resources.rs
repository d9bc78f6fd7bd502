//! Dashboards, data sources and receivers: each is added with its default permissions.

use super::tenant::{Kind, Tenant};
use crate::grafana::rows::{
    dashboards::Dashboard, data_sources::DataSource, managed::ResourceKind, receivers::Receiver,
};

impl Tenant {
    /// The dashboard with this uid in an organization.
    pub fn dashboard(&self, org: i64, uid: &str) -> Option<&Dashboard> {
        self.dashboards.iter().find(|row| row.org_id == org && row.uid == uid)
    }

    /// Adds a dashboard to a folder, or to the root.
    pub fn add_dashboard(
        &mut self,
        org_id: i64,
        uid: &str,
        title: &str,
        folder: Option<&str>,
        creator: Option<i64>,
    ) -> Dashboard {
        let row = Dashboard {
            id: self.issue(Kind::Dashboard),
            uid: uid.to_owned(),
            org_id,
            title: title.to_owned(),
            folder_uid: folder.map(str::to_owned),
            version: 1,
        };
        self.dashboards.insert(row.clone());
        self.set_default_permissions(org_id, (ResourceKind::Dashboards, uid), creator, folder.is_some());
        row
    }

    /// Deletes the dashboards in a folder.
    pub fn drop_dashboards_in(&mut self, org_id: i64, folder: &str) {
        let is_within = |row: &&Dashboard| row.org_id == org_id && row.folder_uid.as_deref() == Some(folder);
        let deleted: Vec<(i64, String)> =
            self.dashboards.iter().filter(is_within).map(|row| (row.id, row.uid.clone())).collect();
        for (id, uid) in deleted {
            self.dashboards.remove(id);
            self.forget_resource(org_id, ResourceKind::Dashboards, &uid);
        }
    }

    /// Adds a data source.
    pub fn add_data_source(
        &mut self,
        org_id: i64,
        uid: &str,
        name: &str,
        kind: &str,
        creator: Option<i64>,
    ) -> DataSource {
        let row = DataSource {
            id: self.issue(Kind::DataSource),
            uid: uid.to_owned(),
            org_id,
            name: name.to_owned(),
            kind: kind.to_owned(),
        };
        self.data_sources.insert(row.clone());
        self.set_default_permissions(org_id, (ResourceKind::Datasources, uid), creator, false);
        row
    }

    /// Adds a receiver.
    pub fn add_receiver(&mut self, org_id: i64, uid: &str, name: &str, creator: Option<i64>) {
        let id = self.issue(Kind::Receiver);
        self.receivers.insert(Receiver { id, uid: uid.to_owned(), org_id, name: name.to_owned() });
        self.set_default_permissions(org_id, (ResourceKind::Receivers, uid), creator, false);
    }
}
