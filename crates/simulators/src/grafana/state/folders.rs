//! Folders: how they nest, and which rows are deleted with them.

use super::tenant::{Kind, Tenant};
use crate::grafana::rows::{folders::Folder, managed::ResourceKind};

impl Tenant {
    /// The folder with this uid in an organization.
    pub fn folder(&self, org: i64, uid: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.org_id == org && folder.uid == uid)
    }

    /// The uids of the folders that contain a folder, the nearest first.
    pub fn folders_above(&self, folder: &Folder) -> Vec<String> {
        self.folder_and_above(folder.org_id, folder.parent_uid.as_deref())
    }

    /// The uid of a folder and of those that contain it, the nearest first. Empty for the root.
    pub fn folder_and_above(&self, org: i64, uid: Option<&str>) -> Vec<String> {
        let mut uids: Vec<String> = Vec::new();
        let mut next = uid;
        while let Some(folder) = next.and_then(|uid| self.folder(org, uid)) {
            // A tenant that was put can contain cycles.
            if uids.contains(&folder.uid) {
                break;
            }
            uids.push(folder.uid.clone());
            next = folder.parent_uid.as_deref();
        }
        uids
    }

    /// Adds a folder with its default permissions.
    pub fn add_folder(
        &mut self,
        org_id: i64,
        uid: &str,
        title: &str,
        parent: Option<&str>,
        creator: Option<i64>,
    ) -> Folder {
        let folder = Folder {
            id: self.issue(Kind::Folder),
            uid: uid.to_owned(),
            org_id,
            title: title.to_owned(),
            parent_uid: parent.map(str::to_owned),
        };
        self.folders.insert(folder.clone());
        self.set_default_permissions(org_id, (ResourceKind::Folders, uid), creator, parent.is_some());
        folder
    }

    /// Deletes a folder with the folders and dashboards that it contains.
    pub fn drop_folder(&mut self, folder: &Folder) {
        let is_within = |row: &&Folder| {
            row.org_id == folder.org_id
                && (row.id == folder.id || self.folders_above(row).contains(&folder.uid))
        };
        let deleted: Vec<(i64, String)> =
            self.folders.iter().filter(is_within).map(|row| (row.id, row.uid.clone())).collect();
        for (id, uid) in deleted {
            self.folders.remove(id);
            self.forget_resource(folder.org_id, ResourceKind::Folders, &uid);
            self.drop_dashboards_in(folder.org_id, &uid);
        }
    }
}
