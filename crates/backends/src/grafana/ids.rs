//! Ids of principals, of grants and of resources. Grafana numbers users and service accounts together and teams apart, so a number alone says
//! nothing: an id here is `user:12`, `serviceAccount:14` or `team:3`, and a grant's is `team:3/<role's uid>`. A resource's is its sort and
//! its uid: `folder:abc`.

use rolewright_core::model::{Id, SubjectKind};

const KINDS: [SubjectKind; 3] = [SubjectKind::User, SubjectKind::ServiceAccount, SubjectKind::Team];

/// Who can hold a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    pub kind: SubjectKind,
    pub number: i64,
}

impl Principal {
    /// The principal of an id. None for an id that is none of a principal's.
    pub fn of(id: &Id) -> Option<Self> {
        let (level, number) = id.as_str().split_once(':')?;
        let kind = KINDS.into_iter().find(|kind| kind.level() == level)?;
        Some(Self { kind, number: number_of(number)? })
    }

    /// Its id.
    pub fn id(self) -> Id {
        Id::new(format!("{}:{}", self.kind.level(), self.number))
    }

    /// The group of endpoints that speaks of it.
    pub fn group(self) -> Group {
        match self.kind {
            SubjectKind::User | SubjectKind::ServiceAccount => Group::Users,
            // Grafana has no groups beside its teams.
            SubjectKind::Team | SubjectKind::Group => Group::Teams,
        }
    }
}

/// The two groups of endpoints for assignments: service accounts are users there (contract 2.3, 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    Users,
    Teams,
}

impl Group {
    /// The segment of the path.
    pub fn path(self) -> &'static str {
        match self {
            Group::Users => "users",
            Group::Teams => "teams",
        }
    }

    /// The field of a search that lists the principals (contract 2.1).
    pub fn ids_field(self) -> &'static str {
        match self {
            Group::Users => "userIds",
            Group::Teams => "teamIds",
        }
    }
}

/// The sorts of resources whose default permissions can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    Folder,
    Dashboard,
    DataSource,
}

impl Sort {
    pub const ALL: [Self; 3] = [Sort::Folder, Sort::Dashboard, Sort::DataSource];

    /// The level of the directory.
    pub fn level(self) -> &'static str {
        match self {
            Sort::Folder => "folder",
            Sort::Dashboard => "dashboard",
            Sort::DataSource => "dataSource",
        }
    }

    /// The sort of a level.
    pub fn of(level: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.level() == level)
    }

    /// The segment of the path, and the first part of its actions and scopes.
    pub fn path(self) -> &'static str {
        match self {
            Sort::Folder => "folders",
            Sort::Dashboard => "dashboards",
            Sort::DataSource => "datasources",
        }
    }
}

/// Something that permissions are given on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    pub sort: Sort,
    pub uid: String,
}

impl Resource {
    /// The resource of an id. None for an id that is none of a resource's.
    pub fn of(id: &Id) -> Option<Self> {
        let (level, uid) = id.as_str().split_once(':')?;
        let named = !uid.is_empty() && !uid.contains([':', '/']);
        Some(Self { sort: Sort::of(level)?, uid: uid.to_owned() }).filter(|_| named)
    }

    /// Its id.
    pub fn id(&self) -> Id {
        Id::new(format!("{}:{}", self.sort.level(), self.uid))
    }
}

/// The kind of a level's principals. None for the level of roles, and for any other.
pub fn kind_of(level: &str) -> Option<SubjectKind> {
    KINDS.into_iter().find(|kind| kind.level() == level)
}

/// A number as Grafana gives them out, in the one way of writing it.
pub fn number_of(text: &str) -> Option<i64> {
    let canonical = text.starts_with(|first: char| matches!(first, '1'..='9'));
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}

/// The id of a grant.
pub fn grant(subject: &Id, role: &Id) -> Id {
    Id::new(format!("{subject}/{role}"))
}

/// The subject and the role of a grant's id.
pub fn of_grant(id: &Id) -> Option<(Principal, Id)> {
    let (subject, role) = id.as_str().split_once('/')?;
    Some((Principal::of(&Id::new(subject))?, Id::new(role)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_which_kind_of_principal_its_number_is_of() {
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
    fn a_resource_is_known_by_its_sort_and_its_uid() {
        for sort in Sort::ALL {
            let resource = Resource { sort, uid: "a-B_1".to_owned() };
            assert_eq!(Resource::of(&resource.id()), Some(resource));
        }
        for text in ["folder:", "folder", "folders:a", "folder:a/b", "folder:a:b", "team:3", "rw-a_1"] {
            assert_eq!(Resource::of(&Id::new(text)), None, "{text}");
        }
    }

    #[test]
    fn a_grant_is_known_by_its_subject_and_its_role() {
        let id = grant(&Id::new("team:3"), &Id::new("rw-a_1"));
        assert_eq!(id.as_str(), "team:3/rw-a_1");
        let (principal, role) = of_grant(&id).expect("a grant");
        assert_eq!((principal.id(), role), (Id::new("team:3"), Id::new("rw-a_1")));
        assert_eq!(of_grant(&Id::new("rw-a_1")), None);
        assert_eq!(of_grant(&Id::new("folder:3/rw-a_1")), None);
    }
}
