//! Ids. ZenML's are uuids that do not say what they are of, and assignments have none at all (contract 2.2). Here a principal is
//! `user:<uuid>`, `team:<uuid>` or `invitation:<uuid>:<e-mail address>`, a scope `workspace:<uuid>` or `project:<workspace's>:<uuid>`, and a
//! grant `<role's>/<scope or organization>/<principal>`. Service accounts are users (contract 2.3).

use rolewright_core::model::{Grant, Id, Key, Named, RoleRef};

/// The levels of the directory.
pub const USER: &str = "user";
pub const SERVICE_ACCOUNT: &str = "serviceAccount";
pub const TEAM: &str = "team";
pub const WORKSPACE: &str = "workspace";
pub const PROJECT: &str = "project";

const INVITATION: &str = "invitation";
/// Where a grant of an organization's role lies; as text, since the model has no scope there.
const ORGANIZATION: &str = "organization";
/// What a text begins with that is an id and not a name.
const GIVEN: &str = "id:";
/// What the name of a role begins with, where it stands among the ids of grants.
const NAME: &str = "role:";

/// Who can hold a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// A person, or a service account.
    User(String),
    Team(String),
    /// Somebody who was invited and may have come by now. The address tells as whom: the invitation itself is gone then.
    Invitation {
        uuid: String,
        email: String,
    },
}

impl Principal {
    /// The principal of an id. None for an id that is none of a principal's.
    pub fn of(text: &str) -> Option<Self> {
        let (level, rest) = text.split_once(':')?;
        match level {
            USER => is_uuid(rest).then(|| Self::User(rest.to_owned())),
            TEAM => is_uuid(rest).then(|| Self::Team(rest.to_owned())),
            INVITATION => {
                let (uuid, email) = rest.split_once(':')?;
                let named = is_uuid(uuid) && !email.is_empty();
                named.then(|| Self::Invitation { uuid: uuid.to_owned(), email: email.to_owned() })
            }
            _ => None,
        }
    }

    /// Somebody's invitation: addresses do not differ by case.
    pub fn invited(uuid: &str, email: &str) -> Self {
        Self::Invitation { uuid: uuid.to_owned(), email: email.to_lowercase() }
    }

    /// Its id.
    pub fn id(&self) -> Id {
        Id::new(match self {
            Self::User(uuid) => format!("{USER}:{uuid}"),
            Self::Team(uuid) => format!("{TEAM}:{uuid}"),
            Self::Invitation { uuid, email } => format!("{INVITATION}:{uuid}:{email}"),
        })
    }

    /// The level of the directory where it is found: people who are only invited are users to be.
    pub fn level(&self) -> &'static str {
        match self {
            Self::User(_) | Self::Invitation { .. } => USER,
            Self::Team(_) => TEAM,
        }
    }
}

/// Where a role is held.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Organization,
    Workspace(String),
    Project { workspace: String, project: String },
}

impl Scope {
    /// The scope of an id. None for an id that is none of a scope's.
    pub fn of(text: &str) -> Option<Self> {
        if text == ORGANIZATION {
            return Some(Self::Organization);
        }
        let (level, rest) = text.split_once(':')?;
        match (level, rest.split_once(':')) {
            (WORKSPACE, None) if is_uuid(rest) => Some(Self::Workspace(rest.to_owned())),
            (PROJECT, Some((workspace, project))) if is_uuid(workspace) && is_uuid(project) => {
                Some(Self::Project { workspace: workspace.to_owned(), project: project.to_owned() })
            }
            _ => None,
        }
    }

    /// The scope of a grant. None where its id is none of ours.
    pub fn of_named(scope: Option<&Named>) -> Option<Self> {
        scope.map_or(Some(Self::Organization), |scope| Self::of(scope.id.as_str()))
    }

    /// The scope of what an assignment names. None for a project without a workspace, which nothing can lie in.
    pub fn of_parts(workspace: Option<&str>, project: Option<&str>) -> Option<Self> {
        match (workspace.map(str::to_owned), project.map(str::to_owned)) {
            (None, None) => Some(Self::Organization),
            (Some(workspace), None) => Some(Self::Workspace(workspace)),
            (Some(workspace), Some(project)) => Some(Self::Project { workspace, project }),
            (None, Some(_)) => None,
        }
    }

    /// Its text: the id, where it has one.
    pub fn text(&self) -> String {
        match self {
            Self::Organization => ORGANIZATION.to_owned(),
            Self::Workspace(uuid) => format!("{WORKSPACE}:{uuid}"),
            Self::Project { workspace, project } => format!("{PROJECT}:{workspace}:{project}"),
        }
    }

    /// The id of the workspace that it is, or lies in.
    pub fn workspace(&self) -> Option<&str> {
        match self {
            Self::Organization => None,
            Self::Workspace(workspace) | Self::Project { workspace, .. } => Some(workspace),
        }
    }

    /// The id of the project that it is.
    pub fn project(&self) -> Option<&str> {
        match self {
            Self::Project { project, .. } => Some(project),
            _ => None,
        }
    }

    /// Its level, which is the level of the roles that can be held there (contract 3).
    pub fn level(&self) -> &'static str {
        match self {
            Self::Organization => ORGANIZATION,
            Self::Workspace(_) => WORKSPACE,
            Self::Project { .. } => PROJECT,
        }
    }
}

