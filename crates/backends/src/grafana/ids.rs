//! Ids and levels. Grafana numbers users and service accounts together and teams separately, so a number alone is ambiguous. An id here is
//! `user:12`, `serviceAccount:14` or `team:3`; that of a grant is `team:3/<uid of the role>`; that of a resource is its level and its uid,
//! `folder:abc`.

use rolewright_core::model::{Id, Level, SubjectKind};

/// The levels of resources.
pub const FOLDER: Level = Level::new("folder");
pub const DASHBOARD: Level = Level::new("dashboard");
pub const DATA_SOURCE: Level = Level::new("dataSource");

/// Folders without permissions of their own: the root, and what others shared.
const VIRTUAL_FOLDERS: [&str; 2] = ["general", "sharedwithme"];

const KINDS: [SubjectKind; 3] = [SubjectKind::User, SubjectKind::ServiceAccount, SubjectKind::Team];

/// A principal that can have a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    pub kind: SubjectKind,
    pub number: i64,
}

impl Principal {
    /// The principal with an id. None for the id of anything else.
    pub fn of(id: &Id) -> Option<Self> {
        let (level, number) = id.as_str().split_once(':')?;
        let kind = KINDS.into_iter().find(|kind| kind.level().as_str() == level)?;
        Some(Self { kind, number: number_of(number)? })
    }

    /// Its id.
    pub fn id(self) -> Id {
        Id::new(format!("{}:{}", self.kind.level(), self.number))
    }

    /// Its endpoints.
    pub fn endpoints(self) -> Endpoints {
        match self.kind {
            SubjectKind::User | SubjectKind::ServiceAccount => Endpoints::Users,
            SubjectKind::Team | SubjectKind::Group => Endpoints::Teams,
        }
    }
}

/// The endpoints for assignments. Service accounts use those of users (contract 2.3, 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoints {
    Users,
    Teams,
}

impl Endpoints {
    /// The segment of the path.
    pub fn path(self) -> &'static str {
        match self {
            Endpoints::Users => "users",
            Endpoints::Teams => "teams",
        }
    }

    /// The field of a search that lists the principals (contract 2.1).
    pub fn ids_field(self) -> &'static str {
        match self {
            Endpoints::Users => "userIds",
            Endpoints::Teams => "teamIds",
        }
    }
}

/// The kinds of resources that have default permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    Folder,
    Dashboard,
    DataSource,
}

impl ResourceKind {
    pub const ALL: [Self; 3] = [ResourceKind::Folder, ResourceKind::Dashboard, ResourceKind::DataSource];

    /// Its level.
    pub fn level(self) -> Level {
        match self {
            ResourceKind::Folder => FOLDER,
            ResourceKind::Dashboard => DASHBOARD,
            ResourceKind::DataSource => DATA_SOURCE,
        }
    }

    /// The kind of a level.
    pub fn of(level: Level) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.level() == level)
    }

    /// The segment of the path, and the first part of its actions and scopes.
    pub fn path(self) -> &'static str {
        match self {
            ResourceKind::Folder => "folders",
            ResourceKind::Dashboard => "dashboards",
            ResourceKind::DataSource => "datasources",
        }
    }
}

/// A resource that has permissions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    pub kind: ResourceKind,
    pub uid: String,
}

impl Resource {
    /// The resource with an id. None for the id of anything else.
    pub fn of(id: &Id) -> Option<Self> {
        let (level, uid) = id.as_str().split_once(':')?;
        let valid = !uid.is_empty() && !uid.contains([':', '/']);
        let kind = ResourceKind::ALL.into_iter().find(|kind| kind.level().as_str() == level)?;
        Some(Self { kind, uid: uid.to_owned() }).filter(|_| valid)
    }

    /// Its id.
    pub fn id(&self) -> Id {
        Id::new(format!("{}:{}", self.kind.level(), self.uid))
    }

    /// Whether it is a folder that no permissions are on, so that it cannot be closed.
    pub fn is_virtual(&self) -> bool {
        self.kind == ResourceKind::Folder && VIRTUAL_FOLDERS.contains(&self.uid.as_str())
    }
}

/// The kind of the principals of a level. None for other levels.
pub fn principal_kind(level: Level) -> Option<SubjectKind> {
    KINDS.into_iter().find(|kind| kind.level() == level)
}

/// A number in the one spelling that Grafana uses.
pub fn number_of(text: &str) -> Option<i64> {
    let canonical = text.starts_with(|first: char| matches!(first, '1'..='9'));
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}

/// The id of a grant.
pub fn grant(subject: &Id, role: &Id) -> Id {
    Id::new(format!("{subject}/{role}"))
}

/// The subject and the role in the id of a grant.
pub fn of_grant(id: &Id) -> Option<(Principal, Id)> {
    let (subject, role) = id.as_str().split_once('/')?;
    Some((Principal::of(&Id::new(subject))?, Id::new(role)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_principal_includes_its_kind() {
        for kind in KINDS {
            let principal = Principal { kind, number: 14 };
            assert_eq!(Principal::of(&principal.id()), Some(principal));
        }
        for text in
            ["14", "user:", "user:x", "user:-1", "user:0", "user:014", "user:+1", "role:14", "User:14"]
        {
            assert_eq!(Principal::of(&Id::new(text)), None, "{text}");
        }
        assert_eq!(Principal::of(&Id::new("user:99999999999999999999")), None);
    }

    #[test]
    fn the_id_of_a_resource_is_its_level_and_its_uid() {
        for kind in ResourceKind::ALL {
            let resource = Resource { kind, uid: "a-B_1".to_owned() };
            assert_eq!(Resource::of(&resource.id()), Some(resource));
        }
        for text in ["folder:", "folder", "folders:a", "folder:a/b", "folder:a:b", "team:3", "rw-a_1"] {
            assert_eq!(Resource::of(&Id::new(text)), None, "{text}");
        }
    }

    #[test]
    fn the_id_of_a_grant_is_its_subject_and_its_role() {
        let id = grant(&Id::new("team:3"), &Id::new("rw-a_1"));
        assert_eq!(id.as_str(), "team:3/rw-a_1");
        let (principal, role) = of_grant(&id).expect("a grant");
        assert_eq!((principal.id(), role), (Id::new("team:3"), Id::new("rw-a_1")));
        assert_eq!(of_grant(&Id::new("rw-a_1")), None);
        assert_eq!(of_grant(&Id::new("folder:3/rw-a_1")), None);
    }
}