/// What tells an assignment from any other (contract 2.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrantId {
    /// The role's id.
    pub role: String,
    pub scope: Scope,
    pub principal: Principal,
}

impl GrantId {
    /// The parts of an id. None for an id that is none of a grant's.
    pub fn of(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (role, scope, principal) = (parts.next()?, parts.next()?, parts.next()?);
        let principal = Principal::of(principal)?;
        is_uuid(role).then_some(Self { role: role.to_owned(), scope: Scope::of(scope)?, principal })
    }

    /// The parts of a grant. None where the role does not exist yet, or an id is none of ours.
    pub fn of_grant(grant: &Grant) -> Option<Self> {
        let RoleRef::Existing(role) = &grant.role else { return None };
        let scope = Scope::of_named(grant.scope.as_ref())?;
        let principal = Principal::of(grant.subject.id.as_str())?;
        is_uuid(role.id.as_str()).then(|| Self { role: role.id.to_string(), scope, principal })
    }

    /// Its id.
    pub fn id(&self) -> Id {
        grant_id(&self.role, &self.scope.text(), self.principal.id().as_str())
    }

    /// Its natural key. An assignment is asked for by role and scope, and its absence proven for one principal at a time: the place that
    /// proves it is all three. They are what tells it from any other, too (contract 2.2).
    pub fn key(&self) -> Key {
        grant_key(&self.role, &self.scope.text(), self.principal.id().as_str())
    }
}

/// The id of a grant, or what stands for it while its role is only planned.
pub fn grant_id(role: &str, scope: &str, subject: &str) -> Id {
    Id::new(format!("{role}/{scope}/{subject}"))
}

/// The natural key of a grant, by the same parts.
pub fn grant_key(role: &str, scope: &str, subject: &str) -> Key {
    Key::new([("scope", grant_id(role, scope, subject).as_str()), ("subject", subject)])
}

/// The text of a scope, as grants have it.
pub fn scope_text(scope: Option<&Named>) -> &str {
    scope.map_or(ORGANIZATION, |scope| scope.id.as_str())
}

/// What a sweep is asked for a held role by: its level and its name.
pub fn role_asked(level: &str, name: &str) -> Id {
    Id::new(format!("{NAME}{level}:{name}"))
}

/// The level and the name of a role that a sweep is asked for.
pub fn of_role_asked(id: &Id) -> Option<(&str, &str)> {
    id.as_str().strip_prefix(NAME)?.split_once(':')
}

/// The uuid of a text that is an id and not a name.
pub fn given(text: &str) -> Option<String> {
    let uuid = text.strip_prefix(GIVEN)?.to_ascii_lowercase();
    is_uuid(&uuid).then_some(uuid)
}

/// How a text says that it is this id.
pub fn as_given(uuid: &str) -> String {
    format!("{GIVEN}{uuid}")
}

/// Whether a text is a uuid as servers write them.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0a000000-0000-4000-8000-00000000000a";
    const B: &str = "0b000000-0000-4000-8000-00000000000b";

    #[test]
    fn a_principal_is_known_by_its_id() {
        let principals = [
            Principal::User(A.to_owned()),
            Principal::Team(A.to_owned()),
            Principal::invited(A, "Dave/o:x@Example.com"),
        ];
        for principal in principals {
            assert_eq!(Principal::of(principal.id().as_str()), Some(principal));
        }
        for text in ["", A, "user:", "user:x", "role:x", "invitation:x:y", "user", &format!("invitation:{A}")]
        {
            assert_eq!(Principal::of(text), None, "{text}");
        }
    }

    #[test]
    fn a_project_is_known_with_the_workspace_that_it_lies_in() {
        let project = Scope::Project { workspace: A.to_owned(), project: B.to_owned() };
        for scope in [Scope::Organization, Scope::Workspace(A.to_owned()), project.clone()] {
            assert_eq!(Scope::of(&scope.text()), Some(scope));
        }
        assert_eq!((project.workspace(), project.project(), project.level()), (Some(A), Some(B), PROJECT));
        assert_eq!(Scope::of_parts(Some(A), Some(B)), Some(project));
        assert_eq!(Scope::of_parts(None, Some(B)), None);
        for text in ["", A, &format!("project:{A}"), &format!("workspace:{A}:{B}"), "workspace:x"] {
            assert_eq!(Scope::of(text), None, "{text}");
        }
    }

    #[test]
    fn a_grant_is_known_by_its_role_its_scope_and_its_principal() {
        let scope = Scope::Project { workspace: A.to_owned(), project: B.to_owned() };
        let principal = Principal::invited(A, "a/b@example.com");
        let grant = GrantId { role: B.to_owned(), scope, principal };
        assert_eq!(GrantId::of(grant.id().as_str()), Some(grant));
        for text in [&format!("{A}/organization"), &format!("reader/organization/user:{A}"), "role:x:y"] {
            assert_eq!(GrantId::of(text), None, "{text}");
        }
        assert_eq!(of_role_asked(&role_asked("project", "a:b")), Some(("project", "a:b")));
        assert_eq!(of_role_asked(&Id::new(format!("{A}/organization/user:{A}"))), None);
    }

    #[test]
    fn a_uuid_in_a_spec_says_that_it_is_one() {
        assert_eq!(given(&format!("id:{}", A.to_uppercase())), Some(A.to_owned()));
        for text in [A, "id:", "id:reader", &format!("id:{A}0")] {
            assert_eq!(given(text), None, "{text}");
        }
    }
}
